package cli

import (
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"github.com/fatih/color"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/annotate"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/paste"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/rules"
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
	read, rest := e.split()
	for _, f := range read {
		p.field(f)
		if f.Fault != nil {
			p.fault(f)
		}
	}
	p.line(e.summary())
	if v := e.verdict; !v.OK() && !e.bodyVerdict() {
		p.line(p.paint("rules: "+verdictText(v), color.FgRed))
	}
	for _, f := range rest {
		p.field(f)
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
	read, rest := e.split()
	source := printable(e.input.source)
	if form := e.input.form; form != "" && form != paste.Hexadecimal {
		source += ", read as " + form // an argument may have been meant as the name of a file
	}
	if e.hello > 0 {
		source += e.inCapture()
	}
	text := fmt.Sprintf("%s: %s, %s", source, what, count(lengthOf(read), "byte"))
	if e.records.count > 0 {
		text += fmt.Sprintf(" from %s of %s", count(e.records.count, "TLS record"), count(e.records.bytes, "byte"))
	}
	if e.added > 0 {
		text += fmt.Sprintf(", of which the first %d, the handshake header, were added", e.added)
	}
	if n := lengthOf(rest); n > 0 {
		text += "; " + count(n, "byte") + " after it not read"
	}
	return text
}

// split returns the fields that the summary is about, and what follows what was accepted.
func (e explanation) split() (read, rest []annotate.Field) {
	fields := e.table.Fields
	if last := len(fields) - 1; last >= 0 && fields[last].Path == "" && e.table.Refused == nil {
		return fields[:last], fields[last:]
	}
	return fields, nil
}

func lengthOf(fields []annotate.Field) int {
	n := 0
	for _, f := range fields {
		n += len(f.Bytes)
	}
	return n
}

// summary says in a line what became of the fields above it.
func (e explanation) summary() string {
	switch {
	case e.table.Refused != nil:
		return "refused"
	case len(e.table.Bodies) > 0:
		return "accepted, with " + count(len(e.table.Bodies)+e.table.More, "malformed extension")
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

func verdictText(v rules.Violation) string {
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
	if alternative, ok := c.AlternativeAlert(); ok {
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
