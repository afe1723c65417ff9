package cli

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

// csvColumn is a column of the csv format.
type csvColumn struct {
	name    string
	ofHello bool // it has a key of client_hello
	append  func([]byte, *line) []byte
}

// csvColumns are the columns of the csv format, which docs/inspect.md explains.
var csvColumns = []csvColumn{
	{"source", false, ofText(func(l *line) string { return csvText(l.Source) })},
	{"time", false, ofText(func(l *line) string { return string(l.Time) })},
	{"transport", false, ofText(func(l *line) string { return l.Transport })},
	{"src", false, ofText(func(l *line) string { return string(l.Src) })},
	{"dst", false, ofText(func(l *line) string { return string(l.Dst) })},
	{"frames", false, func(b []byte, l *line) []byte { return appendSpaced(b, l.Frames, appendInt) }},
	{"hello_index", false, func(b []byte, l *line) []byte { return appendInt(b, l.HelloIndex) }},
	{"length", true, ofHello(func(b []byte, h *helloInfo) []byte { return appendInt(b, h.Length) })},
	{"legacy_version", true, ofHello(func(b []byte, h *helloInfo) []byte { return appendValue(b, h.LegacyVersion) })},
	{"supported_versions", true, ofHello(func(b []byte, h *helloInfo) []byte { return appendSpaced(b, h.SupportedVersions, appendValue) })},
	{"server_name", true, ofHello(func(b []byte, h *helloInfo) []byte { return append(b, csvText(string(h.ServerName))...) })},
	{"alpn", true, ofHello(func(b []byte, h *helloInfo) []byte { return append(b, csvNames(h.ALPN)...) })},
	{"cipher_suites", true, ofHello(func(b []byte, h *helloInfo) []byte { return appendSpaced(b, h.CipherSuites, appendValue) })},
	{"extensions", true, ofHello(func(b []byte, h *helloInfo) []byte {
		return appendSpaced(b, h.Extensions, func(b []byte, e extensionInfo) []byte { return appendValue(b, e.codePoint) })
	})},
	{"random", true, ofHello(func(b []byte, h *helloInfo) []byte { return append(b, orEmpty(h.Random)...) })},
	{"session_id", true, ofHello(func(b []byte, h *helloInfo) []byte { return append(b, orEmpty(h.SessionID)...) })},
	{"tls_flags_extension", false, ofFlags(func(b []byte, f *flagsInfo) []byte { return appendValue(b, f.Extension) })},
	{"tls_flags_data", false, ofFlags(func(b []byte, f *flagsInfo) []byte { return append(b, f.Data...) })},
	{"tls_flags", false, ofFlags(func(b []byte, f *flagsInfo) []byte { return appendSpaced(b, f.Flags, appendValue) })},
	{"tls_flags_error", false, ofFlags(func(b []byte, f *flagsInfo) []byte { return append(b, orEmptyCode(f.Error)...) })},
	{"request_mtls", false, func(b []byte, l *line) []byte { return appendBool(b, l.RequestMTLS) }},
	{"error", false, ofText(func(l *line) string { return orEmptyCode(l.Error) })},
	{"error_offset", false, func(b []byte, l *line) []byte {
		if l.Error == nil {
			return b
		}
		return appendInt(b, l.Error.Offset)
	}},
	{"ja4", false, ofText(func(l *line) string { return csvText(string(l.JA4)) })},
	{"ambiguous", false, func(b []byte, l *line) []byte { return appendSpaced(b, l.Ambiguous, appendWord) }},
	{"faults", false, func(b []byte, l *line) []byte {
		return appendSpaced(b, l.Faults, func(b []byte, f oddInfo) []byte { return append(b, f.Code...) })
	}},
	{"contradicts", false, func(b []byte, l *line) []byte { return appendSpaced(b, l.Contradicts, appendInt) }},
	{"path", false, func(b []byte, l *line) []byte { return appendSpaced(b, l.Path, appendWord) }},
	{"src_ip", false, ofText(func(l *line) string { return string(l.SrcIP) })},
	{"src_port", false, func(b []byte, l *line) []byte { return appendIf(b, l.SrcPort, appendInt) }},
	{"dst_ip", false, ofText(func(l *line) string { return string(l.DstIP) })},
	{"dst_port", false, func(b []byte, l *line) []byte { return appendIf(b, l.DstPort, appendInt) }},
	{"ech_type", true, ofHello(func(b []byte, h *helloInfo) []byte {
		return appendIf(b, h.ECH, func(b []byte, e echInfo) []byte { return appendValue(b, e.Type) })
	})},
	{"tls_flags_changed", false, func(b []byte, l *line) []byte { return appendIf(b, l.TLSFlagsChanged, appendBool) }},
	{"request_mtls_acknowledged", false, func(b []byte, l *line) []byte { return appendIf(b, l.Acknowledged, appendBool) }},
	{"prologue_protocol", false, func(b []byte, l *line) []byte {
		return appendIf(b, l.Prologue, func(b []byte, p prologueInfo) []byte { return append(b, p.Protocol...) })
	}},
	{"prologue_length", false, func(b []byte, l *line) []byte {
		return appendIf(b, l.Prologue, func(b []byte, p prologueInfo) []byte { return appendInt(b, p.Length) })
	}},
	{"hello", false, func(b []byte, l *line) []byte { return appendInt(b, l.Hello) }},
}

func ofText(value func(*line) string) func([]byte, *line) []byte {
	return func(b []byte, l *line) []byte { return append(b, value(l)...) }
}

func ofHello(appendTo func([]byte, *helloInfo) []byte) func([]byte, *line) []byte {
	return func(b []byte, l *line) []byte {
		if l.ClientHello == nil {
			return b
		}
		return appendTo(b, l.ClientHello)
	}
}

func ofFlags(appendTo func([]byte, *flagsInfo) []byte) func([]byte, *line) []byte {
	return func(b []byte, l *line) []byte {
		if l.TLSFlags == nil {
			return b
		}
		return appendTo(b, l.TLSFlags)
	}
}

// csvPrinter writes a header and one row a hello, as RFC 4180 describes. Lists are
// separated by spaces.
type csvPrinter struct {
	w      io.Writer
	b      []byte
	bytes  bool // there is a last column for the message
	headed bool
}

func (p *csvPrinter) print(l *line) error {
	p.header()
	p.b = p.b[:0]
	for _, c := range csvColumns {
		start := len(p.b)
		p.b = append(quoteCell(c.append(p.b, l), start), ',')
	}
	if p.bytes {
		p.b = append(append(p.b, l.Message...), ',')
	}
	p.b[len(p.b)-1] = '\n'
	_, err := p.w.Write(p.b)
	return err
}

// quoteCell quotes the cell that begins at start, if it has to be.
func quoteCell(b []byte, start int) []byte {
	cell := b[start:]
	quoted := len(cell) > 0 && cell[0] == ' '
	for _, c := range cell {
		quoted = quoted || c <= ',' && (c == ',' || c == '"' || c == '\n' || c == '\r')
	}
	if !quoted {
		return b
	}
	text := strings.ReplaceAll(string(cell), `"`, `""`)
	return append(append(append(b[:start], '"'), text...), '"')
}

func (p *csvPrinter) header() {
	if p.headed {
		return
	}
	p.headed = true
	names := make([]string, len(csvColumns), len(csvColumns)+1)
	for i, c := range csvColumns {
		names[i] = c.name
	}
	if p.bytes {
		names = append(names, "message")
	}
	_, _ = io.WriteString(p.w, strings.Join(names, ",")+"\n") // the next Write has the error
}

func (p *csvPrinter) close() error {
	p.header()
	return nil
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

func appendValue(b []byte, p codePoint) []byte { return strconv.AppendUint(b, uint64(p.Value), 10) }

func appendWord(b []byte, s string) []byte { return append(b, s...) }

// appendSpaced appends a list with spaces between its elements.
func appendSpaced[T any](b []byte, list []T, appendOne func([]byte, T) []byte) []byte {
	for i, x := range list {
		if i > 0 {
			b = append(b, ' ')
		}
		b = appendOne(b, x)
	}
	return b
}

// appendIf appends nothing for a nil pointer.
func appendIf[T any](b []byte, v *T, appendOne func([]byte, T) []byte) []byte {
	if v == nil {
		return b
	}
	return appendOne(b, *v)
}

func joinInts(list []int) string { return string(appendSpaced(nil, list, appendInt)) }

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
