package assembletest

import (
	"math/rand"
	"slices"
)

// WithCuts puts sizes of pieces before a stream, in the form of SplitCuts.
func WithCuts(cuts, stream []byte) []byte {
	return slices.Concat([]byte{byte(len(cuts))}, cuts, stream)
}

// SplitCuts takes an input apart: how many sizes of pieces there are, these, the rest.
func SplitCuts(data []byte) (cuts, stream []byte, ok bool) {
	if len(data) == 0 || int(data[0]) >= len(data) {
		return nil, nil, false
	}
	n := 1 + int(data[0])
	return data[1:n], data[n:], true
}

// RandomBytes returns up to limit bytes.
func RandomBytes(r *rand.Rand, limit int) []byte {
	b := make([]byte, r.Intn(limit+1))
	r.Read(b)
	return b
}

// RandomCuts returns sizes of pieces, most of them small.
func RandomCuts(r *rand.Rand) []byte {
	cuts := RandomBytes(r, 16)
	for i := range cuts {
		cuts[i] >>= r.Intn(8)
	}
	return cuts
}
