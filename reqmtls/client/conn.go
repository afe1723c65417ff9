package client

import (
	"net"
	"sync/atomic"

	"github.com/tlsflags/tlsflags/reqmtls/client/flagconn"
)

type conn = flagconn.Conn

// Conn is a TLS connection after its handshake. It has the methods of a
// [flagconn.Conn].
type Conn struct {
	*conn
	report Report
	alert  atomic.Pointer[error] // with which the server has ended the connection
}

var _ net.Conn = (*Conn)(nil)

// Report returns what the server did with the client's flags.
func (c *Conn) Report() Report { return c.report }

// Read reads data from the connection.
func (c *Conn) Read(b []byte) (int, error) {
	n, err := c.conn.Read(b)
	return n, c.keep(err)
}

// Write writes data to the connection. Its error is the alert of a server that has ended
// the connection, if there is one.
func (c *Conn) Write(b []byte) (int, error) {
	n, err := c.conn.Write(b)
	return n, c.keep(err)
}

// keep remembers an error that is an alert of the server.
func (c *Conn) keep(err error) error {
	if _, ok := flagconn.Alert(err); ok {
		c.alert.Store(&err)
	}
	return err
}
