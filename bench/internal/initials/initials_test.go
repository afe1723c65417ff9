package initials

import (
	"bytes"
	"testing"
)

func TestSealReversesOpen(t *testing.T) {
	datagrams, err := Chromium()
	if err != nil {
		t.Fatal(err)
	}
	dcid := []byte("measured")
	keys, others := DeriveKeys(Locate(datagrams[0]).DCID), DeriveKeys(dcid)
	for i, datagram := range datagrams {
		header, frames := keys.Open(Locate(datagram), nil)
		if got := keys.Seal(nil, header, frames, Locate(datagram).DCID); !bytes.Equal(got, datagram) {
			t.Errorf("datagram %d is not the same after Open and Seal", i)
		}
		sealed := others.Seal(nil, header, frames, dcid)
		_, got := others.Open(Locate(sealed), nil)
		if !bytes.Equal(got, frames) {
			t.Errorf("datagram %d, with another connection ID: the frames differ", i)
		}
	}
}
