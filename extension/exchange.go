package extension

import (
	"bytes"
	"math/bits"
	"strconv"
)

// Sender is the side that sent a message. Only a Certificate can come from both.
type Sender uint8

// The two sides. The zero value suits every message but ClientHello and the client's
// Certificate.
const (
	FromServer Sender = iota
	FromClient
)

// Exchange is what one handshake has proposed so far, and the rules that apply to it.
// It judges and makes the messages that follow, without any state of its own: the
// caller fills in what it has sent or seen. The zero value has proposed nothing and
// follows the newest draft.
type Exchange struct {
	// Draft is the version of draft-ietf-tls-tlsflags to go by.
	Draft Draft
	// Registry knows the flags whose documents are to be enforced. A flag that it does
	// not know is subject to the rules of draft-ietf-tls-tlsflags alone.
	Registry Registry
	// Hello is the extension block of the ClientHello.
	Hello List
	// Request is the extension block of the CertificateRequest.
	Request List
}

// Verdict is what the rules say about one message. The zero value has no objection.
type Verdict struct {
	// Code is the rule that was broken, or 0.
	Code Code
	// Offset is where in the message the offending bytes begin: the extension or, where
	// one flag offends, the octet that holds it. Bytes that are missing have offset 0.
	Offset int

	flag    Flag
	hasFlag bool
	clause  string
}

// OK reports whether the rules have no objection.
func (v Verdict) OK() bool { return v.Code == 0 }

// Alert returns the alert that the receiver of the message sends. It is only
// meaningful where OK is false.
func (v Verdict) Alert() Alert { return v.Code.Alert() }

// Alternative returns the alert that another reading of the standards gives, and
// whether there is one.
func (v Verdict) Alternative() (Alert, bool) { return v.Code.Alternative() }

// Clause names the document and section that was broken, in the version of the draft
// that was asked for; "" where OK is true.
func (v Verdict) Clause() string {
	if v.clause != "" {
		return v.clause
	}
	return v.Code.Clause()
}

// Flag returns the offending flag, the lowest where several offend, and whether the
// objection is against a flag and not the extension.
func (v Verdict) Flag() (Flag, bool) { return v.flag, v.hasFlag }

// String returns the verdict as one line of text: "accepted" where OK is true. It
// allocates.
func (v Verdict) String() string {
	if v.OK() {
		return "accepted"
	}
	where := "byte " + strconv.Itoa(v.Offset)
	if v.hasFlag {
		where += " (" + v.flag.String() + ")"
	}
	return where + ": " + v.Code.Error()[len(prefix):] + "; alert " + v.Alert().String() + "; " + v.Clause()
}

// Judge says what the receiver of a message has to hold against the TLS flags in it:
// block is the extension block of a message m that s sent. A Certificate is judged
// block by block, or by [Exchange.JudgeMessage]; without an entry it has no block and
// no flags. In the order of looking,
//
//   - ErrFlagsMisplaced: the draft does not allow tls_flags in m;
//   - ErrFlagsUnrequested: m is an answer, and what it answers had no tls_flags, or not
//     under this code point (RFC 9846, Section 4.3). unsupported_extension is the alert;
//     illegal_parameter, after Section 3 of the draft, the alternative;
//   - the errors of [ParseFlagsDraft]: the extension is malformed;
//   - ErrFlagUnsolicited: m is an answer, and what it answers did not have the flag;
//   - ErrFlagMisplaced: the flag is known, and its document does not allow it in m.
//
// ServerHello, HelloRetryRequest, EncryptedExtensions and the server's Certificate
// answer Hello; the client's Certificate answers Request and nothing else. Flags of a
// ClientHello, CertificateRequest or NewSessionTicket may be unsolicited: unknown ones
// are ignored there, unless the document of a known one makes it an answer. Nothing
// answers a NewSessionTicket.
//
// Two tls_flags extensions in one block are refused by [ParseList]. Where a block has
// both code points, TLSFlags is judged. Judge does not allocate.
func (x Exchange) Judge(m Message, s Sender, block List) Verdict {
	e, ok := block.FlagsExtension()
	if !ok {
		return Verdict{}
	}
	proposed, requested := x.proposal(m, s, e.Type)
	return x.judge(m, e, proposed, requested)
}

// judge judges the extension e of message m, which answers the flags proposed, if any
// were requested.
func (x Exchange) judge(m Message, e Extension, proposed FlagSet, requested bool) Verdict {
	start := e.Offset - headerLen
	if !x.Draft.messages().Has(m) {
		return Verdict{Code: ErrFlagsMisplaced, Offset: start}
	}
	if !requested && answers.Has(m) {
		return Verdict{Code: ErrFlagsUnrequested, Offset: start}
	}
	flags, n, err := ParseFlagsDraft(x.Draft, e.Data)
	if code, bad := err.(Code); bad {
		return Verdict{Code: code, Offset: e.Offset + n}
	}
	if answers.Has(m) && !x.Draft.unsolicitedAnswers().Has(m) {
		for f := range flags.All() {
			if !proposed.Has(f) {
				return x.object(ErrFlagUnsolicited, f, e, x.Draft.rules())
			}
		}
	}
	return x.judgeDocuments(m, flags, proposed, e)
}

// answers are the messages whose flags answer those of another.
const answers MessageSet = 1<<ServerHello | 1<<HelloRetryRequest | 1<<EncryptedExtensions | 1<<Certificate

// judgeDocuments applies what the documents of the flags say.
func (x Exchange) judgeDocuments(m Message, flags, proposed FlagSet, e Extension) Verdict {
	table := x.Registry.table()
	for i := range table {
		info := &table[i]
		if info.Unnumbered || info.Messages == 0 || !flags.Has(info.Number) {
			continue
		}
		switch {
		case !info.Messages.Has(m):
			return x.object(ErrFlagMisplaced, info.Number, e, info.Reference)
		case info.Answers.Has(m) && !proposed.Has(info.Number):
			return x.object(ErrFlagUnsolicited, info.Number, e, info.Reference)
		}
	}
	return Verdict{}
}

// object returns the verdict against flag f in extension e.
func (x Exchange) object(code Code, f Flag, e Extension, clause string) Verdict {
	return Verdict{Code: code, Offset: e.Offset + 1 + int(f>>3), flag: f, hasFlag: true, clause: clause}
}

// proposal returns the flags that message m of sender s answers, and whether what it
// answers has an extension of type t. A malformed proposal has no flags.
func (x Exchange) proposal(m Message, s Sender, t Type) (FlagSet, bool) {
	block := x.Hello
	if m == Certificate && s == FromClient {
		block = x.Request
	}
	e, ok := block.Lookup(t)
	if !ok {
		return FlagSet{}, false
	}
	flags, _, err := ParseFlagsDraft(x.Draft, e.Data)
	if err != nil {
		return FlagSet{}, true
	}
	return flags, true
}

// JudgeMessage judges every extension block of message m, and returns the first
// objection.
func (x Exchange) JudgeMessage(s Sender, m HandshakeMessage) Verdict {
	// A Certificate can have more than a million blocks, and what they answer thousands of
	// extensions: those are searched once for each type, so that the time stays linear.
	var proposals [2]struct {
		known, requested bool
		flags            FlagSet
	}
	for block := range m.Blocks() {
		e, ok := block.FlagsExtension()
		if !ok {
			continue
		}
		p := &proposals[0]
		if e.Type == TLSFlagsExperimental {
			p = &proposals[1]
		}
		if !p.known {
			p.known = true
			p.flags, p.requested = x.proposal(m.Message(), s, e.Type)
		}
		if v := x.judge(m.Message(), e, p.flags, p.requested); !v.OK() {
			return v
		}
	}
	return Verdict{}
}

// JudgeSecondHello judges the ClientHello that follows a HelloRetryRequest. Its
// tls_flags extension is not among those that RFC 9846, Section 4.2.2 lets the client
// change, so it has to be byte for byte that of x.Hello, or absent like it; else
// ErrSecondHelloChanged. Then Judge has its say.
func (x Exchange) JudgeSecondHello(second List) Verdict {
	for _, t := range [...]Type{TLSFlags, TLSFlagsExperimental} {
		was, had := x.Hello.Lookup(t)
		is, has := second.Lookup(t)
		if had != has || !bytes.Equal(was.Data, is.Data) {
			return Verdict{Code: ErrSecondHelloChanged, Offset: max(is.Offset-headerLen, 0)}
		}
	}
	return x.Judge(ClientHello, FromClient, second)
}

// Answer returns the flags to set in message m, which s is about to send: those that
// were proposed, that supported has, and that their documents let answer in m. A flag
// that the registry does not know is never answered, since only its document says where.
// Where the set is empty the extension is left out. Messages that answer nothing have
// an empty set.
//
// A flag that answers in the CertificateRequest, such as request_mtls, belongs in
// supported only where the server sends the message because of the flag.
func (x Exchange) Answer(m Message, s Sender, supported FlagSet) FlagSet {
	var set FlagSet
	if !x.Draft.messages().Has(m) {
		return set
	}
	e, ok := x.proposalExtension(m, s)
	if !ok {
		return set
	}
	proposed, _ := x.proposal(m, s, e.Type)
	table := x.Registry.table()
	for i := range table {
		info := &table[i]
		f := info.Number
		// A proposal of -00 has at most 31 octets, so that the answer fits as well.
		if !info.Unnumbered && info.Answers.Has(m) && proposed.Has(f) && supported.Has(f) {
			set.octets[f>>3] |= 1 << (f & 7)
		}
	}
	return set
}

// proposalExtension returns the tls_flags extension that message m of s answers.
func (x Exchange) proposalExtension(m Message, s Sender) (Extension, bool) {
	if m == Certificate && s == FromClient {
		return x.Request.FlagsExtension()
	}
	return x.Hello.FlagsExtension()
}

// AppendAnswer appends the whole extension with the flags that Answer returns to b,
// under the code point of the proposal, or nothing where there are none.
func (x Exchange) AppendAnswer(b []byte, m Message, s Sender, supported FlagSet) []byte {
	set := x.Answer(m, s, supported)
	e, ok := x.proposalExtension(m, s)
	if !ok {
		return b
	}
	start := len(b)
	// The empty set appends nothing, which is what is wanted.
	b, _ = set.AppendExtension(b, e.Type)
	if x.Draft == Draft00 && len(b) > start {
		octets := b[start+headerLen+1:]
		for i, o := range octets {
			octets[i] = bits.Reverse8(o)
		}
	}
	return b
}

// Agreed returns the flags that message m of sender s answers: proposed, and set in
// block. Where Judge objects it returns no flags and the verdict.
func (x Exchange) Agreed(m Message, s Sender, block List) (FlagSet, Verdict) {
	v := x.Judge(m, s, block)
	e, ok := block.FlagsExtension()
	if !v.OK() || !ok {
		return FlagSet{}, v
	}
	flags, _, _ := ParseFlagsDraft(x.Draft, e.Data)
	if answers.Has(m) || m == CertificateRequest {
		proposed, _ := x.proposal(m, s, e.Type)
		for i := range flags.octets {
			flags.octets[i] &= proposed.octets[i]
		}
		return flags, v
	}
	return FlagSet{}, v
}
