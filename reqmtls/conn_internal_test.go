package reqmtls

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
)

// sink is a connection that keeps what is written, and fails to close.
type sink struct {
	script
	bytes.Buffer
	direct int // calls of ReadFrom
}

var errSink = errors.New("sink")

func (s *sink) Read(p []byte) (int, error)  { return s.script.Read(p) }
func (s *sink) Write(p []byte) (int, error) { return s.Buffer.Write(p) }
func (s *sink) Close() error                { return errSink }
func (s *sink) CloseWrite() error           { return errSink }

func (s *sink) ReadFrom(r io.Reader) (int64, error) {
	s.direct++
	return s.Buffer.ReadFrom(r)
}

// wrapSink returns a connection of a server with a mode.
func wrapSink(t *testing.T, mode Mode) (*Conn, *sink) {
	t.Helper()
	s := newServer(t)
	s.general.Mode = mode
	s.logger = slog.New(slog.DiscardHandler)
	inner := new(sink)
	return s.Wrap(inner), inner
}

const alertInternalError = "\x15\x03\x03\x00\x02\x02\x50"

// TestWriteBeforeConfig has what a server writes that never asked for the config.
func TestWriteBeforeConfig(t *testing.T) {
	for _, tt := range []struct{ written, sent string }{
		{"", ""},
		{"\x15\x03\x01\x00\x02\x02\x28", "\x15\x03\x01\x00\x02\x02\x28"},
		{"HTTP/1.0 400 Bad Request\r\n\r\n", "HTTP/1.0 400 Bad Request\r\n\r\n"},
		{"\x16\x03\x03\x00\x00", alertInternalError},
		{"\x14\x03\x03\x00\x01\x01", alertInternalError},
		{"HTTP/1.1 400 Bad Request\r\n\r\n", alertInternalError},
	} {
		c, inner := wrapSink(t, Require)
		n, err := c.Write([]byte(tt.written))
		refused := tt.sent == alertInternalError
		if inner.String() != tt.sent || errors.Is(err, errNotConfigured) != refused || n == len(tt.written) == refused {
			t.Errorf("%q: sent %q, %d, %v", tt.written, inner, n, err)
		}
	}
}

// TestNamedPolicyDemands checks that a policy of Names is enough for a refusal.
func TestNamedPolicyDemands(t *testing.T) {
	for mode, want := range map[Mode]bool{VerifyIfGiven: false, Request: false, Require: true, Ignore: false} {
		c, _ := wrapSink(t, Request)
		c.server.names = map[string]*policy{"a.example": {Policy: Policy{Mode: mode}}}
		if _, err := c.Write([]byte("\x16")); errors.Is(err, errNotConfigured) != want {
			t.Errorf("mode %v: %v", mode, err)
		}
	}
}

// TestAfterRefusal checks that nothing follows an alert of this package, whatever the way.
func TestAfterRefusal(t *testing.T) {
	c, inner := wrapSink(t, Require)
	if _, err := c.Write([]byte("\x16")); !errors.Is(err, errNotConfigured) {
		t.Fatal(err)
	}
	if n, err := c.Write([]byte("more")); n != 4 || err != nil {
		t.Errorf("Write: %d, %v", n, err)
	}
	if n, err := c.ReadFrom(strings.NewReader("more")); n != 4 || err != nil {
		t.Errorf("ReadFrom: %d, %v", n, err)
	}
	if inner.String() != alertInternalError || inner.direct != 0 {
		t.Errorf("sent %q", inner)
	}
}

// TestReadFromBeforeConfig checks that ReadFrom, too, notices a missing config.
func TestReadFromBeforeConfig(t *testing.T) {
	c, inner := wrapSink(t, Require)
	if _, err := c.ReadFrom(strings.NewReader("\x16")); !errors.Is(err, errNotConfigured) || inner.direct != 0 {
		t.Errorf("%v, sent %q", err, inner)
	}
	c, inner = wrapSink(t, VerifyIfGiven)
	c.configured.Store(true)
	if n, err := c.ReadFrom(strings.NewReader("\x16")); n != 1 || err != nil || inner.direct != 1 {
		t.Errorf("%d, %v, %d direct calls", n, err, inner.direct)
	}
}

func TestErrorsOfTheInnerConnection(t *testing.T) {
	c, _ := wrapSink(t, Request)
	if err := c.CloseWrite(); err != errSink {
		t.Errorf("CloseWrite: %v", err)
	}
	if err := c.Close(); err != errSink {
		t.Errorf("Close: %v", err)
	}
}

// TestNothingIsRecordedLater checks that a connection takes no buffer again after its
// recording has ended, in each of the ways.
func TestNothingIsRecordedLater(t *testing.T) {
	hello := recordedHello(t, "utls-chrome-133-ext62-80.bin") // it has GREASE for Encrypted Client Hello
	half := hello[:len(hello)/2]
	for _, tt := range []struct {
		name string
		end  func(*Conn)
	}{
		{"an error", func(c *Conn) {
			inner := c.netConn.(*script)
			inner.err = io.ErrUnexpectedEOF
			c.Read(make([]byte, 10))
			inner.err = os.ErrDeadlineExceeded
		}},
		{"an answer without the config", func(c *Conn) { c.notConfigured() }},
		{"the config, with a hello that this package has not seen the end of", func(c *Conn) {
			c.endRecording(&tls.ClientHelloInfo{Extensions: []uint16{uint16(extension.TLSFlags)}}, &tls.Config{})
		}},
	} {
		s := newServer(t)
		s.logger = slog.New(slog.DiscardHandler)
		inner := &script{pieces: [][]byte{half}, err: os.ErrDeadlineExceeded}
		c := s.Wrap(inner)
		c.Read(make([]byte, 4096))
		r := c.recorder
		if r == nil {
			t.Fatal("no buffer for half a hello")
		}
		r.message, r.echKeys = nil, []tls.EncryptedClientHelloKey{{}}
		tt.end(c)
		if c.recorder != nil || r.echKeys != nil {
			t.Errorf("%s: the buffer is held, or its keys", tt.name)
		}
		inner.pieces = [][]byte{hello}
		c.Read(make([]byte, 4096))
		if _, ok := c.Hello(); ok || c.recorder != nil {
			t.Errorf("%s: recorded later", tt.name)
		}
	}
}

// TestHelloForECH checks that a hello that may have to be decrypted is kept until the
// config is chosen, and that what comes after it is not taken for a part of it.
func TestHelloForECH(t *testing.T) {
	hello := recordedHello(t, "utls-chrome-133-ext62-80.bin")
	s := newServer(t)
	s.ech.Store(true)
	c := s.Wrap(&script{pieces: [][]byte{hello, hello, []byte("more")}, err: io.EOF})
	for range 4 {
		c.Read(make([]byte, 4096))
	}
	if c.recorder == nil || !bytes.Equal(c.recorder.message, hello[5:]) {
		t.Fatal("the hello is not kept")
	}
	r := c.recorder
	c.endRecording(&tls.ClientHelloInfo{Extensions: []uint16{uint16(extension.TLSFlags)}}, &tls.Config{})
	if h, ok := c.Hello(); c.recorder != nil || r.message != nil || !ok || !h.Flagged || h.ECH {
		t.Errorf("%v, %v", h, ok)
	}
}

// TestLimitInOnePiece has a hello that takes no memory since it comes in one piece.
func TestLimitInOnePiece(t *testing.T) {
	hello := recordedHello(t, "utls-chrome-133-ext62-80.bin")
	for _, tt := range []struct {
		limit int
		err   error
	}{{len(hello) - 5, nil}, {len(hello) - 6, extension.ErrOverLimit}} {
		s := newServer(t)
		s.limit = tt.limit
		c := s.Wrap(&script{pieces: [][]byte{hello}})
		c.Read(make([]byte, 4096))
		if h, ok := c.Hello(); !ok || h.Err != tt.err || h.Flagged != (tt.err == nil) || c.recorder != nil {
			t.Errorf("limit %d: %v, %v", tt.limit, h, ok)
		}
	}
}

// TestOffersECH has outer and inner hellos, and data that is neither.
func TestOffersECH(t *testing.T) {
	raw := recordedHello(t, "utls-chrome-133-ext62-80.bin")[5:]
	hello, _, err := clienthello.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	e, ok := hello.Extensions().Lookup(extension.EncryptedClientHello)
	if !ok {
		t.Fatal("the hello has no encrypted_client_hello")
	}
	for first, want := range map[byte]bool{0: true, 1: false, 2: false} {
		e.Data[0] = first // of raw
		if offersECH(hello) != want {
			t.Errorf("type %d: %v", first, offersECH(hello))
		}
	}
	for _, n := range []int{0, 1} {
		if got := offersECH(echOf(t, make([]byte, n))); got != (n > 0) {
			t.Errorf("%d bytes: %v", n, got)
		}
	}
	plain, _, err := clienthello.Parse(recordedHello(t, "curl-7.88.1.bin")[5:])
	if err != nil || offersECH(plain) {
		t.Errorf("a hello without: %v, %v", offersECH(plain), err)
	}
}

// echOf returns a hello that has nothing but encrypted_client_hello with data.
func echOf(t *testing.T, data []byte) clienthello.ClientHello {
	t.Helper()
	body := "\x03\x03" + strings.Repeat("r", 32) + "\x00" + "\x00\x02\x13\x01" + "\x01\x00"
	list := append([]byte{0xfe, 0x0d, 0, byte(len(data))}, data...)
	body += "\x00" + string(byte(len(list))) + string(list)
	hello, _, err := clienthello.Parse([]byte("\x01\x00\x00" + string(byte(len(body))) + body))
	if err != nil {
		t.Fatal(err)
	}
	return hello
}
