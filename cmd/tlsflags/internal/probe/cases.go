package probe

import (
	"slices"

	"github.com/tlsflags/tlsflags/extension"
)

// malformedCase is a TLS Flags extension that no client may send. It has the flag set if
// its form allows, to show whether the server acts on a malformed extension.
type malformedCase struct {
	name   string
	data   []byte
	repeat int // how many more times the extension is in the hello
}

// malformedCases are the classes of draft-ietf-tls-tlsflags-16, Sections 2 and 3.
func malformedCases(flag extension.Flag) []malformedCase {
	vector := make([]byte, int(flag)/8+1) // the flag alone
	vector[flag/8] = 1 << (flag % 8)
	n := byte(len(vector))
	data := func(length byte, parts ...[]byte) []byte { return append([]byte{length}, slices.Concat(parts...)...) }
	cases := []malformedCase{
		{"empty_data", nil, 0},
		{"empty_vector", []byte{0}, 0},
		{"trailing_bytes", data(n, vector, []byte{0xff}), 0},
		{"too_many_octets", data(0xff, vector, slices.Repeat([]byte{0xff}, 256-len(vector))), 0},
		{"all_zero", data(1, []byte{0}), 0},
		{"all_zero_octets", data(n, make([]byte, n)), 0},
		{"duplicate_extension", data(n, vector), 1},
	}
	if n == 0xff { // no room for another octet
		return append(cases, malformedCase{"inner_too_long", data(n, vector[:n-1]), 0})
	}
	return append(cases,
		malformedCase{"inner_too_long", data(n+1, vector), 0},
		malformedCase{"trailing_zero", data(n+1, vector, []byte{0}), 0})
}

// extensions are what goes into the hello.
func (c malformedCase) extensions(t extension.Type) []extension.Extension {
	return slices.Repeat([]extension.Extension{{Type: t, Data: c.data}}, 1+c.repeat)
}
