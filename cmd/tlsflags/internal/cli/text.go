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
	width   int       // of the screen; 0: no limit
	sources bool      // the name of an input is above its hellos
	only    flagValue // that all hellos have, if it is set
}

// textPrinter writes one line a hello, in columns. Lines are written as hellos are found, so
// the widths are fixed. Without a limit, a longer cell moves the rest of its line.
type textPrinter struct {
	w      io.Writer
	style  textStyle
	widths [textColumns]int // 0: left out
	source string
	day    string // of the last row with a time
	begun  bool
	cells  [textColumns]cell
	b      bytes.Buffer
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
	p.heading(l)
	p.describe(l)
	v := p.verdict(l, false)
	if p.brief() && screen.Width(strings.Join(slices.Concat(v.flags, v.odd), "; ")) > p.widths[flagsColumn] {
		v = p.verdict(l, true)
		p.row(slices.Concat(v.flags, v.more))
		p.below(v.odd)
	} else {
		p.row(slices.Concat(v.flags, v.odd, v.more))
	}
	p.message(string(l.Message))
	_, err := p.w.Write(p.b.Bytes())
	return err
}

func (p *textPrinter) close() error { return nil }

// heading writes the name of an input above its first hello, and the day when it changes.
func (p *textPrinter) heading(l *line) {
	var parts []string
	day, _, _ := strings.Cut(string(l.Time), "T")
	if p.style.sources && l.Source != p.source {
		p.source, p.day = l.Source, ""
		room := p.style.width
		if room > 0 && day != "" {
			room -= columnGap + len(day)
		}
		parts = append(parts, screen.Cut(printable(l.Source), room))
	}
	if day != "" && day != p.day {
		p.day = day
		parts = append(parts, day)
	}
	if parts != nil {
		p.b.WriteString(p.style.paint(strings.Join(parts, "  "), color.Bold) + "\n")
	}
}

// below writes what is odd about a hello below its line, if there is something.
func (p *textPrinter) below(odd []string) {
	if len(odd) == 0 {
		return
	}
	indent := "  "
	if n := p.widths[numberColumn]; n > 0 {
		indent = strings.Repeat(" ", n+columnGap)
	}
	odd[0] = indent + odd[0]
	p.b.WriteString(screen.Fill(odd, "; ", indent, p.style.width) + "\n")
}

// describe fills in the cells of a hello.
func (p *textPrinter) describe(l *line) {
	p.cells = [textColumns]cell{}
	p.cells[numberColumn].long = strconv.Itoa(l.Hello)
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
	over := 0 // by which the number is too long
	for c, width := range p.widths[:flagsColumn] {
		if width == 0 {
			continue
		}
		if column(c) == nameColumn {
			width = max(width-over, 1)
		}
		text := p.cells[c].long
		if text == "" {
			text = "-"
		}
		used := screen.Width(text)
		if column(c) == numberColumn {
			over = max(used-width, 0)
		} else if used > width && p.brief() {
			if short := p.cells[c].short; short != "" {
				text = short
			}
			text = screen.Cut(text, width)
			used = screen.Width(text)
		}
		if column(c) == numberColumn {
			p.spaces(width - used)
			used = max(used, width)
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

// A verdict is what the last cell says, in parts.
type verdict struct {
	flags []string // what the hello says, or that it is refused
	odd   []string // why it is refused, in doubt or odd
	more  []string
}

// verdict lists the flags, or says why there are none. If apart, reasons are only in odd, to
// be below the line.
func (p *textPrinter) verdict(l *line, apart bool) verdict {
	v := verdict{odd: p.ambiguous(l)}
	refused := func(what, short string, e *refuseInfo) {
		reason := fmt.Sprintf("%s at byte %d: %s; alert %s", e.Code, e.Offset, e.Message, e.Alert.Name)
		if apart {
			v.flags, v.odd = []string{p.style.paint(short, color.FgRed)}, append(v.odd, p.style.paint(reason, color.FgRed))
		} else {
			v.flags = []string{p.style.paint(what+": "+reason, color.FgRed)}
		}
	}
	switch {
	case l.Error != nil:
		refused("refused", "refused", l.Error)
	case l.ClientHello == nil:
		v.flags = []string{"no whole hello"}
	case l.TLSFlags == nil:
		v.flags = []string{p.style.paint("no tls_flags", color.Faint)}
	case l.TLSFlags.Error != nil:
		refused(extensionText(l.TLSFlags)+" malformed", "tls_flags malformed", l.TLSFlags.Error)
	default:
		v.flags = []string{p.flagsText(l.TLSFlags)}
	}
	if l.HelloIndex > 1 {
		v.more = append(v.more, fmt.Sprintf("hello %d of the connection", l.HelloIndex))
	}
	if l.TLSFlagsChanged != nil && *l.TLSFlagsChanged {
		v.odd = append(v.odd, p.style.paint(flagsChanged, color.FgRed))
	}
	v.odd = append(v.odd, p.oddities(l)...)
	v.more = append(v.more, carriedIn(l)...)
	p.sent(l, &v)
	if l.Acknowledged != nil && *l.Acknowledged {
		v.more = append(v.more, p.style.paint("request_mtls acknowledged", color.FgGreen, color.Bold))
	}
	return v
}

// sent adds the flags of the other messages of the connection.
func (p *textPrinter) sent(l *line, v *verdict) {
	for i, f := range slices.Concat(l.ServerFlags, l.ClientFlags) {
		switch ofClient := i >= len(l.ServerFlags); {
		case f.Verdict != nil && ofClient && f.Message == "ClientHello" && f.Verdict.Code == extension.ErrFlagMisplaced.Name(): // a fault
		case f.Verdict != nil:
			v.odd = append(v.odd, p.sentText(f))
		case !ofClient || f.Message != "ClientHello":
			v.more = append(v.more, p.sentText(f))
		}
	}
}

// brief reports whether the text is for a screen, on which the end of a line may be cut off:
// what matters most comes first, what is usual is left out, and reasons that do not fit are
// below the line.
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

// oddities says what is odd about a hello that is not refused for it.
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
	return parts
}

// carriedIn says where a hello was, if that is not an IP packet in a frame.
func carriedIn(l *line) (parts []string) {
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
	names, first := make([]string, len(f.Flags)), uint32(requestMTLS)
	if p.style.only.set {
		first = uint32(p.style.only.flag)
	}
	for i, flag := range f.Flags {
		names[i] = p.flagText(flag)
		if p.brief() && flag.Value == first { // the others are more often cut off
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
