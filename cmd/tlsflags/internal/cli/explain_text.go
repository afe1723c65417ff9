package cli

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/fatih/color"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/annotate"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/paste"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/screen"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/rules"
)

// rowsPerLong is how many rows of a long field are shown without --full.
const rowsPerLong = 4

// explainStyle is how the text of explain looks.
type explainStyle struct {
	textStyle
	full    bool // all bytes of long fields
	clauses bool
}

// writeText writes the tree of fields, with their bytes beside them.
func (e explanation) writeText(w io.Writer, style explainStyle) error {
	p := explainPrinter{explainStyle: style, bytesPerRow: 16}
	if style.width > 0 && style.width < 100 {
		p.bytesPerRow = 8
	}
	p.fill("", "", e.title()...)
	if e.carried != "" {
		p.fill("", "", e.carried)
	}
	if !e.verdict.OK() && !e.bodyVerdict() {
		p.broken = &e.verdict
	}
	read, rest := e.split()
	for _, f := range read {
		p.field(f)
		if f.Fault != nil {
			p.fault(f)
		} else if p.breaks(f) {
			p.below(p.broken.Code.Name()+":", messageOf(p.broken.Code))
		}
	}
	if c := e.table.Carrier; c != nil {
		p.fillPainted([]color.Attribute{color.FgRed, color.Bold}, "", "  ", fmt.Sprintf("refused: %s at byte %d of %s:", c.Code.Name(), c.Offset, e.carrier()),
			messageOf(c.Code)+";", alertText(c.Code)+";", c.Code.Clause())
	} else {
		p.fill("", "", e.summary())
	}
	if len(e.doubts) > 0 {
		p.fillPainted([]color.Attribute{color.FgYellow}, "", "  ", e.doubts...)
	}
	if v := p.broken; v != nil {
		p.fillPainted([]color.Attribute{color.FgRed}, "", "  ", verdictText(*v)...)
	}
	for _, f := range rest {
		p.field(f)
	}
	_, err := io.WriteString(w, p.b.String())
	return err
}

// title says what the tree is about, in parts.
func (e explanation) title() []string {
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
	text := fmt.Sprintf("%s, %s", what, count(lengthOf(read), "byte"))
	if e.records.count > 0 {
		text += fmt.Sprintf(" from %s of %s", count(e.records.count, e.records.what), count(e.records.bytes, "byte"))
	}
	parts := []string{source + ":", text}
	if e.added > 0 {
		parts = append(parts, fmt.Sprintf("(the first %d, the handshake header, were added)", e.added))
	}
	if n := lengthOf(rest); n > 0 {
		parts = append(parts, "("+count(n, "byte")+" after it not read)")
	}
	return parts
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
	case !e.verdict.OK() && !e.bodyVerdict():
		return "accepted, but its flags break a rule"
	case len(e.table.Bodies) > 0:
		return "accepted, with " + count(len(e.table.Bodies)+e.table.More, "malformed extension")
	}
	return "accepted"
}

const datagramCarrier = "the datagram"

// carrier says where the offset of a fault of the carrier counts from.
func (e explanation) carrier() string {
	if e.records.what == "DTLS record" || e.records.what == "QUIC packet" {
		return datagramCarrier
	}
	return "the stream"
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

// verdictText says which rule is broken, in parts.
func verdictText(v rules.Violation) []string {
	text := fmt.Sprintf("%s at byte %d", v.Code.Name(), v.Offset)
	if f, ok := v.Flag(); ok {
		text = v.Code.Name() + ", flag " + flagName(f)
	}
	return []string{"rules: " + text + ":", messageOf(v.Code) + ";", alertText(v.Code) + ";", v.Clause()}
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

// explainPrinter lays the tree out.
type explainPrinter struct {
	explainStyle
	bytesPerRow int
	tree        tree
	clause      string           // of the fields above
	broken      *rules.Violation // or nil
	b           strings.Builder
}

// fill writes parts in as few lines as they fit; indent is before those after the first.
func (p *explainPrinter) fill(first, indent string, parts ...string) {
	p.fillPainted(nil, first, indent, parts...)
}

func (p *explainPrinter) fillPainted(paint []color.Attribute, first, indent string, parts ...string) {
	parts[0] = first + parts[0]
	for line := range strings.SplitSeq(screen.Fill(parts, " ", indent, p.width), "\n") {
		if paint != nil {
			line = p.paint(line, paint...)
		}
		p.b.WriteString(line + "\n")
	}
}

func (p *explainPrinter) field(f annotate.Field) {
	mark, paint := " ", color.Reset
	switch {
	case f.Fault != nil || p.breaks(f):
		mark, paint = ">", color.FgRed
	case f.Path == "":
		paint = color.Faint
	}
	text := p.tree.add(f.Path, printable(f.Meaning))
	if f.Path == "" {
		text = printable(f.Meaning)
	}
	if p.clauses && f.Clause != "" && f.Clause != p.clause {
		p.row(p.beside(" ", "", nil, "("+f.Clause+")"), color.Faint)
		p.clause = f.Clause
	}
	shown := f.Bytes
	if long := 16 * rowsPerLong; !p.full && len(shown) > long {
		shown = shown[:long]
	}
	first := shown[:min(len(shown), p.bytesPerRow)]
	p.row(p.beside(mark, strconv.Itoa(f.Offset), first, text), paint)
	for at := p.bytesPerRow; at < len(shown); at += p.bytesPerRow {
		p.row(p.beside(mark, strconv.Itoa(f.Offset+at), shown[at:min(at+p.bytesPerRow, len(shown))], ""), paint)
	}
	if rest := len(f.Bytes) - len(shown); rest > 0 {
		p.row(fmt.Sprintf("%s        ... and %s", mark, count(rest, "byte")), paint)
	}
}

// beside returns a row: an offset, bytes, and what they are.
func (p *explainPrinter) beside(mark, offset string, bytes []byte, text string) string {
	return fmt.Sprintf("%s%6s  %-*s  %s", mark, offset, 3*p.bytesPerRow-1, fmt.Sprintf("% x", bytes), text)
}

func (p *explainPrinter) row(text string, paint color.Attribute) {
	text = screen.Cut(strings.TrimRight(text, " "), p.width)
	if paint != color.Reset {
		text = p.paint(text, paint)
	}
	p.b.WriteString(text + "\n")
}

// fault tells what is wrong with the field above.
func (p *explainPrinter) fault(f annotate.Field) {
	what := "refused"
	if f.Fault.Extension {
		what = "malformed extension"
	}
	c := f.Fault.Code
	p.below(fmt.Sprintf("%s: %s at byte %d:", what, c.Name(), f.Fault.Offset), messageOf(c)+";", alertText(c)+";", c.Clause())
}

// below says what is wrong with the field above.
func (p *explainPrinter) below(parts ...string) {
	p.fillPainted([]color.Attribute{color.FgRed, color.Bold}, ">         ^ ", ">           ", parts...)
}

// breaks reports whether a field breaks a rule.
func (p *explainPrinter) breaks(f annotate.Field) bool {
	return p.broken != nil && f.Has(p.broken.Offset)
}

// tree says how deep a field is, and what it is called there. A field whose length or type was
// shown is a node; what is in it is indented below it.
type tree struct {
	nodes []string // paths, from the outermost one on
}

// add returns the line of a field without its bytes.
func (t *tree) add(path, meaning string) string {
	node, opens := path, false
	if rest, ok := strings.CutSuffix(path, ".length"); ok {
		node, opens = rest, true
	} else if rest, ok := strings.CutSuffix(path, ".extension_type"); ok {
		node, opens = rest, true
	}
	for len(t.nodes) > 0 && !inside(node, t.nodes[len(t.nodes)-1]) {
		t.nodes = t.nodes[:len(t.nodes)-1]
	}
	depth, label := len(t.nodes), node
	if depth > 0 {
		label = strings.TrimPrefix(node[len(t.nodes[depth-1]):], ".")
	}
	if opens {
		t.nodes = append(t.nodes, node)
	}
	text := label
	switch {
	case label == "" || meaning == "":
		text += meaning
	case strings.HasSuffix(label, "]"):
		text += " " + meaning
	default:
		text += ": " + meaning
	}
	return strings.Repeat("  ", depth) + text
}

// inside reports whether a field is a node or in it.
func inside(path, node string) bool {
	rest, ok := strings.CutPrefix(path, node)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}
