package bench

import (
	"bytes"
	"crypto/tls"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	utls "github.com/refraction-networking/utls"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
)

// A peer reads one ClientHello and says whether it found what it looks for.
type peer struct {
	name string
	read func() bool
}

// peers returns everything that is compared, ready to read the hello in record.
func peers(record []byte) []peer {
	msg := record[recordHeaderLen:]
	return []peer{
		{"walk over the headers", func() bool {
			_, found := walk(msg, uint16(extension.TLSFlags))
			return found
		}},
		{"tlsflags Parse", func() bool {
			_, _, err := clienthello.Parse(msg)
			return err == nil
		}},
		{"tlsflags Parse+HasFlag", func() bool {
			hello, _, err := clienthello.Parse(msg)
			return err == nil && hello.HasFlag(extension.RequestMTLS)
		}},
		{"uTLS UnmarshalClientHello", func() bool {
			return utls.UnmarshalClientHello(msg) != nil
		}},
		{"gopacket layers.TLS", func() bool {
			var layer layers.TLS
			err := layer.DecodeFromBytes(record, gopacket.NilDecodeFeedback)
			return err == nil && len(layer.Handshake) == 1
		}},
		{"crypto/tls GetConfigForClient", func() bool { return readWithCryptoTLS(record) }},
	}
}

var errSeen = errors.New("seen the ClientHello")

// readWithCryptoTLS runs a crypto/tls server up to its GetConfigForClient callback,
// the only way to a ClientHello through its API.
func readWithCryptoTLS(record []byte) bool {
	var found bool
	server := tls.Server(&clientConn{in: bytes.NewReader(record)}, &tls.Config{
		GetConfigForClient: func(info *tls.ClientHelloInfo) (*tls.Config, error) {
			found = len(info.Extensions) > 0
			return nil, errSeen
		},
	})
	return errors.Is(server.Handshake(), errSeen) && found
}

// clientConn is a connection whose other end has sent in and takes everything.
type clientConn struct {
	net.Conn // nil: no other method is called
	in       *bytes.Reader
}

func (c *clientConn) Read(p []byte) (int, error)         { return c.in.Read(p) }
func (c *clientConn) Write(p []byte) (int, error)        { return len(p), nil }
func (c *clientConn) Close() error                       { return nil }
func (c *clientConn) SetWriteDeadline(t time.Time) error { return nil }

func TestPeersReadTheHello(t *testing.T) {
	record := browserHello(t)
	if got, _ := walk(record[recordHeaderLen:], 0); got != 21 {
		t.Errorf("the hello has %d extensions, want 21", got)
	}
	if got := len(record); got < 1750 || got > 1850 {
		t.Errorf("the hello has %d bytes, want 1.8 KB", got)
	}
	for _, p := range peers(record) {
		if !p.read() {
			t.Errorf("%s does not read the hello", p.name)
		}
	}
}

func BenchmarkHello(b *testing.B) {
	record := browserHello(b)
	for _, p := range peers(record) {
		b.Run(p.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(record)))
			for b.Loop() {
				p.read()
			}
		})
	}
}

func BenchmarkEmptyExtensions(b *testing.B) {
	for _, p := range emptyBlocks() {
		b.Run(p.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.read()
			}
		})
	}
}

// emptyBlocks returns the reading of 1,000 and of 16,383 empty extensions; the
// latter fill the longest block there can be.
func emptyBlocks() []peer {
	parse := func(n int) func() bool {
		msg := emptyExtensions(n)
		return func() bool {
			_, _, err := clienthello.Parse(msg)
			return err == nil
		}
	}
	return []peer{
		{"1,000 empty extensions", parse(1_000)},
		{"16,383 empty extensions", parse(16_383)},
	}
}

func TestEmptyBlocksAreRead(t *testing.T) {
	for _, p := range emptyBlocks() {
		if !p.read() {
			t.Errorf("%s are refused", p.name)
		}
	}
}
