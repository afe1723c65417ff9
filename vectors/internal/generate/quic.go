package main

import (
	"fmt"

	"golang.org/x/crypto/cryptobyte"

	"github.com/tlsflags/tlsflags/internal/quicseal"
	"github.com/tlsflags/tlsflags/vectors"
)

var quic = kind{
	kind:   vectors.QUIC,
	entry:  vectors.Datagrams,
	spec:   []string{"RFC 9000", "RFC 9001", "RFC 9369", "RFC 9846"},
	groups: quicGroups,
}

var quicGroups = []group{
	{"packets", "One Initial packet with the whole message.", "RFC 9000, Section 17.2.2", func(g *list) {
		msg := quicHello().bytes()
		add := func(name, comment string, change func(*quicseal.Packet)) {
			p := newInitial(crypto(0, msg))
			change(&p)
			g.add(joinsQUIC("packets/"+name, [][]byte{padded(p)}, comment, "quic"))
		}
		add("v1", "QUIC version 1.", func(*quicseal.Packet) {})
		add("v2", "QUIC version 2: other types of packets, another salt, other labels.", func(p *quicseal.Packet) { p.Version = quicseal.V2 })
		add("dcid-20", "The longest destination connection ID.", func(p *quicseal.Packet) { p.DCID = filler("dcid", 20) })
		add("scid-20", "The longest source connection ID.", func(p *quicseal.Packet) { p.SCID = filler("scid", 20) })
		add("v2-scid-8", "Version 2 with a source connection ID.", func(p *quicseal.Packet) { p.Version, p.SCID = quicseal.V2, filler("scid", 8) })
		add("token", "A token of 64 bytes, whose length takes two.", func(p *quicseal.Packet) { p.Token = filler("token", 64) })
		for n := 2; n <= 4; n++ {
			add(fmt.Sprintf("number-length-%d", n), "The packet number takes "+byteCount(n)+".", func(p *quicseal.Packet) { p.NumberLen = n })
		}
		add("number-2", "The packet number is 2.", func(p *quicseal.Packet) { p.Number, p.NumberLen = 2, 4 })
		unpadded := newInitial(crypto(0, msg))
		g.add(joinsQUIC("packets/unpadded", [][]byte{unpadded.Seal()}, "Fewer than 1,200 bytes: a server drops the datagram, who only reads may not.", "quic"))
	}},
	{"frames", "One packet with several frames.", "RFC 9000, Section 19.6", func(g *list) {
		msg := quicHello().bytes()
		half := len(msg) / 2
		first, second := crypto(0, msg[:half]), crypto(half, msg[half:])
		add := func(name, comment string, frames ...[]byte) {
			g.add(joinsQUIC("frames/"+name, [][]byte{padded(newInitial(frames...))}, comment, "quic"))
		}
		var single [][]byte
		for i := len(msg) - 1; i >= 0; i-- {
			single = append(single, crypto(i, msg[i:i+1]))
		}
		flagsAt := len(msg) - 16
		add("two", "Two CRYPTO frames.", first, second)
		add("reversed", "The second half stands first.", second, first)
		add("overlap", "Both halves have the same bytes in the middle.", crypto(0, msg[:half+20]), crypto(half-20, msg[half-20:]))
		add("repeated", "Every frame twice.", first, first, second, second)
		add("inside", "A frame lies inside of another.", crypto(10, msg[10:20]), crypto(0, msg))
		add("empty", "A CRYPTO frame without data.", crypto(0, nil), first, crypto(half, nil), second)
		add("flags-first", "tls_flags stands first, in a frame of its own.", crypto(flagsAt, msg[flagsAt:]), crypto(0, msg[:flagsAt]))
		add("single-bytes-reversed", "A frame for each byte, the last one first.", single...)
		add("padding-first", "PADDING before the frame.", zeros(100), crypto(0, msg))
		add("padding-between", "PADDING between two frames.", first, zeros(50), second)
		add("ping-between", "PING between two frames.", ping, first, ping, second)
		add("ack", "An ACK with two ranges.", []byte{0x02, 5, 0, 1, 0, 1, 0}, crypto(0, msg))
		add("ack-ecn", "An ACK with ECN counts.", []byte{0x03, 5, 0, 0, 0, 1, 2, 3}, crypto(0, msg))
		add("long-varints", "Offset and length take eight bytes each.", concat([]byte{0x06}, []byte{0xc0, 0, 0, 0, 0, 0, 0, 0}, []byte{0xc0, 0, 0, 0, 0, 0, byte(len(msg) >> 8), byte(len(msg))}, msg))
	}},
	{"datagrams", "A packet in each of several datagrams.", "RFC 9000, Section 7.5", func(g *list) {
		msg := quicHello().bytes()
		half := len(msg) / 2
		packet := func(number uint64, version uint32, frames ...[]byte) []byte {
			p := newInitial(frames...)
			p.Number, p.Version = number, version
			return p.Seal()
		}
		for _, v := range quicVersions {
			first, second := packet(0, v.version, crypto(0, msg[:half])), packet(1, v.version, crypto(half, msg[half:]))
			g.add(
				joinsQUIC("datagrams/"+v.name+"-two", [][]byte{first, second}, "Two datagrams.", "quic"),
				joinsQUIC("datagrams/"+v.name+"-reversed", [][]byte{second, first}, "The second one arrives first.", "quic"),
				joinsQUIC("datagrams/"+v.name+"-repeated", [][]byte{first, first, second}, "The first one arrives twice.", "quic"),
				waits("quic/datagrams/"+v.name+"-first-alone", [][]byte{first}, "The second one is missing.", "quic", "unfinished"),
				waits("quic/datagrams/"+v.name+"-second-alone", [][]byte{second}, "The first one is missing.", "quic", "unfinished"),
			)
		}
		third := len(msg) / 3
		one, two, three := packet(0, quicseal.V1, crypto(0, msg[:third])), packet(1, quicseal.V1, crypto(third, msg[third:2*third])), packet(2, quicseal.V1, crypto(2*third, msg[2*third:]))
		chromium := chromium().before(3, flagsExt(80))
		chromium.sessionID = nil
		shape := chromium.bytes()
		g.add(
			joinsQUIC("datagrams/three-last-first", [][]byte{three, one, two}, "Three datagrams, the last one first.", "quic"),
			waits("quic/datagrams/three-without-second", [][]byte{one, three}, "The one in the middle is missing.", "quic", "unfinished"),
			waits("quic/datagrams/foreign-between", [][]byte{one, []byte("no QUIC")}, "What is not QUIC is ignored once a packet was read.", "quic", "unfinished"),
			joins("quic/datagrams/chromium", [][]byte{packet(0, quicseal.V1, crypto(0, shape[:1100])), packet(1, quicseal.V1, crypto(1100, shape[1100:]))}, chromium, extFlags, requestMTLS,
				"A hello like Chromium's, which takes two datagrams.", "quic", "shape"),
			joins("quic/datagrams/chromium-shuffled", [][]byte{
				packet(0, quicseal.V1, crypto(600, shape[600:800]), ping, crypto(0, shape[:300]), crypto(1500, shape[1500:])),
				packet(1, quicseal.V1, crypto(800, shape[800:1500]), crypto(300, shape[300:600])),
			}, chromium, extFlags, requestMTLS, "The same in five frames out of order, as Chromium sends them.", "quic", "shape"),
		)
	}},
	{"coalesced", "Several packets in one datagram.", "RFC 9000, Section 12.2", func(g *list) {
		msg := quicHello().bytes()
		half := len(msg) / 2
		first, second := newInitial(crypto(0, msg[:half])), newInitial(crypto(half, msg[half:]))
		second.Number = 1
		whole := newInitial(crypto(0, msg))
		other, sameKeys := newInitial(crypto(0, msg)), newInitial(crypto(half, msg[half:]))
		other.DCID, sameKeys.DCID, sameKeys.KeyDCID = filler("another dcid", 8), filler("another dcid", 8), first.DCID
		zeroRTT := newInitial(zeros(40))
		zeroRTT.Type = quicseal.ZeroRTT
		broken := whole.Seal()
		broken[len(broken)-1] ^= 1
		join := func(name, comment string, packets ...[]byte) vectors.Test {
			return joinsQUIC("coalesced/"+name, [][]byte{concat(packets...)}, comment, "quic")
		}
		g.add(
			join("two-initials", "Two Initials with half of the message each.", first.Seal(), second.Seal()),
			join("zero-rtt-behind", "A 0-RTT packet follows.", whole.Seal(), zeroRTT.Seal()),
			join("zero-rtt-before", "A 0-RTT packet stands before.", zeroRTT.Seal(), whole.Seal()),
			join("broken-before", "An Initial that does not decrypt stands before.", broken, whole.Seal()),
			join("padding-behind", "Zeros follow the packet, outside of it.", whole.Seal(), zeros(100)),
			waits("quic/coalesced/other-dcid", [][]byte{concat(first.Seal(), other.Seal())}, "A packet with another destination connection ID is ignored, whatever is in it.", "quic", "unfinished"),
			waits("quic/coalesced/other-dcid-same-keys", [][]byte{concat(first.Seal(), sameKeys.Seal())}, "The same, under the keys of the first.", "quic", "unfinished"),
		)
	}},
	{"retry", "After a Retry the client sends the message again, with a token, under new keys.", "RFC 9000, Section 17.2.5", func(g *list) {
		msg := quicHello().bytes()
		half := len(msg) / 2
		for _, v := range quicVersions {
			before := newInitial(crypto(0, msg[:half]))
			before.Version, before.SCID = v.version, filler("scid", 8)
			after := newInitial(crypto(0, msg))
			after.Version, after.SCID, after.DCID, after.Token, after.Number = v.version, before.SCID, filler("retry scid", 8), filler("token", 32), 1
			rest := newInitial(crypto(half, msg[half:]))
			rest.Version, rest.SCID, rest.DCID, rest.Token, rest.Number = v.version, before.SCID, after.DCID, after.Token, 2
			g.add(
				joinsQUIC("retry/"+v.name+"-after-half", [][]byte{before.Seal(), after.Seal()}, "Half of the message, then all of it after a Retry.", "quic", "retry"),
				joinsQUIC("retry/"+v.name+"-alone", [][]byte{after.Seal()}, "What comes after the Retry, alone.", "quic", "retry"),
				waits("quic/retry/"+v.name+"-halves", [][]byte{before.Seal(), rest.Seal()}, "Half before the Retry and half after it: everything starts over.", "quic", "retry", "unfinished"),
			)
		}
	}},
	{"faults", "The packet decrypts, and what is in it breaks a rule. Offsets are those of the frame, of the data, or of the message length, in the datagram.", "RFC 9000, Section 17.2.2", func(g *list) {
		msg := quicHello().bytes()
		test := func(name, code string, offset int, comment string, frames ...[]byte) vectors.Test {
			packet := newInitial(concat(frames...), zeros(40))
			return refusesPieces("quic/faults/"+name, [][]byte{packet.Seal()}, code, packet.PayloadAt()+offset, comment, "quic")
		}
		frame := func(name string, comment string, frame ...byte) vectors.Test {
			return test("frame-"+name, "frame_type", 1, comment, ping, frame)
		}
		first, changed := crypto(0, msg[:110]), patch(msg, 100, msg[100]^1)[90:]
		changedAt := len(first) + len(crypto(90, changed)) - len(changed)
		frameOfAll := crypto(0, msg)
		overrun := newInitial(frameOfAll[:len(frameOfAll)-1])
		g.add(
			frame("reset-stream", "RESET_STREAM has no place in an Initial.", 0x04, 0, 0, 0),
			frame("new-token", "NEW_TOKEN has no place in an Initial.", 0x07, 1, 0),
			frame("stream", "STREAM has no place in an Initial.", 0x08, 0),
			frame("handshake-done", "HANDSHAKE_DONE has no place in an Initial.", 0x1e),
			frame("unknown", "A frame of an unknown type.", 0x3f),
			test("offset", "crypto_offset", 0, "Data beyond offset 2^62-1.", []byte{0x06}, []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, []byte{1}, []byte{1}),
			test("overlap-changed", "overlap_changed", changedAt, "The second copy of a byte differs from the first.", first, crypto(90, changed)),
			test("server-hello", "wrong_message_type", 4, "The message is a ServerHello.", crypto(0, patch(msg, 0, 2))),
			test("too-large", "message_too_large", 4, "The body is announced with 131,397 bytes.", crypto(0, []byte{1, 2, 1, 0x45})),
			refusesPieces("quic/faults/length-overrun", [][]byte{overrun.Seal()}, "field_overrun", overrun.PayloadAt(), "The CRYPTO frame is longer than the packet, by one.", "quic"),
		)
	}},
	{"foreign", "No QUIC, or no Initial that anybody can open.", "RFC 9000, Section 5.2", func(g *list) {
		msg := quicHello().bytes()
		packet := newInitial(crypto(0, msg)).Seal()
		test := func(name string, datagram []byte, comment string) vectors.Test {
			return foreign("quic/foreign/"+name, [][]byte{datagram}, comment, "quic", "foreign")
		}
		forged := newInitial(crypto(0, msg))
		forged.KeyDCID = filler("other keys", 8)
		longID := newInitial(crypto(0, msg))
		longID.DCID = filler("dcid", 21)
		zeroRTT := newInitial(zeros(40))
		zeroRTT.Type = quicseal.ZeroRTT
		g.add(
			test("dns", concat([]byte{0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 7}, []byte("example"), []byte{3}, []byte("com"), []byte{0, 0, 1, 0, 1}), "A DNS query."),
			test("empty", nil, "A datagram without a byte."),
			test("one-byte", []byte{0xc0}, "The first byte of a long header."),
			test("short-header", concat([]byte{0x40}, filler("short", 40)), "A packet with a short header."),
			test("unknown-version", patch(packet, 1, 0x1a, 0x2a, 0x3a, 0x4a), "A version that asks for Version Negotiation."),
			test("version-negotiation", concat([]byte{0x80, 0, 0, 0, 0}, opaque8(filler("dcid", 8)), opaque8(filler("scid", 8)), made(func(b *cryptobyte.Builder) { b.AddUint32(1) })), "A Version Negotiation packet."),
			test("retry", concat([]byte{0xf0, 0, 0, 0, 1}, opaque8(filler("dcid", 8)), opaque8(filler("scid", 8)), filler("token and tag", 32)), "A Retry packet."),
			test("zero-rtt", zeroRTT.Seal(), "A 0-RTT packet."),
			test("forged", forged.Seal(), "The keys follow from another connection ID."),
			test("changed-byte", patch(packet, len(packet)-20, packet[len(packet)-20]^1), "One bit differs."),
			test("changed-tag", patch(packet, len(packet)-1, packet[len(packet)-1]^1), "One bit of the tag differs."),
			test("v1-as-v2", patch(packet, 1, 0x6b, 0x33, 0x43, 0xcf), "The version says 2, and everything else 1."),
			test("cut", packet[:len(packet)-1], "The last byte is missing."),
			test("dcid-21", longID.Seal(), "A connection ID of 21 bytes, which version 1 does not have."),
			test("dtls", concat([]byte{22, 0xfe, 0xfd}, zeros(30)), "A record of DTLS."),
		)
	}},
	{"limits", "As long as the memory of the reader allows.", "RFC 9000, Section 7.5", func(g *list) {
		msg := quicHello().bytes()
		half := len(msg) / 2
		first := newInitial(crypto(0, msg[:half]))
		second := newInitial(crypto(half, msg[half:]))
		second.Number = 1
		header := len(crypto(0, msg[:half])) - half
		g.add(
			limited(joinsQUIC("limits/memory-fits", [][]byte{first.Seal(), second.Seal()}, "The memory has the length of the message.", "quic", "memory"), len(msg)),
			limited(refusesPieces("quic/limits/memory-one-less", [][]byte{first.Seal()}, "over_limit", first.PayloadAt()+header+1, "The memory lacks a byte. The length of the message shows it.", "quic", "memory"), len(msg)-1),
		)
	}},
}

// newInitial is the shortest Initial packet of a client with these frames.
func newInitial(frames ...[]byte) quicseal.Packet {
	return quicseal.Packet{Version: quicseal.V1, DCID: filler("dcid", 8), NumberLen: 1, LengthLen: 1, Payload: concat(frames...)}
}

// padded pads the packet to a datagram of 1,200 bytes (RFC 9000, Section 14.1).
func padded(p quicseal.Packet) []byte { return p.PadTo(1200).Seal() }

// crypto is a CRYPTO frame (RFC 9000, Section 19.6).
func crypto(offset int, data []byte) []byte {
	return quicseal.AppendCrypto(nil, uint64(offset), data)
}

var ping = []byte{0x01}

var quicVersions = []struct {
	name    string
	version uint32
}{{"v1", quicseal.V1}, {"v2", quicseal.V2}}

// quicHello is a small hello with request_mtls.
func quicHello() hello {
	h := base()
	h.sessionID = nil
	h.suites = []uint16{0x1301, 0x1302, 0x1303}
	h.extensions[3] = versions(0x0304)
	return h.with(alpn("h3"), raw(extQUICParameters, 0x0f, 0), flagsExt(80))
}

func joinsQUIC(id string, datagrams [][]byte, comment string, notes ...string) vectors.Test {
	return joins("quic/"+id, datagrams, quicHello(), extFlags, requestMTLS, comment, notes...)
}
