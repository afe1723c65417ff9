package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tlsflags/tlsflags/internal/testenv/testca"
)

// TestHostsAreForgotten checks that a Transport remembers a bounded number of servers,
// among them those in use and the latest one.
func TestHostsAreForgotten(t *testing.T) {
	c, err := New(Config{NoRequestMTLS: true})
	if err != nil {
		t.Fatal(err)
	}
	transport := c.Transport()
	failed := transport.acquire("failed")
	transport.release("failed", failed)
	if n := len(transport.hosts); n != 0 {
		t.Errorf("%d hosts after one about which nothing is known", n)
	}

	inUse := transport.acquire("in use")
	for i := range 3 * maxHosts {
		addr := fmt.Sprint(i)
		h := transport.acquire(addr)
		h.protocol = protocolHTTP2
		transport.release(addr, h)
		if transport.hosts[addr] != h {
			t.Fatalf("host %d is not remembered", i)
		}
		if n, want := len(transport.hosts), min(1+i+1, maxHosts); n != want {
			t.Fatalf("%d hosts after %d, want %d", n, 1+i+1, want)
		}
	}
	if n := len(transport.hosts); n > maxHosts {
		t.Errorf("%d hosts after many, one after the other", n)
	}
	if transport.hosts["in use"] != inUse {
		t.Error("a host in use was forgotten")
	}

	var held []*host
	for i := range 2 * maxHosts {
		h := transport.acquire(fmt.Sprint(i))
		h.protocol = protocolHTTP2
		held = append(held, h)
	}
	for i, h := range held {
		transport.release(fmt.Sprint(i), h)
	}
	if n := len(transport.hosts); n > maxHosts {
		t.Errorf("%d hosts after many at once", n)
	}
}

// refusing returns a Transport whose connections fail, and how many there were.
func refusing(t *testing.T, dial func(ctx context.Context) error) (transport *Transport, dials *int) {
	t.Helper()
	dials = new(int)
	c, err := New(Config{NoRequestMTLS: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		*dials++
		return nil, dial(ctx)
	}})
	if err != nil {
		t.Fatal(err)
	}
	return c.Transport(), dials
}

func get(ctx context.Context, transport *Transport) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://a.example/", nil)
	if err == nil {
		_, err = transport.RoundTrip(req)
	}
	return err
}

// TestFailedRequests checks that a request that fails uses its server no longer, and that
// the next one tries again.
func TestFailedRequests(t *testing.T) {
	const addr = "a.example:443"
	refused := errors.New("refused")
	for _, protocol := range []string{"", protocolHTTP1, protocolHTTP2} {
		transport, dials := refusing(t, func(context.Context) error { return refused })
		h := transport.acquire(addr) // so that it is remembered
		h.protocol = protocol
		for n := range 3 {
			if err := get(t.Context(), transport); !errors.Is(err, refused) || *dials != n+1 || h.users != 1 {
				t.Errorf("%q, request %d: error %v, %d connections, %d users", protocol, n+1, err, *dials, h.users)
			}
		}
	}
}

// TestHostPort checks that the address of a server is the one that package net/http dials.
func TestHostPort(t *testing.T) {
	tests := []struct{ url, want string }{
		{"https://a.example/", "a.example:443"},
		{"https://a.example:8443/", "a.example:8443"},
		{"https://[::1]/", "[::1]:443"},
		{"https://a_b.example/", "a_b.example:443"},
		{"https://bücher.example/", "xn--bcher-kva.example:443"},
		{"https://über.example/", "xn--ber-goa.example:443"},
		{"https://BÜCHER.example:8443/", "xn--bcher-kva.example:8443"},
		{"https://\u0080.example/", ""}, // the first that is not ASCII
		{"https://-ü.example/", ""},
	}
	for _, tt := range tests {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, tt.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := hostPort(req)
		if got != tt.want || (err != nil) != (tt.want == "") {
			t.Errorf("%s: %q, error %v; want %q", tt.url, got, err, tt.want)
		}
	}
}

// TestConnectionOfAProbe checks that the connection that found out a server's version of
// HTTP serves the request that it was made for.
func TestConnectionOfAProbe(t *testing.T) {
	for _, http2 := range []bool{true, false} {
		server := httptest.NewUnstartedServer(http.NotFoundHandler())
		server.EnableHTTP2 = http2
		server.StartTLS()
		defer server.Close()
		var dialed []string
		c, err := New(Config{
			NoRequestMTLS: true,
			TLS:           &tls.Config{InsecureSkipVerify: true},
			DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
				dialed = append(dialed, addr)
				return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		transport := c.Transport()
		defer transport.CloseIdleConnections()
		resp, err := (&http.Client{Transport: transport}).Get("https://bücher.example/")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if want := []string{"xn--bcher-kva.example:443"}; !slices.Equal(dialed, want) {
			t.Errorf("HTTP/2 %v: connections to %q, want %q", http2, dialed, want)
		}
	}
}

// TestWaitingRequests checks what requests do that wait for the first one to a server: they
// take over its error, but not that it was canceled, and they can be canceled themselves.
func TestWaitingRequests(t *testing.T) {
	refused := errors.New("refused")
	for name, row := range map[string]struct {
		cancelFirst, cancelOther bool
		first, other             error
		dials                    int
	}{
		"refused":            {false, false, refused, refused, 1},
		"the first canceled": {true, false, context.Canceled, refused, 2},
		"the other canceled": {false, true, refused, context.Canceled, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			transport, dials := refusing(t, func(ctx context.Context) error {
				select {
				case <-ctx.Done():
					return ctx.Err()
				case <-time.After(time.Minute):
					return refused
				}
			})
			ask := func() (func(), chan error) {
				ctx, cancel := context.WithCancel(t.Context())
				errs := make(chan error, 1)
				go func() { errs <- get(ctx, transport) }()
				synctest.Wait()
				return cancel, errs
			}
			cancelFirst, first := ask()
			cancelOther, other := ask()
			if row.cancelFirst {
				cancelFirst()
			}
			if row.cancelOther {
				cancelOther()
			}
			if err := <-other; !errors.Is(err, row.other) {
				t.Errorf("%s: error of the other %v, want %v", name, err, row.other)
			}
			if err := <-first; !errors.Is(err, row.first) {
				t.Errorf("%s: error of the first %v, want %v", name, err, row.first)
			}
			if *dials != row.dials || len(transport.hosts) != 0 {
				t.Errorf("%s: %d connections, %d hosts remembered", name, *dials, len(transport.hosts))
			}
			cancelFirst()
			cancelOther()
		})
	}
}

// TestUnusedConnection checks that a connection which came too late for its request is
// closed, once nobody needs it.
func TestUnusedConnection(t *testing.T) {
	ca, err := testca.New("site", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Server("localhost")
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(Config{NoRequestMTLS: true, TLS: &tls.Config{RootCAs: ca.Pool()}})
	if err != nil {
		t.Fatal(err)
	}
	a, b := net.Pipe()
	closed := make(chan error, 1)
	go func() {
		defer b.Close()
		_, err := io.ReadAll(tls.Server(b, &tls.Config{Certificates: []tls.Certificate{cert}}))
		closed <- err
	}()
	conn, err := c.Handshake(t.Context(), a, "localhost")
	if err != nil {
		t.Fatal(err)
	}
	transport := c.Transport()
	h := transport.acquire("a")
	transport.acquire("a")
	h.protocol, h.fresh = protocolHTTP2, conn
	if transport.release("a", h); h.fresh != conn {
		t.Error("closed while another request may use it")
	}
	if transport.release("a", h); h.fresh != nil {
		t.Error("still there after the last request")
	}
	if err := <-closed; err != nil {
		t.Errorf("closed with error %v", err)
	}
}

func TestOnceCloser(t *testing.T) {
	want := errors.New("no")
	n := 0
	b := &onceCloser{ReadCloser: closer(func() error { n++; return want })}
	for range 2 {
		if err := b.Close(); err != want || n != 1 {
			t.Errorf("error %v, closed %d times", err, n)
		}
	}
}

type closer func() error

func (closer) Read([]byte) (int, error) { return 0, io.EOF }

func (c closer) Close() error { return c() }

// TestProtocolChangeKeepsTheRequest checks that a request without a body can be repeated, and
// that the body of one with a body stays that of the caller.
func TestProtocolChangeKeepsTheRequest(t *testing.T) {
	ca, err := testca.New("site", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Server("localhost", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) }))
	web.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	web.StartTLS() // with HTTP/1.1
	defer web.Close()
	c, err := New(Config{NoRequestMTLS: true, TLS: &tls.Config{RootCAs: ca.Pool()}})
	if err != nil {
		t.Fatal(err)
	}
	newBody := func() io.ReadCloser { return io.NopCloser(strings.NewReader("hello")) }
	for want, body := range map[string]io.ReadCloser{"": nil, "hello": newBody()} {
		transport := c.Transport()
		transport.acquire(web.Listener.Addr().String()).protocol = protocolHTTP2 // until now
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, web.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		if body != nil {
			req.Body, req.GetBody = body, func() (io.ReadCloser, error) { return newBody(), nil }
		}
		resp, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatalf("body %q: %v", want, err)
		}
		got, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if string(got) != want || err != nil || resp.Proto != "HTTP/1.1" || req.Body != body {
			t.Errorf("body %q: got %q, %v in %s, body replaced %t", want, got, err, resp.Proto, req.Body != body)
		}
		transport.CloseIdleConnections()
	}
}
