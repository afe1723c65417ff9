package flagconn

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"reflect"
	"sync"
	"time"

	utls "github.com/refraction-networking/utls"

	"github.com/tlsflags/tlsflags/extension"
)

// Report is what the server did during the handshake.
type Report struct {
	// Requested says whether the server sent a CertificateRequest.
	Requested bool
	// Given says whether the client sent a certificate.
	Given bool
	// Authorities are the certificate authorities that the server named, as
	// distinguished names in DER.
	Authorities [][]byte
	// Extensions are those of the CertificateRequest. TLS 1.2 has none there.
	Extensions extension.List
}

// maxFlight is how many bytes from the server are kept. That is enough for its
// CertificateRequest, which comes before its certificate.
const maxFlight = 256 << 10

// Conn is a TLS connection after its handshake.
type Conn struct {
	tls  *utls.UConn
	conn net.Conn // that the caller gave

	reading sync.Mutex
	unread  []byte // what came before an alert that Write looked for
}

var _ net.Conn = (*Conn)(nil)

// Read reads data from the connection.
func (c *Conn) Read(b []byte) (int, error) {
	c.reading.Lock()
	defer c.reading.Unlock()
	if len(c.unread) == 0 {
		return c.tls.Read(b)
	}
	n := copy(b, c.unread)
	c.unread = c.unread[n:]
	return n, nil
}

// Write writes data to the connection. If it fails because the server has ended the
// connection with an alert, its error is that alert, as that of Read is. A server of
// TLS 1.3 that does not accept the client's certificate does so after the handshake.
func (c *Conn) Write(b []byte) (int, error) {
	n, err := c.tls.Write(b)
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "write" && !op.Timeout() {
		err = cmp.Or(c.alert(), err)
	}
	return n, err
}

// alert returns the alert that the server has ended the connection with, or nil. What comes
// before it is kept for Read.
func (c *Conn) alert() error {
	c.reading.Lock()
	defer c.reading.Unlock()
	buf := make([]byte, 4096)
	for len(c.unread) < maxFlight {
		n, err := c.tls.Read(buf)
		c.unread = append(c.unread, buf[:n]...)
		if _, ok := Alert(err); ok {
			return err
		}
		if err != nil {
			break
		}
	}
	return nil
}

// Close sends a close_notify alert and closes the connection.
func (c *Conn) Close() error { return c.tls.Close() }

// CloseWrite sends a close_notify alert. It does not close the connection below TLS.
func (c *Conn) CloseWrite() error { return c.tls.CloseWrite() }

// LocalAddr returns the local network address.
func (c *Conn) LocalAddr() net.Addr { return c.conn.LocalAddr() }

// RemoteAddr returns the remote network address.
func (c *Conn) RemoteAddr() net.Addr { return c.conn.RemoteAddr() }

// SetDeadline sets the deadline of reads and writes. After a write has timed out, all
// further writes fail, as with a [tls.Conn].
func (c *Conn) SetDeadline(t time.Time) error { return c.tls.SetDeadline(t) }

// SetReadDeadline sets the deadline of reads.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.tls.SetReadDeadline(t) }

// SetWriteDeadline sets the deadline of writes. After a write has timed out, all further
// writes fail, as with a [tls.Conn].
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.tls.SetWriteDeadline(t) }

// NetConn returns the connection below TLS, which was given to Handshake.
func (c *Conn) NetConn() net.Conn { return c.conn }

// ConnectionState returns what the handshake agreed on. Fields that uTLS does not export,
// such as CurveID, are zero. Call ExportKeyingMaterial of the Conn, because that of the
// returned state panics.
func (c *Conn) ConnectionState() tls.ConnectionState { return standardState(c.tls.ConnectionState()) }

// ExportKeyingMaterial returns length bytes of keying material, as
// [tls.ConnectionState.ExportKeyingMaterial] does.
func (c *Conn) ExportKeyingMaterial(label string, context []byte, length int) ([]byte, error) {
	state := c.tls.ConnectionState()
	return state.ExportKeyingMaterial(label, context, length)
}

// Handshake makes a TLS connection over conn, as a client. It does not close conn on
// error, unless ctx ended during the handshake. The Report says what the server did, on
// error until then.
func Handshake(ctx context.Context, conn net.Conn, c Config) (*Conn, Report, error) {
	spec, err := c.check()
	if err != nil {
		return nil, Report{}, err
	}
	return c.handshake(ctx, conn, spec)
}

func (c Config) handshake(ctx context.Context, conn net.Conn, spec *utls.ClientHelloSpec) (*Conn, Report, error) {
	var report Report
	tap := &tap{Conn: conn}
	var log keyLog
	asked := func(info *utls.CertificateRequestInfo) error {
		report.Requested = true
		report.Authorities = info.AcceptableCAs
		// The server's whole flight, Finished included, has come by now.
		if m, ok := certificateRequest(tap.stop(), log.String()); ok {
			report.Extensions = m.Extensions()
		}
		if c.OnRequest != nil {
			return c.OnRequest(report)
		}
		return nil
	}
	config := convert(c.tls(), asked, func(given bool) { report.Given = given })
	config.KeyLogWriter = &log
	if w := c.tls().KeyLogWriter; w != nil {
		config.KeyLogWriter = io.MultiWriter(&log, w)
	}
	uconn := utls.UClient(tap, config, utls.HelloCustom)
	if err := uconn.ApplyPreset(spec); err != nil {
		return nil, Report{}, err
	}
	err := uconn.HandshakeContext(ctx)
	tap.stop()
	if err != nil {
		return nil, report, err
	}
	return &Conn{tls: uconn, conn: conn}, report, nil
}

// Alert returns the alert of the server that err reports. It returns false if err has
// another cause. err may be from Handshake or from a method of Conn.
func Alert(err error) (extension.Alert, bool) {
	op, ok := errors.AsType[*net.OpError](err)
	if !ok || op.Op != "remote error" {
		return 0, false
	}
	// uTLS does not export its type of alerts, a uint8.
	v := reflect.ValueOf(op.Err)
	if v.Kind() != reflect.Uint8 {
		return 0, false
	}
	return extension.Alert(v.Uint()), true
}

// tap keeps a copy of what is read until it is stopped.
type tap struct {
	net.Conn
	mu      sync.Mutex
	sent    []byte
	stopped bool
}

// Read reads from the connection.
func (t *tap) Read(p []byte) (int, error) {
	n, err := t.Conn.Read(p)
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.stopped {
		t.sent = append(t.sent, p[:min(n, maxFlight-len(t.sent))]...)
	}
	return n, err
}

func (t *tap) stop() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	sent := t.sent
	t.sent, t.stopped = nil, true
	return sent
}

// keyLog collects the secrets of one connection.
type keyLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *keyLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *keyLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
