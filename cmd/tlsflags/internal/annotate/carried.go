package annotate

import (
	"slices"

	"github.com/tlsflags/tlsflags/extension"
)

// ExplainCarried annotates the message of a hello that was refused with a code at an offset of
// what carried it, such as TLS records: Carrier then is the fault, and the message is explained
// as far as it arrived. Without a code, or if the message itself is refused with that code, the
// result is that of Explain.
func ExplainCarried(kind Kind, data []byte, code extension.Code, offset int) Table {
	fault := &Fault{Code: code, Offset: offset}
	if code == extension.ErrSSLv2Hello {
		const clause = "RFC 5246, Appendix E.2"
		hello := Field{Bytes: data, Path: "sslv2_hello", Meaning: "not read", Clause: clause}
		return Table{Kind: kind, Message: extension.ClientHello, Fields: []Field{hello}, Carrier: fault}
	}
	t := Explain(kind, data)
	if code == 0 || t.Refused != nil && t.Refused.Code == code {
		return t
	}
	t.Carrier, t.Refused, t.Block = fault, nil, extension.List{}
	for i := range t.Fields {
		if f := &t.Fields[i]; f.Fault != nil && !f.Fault.Extension {
			f.Fault = nil
		}
	}
	t.Fields = slices.DeleteFunc(t.Fields, func(f Field) bool { return len(f.Bytes) == 0 }) // what was missing
	return t
}
