package clienthellotest

import (
	"testing"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
)

// TestReferenceBodyHasEveryType checks that the reference knows each body that
// clienthello reads: what it does not know it accepts, whatever it is.
func TestReferenceBodyHasEveryType(t *testing.T) {
	for typ := range clienthello.BodyTypes() {
		if typ == extension.SessionTicket || typ == extension.QUICTransportParameters {
			continue // any body is fine
		}
		_, _, empty := ReferenceBody(typ, nil)
		if _, _, code := ReferenceBody(typ, []byte{0xff}); empty == 0 && code == 0 {
			t.Errorf("%v: the reference accepts nothing and one byte of nonsense", typ)
		}
	}
}
