package cli

import (
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"github.com/fatih/color"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/annotate"
)

const (
	bytesPerRow = 16
	rowsPerLong = 4 // of a long field without --full
)

// writeText writes the byte table.
func (e explanation) writeText(w io.Writer, colored, full bool) error {
	p := explainPrinter{textPrinter: textPrinter{style: textStyle{color: colored}}, full: full}
	p.measure(e.table.Fields)
	fmt.Fprintf(&p.b, "%s\n", e.title())
	for _, f := range e.table.Fields {
		p.field(f)
		if f.Fault != nil {
			p.fault(f)
		}
	}
	p.line(e.summary())
	if v := e.verdict; !v.OK() && !e.bodyVerdict() {
		p.line(p.paint("rules: "+verdictText(v), color.FgRed))
	}
	_, err := io.WriteString(w, p.b.String())
	return err
}

// title says what the table is about.
func (e explanation) title() string {
	what := e.table.Kind.String()
	if e.table.Message != 0 {
		what = e.table.Message.String()
	}
	length := 0
	for _, f := range e.table.Fields {
		length += len(f.Bytes)
	}
	text := fmt.Sprintf("%s: %s, %s", printable(e.source), what, count(length, "byte"))
	if e.records > 0 {
		text += " from " + count(e.records, "TLS record")
	}
	return text
}

// summary is the last line: accepted, or why not.
func (e explanation) summary() string {
	switch {
	case e.table.Refused != nil:
		return "refused"
	case len(e.table.Bodies) > 0:
		return "accepted, with " + count(len(e.table.Bodies), "malformed extension")
	}
	return "accepted"
}

// bodyVerdict reports whether the verdict of the rules repeats a fault of the table.
func (e explanation) bodyVerdict() bool {
	for _, f := range e.table.Bodies {
		if f.Code == e.verdict.Code && f.Offset == e.verdict.Offset {
			return true
		}
	}
	return false
}

func verdictText(v extension.Verdict) string {
	text := fmt.Sprintf("%s at byte %d", v.Code.Name(), v.Offset)
	if f, ok := v.Flag(); ok {
		text = v.Code.Name() + ", flag " + flagName(f)
	}
	return fmt.Sprintf("%s: %s; %s; %s", text, messageOf(v.Code), alertText(v.Code), v.Clause())
}

// messageOf is the message of a code without the name of the program.
func messageOf(c extension.Code) string { return strings.TrimPrefix(c.Error(), "tlsflags: ") }

func alertText(c extension.Code) string {
	text := "alert " + c.Alert().String()
	if alternative, ok := c.Alternative(); ok {
		text += " (or " + alternative.String() + ")"
	}
	return text
}

// explainPrinter lays the table out.
type explainPrinter struct {
	textPrinter
	full          bool
	path, meaning int // widths
}

// measure makes the columns as wide as what they hold, within reason.
func (p *explainPrinter) measure(fields []annotate.Field) {
	const widest = 60
	for _, f := range fields {
		p.path = max(p.path, min(len(f.Path), widest))
		p.meaning = max(p.meaning, min(len(f.Meaning), widest))
	}
}

func (p *explainPrinter) line(text string) { fmt.Fprintf(&p.b, "%s\n", text) }

func (p *explainPrinter) field(f annotate.Field) {
	mark, paint := " ", color.Reset
	switch {
	case f.Fault != nil:
		mark, paint = ">", color.FgRed
	case f.Path == "":
		paint = color.Faint
	}
	shown := f.Bytes
	if long := bytesPerRow * rowsPerLong; !p.full && len(shown) > long {
		shown = shown[:long]
	}
	first := shown[:min(len(shown), bytesPerRow)]
	row := fmt.Sprintf("%s%6d  %-*s  %-*s  %-*s  %s", mark, f.Offset, 3*bytesPerRow-1, spaced(first), p.path, f.Path, p.meaning, printable(f.Meaning), f.Clause)
	p.row(row, paint)
	for at := bytesPerRow; at < len(shown); at += bytesPerRow {
		p.row(fmt.Sprintf("%s%6d  %s", mark, f.Offset+at, spaced(shown[at:min(at+bytesPerRow, len(shown))])), paint)
	}
	if rest := len(f.Bytes) - len(shown); rest > 0 {
		p.row(fmt.Sprintf("%s        ... and %s", mark, count(rest, "byte")), paint)
	}
}

func (p *explainPrinter) row(text string, paint color.Attribute) {
	text = strings.TrimRight(text, " ")
	if paint != color.Reset {
		text = p.paint(text, paint)
	}
	p.line(text)
}

// fault tells what is wrong with the field above.
func (p *explainPrinter) fault(f annotate.Field) {
	what := "refused"
	if f.Fault.Extension {
		what = "malformed extension"
	}
	c := f.Fault.Code
	p.line(p.paint(fmt.Sprintf(">         ^ %s: %s at byte %d: %s; %s; %s", what, c.Name(), f.Fault.Offset, messageOf(c), alertText(c), c.Clause()), color.FgRed, color.Bold))
}

// spaced writes bytes in hexadecimal, a space between them.
func spaced(b []byte) string {
	var s strings.Builder
	for i := range b {
		if i > 0 {
			s.WriteByte(' ')
		}
		s.WriteString(hex.EncodeToString(b[i : i+1]))
	}
	return s.String()
}
