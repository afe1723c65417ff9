// Package driver has what the drivers in Go share: the lines of standard input and output,
// the certificates, and a packet connection in memory.
package driver

import (
	"bufio"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"time"
)

// Serve writes the name of the stack, and answers each line of standard input: "tls",
// "dtls" or "quic", a tab, and what a client sends, in hexadecimal, with commas between
// datagrams.
func Serve(stack string, answer func(pieces [][]byte) string) error {
	fmt.Println(stack)
	in := bufio.NewReader(os.Stdin)
	for {
		line, err := in.ReadString('\n')
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		_, list, _ := strings.Cut(strings.TrimSpace(line), "\t")
		var pieces [][]byte
		for digits := range strings.SplitSeq(list, ",") {
			piece, err := hex.DecodeString(digits)
			if err != nil {
				return err
			}
			pieces = append(pieces, piece)
		}
		fmt.Println(answer(pieces))
	}
}

// Wrote is the answer of a server that has written something.
func Wrote(data []byte) string { return "wrote " + hex.EncodeToString(data[:min(len(data), 16)]) }

// Version is the version of the stack, if that is a Go module. The linker sets it.
var Version = "unknown"

// Certificates reads the certificates in the current folder.
func Certificates() ([]tls.Certificate, error) {
	var certificates []tls.Certificate
	for _, name := range []string{"ecdsa.pem", "rsa.pem"} {
		c, err := tls.LoadX509KeyPair(name, name)
		if err != nil {
			return nil, err
		}
		certificates = append(certificates, c)
	}
	return certificates, nil
}

// Client is the address from which all packets come.
var Client net.Addr = &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1024}

// PacketConn is the end of a server. Packets sent to In are read from it.
type PacketConn struct {
	In     chan []byte
	closed chan struct{}
	once   sync.Once

	mu    sync.Mutex
	first []byte
}

// NewPacketConn returns an open connection.
func NewPacketConn() *PacketConn {
	return &PacketConn{In: make(chan []byte), closed: make(chan struct{})}
}

// First returns the first packet that was written; nil if there is none.
func (c *PacketConn) First() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.first
}

func (c *PacketConn) ReadFrom(p []byte) (int, net.Addr, error) {
	select {
	case packet := <-c.In:
		return copy(p, packet), Client, nil
	case <-c.closed:
		return 0, nil, net.ErrClosed
	}
}

func (c *PacketConn) WriteTo(p []byte, _ net.Addr) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.first == nil {
		c.first = append([]byte{}, p...)
	}
	return len(p), nil
}

func (c *PacketConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return nil
}

func (c *PacketConn) LocalAddr() net.Addr              { return &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 443} }
func (c *PacketConn) SetDeadline(time.Time) error      { return nil }
func (c *PacketConn) SetReadDeadline(time.Time) error  { return nil }
func (c *PacketConn) SetWriteDeadline(time.Time) error { return nil }
