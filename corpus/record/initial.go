//go:build linux

package main

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"

	"github.com/quic-go/quic-go"
)

// initialSender seals a ClientHello into QUIC Initial packets (RFC 9000,
// Section 17.2.2), for clients whose hello no QUIC library would send.
type initialSender struct {
	version    quic.Version
	dcid, scid []byte
}

const (
	datagramSize = 1200 // the least that a server accepts
	cryptoSize   = 1000 // of the hello in each packet
)

// datagrams returns one datagram for each 1,000 bytes of the hello.
func (s initialSender) datagrams(hello []byte) ([][]byte, error) {
	aead, headerProtection, err := s.keys()
	if err != nil {
		return nil, err
	}
	var out [][]byte
	offset := 0
	for piece := range slices.Chunk(hello, cryptoSize) {
		out = append(out, s.seal(aead, headerProtection, byte(len(out)), offset, piece))
		offset += len(piece)
	}
	return out, nil
}

// seal makes a datagram that holds one Initial packet with one CRYPTO frame.
func (s initialSender) seal(aead cipher.AEAD, headerProtection cipher.Block, number byte, offset int, piece []byte) []byte {
	// Long Header Packet {form, fixed bit, type, packet number length - 1}.
	header := []byte{0xc0}
	if s.version == quic.Version2 {
		header[0] |= 1 << 4
	}
	header = binary.BigEndian.AppendUint32(header, uint32(s.version))
	header = append(header, byte(len(s.dcid)))
	header = append(header, s.dcid...)
	header = append(header, byte(len(s.scid)))
	header = append(header, s.scid...)
	header = append(header, 0) // token length
	length := datagramSize - len(header) - 2
	header = appendVarint2(header, length)
	header = append(header, number)

	payload := appendVarint2([]byte{6}, offset)
	payload = appendVarint2(payload, len(piece))
	payload = append(payload, piece...)
	payload = append(payload, make([]byte, length-1-aead.Overhead()-len(payload))...) // PADDING

	packet := protect(aead, header, payload, number)
	var mask [aes.BlockSize]byte
	start := len(header) - 1 // of the packet number
	headerProtection.Encrypt(mask[:], packet[start+4:start+4+aes.BlockSize])
	packet[0] ^= mask[0] & 0x0f
	packet[start] ^= mask[1]
	return packet
}

// protect encrypts the payload (RFC 9001, Section 5.3).
func protect(aead cipher.AEAD, header, payload []byte, number byte) []byte {
	nonce := make([]byte, aead.NonceSize())
	nonce[len(nonce)-1] = number
	return aead.Seal(slices.Clone(header), nonce, payload, header)
}

// appendVarint2 appends a variable-length integer in its two-byte form.
func appendVarint2(b []byte, n int) []byte {
	return binary.BigEndian.AppendUint16(b, 1<<14|uint16(n))
}

// keys derives what protects a client's Initial packets (RFC 9001,
// Section 5.2 and RFC 9369, Section 3.3).
func (s initialSender) keys() (cipher.AEAD, cipher.Block, error) {
	salt, label := "38762cf7f55934b34d179ae6a4c80cadccbb7f0a", "quic "
	if s.version == quic.Version2 {
		salt, label = "0dede3def700a6db819381be6e269dcbf9bd2ed9", "quicv2 "
	}
	rawSalt, err := hex.DecodeString(salt)
	if err != nil {
		return nil, nil, err
	}
	initial, err := hkdf.Extract(sha256.New, s.dcid, rawSalt)
	if err != nil {
		return nil, nil, err
	}
	secret, err := expandLabel(initial, "client in", sha256.Size)
	if err != nil {
		return nil, nil, err
	}
	var keys [3][]byte
	for i, k := range []struct {
		name string
		size int
	}{{"key", 16}, {"iv", 12}, {"hp", 16}} {
		if keys[i], err = expandLabel(secret, label+k.name, k.size); err != nil {
			return nil, nil, err
		}
	}
	block, err := aes.NewCipher(keys[0])
	if err != nil {
		return nil, nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, nil, err
	}
	headerProtection, err := aes.NewCipher(keys[2])
	return xorNonceAEAD{gcm, keys[1]}, headerProtection, err
}

// expandLabel is HKDF-Expand-Label with an empty context (RFC 9846,
// Section 7.1).
func expandLabel(secret []byte, label string, size int) ([]byte, error) {
	info := binary.BigEndian.AppendUint16(nil, uint16(size))
	info = append(info, byte(len("tls13 "+label)))
	info = append(info, "tls13 "+label...)
	info = append(info, 0)
	return hkdf.Expand(sha256.New, secret, string(info), size)
}

// xorNonceAEAD combines the packet number with the IV.
type xorNonceAEAD struct {
	cipher.AEAD
	iv []byte
}

func (a xorNonceAEAD) Seal(dst, nonce, plaintext, additional []byte) []byte {
	combined := slices.Clone(a.iv)
	for i := range nonce {
		combined[i] ^= nonce[i]
	}
	return a.AEAD.Seal(dst, combined, plaintext, additional)
}
