package main

import (
	"crypto/tls"
	"io"
	"net"
	"testing"
	"testing/iotest"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/examples/internal/try"
)

// TestScan reads the streams of TCP connections, as they come and byte by byte.
func TestScan(t *testing.T) {
	for _, name := range []string{"www.example.com", ""} { // the second one speaks HTTP
		for how, cut := range map[string]func(io.Reader) io.Reader{
			"as it comes":  func(r io.Reader) io.Reader { return r },
			"byte by byte": iotest.OneByteReader,
		} {
			addr, listener := try.Listen(t)
			go func() {
				conn, err := net.Dial("tcp", addr)
				if err != nil {
					return
				}
				if name != "" {
					tls.Client(conn, &tls.Config{ServerName: name}).Handshake()
				} else {
					io.WriteString(conn, "GET / HTTP/1.1\r\n\r\n")
				}
				conn.Close()
			}()
			conn, err := listener.Accept()
			if err != nil {
				t.Fatal(err)
			}
			var got []byte
			scan(cut(conn), func(hello clienthello.ClientHello) { got, _ = hello.ServerName() })
			conn.Close()
			if string(got) != name {
				t.Errorf("%s: a hello for %q, want %q", how, got, name)
			}
		}
	}
}
