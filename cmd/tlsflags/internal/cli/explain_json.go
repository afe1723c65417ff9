package cli

import (
	"cmp"
	"encoding/hex"
	"io"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/annotate"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/codepoint"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/rules"
)

const explainSchema = "tlsflags.explain/1"

// explainDocument is an object of tlsflags.explain/1.
type explainDocument struct {
	Schema  string      `json:"schema"`
	Source  string      `json:"source"`
	Kind    string      `json:"kind"`
	Message optional    `json:"message"`
	Length  int         `json:"length"`
	Records int         `json:"records"`
	Fields  []fieldInfo `json:"fields"`
	Error   *faultInfo  `json:"error"`
	Bodies  []faultInfo `json:"malformed_extensions"`
	Verdict *rulesInfo  `json:"verdict"`
	Added   int         `json:"added"`
	Hello   *int        `json:"hello"`
	Frames  []int       `json:"frames"` // nil if it is from no capture
}

type fieldInfo struct {
	Offset    int      `json:"offset"`
	Length    int      `json:"length"`
	Bytes     string   `json:"bytes"`
	Field     optional `json:"field"`
	Meaning   optional `json:"meaning"`
	Clause    optional `json:"clause"`
	Offending bool     `json:"offending"`
}

type faultInfo struct {
	refuseInfo
	Alternative *codePoint `json:"alternative"`
	Clause      string     `json:"clause"`
	Field       optional   `json:"field"`
}

func (e explanation) writeJSON(w io.Writer) error {
	d := explainDocument{
		Schema:  explainSchema,
		Source:  e.input.source,
		Kind:    e.table.Kind.String(),
		Records: e.records.count,
		Fields:  []fieldInfo{},
		Added:   e.added,
		Frames:  e.frames,
		Bodies:  []faultInfo{},
	}
	if e.hello > 0 {
		d.Hello = &e.hello
	}
	if e.table.Message != 0 {
		d.Message = optional(e.table.Message.String())
	}
	for _, f := range e.table.Fields {
		d.Length += len(f.Bytes)
		d.Fields = append(d.Fields, fieldInfo{
			f.Offset, len(f.Bytes), hex.EncodeToString(f.Bytes), optional(f.Path), optional(f.Meaning), optional(f.Clause), f.Fault != nil,
		})
	}
	if fault := cmp.Or(e.table.Refused, e.table.Carrier); fault != nil {
		d.Error = new(faultOf(*fault))
	}
	for _, f := range e.table.Bodies {
		d.Bodies = append(d.Bodies, faultOf(f))
	}
	if v := e.verdict; !v.OK() {
		d.Verdict = describeVerdict(v)
	}
	return writeJSON(w, d)
}

func faultOf(f annotate.Fault) faultInfo {
	return faultInfo{*refuse(f.Code, f.Offset), alternativeOf(f.Code), f.Code.Clause(), optional(f.Path)}
}

func alternativeOf(c extension.Code) *codePoint {
	if alert, ok := c.AlternativeAlert(); ok {
		return new(codepoint.Of(alert, alert.String()))
	}
	return nil
}

func describeVerdict(v rules.Violation) *rulesInfo {
	info := &rulesInfo{refuseInfo: *refuse(v.Code, v.Offset), Alternative: alternativeOf(v.Code), Clause: v.Clause()}
	if f, ok := v.Flag(); ok {
		info.Flag = new(codepoint.Of(f, f.Name()))
	}
	return info
}
