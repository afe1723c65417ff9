package reqmtls_test

import (
	"crypto/ecdh"
	"crypto/hpke"
	"crypto/tls"
	"slices"
	"testing"

	"golang.org/x/crypto/cryptobyte"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/reqmtls"
)

// echKey returns a server's key for Encrypted Client Hello, with the public key that a
// client would find in DNS.
func echKey(t *testing.T, id byte) (tls.EncryptedClientHelloKey, hpke.PublicKey) {
	t.Helper()
	private, err := hpke.MLKEM768X25519().GenerateKey()
	if id%2 == 0 {
		private, err = hpke.DHKEM(ecdh.X25519()).GenerateKey()
	}
	if err != nil {
		t.Fatal(err)
	}
	secret, err := private.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	public := private.PublicKey()
	var b cryptobyte.Builder
	b.AddUint16(uint16(extension.EncryptedClientHello))
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
		b.AddUint8(id)
		b.AddUint16(public.KEM().ID())
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(public.Bytes()) })
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
			b.AddUint16(hpke.HKDFSHA256().ID())
			b.AddUint16(hpke.AES128GCM().ID())
		})
		b.AddUint8(0) // maximum_name_length
		b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte("b.example")) })
		b.AddUint16(0) // extensions
	})
	return tls.EncryptedClientHelloKey{Config: b.BytesOrPanic(), PrivateKey: secret}, public
}

// echHello returns a record with an outer hello that has the extensions of plain and
// the given ones, and an inner hello for a.example with those of plain and inner.
func echHello(t *testing.T, key tls.EncryptedClientHelloKey, public hpke.PublicKey, plain clienthello.ClientHello, outer, inner []extension.Extension) []byte {
	t.Helper()
	var outerList, innerList []extension.Extension
	for e := range plain.Extensions().All() {
		outerList = append(outerList, e)
		switch e.Type {
		case extension.ServerName:
			e.Data = []byte("\x00\x0c\x00\x00\x09a.example")
		case extension.SupportedVersions:
			e.Data = []byte{2, 3, 4}
		}
		innerList = append(innerList, e)
	}
	innerList = append(innerList, extension.Extension{Type: extension.EncryptedClientHello, Data: []byte{1}})
	innerList = append(innerList, inner...)
	encoded := append(body(plain, nil, innerList), make([]byte, 16)...) // padding

	enc, sender, err := hpke.NewSender(public, hpke.HKDFSHA256(), hpke.AES128GCM(), append([]byte("tls ech\x00"), key.Config...))
	if err != nil {
		t.Fatal(err)
	}
	const tagLen = 16
	ech := func(payload []byte) extension.Extension {
		var b cryptobyte.Builder
		b.AddUint8(0)
		b.AddUint16(hpke.HKDFSHA256().ID())
		b.AddUint16(hpke.AES128GCM().ID())
		b.AddUint8(key.Config[4])
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(enc) })
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(payload) })
		return extension.Extension{Type: extension.EncryptedClientHello, Data: b.BytesOrPanic()}
	}
	outerList = slices.Concat(outerList, outer)
	aad := body(plain, plain.LegacySessionID(), append(slices.Clone(outerList), ech(make([]byte, len(encoded)+tagLen))))
	payload, err := sender.Seal(aad, encoded)
	if err != nil {
		t.Fatal(err)
	}
	return record(body(plain, plain.LegacySessionID(), append(slices.Clone(outerList), ech(payload))))
}

func TestEncryptedClientHello(t *testing.T) {
	key, public := echKey(t, 7)
	second, secondPublic := echKey(t, 8)
	unknown, unknownPublic := echKey(t, 9)
	keys := []tls.EncryptedClientHelloKey{key, second}
	list := func(e ...extension.Extension) []extension.Extension { return e }
	flag, neutral := tlsFlags(flag80), tlsFlags("\x01\x01")
	experimental := extension.Extension{Type: extension.TLSFlagsExperimental, Data: []byte(flag80)}
	fromOuter := extension.Extension{Type: extension.ECHOuterExtensions, Data: []byte{2, 0, 62}}
	plain := plainHello(t, testClient{})

	type want struct {
		name            string // server_name of the hello that counts
		applied, inside bool
	}
	tests := []struct {
		name         string
		key          tls.EncryptedClientHelloKey
		public       hpke.PublicKey
		outer, inner []extension.Extension
		want         want
	}{
		{"the flag inside", key, public, nil, list(flag), want{"a.example", true, true}},
		{"the flag inside, under 0xfe01", key, public, nil, list(experimental), want{"a.example", true, true}},
		{"the flag inside, under the second key", second, secondPublic, nil, list(flag), want{"a.example", true, true}},
		{"the flag inside, another outside", key, public, list(neutral), list(flag), want{"a.example", true, true}},
		{"the flag outside only", key, public, list(flag), nil, want{"a.example", false, false}},
		{"the flag outside, another inside", key, public, list(flag), list(neutral), want{"a.example", false, true}},
		{"the flag outside, copied inside", key, public, list(flag), list(fromOuter), want{"a.example", true, true}},
		{"no flag", key, public, nil, nil, want{"a.example", false, false}},
		{"rejected: the flag inside", unknown, unknownPublic, nil, list(flag), want{"localhost", false, false}},
		{"rejected: the flag outside", unknown, unknownPublic, list(flag), nil, want{"localhost", true, false}},
		{"rejected: the flag on both sides", unknown, unknownPublic, list(flag), list(flag), want{"localhost", true, false}},
	}
	configs := map[string]func(*tls.Config){
		"EncryptedClientHelloKeys": func(c *tls.Config) { c.EncryptedClientHelloKeys = keys },
		"GetEncryptedClientHelloKeys": func(c *tls.Config) {
			c.GetEncryptedClientHelloKeys = func(*tls.ClientHelloInfo) ([]tls.EncryptedClientHelloKey, error) { return keys, nil }
		},
	}
	for name, configure := range configs {
		t.Run(name, func(t *testing.T) {
			base := baseConfig()
			configure(base)
			s := startReal(t, base, reqmtls.Config{ClientCAs: botCAs()})
			for _, tt := range tests {
				hello := echHello(t, tt.key, tt.public, plain, tt.outer, tt.inner)
				e, _ := s.eventOf(t, hello)
				got := want{e.ServerName, e.Hello.Applied, e.Hello.ECH}
				if got != tt.want {
					t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
				}
			}
		})
	}
	t.Run("no keys", func(t *testing.T) {
		s := startReal(t, baseConfig(), reqmtls.Config{ClientCAs: botCAs()})
		e, _ := s.eventOf(t, echHello(t, key, public, plain, list(flag), nil))
		if !e.Hello.Applied || e.Hello.ECH {
			t.Errorf("%+v, want the outer flag honoured", e.Hello)
		}
	})
}
