package fingerprint

import (
	"encoding/hex"
	"slices"
	"strconv"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
)

// Difference is a field in which two hellos differ.
type Difference struct {
	// Field is a field of the ClientHello, such as "cipher_suites", or the name of an
	// extension that both have. "extensions" is the list of their types.
	Field string
	// A and B are the values that only one hello has. If Order is set both have the same
	// values, and A and B are all of them in the order of each hello.
	A, B  []string
	Order bool
}

// Diff returns the differences between two hellos in the order of the message. GREASE is
// left out, and random. Of what is new in every connection, such as key shares, tickets and
// what Encrypted Client Hello encrypts, only the lengths in bytes are compared.
func Diff(a, b clienthello.ClientHello) []Difference {
	var d []Difference
	add := func(field string, a, b []string) {
		if onlyA, onlyB := without(a, b), without(b, a); len(onlyA)+len(onlyB) > 0 {
			d = append(d, Difference{Field: field, A: onlyA, B: onlyB})
		} else if !slices.Equal(a, b) {
			d = append(d, Difference{Field: field, A: a, B: b, Order: true})
		}
	}
	add("legacy_version", []string{a.LegacyVersion().String()}, []string{b.LegacyVersion().String()})
	add("legacy_session_id", byteCount(a.LegacySessionID()), byteCount(b.LegacySessionID()))
	add("cipher_suites", values(a.CipherSuites()), values(b.CipherSuites()))
	add("legacy_compression_methods", numbers(a.LegacyCompressionMethods()), numbers(b.LegacyCompressionMethods()))
	add("extensions", types(a), types(b))
	var fa, fb clienthello.Fields
	a.ReadFields(&fa)
	b.ReadFields(&fb)
	others := make(map[extension.Type]extension.Extension)
	for e := range b.Extensions().All() {
		if _, again := others[e.Type]; !again {
			others[e.Type] = e
		}
	}
	for e := range a.Extensions().All() {
		if other, ok := others[e.Type]; ok && !e.Type.IsGREASE() {
			add(e.Type.String(), body(e, &fa), body(other, &fb))
		}
	}
	return d
}

// without returns the values of a that b has not. A value that a has twice and b once is
// left once.
func without(a, b []string) []string {
	count := make(map[string]int, len(b))
	for _, v := range b {
		count[v]++
	}
	var rest []string
	for _, v := range a {
		if count[v]--; count[v] < 0 {
			rest = append(rest, v)
		}
	}
	return rest
}

func types(h clienthello.ClientHello) (list []string) {
	for e := range h.Extensions().All() {
		if !e.Type.IsGREASE() {
			list = append(list, e.Type.String())
		}
	}
	return list
}

func values[T interface {
	~uint16
	String() string
}](v clienthello.Vector[T]) (list []string) {
	for x := range v.All() {
		if !extension.IsGREASE(uint16(x)) {
			list = append(list, x.String())
		}
	}
	return list
}

func numbers(b []byte) (list []string) {
	for _, v := range b {
		list = append(list, strconv.Itoa(int(v)))
	}
	return list
}

func byteCount(b []byte) []string { return []string{strconv.Itoa(len(b)) + " bytes"} }

const padding extension.Type = 21 // RFC 7685

// body returns what an extension says.
func body(e extension.Extension, f *clienthello.Fields) (list []string) {
	if f.Malformed(e.Type) {
		return []string{"malformed: " + hex.EncodeToString(e.Data)}
	}
	switch e.Type {
	case extension.ServerName:
		return []string{string(f.ServerName)}
	case extension.SupportedVersions:
		return values(f.SupportedVersions)
	case extension.SupportedGroups:
		return values(f.SupportedGroups)
	case extension.SignatureAlgorithms:
		return values(f.SignatureAlgorithms)
	case extension.SignatureAlgorithmsCert:
		return values(f.SignatureAlgorithmsCert)
	case extension.CompressCertificate:
		for v := range f.CompressCertificate.All() {
			list = append(list, v.String())
		}
	case extension.ALPN:
		for name := range f.ALPN.All() {
			list = append(list, string(name))
		}
	case extension.KeyShare:
		for share := range f.KeyShares.All() {
			if !extension.IsGREASE(uint16(share.Group)) {
				list = append(list, share.Group.String()+": "+byteCount(share.KeyExchange)[0])
			}
		}
	case extension.PSKKeyExchangeModes:
		return numbers(f.PSKKeyExchangeModes)
	case extension.ECPointFormats:
		return numbers(f.ECPointFormats)
	case extension.TLSFlags, extension.TLSFlagsExperimental:
		flags, _, _ := extension.ParseFlags(e.Data)
		for flag := range flags.All() {
			list = append(list, flag.String())
		}
	case extension.EncryptedClientHello:
		ech := f.EncryptedClientHello
		return []string{echType(ech), "KDF " + strconv.Itoa(int(ech.KDF)), "AEAD " + strconv.Itoa(int(ech.AEAD)), "enc: " + byteCount(ech.Enc)[0]}
	case extension.PreSharedKey, extension.SessionTicket, extension.Cookie, extension.QUICTransportParameters, padding:
		return byteCount(e.Data)
	default:
		return []string{hex.EncodeToString(e.Data)}
	}
	return list
}
