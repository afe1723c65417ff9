package main

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/cryptobyte"

	"github.com/tlsflags/tlsflags/vectors"
)

var clientHello = kind{
	kind:   vectors.ClientHello.Any(),
	entry:  vectors.Handshake,
	spec:   []string{"draft-ietf-tls-tlsflags-16", "RFC 9846", "RFC 5246", "RFC 8701", "RFC 9849"},
	groups: slices.Concat(helloFlagsGroups, helloFieldGroups, helloExtensionGroups),
}

// helloFlagsGroups are about tls_flags.
var helloFlagsGroups = []group{
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
				g.add(accept(fmt.Sprintf("hello/position/%s/%d", s.name, i), h.bytes(), h.parsed(extFlags, 8, 80), fmt.Sprintf("%d extensions stand before tls_flags, %d after it.", i, len(s.hello.extensions)-i), "position"))
			}
		}
		old := minimal().only(flagsExt(80))
		old.version = 0x0301
		g.add(
			base().only(flagsExt(80)).setsRequestMTLS("hello/position/only", "tls_flags is the only extension.", "position"),
			base().with(pskModes(), flagsExt(80), preSharedKey()).setsRequestMTLS("hello/position/before-pre-shared-key", "pre_shared_key is the last extension, so tls_flags cannot be.", "position"),
			old.setsRequestMTLS("hello/position/tls10", "A hello of TLS 1.0 with tls_flags.", "position", "old_version"),
		)
	}},
	{"sets", "Sets of flags in a hello.", flagsSection2, func(g *list) {
		all := make([]uint16, 2040)
		for i := range all {
			all[i] = uint16(i)
		}
		for _, slot := range slots {
			for _, flags := range [][]uint16{{0}, {7}, {8}, {15}, {31}, {32}, {63}, {64}, {79}, {80}, {81}, {8, 80}, {88}, {2039}, {80, 2039}, all} {
				name := "all"
				if len(flags) <= 2 {
					name = strings.Trim(strings.ReplaceAll(fmt.Sprint(flags), " ", "-"), "[]")
				}
				h := base().before(2, slot.ext(encoded(flags...)))
				g.add(accept("hello/set/"+slot.name+"/"+name, h.bytes(), h.parsed(slot.typ, flags...), fmt.Sprintf("%d flags, the highest is %d.", len(flags), flags[len(flags)-1]), slot.notes()...))
			}
		}
	}},
	{"both-types", "tls_flags under the registered type 62 and the experimental type 0xfe01 in one hello: 62 decides.", "RFC 9846, Section 4.3", func(g *list) {
		bad := base().with(raw(extFlags, 2, 1, 0), flagsExperiment(80))
		g.add(
			base().with(flagsExt(80), flagsExperiment(8)).setsRequestMTLS("hello/both-types/registered-first", "Type 62 says 80, type 0xfe01 says 8.", "experimental_type"),
			base().with(flagsExperiment(8), flagsExt(80)).setsRequestMTLS("hello/both-types/experimental-first", "Type 0xfe01 says 8, type 62 after it says 80.", "experimental_type"),
			base().before(0, flagsExperiment(8)).with(flagsExt(80)).setsRequestMTLS("hello/both-types/apart", "First and last extension.", "experimental_type"),
			base().with(flagsExt(80), raw(extFlagsExperiment, 2, 1, 0)).setsRequestMTLS("hello/both-types/experimental-malformed", "Nobody looks into type 0xfe01.", "experimental_type"),
			base().with(flagsExt(80), empty(extFlagsExperiment)).setsRequestMTLS("hello/both-types/experimental-empty", "Nobody looks into type 0xfe01.", "experimental_type"),
			bad.isRefused("hello/both-types/registered-malformed", "trailing_zero", 5, 4+2, "Type 62 is malformed, and decides all the same.", "experimental_type", "malformed_flags"),
			base().with(flagsExperiment(80), raw(extFlags)).isRefused("hello/both-types/registered-empty-behind", "empty_data", 6, 4, "Type 62 is empty, and decides all the same.", "experimental_type", "malformed_flags"),
		)
	}},
	{"malformed-flags", "The hello is well formed, its tls_flags is not.", flagsSection3, func(g *list) {
		for _, slot := range slots {
			for _, c := range malformedFlags {
				for i, place := range []string{"first", "last"} {
					h := base().before(5*i, slot.ext(c.data))
					g.add(h.isRefused("hello/malformed-flags/"+slot.name+"/"+c.name+"/"+place, c.code, 5*i, 4+c.offset, "tls_flags is the "+place+" extension.", slot.notes("malformed_flags")...))
				}
			}
		}
	}},
	{"no-flags", "No tls_flags, but bytes that look like it.", "RFC 9846, Section 4.3", func(g *list) {
		test := func(name, comment string, h hello) row {
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
}

// helloExtensionGroups are about the extension block.
var helloExtensionGroups = []group{
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
		// stray appends bytes to the block, and adds them to its length.
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
			g.add(manyExtensions(n).setsRequestMTLS(fmt.Sprintf("hello/block/count-%d", n), fmt.Sprintf("%d extensions, the last is tls_flags.", n), "count"))
		}
	}},
	{"overflow", "Lengths of 65,528 and more, which overflow 16-bit sums.", "RFC 9846, Section 6.2", func(g *list) {
		h := base().with(flagsExt(80))
		msg, at := h.build()
		first, last := at.extensions[0], at.extensions[len(at.extensions)-1]
		for n := 65528; n <= 65535; n++ {
			suites := "field_overrun"
			if n%2 != 0 {
				suites = "cipher_suites_odd"
			}
			for _, f := range []fault{
				{name: "cipher-suites", code: suites, offset: at.suites},
				{name: "block", code: "field_overrun", offset: at.block},
				{name: "first-extension", code: "extension_overrun", offset: first + 2},
				{name: "last-extension", code: "extension_overrun", offset: last + 2},
			} {
				g.add(refuse(fmt.Sprintf("hello/overflow/%s-%d", f.name, n), patch16(msg, f.offset, n), f.code, f.offset, fmt.Sprintf("The length of %s is %d.", f.name, n), "overflow"))
			}
		}
	}},
	{"duplicate", "Two extensions of one type. The offset is that of the second.", "RFC 9846, Section 4.3", func(g *list) {
		test := func(name, comment string, h hello, index int, flags ...string) row {
			return h.isRefused("hello/duplicate/"+name, "duplicate_extension", index, 0, comment, append(flags, "duplicate")...)
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
		test := func(name, comment string, after ...ext) row {
			return base().with(pskModes(), flagsExt(80), preSharedKey()).with(after...).isRefused("hello/pre-shared-key/"+name, "pre_shared_key_not_last", 8, 0, comment, "pre_shared_key")
		}
		old := base12().with(preSharedKey(), flagsExt(80))
		g.add(
			base().with(pskModes(), flagsExt(80), preSharedKey()).setsRequestMTLS("hello/pre-shared-key/last", "The last extension.", "pre_shared_key"),
			base12().only(preSharedKey()).setsNothing("hello/pre-shared-key/only", "The only extension.", "pre_shared_key"),
			base().with(pskModes(), empty(extEarlyData), flagsExt(80), preSharedKey()).setsRequestMTLS("hello/pre-shared-key/early-data", "With early_data and tls_flags.", "pre_shared_key"),
			test("before-padding", "padding follows.", padding(10)),
			test("before-empty", "An empty unknown extension follows.", empty(0x7777)),
			test("before-grease", "GREASE follows.", empty(grease(1))),
			test("before-early-data", "early_data follows.", empty(extEarlyData)),
			base().before(0, preSharedKey()).with(pskModes(), flagsExt(80)).isRefused("hello/pre-shared-key/first", "pre_shared_key_not_last", 1, 0, "The first extension.", "pre_shared_key"),
			old.isRefused("hello/pre-shared-key/before-flags-old-version", "pre_shared_key_not_last", 7, 0, "A hello without supported_versions; tls_flags follows.", "pre_shared_key", "old_version"),
			manyExtensions(70).with(preSharedKey(), padding(4)).isRefused("hello/pre-shared-key/after-70", "pre_shared_key_not_last", 71, 0, "Behind 70 other extensions; padding follows.", "pre_shared_key", "count"),
		)
	}},
	{"grease", "Values that RFC 8701 reserves, so that nobody chokes on unknown ones.", "RFC 8701, Section 3.2", func(g *list) {
		test := func(name, comment string, h hello) row {
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
				g.add(base().with(raw(typ, filler("unknown", n)...), flagsExt(80)).setsRequestMTLS(fmt.Sprintf("hello/unknown/%d-of-%d", typ, n), fmt.Sprintf("Type %d with %s.", typ, byteCount(n)), "unknown"))
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
		neutral := base().with(flagsExt(8), echOuter(200))
		g.add(
			base().with(echOuter(200)).setsNothing("hello/ech/outer", "An outer hello without tls_flags.", "ech"),
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
		// 16,382 empty extensions leave seven bytes of the block: tls_flags with three
		// bytes of data.
		many := base12().only(append(unknownExtensions(16382), raw(extFlags, encoded(8)...))...)
		repeated := base12().only(append(unknownExtensions(2000), empty(0x2000))...)
		whole := hello{
			version: 0x0303, random: filler("random", 32), sessionID: filler("session", 32), suites: suites, compression: make([]byte, 255),
			extensions: []ext{raw(0x7777, zeros(65535-4-16)...), flagsExt(80)},
		}
		g.add(
			accept("hello/largest/extensions", many.bytes(), many.parsed(extFlags, 8), "16,383 extensions fill the block.", "largest", "count"),
			repeated.isRefused("hello/largest/extensions-duplicate", "duplicate_extension", 2000, 0, "2,001 extensions; the last has the type of the first.", "largest", "count", "duplicate"),
			whole.setsRequestMTLS("hello/largest/message", "131,400 bytes: every field is as long as it can be.", "largest"),
		)
	}},
}

// A slot is an extension type that can have the flags of a message.
type slot struct {
	name string
	typ  uint16
}

var slots = []slot{{"registered", extFlags}, {"experimental", extFlagsExperiment}}

// ext returns the extension with data. The type may need a note, which notes adds.
func (s slot) ext(data []byte) ext { return raw(s.typ, data...) }

func (s slot) notes(more ...string) []string {
	if s.typ == extFlagsExperiment {
		return append(more, "experimental_type")
	}
	return more
}

// manyExtensions has n extensions: empty ones of unknown types, then tls_flags.
func manyExtensions(n int) hello {
	return base12().only(unknownExtensions(n - 1)...).with(flagsExt(80))
}

// unknownExtensions are n empty extensions of different unknown types.
func unknownExtensions(n int) []ext {
	var list []ext
	for typ := uint16(0x2000); len(list) < n; typ++ {
		if typ != extFlags && typ != extFlagsExperiment && typ != extPreSharedKey {
			list = append(list, empty(typ))
		}
	}
	return list
}
