package assemble

import (
	"bytes"
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
	state        []byte
	pad          [sha256.BlockSize]byte
	sum          [sha256.Size]byte
	opaque       bool // a state has no hash at hashAt
}

// digest is what sha256.New says that it returns.
type digest interface {
	hash.Hash
	encoding.BinaryAppender
	encoding.BinaryUnmarshaler
}

const (
	// hashAt is the offset of the hash of the blocks so far in the state of a digest.
	hashAt = 4
	// maxMAC is how long a message can be that fills up to one block with its padding.
	maxMAC = sha256.BlockSize - 1 - 8
)

func newMAC() mac {
	m := mac{digest: sha256.New().(digest)}
	m.padTo(0, 0)
	m.digest.Write(m.pad[:])
	m.state, _ = m.digest.AppendBinary(nil)
	empty := sha256.Sum256(nil)
	m.opaque = len(m.state) < hashAt+len(empty) || !bytes.Equal(m.state[hashAt:hashAt+len(empty)], empty[:])
	return m
}

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

// of returns the HMAC of a message of at most maxMAC bytes.
func (m *mac) of(message []byte) [sha256.Size]byte {
	m.add(m.inner, copy(m.pad[:], message)) // message would escape to the heap
	m.add(m.outer, copy(m.pad[:], m.sum[:]))
	return m.sum
}

// add sets m.sum to the hash of the block that made a state, and n bytes of m.pad. Sum would
// copy the digest and pad the copy, which takes twice as long.
func (m *mac) add(state []byte, n int) {
	m.digest.UnmarshalBinary(state)
	if m.opaque {
		m.digest.Write(m.pad[:n])
		m.digest.Sum(m.sum[:0])
		return
	}
	m.padTo(n, sha256.BlockSize)
	m.digest.Write(m.pad[:])
	m.state, _ = m.digest.AppendBinary(m.state[:0])
	copy(m.sum[:], m.state[hashAt:])
}

// padTo puts the padding of SHA-256 (FIPS 180-4, Section 5.1.1) after n bytes of m.pad, which
// follow those of other blocks.
func (m *mac) padTo(n, others int) {
	m.pad[n] = 0x80
	clear(m.pad[n+1:])
	binary.BigEndian.PutUint16(m.pad[sha256.BlockSize-2:], uint16(8*(others+n))) // bits
}

// expand is HKDF-Expand (RFC 5869, Section 2.3) with the key of m as secret, for labels that
// ask for one block or less: the caller cuts. Package crypto/hkdf gives the same and takes 46
// allocations more for a key schedule; a test compares the two.
func (m *mac) expand(label string) [sha256.Size]byte {
	var info [maxMAC]byte
	n := copy(info[:], label)
	info[n] = 1 // the first block
	return m.of(info[:n+1])
}
