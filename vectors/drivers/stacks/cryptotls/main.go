// Command cryptotls is the driver of crypto/tls.
package main

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/tlsflags/tlsflags/vectors/drivers/stacks/internal/driver"
)

func main() {
	certificates, err := driver.Certificates()
	if err != nil {
		log.Fatal(err)
	}
	config := &tls.Config{
		Certificates: certificates,
		// With this callback the server parses the whole message before it answers.
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, nil },
	}
	release, _, _ := strings.Cut(runtime.Version(), " ")
	err = driver.Serve("crypto/tls@"+release, func(pieces [][]byte) string {
		c := &conn{unread: slices.Concat(pieces...)}
		tls.Server(c, config).Handshake()
		switch {
		case c.starved:
			return "waits"
		case len(c.written) > 0:
			return driver.Wrote(c.written)
		}
		return "closes"
	})
	if err != nil {
		log.Fatal(err)
	}
}

// A conn returns unread to its reader and records what is written.
type conn struct {
	net.Conn
	unread  []byte
	written []byte
	starved bool // Read was called with nothing left and nothing written yet
}

func (c *conn) Read(p []byte) (int, error) {
	if len(c.unread) == 0 {
		c.starved = c.starved || len(c.written) == 0
		return 0, io.EOF
	}
	n := copy(p, c.unread)
	c.unread = c.unread[n:]
	return n, nil
}

func (c *conn) Write(p []byte) (int, error) {
	c.written = append(c.written, p...)
	return len(p), nil
}

func (c *conn) Close() error                     { return nil }
func (c *conn) SetDeadline(time.Time) error      { return nil }
func (c *conn) SetWriteDeadline(time.Time) error { return nil }
