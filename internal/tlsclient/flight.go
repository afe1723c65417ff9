package tlsclient

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/tlsflags/tlsflags/extension"
)

const (
	recordHandshake       = 22
	recordApplicationData = 23
	recordHeaderLen       = 5

	handshakeHeaderLen = 4
)

// certificateRequest returns the CertificateRequest in what a server of TLS 1.3 sent, where
// there is one and keyLog has the secret to read it.
func certificateRequest(sent []byte, keyLog string) (extension.HandshakeMessage, bool) {
	secret, ok := handshakeSecret(keyLog)
	if !ok {
		return extension.HandshakeMessage{}, false
	}
	var suite uint16
	var keys *recordKeys
	var messages []byte
	for len(sent) >= recordHeaderLen {
		n := int(binary.BigEndian.Uint16(sent[3:]))
		if len(sent) < recordHeaderLen+n {
			break
		}
		record := sent[:recordHeaderLen+n]
		sent = sent[len(record):]
		switch record[0] {
		case recordHandshake:
			// The last ServerHello counts: one before it is a HelloRetryRequest.
			if m, _, err := extension.ParseServerHello(record[recordHeaderLen:]); err == nil {
				suite = m.CipherSuite()
			}
		case recordApplicationData:
			if keys == nil {
				if keys = newRecordKeys(suite, secret); keys == nil {
					return extension.HandshakeMessage{}, false
				}
			}
			content, ok := keys.open(record)
			if !ok { // what follows has the keys of application data
				return extension.HandshakeMessage{}, false
			}
			messages = append(messages, content...)
			if m, found := findCertificateRequest(messages); found {
				return m, true
			}
		}
	}
	return extension.HandshakeMessage{}, false
}

// handshakeSecret finds the server's handshake traffic secret in a log of the format
// that KeyLogWriter writes: label, client random, secret.
func handshakeSecret(keyLog string) ([]byte, bool) {
	for line := range strings.Lines(keyLog) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "SERVER_HANDSHAKE_TRAFFIC_SECRET" {
			secret, err := hex.DecodeString(f[2])
			return secret, err == nil
		}
	}
	return nil, false
}

// findCertificateRequest looks for the message in a run of whole messages and one
// that may be cut.
func findCertificateRequest(messages []byte) (extension.HandshakeMessage, bool) {
	for len(messages) >= handshakeHeaderLen {
		n := handshakeHeaderLen + (int(messages[1])<<16 | int(messages[2])<<8 | int(messages[3]))
		if n > len(messages) {
			break
		}
		if m, _, err := extension.ParseCertificateRequest(messages[:n]); err == nil {
			return m, true
		}
		messages = messages[n:]
	}
	return extension.HandshakeMessage{}, false
}

// recordKeys decrypts records in order, as defined in RFC 9846, Section 5.2.
type recordKeys struct {
	aead cipher.AEAD
	iv   []byte
	seq  uint64
}

func newRecordKeys(suite uint16, secret []byte) *recordKeys {
	newHash, keyLen := sha256.New, 16
	newAEAD := newGCM
	switch suite {
	case tls.TLS_AES_128_GCM_SHA256:
	case tls.TLS_AES_256_GCM_SHA384:
		newHash, keyLen = sha512.New384, 32
	case tls.TLS_CHACHA20_POLY1305_SHA256:
		keyLen, newAEAD = chacha20poly1305.KeySize, chacha20poly1305.New
	default:
		return nil
	}
	key, err := expandLabel(newHash, secret, "key", keyLen)
	if err != nil {
		return nil
	}
	aead, err := newAEAD(key)
	if err != nil {
		return nil
	}
	iv, err := expandLabel(newHash, secret, "iv", aead.NonceSize())
	if err != nil {
		return nil
	}
	return &recordKeys{aead: aead, iv: iv}
}

func newGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// open returns the handshake bytes in a record, none where it holds something else,
// and false where it cannot be decrypted.
func (k *recordKeys) open(record []byte) ([]byte, bool) {
	nonce := bytes.Clone(k.iv)
	tail := nonce[len(nonce)-8:]
	binary.BigEndian.PutUint64(tail, binary.BigEndian.Uint64(tail)^k.seq)
	k.seq++
	inner, err := k.aead.Open(nil, nonce, record[recordHeaderLen:], record[:recordHeaderLen])
	if err != nil {
		return nil, false
	}
	// struct { opaque content[length]; ContentType type; uint8 zeros[length_of_padding]; }
	inner = bytes.TrimRight(inner, "\x00")
	if len(inner) == 0 || inner[len(inner)-1] != recordHandshake {
		return nil, true
	}
	return inner[:len(inner)-1], true
}

// expandLabel is HKDF-Expand-Label of RFC 9846, Section 7.1 with an empty context.
func expandLabel(h func() hash.Hash, secret []byte, label string, n int) ([]byte, error) {
	label = "tls13 " + label
	info := binary.BigEndian.AppendUint16(nil, uint16(n))
	info = append(append(append(info, byte(len(label))), label...), 0)
	return hkdf.Expand(h, secret, string(info), n)
}
