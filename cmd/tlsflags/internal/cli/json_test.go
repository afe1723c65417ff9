package cli

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/codepoint"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/terminal"
	"github.com/tlsflags/tlsflags/extension"
)

// TestAppendLine compares appendLine with encoding/json.
func TestAppendLine(t *testing.T) {
	hostile := "a\"\\/\x00\n\x1b[31m\x7f\u0085\u009b\u202e\u2028\U000e0041é€😀\xff\xc3("
	point := codepoint.Of[uint32]
	refusal := &refuseInfo{"trailing_zero", 130, point(47, "illegal_parameter"), hostile}
	tests := map[string]*line{
		"nothing": {},
		"everything": {
			Schema: inspectSchema, Source: hostile, Hello: 12,
			Time: new(texts).time(time.Date(2026, 11, 24, 10, 0, 0, 1000, time.UTC)), Transport: "quic",
			Src: "127.0.0.1:51234", Dst: "[::1]:443", Frames: []int{4, 6}, Pieces: pieces{1, 2, 3, 4}, HelloIndex: 2,
			QUIC: &quicInfo{point(1, "QUIC v1"), new("00ff"), new(""), 12, true},
			DTLS: &dtlsInfo{point(0xfefd, "DTLS 1.2"), new(20), 1},
			ClientHello: &helloInfo{
				Length: 1749, LegacyVersion: point(771, "TLS 1.2"), Random: new("00"), SessionID: new(""),
				CipherSuites: []codePoint{point(4865, "TLS_AES_128_GCM_SHA256"), point(0xffff, "")}, CompressionMethods: []int{0, 255},
				Extensions: []extensionInfo{{point(0, "server_name"), 120, 16}, {point(65000, ""), 140, 0}},
				ServerName: optional(hostile), ALPN: []string{"h2", hostile}, SupportedVersions: []codePoint{point(772, "TLS 1.3")},
				SupportedGroups: []codePoint{point(29, "x25519")}, KeyShareGroups: []codePoint{}, SignatureAlgorithms: []codePoint{point(2055, "ed25519")},
				ECH:       &echInfo{point(0, "outer"), new(point(1, "HKDF-SHA256")), new(point(7, "")), new(9), new(32), new(208)},
				Malformed: []malformedInfo{{point(10, "supported_groups"), "field_overrun", 77}, {point(51, "key_share"), "stray_bytes", 99}},
			},
			TLSFlags:        &flagsInfo{point(62, "tls_flags"), "0100", []codePoint{point(80, "request_mtls"), point(81, "")}, refusal},
			TLSFlagsChanged: new(false), RequestMTLS: true, JA4: "t13d", Error: refusal,
			Ambiguous: []string{"overlap", "syn"}, Faults: []oddInfo{{"overlap", 7}, {"checksum", 0}},
			Contradicts: []int{3, 4}, Path: []string{"eth", "ipv4", "tcp"},
			Prologue: &prologueInfo{"smtp", 17}, Partial: &partialInfo{helloInfo{Length: 300, Random: new("11"), ECH: &echInfo{Type: point(1, "inner")}}, "t12i"},
		},
		"a prologue of an unknown protocol": {Prologue: &prologueInfo{"", 1}, Partial: &partialInfo{}},
		"empty lists": {
			ClientHello: &helloInfo{Extensions: []extensionInfo{}, CipherSuites: []codePoint{}},
			TLSFlags:    &flagsInfo{Flags: []codePoint{}},
		},
	}
	for name, l := range tests {
		t.Run(name, func(t *testing.T) {
			reference, err := json.Marshal(l)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(decode(t, reference), decode(t, appendLine(nil, l))); diff != "" {
				t.Errorf("appendLine is not encoding/json (-want +got):\n%s", diff)
			}
		})
	}
}

func decode(t *testing.T, b []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatalf("%v in %q", err, b)
	}
	return v
}

// TestAppendStringIsPrintable checks that a string cannot control a terminal.
func TestAppendStringIsPrintable(t *testing.T) {
	var b []byte
	for r := range unicode.MaxRune + 1 {
		b = appendString(b[:0], string(r))
		if i := bytes.IndexFunc(b, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
			t.Fatalf("%U is written as %q", r, b)
		}
	}
}

// TestAppendPoint checks that the names of registries need no escape.
func TestAppendPoint(t *testing.T) {
	for n := range 1 << 16 {
		for _, name := range []string{
			extension.Type(n).Name(), extension.Flag(n).Name(), extension.Alert(n).String(), clienthello.CipherSuite(n).Name(),
			clienthello.Group(n).Name(), clienthello.SignatureScheme(n).Name(), clienthello.Version(n).Name(), hpkeKDF[uint16(n)], hpkeAEAD[uint16(n)],
		} {
			if terminal.PlainPrefix(name) != len(name) {
				t.Errorf("%d: %q needs an escape", n, name)
			}
		}
	}
}

// TestAppendInt compares with strconv.
func TestAppendInt(t *testing.T) {
	for _, n := range []int{0, 9, 10, 99, 100, 999, 1000, 4865, 9999, 10000, 65535, 99999, 100000, math.MaxInt, -1, math.MinInt} {
		if got, want := string(appendInt(nil, n)), strconv.Itoa(n); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// TestTimeOf checks that every time in a line is one of RFC 3339.
func TestTimeOf(t *testing.T) {
	east := time.FixedZone("", 3600)
	for _, tt := range []struct {
		time time.Time
		want optional
	}{
		{time.Time{}, ""},
		{time.Date(2026, 11, 24, 10, 0, 0, 1000, time.UTC), "2026-11-24T10:00:00.000001Z"},
		{time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), "9999-12-31T23:59:59Z"},
		{time.Date(10000, 1, 1, 0, 30, 0, 0, east), "9999-12-31T23:30:00Z"},
		{time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), ""},
		{time.Unix(1<<55, 0), ""},
		{time.Date(-1, 12, 31, 0, 0, 0, 0, time.UTC), ""},
		{time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC), "0000-01-01T00:00:00Z"},
	} {
		if got := new(texts).time(tt.time); got != tt.want {
			t.Errorf("%v: got %q, want %q", tt.time, got, tt.want)
		}
	}
}
