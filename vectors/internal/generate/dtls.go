package main

import (
	"encoding/binary"
	"fmt"

	"github.com/tlsflags/tlsflags/vectors"
)

var dtls = kind{
	kind:   vectors.DTLS,
	entry:  vectors.Datagrams,
	spec:   []string{"RFC 9147", "RFC 6347", "RFC 9846"},
	groups: dtlsGroups,
}

var dtlsGroups = []group{
	{"hellos", "One datagram with one record with one fragment.", "RFC 9147, Section 5.3", func(g *list) {
		add := func(name, comment string, version uint16, change func(*hello)) {
			h := dtlsHello()
			change(&h)
			t := joins("dtls/hellos/"+name, [][]byte{dtlsRecordOf(22, version, 0, 0, h.bytes())}, h, extFlags, requestMTLS, comment, "dtls")
			g.add(t)
		}
		add("dtls12", "DTLS 1.2; the record says 1.0, as it may.", 0xfeff, func(*hello) {})
		add("dtls10", "DTLS 1.0.", 0xfeff, func(h *hello) { h.version = 0xfeff })
		add("dtls13", "DTLS 1.3.", 0xfefd, func(h *hello) {
			h.suites = []uint16{0x1301}
			h.extensions = []ext{versions(0xfefc, 0xfefd), groups(x25519), signatures(0x0403), keyShare(share(x25519)), flagsExt(80)}
		})
		for _, n := range []int{1, 20, 32, 255} {
			add(fmt.Sprintf("cookie-%d", n), "A cookie of "+byteCount(n)+".", 0xfefd, func(h *hello) { h.cookie = filler("cookie", n) })
		}
		add("session-id-32", "A session_id and a cookie.", 0xfefd, func(h *hello) { h.sessionID, h.cookie = filler("session", 32), filler("cookie", 20) })
		again := dtlsHello()
		again.cookie = filler("cookie", 20)
		second := patch(again.bytes(), 4, 0, 1)
		t := joins("dtls/hellos/message-seq-1", [][]byte{dtlsRecord(1, second)}, again, extFlags, requestMTLS, "The second hello, with the cookie of the server and message_seq 1.", "dtls")
		t.Joined = second
		g.add(t)
	}},
	{"fragments", "A message in fragments, in any order, overlapping or repeated.", "RFC 9147, Section 5.5", func(g *list) {
		msg := dtlsHello().bytes()
		n := len(msg) - 12
		half := n / 2
		a, b := fragment(msg, 0, half), fragment(msg, half, n)
		var single [][]byte
		for i := n - 1; i >= 0; i-- {
			single = append(single, dtlsRecord(n-1-i, fragment(msg, i, i+1)))
		}
		g.add(
			joinsDTLS("fragments/two-datagrams", [][]byte{dtlsRecord(0, a), dtlsRecord(1, b)}, "A fragment in each of two datagrams."),
			joinsDTLS("fragments/reversed", [][]byte{dtlsRecord(1, b), dtlsRecord(0, a)}, "The second one arrives first."),
			joinsDTLS("fragments/two-records", [][]byte{concat(dtlsRecord(0, a), dtlsRecord(1, b))}, "Two records in one datagram."),
			joinsDTLS("fragments/one-record", [][]byte{dtlsRecord(0, a, b)}, "Two fragments in one record."),
			joinsDTLS("fragments/repeated", [][]byte{dtlsRecord(0, a), dtlsRecord(1, a), dtlsRecord(2, b)}, "The first one comes twice."),
			joinsDTLS("fragments/overlap", [][]byte{dtlsRecord(0, fragment(msg, 0, half+20)), dtlsRecord(1, fragment(msg, half-20, n))}, "Both have the same bytes in the middle."),
			joinsDTLS("fragments/whole-after-half", [][]byte{dtlsRecord(0, a), dtlsRecord(1, msg)}, "The first half, then all of it."),
			joinsDTLS("fragments/inside", [][]byte{dtlsRecord(0, fragment(msg, 10, 20)), dtlsRecord(1, msg)}, "Ten bytes, then all of it."),
			joinsDTLS("fragments/empty", [][]byte{dtlsRecord(0, fragment(msg, 0, 0), a), dtlsRecord(1, b)}, "A fragment without a byte."),
			joinsDTLS("fragments/inside-flags", [][]byte{dtlsRecord(0, fragment(msg, 0, n-7)), dtlsRecord(1, fragment(msg, n-7, n))}, "The cut goes through tls_flags."),
			joinsDTLS("fragments/single-bytes-reversed", [][]byte{concat(single...)}, "A fragment for each byte, the last one first."),
			joinsDTLS("fragments/other-message-between", [][]byte{dtlsRecord(0, a, patch(fragment(patch(msg, 12, 9, 9), 0, 5), 4, 0, 1)), dtlsRecord(1, b)}, "A fragment of another message_seq is for later."),
			waits("dtls/fragments/first-alone", [][]byte{dtlsRecord(0, a)}, "The second one is missing.", "dtls", "unfinished"),
			waits("dtls/fragments/gap", [][]byte{dtlsRecord(0, fragment(msg, 0, 20)), dtlsRecord(1, fragment(msg, 21, n))}, "A byte in the middle is missing.", "dtls", "unfinished"),
		)
	}},
	{"records", "A record between two fragments, which is ignored.", "RFC 9147, Section 4.5.2", func(g *list) {
		msg := dtlsHello().bytes()
		n := len(msg) - 12
		half := n / 2
		a, b := dtlsRecord(0, fragment(msg, 0, half)), dtlsRecord(1, fragment(msg, half, n))
		test := func(name, comment string, between []byte) vectors.Test {
			return joinsDTLS("records/"+name, [][]byte{concat(a, between, b)}, comment)
		}
		g.add(
			test("alert", "An alert.", dtlsRecordOf(21, 0xfefd, 0, 5, []byte{1, 0})),
			test("change-cipher-spec", "A change_cipher_spec.", dtlsRecordOf(20, 0xfefd, 0, 5, []byte{1})),
			test("epoch-1", "A record of epoch 1, which is encrypted.", dtlsRecordOf(22, 0xfefd, 1, 0, filler("encrypted", 40))),
			test("empty", "A record without a byte.", dtlsRecord(5)),
			test("sequence-repeated", "A record with the sequence number of the first.", dtlsRecord(0, fragment(msg, 0, 5))),
			joinsDTLS("records/cut-behind", [][]byte{concat(a, dtlsRecord(1, fragment(msg, half, n))[:20]), b}, "The datagram ends inside of a record."),
			joinsDTLS("records/noise-between", [][]byte{a, []byte("no DTLS"), b}, "A datagram of another protocol."),
		)
	}},
	{"faults", "Fragments that break a rule. Offsets are those in the last datagram.", "RFC 9147, Section 5.2", func(g *list) {
		msg := dtlsHello().bytes()
		n := len(msg) - 12
		half := n / 2
		a, b := fragment(msg, 0, half), fragment(msg, half, n)
		const at = 13 // where the fragment begins in the datagram
		test := func(name, code string, offset int, comment string, fragments ...[]byte) vectors.Test {
			var datagrams [][]byte
			for i, f := range fragments {
				datagrams = append(datagrams, dtlsRecord(i, f))
			}
			return refusesPieces("dtls/faults/"+name, datagrams, code, at+offset, comment, "dtls")
		}
		length := func(f []byte, n int) []byte { return patch(f, 1, byte(n>>16), byte(n>>8), byte(n)) }
		overrun := patch(fragment(msg, half, n), 9, 0, 0, byte(n-half+1))
		g.add(
			test("other-length", "fragment_mismatch", 1, "The second fragment has another length of the message.", a, length(b, n+1)),
			test("other-type", "fragment_mismatch", 0, "The second fragment is one of a ServerHello.", a, patch(b, 0, 2)),
			test("changed", "overlap_changed", 12, "The second copy of a byte differs from the first.", a, patch(fragment(msg, 10, n), 12+20, msg[12+30]^1)),
			test("beyond-end", "fragment_overrun", 6, "The fragment ends beyond the end of the message.", length(b, n-1)),
			test("beyond-end-second", "fragment_overrun", 6, "The second fragment ends beyond the end of the message.", a, patch(b, 6, 0, 0, byte(half+1))),
			test("offset-16777215", "fragment_overrun", 6, "The offset is as large as it can be.", patch(b, 6, 0xff, 0xff, 0xff)),
			test("beyond-record", "field_overrun", 0, "The fragment ends beyond the end of its record.", overrun),
			test("cut-header", "field_overrun", 0, "The record ends inside of the header of the fragment.", msg[:11]),
			test("server-hello", "wrong_message_type", 0, "The message is a ServerHello.", patch(msg, 0, 2)),
			test("too-large", "message_too_large", 1, "No ClientHello has 131,653 bytes.", length(a, 131653)),
			limited(test("memory-one-less", "over_limit", 1, "The memory lacks a byte.", a), len(msg)-1),
			limited(joinsDTLS("faults/memory-fits", [][]byte{dtlsRecord(0, a), dtlsRecord(1, b)}, "The memory has the length of the message.", "memory"), len(msg)),
		)
	}},
}

// dtlsHello is a small hello with request_mtls.
func dtlsHello() hello {
	h := flagged()
	h.dtls, h.version = true, 0xfefd
	return h
}

// dtlsRecord is a plaintext record of epoch 0.
func dtlsRecord(sequence int, fragments ...[]byte) []byte {
	return dtlsRecordOf(22, 0xfeff, 0, sequence, fragments...)
}

func dtlsRecordOf(contentType byte, version, epoch uint16, sequence int, fragments ...[]byte) []byte {
	number := binary.BigEndian.AppendUint64(nil, uint64(sequence))[2:]
	return concat([]byte{contentType}, made(uint16s(version, epoch)), number, opaque16(concat(fragments...)))
}

// fragment is a fragment with the bytes from to end of the body of msg, a message with
// the header of a complete one.
func fragment(msg []byte, from, end int) []byte {
	f := concat(msg[:12], msg[12+from:12+end])
	f = patch(f, 6, byte(from>>16), byte(from>>8), byte(from))
	return patch(f, 9, byte((end-from)>>16), byte((end-from)>>8), byte(end-from))
}

func joinsDTLS(id string, datagrams [][]byte, comment string, notes ...string) vectors.Test {
	return joins("dtls/"+id, datagrams, dtlsHello(), extFlags, requestMTLS, comment, append(notes, "dtls")...)
}
