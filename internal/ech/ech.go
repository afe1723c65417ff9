// Package ech reads the extensions of an inner ClientHello, which Encrypted Client Hello
// (RFC 9849) hides in an outer one.
package ech

import (
	"crypto/hpke"
	"crypto/tls"
	"slices"

	"golang.org/x/crypto/cryptobyte"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
)

// Open returns the extensions of the inner ClientHello, where one of the keys
// decrypts it. As crypto/tls does, it tries all of them.
func Open(outer clienthello.ClientHello, keys []tls.EncryptedClientHelloKey) (extension.List, bool) {
	offer, err := outer.EncryptedClientHello()
	if err != nil || len(offer.Payload) == 0 {
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
	var kemID uint16
	s := cryptobyte.String(key.Config)
	if !s.Skip(2+2+1) || !s.ReadUint16(&kemID) {
		return nil, false
	}
	kem, err := hpke.NewKEM(kemID)
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

// InnerExtensions returns the extensions of an EncodedClientHelloInner, with those
// put in that it takes over from the outer ClientHello (RFC 9849, Section 5.1), and false
// where it is malformed. Offsets count in the block that comes of it.
func InnerExtensions(encoded []byte, outer extension.List) (extension.List, bool) {
	var skipped, block cryptobyte.String
	s := cryptobyte.String(encoded)
	if !s.Skip(2+32) || !s.ReadUint8LengthPrefixed(&skipped) || !s.ReadUint16LengthPrefixed(&skipped) ||
		!s.ReadUint8LengthPrefixed(&skipped) || !s.ReadUint16LengthPrefixed(&block) {
		return extension.List{}, false
	}
	list, _, err := extension.ParseList(extension.ClientHello, block, 0)
	if err != nil {
		return extension.List{}, false
	}
	var b cryptobyte.Builder
	for e := range list.All() {
		if e.Type != extension.ECHOuterExtensions {
			addExtension(&b, e)
			continue
		}
		var types cryptobyte.String
		data := cryptobyte.String(e.Data)
		if !data.ReadUint8LengthPrefixed(&types) {
			return extension.List{}, false
		}
		for !types.Empty() {
			var t uint16
			if !types.ReadUint16(&t) {
				return extension.List{}, false
			}
			if o, ok := outer.Lookup(extension.Type(t)); ok {
				addExtension(&b, o)
			}
		}
	}
	expanded, err := b.Bytes()
	if err != nil {
		return extension.List{}, false
	}
	list, _, err = extension.ParseList(extension.ClientHello, expanded, 0)
	return list, err == nil
}

func addExtension(b *cryptobyte.Builder, e extension.Extension) {
	b.AddUint16(uint16(e.Type))
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(e.Data) })
}
