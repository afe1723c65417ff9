package cli

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// formats are the values of --format.
var formats = []string{"text", "jsonl", "json", "csv"}

// printer writes lines in one format. Close writes what the format ends with.
type printer interface {
	print(*line) error
	close() error
}

// newPrinter returns nil for an unknown format.
func newPrinter(format string, w io.Writer, style textStyle) printer {
	switch format {
	case "text":
		return &textPrinter{w: w, style: style}
	case "jsonl":
		return &jsonPrinter{w: w, encoder: newEncoder(w)}
	case "json":
		return &jsonPrinter{w: w, encoder: newEncoder(w), array: true}
	case "csv":
		return &csvPrinter{w: csv.NewWriter(w)}
	}
	return nil
}

func newEncoder(w io.Writer) *json.Encoder {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e
}

// jsonPrinter writes one object a line, in an array where that is asked for. The
// array is never held in memory.
type jsonPrinter struct {
	w       io.Writer
	encoder *json.Encoder
	array   bool
	printed bool
}

func (p *jsonPrinter) print(l *line) error {
	if p.array {
		separator := "["
		if p.printed {
			separator = ","
		}
		if _, err := io.WriteString(p.w, separator); err != nil {
			return err
		}
	}
	p.printed = true
	return p.encoder.Encode(l)
}

func (p *jsonPrinter) close() error {
	if !p.array {
		return nil
	}
	end := "]\n"
	if !p.printed {
		end = "[]\n"
	}
	_, err := io.WriteString(p.w, end)
	return err
}

// csvColumns are the columns of the csv format, which docs/inspect.md explains.
var csvColumns = []struct {
	name  string
	value func(*line) string
}{
	{"source", func(l *line) string { return csvText(l.Source) }},
	{"time", func(l *line) string { return orEmpty(l.Time) }},
	{"transport", func(l *line) string { return l.Transport }},
	{"src", func(l *line) string { return orEmpty(l.Src) }},
	{"dst", func(l *line) string { return orEmpty(l.Dst) }},
	{"frames", func(l *line) string { return joinInts(l.Frames) }},
	{"hello_index", func(l *line) string { return strconv.Itoa(l.HelloIndex) }},
	{"length", ofHello(func(h *helloInfo) string { return strconv.Itoa(h.Length) })},
	{"legacy_version", ofHello(func(h *helloInfo) string { return csvPoint(h.LegacyVersion) })},
	{"supported_versions", ofHello(func(h *helloInfo) string { return csvPoints(h.SupportedVersions) })},
	{"server_name", ofHello(func(h *helloInfo) string { return csvText(orEmpty(h.ServerName)) })},
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
	headed bool
}

func (p *csvPrinter) print(l *line) error {
	if err := p.header(); err != nil {
		return err
	}
	p.row = p.row[:0]
	for _, c := range csvColumns {
		p.row = append(p.row, c.value(l))
	}
	return p.w.Write(p.row)
}

func (p *csvPrinter) header() error {
	if p.headed {
		return nil
	}
	p.headed = true
	for _, c := range csvColumns {
		p.row = append(p.row, c.name)
	}
	return p.w.Write(p.row)
}

func (p *csvPrinter) close() error {
	if err := p.header(); err != nil {
		return err
	}
	p.w.Flush()
	return p.w.Error()
}

// csvText escapes what a terminal or a spreadsheet would act on: a cell that begins
// like a formula can be one.
func csvText(s string) string {
	if s != "" && strings.ContainsRune("=+-@", rune(s[0])) {
		return fmt.Sprintf(`\x%02x`, s[0]) + printable(s[1:])
	}
	return printable(s)
}

func csvNames(names []string) string {
	cells := make([]string, len(names))
	for i, name := range names {
		cells[i] = strings.ReplaceAll(printable(name), " ", `\x20`)
	}
	joined := strings.Join(cells, " ")
	if joined != "" && strings.ContainsRune("=+-@", rune(joined[0])) {
		return fmt.Sprintf(`\x%02x`, joined[0]) + joined[1:]
	}
	return joined
}

func csvPoint(p codePoint) string { return strconv.FormatUint(uint64(p.Value), 10) }

func csvPoints(list []codePoint) string {
	var b []byte
	for i, p := range list {
		if i > 0 {
			b = append(b, ' ')
		}
		b = strconv.AppendUint(b, uint64(p.Value), 10)
	}
	return string(b)
}

func joinInts(list []int) string {
	var b []byte
	for i, n := range list {
		if i > 0 {
			b = append(b, ' ')
		}
		b = strconv.AppendInt(b, int64(n), 10)
	}
	return string(b)
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
