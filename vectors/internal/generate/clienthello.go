package main

import (
	"fmt"
	"slices"

	"golang.org/x/crypto/cryptobyte"

	"github.com/tlsflags/tlsflags/vectors"
)

var clientHello = kind{
	kind:   vectors.ClientHello,
	entry:  vectors.Handshake,
	spec:   []string{"draft-ietf-tls-tlsflags-16", "RFC 9846", "RFC 5246", "RFC 8701", "RFC 9849"},
	groups: clientHelloGroups,
}

var clientHelloGroups = []group{
	{"shapes", "Hellos with the shape of those that programs send, without flags and with request_mtls.", "RFC 9846, Section 4.2.2", func(g *list) {
		for _, s := range append(shapes(),
			shape{"tls13", "Only what TLS 1.3 needs.", base()},
			shape{"tls12", "Only what TLS 1.2 needs.", base12()},
		) {
			g.add(s.hello.setsNothing("hello/shape/"+s.name, s.comment, "shape"))
			for _, slot := range slots {
				h := s.hello.with(slot.ext(encoded(80)))
				if s.name == "chromium" || s.name == "safari" { // the last one is GREASE, or padding
					h = s.hello.before(len(s.hello.extensions)-2, slot.ext(encoded(80)))
				}
				g.add(accept("hello/shape/"+s.name+"/request-mtls-"+slot.name, h.bytes(), h.parsed(slot.typ, 80), s.comment+" It sets request_mtls.", slot.notes("shape", "known_flag")...))
			}
		}
	}},
	{"position", "tls_flags in every place, in hellos of TLS 1.3 and of TLS 1.2.", "RFC 9846, Section 4.3", func(g *list) {
		for _, s := range []shape{{name: "tls13", hello: base()}, {name: "tls12", hello: base12()}} {
			for i := range len(s.hello.extensions) + 1 {
				h := s.hello.before(i, flagsExt(8, 80))
				g.add(accept(fmt.Sprintf("hello/position/%s/%d", s.name, i), h.bytes(), h.parsed(extFlags, 8, 80),
					fmt.Sprintf("%d extensions stand before tls_flags, %d after it.", i, len(s.hello.extensions)-i), "position"))
			}
		}
		only := base()
		only.extensions = []ext{flagsExt(80)}
		before := base().with(pskModes(), flagsExt(80), preSharedKey())
		old := minimal()
		old.version, old.noBlock, old.extensions = 0x0301, false, []ext{flagsExt(80)}
		g.add(
			only.setsRequestMTLS("hello/position/only", "tls_flags is the only extension.", "position"),
			before.setsRequestMTLS("hello/position/before-pre-shared-key", "pre_shared_key is the last extension, so tls_flags cannot be.", "position"),
			old.setsRequestMTLS("hello/position/tls10", "A hello of TLS 1.0 with tls_flags.", "position", "old_version"),
		)
	}},
	{"sets", "Sets of flags in a hello.", flagsSection2, func(g *list) {
		all := make([]uint16, 2040)
		for i := range all {
			all[i] = uint16(i)
		}
		for _, slot := range slots {
			for _, s := range []struct {
				name  string
				flags []uint16
			}{
				{"0", []uint16{0}}, {"7", []uint16{7}}, {"8", []uint16{8}}, {"15", []uint16{15}}, {"31", []uint16{31}}, {"32", []uint16{32}}, {"63", []uint16{63}},
				{"64", []uint16{64}}, {"79", []uint16{79}}, {"80", []uint16{80}}, {"81", []uint16{81}}, {"8-80", []uint16{8, 80}}, {"88", []uint16{88}},
				{"2039", []uint16{2039}}, {"80-2039", []uint16{80, 2039}}, {"all", all},
			} {
				h := base().before(2, slot.ext(encoded(s.flags...)))
				g.add(accept("hello/set/"+slot.name+"/"+s.name, h.bytes(), h.parsed(slot.typ, s.flags...),
					fmt.Sprintf("%d flags, the highest is %d.", len(s.flags), s.flags[len(s.flags)-1]), slot.notes()...))
			}
		}
	}},
	{"both-types", "tls_flags under the registered type 62 and the experimental type 0xfe01 in one hello: 62 decides.", "RFC 9846, Section 4.3", func(g *list) {
		first := base().with(flagsExt(80), flagsExperiment(8))
		second := base().with(flagsExperiment(8), flagsExt(80))
		apart := base().before(0, flagsExperiment(8)).with(flagsExt(80))
		otherBad := base().with(flagsExt(80), raw(extFlagsExperiment, 2, 1, 0))
		otherEmpty := base().with(flagsExt(80), empty(extFlagsExperiment))
		bad := base().with(raw(extFlags, 2, 1, 0), flagsExperiment(80))
		badSecond := base().with(flagsExperiment(80), raw(extFlags))
		_, badAt := bad.build()
		_, badSecondAt := badSecond.build()
		g.add(
			first.setsRequestMTLS("hello/both-types/registered-first", "Type 62 says 80, type 0xfe01 says 8.", "experimental_type"),
			second.setsRequestMTLS("hello/both-types/experimental-first", "Type 0xfe01 says 8, type 62 after it says 80.", "experimental_type"),
			apart.setsRequestMTLS("hello/both-types/apart", "First and last extension.", "experimental_type"),
			otherBad.setsRequestMTLS("hello/both-types/experimental-malformed", "Nobody looks into type 0xfe01.", "experimental_type"),
			otherEmpty.setsRequestMTLS("hello/both-types/experimental-empty", "Nobody looks into type 0xfe01.", "experimental_type"),
			refuse("hello/both-types/registered-malformed", bad.bytes(), "trailing_zero", badAt.extensions[5]+4+2,
				"Type 62 is malformed, and decides all the same.", "experimental_type", "malformed_flags"),
			refuse("hello/both-types/registered-empty-behind", badSecond.bytes(), "empty_data", badSecondAt.extensions[6]+4,
				"Type 62 is empty, and decides all the same.", "experimental_type", "malformed_flags"),
		)
	}},
	{"malformed-flags", "The hello is well formed, its tls_flags is not.", flagsSection3, func(g *list) {
		for _, slot := range slots {
			for _, c := range []struct {
				name   string
				data   []byte
				code   string
				offset int // in extension_data
			}{
				{"empty-data", nil, "empty_data", 0},
				{"empty-vector", []byte{0}, "empty_vector", 0},
				{"empty-vector-and-byte", []byte{0, 1}, "empty_vector", 0},
				{"inner-too-long", []byte{2, 1}, "inner_too_long", 0},
				{"inner-into-next-extension", []byte{5, 1}, "inner_too_long", 0},
				{"inner-255", []byte{255, 1}, "inner_too_long", 0},
				{"trailing-byte", []byte{1, 1, 0xff}, "trailing_bytes", 2},
				{"256-octets", concat([]byte{255}, slices.Repeat([]byte{0xff}, 256)), "trailing_bytes", 256},
				{"all-zero", []byte{1, 0}, "all_zero", 1},
				{"all-zero-255", vector(zeros(255)...), "all_zero", 255},
				{"trailing-zero", []byte{2, 1, 0}, "trailing_zero", 2},
				{"trailing-zero-request-mtls", concat([]byte{12}, octetsOf(12, 80)), "trailing_zero", 12},
			} {
				for _, place := range []struct {
					name  string
					index int
				}{{"first", 0}, {"last", 5}} {
					h := base().before(place.index, slot.ext(c.data))
					msg, at := h.build()
					g.add(refuse("hello/malformed-flags/"+slot.name+"/"+c.name+"/"+place.name, msg, c.code, at.extensions[place.index]+4+c.offset,
						"tls_flags is the "+place.name+" extension.", slot.notes("malformed_flags")...))
				}
			}
		}
	}},
	{"no-flags", "No tls_flags, but bytes that look like it.", "RFC 9846, Section 4.3", func(g *list) {
		test := func(name, comment string, h hello) vectors.Test {
			return h.setsNothing("hello/no-flags/"+name, comment, "no_flags")
		}
		whole := made(func(b *cryptobyte.Builder) { b.AddUint16(extFlags); b.AddBytes(opaque16(encoded(80))) })
		random := base()
		random.random = concat(whole, filler("random", 32-len(whole)))
		session := base()
		session.sessionID = whole
		suites := base()
		suites.suites = []uint16{0x003e, 0x000c, 0x0b00, 0x1301}
		g.add(
			test("in-random", "The random has the bytes of the extension.", random),
			test("in-session-id", "The session_id has the bytes of the extension.", session),
			test("in-cipher-suites", "TLS_DH_DSS_WITH_AES_128_CBC_SHA256 is 0x003e too.", suites),
			test("in-padding", "The padding has the bytes of the extension.", base().with(raw(extPadding, whole...))),
			test("in-grease", "A GREASE extension has a vector of flags.", base().with(raw(grease(3), encoded(80)...))),
			test("in-unknown", "An unknown extension has a vector of flags.", base().with(raw(0x7777, encoded(80)...))),
			test("type-byte-swapped", "0x3e00 is not 62.", base().with(raw(0x3e00, encoded(80)...))),
			test("type-61", "The type below.", base().with(raw(61, encoded(80)...))),
			test("type-63", "The type above.", base().with(raw(63, encoded(80)...))),
			test("type-fe00", "The type below the experimental one.", base().with(raw(0xfe00, encoded(80)...))),
			test("type-fe02", "The type above the experimental one.", base().with(raw(0xfe02, encoded(80)...))),
			test("type-01fe", "The experimental type with its bytes swapped.", base().with(raw(0x01fe, encoded(80)...))),
			test("type-ff3e", "The low byte of the type is 62.", base().with(raw(0xff3e, encoded(80)...))),
		)
	}},
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
		tooLarge := func(name string, length int, comment string) vectors.Test {
			return refuse("hello/header/"+name, patch(msg, 1, byte(length>>16), byte(length>>8), byte(length)), "message_too_large", 1, comment, "header", "largest")
		}
		g.add(
			refuse("hello/header/type-alone", []byte{2}, "wrong_message_type", 0, "One byte says that this is no ClientHello.", "header"),
			tooLarge("length-131397", 131397, "One byte more than a ClientHello can have."),
			tooLarge("length-196608", 0x030000, "Its low 16 bits are zero."),
			tooLarge("length-8388608", 0x800000, "The top bit is set."),
			tooLarge("length-16777215", 0xffffff, "As large as the field can say."),
			refuse("hello/header/length-131397-header-alone", []byte{1, 2, 1, 0x45}, "message_too_large", 1, "No reader has to wait for the body of this message.", "header", "largest"),
			refuse("hello/header/length-131396", []byte{1, 2, 1, 0x44}, "truncated", 4, "The longest body there is, which is not here yet.", "header", "largest", "truncated"),
			refuse("hello/header/length-0", []byte{1, 0, 0, 0}, "field_overrun", 4, "No body.", "header", "cut"),
			refuse("hello/header/length-one-more", patch(msg, 1, 0, byte((len(msg)-3)>>8), byte(len(msg)-3)), "truncated", len(msg),
				"The message is announced with one byte more than there is.", "header", "truncated"),
		)
	}},
	{"truncated", "The message is longer than the bytes given: not wrong, but not whole.", "RFC 9846, Section 6.2", func(g *list) {
		msg := base().with(flagsExt(80)).bytes()
		g.add(
			refuse("hello/truncated/nothing", nil, "truncated", 0, "No byte at all.", "truncated"))
		for _, n := range []int{1, 2, 3, 4, 5, 6, 38, 39, len(msg) - 11, len(msg) - 1} {
			g.add(refuse(fmt.Sprintf("hello/truncated/%d", n), msg[:n], "truncated", n, fmt.Sprintf("The first %d of %d bytes.", n, len(msg)), "truncated"))
		}
	}},
	{"prefixes", "Each test stands for one input for each length in prefixes: that many bytes of the input. The offset is the length.", "RFC 9846, Section 6.2", func(g *list) {
		for _, s := range []shape{
			{"minimal", "The shortest hello.", minimal()},
			{"tls12", "A hello of TLS 1.2 with tls_flags.", base12().with(flagsExt(80))},
			{"chromium", "A hello with the shape of Chromium's, with tls_flags.", chromium().before(3, flagsExt(80))},
		} {
			msg := s.hello.bytes()
			t := refuse("hello/prefixes/"+s.name, msg, "truncated", 0, s.comment, "truncated")
			t.Offset = nil
			t.Prefixes = &vectors.Range{From: 0, To: len(msg) - 1}
			g.add(t)
		}
	}},
	{"cut", "The message ends inside of a field, and its length agrees.", "RFC 9846, Section 6.2", func(g *list) {
		h := base12().with(flagsExt(80))
		msg, at := h.build()
		last := at.extensions[len(at.extensions)-1]
		for _, c := range []struct {
			name        string
			end, offset int
			code        string
		}{
			{"version-none", 4, 4, "field_overrun"},
			{"version-half", 5, 4, "field_overrun"},
			{"random-none", 6, 6, "field_overrun"},
			{"random-31", 37, 6, "field_overrun"},
			{"session-id-none", 38, 38, "field_overrun"},
			{"session-id-empty", 39, 38, "field_overrun"},
			{"session-id-31", 70, 38, "field_overrun"},
			{"cipher-suites-none", at.suites, at.suites, "field_overrun"},
			{"cipher-suites-half-length", at.suites + 1, at.suites, "field_overrun"},
			{"cipher-suites-empty", at.suites + 2, at.suites, "field_overrun"},
			{"cipher-suites-half", at.suites + 3, at.suites, "field_overrun"},
			{"cipher-suites-one-short", at.compression - 1, at.suites, "field_overrun"},
			{"compression-none", at.compression, at.compression, "field_overrun"},
			{"compression-empty", at.compression + 1, at.compression, "field_overrun"},
			{"block-half-length", at.block + 1, at.block, "stray_bytes"},
			{"block-length-alone", at.block + 2, at.block, "field_overrun"},
			{"block-type-half", at.block + 3, at.block, "field_overrun"},
			{"block-header-alone", at.block + 6, at.block, "field_overrun"},
			{"block-before-last", last, at.block, "field_overrun"},
			{"block-one-short", at.end - 1, at.block, "field_overrun"},
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
		test := func(name, comment string, suites ...uint16) vectors.Test {
			h.suites = suites
			return h.setsRequestMTLS("hello/cipher-suites/"+name, comment, "cipher_suites")
		}
		odd := func(name string, length int, comment string) vectors.Test {
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
		test := func(name, comment string, methods ...byte) vectors.Test {
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
	{"block", "The extension block and its members.", "RFC 9846, Section 4.3", func(g *list) {
		h := base().with(flagsExt(80))
		msg, at := h.build()
		last := at.extensions[len(at.extensions)-1]
		size := at.end - at.block - 2
		emptyBlock, none := base(), base12()
		emptyBlock.extensions = nil
		none.noBlock, none.extensions = true, nil
		emptyAfter, emptyAt := emptyBlock.build()
		noneAfter, noneAt := none.build()
		// stray appends bytes to the block, whose length includes them.
		stray := func(b ...byte) []byte { return patch16(insert(msg, at.end, b...), at.block, size+len(b)) }
		g.add(
			none.setsNothing("hello/block/none", "No extension block at all: legal up to TLS 1.2.", "block", "old_version"),
			emptyBlock.setsNothing("hello/block/empty", "An extension block without an extension.", "block", "old_version"),
			minimal().setsNothing("hello/block/minimal", "The shortest ClientHello there is.", "block", "old_version"),
			refuse("hello/block/stray-byte-no-block", insert(noneAfter, noneAt.end, 0), "stray_bytes", noneAt.end, "One byte is no length of a block.", "block", "stray"),
			refuse("hello/block/stray-byte-behind-empty", insert(emptyAfter, emptyAt.end, 0), "stray_bytes", emptyAt.end, "A byte after an empty block.", "block", "stray"),
			refuse("hello/block/stray-byte-behind", insert(msg, at.end, 0), "stray_bytes", at.end, "A byte after the block.", "block", "stray"),
			refuse("hello/block/stray-extension-behind", insert(msg, at.end, 0, 21, 0, 0), "stray_bytes", at.end, "A whole extension after the block.", "block", "stray"),
			refuse("hello/block/length-zero", patch16(msg, at.block, 0), "stray_bytes", at.block+2, "The block is empty, and all extensions stand after it.", "block", "stray"),
			refuse("hello/block/length-one-more", patch16(msg, at.block, size+1), "field_overrun", at.block, "The block is longer than the message by one.", "block"),
			refuse("hello/block/length-one-less", patch16(msg, at.block, size-1), "extension_overrun", last+2, "The last extension reaches beyond the block by one.", "block"),
			refuse("hello/block/length-cuts-data", patch16(msg, at.block, last+4-at.block-2), "extension_overrun", last+2, "The block ends after the header of the last extension.", "block"),
			refuse("hello/block/length-cuts-header-3", patch16(msg, at.block, last+3-at.block-2), "stray_bytes", last, "The block ends inside of a header.", "block"),
			refuse("hello/block/length-cuts-header-2", patch16(msg, at.block, last+2-at.block-2), "stray_bytes", last, "The block ends after a type.", "block"),
			refuse("hello/block/length-cuts-header-1", patch16(msg, at.block, last+1-at.block-2), "stray_bytes", last, "The block ends inside of a type.", "block"),
			refuse("hello/block/length-before-last", patch16(msg, at.block, last-at.block-2), "stray_bytes", last, "The last extension stands after the block.", "block", "stray"),
			refuse("hello/block/extension-one-more", patch16(msg, last+2, 13), "extension_overrun", last+2, "The last extension is longer than what is left by one.", "block"),
			refuse("hello/block/extension-one-less", patch16(msg, last+2, 11), "stray_bytes", last+4+11, "One byte is left after the last extension.", "block", "stray"),
			refuse("hello/block/first-extension-one-more", patch16(msg, at.extensions[4]+2, 39), "extension_overrun", at.extensions[5]+1+2,
				"An extension takes a byte of the one after it, whose length is then 0x0c0b.", "block"),
		)
		for n := 1; n <= 3; n++ {
			g.add(refuse(fmt.Sprintf("hello/block/stray-%d", n), stray(zeros(n)...), "stray_bytes", at.end, byteCount(n)+" in the block: too few for an extension.", "block", "stray"))
		}
		for _, n := range []int{1, 2, 31, 62, 63, 64, 65, 66, 127, 128, 129, 255, 256} {
			h := manyExtensions(n)
			g.add(h.setsRequestMTLS(fmt.Sprintf("hello/block/count-%d", n), fmt.Sprintf("%d extensions, the last is tls_flags.", n), "count"))
		}
	}},
	{"overflow", "Lengths from 65,528 on, which wrap where they are added up in 16 bits.", "RFC 9846, Section 6.2", func(g *list) {
		h := base().with(flagsExt(80))
		msg, at := h.build()
		first, last := at.extensions[0], at.extensions[len(at.extensions)-1]
		for n := 65528; n <= 65535; n++ {
			suites := "field_overrun"
			if n%2 != 0 {
				suites = "cipher_suites_odd"
			}
			for _, f := range []struct {
				name   string
				offset int
				code   string
			}{
				{"cipher-suites", at.suites, suites},
				{"block", at.block, "field_overrun"},
				{"first-extension", first + 2, "extension_overrun"},
				{"last-extension", last + 2, "extension_overrun"},
			} {
				g.add(refuse(fmt.Sprintf("hello/overflow/%s-%d", f.name, n), patch16(msg, f.offset, n), f.code, f.offset, fmt.Sprintf("The length of %s is %d.", f.name, n), "overflow"))
			}
		}
	}},
	{"duplicate", "Two extensions of one type. The offset is that of the second.", "RFC 9846, Section 4.3", func(g *list) {
		test := func(name, comment string, h hello, index int, flags ...string) vectors.Test {
			msg, at := h.build()
			return refuse("hello/duplicate/"+name, msg, "duplicate_extension", at.extensions[index], comment, append(flags, "duplicate")...)
		}
		h := base().with(flagsExt(80))
		three := base().with(flagsExt(80), flagsExt(80), flagsExt(80))
		g.add(
			test("flags-same", "tls_flags twice, with the same flags.", h.with(flagsExt(80)), 6),
			test("flags-other", "tls_flags twice, with other flags.", h.with(flagsExt(8)), 6),
			test("flags-malformed", "tls_flags twice, the second malformed.", h.with(empty(extFlags)), 6),
			test("flags-apart", "tls_flags first and last.", h.before(0, flagsExt(8)), 6),
			test("flags-three-times", "tls_flags three times.", three, 6),
			test("experimental-same", "The experimental type twice.", base().with(flagsExperiment(80), flagsExperiment(80)), 6, "experimental_type"),
			test("experimental-around-registered", "The experimental type on both sides of 62.", base().with(flagsExperiment(80), flagsExt(80), flagsExperiment(80)), 7, "experimental_type"),
			test("server-name", "server_name twice.", h.with(serverName("example.com")), 6),
			test("server-name-other", "server_name twice, with other names.", h.with(serverName("example.org")), 6),
			test("supported-versions", "supported_versions twice.", h.with(versions(0x0304)), 6),
			test("padding", "padding twice.", h.with(padding(1), padding(2)), 7),
			test("unknown", "An unknown type twice.", h.with(empty(0x7777), empty(0x7777)), 7),
			test("unknown-adjacent-data", "An unknown type twice, with data.", h.with(raw(0x7777, 1), raw(0x7777, 2, 3)), 7),
			test("grease", "One GREASE type twice.", h.with(empty(grease(4)), raw(grease(4), 0)), 7, "grease"),
			test("type-0-empty", "Type 0 twice, and empty.", h.with(empty(0)), 6),
			test("type-63", "Type 63 twice.", h.with(empty(63), empty(63)), 7),
			test("type-64", "Type 64 twice.", h.with(empty(64), empty(64)), 7),
			test("type-65535", "Type 65,535 twice.", h.with(empty(0xffff), empty(0xffff)), 7),
			test("old-version", "An unknown type twice in a hello of TLS 1.2.", base12().with(empty(0x7777), empty(0x7777)), 7, "old_version"),
		)
		for _, n := range []int{63, 64, 65, 66, 128, 200} {
			first, last := manyExtensions(n), manyExtensions(n)
			g.add(
				test(fmt.Sprintf("after-%d-of-first", n), fmt.Sprintf("%d other extensions, then the type of the first.", n), first.with(empty(0x2000)), n, "count"),
				test(fmt.Sprintf("after-%d-of-last", n), fmt.Sprintf("%d other extensions, then the type of the last.", n), last.with(flagsExt(8)), n, "count"))
		}
	}},
	{"pre-shared-key", "pre_shared_key is the last extension. The offset is that of the one after it.", "RFC 9846, Section 4.3.11", func(g *list) {
		test := func(name, comment string, after ...ext) vectors.Test {
			h := base().with(pskModes(), flagsExt(80), preSharedKey()).with(after...)
			msg, at := h.build()
			return refuse("hello/pre-shared-key/"+name, msg, "pre_shared_key_not_last", at.extensions[8], comment, "pre_shared_key")
		}
		last := base().with(pskModes(), flagsExt(80), preSharedKey())
		only := base12()
		only.extensions = []ext{preSharedKey()}
		early := base().with(pskModes(), empty(extEarlyData), flagsExt(80), preSharedKey())
		first := base().before(0, preSharedKey()).with(pskModes(), flagsExt(80))
		firstMsg, firstAt := first.build()
		old := base12().with(preSharedKey(), flagsExt(80))
		oldMsg, oldAt := old.build()
		many := manyExtensions(70)
		many.extensions = append(many.extensions, preSharedKey(), padding(4))
		manyMsg, manyAt := many.build()
		g.add(
			last.setsRequestMTLS("hello/pre-shared-key/last", "The last extension.", "pre_shared_key"),
			only.setsNothing("hello/pre-shared-key/only", "The only extension.", "pre_shared_key"),
			early.setsRequestMTLS("hello/pre-shared-key/early-data", "With early_data and tls_flags.", "pre_shared_key"),
			test("before-padding", "padding follows.", padding(10)),
			test("before-empty", "An empty unknown extension follows.", empty(0x7777)),
			test("before-grease", "GREASE follows.", empty(grease(1))),
			test("before-early-data", "early_data follows.", empty(extEarlyData)),
			refuse("hello/pre-shared-key/first", firstMsg, "pre_shared_key_not_last", firstAt.extensions[1], "The first extension.", "pre_shared_key"),
			refuse("hello/pre-shared-key/before-flags-old-version", oldMsg, "pre_shared_key_not_last", oldAt.extensions[7],
				"A hello without supported_versions; tls_flags follows.", "pre_shared_key", "old_version"),
			refuse("hello/pre-shared-key/after-70", manyMsg, "pre_shared_key_not_last", manyAt.extensions[71], "Behind 70 other extensions; padding follows.", "pre_shared_key", "count"),
		)
	}},
	{"grease", "Values that RFC 8701 reserves, so that nobody chokes on unknown ones.", "RFC 8701, Section 3.2", func(g *list) {
		test := func(name, comment string, h hello) vectors.Test {
			return h.setsRequestMTLS("hello/grease/"+name, comment, "grease")
		}
		suites := base().with(flagsExt(80))
		suites.suites = append([]uint16{grease(0)}, suites.suites...)
		values := base().with(flagsExt(80))
		values.extensions[1] = groups(grease(1), x25519, secp256r1)
		values.extensions[2] = signatures(grease(2), 0x0403, 0x0804, 0x0401)
		values.extensions[3] = versions(grease(3), 0x0304, 0x0303)
		values.extensions[4] = keyShare(share(grease(1)), share(x25519))
		all := base().with(flagsExt(80))
		for i := range 16 {
			all = all.with(empty(grease(i)))
		}
		g.add(
			test("cipher-suite", "The first cipher suite.", suites),
			test("values", "In groups, signature schemes, versions and key shares.", values),
			test("alpn", "A protocol name.", base().with(alpn("\x0a\x0a", "h2"), flagsExt(80))),
			test("extension-first", "The first extension, empty.", base().before(0, empty(grease(5))).with(flagsExt(80))),
			test("extension-last", "The last extension, of one zero byte.", base().with(flagsExt(80), raw(grease(6), 0))),
			test("extension-long", "An extension of 300 bytes.", base().with(flagsExt(80), raw(grease(7), filler("grease", 300)...))),
			test("extension-all", "All sixteen types.", all),
			test("near-0a1a", "0x0a1a has two different bytes, and is just unknown.", base().with(flagsExt(80), raw(0x0a1a, 1, 2))),
			test("near-0a0b", "0x0a0b is just unknown.", base().with(flagsExt(80), raw(0x0a0b, 1, 2))),
			test("near-abab", "0xabab is just unknown.", base().with(flagsExt(80), raw(0xabab, 1, 2))),
		)
		for i := range 16 {
			h := base().with(flagsExt(80), raw(grease(i), 2, 0, 0))
			g.add(test(fmt.Sprintf("extension-%04x", grease(i)), "One type of GREASE, with what tls_flags could not have.", h))
		}
	}},
	{"unknown", "Extensions of unknown types are ignored, whatever is in them.", "RFC 9846, Section 4.2.2", func(g *list) {
		for _, typ := range []uint16{4, 63, 64, 255, 256, 0x1000, 0x7fff, 0x8000, 0xfdff, 0xff00, 0xfffe, 0xffff} {
			for _, n := range []int{0, 1, 255} {
				h := base().with(raw(typ, filler("unknown", n)...), flagsExt(80))
				g.add(h.setsRequestMTLS(fmt.Sprintf("hello/unknown/%d-of-%d", typ, n), fmt.Sprintf("Type %d with %s.", typ, byteCount(n)), "unknown"))
			}
		}
	}},
	{"ech", "Encrypted ClientHello. The outer hello says nothing about the flags of the inner one.", "RFC 9849, Section 5", func(g *list) {
		inner := base().with(raw(extECH, 1), flagsExt(80))
		inner.sessionID = nil
		outerNames := func(types ...uint16) ext { return raw(extECHOuter, opaque8(made(uint16s(types...)))...) }
		compressed := base().with(raw(extECH, 1), outerNames(extKeyShare, extFlags))
		compressed.extensions = slices.Delete(compressed.extensions, 4, 5)
		compressed.sessionID = nil
		outer := base().with(echOuter(200))
		neutral := base().with(flagsExt(8), echOuter(200))
		g.add(
			outer.setsNothing("hello/ech/outer", "An outer hello without tls_flags.", "ech"),
			accept("hello/ech/outer-with-flags", neutral.bytes(), neutral.parsed(extFlags, 8), "An outer hello with a flag that tells nothing about the client.", "ech"),
			inner.setsRequestMTLS("hello/ech/inner", "An inner hello with request_mtls, where it belongs.", "ech"),
			compressed.setsNothing("hello/ech/inner-names-flags", "ech_outer_extensions names tls_flags: the flags are those of the outer hello, not of this message.", "ech"),
		)
	}},
	{"largest", "Vectors and messages as long as they can be.", "RFC 9846, Section 4.2.2", func(g *list) {
		suites := make([]uint16, 32767)
		for i := range suites {
			suites[i] = uint16(i + 1)
		}
		// 16,382 empty extensions fill the block but for seven bytes: tls_flags with
		// extension_data of three.
		many := base12()
		many.extensions = append(unknownExtensions(16382), raw(extFlags, encoded(8)...))
		repeated := base12()
		repeated.extensions = append(unknownExtensions(2000), empty(0x2000))
		_, repeatedAt := repeated.build()
		whole := hello{
			version: 0x0303, random: filler("random", 32), sessionID: filler("session", 32), suites: suites, compression: make([]byte, 255),
			extensions: []ext{raw(0x7777, zeros(65535-4-16)...), flagsExt(80)},
		}
		g.add(
			accept("hello/largest/extensions", many.bytes(), many.parsed(extFlags, 8), "16,383 extensions fill the block.", "largest", "count"),
			refuse("hello/largest/extensions-duplicate", repeated.bytes(), "duplicate_extension", repeatedAt.extensions[2000],
				"2,001 extensions; the last has the type of the first.", "largest", "count", "duplicate"),
			whole.setsRequestMTLS("hello/largest/message", "131,400 bytes: every field is as long as it can be.", "largest"),
		)
	}},
}

// a slot is where a message can have its flags: under which type.
type slot struct {
	name string
	typ  uint16
}

var slots = []slot{{"registered", extFlags}, {"experimental", extFlagsExperiment}}

// flags returns the extension with the flags, and the note that the type needs.
func (s slot) ext(data []byte) ext { return raw(s.typ, data...) }

func (s slot) notes(more ...string) []string {
	if s.typ == extFlagsExperiment {
		return append(more, "experimental_type")
	}
	return more
}

// manyExtensions has n extensions: empty ones of unknown types, then tls_flags.
func manyExtensions(n int) hello {
	h := base12()
	h.extensions = unknownExtensions(n - 1)
	return h.with(flagsExt(80))
}

// unknownExtensions are n empty extensions of different types, none of them known.
func unknownExtensions(n int) []ext {
	var list []ext
	for typ := uint16(0x2000); len(list) < n; typ++ {
		if typ != extFlags && typ != extFlagsExperiment && typ != extPreSharedKey {
			list = append(list, empty(typ))
		}
	}
	return list
}
