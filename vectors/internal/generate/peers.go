package main

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"slices"
	"time"

	"github.com/tlsflags/tlsflags/vectors"
)

// The private keys of client and server in the kinds messages and request_mtls, and the
// seed of the key of the certificate. README.md publishes them.
var (
	clientKey       = counting(0x00)
	serverKey       = counting(0x20)
	certificateSeed = counting(0x40)
)

// counting is 32 bytes, each one more than the byte before it.
func counting(from byte) []byte {
	b := make([]byte, 32)
	for i := range b {
		b[i] = from + byte(i)
	}
	return b
}

// x25519Share is a KeyShareEntry with the public key of a private key.
func x25519Share(private []byte) []byte {
	key, err := ecdh.X25519().NewPrivateKey(private)
	if err != nil {
		panic(err)
	}
	return concat(made(uint16s(x25519)), opaque16(key.PublicKey().Bytes()))
}

// asking is a ClientHello of TLS 1.3 that offers what the other messages answer.
func asking() hello {
	return hello{
		version: 0x0303, random: filler("random", 32), sessionID: filler("session", 32), suites: []uint16{0x1301}, compression: []byte{0},
		extensions: []ext{
			serverName("example.com"), groups(x25519, secp256r1), signatures(ed25519Scheme, 0x0403, 0x0804), alpn("h2"), statusRequest(), empty(extSCT),
			versions(0x0304), pskModes(), keyShare(x25519Share(clientKey)),
		},
	}
}

// asking12 is a ClientHello that offers TLS 1.2 too.
func asking12() hello {
	h := asking().with(empty(extMainSecret), renegotiation())
	h.suites = append(h.suites, 0xc02b, 0xc02f)
	h.extensions[6] = versions(0x0304, 0x0303)
	return h
}

const ed25519Scheme = 0x0807

// leaf is an X.509 certificate, signed with its own key, and without an extension.
var leaf = func() []byte {
	key := ed25519.NewKeyFromSeed(certificateSeed)
	template := x509.Certificate{
		SerialNumber: big.NewInt(62),
		Subject:      pkix.Name{CommonName: "example.com"},
		NotBefore:    time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:     time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(nil, &template, &template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	return der
}()

// ocspResponse is a CertificateStatus whose OCSPResponse says tryLater.
func ocspResponse() ext {
	return raw(extStatusRequest, concat([]byte{1}, opaque24([]byte{0x30, 3, 0x0a, 1, 3}))...)
}

// timestamps is a list with one SignedCertificateTimestamp of version 1. Nobody has
// signed it.
func timestamps() ext {
	sct := concat([]byte{0}, filler("log", 32), []byte{0, 0, 1, 0x9b, 0, 0, 0, 0}, opaque16(nil), []byte{4, 3}, opaque16(filler("signature", 8)))
	return raw(extSCT, opaque16(opaque16(sct))...)
}

// serverCertificate has one entry.
func serverCertificate(extensions ...ext) ([]byte, []int) {
	return certificates(append([]ext{ocspResponse(), timestamps()}, extensions...))
}

// clientCertificate has one entry. It has no OCSP response, which OpenSSL as a server
// cannot ask for.
func clientCertificate(extensions ...ext) ([]byte, []int) {
	return certificates(append([]ext{timestamps()}, extensions...))
}

// certificates has an entry for each list of extensions.
func certificates(entries ...[]ext) ([]byte, []int) {
	var body []byte
	var all []int
	for _, extensions := range entries {
		body = append(body, opaque24(leaf)...)
		block, at := extensionBlock(extensions)
		for _, i := range at {
			all = append(all, 4+1+3+len(body)+i)
		}
		body = append(body, block...)
	}
	return handshake(11, concat([]byte{0}, opaque24(body))), all
}

func offerIn(extensions ...ext) [][]byte { return [][]byte{asking().with(extensions...).bytes()} }

// requestIn has a ClientHello without flags, and a CertificateRequest with them.
func requestIn(extensions ...ext) [][]byte {
	request, _ := certificateRequest(extensions...)
	return [][]byte{asking().bytes(), request}
}

// afterHello is the test after a ClientHello that sets the flag.
func afterHello(t vectors.Test, flag uint16) vectors.Test {
	t.Before = slices.Clone(t.Before)
	t.Before[0] = asking().with(flagsExt(flag)).bytes()
	return t
}
