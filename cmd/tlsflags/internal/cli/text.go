package cli

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/fatih/color"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/screen"
	"github.com/tlsflags/tlsflags/extension"
)

// textStyle is how the text format looks.
type textStyle struct {
	painter
	width   int  // of the screen; 0: no limit
	sources bool // the name of an input is above its hellos
}

// textPrinter writes one line a hello, in columns. Lines are written as hellos are found, so
// the widths are fixed. Without a limit, a longer cell moves the rest of its line.
type textPrinter struct {
	w      io.Writer
	style  textStyle
	widths [textColumns]int // 0: left out
	source string
	begun  bool
	cells  [textColumns]cell
	parts  []string // of the last cell
	b      bytes.Buffer
}

type column int

const (
	numberColumn column = iota
	timeColumn
	transportColumn
	clientColumn
	serverColumn
	nameColumn
	versionColumn
	framesColumn
	flagsColumn
	textColumns
)

var columnNames = [textColumns]string{
	numberColumn: "#", timeColumn: "TIME", transportColumn: "VIA", clientColumn: "CLIENT", serverColumn: "SERVER",
	nameColumn: "SERVER NAME", versionColumn: "VERSION", framesColumn: "FRAMES", flagsColumn: "TLS FLAGS",
}

// A cell has a short form for columns that are too narrow.
type cell struct{ long, short string }

// wholeWidths are the widths without a limit.
var wholeWidths = [textColumns]int{
	numberColumn: 4, timeColumn: len("00:00:00.000000"), transportColumn: len("dtls"),
	clientColumn: len("192.168.100.100:50000"), serverColumn: len("192.168.100.100:443"),
	nameColumn: 30, versionColumn: len("DTLS 1.2"), framesColumn: len("FRAMES"), flagsColumn: 1,
}

// fitting has the columns in the order in which they get room, and how wide they are then. The
// last column has what is left.
var fitting = []struct {
	column column
	width  int
}{
	{nameColumn, 20}, {flagsColumn, 24}, {timeColumn, len("00:00:00")}, {clientColumn, len("192.168.100.100")},
	{nameColumn, 30}, {numberColumn, 6}, {versionColumn, len("DTLS 1.2")}, {clientColumn, len("192.168.100.100:50000")},
	{flagsColumn, 32}, {serverColumn, len("192.168.100.100:443")},
	{timeColumn, len("00:00:00.000000")}, {transportColumn, len("dtls")}, {framesColumn, 12}, {nameColumn, 50},
}

// fit returns the widths of the columns for a screen.
func fit(width int) (widths [textColumns]int) {
	rest := width + columnGap
	for _, step := range fitting {
		now := widths[step.column]
		if more := step.width - now; now > 0 {
			more = min(more, rest)
			widths[step.column] += more
			rest -= more
		} else if more+columnGap <= rest {
			widths[step.column] = more
			rest -= more + columnGap
		}
	}
	if widths[flagsColumn] == 0 { // half and half
		name := max(width/2-columnGap, 1)
		return [textColumns]int{nameColumn: name, flagsColumn: max(width-name-columnGap, 1)}
	}
	widths[flagsColumn] += rest
	return widths
}

func newTextPrinter(w io.Writer, style textStyle) *textPrinter {
	p := &textPrinter{w: w, style: style, widths: wholeWidths}
	if style.width > 0 {
		p.widths = fit(style.width)
	}
	return p
}

func (p *textPrinter) print(l *line) error {
	p.b.Reset()
	p.head(l.Source)
	p.describe(l)
	p.row(p.verdict(l))
	p.message(string(l.Message))
	_, err := p.w.Write(p.b.Bytes())
	return err
}

// head writes the names of the columns and of the source, if they are not there yet.
func (p *textPrinter) head(source string) {
	if !p.begun {
		for c, name := range columnNames {
			p.cells[c] = cell{name, name}
		}
		p.begun = true
		p.row([]string{columnNames[flagsColumn]})
		names := strings.TrimSuffix(p.b.String(), "\n")
		p.b.Reset()
		p.b.WriteString(p.style.paint(names, color.Bold) + "\n")
	}
	if p.style.sources && source != p.source {
		p.source = source
		fmt.Fprintf(&p.b, "%s\n", p.style.paint(screen.Cut(printable(source), p.style.width), color.Bold))
	}
}

func (p *textPrinter) close() error { return nil }

// describe fills in the cells of a hello.
func (p *textPrinter) describe(l *line) {
	p.cells = [textColumns]cell{}
	p.cells[numberColumn].long = strconv.Itoa(l.number)
	if l.Time != "" {
		t := clock(string(l.Time))
		p.cells[timeColumn] = cell{t, t[:len("00:00:00")]}
	}
	p.cells[transportColumn].long = l.Transport
	p.cells[clientColumn] = cell{string(l.Src), string(l.SrcIP)}
	p.cells[serverColumn] = cell{string(l.Dst), string(l.DstIP)}
	if len(l.Frames) > 0 {
		p.cells[framesColumn].long = joinInts(l.Frames)
	}
	if h := l.readable(); h != nil {
		p.cells[nameColumn].long = printable(string(h.ServerName))
		if l.Partial == nil || l.Partial.JA4 != "" || h.SupportedVersions != nil { // else it may be in an extension that is missing
			p.cells[versionColumn].long = versionText(h)
		}
	}
}

// row writes the cells, and the pieces of the last one.
func (p *textPrinter) row(last []string) {
	for c, width := range p.widths[:flagsColumn] {
		if width == 0 {
			continue
		}
		text := p.cells[c].long
		if text == "" {
			text = "-"
		}
		used := screen.Width(text)
		if used > width && p.brief() {
			if short := p.cells[c].short; short != "" {
				text = short
			}
			text = screen.Cut(text, width)
			used = screen.Width(text)
		}
		if column(c) == numberColumn {
			p.spaces(width - used)
			used = width
		}
		p.b.WriteString(text)
		p.spaces(max(width-used, 0) + columnGap)
	}
	if p.brief() {
		last = []string{screen.Cut(strings.Join(last, "; "), p.widths[flagsColumn])}
	}
	for i, piece := range last {
		if i > 0 {
			p.b.WriteString("; ")
		}
		p.b.WriteString(piece)
	}
	p.b.WriteByte('\n')
}

func (p *textPrinter) spaces(n int) {
	const spaces = "                                "
	for ; n > 0; n -= len(spaces) {
		p.b.WriteString(spaces[:min(n, len(spaces))])
	}
}

// message writes bytes in hexadecimal below the line of their hello.
func (p *textPrinter) message(digits string) {
	const indent = "  "
	room := len(digits)
	if p.style.width > 0 {
		room = max((p.style.width-len(indent))&^1, 2)
	}
	for digits != "" {
		n := min(room, len(digits))
		fmt.Fprintf(&p.b, "%s%s\n", indent, digits[:n])
		digits = digits[n:]
	}
}

// verdict lists the flags, or says why there are none.
func (p *textPrinter) verdict(l *line) []string {
	parts := p.parts[:0]
	if p.brief() {
		parts = append(parts, p.ambiguous(l)...)
	}
	switch {
	case l.Error != nil:
		parts = append(parts, p.style.paint(refusalText("refused", l.Error), color.FgRed))
	case l.ClientHello == nil:
		parts = append(parts, "no whole hello")
	case l.TLSFlags == nil:
		parts = append(parts, p.style.paint("no tls_flags", color.Faint))
	case l.TLSFlags.Error != nil:
		parts = append(parts, p.style.paint(refusalText(extensionText(l.TLSFlags)+" malformed", l.TLSFlags.Error), color.FgRed))
	default:
		parts = append(parts, p.flagsText(l.TLSFlags))
	}
	if l.HelloIndex > 1 {
		parts = append(parts, fmt.Sprintf("hello %d of the connection", l.HelloIndex))
	}
	if l.TLSFlagsChanged != nil && *l.TLSFlagsChanged {
		parts = append(parts, p.style.paint("tls_flags differ from the first hello's", color.FgRed))
	}
	if !p.brief() {
		parts = append(parts, p.ambiguous(l)...)
	}
	parts = append(parts, p.oddities(l)...)
	for _, f := range l.ServerFlags {
		parts = append(parts, p.sentText(f))
	}
	for _, f := range l.ClientFlags {
		if f.Message != "ClientHello" || f.Verdict != nil {
			parts = append(parts, p.sentText(f))
		}
	}
	if l.Acknowledged != nil && *l.Acknowledged {
		parts = append(parts, p.style.paint("request_mtls acknowledged", color.FgGreen, color.Bold))
	}
	p.parts = parts
	return parts
}

// brief reports whether the text is for a screen, on which its end may be cut off: what matters
// most comes first, and what is usual is left out.
func (p *textPrinter) brief() bool { return p.style.width > 0 }

// ambiguous says what is in doubt about a hello.
func (p *textPrinter) ambiguous(l *line) []string {
	if len(l.Ambiguous) == 0 {
		return nil
	}
	text := "ambiguous: " + strings.Join(l.Ambiguous, ", ")
	if len(l.Contradicts) > 0 {
		text += "; contradicts packets " + joinInts(l.Contradicts)
	}
	return []string{p.style.paint(text, color.FgYellow, color.Bold)}
}

// oddities says what is odd about a hello, and where it was if that is not an IP packet in a
// frame.
func (p *textPrinter) oddities(l *line) []string {
	var parts []string
	if h := l.readable(); h != nil {
		for _, e := range h.Malformed {
			parts = append(parts, p.style.paint(fmt.Sprintf("%s malformed: %s at byte %d", e.Name, e.Code, e.Offset), color.FgYellow))
		}
	}
	for _, f := range l.Faults {
		parts = append(parts, p.style.paint(fmt.Sprintf("%s at byte %d", f.Code, f.Offset), color.FgYellow))
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
	text := f.Message + " has " + p.flagsText(&f.flagsInfo)
	if f.Verdict != nil {
		text += p.style.paint(fmt.Sprintf(" (%s; alert %s)", f.Verdict.Code, f.Verdict.Alert.Name), color.FgRed)
	}
	return text
}

// flagsText names the extension and its flags.
func (p *textPrinter) flagsText(f *flagsInfo) string {
	names := make([]string, len(f.Flags))
	for i, flag := range f.Flags {
		names[i] = p.flagText(flag)
		if p.brief() && flag.Value == requestMTLS { // the others are more often cut off
			names[0], names[i] = names[i], names[0]
		}
	}
	list := strings.Join(names, ", ")
	switch {
	case !p.brief():
		return extensionText(f) + " " + list
	case f.Extension.Value == uint32(extension.TLSFlags):
		return list
	}
	return fmt.Sprintf("0x%04x: %s", f.Extension.Value, list)
}

func (p *textPrinter) flagText(f codePoint) string {
	if f.Name == "" {
		return fmt.Sprintf("flag %d", f.Value)
	}
	text := fmt.Sprintf("%s(%d)", f.Name, f.Value)
	if f.Value == requestMTLS {
		return p.style.paint(text, color.FgGreen, color.Bold)
	}
	return text
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
