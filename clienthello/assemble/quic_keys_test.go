package assemble

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"testing"
)

// TestInitialKeys compares the key schedule with RFC 9001, Appendix A.1 and RFC 9369,
// Appendix A.1.
func TestInitialKeys(t *testing.T) {
	dcid := []byte{0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08}
	tests := []struct {
		name             string
		version          uint32
		initial          string
		key, iv, hp      string
		wantInitialPlace byte
	}{
		{
			"v1", 1,
			"7db5df06e7a69e432496adedb00851923595221596ae2ae9fb8115c1e9ed0a44",
			"1f369613dd76d5467730efcbe3b1a22d", "fa044b2f42a3fd3b46fb255c", "9f50449e04a0e810283a1e9933adedd2", 0,
		},
		{
			"v2", 0x6b3343cf,
			"2062e8b3cd8d52092614b8071d0aa1fb7c2e3ac193f78b280e72d8f5751f6aba",
			"8b1a0bc121284290a29e0971b5cd045d", "91f73e2351d8fa91660e909f", "45b95e15235d6f45a6b19cbcb0294ba9", 1,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v, ok := lookupVersion(tt.version)
			if !ok || v.initial != tt.wantInitialPlace {
				t.Fatalf("lookupVersion: %v, initial %d", ok, v.initial)
			}
			m := newMAC()
			m.setKey([]byte(v.salt))
			initial := m.of(dcid)
			m.setKey(initial[:])
			client := m.expand(labelClient)
			m.setKey(client[:])
			key, iv, hp := m.expand(v.key), m.expand(v.iv), m.expand(v.hp)
			for _, got := range []struct {
				name  string
				bytes []byte
				want  string
			}{
				{"initial_secret", initial[:], tt.initial},
				{"key", key[:16], tt.key},
				{"iv", iv[:12], tt.iv},
				{"hp", hp[:16], tt.hp},
			} {
				if hex.EncodeToString(got.bytes) != got.want {
					t.Errorf("%s = %x, want %s", got.name, got.bytes, got.want)
				}
			}
		})
	}
}

// TestHKDF compares the HKDF of this package with that of the standard library.
func TestHKDF(t *testing.T) {
	for n := range maxConnectionID + 1 {
		dcid := bytes.Repeat([]byte{byte(0xa0 + n)}, n)
		want, err := hkdf.Extract(sha256.New, dcid, []byte(saltV1))
		if err != nil {
			t.Fatal(err)
		}
		m := newMAC()
		m.setKey([]byte(saltV1))
		got := m.of(dcid)
		if !bytes.Equal(got[:], want) {
			t.Errorf("extract with %d bytes: %x, want %x", n, got, want)
		}
		m.setKey(got[:])
		for _, label := range []string{labelClient, labelKey, labelIV, labelHP, labelKey2, labelIV2, labelHP2} {
			want, err := hkdf.Expand(sha256.New, got[:], label, int(label[1]))
			if err != nil {
				t.Fatal(err)
			}
			if got := m.expand(label); !bytes.Equal(got[:label[1]], want) {
				t.Errorf("expand %q: %x, want %x", label, got, want)
			}
		}
	}
}

// TestPacketNumber has the example of RFC 9000, Appendix A.3, and the edges.
func TestPacketNumber(t *testing.T) {
	tests := []struct {
		next, truncated uint64
		bits            int
		want            uint64
	}{
		{0xa82f30eb, 0x9b32, 16, 0xa82f9b32},
		{0, 0, 8, 0},
		{0, 255, 8, 255},
		{0, 1<<32 - 1, 32, 1<<32 - 1},
		{256, 255, 8, 255},
		{255, 0, 8, 256},
		{1 << 32, 0, 8, 1 << 32},
		{383, 0, 8, 256},
		{384, 0, 8, 512}, // half a window below what is expected
		{299, 172, 8, 172},
		{300, 172, 8, 428}, // half a window ahead of it
		{1<<61 + 255, 0, 8, 1<<61 + 256},
		{1<<62 - 1, 0, 8, 1<<62 - 256}, // 2^62 would be no packet number
	}
	for _, tt := range tests {
		if got := packetNumber(tt.next, tt.truncated, tt.bits); got != tt.want {
			t.Errorf("packetNumber(%#x, %#x, %d) = %#x, want %#x", tt.next, tt.truncated, tt.bits, got, tt.want)
		}
	}
}

func TestVersions(t *testing.T) {
	var known []uint32
	for v := range uint32(0x100) {
		for _, base := range []uint32{0, 0xff000000, 0xfaceb000, 0x54303500, 0x51303500, 0x6b334300} {
			if _, ok := lookupVersion(base + v); ok {
				known = append(known, base+v)
			}
		}
	}
	if len(known) != 1+13+3+2+1 {
		t.Errorf("%d versions known: %x", len(known), known)
	}
}

func TestVarint(t *testing.T) {
	// RFC 9000, Appendix A.1.
	tests := []struct {
		hex  string
		want uint64
		next int
		ok   bool
	}{
		{"c2197c5eff14e88c", 151288809941952652, 8, true},
		{"9d7f3e7d", 494878333, 4, true},
		{"7bbd", 15293, 2, true},
		{"25", 37, 1, true},
		{"4025", 37, 2, true},
		{"", 0, 0, false},
		{"7b", 0, 0, false},
		{"9d7f3e", 0, 0, false},
		{"c2197c5eff14e8", 0, 0, false},
	}
	for _, tt := range tests {
		b, err := hex.DecodeString(tt.hex)
		if err != nil {
			t.Fatal(err)
		}
		if v, next, ok := readVarint(b, 0); v != tt.want || next != tt.next || ok != tt.ok {
			t.Errorf("readVarint(%s) = %d, %d, %v, want %d, %d, %v", tt.hex, v, next, ok, tt.want, tt.next, tt.ok)
		}
	}
}
