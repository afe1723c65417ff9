package clienthello_test

import (
	"testing"

	"github.com/tlsflags/tlsflags/clienthello"
)

func TestStrings(t *testing.T) {
	for _, test := range []struct{ got, want string }{
		{clienthello.VersionSSL30.String(), "SSL 3.0"},
		{clienthello.VersionTLS10.String(), "TLS 1.0"},
		{clienthello.VersionTLS11.String(), "TLS 1.1"},
		{clienthello.VersionTLS12.String(), "TLS 1.2"},
		{clienthello.VersionDTLS10.String(), "DTLS 1.0"},
		{clienthello.VersionDTLS12.String(), "DTLS 1.2"},
		{clienthello.Version(2).String(), "0x0002"},
		{clienthello.Version(0x0100).String(), "DTLS 0.9"},
		{clienthello.Version(0x7f00).String(), "0x7f00"},
		{clienthello.Version(0x7f01).String(), "TLS 1.3 draft 1"},
		{clienthello.Version(0x7f1c).String(), "TLS 1.3 draft 28"},
		{clienthello.Version(0x7f1d).String(), "0x7f1d"},
		{clienthello.Version(0xfb16).String(), "0xfb16"},
		{clienthello.Version(0xfb17).String(), "TLS 1.3 draft 23 of Facebook"},
		{clienthello.Version(0xfb1a).String(), "TLS 1.3 draft 26 of Facebook"},
		{clienthello.CipherSuite(0x1301).String(), "TLS_AES_128_GCM_SHA256"},
		{clienthello.CipherSuite(0x0a0a).String(), "GREASE(0x0a0a)"},
		{clienthello.CipherSuite(0x0a0a).Name(), "GREASE"},
		{clienthello.CipherSuite(0xeeee).Name(), ""},
	} {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}

// Every code point has a text, and none but GREASE shares it.
func TestEveryName(t *testing.T) {
	for _, name := range []func(uint16) string{
		func(v uint16) string { return clienthello.Version(v).String() },
		func(v uint16) string { return clienthello.CipherSuite(v).String() },
		func(v uint16) string { return clienthello.Group(v).String() },
		func(v uint16) string { return clienthello.SignatureScheme(v).String() },
		func(v uint16) string { return clienthello.CertificateCompressionAlgorithm(v).String() },
	} {
		seen := make(map[string]uint16)
		for v := range uint16(0xffff) {
			s := name(v)
			if other, ok := seen[s]; ok || s == "" {
				t.Errorf("%#04x and %#04x are called %q", other, v, s)
			}
			seen[s] = v
		}
	}
}
