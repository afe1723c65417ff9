package main

import (
	"bytes"
	"fmt"

	"github.com/tlsflags/tlsflags/internal/quicseal"
	"github.com/tlsflags/tlsflags/vectors"
)

var firstBytes = kind{
	kind:   vectors.FirstBytes,
	entry:  vectors.Records,
	others: map[string]vectors.Entry{"quic": vectors.QUICDatagrams, "dtls": vectors.DTLSDatagrams},
	spec:   []string{"RFC 9846", "RFC 9000", "RFC 9147"},
	groups: firstBytesGroups,
}

var firstBytesGroups = []group{
	{"record-version", "A record of type handshake with another major version than 3.", "RFC 9846, Section 5.1", func(g *list) {
		msg := flagged().bytes()
		const gnutls, golang = "GnuTLS 3.7", "Go 1.26 crypto/tls"
		for _, v := range []struct {
			version           uint16
			accepted, refused string // who does
			clause            string // for refusing
		}{
			{0x0000, golang, gnutls, "RFC 9846, Appendix E.5"},
			{0x0200, golang, gnutls, "RFC 9846, Appendix E.5"},
			{0x0400, golang, gnutls, ""},
			{0xfeff, "", gnutls, ""},
			{0xffff, "", gnutls, ""},
		} {
			t := foreign(fmt.Sprintf("records/versions/first-%04x", v.version), pieces(record(typeHandshake, v.version, msg)), fmt.Sprintf("The version is 0x%04x.", v.version), "record_version")
			g.add(or(t, orComplete("RFC 9846, Section 5.1", v.accepted), otherAlert("protocol_version", v.clause, v.refused)))
		}
	}},
	{"tls", "No record of TLS, or not the first one of a client. A server that knows nothing but TLS takes it for a record of an unexpected type.", "RFC 9846, Section 5", firstOfStream},
	{"quic", "Nothing that a server may start a connection with, though no clause has it dropped.", "RFC 9000, Section 5.2.2", func(g *list) {
		const unknown, zeroRTT = "quic/foreign/unknown-version", "quic/foreign/zero-rtt"
		early := initial(zeroRTT, zeros(40))
		early.Type = quicseal.ZeroRTT
		add := func(id string, datagram []byte, comment, clause string) {
			g.add(or(foreign(id, [][]byte{datagram}, comment, "quic", "foreign"), orWaits(clause, "")))
		}
		add("quic/foreign/empty", nil, "A datagram without a byte.", vectors.NoClause)
		add(unknown, patch(padded(initial(unknown, crypto(0, quicHello().bytes()))), 1, 0x1a, 0x2a, 0x3a, 0x4a), "A version that asks for Version Negotiation.", dropped)
		add(zeroRTT, early.Seal(), "A 0-RTT packet: a server may keep it until the Initial comes.", dropped)
	}},
	{"dtls", "No DTLS, or nothing of a handshake that can be read. Invalid records should be discarded.", "RFC 9147, Section 4.5.2", func(g *list) {
		const discarded = "RFC 9147, Section 4.5.2"
		msg := dtlsHello().bytes()
		record := dtlsRecord(0, msg)
		test := func(name string, datagram []byte, comment string, others ...vectors.Alternative) {
			t := foreign("dtls/foreign/"+name, [][]byte{datagram}, comment, "dtls", "foreign")
			g.add(or(t, append(others, orWaits(discarded, ""))...))
		}
		test("empty", nil, "A datagram without a byte.")
		test("tls-record", records(flagged().bytes()), "A record of TLS.")
		test("version-0303", dtlsRecordOf(22, 0x0303, 0, 0, msg), "The version is one of TLS.", orComplete("RFC 9147, Section 4", ""))
		test("cut-header", record[:12], "The datagram ends inside of the header.")
		test("cut-record", record[:len(record)-1], "The last byte of the record is missing.")
		test("epoch-1", dtlsRecordOf(22, 0xfefd, 1, 0, msg), "A record of epoch 1.")
		test("application-data", dtlsRecordOf(23, 0xfefd, 0, 0, msg), "Application data.")
		test("encrypted-13", concat([]byte{0x2e, 0, 1, 0, 32}, filler("encrypted", 32)), "An encrypted record of DTLS 1.3.")
		test("stun", concat([]byte{0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42}, filler("stun", 12)), "A STUN request.")
		const quic = "dtls/foreign/quic"
		test("quic", padded(initial(quic, crypto(0, quicHello().bytes()))), "An Initial packet of QUIC.")
	}},
}

// firstOfStream adds the tests of streams whose first byte is not that of a handshake
// record.
func firstOfStream(g *list) {
	const (
		clause = "RFC 9846, Section 5"
		all    = "GnuTLS 3.7, Go 1.26 crypto/tls, OpenSSL 3.0"
	)
	msg := flagged().bytes()
	test := func(name string, stream []byte, comment string, others ...vectors.Alternative) {
		g.add(or(foreign("records/foreign/"+name, pieces(stream), comment, "foreign"), others...))
	}
	gnutls, both := otherAlert("unexpected_message", clause, "GnuTLS 3.7"), otherAlert("unexpected_message", clause, "GnuTLS 3.7, OpenSSL 3.0")
	test("http", []byte("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"), "An HTTP request.", gnutls)
	test("ssh", []byte("SSH-2.0-OpenSSH_9.2\r\n"), "The banner of SSH.", gnutls)
	test("smtp", []byte("EHLO client.example.com\r\n"), "SMTP, before STARTTLS.", gnutls)
	test("http2", []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "The preface of HTTP/2.", gnutls)
	test("zeros", zeros(64), "Zeros.", gnutls)
	test("message-without-record", msg, "The message without a record.", gnutls)
	test("alert", record(typeAlert, 0x0303, []byte{2, 40}), "An alert.", both)
	test("application-data", record(typeApplication, 0x0303, bytes.Repeat([]byte{7}, 32)), "Application data: the middle of a connection.", both)
	test("change-cipher-spec", concat(record(typeCCS, 0x0303, []byte{1}), records(msg)), "A change_cipher_spec before the hello.",
		orComplete(clause+", if the server keeps no state", "GnuTLS 3.7"), otherAlert("unexpected_message", clause, "OpenSSL 3.0"))
	test("one-byte", []byte{0x15}, "One byte decides.", orWaits(vectors.NoClause, all))
	test("sslv2-server-hello", concat([]byte{0x80, 11, 4}, zeros(10)), "An SSLv2 message of another type.",
		gnutls, otherAlert("protocol_version", "", "Go 1.26 crypto/tls"))
	test("sslv2-lengths", patch(sslv2(24, 0), 10, 99), "Like an SSLv2-compatible hello, but its lengths do not add up.",
		otherAlert("protocol_version", "RFC 9846, Appendix E.5", "GnuTLS 3.7, Go 1.26 crypto/tls"), otherAlert("decode_error", "", "OpenSSL 3.0"))
}
