package client_test

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"testing"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/reqmtls"
	"github.com/tlsflags/tlsflags/reqmtls/client"
)

// The tests of package reqmtls use clients of crypto/tls, with a stand-in for the flag.
// These repeat the important ones with handshakes that have real flags.

// listenWith runs a TLS server with package reqmtls. It completes handshakes and hangs up.
func (a authorities) listenWith(t *testing.T, c reqmtls.Config) (addr string) {
	t.Helper()
	cert, err := a.site.Server("localhost", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	mtls, err := reqmtls.New(&tls.Config{Certificates: []tls.Certificate{cert}}, c)
	if err != nil {
		t.Fatal(err)
	}
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener := mtls.NewListener(inner)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			conn.(*tls.Conn).Handshake()
			conn.Close()
		}
	}()
	t.Cleanup(func() {
		listener.Close()
		<-done
	})
	return inner.Addr().String()
}

// TestServerFlag checks that server and client agree on any number.
func TestServerFlag(t *testing.T) {
	a := newAuthorities(t)
	addr := a.listenWith(t, reqmtls.Config{
		ClientCAs: a.bots.Pool(), Flags: []extension.Flag{17, 2039},
	})
	for flag, asked := range map[extension.Flag]bool{17: true, 2039: true, 18: false, 80: false} {
		conn, err := newClient(t, client.Config{Flag: &flag, TLS: a.config()}).Dial(t.Context(), "tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
		if r := conn.Report(); r.Requested != asked || r.Given != asked || r.Acknowledged {
			t.Errorf("client with flag %d: %+v", flag, r)
		}
	}
}

// TestServerHTTP checks that flagged clients get HTTP/2 if the server has it.
func TestServerHTTP(t *testing.T) {
	a := newAuthorities(t)
	cert, err := a.site.Server("localhost", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	mtls, err := reqmtls.New(&tls.Config{Certificates: []tls.Certificate{cert}},
		reqmtls.Config{ClientCAs: a.bots.Pool()})
	if err != nil {
		t.Fatal(err)
	}
	for _, http2 := range []bool{true, false} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		want := "HTTP/1.1"
		if http2 {
			want = "HTTP/2.0"
		}
		web := &http.Server{
			ErrorLog:  log.New(io.Discard, "", 0),
			Protocols: new(http.Protocols),
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				hello, ok := reqmtls.FromContext(r.Context())
				if !ok || hello.Flagged != (len(r.TLS.VerifiedChains) > 0) || r.Proto != want {
					t.Errorf("%s, %v, %v, %d chains", r.Proto, hello, ok, len(r.TLS.VerifiedChains))
				}
			}),
		}
		web.Protocols.SetHTTP1(true)
		web.Protocols.SetHTTP2(http2)
		done := make(chan struct{})
		go func() {
			defer close(done)
			mtls.ServeTLS(web, listener)
		}()
		for _, flags := range [][]extension.Flag{nil, {8}} {
			transport := newClient(t, client.Config{NoRequestMTLS: flags != nil, ExtraFlags: flags, TLS: a.config()}).Transport()
			resp, err := (&http.Client{Transport: transport}).Get("https://" + listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			transport.CloseIdleConnections()
		}
		web.Close()
		<-done
	}
}
