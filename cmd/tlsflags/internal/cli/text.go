package cli

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/fatih/color"
	"github.com/mattn/go-isatty"
)

// colorMode is when text has colour.
func colorMode() enum[string] { return enumOf("color", "auto", words("auto", "always", "never")) }

// textStyle is how the text format looks.
type textStyle struct {
	color  bool
	source int // width of the source column; 0: none
}

// useColor reports whether to write colours to w. NO_COLOR and TERM=dumb turn off the
// default.
func useColor(mode string, w io.Writer) bool {
	switch mode {
	case "always":
		return true
	case "never":
		return false
	}
	return isTerminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

func isTerminal(stream any) bool {
	if o, ok := stream.(*output); ok {
		stream = o.Writer
	}
	f, ok := stream.(*os.File)
	return ok && (isatty.IsTerminal(f.Fd()) || isatty.IsCygwinTerminal(f.Fd()))
}

// textPrinter writes one line a hello, in columns. Lines are written as hellos are found,
// so the widths are fixed: a longer cell moves the rest of its line.
type textPrinter struct {
	w      io.Writer
	style  textStyle
	widths [textColumns]int
	b      bytes.Buffer
	parts  []string // of the verdict
}

const widestName = 64 // bytes

type column int

const (
	sourceColumn column = iota
	timeColumn
	transportColumn
	flowColumn
	nameColumn
	versionColumn
	textColumns
)

func newTextPrinter(w io.Writer, style textStyle) *textPrinter {
	return &textPrinter{w: w, style: style, widths: [textColumns]int{
		sourceColumn:    style.source,
		timeColumn:      len("00:00:00.000000"),
		transportColumn: len("dtls"),
		flowColumn:      len("192.168.100.100:50000 -> 192.168.100.100:443"),
		nameColumn:      30,
		versionColumn:   len("DTLS 1.2"),
	}}
}

func (p *textPrinter) print(l *line) error {
	p.b.Reset()
	if p.style.source > 0 {
		p.cell(sourceColumn, printable(l.Source)+":")
	}
	if l.Time != "" {
		p.cell(timeColumn, clock(string(l.Time)))
	}
	p.cell(transportColumn, l.Transport)
	if l.Src != "" && l.Dst != "" {
		p.cell(flowColumn, string(l.Src), " -> ", string(l.Dst))
	}
	if h := l.readable(); h != nil && (l.Partial == nil || h.ServerName != "") {
		version := versionText(h)
		if l.Partial != nil && l.Partial.JA4 == "" && h.SupportedVersions == nil {
			version = "" // it may be in an extension that is missing
		}
		p.cell(nameColumn, serverNameText(h))
		p.cell(versionColumn, version)
	}
	p.b.WriteString(strings.Join(p.verdict(l), "; "))
	p.b.WriteByte('\n')
	if l.Message != "" {
		fmt.Fprintf(&p.b, "  %s\n", l.Message)
	}
	_, err := p.w.Write(p.b.Bytes())
	return err
}

func (p *textPrinter) close() error { return nil }

// cell writes a column of some pieces of text, padded.
func (p *textPrinter) cell(c column, pieces ...string) {
	rest := p.widths[c]
	for _, s := range pieces {
		p.b.WriteString(s)
		rest -= utf8.RuneCountInString(s)
	}
	for range max(rest, 0) + 2 {
		p.b.WriteByte(' ')
	}
}

// verdict lists the flags, or says why there are none.
func (p *textPrinter) verdict(l *line) []string {
	parts := p.parts[:0]
	switch {
	case l.Error != nil:
		parts = append(parts, p.paint(refusalText("refused", l.Error), color.FgRed))
	case l.ClientHello == nil:
		parts = append(parts, "no whole hello")
	case l.TLSFlags == nil:
		parts = append(parts, p.paint("no tls_flags", color.Faint))
	case l.TLSFlags.Error != nil:
		parts = append(parts, p.paint(refusalText(extensionText(l.TLSFlags)+" malformed", l.TLSFlags.Error), color.FgRed))
	default:
		names := make([]string, len(l.TLSFlags.Flags))
		for i, f := range l.TLSFlags.Flags {
			names[i] = p.flagText(f)
		}
		parts = append(parts, extensionText(l.TLSFlags)+" "+strings.Join(names, ", "))
	}
	if l.HelloIndex > 1 {
		parts = append(parts, fmt.Sprintf("hello %d of the connection", l.HelloIndex))
	}
	if l.TLSFlagsChanged != nil && *l.TLSFlagsChanged {
		parts = append(parts, p.paint("tls_flags differ from the first hello's", color.FgRed))
	}
	parts = append(parts, p.doubts(l)...)
	for _, f := range l.ServerFlags {
		parts = append(parts, p.sentText(f))
	}
	for _, f := range l.ClientFlags {
		if f.Message != "ClientHello" || f.Verdict != nil {
			parts = append(parts, p.sentText(f))
		}
	}
	if l.Acknowledged != nil && *l.Acknowledged {
		parts = append(parts, p.paint("request_mtls acknowledged", color.FgGreen, color.Bold))
	}
	p.parts = parts
	return parts
}

// doubts says what is in doubt about a hello, what is odd, and where it was if that is not
// an IP packet in a frame.
func (p *textPrinter) doubts(l *line) []string {
	var parts []string
	if len(l.Ambiguous) > 0 {
		text := "ambiguous: " + strings.Join(l.Ambiguous, ", ")
		if len(l.Contradicts) > 0 {
			text += "; contradicts packets " + joinInts(l.Contradicts)
		}
		parts = append(parts, p.paint(text, color.FgYellow, color.Bold))
	}
	if h := l.readable(); h != nil {
		for _, e := range h.Malformed {
			parts = append(parts, p.paint(fmt.Sprintf("%s malformed: %s at byte %d", e.Name, e.Code, e.Offset), color.FgYellow))
		}
	}
	for _, f := range l.Faults {
		parts = append(parts, p.paint(fmt.Sprintf("%s at byte %d", f.Code, f.Offset), color.FgYellow))
	}
	switch {
	case l.Prologue == nil:
	case l.Prologue.Protocol == "":
		parts = append(parts, "after "+count(l.Prologue.Length, "byte"))
	default:
		parts = append(parts, "after "+string(l.Prologue.Protocol))
	}
	if slices.ContainsFunc(l.Path, func(layer string) bool { return strings.Contains(layer, ":") }) { // a tag or tunnel
		parts = append(parts, "in "+strings.Join(l.Path, " "))
	}
	return parts
}

// sentText lists the flags of another message of the connection, and what is wrong.
func (p *textPrinter) sentText(f sentFlags) string {
	names := make([]string, len(f.Flags))
	for i, flag := range f.Flags {
		names[i] = p.flagText(flag)
	}
	text := f.Message + " has " + extensionText(&f.flagsInfo) + " " + strings.Join(names, ", ")
	if f.Verdict != nil {
		text += p.paint(fmt.Sprintf(" (%s; alert %s)", f.Verdict.Code, f.Verdict.Alert.Name), color.FgRed)
	}
	return text
}

func (p *textPrinter) flagText(f codePoint) string {
	if f.Name == "" {
		return fmt.Sprintf("flag %d", f.Value)
	}
	text := fmt.Sprintf("%s(%d)", f.Name, f.Value)
	if f.Value == requestMTLS {
		return p.paint(text, color.FgGreen, color.Bold)
	}
	return text
}

func (p *textPrinter) paint(s string, attributes ...color.Attribute) string {
	if !p.style.color {
		return s
	}
	c := color.New(attributes...)
	c.EnableColor()
	return c.Sprint(s)
}

// extensionText names the code point, in the base in which it is usually written.
func extensionText(f *flagsInfo) string {
	if f.Extension.Value < 256 {
		return fmt.Sprintf("tls_flags(%d)", f.Extension.Value)
	}
	return fmt.Sprintf("tls_flags(0x%04x)", f.Extension.Value)
}

func refusalText(what string, e *refuseInfo) string {
	return fmt.Sprintf("%s: %s at byte %d: %s; alert %s", what, e.Code, e.Offset, e.Message, e.Alert.Name)
}

// clock cuts the time of day out of an RFC 3339 time and gives it six digits after
// the point.
func clock(rfc3339 string) string {
	_, t, _ := strings.Cut(strings.TrimSuffix(rfc3339, "Z"), "T")
	whole, fraction, _ := strings.Cut(t, ".")
	if len(fraction) == 6 {
		return t
	}
	return whole + "." + (fraction + "000000")[:6]
}

func serverNameText(h *helloInfo) string {
	if h.ServerName == "" {
		return "-"
	}
	name := string(h.ServerName)
	if len(name) > widestName {
		return printable(name[:widestName]) + "..." // the other formats have it whole
	}
	return printable(name)
}

// versionText is the version that the client prefers.
func versionText(h *helloInfo) string {
	for _, v := range h.SupportedVersions {
		if v.Name != "GREASE" {
			return pointText(v)
		}
	}
	return pointText(h.LegacyVersion)
}

func pointText(p codePoint) string {
	if p.Name == "" {
		return fmt.Sprintf("0x%04x", p.Value)
	}
	return string(p.Name)
}
