package fingerprint

import (
	"crypto/md5"
	"encoding/hex"
	"slices"
	"strconv"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
)

// JA3 is the MD5 hash of legacy_version, cipher suites, extensions, supported groups and
// point formats, without GREASE. It can be compared and be the key of a map.
type JA3 [md5.Size]byte

// String returns the 32 hexadecimal digits.
func (f JA3) String() string { return hex.EncodeToString(f[:]) }

// AppendText appends the 32 hexadecimal digits to b. The error is nil.
func (f JA3) AppendText(b []byte) ([]byte, error) { return hex.AppendEncode(b, f[:]), nil }

// SumJA3 returns the JA3 of a hello. Chrome and other clients shuffle their extensions, so
// that each of their hellos has another one: see [SumJA3Sorted].
func SumJA3(h clienthello.ClientHello) JA3 { return sumJA3(h, false) }

// SumJA3Sorted is SumJA3 with the extensions in ascending order, which some call JA3N.
func SumJA3Sorted(h clienthello.ClientHello) JA3 { return sumJA3(h, true) }

// AppendJA3 appends the text of which JA3 is the hash to b, such as
// "771,4865-4866,0-23-65281,29-23,0".
func AppendJA3(b []byte, h clienthello.ClientHello) []byte { return appendJA3(b, h, false) }

// AppendJA3Sorted is AppendJA3 with the extensions in ascending order.
func AppendJA3Sorted(b []byte, h clienthello.ClientHello) []byte { return appendJA3(b, h, true) }

func sumJA3(h clienthello.ClientHello, sorted bool) JA3 {
	var text [2048]byte
	return md5.Sum(appendJA3(text[:0], h, sorted))
}

func appendJA3(b []byte, h clienthello.ClientHello, sorted bool) []byte {
	b = strconv.AppendUint(b, uint64(h.LegacyVersion()), 10)
	b = append(b, ',')
	b = appendDecimals(b, h.CipherSuites())
	b = append(b, ',')
	if sorted {
		b = appendSortedTypes(b, h)
	} else {
		start := len(b)
		for e := range h.Extensions().All() {
			b = appendDecimal(b, start, uint16(e.Type))
		}
	}
	b = append(b, ',')
	groups, _ := h.SupportedGroups()
	b = appendDecimals(b, groups)
	b = append(b, ',')
	formats, _ := h.ECPointFormats()
	for i, f := range formats {
		if i > 0 {
			b = append(b, '-')
		}
		b = strconv.AppendUint(b, uint64(f), 10)
	}
	return b
}

// appendSortedTypes appends the types of the extensions in ascending order.
func appendSortedTypes(b []byte, h clienthello.ClientHello) []byte {
	var memory [few]uint16
	types := memory[:0]
	for e := range h.Extensions().All() {
		types = append(types, uint16(e.Type))
	}
	slices.Sort(types)
	start := len(b)
	for _, t := range types {
		b = appendDecimal(b, start, t)
	}
	return b
}

func appendDecimals[T ~uint16](b []byte, list clienthello.Vector[T]) []byte {
	start := len(b)
	for v := range list.All() {
		b = appendDecimal(b, start, uint16(v))
	}
	return b
}

// appendDecimal appends v to the list that begins at start, unless it is GREASE.
func appendDecimal(b []byte, start int, v uint16) []byte {
	if extension.IsGREASE(v) {
		return b
	}
	if len(b) > start {
		b = append(b, '-')
	}
	return strconv.AppendUint(b, uint64(v), 10)
}
