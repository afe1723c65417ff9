package main

import (
	"strings"

	"golang.org/x/crypto/cryptobyte"

	"github.com/tlsflags/tlsflags/vectors"
)

var messages = kind{
	kind:   vectors.Messages,
	entry:  vectors.Handshake,
	spec:   []string{"draft-ietf-tls-tlsflags-16", "draft-jhoyla-req-mtls-flag (editors' copy of June 2025)", "RFC 9846"},
	groups: messagesGroups,
}

var messagesGroups = []group{
	{"answers", "Flags that answer those of the ClientHello, or in a client's Certificate those of the CertificateRequest.", flagsSection3, func(g *list) {
		for _, c := range responses() {
			id := "messages/answer/" + c.slug()
			g.add(
				c.accepts(id+"/same", "The flag that was proposed.", one(flagsExt(100)), one(flagsExt(100)), extFlags, 100),
				c.accepts(id+"/some", "One of three flags that were proposed.", one(flagsExt(0, 100, 2039)), one(flagsExt(100)), extFlags, 100),
				c.accepts(id+"/all", "All of three flags.", one(flagsExt(0, 100, 2039)), one(flagsExt(0, 100, 2039)), extFlags, 0, 100, 2039),
				c.accepts(id+"/none", "No answer: that is up to the document of a flag.", one(flagsExt(100)), nil, 0),
				c.accepts(id+"/nothing-proposed", "Nothing was proposed, and nothing is answered.", nil, nil, 0),
				c.accepts(id+"/experimental", "Under the experimental type, in both messages.", one(flagsExperiment(100)), one(flagsExperiment(100)), extFlagsExperiment, 100),
			)
		}
	}},
	{"unasked", "Flags in messages in which they are requests, or answered by nobody. Unknown ones are ignored.", flagsSection3, func(g *list) {
		for _, c := range requests() {
			id := "messages/unasked/" + c.slug()
			g.add(
				c.accepts(id+"/one", "A flag that the ClientHello does not have.", one(flagsExt(7)), one(flagsExt(100)), extFlags, 100),
				c.accepts(id+"/no-offer", "The ClientHello has no tls_flags.", nil, one(flagsExt(100)), extFlags, 100),
				c.accepts(id+"/unknown", "Flags that nobody knows.", nil, one(flagsExt(1, 31, 100, 2039)), extFlags, 1, 31, 100, 2039),
				c.accepts(id+"/none", "No flags.", one(flagsExt(100)), nil, 0),
				c.accepts(id+"/experimental", "Under the experimental type.", nil, one(flagsExperiment(100)), extFlagsExperiment, 100),
			)
		}
	}},
	{"unsolicited", "An answer has a flag that was not proposed. The offset is that of the octet with the lowest such flag.", flagsSection3, func(g *list) {
		for _, c := range responses() {
			id := "messages/unsolicited/" + c.slug()
			g.add(
				c.refuses(id+"/other", "Another flag than the one proposed.", one(flagsExt(100)), one(flagsExt(101)), "flag_unsolicited", 4+1+12, "unsolicited"),
				c.refuses(id+"/one-more", "The flag that was proposed, and one more.", one(flagsExt(100)), one(flagsExt(100, 2039)), "flag_unsolicited", 4+1+254, "unsolicited"),
				c.refuses(id+"/lowest", "Two flags more; the lower one counts.", one(flagsExt(100)), one(flagsExt(17, 100, 104)), "flag_unsolicited", 4+1+2, "unsolicited"),
			)
		}
		c := responses()[4]
		g.add(afterHello(c.refuses("messages/unsolicited/client-certificate/of-client-hello", "The client answers its own ClientHello: a Certificate answers the CertificateRequest.",
			one(flagsExt(7)), one(flagsExt(100)), "flag_unsolicited", 4+1+12, "unsolicited"), 100))
	}},
	{"unrequested", "An answer has tls_flags, but what it answers had none. The offset is that of the extension.", "RFC 9846, Section 4.3", func(g *list) {
		for _, c := range responses() {
			id := "messages/unrequested/" + c.slug()
			g.add(
				c.refuses(id+"/registered", "Type 62.", nil, one(flagsExt(100)), "flags_unrequested", 0, "unrequested"),
				c.refuses(id+"/experimental", "Type 0xfe01.", nil, one(flagsExperiment(100)), "flags_unrequested", 0, "unrequested", "experimental_type"),
				c.refuses(id+"/other-type", "Proposed under type 62, answered under 0xfe01.", one(flagsExt(100)), one(flagsExperiment(100)), "flags_unrequested", 0, "unrequested", "experimental_type"),
			)
		}
		c := responses()[4]
		g.add(afterHello(c.refuses("messages/unrequested/client-certificate/hello-had-them", "The ClientHello has tls_flags; the CertificateRequest has none.",
			nil, one(flagsExt(100)), "flags_unrequested", 0, "unrequested"), 100))
	}},
	{"known", "resumption_across_names (8) belongs in NewSessionTicket; request_mtls (80) in ClientHello and, as the answer, in CertificateRequest.", "draft-ietf-tls-tlsflags-16, Section 4", func(g *list) {
		const ticket, request = "draft-ietf-tls-tlsflags-16, Section 4", "draft-jhoyla-req-mtls-flag, Section 3"
		clause := func(t vectors.Test, clause string) vectors.Test {
			a := *t.Alert
			a.Clause = clause
			t.Alert = &a
			return t
		}
		for _, c := range responses() {
			id := "messages/known/" + c.slug()
			if c.sender == "client" {
				// The CertificateRequest could only have the flag as an answer.
				g.add(clause(afterHello(c.refuses(id+"/request-mtls", "request_mtls, though the CertificateRequest has it.", one(flagsExt(80)), one(flagsExt(80)), "flag_misplaced", 4+1+10, "known_flag"), 80), request))
				continue
			}
			g.add(clause(
				c.refuses(id+"/request-mtls", "request_mtls, though the ClientHello has it.", one(flagsExt(80)), one(flagsExt(80)), "flag_misplaced", 4+1+10, "known_flag"), request))
		}
		certificateRequest, ticketMessage := requests()[0], requests()[1]
		hello := carrier{"client_hello", "client", func(...ext) [][]byte { return nil }, func(extensions ...ext) ([]byte, []int) {
			msg, at := base().with(extensions...).build()
			return msg, at.extensions
		}}
		g.add(
			hello.accepts("messages/known/client-hello/request-mtls", "request_mtls in its place.", nil, one(flagsExt(80)), extFlags, 80),
			clause(hello.refuses("messages/known/client-hello/resumption-across-names", "resumption_across_names is for NewSessionTicket alone.", nil, one(flagsExt(8)), "flag_misplaced", 4+1+1, "known_flag"), ticket),
			certificateRequest.accepts("messages/known/certificate-request/acknowledged", "request_mtls answers the ClientHello.", one(flagsExt(80)), one(flagsExt(80)), extFlags, 80),
			clause(certificateRequest.refuses("messages/known/certificate-request/not-offered", "request_mtls, which the ClientHello did not have.",
				one(flagsExt(100)), one(flagsExt(80)), "flag_unsolicited", 4+1+10, "known_flag"), request),
			clause(certificateRequest.refuses("messages/known/certificate-request/resumption-across-names", "resumption_across_names is for NewSessionTicket alone.",
				nil, one(flagsExt(8)), "flag_misplaced", 4+1+1, "known_flag"), ticket),
			ticketMessage.accepts("messages/known/new-session-ticket/resumption-across-names", "resumption_across_names in its place.", nil, one(flagsExt(8)), extFlags, 8),
			ticketMessage.accepts("messages/known/new-session-ticket/resumption-across-names-and-unknown", "With flags that nobody knows.", nil, one(flagsExt(8, 31, 100)), extFlags, 8, 31, 100),
			clause(ticketMessage.refuses("messages/known/new-session-ticket/request-mtls", "request_mtls has no place here.", one(flagsExt(80)), one(flagsExt(80)), "flag_misplaced", 4+1+10, "known_flag"), request),
		)
	}},
	{"malformed-flags", "The message is well formed, its tls_flags is not.", flagsSection3, func(g *list) {
		for _, c := range append(responses(), requests()...) {
			for _, m := range malformedFlags {
				if m.helloOnly {
					continue
				}
				g.add(c.refuses("messages/malformed-flags/"+c.slug()+"/"+m.name, "After a ClientHello and a CertificateRequest that set flag 0.",
					one(flagsExt(0)), one(raw(extFlags, m.data...)), m.code, 4+m.offset, "malformed_flags"))
			}
		}
	}},
	{"duplicate", "Two extensions of one type.", "RFC 9846, Section 4.3", func(g *list) {
		for _, c := range append(responses(), requests()...) {
			id := "messages/duplicate/" + c.slug()
			g.add(
				c.refuses(id+"/flags", "tls_flags twice.", one(flagsExt(0)), []ext{flagsExt(0), flagsExt(0)}, "duplicate_extension", 0, "duplicate"),
				c.refuses(id+"/unknown", "An unknown type twice.", []ext{flagsExt(0), empty(0x7778)}, []ext{empty(0x7778), flagsExt(0), empty(0x7778)}, "duplicate_extension", 0, "duplicate"))
		}
	}},
	{"framing", "The lengths of message, fields and block have to agree.", "RFC 9846, Section 4", func(g *list) {
		offer := one(flagsExt(0))
		for _, c := range append(responses(), requests()...) {
			id := "messages/framing/" + c.slug()
			msg, at := c.build(flagsExt(0))
			last := at[len(at)-1]
			block := at[0] - 2
			test := func(name string, input []byte, code string, offset int, comment string) {
				g.add(c.in(refuse(id+"/"+name, input, code, offset, comment, "message", "block"), c.before(offer...)))
			}
			test("truncated", msg[:len(msg)-1], "truncated", len(msg)-1, "One byte is missing.")
			test("wrong-type", patch(msg, 0, 20), "wrong_message_type", 0, "A Finished.")
			test("block-one-more", patch16(msg, block, len(msg)-block-1), "field_overrun", block, "The block is longer than what contains it, by one.")
			test("extension-one-more", patch16(msg, last+2, 3), "extension_overrun", last+2, "The last extension is longer than what is left, by one.")
			test("extension-one-less", patch16(msg, last+2, 1), "stray_bytes", len(msg)-1, "One byte is left after the last extension.")
			if c.name != "certificate" {
				test("stray-byte", insert(msg, len(msg), 0), "stray_bytes", len(msg), "A byte after the block.")
				test("cut", cut(msg, block+1), map[bool]string{true: "stray_bytes", false: "field_overrun"}[c.name == "server_hello" || c.name == "hello_retry_request"], block, "Half the length of the block.")
			}
		}
		ticket, _ := newSessionTicket()
		c := requests()[1]
		noTicket := handshake(4, concat([]byte{0, 0, 0x1c, 0x20, 1, 2, 3, 4}, opaque8([]byte{0}), opaque16(nil), opaque16(nil)))
		hello, _ := serverHello()
		s := responses()[0]
		long := handshake(2, concat([]byte{3, 3}, filler("server random", 32), opaque8(filler("session", 33)), []byte{0x13, 1, 0}, opaque16(nil)))
		request, _ := certificateRequest()
		g.add(
			c.in(refuse("messages/framing/new-session-ticket/no-ticket", noTicket, "vector_empty", 4+8+2, "A ticket has at least one byte.", "message"), offerIn()),
			c.in(refuse("messages/framing/new-session-ticket/nonce-overrun", patch(ticket, 12, 255), "field_overrun", 12, "The nonce is longer than the message.", "message"), offerIn()),
			s.in(refuse("messages/framing/server-hello/session-id-33", long, "session_id_too_long", 38, "33 bytes.", "message", "session_id"), offerIn()),
			s.in(refuse("messages/framing/server-hello/cut-random", cut(hello, 37), "field_overrun", 6, "31 bytes of random.", "message", "cut"), offerIn()),
			requests()[0].in(refuse("messages/framing/certificate-request/context-overrun", patch(request, 4, 255), "field_overrun", 4, "The context is longer than the message.", "message"), offerIn()),
		)
	}},
	{"certificates", "A Certificate has an extension block for each of its entries, and an empty one has no place for a flag.", "RFC 9846, Section 4.5.1", func(g *list) {
		for _, c := range responses()[3:] {
			id := "messages/certificates/" + c.slug()
			offer := c.before(flagsExt(100))
			add := func(name string, entries [][]ext, typ uint16, comment string, flags ...uint16) {
				msg, _ := certificates(entries...)
				g.add(c.in(accept(id+"/"+name, msg, setsIn(typ, flags...), comment, "message"), offer))
			}
			if c.sender == "client" {
				add("empty", nil, 0, "No entry.")
			}
			add("first-of-two", [][]ext{{flagsExt(100)}, {}}, extFlags, "The flag stands in the first of two entries.", 100)
			add("none-of-two", [][]ext{{}, {}}, 0, "Two entries without extensions.")
			second, at := certificates(nil, one(flagsExt(101)))
			later, laterAt := certificates(one(flagsExt(100)), one(flagsExt(101)))
			malformed, malformedAt := certificates(nil, nil, one(empty(extFlags)))
			noData := handshake(11, concat([]byte{0}, opaque24(concat(opaque24(nil), opaque16(nil)))))
			g.add(
				c.in(refuse(id+"/unsolicited-in-second", second, "flag_unsolicited", at[0]+4+1+12, "Another flag than the one proposed, in the second entry.", "message", "unsolicited"), offer),
				c.in(refuse(id+"/unsolicited-behind-good", later, "flag_unsolicited", laterAt[1]+4+1+12, "The flag that was proposed in the first entry, another in the second.", "message", "unsolicited"), offer),
				c.in(refuse(id+"/malformed-in-third", malformed, "empty_data", malformedAt[0]+4, "tls_flags of the third entry is empty.", "message", "malformed_flags"), offer),
				c.in(refuse(id+"/no-data", noData, "vector_empty", 8, "A certificate has at least one byte.", "message"), offer),
			)
		}
	}},
	{"second-hello", "The second ClientHello repeats the tls_flags of the first, byte for byte: they are not among what it may change.", "RFC 9846, Section 4.2.2", func(g *list) {
		retry, _ := helloRetryRequest()
		c := carrier{name: "client_hello", sender: "client"}
		accepts := func(name, comment string, first, second hello, typ uint16, flags ...uint16) {
			g.add(c.in(accept("messages/second-hello/"+name, second.bytes(), setsIn(typ, flags...), comment, "second_hello"), [][]byte{first.bytes(), retry}))
		}
		refuses := func(name, comment string, first, second hello, index int) {
			msg, at := second.build()
			offset := 0
			if index >= 0 {
				offset = at.extensions[index]
			}
			g.add(c.in(refuse("messages/second-hello/"+name, msg, "second_hello_changed", offset, comment, "second_hello"), [][]byte{first.bytes(), retry}))
		}
		h := asking()
		other := asking()
		other.extensions[len(other.extensions)-1] = keyShare(share(secp256r1))
		flags := len(h.extensions)
		accepts("same", "The same flags; key_share changes, as it may.", h.with(flagsExt(80)), other.with(flagsExt(80)), extFlags, 80)
		accepts("same-elsewhere", "The same flags in another place.", h.with(flagsExt(80)), other.before(0, flagsExt(80)), extFlags, 80)
		accepts("none", "No flags in either.", h, other, 0)
		accepts("experimental", "The same flags under the experimental type.", h.with(flagsExperiment(80)), other.with(flagsExperiment(80)), extFlagsExperiment, 80)
		refuses("other", "Another flag.", h.with(flagsExt(80)), other.with(flagsExt(81)), flags)
		refuses("one-more", "One flag more.", h.with(flagsExt(80)), other.with(flagsExt(80, 81)), flags)
		refuses("one-less", "One flag less.", h.with(flagsExt(80, 81)), other.with(flagsExt(80)), flags)
		refuses("added", "Flags that the first does not have.", h, other.with(flagsExt(80)), flags)
		refuses("removed", "No flags, where the first has one. What is missing has offset 0.", h.with(flagsExt(80)), other, -1)
		refuses("other-type", "The same flags under the experimental type, which is another extension.", h.with(flagsExt(80)), other.with(flagsExperiment(80)), -1)
	}},
}

// A carrier is a message that can carry tls_flags, other than the first ClientHello.
type carrier struct {
	name   string
	sender string
	before func(offer ...ext) [][]byte // messages, the last of which offers the flags
	build  func(extensions ...ext) ([]byte, []int)
}

// message makes a message of the given type with an extension block at its end, and
// returns the offset of each extension.
func message(msgType uint8, before []byte, extensions []ext) ([]byte, []int) {
	block, at := extensionBlock(extensions)
	for i := range at {
		at[i] += 4 + len(before)
	}
	return handshake(msgType, concat(before, block)), at
}

// extensionBlock is a block with its length, and the offset of each extension in it.
func extensionBlock(extensions []ext) ([]byte, []int) {
	var at []int
	size := 2
	block := made(func(b *cryptobyte.Builder) {
		for _, e := range extensions {
			at = append(at, size)
			b.AddUint16(e.typ)
			b.AddUint16LengthPrefixed(bytesOf(e.data))
			size += 4 + len(e.data)
		}
	})
	return opaque16(block), at
}

// helloRetryRandom is the random of a HelloRetryRequest, RFC 9846, Section 4.2.3: the
// hash of its name.
var helloRetryRandom = []byte{
	0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
	0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
}

func serverHelloFields(random []byte) []byte {
	return concat([]byte{3, 3}, random, opaque8(filler("session", 32)), []byte{0x13, 0x01, 0})
}

func serverHello(extensions ...ext) ([]byte, []int) {
	return message(2, serverHelloFields(filler("server random", 32)), append([]ext{raw(extVersions, 3, 4), raw(extKeyShare, x25519Share(serverKey)...)}, extensions...))
}

func helloRetryRequest(extensions ...ext) ([]byte, []int) {
	return message(2, serverHelloFields(helloRetryRandom), append([]ext{raw(extVersions, 3, 4), raw(extKeyShare, 0, 0x17)}, extensions...))
}

func encryptedExtensions(extensions ...ext) ([]byte, []int) {
	return message(8, nil, append([]ext{empty(extServerName), alpn("h2")}, extensions...))
}

func certificateRequest(extensions ...ext) ([]byte, []int) {
	return message(13, []byte{0}, append([]ext{signatures(ed25519Scheme, 0x0403, 0x0804), empty(extStatusRequest), empty(extSCT)}, extensions...))
}

// newSessionTicket also has early_data and an unknown extension.
func newSessionTicket(extensions ...ext) ([]byte, []int) {
	before := concat([]byte{0, 0, 0x1c, 0x20, 1, 2, 3, 4}, opaque8([]byte{0}), opaque16(filler("ticket", 32)))
	return message(4, before, append([]ext{raw(extEarlyData, 0, 0, 0x40, 0), raw(0x7777, 1)}, extensions...))
}

// responses are the messages whose flags answer others.
func responses() []carrier {
	return []carrier{
		{"server_hello", "server", offerIn, serverHello},
		{"hello_retry_request", "server", offerIn, helloRetryRequest},
		{"encrypted_extensions", "server", offerIn, encryptedExtensions},
		{"certificate", "server", offerIn, serverCertificate},
		{"certificate", "client", requestIn, clientCertificate},
	}
}

// requests are the messages whose flags need no offer.
func requests() []carrier {
	return []carrier{
		{"certificate_request", "server", offerIn, certificateRequest},
		{"new_session_ticket", "server", offerIn, newSessionTicket},
	}
}

// slug names the message in an id.
func (c carrier) slug() string {
	if c.name == "certificate" {
		return c.sender + "-certificate"
	}
	return strings.ReplaceAll(c.name, "_", "-")
}

// in adds the kind of the message and the messages before it to a test.
func (c carrier) in(t vectors.Test, before [][]byte) vectors.Test {
	t.Message, t.Sender = c.name, c.sender
	t.Before = []vectors.Bytes{}
	for _, m := range before {
		t.Before = append(t.Before, m)
	}
	return t
}

// accepts is a test of the message with extensions, after an offer. It must be read as
// having flags in an extension of type typ.
func (c carrier) accepts(id, comment string, offer, extensions []ext, typ uint16, flags ...uint16) vectors.Test {
	msg, _ := c.build(extensions...)
	return c.in(accept(id, msg, setsIn(typ, flags...), comment, "message"), c.before(offer...))
}

// refuses is the same for a message with a fault in the last extension, at an offset from
// its type.
func (c carrier) refuses(id, comment string, offer, extensions []ext, code string, offset int, notes ...string) vectors.Test {
	msg, at := c.build(extensions...)
	return c.in(refuse(id, msg, code, at[len(at)-1]+offset, comment, append(notes, "message")...), c.before(offer...))
}

func one(e ext) []ext { return []ext{e} }
