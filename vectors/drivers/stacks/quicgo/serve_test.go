// Package quicgo is the driver of quic-go. It is a test because the clock of
// testing/synctest shows when a server has nothing left to do, without waiting.
package quicgo

import (
	"context"
	"crypto/tls"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/qlog"
	"github.com/quic-go/quic-go/qlogwriter"

	"github.com/tlsflags/tlsflags/vectors/drivers/stacks/internal/driver"
)

func TestServe(t *testing.T) {
	t.Setenv("QUIC_GO_DISABLE_RECEIVE_BUFFER_WARNING", "true")
	err := driver.Serve("quic-go@"+driver.Version, func(pieces [][]byte) string {
		s := server{answer: "waits"}
		synctest.Test(t, func(t *testing.T) { s.serve(t, pieces) })
		return s.answer
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A server records the first thing that happens.
type server struct {
	once   sync.Once
	answer string
}

func (s *server) happens(what string) { s.once.Do(func() { s.answer = what }) }

func (s *server) serve(t *testing.T, pieces [][]byte) {
	certificates, err := driver.Certificates()
	if err != nil {
		t.Fatal(err)
	}
	conn := driver.NewPacketConn()
	transport := &quic.Transport{Conn: conn}
	listener, err := transport.Listen(&tls.Config{
		Certificates: certificates,
		NextProtos:   []string{"h3", "h2", "http/1.1"},
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			s.happens("accept")
			return nil, nil
		},
	}, &quic.Config{Tracer: func(context.Context, bool, quic.ConnectionID) qlogwriter.Trace { return trace{s} }})
	if err != nil {
		t.Fatal(err)
	}
	for _, piece := range pieces {
		conn.In <- piece
		synctest.Wait()
	}
	s.happens("waits")
	listener.Close()
	conn.Close()
	transport.Close()
}

// A trace takes the error that ends a connection.
type trace struct{ *server }

func (t trace) AddProducer() qlogwriter.Recorder { return t }
func (trace) SupportsSchemas(string) bool        { return true }
func (trace) Close() error                       { return nil }
func (t trace) RecordEvent(event qlogwriter.Event) {
	if closed, ok := event.(qlog.ConnectionClosed); ok && closed.ConnectionError != nil {
		const firstAlert = 0x100
		if code := *closed.ConnectionError; code >= firstAlert && code < 2*firstAlert {
			t.happens(fmt.Sprintf("alert %d", code-firstAlert))
		} else {
			t.happens(code.String())
		}
	}
}
