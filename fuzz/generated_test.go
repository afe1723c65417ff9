package fuzz

import (
	"testing"

	"github.com/tlsflags/tlsflags/internal/oracle/assembletest"
	"github.com/tlsflags/tlsflags/internal/oracle/clienthellotest"
)

// Generated structures, which are valid or nearly so, through all of the checks.
func TestGenerated(t *testing.T) {
	g := newGenerator(4)
	accepted := 0
	for range 2000 {
		h := g.randomHello()
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
			if err := checkAgainstCryptoTLS(msg); err != nil {
				t.Fatalf("%x: %v", msg, err)
			}
			if err := assembletest.CheckRecords(assembletest.InRecords(msg, g.cuts()), g.cuts()); err != nil {
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
