package reqmtls

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"sync/atomic"
	"syscall"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/extension"
)

type netConn = net.Conn

// Conn is a connection whose ClientHello is recorded as TLS reads it. It passes every call
// to the net.Conn that it wraps and issues none of its own. There are two exceptions, in
// which Conn sends an alert itself and discards what crypto/tls writes after it:
// Config.RefuseMalformed turns a client away, or a policy demands a certificate and the
// connection is served with another config than that of Server.TLSConfig.
//
// An application that looks below TLS, at tls.Conn.NetConn or ClientHelloInfo.Conn, finds a
// *Conn: a type assertion to *net.TCPConn fails. NetConn leads to the wrapped connection.
type Conn struct {
	netConn
	server *Server

	// The recorder belongs to the goroutine that reads, and crypto/tls makes sure that
	// there is one at a time. Close leaves it alone.
	recorder   *recorder
	recorded   bool
	configured atomic.Bool // GetConfigForClient of this package was called
	refused    atomic.Bool // an alert was sent; what crypto/tls writes is discarded

	hello   atomic.Pointer[Hello]
	pending atomic.Pointer[Event] // the event of a handshake that has no verdict yet
}

// recorder holds a ClientHello until it is complete. Servers keep them in a pool.
type recorder struct {
	records assemble.Records
	memory  []byte

	// message is kept after the recording if it may have to be decrypted, with the keys
	// for that, unless they are those of the config.
	message []byte
	echKeys []tls.EncryptedClientHelloKey
}

// NetConn returns the connection that c wraps.
func (c *Conn) NetConn() net.Conn { return c.netConn }

// SyscallConn returns the raw connection of the wrapped one, or errors.ErrUnsupported if
// that has none.
func (c *Conn) SyscallConn() (syscall.RawConn, error) {
	if inner, ok := c.netConn.(syscall.Conn); ok {
		return inner.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}

// CloseWrite shuts down the writing side of the wrapped connection. It returns
// errors.ErrUnsupported if that has no method CloseWrite.
func (c *Conn) CloseWrite() error {
	if inner, ok := c.netConn.(interface{ CloseWrite() error }); ok {
		return inner.CloseWrite()
	}
	return errors.ErrUnsupported
}

// ReadFrom writes what it reads from r, with the ReadFrom of the wrapped connection if
// that has one.
func (c *Conn) ReadFrom(r io.Reader) (int64, error) {
	inner, ok := c.netConn.(io.ReaderFrom)
	if !ok || c.refused.Load() || !c.configured.Load() {
		return io.Copy(struct{ io.Writer }{c}, r)
	}
	return inner.ReadFrom(r)
}

// Read reads from the wrapped connection.
func (c *Conn) Read(p []byte) (int, error) {
	n, err := c.netConn.Read(p)
	if !c.recorded {
		c.record(p[:n], err)
	}
	return n, err
}

// record takes what was read, until the ClientHello is complete.
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
			c.finish(&Hello{Err: r.Code})
		default:
			c.finish(&c.server.unflagged)
		}
	}
	// crypto/tls may read on after a time-out, but not after any other error.
	if err != nil && !c.recorded && !errors.Is(err, os.ErrDeadlineExceeded) {
		c.recorded = true
		c.release()
	}
}

// complete reads the flags of a complete ClientHello.
func (c *Conn) complete(message []byte) {
	s := c.server
	if len(message) > s.limit { // it was in one piece, and took no memory
		c.finish(&Hello{Err: extension.ErrOverLimit})
		return
	}
	hello, _, err := clienthello.Parse(message)
	if err != nil {
		c.finish(&Hello{Err: err})
		return
	}
	if s.inspect != nil {
		s.inspect(c, hello)
	}
	if s.ech.Load() && offersECH(hello) {
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
	//mutation:equivalent the next connection resets it, too; only memory is held for longer
	r.records.Reset(nil) // it may point into a buffer of crypto/tls
	c.server.recorders.Put(r)
}

// Hello returns what the client said, and false until the whole ClientHello has arrived. The
// result no longer changes once the handshake is over. Hello may be called at any time,
// also while the connection is in use.
func (c *Conn) Hello() (Hello, bool) {
	h := c.hello.Load()
	if h == nil {
		return Hello{}, false
	}
	return *h, true
}

const recordAlert = 21

// Write writes to the wrapped connection. After an alert of its own, Write discards p and
// reports success: crypto/tls would send a second alert, internal_error.
func (c *Conn) Write(p []byte) (int, error) {
	if !c.configured.Load() && !beforeConfig(p) {
		if err := c.notConfigured(); err != nil {
			return 0, err
		}
	}
	if c.refused.Load() {
		return len(p), nil
	}
	return c.netConn.Write(p)
}

// beforeConfig reports whether p is what a server with this package's GetConfigForClient
// may write before that is called: an alert, or net/http's answer to a client without TLS.
func beforeConfig(p []byte) bool {
	return len(p) == 0 || p[0] == recordAlert || bytes.HasPrefix(p, []byte("HTTP/1.0 400 "))
}

// notConfigured is called when the server answers the client and GetConfigForClient of
// this package was not called.
func (c *Conn) notConfigured() error {
	c.configured.Store(true)
	c.recorded = true // the goroutine of the handshake is the one that reads
	c.release()
	c.server.warnHalfMade(errNotConfigured)
	if !c.server.demands() {
		return nil
	}
	c.sendAlert(extension.AlertInternalError)
	return errNotConfigured
}

// sendAlert sends an alert of TLS before keys are agreed on, in place of the
// internal_error that crypto/tls sends for every error of GetConfigForClient.
func (c *Conn) sendAlert(a extension.Alert) {
	const levelFatal = 2
	c.netConn.Write([]byte{recordAlert, 3, 3, 0, 2, levelFatal, byte(a)})
	c.refused.Store(true)
}

// alertOf returns the alert for an error of a parser.
func alertOf(err error) extension.Alert {
	code, _ := err.(extension.Code)
	return code.Alert()
}

// Close closes the wrapped connection.
func (c *Conn) Close() error {
	if e := c.pending.Swap(nil); e != nil {
		e.Outcome = Unfinished
		c.server.observe(*e)
	}
	return c.netConn.Close()
}

// read returns what the extensions of a ClientHello say about TLS flags.
func (s *Server) read(list extension.List) *Hello {
	e, ok := s.flagsExtension(list)
	if !ok {
		return &s.unflagged
	}
	flags, _, err := extension.ParseFlags(e.Data)
	return &Hello{
		Flags: flags.Set(), Err: err, extension: e.Type,
		Flagged: slices.ContainsFunc(s.flags, flags.Has),
	}
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
