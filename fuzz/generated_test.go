package fuzz

import (
	"bytes"
	"testing"

	"github.com/tlsflags/tlsflags/capture"
)

// Generated structures, which are valid or nearly so, through all of the checks.
func TestGenerated(t *testing.T) {
	g := NewGenerator(4)
	accepted := 0
	for range 2000 {
		h := g.Hello()
		for _, dtls := range []bool{false, true} {
			msg, err := h.Append(nil, dtls)
			if err != nil {
				t.Fatal(err)
			}
			if err := CheckClientHello(msg, dtls); err != nil {
				t.Fatalf("%x: %v", msg, err)
			}
			if dtls {
				continue
			}
			if err := CheckAgainstCryptoTLS(msg); err != nil {
				t.Fatalf("%x: %v", msg, err)
			}
			if err := CheckRecords(InRecords(msg, g.Cuts()), g.Cuts()); err != nil {
				t.Fatalf("%x: %v", msg, err)
			}
			if _, _, code := ReferenceClientHello(msg, false); code == 0 {
				accepted++
			}
		}
	}
	if accepted < 500 || accepted > 1900 {
		t.Errorf("%d of 2000 generated messages are valid", accepted)
	}
}

// A seed that brings no hello is none for what is behind its headers.
func TestPacketSeedsBringHellos(t *testing.T) {
	n := 0
	for file := range packetSeeds {
		found, stats, err := readCapture(bytes.NewReader(file), capture.Options{})
		if err != nil || len(found) == 0 {
			t.Errorf("seed %d, %q: %v, %+v", n, file[24:], err, stats)
		}
		n++
	}
}
