package main

import (
	"bytes"
	"fmt"

	"github.com/tlsflags/tlsflags/vectors"
)

var tlsRecords = kind{
	kind:   vectors.TLSRecords,
	entry:  vectors.Records,
	spec:   []string{"RFC 9846", "RFC 5246"},
	groups: tlsRecordsGroups,
}

var tlsRecordsGroups = []group{
	{"segments", "One record, which arrives in several pieces.", "RFC 9846, Section 5.1", func(g *list) {
		msg := flagged().bytes()
		stream := records(msg)
		g.add(
			joinsFlagged("records/segments/one", pieces(stream), "In one piece.", "segments"),
			joinsFlagged("records/segments/single-bytes", every(stream, 1), "A byte at a time.", "segments"),
			joinsFlagged("records/segments/empty-between", [][]byte{stream[:20], nil, stream[20:]}, "A piece without a byte.", "segments"),
			joinsFlagged("records/segments/before-flags", pieces(stream, len(stream)-16), "Cut before tls_flags.", "segments"),
			joinsFlagged("records/segments/inside-flags", pieces(stream, len(stream)-7), "Cut inside of tls_flags.", "segments"),
			joinsFlagged("records/segments/data-behind", pieces(concat(stream, record(typeCCS, 0x0303, []byte{1}))), "A change_cipher_spec follows.", "segments"),
			joinsFlagged("records/segments/message-behind", pieces(records(concat(msg, []byte{20, 0, 0, 0}))), "Another message follows in the same record.", "segments"),
		)
		for i := 1; i <= 9; i++ {
			g.add(joinsFlagged(fmt.Sprintf("records/segments/cut-%d", i), pieces(stream, i), fmt.Sprintf("Cut after byte %d, inside of or right after the headers of record and message.", i), "segments"))
		}
	}},
	{"split", "A message in several records.", "RFC 9846, Section 5.1", func(g *list) {
		msg := flagged().bytes()
		join := func(name, comment string, stream []byte) vectors.Test {
			return joinsFlagged("records/split/"+name, pieces(stream), comment, "split")
		}
		g.add(
			join("single-bytes", "A byte in each record.", records(every(msg, 1)...)),
			join("halves", "Two records.", records(pieces(msg, len(msg)/2)...)),
			join("inside-flags", "The cut goes through tls_flags.", records(pieces(msg, len(msg)-7)...)),
			join("last-byte", "One byte in the second record.", records(pieces(msg, len(msg)-1)...)),
			joinsFlagged("records/split/halves-of-single-bytes", every(records(pieces(msg, len(msg)/2)...), 1), "Two records, a byte at a time.", "split", "segments"),
			joinsFlagged("records/split/record-per-piece", [][]byte{records(msg[:50]), record(typeHandshake, 0x0303, msg[50:])}, "A record in each of two pieces.", "split", "segments"),
		)
		for i := 1; i <= 4; i++ {
			g.add(join(fmt.Sprintf("header-%d", i), "The first record has "+byteCount(i)+" of the header of the message.", records(pieces(msg, i)...)))
		}
		chromium := chromium().before(3, flagsExt(80))
		shape := chromium.bytes()
		for _, n := range []int{64, 512, 1300} {
			g.add(joins(fmt.Sprintf("records/split/chromium-%d", n), pieces(records(every(shape, n)...)), chromium, extFlags, requestMTLS, fmt.Sprintf("A hello like Chromium's, in records of %d bytes.", n), "split"))
		}
	}},
	{"versions", "legacy_record_version is to be ignored; but what has another major version is not TLS.", "RFC 9846, Section 5.1", func(g *list) {
		msg := flagged().bytes()
		for _, v := range []uint16{0x0300, 0x0301, 0x0302, 0x0303, 0x0304, 0x03ff} {
			g.add(joinsFlagged(fmt.Sprintf("records/versions/first-%04x", v), pieces(record(typeHandshake, v, msg)),
				fmt.Sprintf("The version is 0x%04x.", v), "record_version"),
				joinsFlagged(fmt.Sprintf("records/versions/second-%04x", v), pieces(concat(records(msg[:60]), record(typeHandshake, v, msg[60:]))),
					fmt.Sprintf("The version of the second record is 0x%04x.", v), "record_version"))
		}
		for _, v := range []uint16{0x0000, 0x0200, 0x0400, 0xfeff, 0xffff} {
			g.add(
				foreign(fmt.Sprintf("records/versions/first-%04x", v), pieces(record(typeHandshake, v, msg)), fmt.Sprintf("The version is 0x%04x.", v), "record_version"),
				joinsFlagged(fmt.Sprintf("records/versions/second-%04x", v), pieces(concat(records(msg[:60]), record(typeHandshake, v, msg[60:]))),
					fmt.Sprintf("The version of the second record is 0x%04x.", v), "record_version"))
		}
	}},
	{"faults", "TLS, but against its rules.", "RFC 9846, Section 5.1", func(g *list) {
		msg := flagged().bytes()
		between := func(name string, contentType byte, fragment []byte, comment string) vectors.Test {
			stream := concat(records(msg[:60]), record(contentType, 0x0303, fragment), record(typeHandshake, 0x0303, msg[60:]))
			return refusesPieces("records/faults/between-"+name, pieces(stream), "record_interleaved", 5+60, comment, "record")
		}
		wrongType := func(name string, msgType byte, comment string) vectors.Test {
			return refusesPieces("records/faults/"+name, pieces(records(patch(msg, 0, msgType))), "wrong_message_type", 5, comment, "record")
		}
		g.add(
			between("alert", typeAlert, []byte{1, 0}, "A warning alert between two parts of the message."),
			between("change-cipher-spec", typeCCS, []byte{1}, "A change_cipher_spec between two parts of the message."),
			between("application-data", typeApplication, []byte{1, 2, 3}, "Application data between two parts of the message."),
			between("heartbeat", typeHeartbeat, []byte{1, 0, 0}, "A heartbeat between two parts of the message."),
			between("unknown", 99, []byte{1}, "A record of an unknown type between two parts of the message."),
			refusesPieces("records/faults/empty-first", pieces(concat(record(typeHandshake, 0x0301, nil), records(msg))), "record_empty", 3, "The first record is empty.", "record"),
			refusesPieces("records/faults/empty-between", pieces(records(msg[:60], nil, msg[60:])), "record_empty", 5+60+3, "An empty record between two parts of the message.", "record"),
			refusesPieces("records/faults/16385", pieces([]byte{22, 3, 1, 0x40, 0x01}), "record_overflow", 3, "The record is announced with 16,385 bytes.", "record", "largest"),
			refusesPieces("records/faults/65535", pieces([]byte{22, 3, 1, 0xff, 0xff}), "record_overflow", 3, "The record is announced with 65,535 bytes.", "record", "largest"),
			refusesPieces("records/faults/second-16385", pieces(concat(records(msg[:60]), []byte{22, 3, 3, 0x40, 0x01})), "record_overflow", 5+60+3, "The second record is announced with 16,385 bytes.", "record", "largest"),
			wrongType("server-hello", 2, "The first message is a ServerHello."),
			wrongType("finished", 20, "The first message is a Finished."),
			wrongType("hello-request", 0, "The first message is a HelloRequest."),
			refusesPieces("records/faults/type-alone", pieces([]byte{22, 3, 1, 0, 1, 2}), "wrong_message_type", 5, "One byte of a message says that it is no ClientHello.", "record"),
			refusesPieces("records/faults/too-large", pieces([]byte{22, 3, 1, 0x40, 0, 1, 2, 1, 0x45}), "message_too_large", 6, "131,397 bytes of body: nothing has to be waited for.", "record", "largest"),
			refusesPieces("records/faults/too-large-cut-header", pieces(records([]byte{1, 0xff}, []byte{0xff, 0xff})), "message_too_large", 6, "The length is cut by a record.", "record", "largest"),
			refusesPieces("records/faults/sslv2", pieces(sslv2(24, 0)), "sslv2_hello", 0, "An SSLv2-compatible hello, which cannot have extensions.", "record"),
			refusesPieces("records/faults/sslv2-session-id", pieces(sslv2(3, 16)), "sslv2_hello", 0, "An SSLv2-compatible hello with a session id.", "record"),
			refusesPieces("records/faults/sslv2-single-bytes", every(sslv2(24, 0)[:11], 1), "sslv2_hello", 0, "An SSLv2-compatible hello, a byte at a time.", "record", "segments"),
		)
	}},
	{"foreign", "No TLS, or not its beginning.", "RFC 9846, Section 5.1", func(g *list) {
		msg := flagged().bytes()
		test := func(name string, stream []byte, comment string) vectors.Test {
			return foreign("records/foreign/"+name, pieces(stream), comment, "foreign")
		}
		badSSLv2 := patch(sslv2(24, 0), 10, 99)
		g.add(
			test("http", []byte("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"), "An HTTP request."),
			test("ssh", []byte("SSH-2.0-OpenSSH_9.2\r\n"), "The banner of SSH."),
			test("smtp", []byte("EHLO client.example.com\r\n"), "SMTP, before STARTTLS."),
			test("http2", []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "The preface of HTTP/2."),
			test("zeros", zeros(64), "Zeros."),
			test("message-without-record", msg, "The message without a record."),
			test("alert", record(typeAlert, 0x0303, []byte{2, 40}), "An alert."),
			test("application-data", record(typeApplication, 0x0303, bytes.Repeat([]byte{7}, 32)), "Application data: the middle of a connection."),
			test("change-cipher-spec", concat(record(typeCCS, 0x0303, []byte{1}), records(msg)), "A change_cipher_spec before the hello."),
			test("one-byte", []byte{0x15}, "One byte decides."),
			test("sslv2-server-hello", concat([]byte{0x80, 11, 4}, zeros(10)), "An SSLv2 message of another type."),
			test("sslv2-lengths", badSSLv2, "Like an SSLv2-compatible hello, but its lengths do not add up."),
		)
	}},
	{"unfinished", "TLS so far, and not complete.", "RFC 9846, Section 5.1", func(g *list) {
		msg := flagged().bytes()
		stream := records(msg)
		two := records(pieces(msg, 60)...)
		g.add(
			waits("records/unfinished/nothing", [][]byte{nil}, "No byte.", "unfinished"),
			waits("records/unfinished/one-short", pieces(stream[:len(stream)-1]), "One byte is missing.", "unfinished"),
			waits("records/unfinished/first-record", pieces(two[:65]), "One of two records.", "unfinished"),
			waits("records/unfinished/second-header", pieces(two[:68]), "Inside of the header of the second record.", "unfinished"),
			waits("records/unfinished/record-ends-early", pieces(records(msg[:len(msg)-1])), "The record ends; the message lacks a byte.", "unfinished"),
			waits("records/unfinished/longest", pieces([]byte{22, 3, 1, 0x40, 0, 1, 2, 1, 0x44}), "The longest hello there is, announced.", "unfinished", "largest"),
			waits("records/unfinished/sslv2", pieces(sslv2(24, 0)[:10]), "An SSLv2-compatible hello, as far as it goes.", "unfinished"),
		)
		for i := 1; i <= 8; i++ {
			g.add(waits(fmt.Sprintf("records/unfinished/header-%d", i), pieces(stream[:i]), byteCount(i)+".", "unfinished"))
		}
	}},
	{"limits", "As long as a record, or the memory of the reader, allows.", "RFC 9846, Section 5.1", func(g *list) {
		msg := flagged().bytes()
		split := records(pieces(msg, 60)...)
		g.add(
			limited(joinsFlagged("records/limits/memory-fits", pieces(split), "The memory has the length of the message.", "memory"), len(msg)),
			limited(refusesPieces("records/limits/memory-one-less", pieces(split), "over_limit", 6, "The memory lacks a byte. The length of the message shows it.", "memory"), len(msg)-1),
			limited(refusesPieces("records/limits/memory-one-less-header", pieces(records(msg)[:9]), "over_limit", 6, "The memory lacks a byte; nothing but the headers is here.", "memory"), len(msg)-1),
		)
	}},
}

const (
	typeCCS         = 20
	typeAlert       = 21
	typeHandshake   = 22
	typeApplication = 23
	typeHeartbeat   = 24
)

// record is one TLS record.
func record(contentType byte, version uint16, fragment []byte) []byte {
	return concat([]byte{contentType}, made(uint16s(version)), opaque16(fragment))
}

// records is a stream with a record for each fragment, as clients write them.
func records(fragments ...[]byte) []byte {
	var stream []byte
	for i, f := range fragments {
		version := uint16(0x0301)
		if i > 0 {
			version = 0x0303
		}
		stream = append(stream, record(typeHandshake, version, f)...)
	}
	return stream
}

// flagged is a small hello with request_mtls.
func flagged() hello {
	h := base12().with(flagsExt(80))
	h.sessionID = nil
	return h
}

var requestMTLS = []uint16{80}

func joinsFlagged(id string, pieces [][]byte, comment string, notes ...string) vectors.Test {
	return joins(id, pieces, flagged(), extFlags, requestMTLS, comment, notes...)
}

// sslv2 is an SSLv2-compatible hello, as in RFC 5246, Appendix E.2.
func sslv2(specs, sessionID int) []byte {
	body := concat([]byte{1, 3, 1}, made(uint16s(uint16(specs), uint16(sessionID), 16)), zeros(specs), filler("session", sessionID), filler("challenge", 16))
	return concat([]byte{0x80 | byte(len(body)>>8), byte(len(body))}, body)
}
