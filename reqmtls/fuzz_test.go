package reqmtls

import (
	"crypto/tls"
	"os"
	"testing"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
)

// FuzzRead cuts a stream in three, and holds that what comes of it does not depend on
// the cuts, and that no buffer is kept once the hello is over.
func FuzzRead(f *testing.F) {
	for _, name := range []string{"utls-chrome-133-ext62-80.bin", "utls-chrome-133-fe01-80.bin", "go-1.26.8.bin", "curl-7.88.1.bin"} {
		f.Add(recordedHello(f, name), uint16(3), uint16(600))
	}
	s := newServer(f)
	read := func(pieces ...[]byte) (*Conn, Hello, bool) {
		c := s.Wrap(&script{pieces: pieces, err: os.ErrDeadlineExceeded})
		p := make([]byte, 1<<17) // never the limit of a read
		for range pieces {
			c.Read(p)
		}
		h, ok := c.Hello()
		return c, h, ok
	}
	f.Fuzz(func(t *testing.T, stream []byte, a, b uint16) {
		if len(stream) == 0 || len(stream) > 1<<17 {
			return
		}
		i := int(a) % len(stream)
		j := i + int(b)%(len(stream)-i)
		_, whole, ok := read(stream)
		c, cut, okCut := read(stream[:i], stream[i:j], stream[j:])
		if ok != okCut || whole != cut {
			t.Errorf("whole: %+v, %v; cut at %d and %d: %+v, %v", whole, ok, i, j, cut, okCut)
		}
		if okCut && c.recorder != nil {
			t.Error("a buffer is kept")
		}
	})
}

// FuzzECH holds that nothing that a client can put into its hello, or encrypt in it,
// does harm.
func FuzzECH(f *testing.F) {
	f.Add([]byte("\x00\x00\x01\x00\x01\x07\x00\x01x\x00\x01y"), []byte("\x03\x03"))
	f.Add([]byte("\x01"), make([]byte, 60))
	key := tls.EncryptedClientHelloKey{Config: []byte("\xfe\x0d\x00\x04\x07\x00\x20\x00"), PrivateKey: make([]byte, 32)}
	f.Fuzz(func(t *testing.T, data, encoded []byte) {
		if len(data) > 1<<15 {
			return
		}
		block := append([]byte{0xfe, 0x0d, byte(len(data) >> 8), byte(len(data))}, data...)
		msg := append([]byte{1, 0, 0, 0, 3, 3}, make([]byte, 32)...)
		msg = append(msg, 0, 0, 2, 0x13, 1, 1, 0, byte(len(block)>>8), byte(len(block)))
		msg = append(msg, block...)
		n := len(msg) - 4
		msg[1], msg[2], msg[3] = byte(n>>16), byte(n>>8), byte(n)
		outer, _, err := clienthello.Parse(msg)
		if err != nil {
			t.Fatal(err)
		}
		openECH(outer, []tls.EncryptedClientHelloKey{key})
		if list, ok := innerExtensions(encoded, outer.Extensions()); ok {
			for e := range list.All() {
				if e.Type == extension.ECHOuterExtensions {
					t.Error("a reference to the outer hello is left")
				}
			}
		}
	})
}
