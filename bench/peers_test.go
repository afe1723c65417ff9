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

// A peer is one way to read a ClientHello. read takes one TLS record that holds the
// whole message, and says whether it could be read.
type peer struct {
	name string
	read func(record []byte) bool
}

// The order of peers; TestRatios takes them by their place.
const (
	bareWalk = iota
	parseOnly
	parseAndHasFlag
	uTLS
	goPacket
	cryptoTLS
)

func peers() []peer {
	return []peer{
		bareWalk: {"bare walk over the headers", func(record []byte) bool {
			count, _ := walk(record[recordHeaderLen:], uint16(extension.TLSFlags))
			return count > 0
		}},
		parseOnly: {"tlsflags Parse", func(record []byte) bool {
			_, _, err := clienthello.Parse(record[recordHeaderLen:])
			return err == nil
		}},
		parseAndHasFlag: {"tlsflags Parse+HasFlag", func(record []byte) bool {
			hello, _, err := clienthello.Parse(record[recordHeaderLen:])
			flagged = hello.HasFlag(extension.RequestMTLS)
			return err == nil
		}},
		uTLS: {"uTLS UnmarshalClientHello", func(record []byte) bool {
			return utls.UnmarshalClientHello(record[recordHeaderLen:]) != nil
		}},
		goPacket: {"gopacket layers.TLS", func(record []byte) bool {
			var layer layers.TLS
			err := layer.DecodeFromBytes(record, gopacket.NilDecodeFeedback)
			return err == nil && len(layer.Handshake) == 1
		}},
		cryptoTLS: {"crypto/tls GetConfigForClient", readWithCryptoTLS},
	}
}

// flagged takes what HasFlag answers, so that the compiler cannot drop the call.
var flagged bool

var errSeen = errors.New("seen the ClientHello")

// readWithCryptoTLS runs a crypto/tls server up to its GetConfigForClient callback,
// the only way to a ClientHello through its API.
func readWithCryptoTLS(record []byte) bool {
	server := tls.Server(&clientConn{in: bytes.NewReader(record)}, &tls.Config{
		MinVersion: tls.VersionTLS10,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			return nil, errSeen
		},
	})
	return errors.Is(server.Handshake(), errSeen)
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
	if got, found := walk(record[recordHeaderLen:], uint16(extension.TLSFlags)); got != 21 || !found {
		t.Errorf("the hello has %d extensions, tls_flags among them: %t; want 21, true", got, found)
	}
	if got := len(record); got < 1750 || got > 1850 {
		t.Errorf("the hello has %d bytes, want 1.8 KB", got)
	}
	for _, p := range peers() {
		if !p.read(record) {
			t.Errorf("%s does not read the hello", p.name)
		}
	}
	if peers()[parseAndHasFlag].read(record); !flagged {
		t.Error("HasFlag does not find request_mtls")
	}
}

func TestPeersReadTheCorpus(t *testing.T) {
	records := corpusHellos(t)
	if len(records) < 20 {
		t.Errorf("%d recorded hellos, want 20 or more", len(records))
	}
	for _, p := range peers() {
		for i, record := range records {
			if !p.read(record) {
				t.Errorf("%s does not read hello %d", p.name, i)
			}
		}
	}
}

func TestEmptyExtensionsAreRead(t *testing.T) {
	for _, n := range []int{1_000, 16_383} {
		if _, _, err := clienthello.Parse(emptyExtensions(n)); err != nil {
			t.Errorf("%d empty extensions: %v", n, err)
		}
	}
}

func BenchmarkHello(b *testing.B) {
	record := browserHello(b)
	for _, p := range peers() {
		b.Run(p.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(record)))
			for b.Loop() {
				p.read(record)
			}
		})
	}
}

// BenchmarkCorpus reads all recorded hellos in one operation.
func BenchmarkCorpus(b *testing.B) {
	records := corpusHellos(b)
	for _, p := range peers() {
		b.Run(p.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for _, record := range records {
					p.read(record)
				}
			}
		})
	}
}
