package cli

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/clienthello"
)

// TestJA4Transport checks the first character; package fingerprint tests the others.
func TestJA4Transport(t *testing.T) {
	hello, _, err := clienthello.Parse(helloOf(0x0303, []uint16{0x1301}))
	if err != nil {
		t.Fatal(err)
	}
	for over, want := range map[capture.Transport]byte{capture.TCP: 't', capture.QUIC: 'q', capture.DTLS: 'd'} {
		if got := ja4(hello, over); got[0] != want {
			t.Errorf("%s: %s", over, got)
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
