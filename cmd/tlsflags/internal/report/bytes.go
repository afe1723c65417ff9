package report

import (
	"fmt"
	"html/template"
	"slices"
	"strings"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/annotate"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/handshake"
	"github.com/tlsflags/tlsflags/rules"
)

// Bytes returns a table of the bytes of a message with their fields and meanings. It is cut
// after MaxMessage bytes of HTML.
func Bytes(kind annotate.Kind, message []byte) template.HTML {
	return bytesIn(MaxMessage, annotate.Explain(kind, message))
}

// bytesIn is Bytes of a table, with another limit.
func bytesIn(limit int, t annotate.Table) template.HTML {
	const end = "</table>"
	var b strings.Builder
	execute(&b, "bytes", nil)
	if c := t.Carrier; c != nil {
		execute(&b, "fault", faultText(c)+"; the offset is that in what carried the message")
	}
	var path []string
	rule := broken(t)
	for i, f := range t.Fields {
		row := strings.Builder{}
		var line fieldRow
		line, path = describe(f, path)
		execute(&row, "field", line)
		if f.Fault != nil {
			execute(&row, "fault", faultText(f.Fault))
		} else if !rule.OK() && f.Has(rule.Offset) {
			execute(&row, "fault", codeText("breaks a rule", rule.Code, rule.Offset))
		}
		if b.Len()+row.Len() > limit-cutSize {
			execute(&b, "fault", fmt.Sprintf("%d of %d fields are left out; tlsflags explain shows them", len(t.Fields)-i, len(t.Fields)))
			break
		}
		b.WriteString(row.String())
	}
	b.WriteString(end)
	return template.HTML(b.String()) // which html/template has escaped
}

// cutSize is room for the line that says what is left out, and the end of the table.
const cutSize = 200

type fieldRow struct {
	Offset  int
	Hex     string
	Field   string
	Depth   int
	Meaning string
}

// describe returns the row of a field. Of its path, the parts that the row above has too are
// not repeated; they indent it.
func describe(f annotate.Field, above []string) (fieldRow, []string) {
	const most, deepest = 32, 4 // bytes, parts
	shown := f.Bytes[:min(most, len(f.Bytes))]
	row := fieldRow{Offset: f.Offset, Hex: fmt.Sprintf("% x", shown), Meaning: clipTo(f.Meaning, 160)}
	if more := len(f.Bytes) - len(shown); more > 0 {
		row.Hex += fmt.Sprintf(" … and %d more", more)
	}
	path := strings.Split(f.Path, ".")
	common := 0
	for common < len(path)-1 && common < len(above) && path[common] == above[common] {
		common++
	}
	row.Field, row.Depth = strings.Join(path[common:], "."), min(common, deepest)
	return row, slices.Clone(path)
}

func faultText(f *annotate.Fault) string {
	what := "refused"
	if f.Extension {
		what = "malformed extension"
	}
	return codeText(what, f.Code, f.Offset)
}

func codeText(what string, c extension.Code, at int) string {
	return fmt.Sprintf("%s: %s at byte %d: %s; alert %s; %s", what, c.Name(), at,
		strings.TrimPrefix(c.Error(), "tlsflags: "), c.Alert(), c.Clause())
}

// broken returns the rule that the TLS flags of a ClientHello break, if it is not refused.
func broken(t annotate.Table) rules.Violation {
	if t.Message != extension.ClientHello || t.Refused != nil || t.Carrier != nil {
		return rules.Violation{}
	}
	return rules.Handshake{}.Check(t.Message, handshake.FromClient, t.Block)
}
