// Package ech reads the extensions of an inner ClientHello, which Encrypted Client Hello
// (RFC 9849) hides in an outer one.
package ech

import (
	"crypto/hpke"
	"crypto/tls"
	"slices"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/wire"
)

// Open returns the extensions of the inner ClientHello, if one of the keys decrypts it.
// As crypto/tls does, it tries all keys.
func Open(outer clienthello.ClientHello, keys []tls.EncryptedClientHelloKey) (extension.List, bool) {
	offer, ok, err := outer.EncryptedClientHello()
	if !ok || err != nil || offer.Type != clienthello.ECHOuter {
		return extension.List{}, false
	}
	kdf, err := hpke.NewKDF(offer.KDF)
	if err != nil {
		return extension.List{}, false
	}
	aead, err := hpke.NewAEAD(offer.AEAD)
	if err != nil {
		return extension.List{}, false
	}

	// ClientHelloOuterAAD: the hello without its header, the payload zeroed. The
	// payload ends the extension.
	const header = 4
	e, _ := outer.Extensions().Lookup(extension.EncryptedClientHello)
	end := e.Offset + len(e.Data)
	aad := slices.Clone(outer.Raw())
	clear(aad[end-len(offer.Payload) : end])
	aad = aad[header:]

	for _, key := range keys {
		if encoded, ok := decrypt(key, kdf, aead, offer.Enc, aad, offer.Payload); ok {
			return InnerExtensions(encoded, outer.Extensions())
		}
	}
	return extension.List{}, false
}

// decrypt opens a payload with one key, as defined in RFC 9849, Section 7.1.
func decrypt(key tls.EncryptedClientHelloKey, kdf hpke.KDF, aead hpke.AEAD, enc, aad, payload []byte) ([]byte, bool) {
	// struct { uint16 version; uint16 length; uint8 config_id; HpkeKemId kem_id; ... } ECHConfig;
	r := wire.NewReader(key.Config, 0)
	r.Skip(2 + 2 + 1)
	kemID := r.Uint(2)
	if r.Code() != 0 {
		return nil, false
	}
	kem, err := hpke.NewKEM(uint16(kemID))
	if err != nil {
		return nil, false
	}
	private, err := kem.NewPrivateKey(key.PrivateKey)
	if err != nil {
		return nil, false
	}
	recipient, err := hpke.NewRecipient(enc, private, kdf, aead, append([]byte("tls ech\x00"), key.Config...))
	if err != nil {
		return nil, false
	}
	encoded, err := recipient.Open(aad, payload)
	return encoded, err == nil
}

// InnerExtensions returns the extensions of an EncodedClientHelloInner, in which those
// that it refers to are copied from the outer ClientHello (RFC 9849, Section 5.1). It
// reports false if the message is malformed. Offsets are those in the expanded block.
func InnerExtensions(encoded []byte, outer extension.List) (extension.List, bool) {
	r := wire.NewReader(encoded, 0)
	r.Skip(2 + 32)    // legacy_version, random
	r.Vector(1, 0, 1) // legacy_session_id
	r.Vector(2, 0, 1) // cipher_suites
	r.Vector(1, 0, 1) // legacy_compression_methods
	block := r.Vector(2, 0, 1)
	if r.Code() != 0 {
		return extension.List{}, false
	}
	list, _, err := extension.ParseList(extension.ClientHello, block, 0)
	if err != nil {
		return extension.List{}, false
	}
	var expanded []byte
	for e := range list.All() {
		if e.Type != extension.ECHOuterExtensions {
			expanded = appendExtension(expanded, e)
			continue
		}
		types := wire.NewReader(e.Data, 0)
		types.Open(1, 0, 2)
		for types.Left() > 0 {
			if o, ok := outer.Lookup(extension.Type(types.Uint(2))); ok {
				expanded = appendExtension(expanded, o)
			}
		}
		if types.Code() != 0 {
			return extension.List{}, false
		}
	}
	list, _, err = extension.ParseList(extension.ClientHello, expanded, 0)
	return list, err == nil
}

func appendExtension(b []byte, e extension.Extension) []byte {
	b = append(b, byte(e.Type>>8), byte(e.Type), byte(len(e.Data)>>8), byte(len(e.Data)))
	return append(b, e.Data...)
}
