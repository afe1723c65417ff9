package fingerprint

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
)

// Transport is what carried the hello, as JA4 names it: the first letter of a Transport of
// package capture.
type Transport byte

const (
	TCP  Transport = 't' // TLS over TCP or another stream
	QUIC Transport = 'q'
	DTLS Transport = 'd'
)

// JA4 is a fingerprint such as "t13d1516h2_8daaf6152771_02713d6af862": what the client
// offers in short, a hash of the cipher suites, and one of the extensions and signature
// algorithms. It can be compared and be the key of a map.
type JA4 [36]byte

// String returns the fingerprint.
func (f JA4) String() string { return string(f[:]) }

// AppendText appends the fingerprint to b. The error is nil.
func (f JA4) AppendText(b []byte) ([]byte, error) { return append(b, f[:]...), nil }

// SumJA4 returns the JA4 of a hello. Suites and extensions are sorted, and server_name and
// application_layer_protocol_negotiation left out, so that the order and the server make no
// difference.
func SumJA4(h clienthello.ClientHello, t Transport) JA4 { return sum(h, t, true) }

// SumJA4O returns the JA4_o of a hello: suites and extensions are in the client's order, and
// all extensions count.
func SumJA4O(h clienthello.ClientHello, t Transport) JA4 { return sum(h, t, false) }

// AppendJA4R appends the JA4_r of a hello to b: JA4 with the lists in place of their hashes.
func AppendJA4R(b []byte, h clienthello.ClientHello, t Transport) []byte {
	return appendRaw(b, h, t, true)
}

// AppendJA4RO appends the JA4_ro of a hello to b: JA4_o with the lists in place of their
// hashes.
func AppendJA4RO(b []byte, h clienthello.ClientHello, t Transport) []byte {
	return appendRaw(b, h, t, false)
}

// lists are what a fingerprint is made from, without GREASE.
type lists struct {
	suites, types []uint16
	schemes       clienthello.Vector[clienthello.SignatureScheme] // may have GREASE
	extensions    int                                             // how many
	name          byte                                            // 'd' if the client sent server_name, or 'i'
}

// few is how many values of a list are on the stack. Real clients send fewer.
const few = 64

// hexLen is the length of a value in a list, with its separator.
const hexLen = 5

// collect returns the lists of h, in the memory of suites and types if they fit.
func collect(h clienthello.ClientHello, sorted bool, suites, types []uint16) lists {
	l := lists{name: 'i'}
	for s := range h.CipherSuites().All() {
		if !extension.IsGREASE(uint16(s)) {
			suites = append(suites, uint16(s))
		}
	}
	for e := range h.Extensions().All() {
		if e.Type.IsGREASE() {
			continue
		}
		l.extensions++
		switch {
		case e.Type == extension.ServerName:
			l.name = 'd'
			if sorted {
				continue
			}
		case e.Type == extension.ALPN && sorted:
			continue
		}
		types = append(types, uint16(e.Type))
	}
	if sorted {
		sortFew(suites)
		sortFew(types)
	}
	l.suites, l.types = suites, types
	l.schemes, _ = h.SignatureAlgorithms()
	return l
}

func sum(h clienthello.ClientHello, t Transport, sorted bool) (f JA4) {
	var suites, types [few]uint16
	var text [2 * few * hexLen]byte
	l := collect(h, sorted, suites[:0], types[:0])
	b := append(l.appendOffer(f[:0], h, t), '_')
	b = appendHash(b, appendList(text[:0], l.suites))
	b = append(b, '_')
	appendHash(b, l.appendOffers(text[:0]))
	return f
}

func appendRaw(b []byte, h clienthello.ClientHello, t Transport, sorted bool) []byte {
	var suites, types [few]uint16
	l := collect(h, sorted, suites[:0], types[:0])
	b = append(l.appendOffer(b, h, t), '_')
	b = append(appendList(b, l.suites), '_')
	return l.appendOffers(b)
}

// appendOffer appends the first ten characters.
func (l *lists) appendOffer(b []byte, h clienthello.ClientHello, t Transport) []byte {
	b = append(append(append(b, byte(t)), version(h)...), l.name)
	b = appendCount(appendCount(b, len(l.suites)), l.extensions)
	first, last := protocol(h)
	return append(b, first, last)
}

// appendOffers appends the types of the extensions, and the signature algorithms if there
// are any.
func (l *lists) appendOffers(b []byte) []byte {
	b = appendList(b, l.types)
	start := len(b)
	for v := range l.schemes.All() {
		if extension.IsGREASE(uint16(v)) {
			continue
		}
		if len(b) == start {
			b = append(b, '_')
		} else {
			b = append(b, ',')
		}
		b = appendHex(b, uint16(v))
	}
	return b
}

func appendList(b []byte, list []uint16) []byte {
	for i, v := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendHex(b, v)
	}
	return b
}

func appendHex(b []byte, v uint16) []byte {
	return append(b, hexDigits[v>>12], hexDigits[v>>8&0xf], hexDigits[v>>4&0xf], hexDigits[v&0xf])
}

const hexDigits = "0123456789abcdef"

// appendHash appends the first 12 characters of the hash of a list.
func appendHash(b, text []byte) []byte {
	if len(text) == 0 {
		return append(b, "000000000000"...)
	}
	digest := sha256.Sum256(text)
	return hex.AppendEncode(b, digest[:6])
}

func appendCount(b []byte, n int) []byte {
	n = min(n, 99)
	return append(b, '0'+byte(n/10), '0'+byte(n%10))
}

// highestVersion returns the highest version that the client offers.
func highestVersion(h clienthello.ClientHello) clienthello.Version {
	versions, _ := h.SupportedVersions()
	if versions.Len() == 0 {
		return h.LegacyVersion()
	}
	var highest clienthello.Version
	for v := range versions.All() {
		if !extension.IsGREASE(uint16(v)) {
			highest = max(highest, v)
		}
	}
	return highest
}

// version returns the two characters for the highest version that the client offers.
func version(h clienthello.ClientHello) string {
	switch highestVersion(h) {
	case 0x0002:
		return "s2"
	case clienthello.VersionSSL30:
		return "s3"
	case clienthello.VersionTLS10:
		return "10"
	case clienthello.VersionTLS11:
		return "11"
	case clienthello.VersionTLS12:
		return "12"
	case clienthello.VersionTLS13:
		return "13"
	case clienthello.VersionDTLS10:
		return "d1"
	case clienthello.VersionDTLS12:
		return "d2"
	case clienthello.VersionDTLS13:
		return "d3"
	}
	return "00"
}

// protocol returns the first and the last character of the first protocol name.
func protocol(h clienthello.ClientHello) (first, last byte) {
	names, _ := h.ALPN()
	for name := range names.All() {
		first, last = name[0], name[len(name)-1]
		if !isAlphanumeric(first) || !isAlphanumeric(last) {
			first, last = hexDigits[first>>4], hexDigits[last&0xf]
		}
		return first, last
	}
	return '0', '0'
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}

// sortFew sorts a list, which is short unless somebody made it long.
func sortFew(list []uint16) {
	if len(list) > few { //mutation:equivalent only the time differs
		slices.Sort(list)
		return
	}
	for i, v := range list {
		for ; i > 0 && list[i-1] > v; i-- {
			list[i] = list[i-1]
		}
		list[i] = v
	}
}
