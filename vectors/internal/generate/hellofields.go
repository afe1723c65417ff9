package main

import (
	"fmt"

	"github.com/tlsflags/tlsflags/vectors"
)

// helloFieldGroups are about the header and the fields before the extensions.
var helloFieldGroups = []group{
	{"header", "The header of the handshake message.", "RFC 9846, Section 4", func(g *list) {
		msg := base().with(flagsExt(80)).bytes()
		for _, t := range []struct {
			value byte
			name  string
		}{
			{0, "hello_request"}, {2, "server_hello"}, {3, "hello_verify_request"}, {4, "new_session_ticket"}, {8, "encrypted_extensions"}, {11, "certificate"},
			{13, "certificate_request"}, {20, "finished"}, {22, "a record of a handshake"}, {128, "an SSLv2 record"}, {254, "message_hash"}, {255, "unknown"},
		} {
			g.add(refuse(fmt.Sprintf("hello/header/type-%d", t.value), patch(msg, 0, t.value), "wrong_message_type", 0, fmt.Sprintf("The message type is %d, %s.", t.value, t.name), "header"))
		}
		tooLarge := func(name string, length int, comment string) row {
			return refuse("hello/header/"+name, patch(msg, 1, byte(length>>16), byte(length>>8), byte(length)), "message_too_large", 1, comment, "header", "largest")
		}
		g.add(
			refuse("hello/header/type-alone", []byte{2}, "wrong_message_type", 0, "One byte says that this is no ClientHello.", "header"),
			tooLarge("length-131397", 131397, "One byte more than a ClientHello can have."),
			tooLarge("length-196608", 0x030000, "Its low 16 bits are zero."),
			tooLarge("length-8388608", 0x800000, "The top bit is set."),
			tooLarge("length-16777215", 0xffffff, "As large as the field can say."),
			refuse("hello/header/length-131397-header-alone", []byte{1, 2, 1, 0x45}, "message_too_large", 1, "No reader has to wait for the body of this message.", "header", "largest"),
			refuse("hello/header/length-0", []byte{1, 0, 0, 0}, "field_overrun", 4, "No body.", "header", "cut"),
		)
	}},
	{"truncated", "The message is longer than the bytes given: not wrong, but not whole.", "RFC 9846, Section 6.2", func(g *list) {
		msg := base().with(flagsExt(80)).bytes()
		g.add(
			refuse("hello/truncated/nothing", nil, "truncated", 0, "No byte at all.", "truncated"),
			refuse("hello/header/length-131396", []byte{1, 2, 1, 0x44}, "truncated", 4, "The longest body there is, which is not here yet.", "header", "largest", "truncated"),
			refuse("hello/header/length-one-more", patch(msg, 1, 0, byte((len(msg)-3)>>8), byte(len(msg)-3)), "truncated", len(msg), "The message is announced with one byte more than there is.", "header", "truncated"),
		)
		for _, n := range []int{1, 2, 3, 4, 5, 6, 38, 39, len(msg) - 11, len(msg) - 1} {
			g.add(refuse(fmt.Sprintf("hello/truncated/%d", n), msg[:n], "truncated", n, fmt.Sprintf("The first %d of %d bytes.", n, len(msg)), "truncated"))
		}
	}},
	{"prefixes", "Each test has one input for each length in prefixes: that many bytes of the input. The offset is the length.", "RFC 9846, Section 6.2", func(g *list) {
		for _, s := range []struct {
			shape
			flags []uint16
		}{
			{shape{"minimal", "The shortest hello.", minimal()}, nil},
			{shape{"tls12", "A hello of TLS 1.2 with tls_flags.", base12().with(flagsExt(80))}, requestMTLS},
			{shape{"chromium", "A hello with the shape of Chromium's, with tls_flags.", chromium().before(3, flagsExt(80))}, requestMTLS},
		} {
			msg := s.hello.bytes()
			t := refuse("hello/prefixes/"+s.name, msg, "truncated", 0, s.comment, "truncated")
			t.Offset = nil
			t.Prefixes = &vectors.Range{From: 0, To: len(msg) - 1}
			parsed := s.hello.parsed(extFlags, s.flags...)
			t.Parsed = &parsed
			g.add(t)
		}
	}},
	{"cut", "The message ends inside of a field, and its length agrees.", "RFC 9846, Section 6.2", func(g *list) {
		h := base12().with(flagsExt(80))
		msg, at := h.build()
		last := at.extensions[len(at.extensions)-1]
		for _, c := range []struct {
			name, code  string
			end, offset int
		}{
			{"version-none", "field_overrun", 4, 4},
			{"version-half", "field_overrun", 5, 4},
			{"random-none", "field_overrun", 6, 6},
			{"random-31", "field_overrun", 37, 6},
			{"session-id-none", "field_overrun", 38, 38},
			{"session-id-empty", "field_overrun", 39, 38},
			{"session-id-31", "field_overrun", 70, 38},
			{"cipher-suites-none", "field_overrun", at.suites, at.suites},
			{"cipher-suites-half-length", "field_overrun", at.suites + 1, at.suites},
			{"cipher-suites-empty", "field_overrun", at.suites + 2, at.suites},
			{"cipher-suites-half", "field_overrun", at.suites + 3, at.suites},
			{"cipher-suites-one-short", "field_overrun", at.compression - 1, at.suites},
			{"compression-none", "field_overrun", at.compression, at.compression},
			{"compression-empty", "field_overrun", at.compression + 1, at.compression},
			{"block-half-length", "stray_bytes", at.block + 1, at.block},
			{"block-length-alone", "field_overrun", at.block + 2, at.block},
			{"block-type-half", "field_overrun", at.block + 3, at.block},
			{"block-header-alone", "field_overrun", at.block + 6, at.block},
			{"block-before-last", "field_overrun", last, at.block},
			{"block-one-short", "field_overrun", at.end - 1, at.block},
		} {
			g.add(refuse("hello/cut/"+c.name, cut(msg, c.end), c.code, c.offset, "The body is "+byteCount(c.end-4)+" long.", "cut"))
		}
	}},
	{"legacy-version", "legacy_version has any value: whoever negotiates judges it, not who reads.", "RFC 9846, Section 4.2.2", func(g *list) {
		for _, v := range []uint16{0x0000, 0x0002, 0x0200, 0x0300, 0x0301, 0x0302, 0x0304, 0x0305, 0x7f1c, 0xfefd, 0xffff} {
			h := base().with(flagsExt(80))
			h.version = v
			g.add(h.setsRequestMTLS(fmt.Sprintf("hello/legacy-version/%04x", v), fmt.Sprintf("0x%04x, with supported_versions.", v), "version"))
		}
		for _, v := range []uint16{0x0300, 0x0301, 0x0302, 0x0303, 0x0304} {
			h := base12().with(flagsExt(80))
			h.version = v
			g.add(h.setsRequestMTLS(fmt.Sprintf("hello/legacy-version/%04x-alone", v), fmt.Sprintf("0x%04x, without supported_versions.", v), "version", "old_version"))
		}
	}},
	{"session-id", "legacy_session_id has 0 to 32 bytes.", "RFC 9846, Section 4.2.2", func(g *list) {
		h := base().with(flagsExt(80))
		for n := range 33 {
			h.sessionID = filler("session", n)
			g.add(h.setsRequestMTLS(fmt.Sprintf("hello/session-id/%d", n), byteCount(n)+".", "session_id"))
		}
		for _, n := range []int{33, 34, 48, 64, 127, 128, 254, 255} {
			h.sessionID = filler("session", n)
			g.add(refuse(fmt.Sprintf("hello/session-id/%d", n), h.bytes(), "session_id_too_long", 38, byteCount(n)+", all of them there.", "session_id"))
		}
		h.sessionID = nil
		g.add(refuse("hello/session-id/255-alone", cut(patch(h.bytes(), 38, 255), 39), "session_id_too_long", 38, "The message ends after the length 255.", "session_id"))
	}},
	{"cipher-suites", "cipher_suites has 2 to 65,534 bytes, two a suite.", "RFC 9846, Section 4.2.2", func(g *list) {
		h := base().with(flagsExt(80))
		msg, at := h.build()
		none := h
		none.suites = nil
		test := func(name, comment string, suites ...uint16) row {
			h.suites = suites
			return h.setsRequestMTLS("hello/cipher-suites/"+name, comment, "cipher_suites")
		}
		odd := func(name string, length int, comment string) row {
			return refuse("hello/cipher-suites/"+name, patch16(msg, at.suites, length), "cipher_suites_odd", at.suites, comment, "cipher_suites")
		}
		many := make([]uint16, 256)
		for i := range many {
			many[i] = 0x1300 + uint16(i)
		}
		three := handshake(1, concat(msg[4:at.suites], opaque16([]byte{0x13, 0x01, 0x13}), msg[at.compression:]))
		g.add(
			test("one", "One suite.", 0x1301),
			test("unknown", "A suite that nobody knows.", 0x1301, 0xeeee),
			test("twice", "The same suite twice, which nothing forbids.", 0x1301, 0x1301),
			test("zero", "TLS_NULL_WITH_NULL_NULL is a suite like others to who reads.", 0x0000, 0x1301),
			test("256", "256 suites: the length has a zero low byte.", many...),
			refuse("hello/cipher-suites/empty", none.bytes(), "cipher_suites_empty", at.suites, "No suite; the fields after it are there.", "cipher_suites"),
			refuse("hello/cipher-suites/empty-ends", cut(none.bytes(), at.suites+2), "cipher_suites_empty", at.suites, "No suite, and no further field.", "cipher_suites"),
			odd("odd-1", 1, "Half a suite; the length is less than what is there."),
			odd("odd-less", 13, "One byte less than seven suites."),
			odd("odd-more", 15, "One byte more than seven suites."),
			refuse("hello/cipher-suites/odd-3-fits", three, "cipher_suites_odd", at.suites, "Three bytes, and the fields after them fit.", "cipher_suites"),
		)
	}},
	{"compression", "legacy_compression_methods has 1 to 255 bytes; which values is for who negotiates.", "RFC 9846, Section 4.2.2", func(g *list) {
		h := base12().with(flagsExt(80))
		msg, at := h.build()
		test := func(name, comment string, methods ...byte) row {
			h.compression = methods
			return h.setsRequestMTLS("hello/compression/"+name, comment, "compression")
		}
		none := base12().with(flagsExt(80))
		none.compression = nil
		methods := make([]byte, 255)
		for i := range methods {
			methods[i] = byte(i)
		}
		h13 := base().with(flagsExt(80))
		h13.compression = []byte{0, 1}
		g.add(
			test("deflate", "DEFLATE without null.", 1),
			test("deflate-null", "DEFLATE and null, as TLS 1.2 allows.", 1, 0),
			test("null-twice", "Null twice.", 0, 0),
			test("255", "As many as there can be.", methods...),
			h13.setsRequestMTLS("hello/compression/tls13-deflate", "TLS 1.3 wants null alone.", "compression"),
			refuse("hello/compression/empty", none.bytes(), "compression_methods_empty", at.compression, "No method.", "compression"),
			refuse("hello/compression/empty-ends", cut(none.bytes(), at.compression+1), "compression_methods_empty", at.compression, "No method, and nothing after it.", "compression"),
			refuse("hello/compression/overrun-255", cut(patch(msg, at.compression, 255), at.end), "field_overrun", at.compression, "255 methods, fewer bytes.", "compression", "overflow"),
			refuse("hello/compression/overrun-by-one", cut(patch(msg, at.compression, 2), at.compression+2), "field_overrun", at.compression, "Two methods, one byte.", "compression"),
		)
	}},
}
