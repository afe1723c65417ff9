package fuzz

import (
	"testing"

	"github.com/tlsflags/tlsflags/corpus"
)

// seedMessages adds the handshake messages of the recorded clients.
func seedMessages(f *testing.F) {
	for e := range corpus.OfKind(corpus.Records) {
		if records := e.Data(); len(records) > 5 {
			f.Add(records[5:])
		}
	}
}

func FuzzClientHello(f *testing.F) {
	seedMessages(f)
	f.Fuzz(func(t *testing.T, msg []byte) {
		if err := CheckClientHello(msg, false); err != nil {
			t.Error(err)
		}
		if err := CheckClientHello(msg, true); err != nil {
			t.Error(err)
		}
	})
}

func FuzzFlags(f *testing.F) {
	f.Add([]byte{0x0b, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := CheckFlags(data); err != nil {
			t.Error(err)
		}
	})
}
