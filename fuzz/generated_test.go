package fuzz

import (
	"bytes"
	"testing"

	"github.com/gopacket/gopacket/layers"
	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/internal/oracle/assembletest"
	"github.com/tlsflags/tlsflags/internal/oracle/clienthellotest"
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
			if err := clienthellotest.Check(msg, dtls); err != nil {
				t.Fatalf("%x: %v", msg, err)
			}
			if dtls {
				continue
			}
			if err := CheckAgainstCryptoTLS(msg); err != nil {
				t.Fatalf("%x: %v", msg, err)
			}
			if err := assembletest.CheckRecords(assembletest.InRecords(msg, g.Cuts()), g.Cuts()); err != nil {
				t.Fatalf("%x: %v", msg, err)
			}
			if _, _, code := clienthellotest.Reference(msg, false); code == 0 {
				accepted++
			}
		}
	}
	if accepted < 500 || accepted > 1900 {
		t.Errorf("%d of 2000 generated messages are valid", accepted)
	}
}

// A seed that brings no hello is none for what is behind its headers.
func TestCarriersBringHellos(t *testing.T) {
	bring := func(file []byte) {
		if found, stats, err := readCapture(bytes.NewReader(file), capture.Options{}); err != nil || len(found) != 1 || found[0].Code != "" {
			t.Errorf("%q: %v, %+v, %+v", file, err, found, stats)
		}
	}
	one := smallHello(80)
	for _, c := range carriers() {
		bring(pcapFile(c.link, append([]byte(c.headers), tcpPacket(1, 0x10, one)[20:]...)))
	}
	for _, before := range prologues() {
		bring(pcapFile(layers.LinkTypeRaw, segmentsOf(append([]byte(before), one...), 20)...))
	}
	bring(simplePacket(tcpPacket(1, 0x10, one)))
}
