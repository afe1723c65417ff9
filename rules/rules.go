// Package rules checks which side may set which TLS flag in which handshake message.
//
// [Handshake.Check] checks the flags of a received message, [Handshake.Answer] chooses
// those to send. Both need the messages that were sent before, and nothing else. The rules
// are those of draft-ietf-tls-tlsflags-16 and of the documents that define the flags.
//
// The package does no I/O, so any TLS stack can use it.
package rules

import (
	"bytes"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/handshake"
)

const headerLen = 4 // extension_type, length of extension_data

// Handshake holds the messages that flags may answer, filled in by the caller. In the zero
// value no flag was offered.
type Handshake struct {
	// Registry knows the flags whose documents are to be enforced. A flag that it does
	// not know is subject to the rules of draft-ietf-tls-tlsflags alone.
	Registry extension.Registry
	// Hello is the extension block of the ClientHello.
	Hello extension.List
	// Request is the extension block of the CertificateRequest.
	Request extension.List
}

// Check returns the first rule that the TLS flags in a message violate. block is the
// extension block of a message of kind m that s sent. A Certificate is checked block by
// block, or by [Handshake.CheckMessage]; one without an entry has no block and no flags.
// In the order of checking,
//
//   - ErrFlagsMisplaced: tls_flags is not allowed in m;
//   - ErrFlagsUnrequested: m is an answer, and what it answers had no tls_flags, or not
//     under this code point (RFC 9846, Section 4.3). unsupported_extension is the alert;
//     illegal_parameter, after Section 3 of the draft, the alternative;
//   - the errors of [extension.ParseFlags]: the extension is malformed;
//   - ErrFlagUnsolicited: m is an answer, and what it answers did not have the flag;
//   - ErrFlagMisplaced: the flag is known, and its document does not allow it in m.
//
// ServerHello, HelloRetryRequest, EncryptedExtensions and the server's Certificate
// answer Hello; the client's Certificate answers Request and nothing else. Flags of a
// ClientHello, CertificateRequest or NewSessionTicket may be unsolicited: unknown ones
// are ignored there, unless the document of a known one makes it an answer. Nothing
// answers a NewSessionTicket.
//
// Two tls_flags extensions in one block are refused by [extension.ParseList]. If a block
// has both code points, TLSFlags is checked. Check does not allocate.
func (h Handshake) Check(m extension.MessageKind, s handshake.Sender, block extension.List) Violation {
	e, ok := block.FlagsExtension()
	if !ok {
		return Violation{}
	}
	offered, requested := h.offer(m, s, e.Type)
	return h.check(m, e, offered, requested)
}

// check checks the extension e of message m, which answers the flags offered, if any
// were requested.
func (h Handshake) check(m extension.MessageKind, e extension.Extension, offered extension.FlagSet, requested bool) Violation {
	start := e.Offset - headerLen
	if !carriers.Has(m) {
		return Violation{Code: extension.ErrFlagsMisplaced, Offset: start}
	}
	if !requested && answers.Has(m) {
		return Violation{Code: extension.ErrFlagsUnrequested, Offset: start}
	}
	flags, n, err := extension.ParseFlags(e.Data)
	if code, bad := err.(extension.Code); bad {
		return Violation{Code: code, Offset: e.Offset + n}
	}
	if answers.Has(m) {
		for f := range flags.All() {
			if !offered.Has(f) {
				return violation(extension.ErrFlagUnsolicited, f, e, "")
			}
		}
	}
	return h.checkDocuments(m, flags, offered, e)
}

// carriers are the messages that may have tls_flags, answers those whose flags answer
// the flags of another message.
var (
	carriers = extension.MessagesOf(extension.ClientHello, extension.ServerHello, extension.HelloRetryRequest,
		extension.EncryptedExtensions, extension.Certificate, extension.CertificateRequest, extension.NewSessionTicket)
	answers = extension.MessagesOf(extension.ServerHello, extension.HelloRetryRequest,
		extension.EncryptedExtensions, extension.Certificate)
)

// checkDocuments applies what the documents of the flags say.
func (h Handshake) checkDocuments(m extension.MessageKind, flags extension.Flags, offered extension.FlagSet, e extension.Extension) Violation {
	for info := range h.Registry.All() {
		if info.Unnumbered || info.Messages.IsEmpty() || !flags.Has(info.Number) {
			continue
		}
		switch {
		case !info.Messages.Has(m):
			return violation(extension.ErrFlagMisplaced, info.Number, e, info.Reference)
		case info.Answers.Has(m) && !offered.Has(info.Number):
			return violation(extension.ErrFlagUnsolicited, info.Number, e, info.Reference)
		}
	}
	return Violation{}
}

// answered returns the extension block that message m of sender s answers.
func (h Handshake) answered(m extension.MessageKind, s handshake.Sender) extension.List {
	if m == extension.Certificate && s == handshake.FromClient {
		return h.Request
	}
	return h.Hello
}

// offer returns the flags that message m of sender s answers, and whether what it
// answers has an extension of type t. A malformed offer has no flags.
func (h Handshake) offer(m extension.MessageKind, s handshake.Sender, t extension.Type) (extension.FlagSet, bool) {
	e, ok := h.answered(m, s).Lookup(t)
	if !ok {
		return extension.FlagSet{}, false
	}
	flags, _, err := extension.ParseFlags(e.Data)
	if err != nil {
		return extension.FlagSet{}, true
	}
	return flags.Set(), true
}

// CheckMessage checks every extension block of message m, and returns the first
// violation.
func (h Handshake) CheckMessage(s handshake.Sender, m handshake.Message) Violation {
	// A Certificate can have more than a million blocks, and what they answer thousands of
	// extensions: those are searched once for each type, so that the time stays linear.
	var offers [2]struct {
		known, requested bool
		flags            extension.FlagSet
	}
	for block := range m.Blocks() {
		e, ok := block.FlagsExtension()
		if !ok {
			continue
		}
		o := &offers[0]
		if e.Type == extension.TLSFlagsExperimental { //mutation:equivalent negated, it exchanges the two places
			o = &offers[1]
		}
		if !o.known {
			o.known = true //mutation:equivalent without it every block searches, which costs time
			o.flags, o.requested = h.offer(m.Kind(), s, e.Type)
		}
		if v := h.check(m.Kind(), e, o.flags, o.requested); !v.OK() {
			return v
		}
	}
	return Violation{}
}

// CheckSecondHello checks the ClientHello that follows a HelloRetryRequest. Its
// tls_flags extension is not among those that RFC 9846, Section 4.2.2 lets the client
// change, so it has to be byte for byte that of h.Hello, or absent like it; else
// ErrSecondHelloChanged. Otherwise CheckSecondHello returns the result of Check.
func (h Handshake) CheckSecondHello(second extension.List) Violation {
	for _, t := range [...]extension.Type{extension.TLSFlags, extension.TLSFlagsExperimental} {
		was, had := h.Hello.Lookup(t)
		is, has := second.Lookup(t)
		if had != has || !bytes.Equal(was.Data, is.Data) {
			return Violation{Code: extension.ErrSecondHelloChanged, Offset: max(is.Offset-headerLen, 0)}
		}
	}
	return h.Check(extension.ClientHello, handshake.FromClient, second) //mutation:equivalent only a Certificate has two senders
}
