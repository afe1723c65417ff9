package cli

import (
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
)

// csvColumns are the columns of the csv format, which docs/inspect.md explains.
var csvColumns = []struct {
	name  string
	value func(*line) string
}{
	{"source", func(l *line) string { return csvText(l.Source) }},
	{"time", func(l *line) string { return string(l.Time) }},
	{"transport", func(l *line) string { return l.Transport }},
	{"src", func(l *line) string { return string(l.Src) }},
	{"dst", func(l *line) string { return string(l.Dst) }},
	{"frames", func(l *line) string { return joinInts(l.Frames) }},
	{"hello_index", func(l *line) string { return strconv.Itoa(l.HelloIndex) }},
	{"length", ofHello(func(h *helloInfo) string { return strconv.Itoa(h.Length) })},
	{"legacy_version", ofHello(func(h *helloInfo) string { return csvPoint(h.LegacyVersion) })},
	{"supported_versions", ofHello(func(h *helloInfo) string { return csvPoints(h.SupportedVersions) })},
	{"server_name", ofHello(func(h *helloInfo) string { return csvText(string(h.ServerName)) })},
	{"alpn", ofHello(func(h *helloInfo) string { return csvNames(h.ALPN) })},
	{"cipher_suites", ofHello(func(h *helloInfo) string { return csvPoints(h.CipherSuites) })},
	{"extensions", ofHello(func(h *helloInfo) string {
		types := make([]codePoint, len(h.Extensions))
		for i, e := range h.Extensions {
			types[i] = e.codePoint
		}
		return csvPoints(types)
	})},
	{"random", ofHello(func(h *helloInfo) string { return orEmpty(h.Random) })},
	{"session_id", ofHello(func(h *helloInfo) string { return orEmpty(h.SessionID) })},
	{"tls_flags_extension", ofFlags(func(f *flagsInfo) string { return csvPoint(f.Extension) })},
	{"tls_flags_data", ofFlags(func(f *flagsInfo) string { return f.Data })},
	{"tls_flags", ofFlags(func(f *flagsInfo) string { return csvPoints(f.Flags) })},
	{"tls_flags_error", ofFlags(func(f *flagsInfo) string { return orEmptyCode(f.Error) })},
	{"request_mtls", func(l *line) string { return strconv.FormatBool(l.RequestMTLS) }},
	{"error", func(l *line) string { return orEmptyCode(l.Error) }},
	{"error_offset", func(l *line) string {
		if l.Error == nil {
			return ""
		}
		return strconv.Itoa(l.Error.Offset)
	}},
	{"ja4", func(l *line) string { return csvText(string(l.JA4)) }},
	{"ambiguous", func(l *line) string { return strings.Join(l.Ambiguous, " ") }},
	{"faults", func(l *line) string {
		codes := make([]string, len(l.Faults))
		for i, f := range l.Faults {
			codes[i] = f.Code
		}
		return strings.Join(codes, " ")
	}},
	{"contradicts", func(l *line) string { return joinInts(l.Contradicts) }},
	{"path", func(l *line) string { return strings.Join(l.Path, " ") }},
	{"src_ip", func(l *line) string { return string(l.SrcIP) }},
	{"src_port", func(l *line) string { return csvInt(l.SrcPort) }},
	{"dst_ip", func(l *line) string { return string(l.DstIP) }},
	{"dst_port", func(l *line) string { return csvInt(l.DstPort) }},
	{"ech_type", ofHello(func(h *helloInfo) string {
		if h.ECH == nil {
			return ""
		}
		return csvPoint(h.ECH.Type)
	})},
	{"tls_flags_changed", func(l *line) string { return csvBool(l.TLSFlagsChanged) }},
	{"request_mtls_acknowledged", func(l *line) string { return csvBool(l.Acknowledged) }},
	{"prologue_protocol", func(l *line) string {
		if l.Prologue == nil {
			return ""
		}
		return string(l.Prologue.Protocol)
	}},
	{"prologue_length", func(l *line) string {
		if l.Prologue == nil {
			return ""
		}
		return strconv.Itoa(l.Prologue.Length)
	}},
}

func ofHello(value func(*helloInfo) string) func(*line) string {
	return func(l *line) string {
		if l.ClientHello == nil {
			return ""
		}
		return value(l.ClientHello)
	}
}

func ofFlags(value func(*flagsInfo) string) func(*line) string {
	return func(l *line) string {
		if l.TLSFlags == nil {
			return ""
		}
		return value(l.TLSFlags)
	}
}

// csvPrinter writes a header and one row a hello, as RFC 4180 describes. Lists are
// separated by spaces.
type csvPrinter struct {
	w      *csv.Writer
	row    []string
	bytes  bool // there is a last column for the message
	headed bool
}

func (p *csvPrinter) print(l *line) error {
	p.header()
	p.row = p.row[:0]
	for _, c := range csvColumns {
		p.row = append(p.row, c.value(l))
	}
	if p.bytes {
		p.row = append(p.row, string(l.Message))
	}
	return p.w.Write(p.row)
}

func (p *csvPrinter) header() {
	if p.headed {
		return
	}
	p.headed = true
	for _, c := range csvColumns {
		p.row = append(p.row, c.name)
	}
	if p.bytes {
		p.row = append(p.row, "message")
	}
	_ = p.w.Write(p.row) // the next Write has the error
}

func (p *csvPrinter) close() error {
	p.header()
	p.w.Flush()
	return p.w.Error()
}

// csvText escapes what a terminal or a spreadsheet would act on.
func csvText(s string) string { return noFormula(printable(s)) }

// noFormula escapes the first character of a printable cell that begins like a formula.
func noFormula(s string) string {
	if s != "" && strings.ContainsRune("=+-@", rune(s[0])) {
		return fmt.Sprintf(`\x%02x`, s[0]) + s[1:]
	}
	return s
}

func csvNames(names []string) string {
	cells := make([]string, len(names))
	for i, name := range names {
		cells[i] = strings.ReplaceAll(printable(name), " ", `\x20`)
	}
	return noFormula(strings.Join(cells, " "))
}

func csvPoint(p codePoint) string { return strconv.FormatUint(uint64(p.Value), 10) }

func csvPoints(list []codePoint) string {
	return joined(list, func(p codePoint) uint64 { return uint64(p.Value) })
}

// joined lists numbers with spaces between them.
func joined[T any](list []T, number func(T) uint64) string {
	var b []byte
	for i, x := range list {
		if i > 0 {
			b = append(b, ' ')
		}
		b = strconv.AppendUint(b, number(x), 10)
	}
	return string(b)
}

func csvInt(n *int) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(*n)
}

func csvBool(b *bool) string {
	if b == nil {
		return ""
	}
	return strconv.FormatBool(*b)
}

func joinInts(list []int) string {
	return joined(list, func(n int) uint64 { return uint64(n) })
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func orEmptyCode(e *refuseInfo) string {
	if e == nil {
		return ""
	}
	return e.Code
}
