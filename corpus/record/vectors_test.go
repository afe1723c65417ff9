//go:build linux

package main

import (
	"context"
	"crypto/tls"
	"net"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/quic-go/quic-go"

	"github.com/tlsflags/tlsflags/vectors"
)

// patience is how long a server may take to read a test, on a busy machine.
const patience = 10 * time.Second

// A datagramConn gives the datagrams of one client to a server, and passes on what the
// server answers.
type datagramConn struct {
	in, out chan []byte
	closed  chan struct{}
	close   sync.Once
}

var clientAddr = &net.UDPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 50001}

func newDatagramConn(t *testing.T, datagrams []vectors.Bytes) *datagramConn {
	c := &datagramConn{in: make(chan []byte, len(datagrams)), out: make(chan []byte, 1), closed: make(chan struct{})}
	for _, d := range datagrams {
		c.in <- d
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func (c *datagramConn) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case d := <-c.in:
		return copy(b, d), clientAddr, nil
	case <-c.closed:
		return 0, nil, os.ErrDeadlineExceeded
	}
}

func (c *datagramConn) WriteTo(b []byte, _ net.Addr) (int, error) {
	select {
	case c.out <- slices.Clone(b):
	default: // nobody looks at more than the first
	}
	return len(b), nil
}

func (c *datagramConn) Close() error {
	c.close.Do(func() { close(c.closed) })
	return nil
}

func (c *datagramConn) LocalAddr() net.Addr {
	return &net.UDPAddr{IP: net.IPv4(198, 51, 100, 1), Port: 443}
}

// SetReadDeadline is what quic-go ends ReadFrom with.
func (c *datagramConn) SetReadDeadline(deadline time.Time) error {
	if !deadline.IsZero() {
		return c.Close()
	}
	return nil
}

func (c *datagramConn) SetDeadline(time.Time) error      { return nil }
func (c *datagramConn) SetWriteDeadline(time.Time) error { return nil }

// complete yields the tests of a kind whose pieces are a whole message.
func complete(t *testing.T, k vectors.Kind) func(func(*vectors.Test) bool) {
	f, err := vectors.Load(k)
	if err != nil {
		t.Fatal(err)
	}
	return func(yield func(*vectors.Test) bool) {
		for _, test := range f.All() {
			if test.Outcome == vectors.Complete && !yield(test) {
				return
			}
		}
	}
}

// TestQUICGoReadsVectors gives the complete tests of QUIC to a quic-go server, but those
// that it may refuse by an alternative.
func TestQUICGoReadsVectors(t *testing.T) {
	cert, err := newCertificate()
	if err != nil {
		t.Fatal(err)
	}
	for test := range complete(t, vectors.QUIC) {
		t.Run(test.ID, func(t *testing.T) {
			t.Parallel()
			if len(test.Alternatives) > 0 {
				t.Skip(test.Alternatives[0].Clause)
			}
			name := make(chan string, 1)
			config := &tls.Config{
				NextProtos: []string{"h3"}, Certificates: []tls.Certificate{cert},
				GetConfigForClient: func(info *tls.ClientHelloInfo) (*tls.Config, error) {
					name <- info.ServerName
					return nil, nil
				},
			}
			transport := &quic.Transport{Conn: newDatagramConn(t, test.Pieces)}
			listener, err := transport.Listen(config, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer transport.Close()
			defer listener.Close()
			select {
			case got := <-name:
				if want := test.Parsed.ClientHello.ServerName; got != *want {
					t.Errorf("server name %q, want %q", got, *want)
				}
			case <-time.After(patience):
				t.Error("the server does not read the hello")
			}
		})
	}
}

// TestPionReadsVectors gives the complete tests of DTLS to a pion server.
func TestPionReadsVectors(t *testing.T) {
	cert, err := newCertificate()
	if err != nil {
		t.Fatal(err)
	}
	for test := range complete(t, vectors.DTLS) {
		t.Run(test.ID, func(t *testing.T) {
			conn := newDatagramConn(t, test.Pieces)
			server, err := dtls.Server(conn, clientAddr, &dtls.Config{Certificates: []tls.Certificate{cert}})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			go server.HandshakeContext(ctx)
			select {
			case answer := <-conn.out:
				t.Logf("%x", answer[:min(len(answer), 30)])
			case <-ctx.Done():
				t.Error("the server does not answer the hello")
			}
		})
	}
}
