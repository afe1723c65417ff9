package main

import (
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
	{"segments", "One record, which arrives in several pieces. The hello of the tests with tls13 in the id is for TLS 1.3 alone, the others for TLS 1.2.", "RFC 9846, Section 5.1", func(g *list) {
		for _, h := range recordHellos {
			msg := h.bytes()
			stream := records(msg)
			join := func(name, comment string, pieces [][]byte) {
				g.add(h.joins("segments", name, pieces, comment, "segments"))
			}
			join("one", "In one piece.", pieces(stream))
			join("single-bytes", "A byte at a time.", every(stream, 1))
			join("empty-between", "A piece without a byte.", [][]byte{stream[:20], nil, stream[20:]})
			join("before-flags", "Cut before tls_flags.", pieces(stream, len(stream)-16))
			join("inside-flags", "Cut inside of tls_flags.", pieces(stream, len(stream)-7))
			join("data-behind", "A change_cipher_spec follows.", pieces(concat(stream, record(typeCCS, 0x0303, []byte{1}))))
			join("message-behind", "Another message follows in the same record.", pieces(records(concat(msg, []byte{20, 0, 0, 0}))))
		}
		stream := records(flagged().bytes())
		for i := 1; i <= 9; i++ {
			g.add(joinsFlagged(fmt.Sprintf("records/segments/cut-%d", i), pieces(stream, i), fmt.Sprintf("Cut after byte %d, inside of or right after the headers of record and message.", i), "segments"))
		}
	}},
	{"split", "A message in several records. The ids are as in segments; Chromium's hellos are for both versions.", "RFC 9846, Section 5.1", func(g *list) {
		for _, h := range recordHellos {
			msg := h.bytes()
			join := func(name, comment string, stream []byte) {
				g.add(h.joins("split", name, pieces(stream), comment, "split"))
			}
			join("single-bytes", "A byte in each record.", records(every(msg, 1)...))
			join("halves", "Two records.", records(pieces(msg, len(msg)/2)...))
			join("inside-flags", "The cut goes through tls_flags.", records(pieces(msg, len(msg)-7)...))
			join("last-byte", "One byte in the second record.", records(pieces(msg, len(msg)-1)...))
			g.add(
				h.joins("split", "halves-of-single-bytes", every(records(pieces(msg, len(msg)/2)...), 1), "Two records, a byte at a time.", "split", "segments"),
				h.joins("split", "record-per-piece", [][]byte{records(msg[:50]), record(typeHandshake, 0x0303, msg[50:])}, "A record in each of two pieces.", "split", "segments"),
			)
			for i := 1; i <= 4; i++ {
				join(fmt.Sprintf("header-%d", i), "The first record has "+byteCount(i)+" of the header of the message.", records(pieces(msg, i)...))
			}
		}
		chromium := chromium().before(3, flagsExt(80))
		shape := chromium.bytes()
		for _, n := range []int{64, 512, 1300} {
			g.add(joins(fmt.Sprintf("records/split/chromium-%d", n), pieces(records(every(shape, n)...)), chromium, extFlags, requestMTLS, fmt.Sprintf("A hello like Chromium's, in records of %d bytes.", n), "split"))
		}
	}},
	{"versions", "legacy_record_version is ignored. The ids are as in segments.", "RFC 9846, Section 5.1", func(g *list) {
		const who = "BoringSSL, GnuTLS 3.7, OpenSSL 3.0"
		old, other := otherAlert("protocol_version", "RFC 9846, Appendix E.5", who), otherAlert("protocol_version", "", who)
		for _, h := range recordHellos {
			msg := h.bytes()
			second := func(v uint16) vectors.Test {
				stream := concat(records(msg[:60]), record(typeHandshake, v, msg[60:]))
				return h.joins("versions", fmt.Sprintf("second-%04x", v), pieces(stream), fmt.Sprintf("The version of the second record is 0x%04x.", v), "record_version")
			}
			for _, v := range []uint16{0x0300, 0x0301, 0x0302, 0x0303, 0x0304, 0x03ff} {
				g.add(
					h.joins("versions", fmt.Sprintf("first-%04x", v), pieces(record(typeHandshake, v, msg)), fmt.Sprintf("The version is 0x%04x.", v), "record_version"),
					second(v),
				)
			}
			for _, v := range []uint16{0x0000, 0x0200} {
				g.add(or(second(v), old))
			}
			for _, v := range []uint16{0x0400, 0xfeff, 0xffff} {
				g.add(or(second(v), other))
			}
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
			or(between("change-cipher-spec", typeCCS, []byte{1}, "A change_cipher_spec between two parts of the message."), orComplete(vectors.NoClause, "GnuTLS 3.7")),
			between("application-data", typeApplication, []byte{1, 2, 3}, "Application data between two parts of the message."),
			between("heartbeat", typeHeartbeat, []byte{1, 0, 0}, "A heartbeat between two parts of the message."),
			between("unknown", 99, []byte{1}, "A record of an unknown type between two parts of the message."),
			or(refusesPieces("records/faults/empty-first", pieces(concat(record(typeHandshake, 0x0301, nil), records(msg))), "record_empty", 3, "The first record is empty.", "record"), orComplete(vectors.NoClause, "OpenSSL 3.0")),
			or(refusesPieces("records/faults/empty-between", pieces(records(msg[:60], nil, msg[60:])), "record_empty", 5+60+3, "An empty record between two parts of the message.", "record"), orComplete(vectors.NoClause, "OpenSSL 3.0")),
			or(refusesPieces("records/faults/16385", pieces([]byte{22, 3, 1, 0x40, 0x01}), "record_overflow", 3, "The record is announced with 16,385 bytes.", "record", "largest"), orWaits(vectors.NoClause, "Go 1.26 crypto/tls, OpenSSL 3.0")),
			refusesPieces("records/faults/65535", pieces([]byte{22, 3, 1, 0xff, 0xff}), "record_overflow", 3, "The record is announced with 65,535 bytes.", "record", "largest"),
			or(refusesPieces("records/faults/second-16385", pieces(concat(records(msg[:60]), []byte{22, 3, 3, 0x40, 0x01})), "record_overflow", 5+60+3, "The second record is announced with 16,385 bytes.", "record", "largest"), orWaits(vectors.NoClause, "Go 1.26 crypto/tls, OpenSSL 3.0")),
			wrongType("server-hello", 2, "The first message is a ServerHello."),
			wrongType("finished", 20, "The first message is a Finished."),
			wrongType("hello-request", 0, "The first message is a HelloRequest."),
			or(refusesPieces("records/faults/type-alone", pieces([]byte{22, 3, 1, 0, 1, 2}), "wrong_message_type", 5, "One byte of a message says that it is no ClientHello.", "record"), orWaits(vectors.NoClause, "GnuTLS 3.7, Go 1.26 crypto/tls, OpenSSL 3.0")),
			or(refusesPieces("records/faults/too-large", pieces([]byte{22, 3, 1, 0x40, 0, 1, 2, 1, 0x45}), "message_too_large", 6, "131,397 bytes of body: nothing has to be waited for.", "record", "largest"), orWaits(vectors.NoClause, "GnuTLS 3.7, Go 1.26 crypto/tls, OpenSSL 3.0")),
			refusesPieces("records/faults/too-large-cut-header", pieces(records([]byte{1, 0xff}, []byte{0xff, 0xff})), "message_too_large", 6, "The length is cut by a record.", "record", "largest"),
			refusesPieces("records/faults/sslv2", pieces(sslv2(24, 0)), "sslv2_hello", 0, "An SSLv2-compatible hello, which cannot have extensions.", "record"),
			refusesPieces("records/faults/sslv2-session-id", pieces(sslv2(3, 16)), "sslv2_hello", 0, "An SSLv2-compatible hello with a session id.", "record"),
			refusesPieces("records/faults/sslv2-single-bytes", every(sslv2(24, 0)[:11], 1), "sslv2_hello", 0, "An SSLv2-compatible hello, a byte at a time.", "record", "segments"),
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

// A recordHello is a hello that comes in records. The names of its tests begin with prefix.
type recordHello struct {
	prefix string
	hello
}

// recordHellos are one that servers of TLS 1.2 can answer, and one for servers of TLS 1.3.
var recordHellos = []recordHello{{"", flagged()}, {"tls13-", flagged13()}}

func (h recordHello) joins(group, name string, pieces [][]byte, comment string, notes ...string) vectors.Test {
	return joins("records/"+group+"/"+h.prefix+name, pieces, h.hello, extFlags, requestMTLS, comment, notes...)
}

// flagged13 is flagged for TLS 1.3 alone.
func flagged13() hello {
	h := base().with(flagsExt(80))
	h.suites = []uint16{0x1301, 0x1302, 0x1303}
	h.extensions[3] = versions(0x0304)
	return h
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
