//go:build live

package live

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// expandLabel is HKDF-Expand-Label of RFC 9846, Section 7.1, with SHA-256.
func expandLabel(secret []byte, label string, context []byte, n int) []byte {
	label = "tls13 " + label
	info := append([]byte{byte(n >> 8), byte(n), byte(len(label))}, label...)
	info = append(append(info, byte(len(context))), context...)
	out, err := hkdf.Expand(sha256.New, secret, string(info), n)
	if err != nil {
		panic(err)
	}
	return out
}

func hash(data []byte) []byte {
	sum := sha256.Sum256(data)
	return sum[:]
}

// next is the secret of the next stage of the key schedule.
func next(secret, input []byte) []byte {
	salt := make([]byte, 32)
	if secret != nil {
		salt = expandLabel(secret, "derived", hash(nil), 32)
	}
	out, err := hkdf.Extract(sha256.New, input, salt)
	if err != nil {
		panic(err)
	}
	return out
}

// finished is the Finished message of the side with a traffic secret.
func finished(secret, transcript []byte) []byte {
	h := hmac.New(sha256.New, expandLabel(secret, "finished", nil, 32))
	h.Write(hash(transcript))
	return h.Sum([]byte{20, 0, 0, 32})
}

// A half protects the records of one direction with AES-128-GCM.
type half struct {
	aead cipher.AEAD
	iv   []byte
	seq  uint64
}

func newHalf(secret []byte) *half {
	block, err := aes.NewCipher(expandLabel(secret, "key", nil, 16))
	if err != nil {
		panic(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return &half{aead: aead, iv: expandLabel(secret, "iv", nil, 12)}
}

func (h *half) nonce() []byte {
	nonce := append([]byte{}, h.iv...)
	binary.BigEndian.PutUint64(nonce[4:], binary.BigEndian.Uint64(nonce[4:])^h.seq)
	h.seq++
	return nonce
}

// seal returns a record with data of a type.
func (h *half) seal(typ byte, data []byte) []byte {
	header := []byte{23, 3, 3, 0, 0}
	binary.BigEndian.PutUint16(header[3:], uint16(len(data)+1+h.aead.Overhead()))
	return h.aead.Seal(header, h.nonce(), append(append([]byte{}, data...), typ), header)
}

// open returns the type and the data of a record.
func (h *half) open(header, body []byte) (byte, []byte, error) {
	data, err := h.aead.Open(nil, h.nonce(), body, header)
	for err == nil && len(data) > 0 && data[len(data)-1] == 0 { // padding
		data = data[:len(data)-1]
	}
	if err != nil || len(data) == 0 {
		return 0, nil, fmt.Errorf("a record that cannot be opened: %v", err)
	}
	return data[len(data)-1], data[:len(data)-1], nil
}
