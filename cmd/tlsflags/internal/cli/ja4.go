package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
)

// ja4 returns the JA4 fingerprint of the hello, as FoxIO defines it. The hellos of one
// program usually have the same one. It ignores GREASE, and treats a malformed extension
// as an empty one.
func ja4(h clienthello.ClientHello, carrier capture.Transport) string {
	var suites, types, schemes []uint16
	for suite := range h.CipherSuites().All() {
		suites = appendUnlessGREASE(suites, uint16(suite))
	}
	hasName, count := 'i', 0
	protocol := carrier[0]
	if carrier == capture.Raw { // TLS in something else than TCP
		protocol = capture.TCP[0]
	}
	for e := range h.Extensions().All() {
		if e.Type.IsGREASE() {
			continue
		}
		count++
		switch e.Type {
		case extension.ServerName:
			hasName = 'd'
		case extension.ALPN:
		default:
			types = append(types, uint16(e.Type))
		}
	}
	list, _ := h.SignatureAlgorithms()
	for scheme := range list.All() {
		schemes = appendUnlessGREASE(schemes, uint16(scheme))
	}
	slices.Sort(suites)
	slices.Sort(types)
	offers := appendHexList(nil, types)
	if len(schemes) > 0 {
		offers = appendHexList(append(offers, '_'), schemes)
	}
	return fmt.Sprintf("%c%s%c%02d%02d%s_%s_%s", protocol, ja4Version(h), hasName, min(len(suites), 99),
		min(count, 99), ja4ALPN(h), ja4Hash(appendHexList(nil, suites)), ja4Hash(offers))
}

func appendUnlessGREASE(list []uint16, v uint16) []uint16 {
	if extension.IsGREASE(v) {
		return list
	}
	return append(list, v)
}

func appendHexList(b []byte, list []uint16) []byte {
	for i, v := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = hex.AppendEncode(b, []byte{byte(v >> 8), byte(v)})
	}
	return b
}

// ja4Version is the highest version that the client offers.
func ja4Version(h clienthello.ClientHello) string {
	highest := h.LegacyVersion()
	if versions, _ := h.SupportedVersions(); versions.Len() > 0 {
		highest = 0
		for v := range versions.All() {
			if !extension.IsGREASE(uint16(v)) {
				highest = max(highest, v)
			}
		}
	}
	switch highest {
	case clienthello.VersionTLS13:
		return "13"
	case clienthello.VersionTLS12:
		return "12"
	case clienthello.VersionTLS11:
		return "11"
	case clienthello.VersionTLS10:
		return "10"
	case clienthello.VersionSSL30:
		return "s3"
	case clienthello.VersionDTLS10:
		return "d1"
	case clienthello.VersionDTLS12:
		return "d2"
	case clienthello.VersionDTLS13:
		return "d3"
	}
	return "00"
}

// ja4ALPN is the first and the last character of the first protocol name, or of the name in
// hexadecimal if one of them is no letter or digit.
func ja4ALPN(h clienthello.ClientHello) string {
	names, _ := h.ALPN()
	for name := range names.All() {
		if !isAlphanumeric(name[0]) || !isAlphanumeric(name[len(name)-1]) {
			name = hex.AppendEncode(nil, name)
		}
		return string([]byte{name[0], name[len(name)-1]})
	}
	return "00"
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}

func ja4Hash(list []byte) string {
	if len(list) == 0 {
		return "000000000000"
	}
	sum := sha256.Sum256(list)
	return hex.EncodeToString(sum[:6])
}
