package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"sync"
	"testing"

	"github.com/tlsflags/tlsflags/clienthello/peek"
	"github.com/tlsflags/tlsflags/examples/internal/try"
	"github.com/tlsflags/tlsflags/reqmtls/client"
)

const site = "www.example.com"

// TestMain runs proxies for tests that look at their process from outside.
func TestMain(m *testing.M) {
	if os.Getenv(childMode) != "" {
		child()
		return
	}
	log.SetOutput(io.Discard)
	os.Exit(m.Run())
}

func TestRoute(t *testing.T) {
	parties := try.NewParties(t)
	ordinary, bots := startBackend(t, parties, "ordinary"), startBackend(t, parties, "bots")
	addr := startRouter(t, routes{bots: bots, names: map[string]string{site: ordinary}}.choose)
	tcp := dialTCP(t, addr)
	if got, want := ask(t, tls.Client(tcp, clientConfig(parties))), fmt.Sprint("ordinary: from ", tcp.LocalAddr(), " to ", addr); got != want {
		t.Errorf("a client gets %q, want %q", got, want)
	}

	config := parties.Bot()
	config.TLS.ServerName = site
	c, err := client.New(config)
	if err != nil {
		t.Fatal(err)
	}
	tcp = dialTCP(t, addr)
	conn, err := c.Handshake(t.Context(), tcp, site)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := ask(t, conn), fmt.Sprint("bots: from ", tcp.LocalAddr(), " to ", addr); got != want {
		t.Errorf("a bot gets %q, want %q", got, want)
	}

	other := clientConfig(parties)
	other.ServerName = "other.example"
	err = tls.Client(dialTCP(t, addr), other).HandshakeContext(t.Context())
	if err == nil || err.Error() != "remote error: tls: internal error" {
		t.Errorf("without a backend: %v", err)
	}
}

func TestChoose(t *testing.T) {
	r := routes{names: map[string]string{"a.example": "1", "default": "2"}}
	for name, want := range map[string]string{"a.example": "1", "A.Example": "1", "b.example": "2", "": "2"} {
		hello, err := peek.Read(bytes.NewReader(helloOf(t, name)), peek.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := r.choose(hello); got != want {
			t.Errorf("%q goes to %q, want %q", name, got, want)
		}
	}
}

// TestHalfClose checks that a client that has ended still gets its answer.
func TestHalfClose(t *testing.T) {
	backend, listener := try.Listen(t)
	go func() {
		conn, err := listener.Accept()
		if err == nil {
			all, _ := io.ReadAll(conn)
			fmt.Fprintf(conn, "%d bytes", len(all))
			conn.Close()
		}
	}()
	addr := startRouter(t, func(peek.Hello) string { return backend })
	hello, header := helloOf(t, site), 16+2*4+2*2
	tcp := dialTCP(t, addr)
	if _, err := tcp.Write(append(hello, "more"...)); err != nil {
		t.Fatal(err)
	}
	tcp.CloseWrite()
	got, err := io.ReadAll(tcp)
	if want := fmt.Sprint(header+len(hello)+4, " bytes"); string(got) != want || err != nil {
		t.Errorf("the answer is %q, %v; want %q", got, err, want)
	}
}

// startRouter serves until the test ends, and returns the address.
func startRouter(t *testing.T, choose func(peek.Hello) string) string {
	t.Helper()
	addr, listener := try.Listen(t)
	l := peek.NewListener(listener, peek.Options{})
	var wg sync.WaitGroup
	wg.Go(func() { serve(l, choose) })
	t.Cleanup(func() {
		l.Close()
		wg.Wait()
	})
	return addr
}

// startBackend runs a TLS server until the test ends. It answers a line with its name, and
// whose connection the router says it is.
func startBackend(t *testing.T, parties try.Parties, name string) string {
	t.Helper()
	cert, err := parties.Site.Server(site)
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{cert}}
	addr, listener := try.Listen(t)
	l := peek.NewListener(listener, peek.Options{Proxy: true})
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				hello, _ := peek.FromConn(conn)
				secure := tls.Server(conn, config)
				if _, err := secure.Read(make([]byte, 1)); err != nil {
					return
				}
				fmt.Fprintf(secure, "%s: from %v to %v", name, hello.Src, hello.Dst)
				secure.Close()
			}()
		}
	}()
	return addr
}

func clientConfig(parties try.Parties) *tls.Config {
	return &tls.Config{RootCAs: parties.Site.Pool(), ServerName: site}
}

// ask sends a byte and returns the answer.
func ask(t *testing.T, conn net.Conn) string {
	t.Helper()
	defer conn.Close()
	if _, err := conn.Write([]byte{'?'}); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

func dialTCP(t *testing.T, addr string) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn.(*net.TCPConn)
}

// helloOf returns the record with the hello of a client of crypto/tls to a server.
func helloOf(t *testing.T, name string) []byte {
	t.Helper()
	c, s := net.Pipe()
	defer s.Close()
	defer c.Close()
	go tls.Client(c, &tls.Config{ServerName: name, InsecureSkipVerify: true}).HandshakeContext(context.Background())
	hello, err := peek.Read(s, peek.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return hello.Raw
}
