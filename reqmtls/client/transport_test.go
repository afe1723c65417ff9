package client_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tlsflags/tlsflags/reqmtls/client"
)

// TestTransport checks that both versions of HTTP work, that connections are reused, and
// that many requests can be made at once.
func TestTransport(t *testing.T) {
	for _, http2 := range []bool{true, false} {
		a := newAuthorities(t)
		addr := a.serve(t, http2, func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			io.WriteString(w, r.Proto+" "+r.TLS.PeerCertificates[0].Subject.CommonName+" "+string(body))
		})
		var dials atomic.Int32
		c := newClient(t, client.Config{
			TLS: a.config(),
			DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
				dials.Add(1)
				return new(net.Dialer).DialContext(ctx, network, addr)
			},
		})
		transport := c.Transport()
		web := &http.Client{Transport: transport, Timeout: 10 * time.Second}
		want := "HTTP/1.1 bot hello"
		if http2 {
			want = "HTTP/2.0 bot hello"
		}
		for range 3 {
			resp, err := web.Post("https://"+addr, "text/plain", strings.NewReader("hello"))
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil || string(body) != want {
				t.Errorf("%q, %v; want %q", body, err, want)
			}
			if r, ok := client.ReportOf(resp); !ok || !r.Requested || !r.Given {
				t.Errorf("report %+v, %v", r, ok)
			}
			if resp.TLS == nil || len(resp.TLS.VerifiedChains) == 0 {
				t.Error("the response does not say how the server was verified")
			}
		}
		if n := dials.Load(); n != 1 {
			t.Errorf("%d connections for 3 requests in a row", n)
		}
		getConcurrently(t, web, "https://"+addr, 20)
		web.CloseIdleConnections()
	}
}

func getConcurrently(t *testing.T, web *http.Client, url string, n int) {
	t.Helper()
	errs := make(chan error)
	for range n {
		go func() {
			resp, err := web.Get(url)
			if err == nil {
				_, err = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
			errs <- err
		}()
	}
	for range n {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

// TestProtocolChange uses a server that stops speaking HTTP/2.
func TestProtocolChange(t *testing.T) {
	a := newAuthorities(t)
	echo := func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		io.WriteString(w, r.Proto+string(body))
	}
	targets := []string{a.serve(t, true, echo), a.serve(t, false, echo), a.serve(t, true, echo)}
	var target atomic.Int32
	var conns []net.Conn
	c := newClient(t, client.Config{
		TLS: a.config(),
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, targets[target.Load()])
			conns = append(conns, conn)
			return conn, err
		},
	})
	web := &http.Client{Transport: c.Transport(), Timeout: 10 * time.Second}
	for i, want := range []string{"HTTP/2.0 hi", "HTTP/1.1 hi", "HTTP/2.0 hi"} {
		target.Store(int32(i))
		resp, err := web.Post("https://127.0.0.1:1/", "text/plain", strings.NewReader(" hi"))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || string(body) != want {
			t.Errorf("%q, %v; want %q", body, err, want)
		}
		web.CloseIdleConnections()
	}
	// Those of the second request: one for HTTP/2, which is not used, and one for HTTP/1.1.
	if err := conns[1].SetDeadline(time.Time{}); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the connection with the wrong protocol is open; %v", err)
	}
}

// TestSilentServer checks the timeout of a request to a server that never answers. The clock
// is that of synctest.
func TestSilentServer(t *testing.T) {
	for set, want := range map[time.Duration]time.Duration{0: 10 * time.Second, time.Second: time.Second, -1: time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			c := newClient(t, client.Config{
				NoRequestMTLS:       true,
				TLSHandshakeTimeout: set,
				DialContext: func(context.Context, string, string) (net.Conn, error) {
					silent, _ := net.Pipe()
					return silent, nil
				},
			})
			transport := c.Transport()
			start := time.Now()
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://a.example/", nil)
			if err != nil {
				t.Fatal(err)
			}
			_, err = transport.RoundTrip(req)
			if !errors.Is(err, context.DeadlineExceeded) || (set >= 0) != strings.Contains(err.Error(), "handshake") {
				t.Errorf("%v: error %v", set, err)
			}
			if took := time.Since(start); took != want {
				t.Errorf("%v: the request fails after %v, want %v", set, took, want)
			}
		})
	}
}

// countedBody counts how often it is closed.
type countedBody struct {
	io.Reader
	closed atomic.Int32
}

func newBody() *countedBody { return &countedBody{Reader: strings.NewReader("hello")} }

func (b *countedBody) Close() error {
	b.closed.Add(1)
	return nil
}

// TestErrorsCloseTheBody checks that each request that fails has its body closed, once.
func TestErrorsCloseTheBody(t *testing.T) {
	a := newAuthorities(t)
	ok := func(http.ResponseWriter, *http.Request) {}
	const none = "" // a server that cannot be reached
	http2, http1 := a.serve(t, true, ok), a.serve(t, false, ok)
	tests := []struct {
		name    string
		url     string
		known   string   // the server of an earlier request
		servers []string // those that the connections of the request reach, in order
		getBody error    // nil: GetBody works; errNoGetBody: there is none
	}{
		{"not https", "http://a.example/", none, nil, nil},
		{"not a host name", "https://-ü.example/", none, nil, nil},
		{"a first connection that fails", "https://a.example/", none, []string{none}, nil},
		{"a connection for HTTP/2 that fails", "https://a.example/", http2, []string{none}, nil},
		{"a connection for HTTP/1.1 that fails", "https://a.example/", http1, []string{none}, nil},
		{"HTTP/1.1 in place of HTTP/2, and no GetBody", "https://a.example/", http2, []string{http1}, errNoGetBody},
		{"HTTP/2 in place of HTTP/1.1, and no GetBody", "https://a.example/", http1, []string{http2}, errNoGetBody},
		{"HTTP/1.1 in place of HTTP/2, and GetBody fails", "https://a.example/", http2, []string{http1}, io.ErrUnexpectedEOF},
		{"HTTP/1.1 in place of HTTP/2, then a connection that fails", "https://a.example/", http2, []string{http1, none}, nil},
		{"HTTP/2 in place of HTTP/1.1, then a connection that fails", "https://a.example/", http1, []string{http2, none}, nil},
		{"HTTP/2, HTTP/1.1 and HTTP/2 again", "https://a.example/", http2, []string{http1, http2}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			config := a.config()
			config.ServerName = "localhost"
			servers := make(chan string, 3)
			transport := newClient(t, client.Config{
				TLS: config,
				DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
					if server := <-servers; server != none {
						return new(net.Dialer).DialContext(ctx, network, server)
					}
					return nil, io.ErrUnexpectedEOF
				},
			}).Transport()
			defer transport.CloseIdleConnections()
			if tt.known != none {
				servers <- tt.known
				resp, err := transport.RoundTrip(newRequest(t, tt.url, nil))
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				transport.CloseIdleConnections()
			}
			for _, server := range tt.servers {
				servers <- server
			}
			close(servers) // no other can be reached
			bodies := []*countedBody{newBody()}
			req := newRequest(t, tt.url, bodies[0])
			req.GetBody = func() (io.ReadCloser, error) {
				if tt.getBody != nil {
					return nil, tt.getBody
				}
				bodies = append(bodies, newBody())
				return bodies[len(bodies)-1], nil
			}
			if tt.getBody == errNoGetBody {
				req.GetBody = nil
			}
			if _, err := transport.RoundTrip(req); err == nil || tt.getBody == errNoGetBody && !strings.Contains(err.Error(), "changed its version of HTTP") {
				t.Errorf("error %v", err)
			}
			for i, b := range bodies {
				if n := b.closed.Load(); n != 1 {
					t.Errorf("body %d of %d is closed %d times", i+1, len(bodies), n)
				}
			}
		})
	}
}

var errNoGetBody = errors.New("no GetBody")

func newRequest(t *testing.T, url string, body io.Reader) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, body)
	if err != nil {
		t.Fatal(err)
	}
	return req
}
