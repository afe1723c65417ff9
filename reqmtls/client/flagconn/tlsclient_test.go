package flagconn

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/testenv/ackserver"
	"github.com/tlsflags/tlsflags/internal/testenv/testca"
)

func newCA(t *testing.T, name string) *testca.CA {
	t.Helper()
	ca, err := testca.New(name, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

func flagExtension(t *testing.T, id extension.Type, flags ...extension.Flag) extension.Extension {
	t.Helper()
	set, err := extension.NewFlagSet(flags...)
	if err != nil {
		t.Fatal(err)
	}
	data, err := set.AppendTo(nil)
	if err != nil {
		t.Fatal(err)
	}
	return extension.Extension{Type: id, Data: data}
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	t.Cleanup(func() { conn.Close() })
	return conn
}

// TestCertificateRequestIsRead decrypts the flight of OpenSSL under each cipher suite of
// TLS 1.3 that it has by default, and after a HelloRetryRequest.
func TestCertificateRequestIsRead(t *testing.T) {
	site, clients := newCA(t, "site"), newCA(t, "clients")
	addr := ackserver.Start(t, site, clients, ackserver.Ack)
	retrying := ackserver.Start(t, site, clients, ackserver.Retry)
	cert, err := clients.Client("bot")
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{RootCAs: site.Pool(), ServerName: "localhost", Certificates: []tls.Certificate{cert}}
	c := Config{TLS: config, Extensions: []extension.Extension{flagExtension(t, extension.TLSFlags, 8, 80)}}
	for name, tt := range map[string]struct {
		addr  string
		suite uint16
	}{
		"AES-128-GCM":       {addr, tls.TLS_AES_128_GCM_SHA256},
		"AES-256-GCM":       {addr, tls.TLS_AES_256_GCM_SHA384},
		"ChaCha20-Poly1305": {addr, tls.TLS_CHACHA20_POLY1305_SHA256},
		"a retry":           {retrying, tls.TLS_AES_128_GCM_SHA256},
	} {
		t.Run(name, func(t *testing.T) {
			spec, err := c.spec()
			if err != nil {
				t.Fatal(err)
			}
			spec.CipherSuites = []uint16{tt.suite}
			conn, report, err := c.handshake(t.Context(), dial(t, tt.addr), spec)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if flags, _, err := report.Extensions.Flags(); !report.Requested || !report.Given || !flags.Has(80) || err != nil {
				t.Errorf("report %+v, flags %v, %v", report, flags, err)
			}
			if len(report.Authorities) != 1 || string(report.Authorities[0]) != string(clients.Certificate.RawSubject) {
				t.Errorf("authorities %q", report.Authorities)
			}
		})
	}
}

// TestHellos checks that a hello has what is added to it, and the server name, protocols
// and versions of the config.
func TestHellos(t *testing.T) {
	for _, name := range []Fingerprint{Go, Chrome, Firefox, Safari} {
		for _, protocols := range [][]string{nil, {"http/1.1"}, {"h2", "http/1.1"}} {
			for _, minVersion := range []uint16{0, tls.VersionTLS12, tls.VersionTLS13} {
				config := &tls.Config{ServerName: "a.example", NextProtos: protocols, MinVersion: minVersion}
				added := flagExtension(t, extension.TLSFlags, extension.RequestMTLS)
				hello := sentHello(t, Config{TLS: config, Fingerprint: name, Extensions: []extension.Extension{added}})
				if !hello.HasFlag(extension.RequestMTLS) {
					t.Errorf("%q: the flag is not in the hello", name)
				}
				if got, err := hello.ServerName(); string(got) != "a.example" || err != nil {
					t.Errorf("%q: server name %q, %v", name, got, err)
				}
				names, err := hello.ALPN()
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for p := range names.All() {
					got = append(got, string(p))
				}
				if !slices.Equal(got, protocols) {
					t.Errorf("%q: protocols %q, want %q", name, got, protocols)
				}
				versions, err := hello.SupportedVersions()
				if err != nil {
					t.Fatal(err)
				}
				for v := range versions.All() {
					if minVersion != 0 && uint16(v) < minVersion && !extension.IsGREASE(uint16(v)) {
						t.Errorf("%q: offers %v in spite of MinVersion", name, v)
					}
				}
			}
		}
	}
}

// sentHello returns the ClientHello that a handshake begins with.
func sentHello(t *testing.T, c Config) clienthello.ClientHello {
	t.Helper()
	return helloOf(t, func(conn net.Conn) error {
		_, _, err := Handshake(t.Context(), conn, c)
		return err
	})
}

// helloOf returns the ClientHello that a client begins with.
func helloOf(t *testing.T, handshake func(net.Conn) error) clienthello.ClientHello {
	t.Helper()
	a, b := net.Pipe()
	var wg sync.WaitGroup
	defer wg.Wait()
	defer a.Close()
	wg.Go(func() {
		if err := handshake(b); err != nil && !errors.Is(err, io.ErrClosedPipe) && !errors.Is(err, io.EOF) {
			t.Error(err)
		}
		b.Close()
	})
	var records assemble.Records
	records.Reset(make([]byte, assemble.MaxMessage))
	buf := make([]byte, 8<<10)
	for {
		n, err := a.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		switch r := records.Feed(buf[:n]); r.Outcome {
		case assemble.NeedMore:
		case assemble.Complete:
			hello, _, err := clienthello.Parse(r.Message)
			if err != nil {
				t.Fatal(err)
			}
			return hello
		default:
			t.Fatalf("what was sent is %v: %v", r.Outcome, r.Code)
		}
	}
}

// TestGoHello compares the default hello with that of crypto/tls.
func TestGoHello(t *testing.T) {
	config := &tls.Config{ServerName: "a.example", NextProtos: []string{"h2"}, InsecureSkipVerify: true}
	want := helloOf(t, func(conn net.Conn) error { return tls.Client(conn, config).Handshake() })
	got := sentHello(t, Config{TLS: config})
	types := func(h clienthello.ClientHello) (list []extension.Type) {
		for e := range h.Extensions().All() {
			// Versions of Go differ in these two.
			if e.Type != extension.SignatureAlgorithmsCert && e.Type != extension.SessionTicket {
				list = append(list, e.Type)
			}
		}
		return list
	}
	if !slices.Equal(types(got), types(want)) {
		t.Errorf("extensions %v\nof crypto/tls %v", types(got), types(want))
	}
}

func TestAlert(t *testing.T) {
	site, clients := newCA(t, "site"), newCA(t, "clients")
	addr := ackserver.Start(t, site, clients, ackserver.Strict)
	config := &tls.Config{RootCAs: site.Pool(), ServerName: "localhost"}
	bad := extension.Extension{Type: extension.TLSFlags, Data: []byte{2, 1, 0}}
	_, _, err := Handshake(t.Context(), dial(t, addr), Config{TLS: config, Extensions: []extension.Extension{bad}})
	if alert, ok := Alert(err); !ok || alert != extension.AlertIllegalParameter {
		t.Errorf("alert %v, %v of %v; want illegal_parameter", alert, ok, err)
	}
	if _, ok := Alert(net.ErrClosed); ok {
		t.Error("an error of the network has an alert")
	}
}

func TestCheck(t *testing.T) {
	good := &tls.Config{ServerName: "a.example", MinVersion: tls.VersionTLS13, MaxVersion: tls.VersionTLS13}
	for _, c := range []Config{{}, {TLS: good, Fingerprint: Safari}} {
		if err := c.Check(); err != nil {
			t.Error(err)
		}
	}
	for name, config := range map[string]*tls.Config{
		"ClientSessionCache":             {ClientSessionCache: tls.NewLRUClientSessionCache(1)},
		"CipherSuites":                   {CipherSuites: []uint16{1}},
		"CurvePreferences":               {CurvePreferences: []tls.CurveID{1}},
		"MaxVersion":                     {MaxVersion: tls.VersionTLS12},
		"Renegotiation":                  {Renegotiation: tls.RenegotiateOnceAsClient},
		"EncryptedClientHelloConfigList": {EncryptedClientHelloConfigList: []byte{1}},
	} {
		if err := (Config{TLS: config}).Check(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %v", name, err)
		}
		if _, _, err := Handshake(t.Context(), nil, Config{TLS: config}); err == nil {
			t.Errorf("%s is accepted, and has no effect", name)
		}
	}
	if err := (Config{Fingerprint: "lynx"}).Check(); err == nil || !strings.Contains(err.Error(), `"lynx"`) {
		t.Errorf("an unknown fingerprint: error %v", err)
	}
}

// serve accepts one connection, as a server of crypto/tls with a certificate for
// localhost, and gives it to do after the handshake.
func serve(t *testing.T, site *testca.CA, config *tls.Config, do func(*tls.Conn)) (addr string) {
	t.Helper()
	return serveRaw(t, site, config, func(server *tls.Conn) {
		if server.Handshake() == nil {
			do(server)
		}
	})
}

// serveRaw is serve, and gives the connection to do before the handshake.
func serveRaw(t *testing.T, site *testca.CA, config *tls.Config, do func(*tls.Conn)) (addr string) {
	t.Helper()
	cert, err := site.Server("localhost")
	if err != nil {
		t.Fatal(err)
	}
	config.Certificates = []tls.Certificate{cert}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		do(tls.Server(conn, config))
	})
	t.Cleanup(func() {
		listener.Close()
		wg.Wait()
	})
	return listener.Addr().String()
}

// TestConn checks that a Conn does what a tls.Conn would.
func TestConn(t *testing.T) {
	site := newCA(t, "site")
	const label = "EXPORTER-test"
	addr := serve(t, site, &tls.Config{NextProtos: []string{"test"}}, func(server *tls.Conn) {
		state := server.ConnectionState()
		key, err := state.ExportKeyingMaterial(label, nil, 32)
		if err != nil {
			t.Error(err)
		}
		server.Write(key)
		io.Copy(server, server) // until CloseWrite
	})
	tcp := dial(t, addr)
	conn, report, err := Handshake(t.Context(), tcp, Config{TLS: &tls.Config{RootCAs: site.Pool(), ServerName: "localhost", NextProtos: []string{"test"}}})
	if err != nil {
		t.Fatal(err)
	}
	if report.Requested || report.Given || report.Extensions.Len() > 0 {
		t.Errorf("report %+v", report)
	}
	if conn.NetConn() != tcp || conn.LocalAddr() != tcp.LocalAddr() || conn.RemoteAddr() != tcp.RemoteAddr() {
		t.Error("not the connection that was given")
	}
	if s := conn.ConnectionState(); s.NegotiatedProtocol != "test" || len(s.VerifiedChains) == 0 || !s.HandshakeComplete {
		t.Errorf("state %+v", s)
	}
	want, err := conn.ExportKeyingMaterial(label, nil, 32)
	if err != nil {
		t.Fatal(err)
	}
	past := time.Unix(1, 0)
	for name, set := range map[string]func(time.Time) error{"SetDeadline": conn.SetDeadline, "SetReadDeadline": conn.SetReadDeadline} {
		set(past)
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: error %v", name, err)
		}
		conn.SetDeadline(time.Time{})
	}
	conn.Write([]byte("hello"))
	if err := conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(conn); err != nil || string(got) != string(want)+"hello" {
		t.Errorf("%q, %v; want the keying material and an echo", got, err)
	}
	if conn.Close() != nil || errors.Is(tcp.Close(), nil) {
		t.Error("Close leaves the connection open")
	}
}

// TestMinVersion checks that no fingerprint lets a server choose a version below
// MinVersion, or below TLS 1.2.
func TestMinVersion(t *testing.T) {
	site := newCA(t, "site")
	for _, fingerprint := range []Fingerprint{Go, Chrome, Firefox, Safari} {
		for _, tt := range []struct {
			minVersion, server uint16
			ok                 bool
		}{
			{0, tls.VersionTLS11, false},
			{0, tls.VersionTLS12, true},
			{0, tls.VersionTLS13, true},
			{tls.VersionTLS10, tls.VersionTLS11, false},
			{tls.VersionTLS12, tls.VersionTLS11, false},
			{tls.VersionTLS12, tls.VersionTLS12, true},
			{tls.VersionTLS13, tls.VersionTLS12, false},
			{tls.VersionTLS13, tls.VersionTLS13, true},
		} {
			addr := serve(t, site, &tls.Config{MinVersion: tt.server, MaxVersion: tt.server}, func(*tls.Conn) {})
			config := &tls.Config{RootCAs: site.Pool(), ServerName: "localhost", MinVersion: tt.minVersion}
			conn, _, err := Handshake(t.Context(), dial(t, addr), Config{TLS: config, Fingerprint: fingerprint})
			if (err == nil) != tt.ok {
				t.Errorf("%q, MinVersion %#x, a server of %#x: error %v", fingerprint, tt.minVersion, tt.server, err)
			}
			if err == nil && conn.ConnectionState().Version != tt.server {
				t.Errorf("%q: version %#x, want %#x", fingerprint, conn.ConnectionState().Version, tt.server)
			}
		}
	}
}
