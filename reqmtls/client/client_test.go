package client_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/ackserver"
	"github.com/tlsflags/tlsflags/internal/testca"
	"github.com/tlsflags/tlsflags/reqmtls"
	"github.com/tlsflags/tlsflags/reqmtls/client"
)

type authorities struct {
	site, bots *testca.CA
	bot        tls.Certificate
}

func newAuthorities(t *testing.T) authorities {
	t.Helper()
	site, err := testca.New("site", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	bots, err := testca.New("bots", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	bot, err := bots.Client("bot")
	if err != nil {
		t.Fatal(err)
	}
	return authorities{site, bots, bot}
}

// config returns what a client trusts and shows.
func (a authorities) config() *tls.Config {
	return &tls.Config{RootCAs: a.site.Pool(), Certificates: []tls.Certificate{a.bot}}
}

// serve runs a web server that honours the flag.
func (a authorities) serve(t *testing.T, http2 bool, handler http.HandlerFunc) string {
	t.Helper()
	cert, err := a.site.Server("localhost", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	protocols := []string{"http/1.1"}
	if http2 {
		protocols = []string{"h2", "http/1.1"}
	}
	mtls, err := reqmtls.New(&tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: protocols},
		reqmtls.Config{Policy: reqmtls.Policy{ClientCAs: a.bots.Pool()}})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewUnstartedServer(handler)
	web.Config.ErrorLog = log.New(io.Discard, "", 0)
	web.Config.TLSConfig, web.Config.Protocols = mtls.TLSConfig(), new(http.Protocols)
	web.Config.Protocols.SetHTTP1(true)
	web.Config.Protocols.SetHTTP2(http2)
	done := make(chan struct{})
	go func() {
		defer close(done)
		web.Config.ServeTLS(mtls.Listener(listener), "", "")
	}()
	t.Cleanup(func() {
		web.Config.Close()
		<-done
		web.Listener.Close()
	})
	return listener.Addr().String()
}

func newClient(t *testing.T, c client.Config) *client.Client {
	t.Helper()
	cl, err := client.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return cl
}

func TestReport(t *testing.T) {
	a := newAuthorities(t)
	addr := a.serve(t, true, func(http.ResponseWriter, *http.Request) {})
	strangers, err := testca.New("strangers", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := strangers.Client("stranger")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name             string
		config           client.Config
		requested, given bool
	}{
		{"62", client.Config{TLS: a.config()}, true, true},
		{"0xfe01", client.Config{TLS: a.config(), Type: extension.TLSFlagsExperimental}, true, true},
		{"the flag among others", client.Config{TLS: a.config(), Flags: []extension.Flag{0, 80, 2039}}, true, true},
		{"another flag", client.Config{TLS: a.config(), Flags: []extension.Flag{8}}, false, false},
		{"no flag", client.Config{TLS: a.config(), Flags: []extension.Flag{}}, false, false},
		{"like Chrome", client.Config{TLS: a.config(), Preset: client.Chrome}, true, true},
		{"like Firefox", client.Config{TLS: a.config(), Preset: client.Firefox}, true, true},
		{"like Safari", client.Config{TLS: a.config(), Preset: client.Safari}, true, true},
		{"a certificate that the server does not want",
			client.Config{TLS: &tls.Config{RootCAs: a.site.Pool(), Certificates: []tls.Certificate{stranger}}}, true, false},
		{"GetClientCertificate", client.Config{TLS: &tls.Config{
			RootCAs:              a.site.Pool(),
			GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &a.bot, nil },
		}}, true, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			conn, err := newClient(t, tt.config).Dial(t.Context(), "tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			r := conn.Report()
			if r.Requested != tt.requested || r.Given != tt.given || r.Acknowledged || r.Flags.Len() > 0 {
				t.Errorf("report %+v", r)
			}
			if tt.requested && len(r.Authorities) != 1 {
				t.Errorf("authorities %q", r.Authorities)
			}
		})
	}
}

// TestAcknowledged meets a server that does what crypto/tls cannot.
func TestAcknowledged(t *testing.T) {
	a := newAuthorities(t)
	tests := []struct {
		name         string
		mode         ackserver.Mode
		flag         extension.Flag // of the server; 0 is request_mtls
		config       client.Config
		requested    bool
		acknowledged bool
		err          string
	}{
		{"acknowledged", ackserver.Ack, 0, client.Config{}, true, true, ""},
		{"acknowledged under 0xfe01", ackserver.Ack, 0, client.Config{Type: extension.TLSFlagsExperimental}, true, true, ""},
		{"acknowledged after a retry", ackserver.Retry, 0, client.Config{}, true, true, ""},
		{"acknowledged by another number", ackserver.Ack, 17, client.Config{Flag: 17}, true, true, ""},
		{"not acknowledged", ackserver.Silent, 0, client.Config{}, true, false, ""},
		{"no flag", ackserver.Ack, 0, client.Config{Flags: []extension.Flag{}}, false, false, ""},
		{"unasked, where the flag was sent", ackserver.Unsolicited, 0, client.Config{}, true, true, ""},
		{"unasked", ackserver.Unsolicited, 0, client.Config{Flags: []extension.Flag{8}}, true, false, "illegal_parameter"},
		{"unasked, by another number", ackserver.Unsolicited, 17, client.Config{Flag: 17, Flags: []extension.Flag{80}}, true, false, "illegal_parameter"},
		{"another flag that both have set", ackserver.Unsolicited, 8, client.Config{Flags: []extension.Flag{8, 80}}, true, false, ""},
		{"another flag than that of the client, unasked", ackserver.Unsolicited, 8, client.Config{}, true, false, ""},
		{"malformed", ackserver.Malformed, 0, client.Config{}, true, false, "last flags octet is zero"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.flag == 0 {
				tt.flag = extension.RequestMTLS
			}
			addr := ackserver.StartWithFlag(t, a.site, a.bots, tt.mode, tt.flag)
			tt.config.TLS = a.config()
			c := newClient(t, tt.config)
			conn, err := c.Dial(t.Context(), "tcp", addr)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("error %v, want one with %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if r := conn.Report(); r.Requested != tt.requested || r.Given != tt.requested || r.Acknowledged != tt.acknowledged {
				t.Errorf("report %+v", r)
			}
			io.WriteString(conn, "GET / HTTP/1.0\r\n\r\n")
			answer, err := io.ReadAll(conn)
			if want := "certificate given"; err != nil || bytes.Contains(answer, []byte(want)) != tt.requested {
				t.Errorf("the server says %q, %v", answer, err)
			}
		})
	}
}

func TestVerifiesTheServer(t *testing.T) {
	a, other := newAuthorities(t), newAuthorities(t)
	addr := a.serve(t, true, func(http.ResponseWriter, *http.Request) {})
	deny := errors.New("denied")
	tests := []struct {
		name   string
		config func(*tls.Config)
		is     func(error) bool
	}{
		{"another authority", func(c *tls.Config) { c.RootCAs = other.site.Pool() },
			func(err error) bool { _, ok := errors.AsType[x509.UnknownAuthorityError](err); return ok }},
		{"the authorities of the web", func(c *tls.Config) { c.RootCAs = nil },
			func(err error) bool { _, ok := errors.AsType[x509.UnknownAuthorityError](err); return ok }},
		{"another name", func(c *tls.Config) { c.ServerName = "elsewhere.example" },
			func(err error) bool { _, ok := errors.AsType[x509.HostnameError](err); return ok }},
		{"an expired certificate", func(c *tls.Config) { c.Time = func() time.Time { return time.Now().Add(48 * time.Hour) } },
			func(err error) bool { _, ok := errors.AsType[x509.CertificateInvalidError](err); return ok }},
		{"VerifyConnection", func(c *tls.Config) { c.VerifyConnection = func(tls.ConnectionState) error { return deny } },
			func(err error) bool { return errors.Is(err, deny) }},
		{"VerifyPeerCertificate", func(c *tls.Config) {
			c.VerifyPeerCertificate = func([][]byte, [][]*x509.Certificate) error { return deny }
		}, func(err error) bool { return errors.Is(err, deny) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			config := a.config()
			asked := false
			config.Certificates = nil
			config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
				asked = true
				return &a.bot, nil
			}
			tt.config(config)
			conn, err := newClient(t, client.Config{TLS: config}).Dial(t.Context(), "tcp", addr)
			if err == nil {
				conn.Close()
			}
			if !tt.is(err) {
				t.Errorf("error %v", err)
			}
			if asked {
				t.Error("the certificate was given to a server that is not verified")
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	a := newAuthorities(t)
	tests := []struct {
		name   string
		config client.Config
		want   string
	}{
		{"the flag without a certificate", client.Config{}, client.ErrNoCertificate.Error()},
		{"a flag that cannot be", client.Config{Flags: []extension.Flag{2040}}, "2039"},
		{"request_mtls by another number without a certificate", client.Config{Flag: 17}, client.ErrNoCertificate.Error()},
		{"a number for request_mtls that cannot be", client.Config{Flag: 2040, Flags: []extension.Flag{8}}, "2039"},
		{"a type that holds no flags", client.Config{TLS: a.config(), Type: 16}, "not a type"},
		{"an unknown preset", client.Config{TLS: a.config(), Preset: "lynx"}, "lynx"},
		{"a field without effect", client.Config{TLS: &tls.Config{CipherSuites: []uint16{1}}}, "CipherSuites"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := client.New(tt.config); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
	for _, c := range []client.Config{{Flags: []extension.Flag{8}}, {Flag: 17, Flags: []extension.Flag{80}}} {
		if _, err := client.New(c); err != nil {
			t.Errorf("another flag needs no certificate: %v", err)
		}
	}
}

// TestTransport holds that both versions of HTTP work, that connections are used again,
// and that many requests at once share or queue as usual.
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
		errs := make(chan error)
		for range 20 {
			go func() {
				resp, err := web.Get("https://" + addr)
				if err == nil {
					_, err = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
				errs <- err
			}()
		}
		for range 20 {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
		web.CloseIdleConnections()
	}
}

func TestTransportRefusesPlainHTTP(t *testing.T) {
	a := newAuthorities(t)
	web := &http.Client{Transport: newClient(t, client.Config{TLS: a.config()}).Transport()}
	if _, err := web.Get("http://127.0.0.1:1/"); err == nil || !strings.Contains(err.Error(), "https") {
		t.Errorf("error %v", err)
	}
}

// TestProtocolChange meets a server that stops to speak HTTP/2.
func TestProtocolChange(t *testing.T) {
	a := newAuthorities(t)
	echo := func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		io.WriteString(w, r.Proto+string(body))
	}
	targets := []string{a.serve(t, true, echo), a.serve(t, false, echo), a.serve(t, true, echo)}
	var target atomic.Int32
	c := newClient(t, client.Config{
		TLS: a.config(),
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, targets[target.Load()])
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
}

// TestSilentServer holds that a server that never answers keeps nobody for longer than
// the time-out, however many requests there are to it.
func TestSilentServer(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close() // nobody accepts
	var dials atomic.Int32
	c := newClient(t, client.Config{
		Flags:               []extension.Flag{},
		TLSHandshakeTimeout: 300 * time.Millisecond,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			dials.Add(1)
			return new(net.Dialer).DialContext(ctx, network, addr)
		},
	})
	web := &http.Client{Transport: c.Transport()}
	const requests = 20
	errs := make(chan error, requests)
	for range requests {
		go func() {
			_, err := web.Get("https://" + listener.Addr().String())
			errs <- err
		}()
	}
	for range requests {
		select {
		case err := <-errs:
			if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "handshake") {
				t.Errorf("error %v", err)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("a request is still waiting")
		}
	}
	if n := dials.Load(); n == requests {
		t.Error("the requests waited for each other, then each for the server")
	}
}

// TestFirstRequestGivesUp holds that requests that wait for another one, which finds
// out the protocol, do not fail because its caller cancels it.
func TestFirstRequestGivesUp(t *testing.T) {
	a := newAuthorities(t)
	addr := a.serve(t, true, func(http.ResponseWriter, *http.Request) {})
	dialing := make(chan struct{})
	var dials atomic.Int32
	c := newClient(t, client.Config{
		TLS: a.config(),
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if dials.Add(1) == 1 {
				close(dialing)
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return new(net.Dialer).DialContext(ctx, network, addr)
		},
	})
	web := &http.Client{Transport: c.Transport(), Timeout: 10 * time.Second}
	get := func(ctx context.Context, errs chan<- error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+addr, nil)
		if err != nil {
			errs <- err
			return
		}
		resp, err := web.Do(req)
		if err == nil {
			resp.Body.Close()
		}
		errs <- err
	}
	first, others := make(chan error, 1), make(chan error, 5)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go get(ctx, first)
	<-dialing
	for range cap(others) {
		go get(t.Context(), others)
	}
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	for range cap(others) {
		if err := <-others; err != nil {
			t.Error(err)
		}
	}
	web.CloseIdleConnections()
}

func TestHandshake(t *testing.T) {
	a := newAuthorities(t)
	addr := a.serve(t, true, func(http.ResponseWriter, *http.Request) {})
	tcp, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	config := a.config()
	var keyLog bytes.Buffer
	config.KeyLogWriter = &keyLog
	config.NextProtos = []string{"h2"}
	config.MinVersion = tls.VersionTLS13
	conn, err := newClient(t, client.Config{TLS: config}).Handshake(t.Context(), tcp, "localhost")
	if err != nil {
		t.Fatal(err)
	}
	state := conn.ConnectionState()
	if state.NegotiatedProtocol != "h2" || state.Version != tls.VersionTLS13 || state.ServerName != "localhost" || !state.HandshakeComplete {
		t.Errorf("state %+v", state)
	}
	if !strings.Contains(keyLog.String(), "CLIENT_TRAFFIC_SECRET_0") {
		t.Error("the application's key log is empty")
	}
}
