package client

import (
	"net"

	"github.com/tlsflags/tlsflags/reqmtls/client/flagconn"
)

type conn = flagconn.Conn

// Conn is a TLS connection after its handshake. It has the methods of a
// [flagconn.Conn].
type Conn struct {
	*conn
	report Report
}

var _ net.Conn = (*Conn)(nil)

// Report returns what the server did with the client's flags.
func (c *Conn) Report() Report { return c.report }
