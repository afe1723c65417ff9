package capture

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"
)

// hasher makes hashes that nobody can choose without knowing its secret, in the way of wyhash,
// as Go's maps do on processors without AES. A key is hashed for each packet; hasher takes a
// fraction of the time of maphash.
type hasher struct{ secret [4]uint64 }

func newHasher() *hasher {
	var h hasher
	for i := range h.secret {
		h.secret[i] = maphash.String(maphash.MakeSeed(), "secret")
	}
	return &h
}

// mum multiplies to 128 bits, and folds them.
func mum(a, b uint64) uint64 {
	high, low := bits.Mul64(a, b)
	return high ^ low
}

func word(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }

// key returns the hash of a flow key.
func (h *hasher) key(k *flowKey) uint64 {
	s := &h.secret
	x := mum(word(k.lo.ip[:])^s[0], word(k.hi.ip[:])^s[1]) ^ mum(word(k.lo.ip[8:])^s[2], word(k.hi.ip[8:])^s[3])
	return mum(x^s[1]^k.id, s[2]^(uint64(k.lo.port)|uint64(k.hi.port)<<16|uint64(k.kind)<<32))
}

// bytes returns the hash of b.
func (h *hasher) bytes(b []byte) uint64 {
	const block = 32
	s := &h.secret
	x, y, end := s[0], s[1], s[2]^uint64(len(b))
	var last [block]byte
	for len(b) > 0 {
		if len(b) < block {
			copy(last[:], b)
			b = last[:]
		}
		w := b[:block:block]
		x = mum(x^word(w), s[2]^word(w[8:]))
		y = mum(y^word(w[16:]), s[3]^word(w[24:]))
		b = b[block:]
	}
	return mum(x^end, y^s[3])
}
