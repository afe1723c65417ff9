package cli

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"testing"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/corpus"
)

// TestJA4 compares with what JA4's databases have for these browsers.
func TestJA4(t *testing.T) {
	for file, want := range map[string]string{
		"records/utls-chrome-102.bin":         "t13d1516h2_8daaf6152771_e5627efa2ab1",
		"records/utls-chrome-106-shuffle.bin": "t13d1516h2_8daaf6152771_e5627efa2ab1",
		"records/utls-chrome-131.bin":         "t13d1516h2_8daaf6152771_02713d6af862",
		"records/utls-firefox-120.bin":        "t13d1715h2_5b57614c22b0_5c2c66f702b0",
	} {
		entry, _ := corpus.Lookup(file)
		if got := ja4Of(t, entry.Data()[5:], capture.TCP); got != want {
			t.Errorf("%s: %s, want %s", file, got, want)
		}
	}
}

func TestJA4Protocol(t *testing.T) {
	for protocol, want := range map[string]string{
		"h2": "h2", "http/1.1": "h1", "h": "hh", "\x0a\x0a": "0a", "h\xff": "6f", " a": "21",
		"0": "00", "9": "99", "A": "AA", "Z": "ZZ", "a": "aa", "z": "zz", "/": "2f", ":": "3a", "@": "40", "[": "5b", "`": "60", "{": "7b", "a ": "60",
	} {
		if got := ja4Of(t, message("a", protocol), capture.QUIC)[8:10]; got != want {
			t.Errorf("%q: %s, want %s", protocol, got, want)
		}
	}
}

// helloOf returns a ClientHello with these suites and extensions.
func helloOf(version uint16, suites []uint16, extensions ...[]byte) []byte {
	block := bytes.Join(extensions, nil)
	body := binary.BigEndian.AppendUint16(nil, version)
	body = append(body, make([]byte, 33)...) // random, no session id
	body = binary.BigEndian.AppendUint16(body, uint16(2*len(suites)))
	for _, s := range suites {
		body = binary.BigEndian.AppendUint16(body, s)
	}
	body = append(body, 1, 0)
	body = append(binary.BigEndian.AppendUint16(body, uint16(len(block))), block...)
	return append([]byte{1, 0, byte(len(body) >> 8), byte(len(body))}, body...)
}

func ext(t uint16, data ...byte) []byte {
	b := binary.BigEndian.AppendUint16(nil, t)
	return append(binary.BigEndian.AppendUint16(b, uint16(len(data))), data...)
}

// TestJA4Counts checks the two counts, which have two digits.
func TestJA4Counts(t *testing.T) {
	for n, want := range map[int]string{1: "01", 98: "98", 99: "99", 100: "99", 101: "99"} {
		suites := make([]uint16, n)
		var extensions [][]byte
		for i := range suites {
			suites[i] = uint16(0x1301 + i)
			extensions = append(extensions, ext(uint16(100+i)))
		}
		got := ja4Of(t, helloOf(0x0303, append(suites, 0x0a0a), append(extensions, ext(0x1a1a))...), capture.TCP)
		if got[4:8] != want+want {
			t.Errorf("%d suites and extensions: %s", n, got)
		}
	}
}

func TestJA4Version(t *testing.T) {
	for legacy, want := range map[uint16]string{
		0x0300: "s3", 0x0301: "10", 0x0302: "11", 0x0303: "12", 0x0304: "13",
		0xfeff: "d1", 0xfefd: "d2", 0xfefc: "d3", 0x0305: "00",
	} {
		if got := ja4Of(t, helloOf(legacy, []uint16{0x1301}), capture.TCP)[1:3]; got != want {
			t.Errorf("legacy_version %#x: %s, want %s", legacy, got, want)
		}
	}
	if got := ja4Of(t, helloOf(0x0303, []uint16{0x1301}, ext(43, 2, 3, 4)), capture.TCP)[1:3]; got != "13" {
		t.Errorf("supported_versions with one: %s", got)
	}
	versions := ext(43, 6, 0x0a, 0x0a, 3, 2, 3, 1)
	if got := ja4Of(t, helloOf(0x0303, []uint16{0x1301}, versions), capture.TCP)[1:3]; got != "11" {
		t.Errorf("supported_versions with GREASE: %s", got)
	}
}

func TestJA4Hashes(t *testing.T) {
	hash := func(list string) string {
		sum := sha256.Sum256([]byte(list))
		return hex.EncodeToString(sum[:6])
	}
	name, alpn := ext(0, 0, 4, 0, 0, 1, 'a'), ext(16, 0, 2, 1, 'h')
	schemes := ext(13, 0, 6, 8, 4, 0x0a, 0x0a, 4, 3)
	for want, extensions := range map[string][][]byte{
		"t12i0100" + "00_" + hash("1301") + "_000000000000":                   nil,
		"t12d0102" + "hh_" + hash("1301") + "_000000000000":                   {name, alpn},
		"t12d0103" + "00_" + hash("1301") + "_" + hash("000d,0017_0804,0403"): {ext(23), name, schemes},
		"t12i0101" + "00_" + hash("1301") + "_" + hash("000d"):                {ext(13, 1)},
		"t12i0101" + "00_" + hash("1301") + "_" + hash("0017"):                {ext(0x2a2a), ext(23)},
		"t12i0101" + "00_" + hash("1301") + "_000000000000":                   {ext(16, 1)},
		"t12i0101" + "00_" + hash("1301") + "_" + hash("002b"):                {ext(43, 1)},
	} {
		if got := ja4Of(t, helloOf(0x0303, []uint16{0x1301}, extensions...), capture.TCP); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func ja4Of(t *testing.T, msg []byte, carrier capture.Transport) string {
	t.Helper()
	hello, _, err := clienthello.Parse(msg)
	if err != nil {
		t.Fatal(err)
	}
	return ja4(hello, carrier)
}
