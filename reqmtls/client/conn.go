package client

import (
	"crypto/tls"
	"net"
	"time"

	"github.com/tlsflags/tlsflags/reqmtls/client/flagconn"
)

// Conn is a TLS connection after its handshake.
type Conn struct {
	conn   *flagconn.Conn
	report Report
}

var _ net.Conn = (*Conn)(nil)

// Report returns what the server did with the client's flags.
func (c *Conn) Report() Report { return c.report }

// Read reads data from the connection.
func (c *Conn) Read(b []byte) (int, error) { return c.conn.Read(b) }

// Write writes data to the connection.
func (c *Conn) Write(b []byte) (int, error) { return c.conn.Write(b) }

// Close sends a close_notify alert and closes the connection.
func (c *Conn) Close() error { return c.conn.Close() }

// CloseWrite sends a close_notify alert. It does not close the connection below TLS.
func (c *Conn) CloseWrite() error { return c.conn.CloseWrite() }

// LocalAddr returns the local network address.
func (c *Conn) LocalAddr() net.Addr { return c.conn.LocalAddr() }

// RemoteAddr returns the remote network address.
func (c *Conn) RemoteAddr() net.Addr { return c.conn.RemoteAddr() }

// SetDeadline sets the deadline of reads and writes. After a write has timed out, all
// further writes fail, as with a [tls.Conn].
func (c *Conn) SetDeadline(t time.Time) error { return c.conn.SetDeadline(t) }

// SetReadDeadline sets the deadline of reads.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.conn.SetReadDeadline(t) }

// SetWriteDeadline sets the deadline of writes. After a write has timed out, all further
// writes fail, as with a [tls.Conn].
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.conn.SetWriteDeadline(t) }

// NetConn returns the connection below TLS.
func (c *Conn) NetConn() net.Conn { return c.conn.NetConn() }

// ConnectionState returns what the handshake agreed on. Fields that uTLS does not export,
// such as CurveID, are zero. Call ExportKeyingMaterial of the Conn, because that of the
// returned state panics.
func (c *Conn) ConnectionState() tls.ConnectionState { return c.conn.ConnectionState() }

// ExportKeyingMaterial returns length bytes of keying material, as
// [tls.ConnectionState.ExportKeyingMaterial] does.
func (c *Conn) ExportKeyingMaterial(label string, context []byte, length int) ([]byte, error) {
	return c.conn.ExportKeyingMaterial(label, context, length)
}
