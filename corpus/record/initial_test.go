//go:build linux

package main

import (
	"encoding/hex"
	"testing"

	"github.com/quic-go/quic-go"
)

// The secrets and keys of RFC 9001, Appendix A.1 and RFC 9369, Appendix A.1.
func TestExpandLabelKnownAnswers(t *testing.T) {
	for _, tt := range []struct{ initial, label, key string }{
		{"7db5df06e7a69e432496adedb00851923595221596ae2ae9fb8115c1e9ed0a44", "quic key", "1f369613dd76d5467730efcbe3b1a22d"},
		{"7db5df06e7a69e432496adedb00851923595221596ae2ae9fb8115c1e9ed0a44", "quic hp", "9f50449e04a0e810283a1e9933adedd2"},
		{"2062e8b3cd8d52092614b8071d0aa1fb7c2e3ac193f78b280e72d8f5751f6aba", "quicv2 key", "8b1a0bc121284290a29e0971b5cd045d"},
		{"2062e8b3cd8d52092614b8071d0aa1fb7c2e3ac193f78b280e72d8f5751f6aba", "quicv2 hp", "45b95e15235d6f45a6b19cbcb0294ba9"},
	} {
		initial, err := hex.DecodeString(tt.initial)
		if err != nil {
			t.Fatal(err)
		}
		secret, err := expandLabel(initial, "client in", 32)
		if err != nil {
			t.Fatal(err)
		}
		key, err := expandLabel(secret, tt.label, 16)
		if err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(key); got != tt.key {
			t.Errorf("%s is %s, want %s", tt.label, got, tt.key)
		}
	}
}

func TestDatagramsHaveTheLeastSize(t *testing.T) {
	for _, version := range []quic.Version{quic.Version1, quic.Version2} {
		datagrams, err := initialSender{version: version, dcid: make([]byte, 8), scid: make([]byte, 4)}.datagrams(make([]byte, 1500))
		if err != nil {
			t.Fatal(err)
		}
		if len(datagrams) != 2 || len(datagrams[0]) != datagramSize || len(datagrams[1]) != datagramSize {
			t.Errorf("version %v: %d datagrams", version, len(datagrams))
		}
	}
}
