package assemble

import (
	"crypto/sha256"
	"encoding"
	"encoding/binary"
	"hash"
)

// mac is HMAC with SHA-256 (RFC 2104), for keys of at most one block, without allocations for
// each key and message.
type mac struct {
	digest       digest
	inner, outer []byte // states of digest after a block of the key
	pad          [sha256.BlockSize]byte
	sum          [sha256.Size]byte
}

// digest is what sha256.New says that it returns.
type digest interface {
	hash.Hash
	encoding.BinaryAppender
	encoding.BinaryUnmarshaler
}

func newMAC() mac { return mac{digest: sha256.New().(digest)} }

func (m *mac) setKey(key []byte) {
	m.pad = [sha256.BlockSize]byte{}
	copy(m.pad[:], key)
	m.inner = m.stateOf(m.inner, 0x3636363636363636)
	m.outer = m.stateOf(m.outer, 0x3636363636363636^0x5c5c5c5c5c5c5c5c)
}

// stateOf returns the state after the pad, to the bytes of which it adds those of x. It uses b.
func (m *mac) stateOf(b []byte, x uint64) []byte {
	for p := m.pad[:]; len(p) > 0; p = p[8:] {
		binary.NativeEndian.PutUint64(p, binary.NativeEndian.Uint64(p)^x)
	}
	m.digest.Reset()
	m.digest.Write(m.pad[:])
	b, _ = m.digest.AppendBinary(b[:0])
	return b
}

// of returns the HMAC of a message of at most a block.
func (m *mac) of(message []byte) [sha256.Size]byte {
	m.add(m.inner, m.pad[:copy(m.pad[:], message)]) // message would escape to the heap
	m.add(m.outer, m.sum[:])
	return m.sum
}

// add sets m.sum to the hash of the block that made a state, and of b.
func (m *mac) add(state, b []byte) {
	m.digest.UnmarshalBinary(state)
	m.digest.Write(b)
	m.digest.Sum(m.sum[:0])
}

// expand is HKDF-Expand (RFC 5869, Section 2.3) with the key of m as secret, for labels that
// ask for one block or less: the caller cuts. Package crypto/hkdf gives the same and takes 46
// allocations more for a key schedule; a test compares the two.
func (m *mac) expand(label string) [sha256.Size]byte {
	var info [sha256.BlockSize]byte
	n := copy(info[:], label)
	info[n] = 1 // the first block
	return m.of(info[:n+1])
}
