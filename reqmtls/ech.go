package reqmtls

import (
	"crypto/hpke"
	"crypto/tls"
	"slices"

	"golang.org/x/crypto/cryptobyte"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
)

// A server that accepts Encrypted Client Hello goes by the inner ClientHello alone
// (RFC 9849, Section 7.1), so its flags count, and those of the outer one only where
// the server rejects. crypto/tls decrypts by itself and hands out a list of the inner
// extension types, but not what is in them. So a hello for which that list has TLS
// flags is decrypted here once more, with the same keys.

// encryptedClientHelloKeys keeps the keys that the application chose for a client.
func (s *Server) encryptedClientHelloKeys(info *tls.ClientHelloInfo) ([]tls.EncryptedClientHelloKey, error) {
	keys, err := s.echKeys(info)
	if conn, ok := underlying(info.Conn); ok && conn.recorder != nil {
		conn.recorder.echKeys = keys
	}
	return keys, err
}

// offersECH reports whether a hello is an outer one. One that says it is an inner one,
// which a client-facing server has decrypted, is read as it is. The type alone is looked
// at, as crypto/tls decrypts also what has stray bytes behind the payload.
func offersECH(hello clienthello.ClientHello) bool {
	e, ok := hello.Extensions().Lookup(extension.EncryptedClientHello)
	return ok && len(e.Data) > 0 && e.Data[0] == clienthello.ECHOuter
}

// endRecording ends the recording for good, when crypto/tls has the ClientHello that it
// is going by.
func (c *Conn) endRecording(info *tls.ClientHelloInfo) {
	c.recorded = true
	if c.recorder == nil {
		return
	}
	defer c.release()
	r := c.recorder
	if r.message == nil {
		return
	}
	if !slices.ContainsFunc(info.Extensions, isFlagsType) {
		c.hello.Store(&c.server.unflagged)
		return
	}
	keys := r.echKeys
	if c.server.echKeys == nil {
		keys = c.server.config.EncryptedClientHelloKeys
	}
	outer, _, err := clienthello.Parse(r.message)
	if err != nil {
		return
	}
	if inner, ok := openECH(outer, keys); ok {
		hello := *c.server.read(inner)
		hello.ECH = true
		c.hello.Store(&hello)
	}
}

func isFlagsType(t uint16) bool {
	return extension.Type(t) == extension.TLSFlags || extension.Type(t) == extension.TLSFlagsExperimental
}

// openECH returns the extensions of the inner ClientHello, where one of the keys
// decrypts it. As crypto/tls does, it tries all of them.
func openECH(outer clienthello.ClientHello, keys []tls.EncryptedClientHelloKey) (extension.List, bool) {
	ech, err := outer.EncryptedClientHello()
	if err != nil || len(ech.Payload) == 0 {
		return extension.List{}, false
	}
	kdf, err := hpke.NewKDF(ech.KDF)
	if err != nil {
		return extension.List{}, false
	}
	aead, err := hpke.NewAEAD(ech.AEAD)
	if err != nil {
		return extension.List{}, false
	}

	// ClientHelloOuterAAD: the hello without its header, the payload zeroed. The
	// payload ends the extension.
	const header = 4
	e, _ := outer.Extensions().Lookup(extension.EncryptedClientHello)
	end := e.Offset + len(e.Data)
	aad := slices.Clone(outer.Raw())
	clear(aad[end-len(ech.Payload) : end])
	aad = aad[header:]

	for _, key := range keys {
		if encoded, ok := open(key, kdf, aead, ech.Enc, aad, ech.Payload); ok {
			return innerExtensions(encoded, outer.Extensions())
		}
	}
	return extension.List{}, false
}

// open decrypts a payload with one key, as defined in RFC 9849, Section 7.1.
func open(key tls.EncryptedClientHelloKey, kdf hpke.KDF, aead hpke.AEAD, enc, aad, payload []byte) ([]byte, bool) {
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

// innerExtensions returns the extensions of an EncodedClientHelloInner, with those
// put in that it takes over from the outer ClientHello (RFC 9849, Section 5.1).
func innerExtensions(encoded []byte, outer extension.List) (extension.List, bool) {
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
