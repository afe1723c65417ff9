package fuzz

import (
	"testing"

	"github.com/tlsflags/tlsflags/corpus"
	"github.com/tlsflags/tlsflags/extension"
)

// seedMessages adds the handshake messages of the recorded clients, and generated ones.
func seedMessages(f *testing.F) {
	for e := range corpus.OfKind(corpus.Records) {
		f.Add(e.Data()[5:])
	}
	g := NewGenerator(1)
	for range 32 {
		if msg, err := g.Hello().Append(nil, false); err == nil {
			f.Add(msg)
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
			t.Error("DTLS: ", err)
		}
	})
}

// The header is made to fit, so that all mutation goes into the body.
func FuzzClientHelloBody(f *testing.F) {
	for e := range corpus.OfKind(corpus.Records) {
		f.Add(e.Data()[9:])
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		length := []byte{byte(len(body) >> 16), byte(len(body) >> 8), byte(len(body))}
		msg := append([]byte{1, length[0], length[1], length[2]}, body...)
		if err := CheckClientHello(msg, false); err != nil {
			t.Error(err)
		}
		msg = append([]byte{1, length[0], length[1], length[2], 0, 0, 0, 0, 0, length[0], length[1], length[2]}, body...)
		if err := CheckClientHello(msg, true); err != nil {
			t.Error("DTLS: ", err)
		}
	})
}

func FuzzCryptoTLS(f *testing.F) {
	seedMessages(f)
	f.Fuzz(func(t *testing.T, msg []byte) {
		if err := CheckAgainstCryptoTLS(msg); err != nil {
			t.Error(err)
		}
	})
}

// The first byte picks the extension, the rest is its extension_data.
func FuzzExtensionBody(f *testing.F) {
	types := BodyTypes()
	for e := range corpus.OfKind(corpus.Records) {
		hello, _, code := ReferenceClientHello(e.Data()[5:], false)
		if code != 0 {
			f.Fatal(e.File, code)
		}
		for i, t := range types {
			for _, x := range hello.Extensions {
				if x.Type == t {
					f.Add(append([]byte{byte(i)}, x.Data...))
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) == 0 {
			return
		}
		if err := CheckExtensionBody(types[int(data[0])%len(types)], data[1:]); err != nil {
			t.Error(err)
		}
	})
}

func FuzzFlags(f *testing.F) {
	g := NewGenerator(2)
	for range 16 {
		data, _ := g.FlagSet().AppendTo(nil)
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := CheckFlags(data); err != nil {
			t.Error(err)
		}
	})
}

func FuzzExtensionList(f *testing.F) {
	for e := range corpus.OfKind(corpus.Records) {
		hello, _, _ := ReferenceClientHello(e.Data()[5:], false)
		var block []byte
		for _, x := range hello.Extensions {
			block = append(block, byte(x.Type>>8), byte(x.Type), byte(len(x.Data)>>8), byte(len(x.Data)))
			block = append(block, x.Data...)
		}
		f.Add(append([]byte{1}, block...))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) == 0 || len(data) > 1<<16 {
			return
		}
		if err := CheckList(extension.Message(data[0]%8), data[1:]); err != nil {
			t.Error(err)
		}
	})
}

// The first byte says how many bytes behind it are sizes of pieces; the stream follows.
func FuzzRecords(f *testing.F) {
	g := NewGenerator(3)
	for e := range corpus.OfKind(corpus.Records) {
		cuts := g.Cuts()
		f.Add(append(append([]byte{byte(len(cuts))}, cuts...), e.Data()...))
	}
	for range 16 {
		msg, err := g.Hello().Append(nil, false)
		if err != nil {
			continue
		}
		data := append([]byte{2, 1, 7}, InRecords(msg, g.Cuts())...)
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) == 0 || int(data[0]) >= len(data) {
			return
		}
		n := 1 + int(data[0])
		if err := CheckRecords(data[n:], data[1:n]); err != nil {
			t.Error(err)
		}
	})
}

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
