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
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/testenv/ackserver"
	"github.com/tlsflags/tlsflags/internal/testenv/testca"
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
		reqmtls.Config{ClientCAs: a.bots.Pool()})
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
		{"the flag among others", client.Config{TLS: a.config(), ExtraFlags: []extension.Flag{2039, 0, 80}}, true, true},
		{"another flag", client.Config{TLS: a.config(), NoRequestMTLS: true, ExtraFlags: []extension.Flag{8}}, false, false},
		{"an empty list of further flags", client.Config{TLS: a.config(), ExtraFlags: []extension.Flag{}}, true, true},
		{"no flag", client.Config{TLS: a.config(), NoRequestMTLS: true}, false, false},
		{"like Chrome", client.Config{TLS: a.config(), Fingerprint: client.Chrome}, true, true},
		{"like Firefox", client.Config{TLS: a.config(), Fingerprint: client.Firefox}, true, true},
		{"like Safari", client.Config{TLS: a.config(), Fingerprint: client.Safari}, true, true},
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

// TestAcknowledged uses a server that acknowledges the flag, which crypto/tls cannot.
func TestAcknowledged(t *testing.T) {
	a := newAuthorities(t)
	tests := []struct {
		name         string
		mode         ackserver.Mode
		flag         extension.Flag // of the server
		config       client.Config
		requested    bool
		acknowledged bool
		err          string
	}{
		{"acknowledged", ackserver.Ack, 80, client.Config{}, true, true, ""},
		{"acknowledged under 0xfe01", ackserver.Ack, 80, client.Config{Type: extension.TLSFlagsExperimental}, true, true, ""},
		{"acknowledged after a retry", ackserver.Retry, 80, client.Config{}, true, true, ""},
		{"acknowledged by another number", ackserver.Ack, 17, client.Config{Flag: new(extension.Flag(17))}, true, true, ""},
		{"acknowledged by the number 0", ackserver.Ack, 0, client.Config{Flag: new(extension.Flag)}, true, true, ""},
		{"not acknowledged", ackserver.Silent, 80, client.Config{}, true, false, ""},
		{"no flag", ackserver.Ack, 80, client.Config{NoRequestMTLS: true}, false, false, ""},
		{"unasked, but the flag was sent", ackserver.Unsolicited, 80, client.Config{}, true, true, ""},
		{"unasked", ackserver.Unsolicited, 80, client.Config{NoRequestMTLS: true, ExtraFlags: []extension.Flag{8}}, true, false, "illegal_parameter"},
		{"unasked, by another number", ackserver.Unsolicited, 17, client.Config{Flag: new(extension.Flag(17)), NoRequestMTLS: true, ExtraFlags: []extension.Flag{80}}, true, false, "illegal_parameter"},
		{"another flag that both have set", ackserver.Unsolicited, 8, client.Config{ExtraFlags: []extension.Flag{8}}, true, false, ""},
		{"another flag than that of the client, unasked", ackserver.Unsolicited, 8, client.Config{}, true, false, ""},
		{"malformed", ackserver.Malformed, 80, client.Config{}, true, false, "last flags octet is zero"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
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
		{"a flag that cannot be", client.Config{NoRequestMTLS: true, ExtraFlags: []extension.Flag{2040}}, "2039"},
		{"request_mtls by another number without a certificate", client.Config{Flag: new(extension.Flag(17))}, client.ErrNoCertificate.Error()},
		{"a number for request_mtls that cannot be", client.Config{TLS: a.config(), Flag: new(extension.Flag(2040))}, "2039"},
		{"request_mtls among the flags without a certificate", client.Config{NoRequestMTLS: true, ExtraFlags: []extension.Flag{80}}, "NoRequestMTLS"},
		{"a type that has no flags", client.Config{TLS: a.config(), Type: 16}, "not a type"},
		{"an unknown fingerprint", client.Config{TLS: a.config(), Fingerprint: "lynx"}, "lynx"},
		{"a field without effect", client.Config{TLS: &tls.Config{CipherSuites: []uint16{1}}}, "CipherSuites"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := client.New(tt.config); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
	for _, c := range []client.Config{{NoRequestMTLS: true, ExtraFlags: []extension.Flag{8}}, {Flag: new(extension.Flag(17)), NoRequestMTLS: true, ExtraFlags: []extension.Flag{80}}} {
		if _, err := client.New(c); err != nil {
			t.Errorf("another flag needs no certificate: %v", err)
		}
	}
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
	if config.ServerName != "" || !slices.Equal(config.NextProtos, []string{"h2"}) {
		t.Errorf("the caller's config was changed: server name %q, protocols %q", config.ServerName, config.NextProtos)
	}
	state := conn.ConnectionState()
	if state.NegotiatedProtocol != "h2" || state.Version != tls.VersionTLS13 || state.ServerName != "localhost" || !state.HandshakeComplete {
		t.Errorf("state %+v", state)
	}
	if !strings.Contains(keyLog.String(), "CLIENT_TRAFFIC_SECRET_0") {
		t.Error("the application's key log is empty")
	}
}

// TestConnMethods checks that a Conn has the methods that its documentation shows, and
// none of uTLS.
func TestConnMethods(t *testing.T) {
	want := []string{
		"Close", "CloseWrite", "ConnectionState", "ExportKeyingMaterial", "LocalAddr", "NetConn", "Read", "RemoteAddr", "Report",
		"SetDeadline", "SetReadDeadline", "SetWriteDeadline", "Write",
	}
	var got []string
	for m := range reflect.TypeFor[*client.Conn]().Methods() {
		got = append(got, m.Name)
	}
	if !slices.Equal(got, want) {
		t.Errorf("methods %q, want %q", got, want)
	}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[client.Conn]()) {
		if f.IsExported() {
			t.Errorf("field %s is exported", f.Name)
		}
	}
}

// TestDialErrors checks that Dial needs a port, and closes the connection if the handshake
// fails.
func TestDialErrors(t *testing.T) {
	a, other := newAuthorities(t), newAuthorities(t)
	addr := a.serve(t, false, func(http.ResponseWriter, *http.Request) {})
	var tcp net.Conn
	c := newClient(t, client.Config{TLS: other.config(), DialContext: func(ctx context.Context, network, addr string) (conn net.Conn, err error) {
		tcp, err = new(net.Dialer).DialContext(ctx, network, addr)
		return tcp, err
	}})
	if _, err := c.Dial(t.Context(), "tcp", "localhost"); err == nil || tcp != nil {
		t.Errorf("without a port: error %v, dialed %t", err, tcp != nil)
	}
	if _, err := c.Dial(t.Context(), "tcp", addr); err == nil || tcp == nil {
		t.Errorf("another authority: error %v, dialed %t", err, tcp != nil)
	} else if err := tcp.SetDeadline(time.Time{}); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the connection is open after the error; %v", err)
	}
}
