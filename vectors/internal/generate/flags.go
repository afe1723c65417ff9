package main

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/tlsflags/tlsflags/vectors"
)

var tlsFlags = kind{
	kind:   vectors.TLSFlags.Any(),
	entry:  vectors.ExtensionData,
	spec:   []string{"draft-ietf-tls-tlsflags-16", "RFC 9846"},
	groups: tlsFlagsGroups,
}

var tlsFlagsGroups = []group{
	{"examples", "Small sets of flags, among them those that the draft draws.", flagsSection2, func(g *list) {
		ten := zeros(10)
		g.add(
			accept("flags/example/0", []byte{1, 0x01}, setsFlags(0), "The lowest flag is the least significant bit.", "bit_order"),
			accept("flags/example/7", []byte{1, 0x80}, setsFlags(7), "The highest flag of the first octet.", "bit_order"),
			accept("flags/example/1-5", []byte{1, 0x22}, setsFlags(1, 5), "The draft's example of one octet.", "bit_order"),
			accept("flags/example/3-5-23", []byte{3, 0x28, 0x00, 0x80}, setsFlags(3, 5, 23), "The draft's example of three octets; the middle one is zero.", "bit_order", "zero_octet"),
			accept("flags/example/8", []byte{2, 0x00, 0x01}, setsFlags(8), "resumption_across_names: the first octet is zero.", "zero_octet", "known_flag"),
			accept("flags/example/0-8", []byte{2, 0x01, 0x01}, setsFlags(0, 8), "One flag in each of two octets."),
			accept("flags/example/15", []byte{2, 0x00, 0x80}, setsFlags(15), "The highest flag of the second octet.", "bit_order", "zero_octet"),
			accept("flags/example/80", concat([]byte{11}, ten, []byte{0x01}), setsFlags(80), "request_mtls, with the number that experiments use.", "zero_octet", "known_flag"),
			accept("flags/example/8-80", concat([]byte{11, 0x00, 0x01}, zeros(8), []byte{0x01}), setsFlags(8, 80), "Both flags that have a number today.", "zero_octet", "known_flag"),
			accept("flags/example/0-2039", concat([]byte{255, 0x01}, zeros(253), []byte{0x80}), setsFlags(0, 2039), "The lowest and the highest flag.", "zero_octet", "largest"),
			accept("flags/example/1-30-31-100-2039", concat([]byte{255, 0x02, 0, 0, 0xc0}, zeros(8), []byte{0x10}, zeros(241), []byte{0x80}),
				setsFlags(1, 30, 31, 100, 2039), "Flags that nobody has defined.", "zero_octet", "largest"),
		)
	}},
	{"octet", "One octet, with every value that it may have.", flagsSection2, func(g *list) {
		for v := 1; v < 256; v++ {
			var flags []uint16
			for bit := range uint16(8) {
				if v&(1<<bit) != 0 {
					flags = append(flags, bit)
				}
			}
			g.add(accept(fmt.Sprintf("flags/octet/%02x", v), []byte{1, byte(v)}, setsFlags(flags...), fmt.Sprintf("One octet of value 0x%02x.", v), "bit_order"))
		}
	}},
	{"length", "Every length of the vector, with the lowest and the highest flag set that it can hold.", flagsSection2, func(g *list) {
		for n := 1; n <= 255; n++ {
			highest := uint16(n*8 - 1)
			g.add(accept(fmt.Sprintf("flags/length/%d", n), encoded(0, highest), setsFlags(0, highest), fmt.Sprintf("A vector of %d octets.", n), "vector_length"))
		}
	}},
	{"pattern", "The same octet over and over.", flagsSection2, func(g *list) {
		pattern := func(n int, octet byte) ([]byte, []uint16) {
			var flags []uint16
			for f := range uint16(n * 8) {
				if octet&(1<<(f%8)) != 0 {
					flags = append(flags, f)
				}
			}
			return vector(bytes.Repeat([]byte{octet}, n)...), flags
		}
		for _, n := range []int{2, 3, 8, 31, 32, 255} {
			for _, octet := range []byte{0x01, 0x55, 0xaa, 0x80, 0xff} {
				data, flags := pattern(n, octet)
				g.add(accept(fmt.Sprintf("flags/pattern/%02x-%d", octet, n), data, setsFlags(flags...), fmt.Sprintf("%d octets of value 0x%02x, %d flags.", n, octet, len(flags)), "vector_length"))
			}
		}
	}},
	{"empty", "No vector, or one without octets. A sender without flags leaves the extension out.", flagsSection3, func(g *list) {
		g.add(
			refuse("flags/empty-data", nil, "empty_data", 0, "extension_data is empty.", "framing"),
			refuse("flags/empty-vector/alone", []byte{0}, "empty_vector", 0, "The vector is empty, and nothing follows.", "framing"),
			refuse("flags/empty-vector/one-octet-behind", []byte{0, 0x01}, "empty_vector", 0, "The vector is empty; an octet follows.", "framing"),
			refuse("flags/empty-vector/zero-octet-behind", []byte{0, 0x00}, "empty_vector", 0, "The vector is empty; a zero octet follows.", "framing"),
			refuse("flags/empty-vector/two-byte-length", []byte{0, 1, 0x01}, "empty_vector", 0, "The vector has a length of two bytes, as one without the ceiling of 255 would have.", "framing"),
			refuse("flags/empty-vector/255-octets-behind", concat([]byte{0}, bytes.Repeat([]byte{0xff}, 255)), "empty_vector", 0, "The vector is empty; 255 octets follow.", "framing", "largest"),
		)
	}},
	{"inner-too-long", "The vector is longer than extension_data.", flagsSection3, func(g *list) {
		g.add(
			refuse("flags/inner-too-long/no-length", []byte{0x01}, "inner_too_long", 0, "Flag 0 without the length of the vector.", "framing"),
			refuse("flags/inner-too-long/msb", []byte{0x80, 0x01}, "inner_too_long", 0, "A length with its top bit set, which is 128 and not negative.", "framing"),
			refuse("flags/inner-too-long/255-of-1", []byte{255, 0x01}, "inner_too_long", 0, "254 octets are missing.", "framing"),
			refuse("flags/inner-too-long/wraps", concat([]byte{255}, bytes.Repeat([]byte{1}, 10)), "inner_too_long", 0, "One more than the length does not fit into a byte.", "framing", "overflow"),
		)
		for _, n := range []int{1, 2, 3, 11, 16, 32, 127, 128, 129, 254, 255} {
			octets := bytes.Repeat([]byte{0xff}, n-1)
			g.add(refuse(fmt.Sprintf("flags/inner-too-long/by-one/%d", n), concat([]byte{byte(n)}, octets), "inner_too_long", 0, fmt.Sprintf("A vector of %d octets, the last of which is missing.", n), "framing"))
		}
	}},
	{"trailing-bytes", "Bytes follow the vector in extension_data.", flagsSection3, func(g *list) {
		g.add(
			refuse("flags/trailing-bytes/zero", []byte{1, 0x01, 0x00}, "trailing_bytes", 2, "A zero byte follows.", "framing"),
			refuse("flags/trailing-bytes/second-vector", []byte{1, 0x01, 1, 0x01}, "trailing_bytes", 2, "A second vector follows.", "framing"),
			refuse("flags/trailing-bytes/longer-by-many", concat([]byte{1, 0x01}, bytes.Repeat([]byte{0xff}, 254)), "trailing_bytes", 2, "254 bytes follow.", "framing"),
			refuse("flags/trailing-bytes/256-octets", concat([]byte{255}, bytes.Repeat([]byte{0xff}, 256)), "trailing_bytes", 256, "256 octets: one more than the length can say.", "framing", "overflow"),
			refuse("flags/trailing-bytes/257-octets-length-wraps", concat([]byte{1}, bytes.Repeat([]byte{0xff}, 257)), "trailing_bytes", 2, "257 octets, whose length was cut to one byte.", "framing", "overflow"),
		)
		for _, n := range []int{1, 2, 3, 11, 16, 32, 127, 128, 254, 255} {
			data := concat(encoded(0, uint16(n*8-1)), []byte{0xff})
			g.add(refuse(fmt.Sprintf("flags/trailing-bytes/one/%d", n), data, "trailing_bytes", n+1, fmt.Sprintf("One byte follows a vector of %d octets.", n), "framing"))
		}
	}},
	{"all-zero", "A vector in which no flag is set.", flagsSection2, func(g *list) {
		for _, n := range []int{1, 2, 3, 11, 16, 31, 32, 127, 128, 254, 255} {
			g.add(refuse(fmt.Sprintf("flags/all-zero/%d", n), vector(zeros(n)...), "all_zero", n, fmt.Sprintf("%d octets, all zero.", n), "not_shortest"))
		}
	}},
	{"trailing-zero", "The last octet is zero, though a flag is set before it.", flagsSection2, func(g *list) {
		pad := func(n int, flags ...uint16) []byte { return vector(octetsOf(n, flags...)...) }
		g.add(
			refuse("flags/trailing-zero/one-octet", pad(2, 0), "trailing_zero", 2, "One octet too many.", "not_shortest"),
			refuse("flags/trailing-zero/two-octets", pad(3, 0), "trailing_zero", 3, "Two octets too many.", "not_shortest"),
			refuse("flags/trailing-zero/flag-8", pad(3, 8), "trailing_zero", 3, "resumption_across_names and a zero octet.", "not_shortest"),
			refuse("flags/trailing-zero/flag-80", pad(12, 80), "trailing_zero", 12, "request_mtls and a zero octet.", "not_shortest"),
			refuse("flags/trailing-zero/fixed-16", pad(16, 80), "trailing_zero", 16, "request_mtls in a field of a fixed 16 octets.", "not_shortest"),
			refuse("flags/trailing-zero/fixed-255", pad(255, 80), "trailing_zero", 255, "request_mtls in a field of a fixed 255 octets.", "not_shortest", "largest"),
			refuse("flags/trailing-zero/middle-octet", pad(4, 7, 16), "trailing_zero", 4, "The second octet is zero too, which is fine.", "not_shortest", "zero_octet"),
		)
		for _, n := range []int{2, 3, 11, 12, 16, 31, 32, 33, 127, 128, 254, 255} {
			highest := uint16((n-1)*8 - 1)
			g.add(refuse(fmt.Sprintf("flags/trailing-zero/length/%d", n), pad(n, highest), "trailing_zero", n, fmt.Sprintf("%d octets; flag %d is the highest, and the last octet is zero.", n, highest), "not_shortest"))
		}
	}},
	{"draft", "What older versions of the draft read in the same bytes, in readings; the result is that of the newest.", "draft-ietf-tls-tlsflags-00 to -02, Section 2", func(g *list) {
		const d00, d01, d02 = "draft-ietf-tls-tlsflags-00", "draft-ietf-tls-tlsflags-01", "draft-ietf-tls-tlsflags-02"
		valid, invalid := vectors.Valid, vectors.Invalid
		both := func(t row, result vectors.Result, flags ...uint16) row {
			return reads(reads(t, d01, result, flags...), d02, result, flags...)
		}
		g.add(
			reads(accept("flags/draft-00/flag-0", []byte{1, 0x80}, setsFlags(7), "Flag 0 with the most significant bit first is flag 7 today.", "draft", "bit_order"), d00, valid, 0),
			reads(accept("flags/draft-00/flag-7", []byte{1, 0x01}, setsFlags(0), "Flag 7 with the most significant bit first is flag 0 today.", "draft", "bit_order"), d00, valid, 7),
			reads(accept("flags/draft-00/flags-1-5", []byte{1, 0x44}, setsFlags(2, 6), "Flags 1 and 5 with the most significant bit first.", "draft", "bit_order"), d00, valid, 1, 5),
			reads(accept("flags/draft-00/flags-3-5-23", []byte{3, 0x14, 0x00, 0x01}, setsFlags(2, 4, 16), "Flags 3, 5 and 23 with the most significant bit first.", "draft", "bit_order"), d00, valid, 3, 5, 23),
			reads(accept("flags/draft-00/flag-8", []byte{2, 0x00, 0x80}, setsFlags(15), "Flag 8 with the most significant bit first.", "draft", "bit_order"), d00, valid, 8),
			reads(accept("flags/draft-00/flag-80", concat([]byte{11}, zeros(10), []byte{0x80}), setsFlags(87), "Flag 80 with the most significant bit first.", "draft", "bit_order"), d00, valid, 80),
			reads(accept("flags/draft-00/flags-3-4", []byte{1, 0x18}, setsFlags(3, 4), "Flags 3 and 4 are the same in both orders.", "draft", "bit_order"), d00, valid, 3, 4),
			reads(accept("flags/draft-00/31-octets", vector(octetsOf(31, 247)...), setsFlags(247), "The longest vector of draft -00.", "draft", "vector_length"), d00, valid, 240),
			reads(accept("flags/draft-00/32-octets", vector(octetsOf(32, 248)...), setsFlags(248), "One octet more than draft -00 allows.", "draft", "vector_length"), d00, invalid),
			reads(refuse("flags/draft-00/all-zero", []byte{1, 0x00}, "all_zero", 1, "Draft -00 has no rule about zero octets.", "draft", "not_shortest"), d00, valid),
			reads(refuse("flags/draft-00/trailing-zero", []byte{2, 0x80, 0x00}, "trailing_zero", 2, "Flag 0 of draft -00, and a zero octet after it.", "draft", "not_shortest"), d00, valid, 0),
			both(refuse("flags/draft-01/empty-vector", []byte{0}, "empty_vector", 0, "A ClientHello of drafts -01 and -02 may say that it knows TLS Flags, and set none.", "draft", "framing"), valid),
			both(refuse("flags/draft-01/empty-data", nil, "empty_data", 0, "An empty extension, as some read drafts -01 and -02.", "draft", "framing"), valid),
			both(refuse("flags/draft-02/all-zero", []byte{2, 0x00, 0x00}, "all_zero", 2, "Drafts -01 and -02 have no rule about zero octets.", "draft", "not_shortest"), valid),
			both(refuse("flags/draft-02/trailing-zero", []byte{2, 0x01, 0x00}, "trailing_zero", 2, "Drafts -01 and -02 have no rule about zero octets.", "draft", "not_shortest"), valid, 0),
			both(accept("flags/draft-02/lsb-first", []byte{1, 0x01}, setsFlags(0), "The examples of -01 to -13 have the least significant bit first, though a sentence there says otherwise.", "draft", "bit_order"), valid, 0),
		)
	}},
	{"every-flag", "Every flag alone.", flagsSection2, func(g *list) {
		for f := range uint16(2040) {
			g.add(accept(fmt.Sprintf("flags/every/%d", f), encoded(f), setsFlags(f), fmt.Sprintf("Flag %d alone.", f), "every_flag"))
		}
	}},
}

// vector is the length of octets, then the octets.
func vector(octets ...byte) []byte {
	return append([]byte{byte(len(octets))}, octets...)
}

// octetsOf returns n octets with one bit set for each flag. The least significant bit of
// the first octet is flag 0.
func octetsOf(n int, flags ...uint16) []byte {
	octets := make([]byte, n)
	for _, f := range flags {
		octets[f/8] |= 1 << (f % 8)
	}
	return octets
}

// encoded is the shortest vector for the flags. The last flag must be the highest.
func encoded(flags ...uint16) []byte {
	return vector(octetsOf(int(flags[len(flags)-1])/8+1, flags...)...)
}

func zeros(n int) []byte { return make([]byte, n) }

func concat(parts ...[]byte) []byte { return slices.Concat(parts...) }

// malformedFlags are malformed extension_data, for the tests of messages.
var malformedFlags = []fault{
	{name: "empty-data", code: "empty_data"},
	{name: "empty-vector", code: "empty_vector", data: []byte{0}},
	{name: "empty-vector-and-byte", code: "empty_vector", data: []byte{0, 1}, helloOnly: true},
	{name: "inner-too-long", code: "inner_too_long", data: []byte{2, 1}},
	{name: "inner-into-next-extension", code: "inner_too_long", data: []byte{5, 1}, helloOnly: true},
	{name: "inner-255", code: "inner_too_long", data: []byte{255, 1}, helloOnly: true},
	{name: "trailing-byte", code: "trailing_bytes", offset: 2, data: []byte{1, 1, 0xff}},
	{name: "256-octets", code: "trailing_bytes", offset: 256, data: concat([]byte{255}, bytes.Repeat([]byte{0xff}, 256)), helloOnly: true},
	{name: "all-zero", code: "all_zero", offset: 1, data: []byte{1, 0}},
	{name: "all-zero-255", code: "all_zero", offset: 255, data: vector(zeros(255)...), helloOnly: true},
	{name: "trailing-zero", code: "trailing_zero", offset: 2, data: []byte{2, 1, 0}},
	{name: "trailing-zero-request-mtls", code: "trailing_zero", offset: 12, data: vector(octetsOf(12, 80)...), helloOnly: true},
}
