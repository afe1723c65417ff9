package main

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"golang.org/x/crypto/cryptobyte"

	"github.com/tlsflags/tlsflags/vectors"
)

var quic = kind{
	kind: vectors.QUIC,
	spec: []string{"RFC 9000", "RFC 9001", "RFC 9369", "RFC 9846"},
	groups: []func() vectors.Group{
		quicPackets, quicFrames, quicDatagrams, quicCoalesced, quicRetry, quicFaults, quicForeign, quicLimits,
	},
}

func quicGroup(name, comment, source string, tests ...vectors.Test) vectors.Group {
	return vectors.Group{Name: name, Comment: comment, Entry: vectors.Datagrams, Source: source, Tests: tests}
}

// A quicVersion has what the protection of Initial packets depends on.
type quicVersion struct {
	number  uint32
	initial byte // packet type
	salt    string
	label   string
}

var (
	quicV1 = quicVersion{1, 0, "38762cf7f55934b34d179ae6a4c80cadccbb7f0a", "quic"}
	quicV2 = quicVersion{0x6b3343cf, 1, "0dede3def700a6db819381be6e269dcbf9bd2ed9", "quicv2"}
)

// An initial is an Initial packet of a client.
type initial struct {
	version      quicVersion
	dcid, scid   []byte
	keys         []byte // the DCID that the keys follow from; nil: dcid
	token        []byte
	number       uint64
	numberLength int
	frames       []byte
	packetType   byte // on top of that of an Initial
}

func newInitial(frames ...[]byte) initial {
	return initial{version: quicV1, dcid: filler("dcid", 8), numberLength: 1, frames: concat(frames...)}
}

// build protects the packet, as RFC 9001, Section 5 says, and returns where its frames
// begin.
func (p initial) build() (packet []byte, payloadAt int) {
	number := binary.BigEndian.AppendUint64(nil, p.number)[8-p.numberLength:]
	header := concat(
		[]byte{0xc0 | (p.version.initial+p.packetType)&3<<4 | byte(p.numberLength-1)},
		binary.BigEndian.AppendUint32(nil, p.version.number), opaque8(p.dcid), opaque8(p.scid))
	if p.packetType == 0 {
		header = concat(header, varint(uint64(len(p.token))), p.token)
	}
	header = concat(header, varint(uint64(p.numberLength+len(p.frames)+16)))
	numberAt := len(header)
	header = append(header, number...)

	keys := p.keys
	if keys == nil {
		keys = p.dcid
	}
	key, iv, hp := p.version.keys(keys)
	nonce := bytes.Clone(iv)
	for i, b := range binary.BigEndian.AppendUint64(nil, p.number) {
		nonce[4+i] ^= b
	}
	aead, err := cipher.NewGCM(block(key))
	if err != nil {
		panic(err)
	}
	packet = aead.Seal(bytes.Clone(header), nonce, p.frames, header)
	mask := make([]byte, 16)
	block(hp).Encrypt(mask, packet[numberAt+4:numberAt+20])
	packet[0] ^= mask[0] & 0x0f
	for i := range p.numberLength {
		packet[numberAt+i] ^= mask[1+i]
	}
	return packet, len(header)
}

func (p initial) packet() []byte {
	b, _ := p.build()
	return b
}

// padded fills up the packet to a datagram of 1,200 bytes (RFC 9000, Section 14.1).
func (p initial) padded() initial {
	if missing := 1200 - len(p.packet()); missing > 0 {
		p.frames = concat(p.frames, zeros(missing))
		if len(p.packet()) > 1200 { // the length field has grown
			p.frames = p.frames[:len(p.frames)-(len(p.packet())-1200)]
		}
	}
	return p
}

// keys derives those of a client (RFC 9001, Section 5.2).
func (v quicVersion) keys(dcid []byte) (key, iv, hp []byte) {
	salt, err := hex.DecodeString(v.salt)
	if err != nil {
		panic(err)
	}
	secret, err := hkdf.Extract(sha256.New, dcid, salt)
	if err != nil {
		panic(err)
	}
	client := expandLabel(secret, "client in", 32)
	return expandLabel(client, v.label+" key", 16), expandLabel(client, v.label+" iv", 12), expandLabel(client, v.label+" hp", 16)
}

// expandLabel is HKDF-Expand-Label of RFC 9846, Section 7.1, without a context.
func expandLabel(secret []byte, label string, size int) []byte {
	info := made(func(b *cryptobyte.Builder) {
		b.AddUint16(uint16(size))
		b.AddUint8LengthPrefixed(bytesOf([]byte("tls13 " + label)))
		b.AddUint8(0)
	})
	out, err := hkdf.Expand(sha256.New, secret, string(info), size)
	if err != nil {
		panic(err)
	}
	return out
}

func block(key []byte) cipher.Block {
	b, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	return b
}

// varint is the shortest encoding (RFC 9000, Section 16).
func varint(v uint64) []byte {
	switch {
	case v < 1<<6:
		return []byte{byte(v)}
	case v < 1<<14:
		return binary.BigEndian.AppendUint16(nil, uint16(v)|1<<14)
	case v < 1<<30:
		return binary.BigEndian.AppendUint32(nil, uint32(v)|2<<30)
	}
	return binary.BigEndian.AppendUint64(nil, v|3<<62)
}

// crypto is a CRYPTO frame (RFC 9000, Section 19.6).
func crypto(offset int, data []byte) []byte {
	return concat([]byte{0x06}, varint(uint64(offset)), varint(uint64(len(data))), data)
}

var ping = []byte{0x01}

// quicHello is the hello that travels: small, with request_mtls.
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

// quicPackets has the message in one packet.
func quicPackets() vectors.Group {
	msg := quicHello().bytes()
	g := quicGroup("packets", "One Initial packet with the whole message.", "RFC 9000, Section 17.2.2")
	add := func(name, comment string, change func(*initial)) {
		p := newInitial(crypto(0, msg))
		change(&p)
		g.Tests = append(g.Tests, joinsQUIC("packets/"+name, [][]byte{p.padded().packet()}, comment, "quic"))
	}
	add("v1", "QUIC version 1.", func(*initial) {})
	add("v2", "QUIC version 2: other types of packets, another salt, other labels.", func(p *initial) { p.version = quicV2 })
	add("dcid-20", "The longest destination connection ID.", func(p *initial) { p.dcid = filler("dcid", 20) })
	add("scid-20", "The longest source connection ID.", func(p *initial) { p.scid = filler("scid", 20) })
	add("v2-scid-8", "Version 2 with a source connection ID.", func(p *initial) { p.version, p.scid = quicV2, filler("scid", 8) })
	add("token", "A token of 64 bytes, whose length takes two.", func(p *initial) { p.token = filler("token", 64) })
	for n := 2; n <= 4; n++ {
		add(fmt.Sprintf("number-length-%d", n), "The packet number takes "+byteCount(n)+".", func(p *initial) { p.numberLength = n })
	}
	add("number-2", "The packet number is 2.", func(p *initial) { p.number, p.numberLength = 2, 4 })
	unpadded := newInitial(crypto(0, msg))
	g.Tests = append(g.Tests, joinsQUIC("packets/unpadded", [][]byte{unpadded.packet()},
		"Fewer than 1,200 bytes: a server drops the datagram, who only reads may not.", "quic"))
	return g
}

// quicFrames has the message in several frames of one packet.
func quicFrames() vectors.Group {
	msg := quicHello().bytes()
	half := len(msg) / 2
	first, second := crypto(0, msg[:half]), crypto(half, msg[half:])
	g := quicGroup("frames", "One packet with several frames.", "RFC 9000, Section 19.6")
	add := func(name, comment string, frames ...[]byte) {
		g.Tests = append(g.Tests, joinsQUIC("frames/"+name, [][]byte{newInitial(frames...).padded().packet()}, comment, "quic"))
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
	add("long-varints", "Offset and length take eight bytes each.",
		concat([]byte{0x06}, []byte{0xc0, 0, 0, 0, 0, 0, 0, 0}, []byte{0xc0, 0, 0, 0, 0, 0, byte(len(msg) >> 8), byte(len(msg))}, msg))
	return g
}

// quicDatagrams has the message in several packets.
func quicDatagrams() vectors.Group {
	msg := quicHello().bytes()
	half := len(msg) / 2
	packet := func(number uint64, version quicVersion, frames ...[]byte) []byte {
		p := newInitial(frames...)
		p.number, p.version = number, version
		return p.packet()
	}
	g := quicGroup("datagrams", "A packet in each of several datagrams.", "RFC 9000, Section 7.5")
	for _, v := range []struct {
		name    string
		version quicVersion
	}{{"v1", quicV1}, {"v2", quicV2}} {
		first, second := packet(0, v.version, crypto(0, msg[:half])), packet(1, v.version, crypto(half, msg[half:]))
		g.Tests = append(g.Tests,
			joinsQUIC("datagrams/"+v.name+"-two", [][]byte{first, second}, "Two datagrams.", "quic"),
			joinsQUIC("datagrams/"+v.name+"-reversed", [][]byte{second, first}, "The second one arrives first.", "quic"),
			joinsQUIC("datagrams/"+v.name+"-repeated", [][]byte{first, first, second}, "The first one arrives twice.", "quic"),
			waits("quic/datagrams/"+v.name+"-first-alone", [][]byte{first}, "The second one is missing.", "quic", "unfinished"),
			waits("quic/datagrams/"+v.name+"-second-alone", [][]byte{second}, "The first one is missing.", "quic", "unfinished"),
		)
	}
	third := len(msg) / 3
	one, two, three := packet(0, quicV1, crypto(0, msg[:third])), packet(1, quicV1, crypto(third, msg[third:2*third])), packet(2, quicV1, crypto(2*third, msg[2*third:]))
	chromium := chromium().before(3, flagsExt(80))
	chromium.sessionID = nil
	shape := chromium.bytes()
	return appendTests(g,
		joinsQUIC("datagrams/three-last-first", [][]byte{three, one, two}, "Three datagrams, the last one first.", "quic"),
		waits("quic/datagrams/three-without-second", [][]byte{one, three}, "The one in the middle is missing.", "quic", "unfinished"),
		waits("quic/datagrams/foreign-between", [][]byte{one, []byte("no QUIC")}, "What is not QUIC is ignored once a packet was read.", "quic", "unfinished"),
		joins("quic/datagrams/chromium", [][]byte{packet(0, quicV1, crypto(0, shape[:1100])), packet(1, quicV1, crypto(1100, shape[1100:]))}, chromium, extFlags, requestMTLS,
			"A hello like Chromium's, which takes two datagrams.", "quic", "shape"),
		joins("quic/datagrams/chromium-shuffled", [][]byte{
			packet(0, quicV1, crypto(600, shape[600:800]), ping, crypto(0, shape[:300]), crypto(1500, shape[1500:])),
			packet(1, quicV1, crypto(800, shape[800:1500]), crypto(300, shape[300:600])),
		}, chromium, extFlags, requestMTLS, "The same in five frames out of order, as Chromium sends them.", "quic", "shape"),
	)
}

// quicCoalesced has several packets in one datagram.
func quicCoalesced() vectors.Group {
	msg := quicHello().bytes()
	half := len(msg) / 2
	first, second := newInitial(crypto(0, msg[:half])), newInitial(crypto(half, msg[half:]))
	second.number = 1
	whole := newInitial(crypto(0, msg))
	other, sameKeys := newInitial(crypto(0, msg)), newInitial(crypto(half, msg[half:]))
	other.dcid, sameKeys.dcid, sameKeys.keys = filler("another dcid", 8), filler("another dcid", 8), first.dcid
	zeroRTT := newInitial(zeros(40))
	zeroRTT.packetType = 1
	broken := whole.packet()
	broken[len(broken)-1] ^= 1
	join := func(name, comment string, packets ...[]byte) vectors.Test {
		return joinsQUIC("coalesced/"+name, [][]byte{concat(packets...)}, comment, "quic")
	}
	return quicGroup("coalesced", "Several packets in one datagram.", "RFC 9000, Section 12.2",
		join("two-initials", "Two Initials with half of the message each.", first.packet(), second.packet()),
		join("zero-rtt-behind", "A 0-RTT packet follows.", whole.packet(), zeroRTT.packet()),
		join("zero-rtt-before", "A 0-RTT packet stands before.", zeroRTT.packet(), whole.packet()),
		join("broken-before", "An Initial that does not decrypt stands before.", broken, whole.packet()),
		join("padding-behind", "Zeros follow the packet, outside of it.", whole.packet(), zeros(100)),
		waits("quic/coalesced/other-dcid", [][]byte{concat(first.packet(), other.packet())},
			"A packet with another destination connection ID is ignored, whatever is in it.", "quic", "unfinished"),
		waits("quic/coalesced/other-dcid-same-keys", [][]byte{concat(first.packet(), sameKeys.packet())},
			"The same, under the keys of the first.", "quic", "unfinished"),
	)
}

// quicRetry has what a client sends after a Retry: the same message, with a token, and
// under keys that follow from the server's connection ID.
func quicRetry() vectors.Group {
	msg := quicHello().bytes()
	half := len(msg) / 2
	g := quicGroup("retry", "After a Retry the client sends the message again, with a token, under new keys.", "RFC 9000, Section 17.2.5")
	for _, v := range []struct {
		name    string
		version quicVersion
	}{{"v1", quicV1}, {"v2", quicV2}} {
		before := newInitial(crypto(0, msg[:half]))
		before.version, before.scid = v.version, filler("scid", 8)
		after := newInitial(crypto(0, msg))
		after.version, after.scid, after.dcid, after.token, after.number = v.version, before.scid, filler("retry scid", 8), filler("token", 32), 1
		rest := newInitial(crypto(half, msg[half:]))
		rest.version, rest.scid, rest.dcid, rest.token, rest.number = v.version, before.scid, after.dcid, after.token, 2
		g.Tests = append(g.Tests,
			joinsQUIC("retry/"+v.name+"-after-half", [][]byte{before.packet(), after.packet()}, "Half of the message, then all of it after a Retry.", "quic", "retry"),
			joinsQUIC("retry/"+v.name+"-alone", [][]byte{after.packet()}, "What comes after the Retry, alone.", "quic", "retry"),
			waits("quic/retry/"+v.name+"-halves", [][]byte{before.packet(), rest.packet()}, "Half before the Retry and half after it: everything starts over.", "quic", "retry", "unfinished"),
		)
	}
	return g
}

// quicFaults has packets that decrypt, and break a rule.
func quicFaults() vectors.Group {
	msg := quicHello().bytes()
	test := func(name, code string, offset int, comment string, frames ...[]byte) vectors.Test {
		packet, at := newInitial(concat(frames...), zeros(40)).build()
		return refusesPieces("quic/faults/"+name, [][]byte{packet}, code, at+offset, comment, "quic")
	}
	frame := func(name string, comment string, frame ...byte) vectors.Test {
		return test("frame-"+name, "frame_type", 1, comment, ping, frame)
	}
	first, changed := crypto(0, msg[:110]), patch(msg, 100, msg[100]^1)[90:]
	changedAt := len(first) + len(crypto(90, changed)) - len(changed)
	frameOfAll := crypto(0, msg)
	overrun, overrunAt := newInitial(frameOfAll[:len(frameOfAll)-1]).build()
	return quicGroup("faults", "The packet decrypts, and what is in it breaks a rule. Offsets are those of the frame, of the data, or of the message length, in the datagram.", "RFC 9000, Section 17.2.2",
		frame("reset-stream", "RESET_STREAM has no place in an Initial.", 0x04, 0, 0, 0),
		frame("new-token", "NEW_TOKEN has no place in an Initial.", 0x07, 1, 0),
		frame("stream", "STREAM has no place in an Initial.", 0x08, 0),
		frame("handshake-done", "HANDSHAKE_DONE has no place in an Initial.", 0x1e),
		frame("unknown", "A frame of an unknown type.", 0x3f),
		test("offset", "crypto_offset", 0, "Data beyond offset 2^62-1.", []byte{0x06}, []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, varint(1), []byte{1}),
		test("overlap-changed", "overlap_changed", changedAt, "The second copy of a byte differs from the first.", first, crypto(90, changed)),
		test("server-hello", "wrong_message_type", 4, "The message is a ServerHello.", crypto(0, patch(msg, 0, 2))),
		test("too-large", "message_too_large", 4, "The body is announced with 131,397 bytes.", crypto(0, []byte{1, 2, 1, 0x45})),
		refusesPieces("quic/faults/length-overrun", [][]byte{overrun}, "field_overrun", overrunAt, "The CRYPTO frame is longer than the packet, by one.", "quic"),
	)
}

// quicForeign has datagrams in which there is nothing to read.
func quicForeign() vectors.Group {
	msg := quicHello().bytes()
	packet := newInitial(crypto(0, msg)).packet()
	test := func(name string, datagram []byte, comment string) vectors.Test {
		return foreign("quic/foreign/"+name, [][]byte{datagram}, comment, "quic", "foreign")
	}
	forged := newInitial(crypto(0, msg))
	forged.keys = filler("other keys", 8)
	zeroRTT := newInitial(zeros(40))
	zeroRTT.packetType = 1
	return quicGroup("foreign", "No QUIC, or no Initial that anybody can open.", "RFC 9000, Section 5.2",
		test("dns", concat([]byte{0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 7}, []byte("example"), []byte{3}, []byte("com"), []byte{0, 0, 1, 0, 1}), "A DNS query."),
		test("empty", nil, "A datagram without a byte."),
		test("one-byte", []byte{0xc0}, "The first byte of a long header."),
		test("short-header", concat([]byte{0x40}, filler("short", 40)), "A packet with a short header."),
		test("unknown-version", patch(packet, 1, 0x1a, 0x2a, 0x3a, 0x4a), "A version that asks for Version Negotiation."),
		test("version-negotiation", concat([]byte{0x80, 0, 0, 0, 0}, opaque8(filler("dcid", 8)), opaque8(filler("scid", 8)), made(func(b *cryptobyte.Builder) { b.AddUint32(1) })),
			"A Version Negotiation packet."),
		test("retry", concat([]byte{0xf0, 0, 0, 0, 1}, opaque8(filler("dcid", 8)), opaque8(filler("scid", 8)), filler("token and tag", 32)), "A Retry packet."),
		test("zero-rtt", zeroRTT.packet(), "A 0-RTT packet."),
		test("forged", forged.packet(), "The keys follow from another connection ID."),
		test("changed-byte", patch(packet, len(packet)-20, packet[len(packet)-20]^1), "One bit differs."),
		test("changed-tag", patch(packet, len(packet)-1, packet[len(packet)-1]^1), "One bit of the tag differs."),
		test("v1-as-v2", patch(packet, 1, 0x6b, 0x33, 0x43, 0xcf), "The version says 2, and everything else 1."),
		test("cut", packet[:len(packet)-1], "The last byte is missing."),
		test("dcid-21", newInitialDCID(21, msg), "A connection ID of 21 bytes, which version 1 does not have."),
		test("dtls", concat([]byte{22, 0xfe, 0xfd}, zeros(30)), "A record of DTLS."),
	)
}

func newInitialDCID(n int, msg []byte) []byte {
	p := newInitial(crypto(0, msg))
	p.dcid = filler("dcid", n)
	return p.packet()
}

// quicLimits has a reader with little memory.
func quicLimits() vectors.Group {
	msg := quicHello().bytes()
	half := len(msg) / 2
	first, at := newInitial(crypto(0, msg[:half])).build()
	second := newInitial(crypto(half, msg[half:]))
	second.number = 1
	header := len(crypto(0, msg[:half])) - half
	return quicGroup("limits", "As long as the memory of the reader allows.", "RFC 9000, Section 7.5",
		limited(joinsQUIC("limits/memory-fits", [][]byte{first, second.packet()}, "The memory has the length of the message.", "quic", "memory"), len(msg)),
		limited(refusesPieces("quic/limits/memory-one-less", [][]byte{first}, "over_limit", at+header+1, "The memory lacks a byte. The length of the message shows it.", "quic", "memory"), len(msg)-1),
	)
}
