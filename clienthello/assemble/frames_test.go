package assemble_test

import (
	"slices"

	"github.com/tlsflags/tlsflags/internal/quicseal"
)

// crypto returns a CRYPTO frame.
func crypto(offset uint64, data []byte) []byte { return quicseal.AppendCrypto(nil, offset, data) }

// padded returns frames with as much PADDING as a payload of n bytes needs.
func padded(n int, frames ...[]byte) []byte {
	b := slices.Concat(frames...)
	return append(b, make([]byte, max(0, n-len(b)))...)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
