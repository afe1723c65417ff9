package rules

import (
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/handshake"
)

// Answer returns the flags to set in message m, which s is about to send: those that
// were offered, that supported has, and that their documents let answer in m. A flag
// that the registry does not know is never answered, since only its document says in
// which message. If the set is empty the extension is left out. Messages that answer
// nothing have an empty set.
//
// A flag that answers in the CertificateRequest, such as request_mtls, belongs in
// supported only if the server sends the message because of the flag.
func (h Handshake) Answer(m extension.MessageKind, s handshake.Sender, supported extension.FlagSet) extension.FlagSet {
	e, ok := h.answered(m, s).FlagsExtension()
	if !ok {
		return extension.FlagSet{}
	}
	var set extension.FlagSet
	offered, _ := h.offer(m, s, e.Type)
	for info := range h.Registry.All() {
		if f := info.Number; !info.Unnumbered && info.Answers.Has(m) && offered.Has(f) && supported.Has(f) {
			_ = set.Add(f) // which offered has, so that it fits
		}
	}
	return set
}

// AppendAnswer appends the whole extension with the flags that Answer returns to b,
// under the code point of the offer, or nothing if there are none.
func (h Handshake) AppendAnswer(b []byte, m extension.MessageKind, s handshake.Sender, supported extension.FlagSet) []byte {
	e, ok := h.answered(m, s).FlagsExtension()
	if !ok {
		return b
	}
	// The empty set appends nothing, which is what is wanted.
	b, _ = h.Answer(m, s, supported).AppendExtension(b, e.Type)
	return b
}

// Agreed returns the flags that message m of sender s answers: offered, and set in
// block. If Check finds a violation it returns no flags and the violation.
func (h Handshake) Agreed(m extension.MessageKind, s handshake.Sender, block extension.List) (extension.FlagSet, Violation) {
	v := h.Check(m, s, block)
	e, ok := block.FlagsExtension()
	if !v.OK() || !ok || !answers.Has(m) && m != extension.CertificateRequest {
		return extension.FlagSet{}, v
	}
	flags, _, _ := extension.ParseFlags(e.Data)
	offered, _ := h.offer(m, s, e.Type)
	return flags.Set().Intersect(offered), Violation{}
}
