package reqmtls

import (
	"crypto/tls"
	"errors"
	"net"
	"os"
	"sync/atomic"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/extension"
)

// Conn is a connection under TLS whose ClientHello is read along as it comes in.
// Every call goes to the net.Conn that it wraps, unchanged, and Conn makes none of its
// own. The one exception is a client that Config.RefuseMalformed turns away: Conn writes
// the alert itself, and drops what crypto/tls writes after it.
type Conn struct {
	net.Conn
	server *Server

	// The recorder belongs to the goroutine that reads, which crypto/tls makes sure
	// is one at a time. Close leaves it alone.
	recorder *recorder
	recorded bool
	refused  atomic.Bool // an alert was sent, after which crypto/tls has nothing to say

	hello   atomic.Pointer[Hello]
	pending atomic.Pointer[Event] // the event of a handshake that has no verdict yet
}

// recorder holds a ClientHello until it is whole. Servers keep them in a pool.
type recorder struct {
	records assemble.Records
	memory  []byte

	// message is kept beyond the recording where it may have to be decrypted, with
	// the keys for that, unless they are those of the config.
	message []byte
	echKeys []tls.EncryptedClientHelloKey
}

// listener wraps what it accepts.
type listener struct {
	net.Listener
	server *Server
}

// Accept waits for the next connection and wraps it.
func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.server.Wrap(c), nil
}

// Listener returns a listener for tls.NewListener, or for functions that call it, such
// as http.Server.ServeTLS. The connections of inner must begin with TLS, so a listener
// that removes the header of the PROXY protocol has to be inside, as inner. Nothing
// may wrap the listener returned but TLS.
func (s *Server) Listener(inner net.Listener) net.Listener { return listener{inner, s} }

// Wrap returns a connection to pass to tls.Server, together with TLSConfig. Nothing may
// have been read from c yet.
func (s *Server) Wrap(c net.Conn) *Conn { return &Conn{Conn: c, server: s} }

// NetConn returns the connection that c wraps.
func (c *Conn) NetConn() net.Conn { return c.Conn }

// Read reads from the wrapped connection.
func (c *Conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if !c.recorded {
		c.record(p[:n], err)
	}
	return n, err
}

// record takes what was read, until the ClientHello is over.
func (c *Conn) record(p []byte, err error) {
	if len(p) > 0 {
		if c.recorder == nil {
			c.recorder = c.server.recorders.Get().(*recorder)
			c.recorder.records.Reset(c.recorder.memory)
		}
		switch r := c.recorder.records.Feed(p); r.Outcome {
		case assemble.NeedMore:
		case assemble.Complete:
			c.complete(r.Message)
		case assemble.Refused:
			c.finish(&Hello{Code: r.Code})
		default:
			c.finish(&c.server.unflagged)
		}
	}
	// After a time-out crypto/tls may come back for more, after anything else not.
	if err != nil && !c.recorded && !errors.Is(err, os.ErrDeadlineExceeded) {
		c.recorded = true
		c.release()
	}
}

// complete reads the flags of a whole ClientHello.
func (c *Conn) complete(message []byte) {
	s := c.server
	if len(message) > s.limit { // in place, so that it took no memory
		c.finish(&Hello{Code: extension.ErrOverLimit})
		return
	}
	hello, _, err := clienthello.Parse(message)
	if err != nil {
		c.finish(&Hello{Code: codeOf(err)})
		return
	}
	if s.inspect != nil {
		s.inspect(c, hello)
	}
	if s.ech && offersECH(hello) {
		// Which flags count is known when crypto/tls has decrypted the inner hello.
		r := c.recorder
		r.message = r.memory[:copy(r.memory, message)]
		c.recorded = true
		c.hello.Store(s.read(hello.Extensions()))
		return
	}
	c.finish(s.read(hello.Extensions()))
}

// finish ends the recording with what is known about the client.
func (c *Conn) finish(h *Hello) {
	c.recorded = true
	c.hello.Store(h)
	c.release()
}

// release gives the recorder back, and with it the memory.
func (c *Conn) release() {
	r := c.recorder
	if r == nil {
		return
	}
	c.recorder = nil
	r.message, r.echKeys = nil, nil
	r.records.Reset(nil) // it may point into a buffer of crypto/tls
	c.server.recorders.Put(r)
}

// Hello returns what the client said, and false while its ClientHello has not come. The
// result no longer changes once the handshake is over. Hello may be called at any time,
// also while the connection is in use.
func (c *Conn) Hello() (Hello, bool) {
	h := c.hello.Load()
	if h == nil {
		return Hello{}, false
	}
	return *h, true
}

// Write writes to the wrapped connection. Once the handshake was ended because of
// Config.RefuseMalformed, Write discards p and reports success: crypto/tls would send a
// second alert, internal_error.
func (c *Conn) Write(p []byte) (int, error) {
	if c.refused.Load() {
		return len(p), nil
	}
	return c.Conn.Write(p)
}

// sendAlert sends an alert of TLS before keys are agreed on, in place of the
// internal_error that crypto/tls has for all errors of GetConfigForClient.
func (c *Conn) sendAlert(a extension.Alert) {
	const recordAlert, levelFatal = 21, 2
	c.Conn.Write([]byte{recordAlert, 3, 3, 0, 2, levelFatal, byte(a)})
	c.refused.Store(true)
}

// Close closes the wrapped connection.
func (c *Conn) Close() error {
	if e := c.pending.Swap(nil); e != nil {
		e.Outcome = Unfinished
		c.server.observe(*e)
	}
	return c.Conn.Close()
}

// read returns what the extensions of a ClientHello say about TLS flags.
func (s *Server) read(list extension.List) *Hello {
	e, ok := s.flagsExtension(list)
	if !ok {
		return &s.unflagged
	}
	flags, _, err := extension.ParseFlags(e.Data)
	return &Hello{Flags: flags.Set(), Type: e.Type, Code: codeOf(err), Flagged: flags.Has(s.flag)}
}

// codeOf returns an error of a parser as what it is, nil as 0.
func codeOf(err error) extension.Code {
	code, _ := err.(extension.Code)
	return code
}

// flagsExtension returns the extension that holds the client's flags.
func (s *Server) flagsExtension(list extension.List) (extension.Extension, bool) {
	if len(s.types) == 0 {
		return list.FlagsExtension()
	}
	for _, t := range s.types {
		if e, ok := list.Lookup(t); ok {
			return e, true
		}
	}
	return extension.Extension{}, false
}
