package main

import (
	"bytes"
	"fmt"

	"github.com/tlsflags/tlsflags/vectors"
)

var extensionBodies = kind{
	kind:   vectors.ExtensionBodies.Any(),
	entry:  vectors.Handshake,
	spec:   []string{"RFC 9846", "RFC 6066", "RFC 7301", "RFC 5746", "RFC 7627", "RFC 8422", "RFC 8449", "RFC 8879", "RFC 9849"},
	groups: extensionBodiesGroups,
}

var extensionBodiesGroups = []group{
	{"valid", "Bodies that are well formed, though not usual.", "RFC 9846, Section 4.3", func(g *list) {
		add := func(name, comment string, e ext) {
			h, msg, _ := carrying(e)
			g.add(accept("bodies/valid/"+name, msg, h.noFlags(), comment, "body"))
		}
		add("key-share-none", "No key share: the client asks for a HelloRetryRequest.", keyShare())
		add("server-name-other-type", "A name of an unknown type, and no host name.", raw(extServerName, opaque16([]byte{9, 0, 1, 'x'})...))
		add("status-request-other-type", "A status type that nobody knows, whose body is not defined.", raw(extStatusRequest, 9, 1, 2, 3))
		add("session-ticket", "A ticket, which only its server reads.", raw(extSessionTicket, filler("ticket", 48)...))
		add("alpn-255", "A protocol name of 255 bytes.", alpn(string(bytes.Repeat([]byte{'x'}, 255))))
		add("record-size-limit-64", "The smallest limit.", raw(extRecordSizeLimit, 0, 64))
		add("ech-inner", "The mark of an inner hello.", raw(extECH, 1))
		add("renegotiation-info-12", "A renegotiation.", raw(extRenegotiation, opaque8(filler("verify", 12))...))
	}},
	{"malformed", "The body of a known extension is malformed. Who does not look into it accepts the hello.", "RFC 9846, Section 4.3", func(g *list) {
		identity := concat(opaque16(filler("ticket", 4)), zeros(4))
		binder := opaque8(filler("binder", 32))
		ech := func(enc, payload []byte) []byte {
			return concat([]byte{0}, made(uint16s(1, 1)), []byte{7}, opaque16(enc), opaque16(payload))
		}
		for _, c := range []struct {
			name   string
			typ    uint16
			data   []byte
			code   string
			offset int // in the body
		}{
			{"server-name/empty", extServerName, nil, "field_overrun", 0},
			{"server-name/no-names", extServerName, opaque16(nil), "vector_empty", 0},
			{"server-name/list-overrun", extServerName, []byte{0, 7, 0, 0, 3, 'a', '.', 'b'}, "field_overrun", 0},
			{"server-name/name-empty", extServerName, opaque16([]byte{0, 0, 0}), "vector_empty", 3},
			{"server-name/name-overrun", extServerName, opaque16([]byte{0, 0, 4, 'a', '.', 'b'}), "field_overrun", 3},
			{"server-name/two-host-names", extServerName, opaque16([]byte{0, 0, 1, 'a', 0, 0, 1, 'b'}), "illegal_value", 6},
			{"server-name/trailing-byte", extServerName, append(opaque16([]byte{0, 0, 1, 'a'}), 0), "stray_bytes", 6},
			{"alpn/empty", extALPN, nil, "field_overrun", 0},
			{"alpn/no-names", extALPN, opaque16(nil), "vector_empty", 0},
			{"alpn/list-of-one-byte", extALPN, opaque16([]byte{0}), "vector_size", 0},
			{"alpn/name-empty", extALPN, opaque16([]byte{0, 0}), "vector_empty", 2},
			{"alpn/name-overrun", extALPN, opaque16([]byte{3, 'h', '2'}), "field_overrun", 2},
			{"alpn/trailing-byte", extALPN, append(opaque16(opaque8([]byte("h2"))), 0), "stray_bytes", 5},
			{"supported-groups/none", extGroups, opaque16(nil), "vector_empty", 0},
			{"supported-groups/odd", extGroups, opaque16([]byte{0, 29, 0}), "vector_size", 0},
			{"supported-groups/overrun", extGroups, []byte{0, 4, 0, 29}, "field_overrun", 0},
			{"supported-groups/trailing-byte", extGroups, []byte{0, 2, 0, 29, 0}, "stray_bytes", 4},
			{"signature-algorithms/none", extSignatures, opaque16(nil), "vector_empty", 0},
			{"signature-algorithms/odd", extSignatures, opaque16([]byte{4, 3, 8}), "vector_size", 0},
			{"signature-algorithms/overrun", extSignatures, []byte{0, 4, 4, 3}, "field_overrun", 0},
			{"supported-versions/none", extVersions, []byte{0}, "vector_empty", 0},
			{"supported-versions/odd", extVersions, []byte{3, 3, 4, 3}, "vector_size", 0},
			{"supported-versions/overrun", extVersions, []byte{4, 3, 4}, "field_overrun", 0},
			{"supported-versions/trailing-byte", extVersions, []byte{2, 3, 4, 0}, "stray_bytes", 3},
			{"key-share/empty", extKeyShare, nil, "field_overrun", 0},
			{"key-share/half-an-entry", extKeyShare, opaque16([]byte{0, 29, 0}), "field_overrun", 4},
			{"key-share/key-empty", extKeyShare, opaque16([]byte{0, 29, 0, 0}), "vector_empty", 4},
			{"key-share/key-overrun", extKeyShare, opaque16([]byte{0, 29, 0, 2, 9}), "field_overrun", 4},
			{"key-share/trailing-byte", extKeyShare, append(opaque16([]byte{0, 29, 0, 1, 9}), 0), "stray_bytes", 7},
			{"psk-key-exchange-modes/none", extPSKModes, []byte{0}, "vector_empty", 0},
			{"psk-key-exchange-modes/overrun", extPSKModes, []byte{2, 1}, "field_overrun", 0},
			{"psk-key-exchange-modes/trailing-byte", extPSKModes, []byte{1, 1, 0}, "stray_bytes", 2},
			{"ec-point-formats/none", extPointFormats, []byte{0}, "vector_empty", 0},
			{"cookie/none", extCookie, opaque16(nil), "vector_empty", 0},
			{"cookie/overrun", extCookie, []byte{0, 2, 1}, "field_overrun", 0},
			{"renegotiation-info/empty", extRenegotiation, nil, "field_overrun", 0},
			{"renegotiation-info/trailing-byte", extRenegotiation, []byte{0, 0}, "stray_bytes", 1},
			{"early-data/byte", extEarlyData, []byte{0}, "stray_bytes", 0},
			{"extended-main-secret/byte", extMainSecret, []byte{0}, "stray_bytes", 0},
			{"record-size-limit/empty", extRecordSizeLimit, nil, "field_overrun", 0},
			{"record-size-limit/63", extRecordSizeLimit, []byte{0, 63}, "illegal_value", 0},
			{"record-size-limit/trailing-byte", extRecordSizeLimit, []byte{0x40, 1, 0}, "stray_bytes", 2},
			{"compress-certificate/none", extCompressCert, []byte{0}, "vector_empty", 0},
			{"compress-certificate/odd", extCompressCert, []byte{3, 0, 2, 0}, "vector_size", 0},
			{"status-request/empty", extStatusRequest, nil, "field_overrun", 0},
			{"status-request/no-extensions", extStatusRequest, []byte{1, 0, 0}, "field_overrun", 3},
			{"status-request/responder-empty", extStatusRequest, []byte{1, 0, 2, 0, 0, 0, 0}, "vector_empty", 3},
			{"pre-shared-key/no-identities", extPreSharedKey, concat(opaque16(nil), opaque16(binder)), "vector_empty", 0},
			{"pre-shared-key/identity-empty", extPreSharedKey, concat(opaque16(concat(zeros(6), []byte{1})), opaque16(binder)), "vector_empty", 2},
			{"pre-shared-key/identities-of-6", extPreSharedKey, concat(opaque16(zeros(6)), opaque16(binder)), "vector_size", 0},
			{"pre-shared-key/no-binders", extPreSharedKey, concat(opaque16(identity), opaque16(nil)), "vector_empty", 12},
			{"pre-shared-key/binder-of-31", extPreSharedKey, concat(opaque16(identity), opaque16(concat(opaque8(filler("binder", 31)), []byte{0}))), "vector_size", 14},
			{"pre-shared-key/two-binders", extPreSharedKey, concat(opaque16(identity), opaque16(concat(binder, binder))), "illegal_value", 12},
			{"encrypted-client-hello/empty", extECH, nil, "field_overrun", 0},
			{"encrypted-client-hello/type-2", extECH, []byte{2}, "illegal_value", 0},
			{"encrypted-client-hello/inner-byte", extECH, []byte{1, 0}, "stray_bytes", 1},
			{"encrypted-client-hello/no-payload", extECH, ech(nil, nil), "vector_empty", 8},
			{"encrypted-client-hello/trailing-byte", extECH, append(ech(nil, []byte{1}), 0), "stray_bytes", 11},
		} {
			_, msg, body := carrying(raw(c.typ, c.data...))
			g.add(refuse("bodies/malformed/"+c.name, msg, c.code, body+c.offset, byteCount(len(c.data))+".", "body"))
		}
	}},
	{"overflow", "Lengths from 65,528 on in every 16-bit field of these bodies.", "RFC 9846, Section 6.2", func(g *list) {
		identities := concat(opaque16(filler("ticket", 4)), zeros(4))
		psk := concat(opaque16(identities), opaque16(opaque8(filler("binder", 32))))
		for n := 65528; n <= 65535; n++ {
			list16 := "field_overrun"
			if n%2 != 0 {
				list16 = "vector_size"
			}
			for _, f := range []struct {
				name   string
				e      ext
				offset int // of the length, in the body
				code   string
			}{
				{"server-name-list", serverName("a.b"), 0, "field_overrun"},
				{"host-name", serverName("a.b"), 3, "field_overrun"},
				{"alpn", alpn("h2"), 0, "field_overrun"},
				{"supported-groups", groups(x25519), 0, list16},
				{"signature-algorithms", signatures(0x0403), 0, list16},
				{"key-share", raw(extKeyShare, opaque16([]byte{0, 29, 0, 1, 9})...), 0, "field_overrun"},
				{"key-exchange", raw(extKeyShare, opaque16([]byte{0, 29, 0, 1, 9})...), 4, "field_overrun"},
				{"cookie", raw(extCookie, opaque16([]byte{1})...), 0, "field_overrun"},
				{"psk-identities", raw(extPreSharedKey, psk...), 0, "field_overrun"},
				{"psk-identity", raw(extPreSharedKey, psk...), 2, "field_overrun"},
				{"psk-binders", raw(extPreSharedKey, psk...), 2 + len(identities), "field_overrun"},
			} {
				_, msg, body := carrying(f.e)
				g.add(refuse(fmt.Sprintf("bodies/overflow/%s-%d", f.name, n), patch16(msg, body+f.offset, n), f.code, body+f.offset, fmt.Sprintf("The length is %d.", n), "body", "overflow"))
			}
		}
	}},
}

// carrying is a ClientHello with one extension, and where the body of it begins.
func carrying(e ext) (h hello, msg []byte, body int) {
	h = minimal()
	h.noBlock, h.extensions = false, []ext{e}
	msg, at := h.build()
	return h, msg, at.extensions[0] + 4
}
