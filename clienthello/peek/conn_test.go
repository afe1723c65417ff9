package peek_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tlsflags/tlsflags/clienthello/peek"
	"github.com/tlsflags/tlsflags/extension"
)

// tcpPair returns the two ends of a TCP connection.
func tcpPair(t *testing.T) (server, client net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if client, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.Close()
		server.Close()
	})
	return server, client
}

// TestConnForwards sends a hello and more through a Conn in both directions, as a proxy does.
func TestConnForwards(t *testing.T) {
	server, client := tcpPair(t)
	back, backClient := tcpPair(t)
	in := append(bytes.Clone(record(t)), "and more"...)
	client.Write(in)
	client.(*net.TCPConn).CloseWrite()
	conn := peek.NewConn(server, peek.Options{})
	hello, err := conn.Hello(t.Context())
	if err != nil || !hello.HasFlag(extension.RequestMTLS) {
		t.Fatal(err)
	}
	var first [3]byte
	if n, err := conn.Read(first[:]); n != 3 || err != nil || !bytes.Equal(first[:], in[:3]) {
		t.Fatal(n, err)
	}
	if n, err := io.Copy(backClient, conn); n != int64(len(in)-3) || err != nil {
		t.Error(n, err)
	}
	backClient.(*net.TCPConn).CloseWrite()
	if got, err := io.ReadAll(back); !bytes.Equal(got, in[3:]) {
		t.Errorf("%d bytes, want %d, %v", len(got), len(in)-3, err)
	}
	back.Write([]byte("answer"))
	back.Close()
	if n, err := io.Copy(conn, backClient); n != 6 || err != nil {
		t.Error(n, err)
	}
	if err := conn.CloseWrite(); err != nil {
		t.Error(err)
	}
	if got, err := io.ReadAll(client); string(got) != "answer" {
		t.Error(got, err)
	}
	if raw, err := conn.SyscallConn(); raw == nil || conn.NetConn() != server || conn.LocalAddr() != server.LocalAddr() {
		t.Error(raw, err)
	}
}

// TestConnErrors wraps connections that lack methods or fail.
func TestConnErrors(t *testing.T) {
	server, client := net.Pipe()
	conn := peek.NewConn(server, peek.Options{})
	if err := conn.CloseWrite(); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
	if _, err := conn.SyscallConn(); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
	go client.Write(record(t))
	if _, err := conn.Hello(t.Context()); err != nil {
		t.Error(err)
	}
	broken := errors.New("broken")
	if _, err := conn.WriteTo(brokenWriter{broken}); !errors.Is(err, broken) {
		t.Error(err)
	}
	var b [2]byte // what was not written comes again
	if n, err := conn.Read(b[:]); n != 2 || err != nil || b[0] != record(t)[3] {
		t.Errorf("% x, %v", b, err)
	}
	server.Close()
	if _, err := peek.NewConn(server, peek.Options{}).Hello(t.Context()); !errors.Is(err, io.ErrClosedPipe) {
		t.Error(err)
	}
}

type brokenWriter struct{ err error }

func (w brokenWriter) Write([]byte) (int, error) { return 3, w.err }

func TestRefuse(t *testing.T) {
	server, client := net.Pipe()
	conn := peek.NewConn(server, peek.Options{})
	go conn.Refuse(extension.ErrDuplicateExtension)
	var b [7]byte
	if _, err := io.ReadFull(client, b[:]); err != nil || b[0] != 21 {
		t.Errorf("% x, %v", b, err)
	}
	conn.Refuse(io.EOF) // which writes nothing, or it would wait
}

// TestFromConn looks for a hello where none is.
func TestFromConn(t *testing.T) {
	server, client := net.Pipe()
	client.Close()
	conn := peek.NewConn(server, peek.Options{})
	for _, c := range []net.Conn{nil, server, conn, tls.Server(conn, nil), tls.Server(server, nil)} {
		if _, ok := peek.FromConn(c); ok {
			t.Errorf("%T has a hello", c)
		}
	}
	if ctx := peek.ConnContext(t.Context(), conn); ctx != t.Context() {
		t.Error("a connection without a hello has a context of its own")
	}
	if _, err := conn.Hello(t.Context()); err == nil {
		t.Error("a hello of nothing")
	}
	if _, ok := peek.FromConn(conn); ok {
		t.Error("a hello that failed is found")
	}
}

// TestListener serves HTTPS through a Listener while other clients send nothing.
func TestListener(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener := peek.NewListener(inner, peek.Options{})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hello, ok := peek.FromContext(r.Context())
		name, _ := hello.ServerName()
		fmt.Fprint(w, string(name), " ", ok)
	}))
	server.Listener = listener
	server.Config.ConnContext = peek.ConnContext
	server.StartTLS()
	defer server.Close()
	for range 3 {
		silent, err := net.Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer silent.Close()
	}
	client := server.Client()
	client.Transport.(*http.Transport).TLSClientConfig.ServerName = "example.com"
	response, err := client.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, _ := io.ReadAll(response.Body); string(body) != "example.com true" {
		t.Errorf("%q", body)
	}
	plain, err := tls.Dial("tcp", inner.Addr().String(), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	plain.Close()
}

// pipes is a listener whose connections come from a channel.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func newPipes() *pipes { return &pipes{make(chan net.Conn), make(chan struct{})} }

func (p *pipes) dial() net.Conn {
	server, client := net.Pipe()
	p.conns <- server
	return client
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		if c == nil {
			return nil, syscall.EMFILE
		}
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	close(p.closed)
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// TestListenerBounds fills a Listener with connections that send nothing, or too much, and
// checks which of them is refused, and why.
func TestListenerBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := newPipes()
		refused := make(chan error, 10)
		listener := peek.NewListener(inner, peek.Options{Waiting: 2, Total: 4 << 10, Refused: func(c *peek.Conn, err error) {
			refused <- err
		}})
		accepted := make(chan net.Conn)
		go func() {
			for {
				c, err := listener.Accept()
				if errors.Is(err, syscall.EMFILE) {
					continue // as servers do
				}
				if err != nil {
					close(accepted)
					return
				}
				accepted <- c
			}
		}()
		inner.conns <- nil // an error that passes
		a, b := inner.dial(), inner.dial()
		synctest.Wait()
		c := inner.dial() // takes the place of a
		if err := <-refused; !errors.Is(err, peek.ErrReplaced) {
			t.Error(err)
		}
		if _, err := a.Read(make([]byte, 1)); err != io.EOF {
			t.Error(err)
		}
		go c.Write(record(t))
		conn := <-accepted
		if hello, err := conn.(*peek.Conn).Hello(t.Context()); err != nil || !hello.HasFlag(extension.RequestMTLS) {
			t.Error(err)
		}
		// b has 17 bytes and holds 2 kB; another one takes them to hold 4 kB, and gets no more.
		go b.Write(append([]byte{22, 3, 1, 0x20, 0, 1, 0, 0x1f, 0xfc}, make([]byte, 8)...))
		synctest.Wait()
		d := inner.dial()
		go d.Write(append([]byte{22, 3, 1, 0x20, 0, 1, 0, 0x1f, 0xfc}, make([]byte, 4200)...))
		if err := <-refused; !errors.Is(err, peek.ErrReplaced) {
			t.Error(err)
		}
		if err := <-refused; !errors.Is(err, peek.ErrTooLarge) {
			t.Error(err)
		}
		e, f := inner.dial(), inner.dial()
		go e.Write(record(t))
		synctest.Wait()
		go f.Write(record(t)) // which nobody accepts
		synctest.Wait()
		listener.Close()
		if err := <-refused; err == nil {
			t.Error("a connection that nobody accepted is open")
		}
		<-accepted // e
		if _, ok := <-accepted; ok {
			t.Error("Accept goes on after Close")
		}
		for _, c := range []net.Conn{a, b, c, d, e, f, conn} {
			c.Close()
		}
	})
}

// TestListenerClosedBelow closes the inner listener: that ends the outer one, and its
// goroutines.
func TestListenerClosedBelow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := newPipes()
		listener := peek.NewListener(inner, peek.Options{})
		go func() {
			client := inner.dial() // which sends nothing
			client.Read(make([]byte, 1))
			client.Close()
		}()
		time.AfterFunc(time.Second, func() { inner.Close() })
		for range 2 {
			if _, err := listener.Accept(); err != net.ErrClosed {
				t.Error(err)
			}
		}
	})
}
