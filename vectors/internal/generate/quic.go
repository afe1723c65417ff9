package main

import (
	"fmt"

	"github.com/tlsflags/tlsflags/internal/quicseal"
	"github.com/tlsflags/tlsflags/vectors"
)

var quic = kind{
	kind:   vectors.QUIC.Any(),
	entry:  vectors.Datagrams,
	spec:   []string{"RFC 9000", "RFC 9001", "RFC 9369", "RFC 9846"},
	groups: quicGroups,
}

var quicGroups = []group{
	{"packets", "One Initial packet with the whole message.", "RFC 9000, Section 17.2.2", func(g *list) {
		add := func(name, comment string, change func(id string, p *quicseal.Packet)) {
			id := "quic/packets/" + name
			p := initial(id)
			change(id, &p)
			h := quicHello(p.SCID...)
			p.Payload = crypto(0, h.bytes())
			g.add(joins(id, [][]byte{padded(p)}, h, extFlags, requestMTLS, comment, "quic"))
		}
		add("v1", "QUIC version 1.", func(string, *quicseal.Packet) {})
		add("v2", "QUIC version 2: other types of packets, another salt, other labels.", func(_ string, p *quicseal.Packet) { p.Version = quicseal.V2 })
		add("dcid-20", "The longest destination connection ID.", func(id string, p *quicseal.Packet) { p.DCID = connectionID(id, "longest", 20) })
		add("scid-20", "The longest source connection ID.", func(id string, p *quicseal.Packet) { p.SCID = connectionID(id, "source", 20) })
		add("v2-scid-8", "Version 2 with a source connection ID.", func(id string, p *quicseal.Packet) {
			p.Version, p.SCID = quicseal.V2, connectionID(id, "source", 8)
		})
		add("token", "A token of 64 bytes, whose length takes two.", func(_ string, p *quicseal.Packet) { p.Token = filler("token", 64) })
		for n := 2; n <= 4; n++ {
			add(fmt.Sprintf("number-length-%d", n), "The packet number takes "+byteCount(n)+".", func(_ string, p *quicseal.Packet) { p.NumberLen = n })
		}
		add("number-2", "The packet number is 2.", func(_ string, p *quicseal.Packet) { p.Number, p.NumberLen = 2, 4 })
		const unpadded = "quic/packets/unpadded"
		g.add(or(joinsQUIC(unpadded, [][]byte{initial(unpadded, crypto(0, quicHello().bytes())).Seal()}, "Fewer than 1,200 bytes: a server drops the datagram, who only reads may not.", "quic", "small_datagram"),
			orWaits("RFC 9000, Section 14.1", "quic-go 0.65")))
	}},
	{"frames", "One packet with several frames.", "RFC 9000, Section 19.6", func(g *list) {
		msg := quicHello().bytes()
		half := len(msg) / 2
		first, second := crypto(0, msg[:half]), crypto(half, msg[half:])
		test := func(name, comment string, frames ...[]byte) row {
			id := "quic/frames/" + name
			return joinsQUIC(id, [][]byte{padded(initial(id, frames...))}, comment, "quic")
		}
		add := func(name, comment string, frames ...[]byte) { g.add(test(name, comment, frames...)) }
		acks := func(name, comment string, frames ...[]byte) {
			t := or(test(name, comment, frames...), orQUICError("PROTOCOL_VIOLATION", "RFC 9000, Section 13.1", "quic-go 0.65"))
			t.Flags = append(t.Flags, "acknowledgment")
			g.add(t)
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
		acks("ack", "An ACK with two ranges.", []byte{0x02, 5, 0, 1, 0, 1, 0}, crypto(0, msg))
		acks("ack-ecn", "An ACK with ECN counts.", []byte{0x03, 5, 0, 0, 0, 1, 2, 3}, crypto(0, msg))
		add("long-varints", "Offset and length take eight bytes each.", concat([]byte{0x06}, []byte{0xc0, 0, 0, 0, 0, 0, 0, 0}, []byte{0xc0, 0, 0, 0, 0, 0, byte(len(msg) >> 8), byte(len(msg))}, msg))
	}},
	{"datagrams", "A packet in each of several datagrams.", "RFC 9000, Section 7.5", func(g *list) {
		msg := quicHello().bytes()
		half, third := len(msg)/2, len(msg)/3
		halves := [][]byte{crypto(0, msg[:half]), crypto(half, msg[half:])}
		thirds := [][]byte{crypto(0, msg[:third]), crypto(third, msg[third:2*third]), crypto(2*third, msg[2*third:])}
		for _, v := range quicVersions {
			test := func(name, comment string, numbers ...int) {
				id := "quic/datagrams/" + v.name + "-" + name
				if packets := datagrams(id, v.version, halves, numbers...); len(numbers) == 1 {
					g.add(waits(id, packets, comment, "quic", "unfinished"))
				} else {
					g.add(joinsQUIC(id, packets, comment, "quic"))
				}
			}
			test("two", "Two datagrams.", 0, 1)
			test("reversed", "The second one arrives first.", 1, 0)
			test("repeated", "The first one arrives twice.", 0, 0, 1)
			test("first-alone", "The second one is missing.", 0)
			test("second-alone", "The first one is missing.", 1)
		}
		const lastFirst, without, between = "quic/datagrams/three-last-first", "quic/datagrams/three-without-second", "quic/datagrams/foreign-between"
		const plain, shuffled = "quic/datagrams/chromium", "quic/datagrams/chromium-shuffled"
		chromium := chromium().before(3, flagsExt(80))
		chromium.sessionID = nil
		shape := chromium.bytes()
		g.add(
			joinsQUIC(lastFirst, datagrams(lastFirst, quicseal.V1, thirds, 2, 0, 1), "Three datagrams, the last one first.", "quic"),
			waits(without, datagrams(without, quicseal.V1, thirds, 0, 2), "The one in the middle is missing.", "quic", "unfinished"),
			waits(between, append(datagrams(between, quicseal.V1, thirds, 0), []byte("no QUIC")), "What is not QUIC is ignored once a packet was read.", "quic", "unfinished"),
			joins(plain, datagrams(plain, quicseal.V1, [][]byte{crypto(0, shape[:1100]), crypto(1100, shape[1100:])}, 0, 1), chromium, extFlags, requestMTLS,
				"A hello like Chromium's, which takes two datagrams.", "quic", "shape"),
			joins(shuffled, datagrams(shuffled, quicseal.V1, [][]byte{
				concat(crypto(600, shape[600:800]), ping, crypto(0, shape[:300]), crypto(1500, shape[1500:])),
				concat(crypto(800, shape[800:1500]), crypto(300, shape[300:600])),
			}, 0, 1), chromium, extFlags, requestMTLS, "The same in five frames out of order, as Chromium sends them.", "quic", "shape"),
		)
	}},
	{"coalesced", "Several packets in one datagram.", "RFC 9000, Section 12.2", coalesced},
	{"retry", "After a Retry the client sends the message again, with a token, under new keys. The two connection IDs are those before and after it.", "RFC 9000, Section 17.2.5", func(g *list) {
		for _, v := range quicVersions {
			// packets returns what the client of a test sends: half of the message, and the
			// rest from an offset on after the Retry.
			packets := func(id string, half bool) (before, after []byte, h hello) {
				p := initial(id)
				p.Version, p.SCID = v.version, connectionID(id, "source", 8)
				h = quicHello(p.SCID...)
				msg := h.bytes()
				p.Payload = crypto(0, msg[:len(msg)/2])
				before = padded(p)
				p.DCID, p.Token, p.Number, p.Payload = connectionID(id, "after the Retry", 8), filler("token", 32), 1, crypto(0, msg)
				if half {
					p.Payload = crypto(len(msg)/2, msg[len(msg)/2:])
				}
				return before, padded(p), h
			}
			afterHalf, alone, halves := "quic/retry/"+v.name+"-after-half", "quic/retry/"+v.name+"-alone", "quic/retry/"+v.name+"-halves"
			before, after, h := packets(afterHalf, false)
			g.add(or(joins(afterHalf, [][]byte{before, after}, h, extFlags, requestMTLS, "Half of the message, then all of it after a Retry, which the reader does not see.", "quic", "retry"),
				orWaits(vectors.NoClause, "tshark 4.0")))
			_, after, h = packets(alone, false)
			g.add(joins(alone, [][]byte{after}, h, extFlags, requestMTLS, "What comes after the Retry, alone.", "quic", "retry"))
			before, after, _ = packets(halves, true)
			g.add(waits(halves, [][]byte{before, after}, "Half before the Retry and half after it: everything starts over.", "quic", "retry", "unfinished"))
		}
	}},
	{"faults", "The packet decrypts, and what is in it breaks a rule. Offsets are those of the frame, of the data, or of the message length, in the datagram.", "RFC 9000, Section 12.4", quicFaults},
	{"foreign", "No QUIC, or no Initial that anybody can open. A server must drop the datagram, which leaves it as if nothing had come.", dropped, undecryptable},
	{"limits", "As long as the memory of the reader allows.", "RFC 9000, Section 7.5", func(g *list) {
		const fits, less = "quic/limits/memory-fits", "quic/limits/memory-one-less"
		msg := quicHello().bytes()
		half := len(msg) / 2
		halves := [][]byte{crypto(0, msg[:half]), crypto(half, msg[half:])}
		first := initial(less, halves[0]).PadTo(datagramSize)
		header := len(halves[0]) - half
		g.add(
			limited(joinsQUIC(fits, datagrams(fits, quicseal.V1, halves, 0, 1), "The memory has the length of the message.", "quic", "memory"), len(msg)),
			limited(refusesQUIC(less, first.Seal(), "over_limit", first.PayloadAt()+header+1, "CRYPTO_BUFFER_EXCEEDED", "RFC 9000, Section 7.5",
				"The memory lacks a byte. The length of the message shows it.", "quic", "memory"), len(msg)-1),
		)
	}},
}

func coalesced(g *list) {
	msg := quicHello().bytes()
	half := len(msg) / 2
	add := func(name, comment string, packets func(id string) [][]byte) {
		id := "quic/coalesced/" + name
		g.add(joinsQUIC(id, [][]byte{concat(packets(id)...)}, comment, "quic"))
	}
	// whole is a packet that leaves room for others in a datagram of 1,200 bytes.
	whole := func(id string, room int) []byte { return initial(id, crypto(0, msg)).PadTo(datagramSize - room).Seal() }
	zeroRTT := func(id string) []byte {
		p := initial(id, zeros(40))
		p.Type = quicseal.ZeroRTT
		return p.Seal()
	}
	second := func(id string) quicseal.Packet {
		p := initial(id, crypto(half, msg[half:]))
		p.Number = 1
		return p
	}
	firstAnd := func(id string, next quicseal.Packet) [][]byte {
		first := initial(id, crypto(0, msg[:half])).Seal()
		return [][]byte{first, next.PadTo(datagramSize - len(first)).Seal()}
	}
	add("two-initials", "Two Initials with half of the message each.", func(id string) [][]byte { return firstAnd(id, second(id)) })
	add("zero-rtt-behind", "A 0-RTT packet follows.", func(id string) [][]byte { return [][]byte{whole(id, len(zeroRTT(id))), zeroRTT(id)} })
	const before = "quic/coalesced/zero-rtt-before"
	g.add(or(joinsQUIC(before, [][]byte{concat(zeroRTT(before), whole(before, len(zeroRTT(before))))}, "A 0-RTT packet comes first, which is not the order that clients should send.", "quic"),
		orWaits(vectors.NoClause, "quic-go 0.65, tshark 4.0")))
	add("broken-before", "An Initial that does not decrypt comes first.", func(id string) [][]byte {
		broken := initial(id, crypto(0, msg)).Seal()
		broken[len(broken)-1] ^= 1
		return [][]byte{broken, whole(id, len(broken))}
	})
	add("padding-behind", "Zeros follow the packet, outside of it.", func(id string) [][]byte { return [][]byte{whole(id, 100), zeros(100)} })
	const otherID, sameKeys = "quic/coalesced/other-dcid", "quic/coalesced/other-dcid-same-keys"
	next := initial(otherID, crypto(0, msg))
	next.DCID = connectionID(otherID, "other", 8)
	g.add(waits(otherID, [][]byte{concat(firstAnd(otherID, next)...)}, "A packet with another destination connection ID is ignored, whatever is in it.", "quic", "unfinished"))
	next = initial(sameKeys, crypto(half, msg[half:]))
	next.KeyDCID, next.DCID = next.DCID, connectionID(sameKeys, "other", 8)
	g.add(waits(sameKeys, [][]byte{concat(firstAnd(sameKeys, next)...)}, "The same, under the keys of the first.", "quic", "unfinished"))
}

func quicFaults(g *list) {
	const (
		types, spurious = "RFC 9000, Section 12.4", "RFC 9000, Section 17.2.2"
		offsets         = "RFC 9000, Section 19.6"
		changes         = "RFC 9000, Section 2.2"
	)
	msg := quicHello().bytes()
	test := func(name, code string, offset int, quicError, clause, comment string, frames ...[]byte) row {
		id := "quic/faults/" + name
		p := initial(id, frames...).PadTo(datagramSize)
		return refusesQUIC(id, p.Seal(), code, p.PayloadAt()+offset, quicError, clause, comment, "quic")
	}
	forbidden := func(name, comment string, frame ...byte) {
		g.add(or(test("frame-"+name, "frame_type", 1, "PROTOCOL_VIOLATION", types, comment, ping, frame),
			orWaits(spurious, ""), orQUICError("FRAME_ENCODING_ERROR", vectors.NoClause, "quic-go 0.65")))
	}
	forbidden("reset-stream", "RESET_STREAM has no place in an Initial.", 0x04, 0, 0, 0)
	forbidden("new-token", "NEW_TOKEN has no place in an Initial.", 0x07, 1, 0)
	forbidden("stream", "STREAM has no place in an Initial.", 0x08, 0)
	forbidden("handshake-done", "HANDSHAKE_DONE has no place in an Initial.", 0x1e)
	g.add(or(test("frame-unknown", "frame_type", 1, "FRAME_ENCODING_ERROR", types, "A frame of an unknown type.", ping, []byte{0x3f}), orWaits(spurious, "")))

	first, changed := crypto(0, msg[:110]), patch(msg, 100, msg[100]^1)[90:]
	changedAt := len(first) + len(crypto(90, changed)) - len(changed)
	const overrun = "quic/faults/length-overrun"
	frameOfAll := crypto(0, msg)
	p := initial(overrun, frameOfAll[:len(frameOfAll)-1])
	padding := datagramSize - len(p.Seal()) // before the frame: nothing may follow it
	p.Payload = concat(zeros(padding), p.Payload)
	g.add(
		or(test("offset", "crypto_offset", 0, "CRYPTO_BUFFER_EXCEEDED", offsets, "Data beyond offset 2^62-1.", []byte{0x06}, []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, []byte{1}, []byte{1}),
			orQUICError("FRAME_ENCODING_ERROR", offsets, "")),
		or(test("overlap-changed", "overlap_changed", changedAt, "PROTOCOL_VIOLATION", changes, "The second copy of a byte differs from the first.", first, crypto(90, changed)),
			orComplete(changes, "quic-go 0.65, tshark 4.0")),
		test("server-hello", "wrong_message_type", 4, "", "", "The message is a ServerHello.", crypto(0, patch(msg, 0, 2))),
		test("too-large", "message_too_large", 4, "", "", "The body is announced with 131,397 bytes.", crypto(0, []byte{1, 2, 1, 0x45})),
		refusesQUIC(overrun, p.Seal(), "field_overrun", p.PayloadAt()+padding, "FRAME_ENCODING_ERROR", "RFC 9000, Section 20.1", "The CRYPTO frame is longer than the packet, by one.", "quic"),
	)
}

// dropped is the clause by which a server drops what is no Initial of its version that it
// can open.
const dropped = "RFC 9000, Section 5.2.2"

func undecryptable(g *list) {
	msg := quicHello().bytes()
	add := func(name, comment string, datagram func(id string) []byte) {
		id := "quic/foreign/" + name
		g.add(or(foreign(id, [][]byte{datagram(id)}, comment, "quic", "foreign"), orWaits(dropped, "")))
	}
	fixed := func(name, comment string, datagram []byte) {
		add(name, comment, func(string) []byte { return datagram })
	}
	sealed := func(name, comment string, change func(id string, p *quicseal.Packet)) {
		add(name, comment, func(id string) []byte {
			p := initial(id, crypto(0, msg))
			change(id, &p)
			return padded(p)
		})
	}
	changed := func(name, comment string, change func(datagram []byte) []byte) {
		add(name, comment, func(id string) []byte { return change(padded(initial(id, crypto(0, msg)))) })
	}
	fixed("dns", "A DNS query.", concat([]byte{0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 7}, []byte("example"), []byte{3}, []byte("com"), []byte{0, 0, 1, 0, 1}))
	fixed("one-byte", "The first byte of a long header.", []byte{0xc0})
	fixed("short-header", "A packet with a short header.", concat([]byte{0x40}, filler("short", 40)))
	add("version-negotiation", "A Version Negotiation packet.", func(id string) []byte {
		return concat([]byte{0x80, 0, 0, 0, 0}, opaque8(connectionID(id, "destination", 8)), opaque8(connectionID(id, "source", 8)), []byte{0, 0, 0, 1})
	})
	add("retry", "A Retry packet.", func(id string) []byte {
		return concat([]byte{0xf0, 0, 0, 0, 1}, opaque8(connectionID(id, "destination", 8)), opaque8(connectionID(id, "source", 8)), filler("token and tag", 32))
	})
	sealed("forged", "The keys follow from another connection ID.", func(id string, p *quicseal.Packet) { p.KeyDCID = connectionID(id, "other", 8) })
	changed("changed-byte", "One bit differs.", func(d []byte) []byte { return patch(d, len(d)-20, d[len(d)-20]^1) })
	changed("changed-tag", "One bit of the tag differs.", func(d []byte) []byte { return patch(d, len(d)-1, d[len(d)-1]^1) })
	changed("v1-as-v2", "The version says 2, and everything else 1.", func(d []byte) []byte { return patch(d, 1, 0x6b, 0x33, 0x43, 0xcf) })
	add("cut", "The last byte is missing.", func(id string) []byte {
		return initial(id, crypto(0, msg)).PadTo(datagramSize + 1).Seal()[:datagramSize]
	})
	sealed("dcid-21", "A connection ID of 21 bytes, which version 1 does not have.", func(id string, p *quicseal.Packet) { p.DCID = connectionID(id, "too long", 21) })
	fixed("dtls", "A record of DTLS.", concat([]byte{22, 0xfe, 0xfd}, zeros(30)))
}

// connectionID is one that no other test has.
func connectionID(id, use string, n int) []byte { return filler(id+" "+use, n) }

// initial is an Initial packet of a client with these frames, in the test id.
func initial(id string, frames ...[]byte) quicseal.Packet {
	return quicseal.Packet{Version: quicseal.V1, DCID: connectionID(id, "destination", 8), NumberLen: 1, Payload: concat(frames...)}
}

// datagramSize is what a datagram with an Initial packet of a client has at least (RFC
// 9000, Section 14.1).
const datagramSize = 1200

// padded pads the packet to a datagram.
func padded(p quicseal.Packet) []byte { return p.PadTo(datagramSize).Seal() }

// datagrams are the packets with these numbers. A packet with the number n has payloads[n].
func datagrams(id string, version uint32, payloads [][]byte, numbers ...int) [][]byte {
	var out [][]byte
	for _, n := range numbers {
		p := initial(id, payloads[n])
		p.Number, p.Version = uint64(n), version
		out = append(out, padded(p))
	}
	return out
}

// crypto is a CRYPTO frame (RFC 9000, Section 19.6).
func crypto(offset int, data []byte) []byte {
	return quicseal.AppendCrypto(nil, uint64(offset), data)
}

var ping = []byte{0x01}

var quicVersions = []struct {
	name    string
	version uint32
}{{"v1", quicseal.V1}, {"v2", quicseal.V2}}

// quicErrors are the errors of RFC 9000, Section 20.1 that verdicts name.
var quicErrors = map[string]uint16{"FRAME_ENCODING_ERROR": 0x07, "PROTOCOL_VIOLATION": 0x0a, "CRYPTO_BUFFER_EXCEEDED": 0x0d}

const cryptoError = "CRYPTO_ERROR"

// refusesQUIC is a test of a datagram with a fault of QUIC, or with one of TLS if
// quicError is "".
func refusesQUIC(id string, datagram []byte, code string, offset int, quicError, clause, comment string, notes ...string) row {
	t := refusesPieces(id, [][]byte{datagram}, code, offset, comment, notes...)
	if quicError == "" {
		t.QUICError = &vectors.QUICError{Value: 0x100 + uint16(t.Alert.Value), Name: cryptoError, Clause: "RFC 9001, Section 4.8"}
		return t
	}
	t.Alert, t.Alternatives = nil, []vectors.Alternative{}
	t.QUICError = &vectors.QUICError{Value: quicErrors[quicError], Name: quicError, Clause: clause}
	return t
}

// orQUICError is the answer of a reader that ends the connection with an error of QUIC.
func orQUICError(name, clause, who string) vectors.Alternative {
	return vectors.Alternative{Result: vectors.Invalid, Outcome: vectors.Refused, QUICError: name, Clause: clause, Who: who}
}

// quicHello is a small hello with request_mtls, of a client with this connection ID (RFC
// 9000, Section 7.3).
func quicHello(scid ...byte) hello {
	h := base()
	h.sessionID = nil
	h.suites = []uint16{0x1301, 0x1302, 0x1303}
	h.extensions[3] = versions(0x0304)
	return h.with(alpn("h3"), raw(extQUICParameters, concat([]byte{0x0f}, opaque8(scid))...), flagsExt(80))
}

func joinsQUIC(id string, datagrams [][]byte, comment string, notes ...string) row {
	return joins(id, datagrams, quicHello(), extFlags, requestMTLS, comment, notes...)
}
