package tls13

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"hash"

	"golang.org/x/crypto/chacha20poly1305"
)

// Keys decrypts the records of one direction, as defined in RFC 9846, Section 5.2.
type Keys struct {
	aead cipher.AEAD
	iv   []byte
	seq  uint64
}

var errSecret = errors.New("no secret, or one that does not fit the cipher suite")

// NewKeys derives the keys of a traffic secret (RFC 9846, Section 7.3) for one of the
// cipher suites TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384 and
// TLS_CHACHA20_POLY1305_SHA256.
func NewKeys(suite uint16, secret []byte) (*Keys, error) {
	newHash, keyLen := sha256.New, 16
	newAEAD := newGCM
	switch suite {
	case tls.TLS_AES_128_GCM_SHA256:
	case tls.TLS_AES_256_GCM_SHA384:
		newHash, keyLen = sha512.New384, 32
	case tls.TLS_CHACHA20_POLY1305_SHA256:
		keyLen, newAEAD = chacha20poly1305.KeySize, chacha20poly1305.New
	default:
		return nil, errors.New("unknown cipher suite")
	}
	if len(secret) != newHash().Size() {
		return nil, errSecret
	}
	// All of these lengths fit.
	aead, _ := newAEAD(expandLabel(newHash, secret, "key", keyLen))
	return &Keys{aead: aead, iv: expandLabel(newHash, secret, "iv", aead.NonceSize())}, nil
}

func newGCM(key []byte) (cipher.AEAD, error) {
	block, _ := aes.NewCipher(key) // of 16 or 32 bytes
	return cipher.NewGCM(block)
}

// nonce returns that of the next record (RFC 9846, Section 5.3).
func (k *Keys) nonce() []byte {
	nonce := bytes.Clone(k.iv)
	tail := nonce[len(nonce)-8:]
	binary.BigEndian.PutUint64(tail, binary.BigEndian.Uint64(tail)^k.seq)
	return nonce
}

// Open decrypts the next record, given with its header, and returns the content type and
// the content inside. If it cannot be decrypted with these keys it returns false, and
// still expects the same record.
func (k *Keys) Open(record []byte) (contentType byte, content []byte, ok bool) {
	inner, err := k.aead.Open(nil, k.nonce(), record[recordHeaderLen:], record[:recordHeaderLen])
	if err != nil {
		return 0, nil, false
	}
	k.seq++
	// struct { opaque content[length]; ContentType type; uint8 zeros[length_of_padding]; }
	inner = bytes.TrimRight(inner, "\x00")
	if len(inner) == 0 {
		return 0, nil, false
	}
	return inner[len(inner)-1], inner[:len(inner)-1], true
}

// Seal returns the next record, with its header. It is the reverse of Open, for tests.
// The content has at most 2^14 bytes.
func (k *Keys) Seal(contentType byte, content []byte) []byte {
	inner := append(bytes.Clone(content), contentType)
	record := []byte{recordApplicationData, 3, 3}
	record = binary.BigEndian.AppendUint16(record, uint16(len(inner)+k.aead.Overhead()))
	record = k.aead.Seal(record, k.nonce(), inner, record)
	k.seq++
	return record
}

// expandLabel is HKDF-Expand-Label of RFC 9846, Section 7.1 with an empty context. n is at
// most 255 times the size of the hash.
func expandLabel(h func() hash.Hash, secret []byte, label string, n int) []byte {
	label = "tls13 " + label
	info := binary.BigEndian.AppendUint16(nil, uint16(n))
	info = append(append(append(info, byte(len(label))), label...), 0)
	b, _ := hkdf.Expand(h, secret, string(info), n)
	return b
}
