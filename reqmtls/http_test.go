package reqmtls_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tlsflags/tlsflags/reqmtls"
)

// get fetches the root of a server, as a client of HTTP/2 and HTTP/1.1.
func (c testClient) get(addr string) (string, error) {
	var asked bool
	config := c.config(&asked)
	config.ServerName = ""
	transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport, Timeout: time.Minute}).Get("https://" + addr)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return string(b), err
}

// whoAmI answers with the protocol and the visitor.
func whoAmI(w http.ResponseWriter, r *http.Request) {
	name := "nobody"
	switch {
	case r.TLS == nil:
		name = "no TLS"
	case len(r.TLS.VerifiedChains) > 0:
		name = r.TLS.PeerCertificates[0].Subject.CommonName
	}
	io.WriteString(w, r.Proto+" "+name)
}

// quietServer is an http.Server that logs nothing.
func quietServer() *http.Server {
	return &http.Server{Handler: http.HandlerFunc(whoAmI), ErrorLog: log.New(io.Discard, "", 0)}
}

// run runs a server on a port of its own, until the test ends.
func run(t *testing.T, server *http.Server, serve func(net.Listener) error) (addr string) {
	t.Helper()
	l := listen(t)
	served := make(chan error, 1)
	go func() { served <- serve(l) }()
	t.Cleanup(func() {
		server.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

// TestHTTP checks that flagged clients get the protocol that other clients get, whatever
// way the server is put together.
func TestHTTP(t *testing.T) {
	http1 := func() *http.Server {
		s := quietServer()
		s.Protocols = new(http.Protocols)
		s.Protocols.SetHTTP1(true)
		return s
	}
	tests := []struct {
		name   string
		protos []string // of the base config
		start  func(*testing.T, *reqmtls.Server) (addr string)
		want   string
	}{
		{"ServeTLS", nil, func(t *testing.T, mtls *reqmtls.Server) string {
			s := quietServer()
			return run(t, s, func(l net.Listener) error { return mtls.ServeTLS(s, l) })
		}, "HTTP/2.0"},
		{"ServeTLS without HTTP/2", nil, func(t *testing.T, mtls *reqmtls.Server) string {
			s := http1()
			return run(t, s, func(l net.Listener) error { return mtls.ServeTLS(s, l) })
		}, "HTTP/1.1"},
		{"ServeTLS with NextProtos", []string{"http/1.1"}, func(t *testing.T, mtls *reqmtls.Server) string {
			s := quietServer()
			return run(t, s, func(l net.Listener) error { return mtls.ServeTLS(s, l) })
		}, "HTTP/1.1"}, // the server's order decides
		{"by hand", nil, func(t *testing.T, mtls *reqmtls.Server) string {
			s := quietServer()
			s.TLSConfig = mtls.TLSConfig()
			return run(t, s, func(l net.Listener) error { return s.ServeTLS(mtls.Listener(l), "", "") })
		}, "HTTP/2.0"},
		{"by hand without HTTP/2", nil, func(t *testing.T, mtls *reqmtls.Server) string {
			s := http1()
			s.TLSConfig = mtls.TLSConfig()
			return run(t, s, func(l net.Listener) error { return s.ServeTLS(mtls.Listener(l), "", "") })
		}, "HTTP/1.1"},
		{"a cloned config", nil, func(t *testing.T, mtls *reqmtls.Server) string {
			s := quietServer()
			s.TLSConfig = mtls.TLSConfig().Clone()
			return run(t, s, func(l net.Listener) error { return s.ServeTLS(mtls.Listener(l), "", "") })
		}, "HTTP/2.0"},
		{"Serve on a TLS listener", nil, func(t *testing.T, mtls *reqmtls.Server) string {
			s := quietServer()
			return run(t, s, func(l net.Listener) error { return s.Serve(mtls.NewListener(l)) })
		}, "HTTP/1.1"},
		{"Serve on a TLS listener with NextProtos", []string{"h2", "http/1.1"}, func(t *testing.T, mtls *reqmtls.Server) string {
			s := quietServer()
			return run(t, s, func(l net.Listener) error { return s.Serve(mtls.NewListener(l)) })
		}, "HTTP/2.0"},
		{"httptest", nil, func(t *testing.T, mtls *reqmtls.Server) string {
			return startHTTPTest(t, mtls, false)
		}, "HTTP/1.1"},
		{"httptest with HTTP/2", nil, func(t *testing.T, mtls *reqmtls.Server) string {
			return startHTTPTest(t, mtls, true)
		}, "HTTP/2.0"},
	}
	for _, tt := range tests {
		for _, keys := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, shared ticket keys %v", tt.name, keys), func(t *testing.T) {
				base := baseConfig()
				base.NextProtos = tt.protos
				mtls := newServer(t, base, reqmtls.Config{ClientCAs: botCAs()})
				if keys {
					mtls.SetSessionTicketKeys([][32]byte{{1}})
				}
				addr := tt.start(t, mtls.Server)
				if got, err := (testClient{}).get(addr); err != nil || got != tt.want+" nobody" {
					t.Errorf("without the flag: %q, %v; want %s", got, err, tt.want)
				}
				if got, err := flagged().with(testPKI().bot).get(addr); err != nil || got != tt.want+" bot" {
					t.Errorf("with the flag: %q, %v; want %s", got, err, tt.want)
				}
			})
		}
	}
}

func startHTTPTest(t *testing.T, mtls *reqmtls.Server, http2 bool) string {
	s := httptest.NewUnstartedServer(http.HandlerFunc(whoAmI))
	s.EnableHTTP2 = http2
	s.TLS = mtls.TLSConfig()
	s.Listener = mtls.Listener(s.Listener)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// TestServeTLSContext checks that handlers learn what the client said, and that a
// ConnContext of the application is kept.
func TestServeTLSContext(t *testing.T) {
	type key struct{}
	mtls := newServer(t, baseConfig(), reqmtls.Config{ClientCAs: botCAs()})
	for _, own := range []bool{false, true} {
		s := quietServer()
		if own {
			s.ConnContext = func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, key{}, "own") }
		}
		s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			hello, ok := reqmtls.FromContext(r.Context())
			fmt.Fprint(w, ok, hello.Flagged, hello.Applied, r.Context().Value(key{}))
		})
		addr := run(t, s, func(l net.Listener) error { return mtls.ServeTLS(s, l) })
		want := "true true true <nil>"
		if own {
			want = "true true trueown"
		}
		if got, err := flagged().with(testPKI().bot).get(addr); strings.ReplaceAll(got, " ", "") != strings.ReplaceAll(want, " ", "") || err != nil {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
	}
}

// TestTwoListeners checks that one http.Server can serve on two listeners.
func TestTwoListeners(t *testing.T) {
	mtls := newServer(t, baseConfig(), reqmtls.Config{ClientCAs: botCAs()})
	s := quietServer()
	for range 2 {
		addr := run(t, s, func(l net.Listener) error { return mtls.ServeTLS(s, l) })
		if got, err := flagged().with(testPKI().bot).get(addr); got != "HTTP/2.0 bot" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	}
}

// TestServersShare starts http.Servers on one Server while the first is in use. The race
// detector sees whether they write into what others read.
func TestServersShare(t *testing.T) {
	mtls := newServer(t, baseConfig(), reqmtls.Config{ClientCAs: botCAs()})
	begin := func(i int) string {
		s := quietServer()
		if i%2 == 0 {
			return run(t, s, func(l net.Listener) error { return mtls.ServeTLS(s, l) })
		}
		s.TLSConfig = mtls.TLSConfig()
		return run(t, s, func(l net.Listener) error { return s.ServeTLS(mtls.Listener(l), "", "") })
	}
	first := begin(0)
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for range 10 {
				if got, err := flagged().with(testPKI().bot).get(first); got != "HTTP/2.0 bot" || err != nil {
					t.Errorf("%q, %v", got, err)
				}
			}
		})
	}
	for i := range 4 {
		if got, err := flagged().with(testPKI().bot).get(begin(i)); got != "HTTP/2.0 bot" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	}
	wg.Wait()
}
