package tlsclient

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	utls "github.com/refraction-networking/utls"

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
	hello := Hello{Extensions: []extension.Extension{flagExtension(t, extension.TLSFlags, 8, 80)}}
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
			spec, err := hello.spec(config)
			if err != nil {
				t.Fatal(err)
			}
			spec.CipherSuites = []uint16{tt.suite}
			c, report, err := handshake(t.Context(), dial(t, tt.addr), config, spec, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if !report.CertificateRequested || !report.CertificateGiven || !report.RequestRead || !report.RequestFlags.Has(80) || report.RequestFlagsErr != nil {
				t.Errorf("report %+v", report)
			}
			if len(report.Authorities) != 1 || string(report.Authorities[0]) != string(clients.Certificate.RawSubject) {
				t.Errorf("authorities %q", report.Authorities)
			}
		})
	}
}

// TestHellos holds that what is added to a hello stands in it, alone and where it may,
// and that the rest is what was asked for.
func TestHellos(t *testing.T) {
	presets := map[string]utls.ClientHelloID{
		"go":      {},
		"chrome":  utls.HelloChrome_Auto,
		"firefox": utls.HelloFirefox_Auto,
		"safari":  utls.HelloSafari_Auto,
	}
	for name, id := range presets {
		for _, protocols := range [][]string{nil, {"http/1.1"}, {"h2", "http/1.1"}} {
			for _, minVersion := range []uint16{0, tls.VersionTLS13} {
				config := &tls.Config{ServerName: "a.example", NextProtos: protocols, MinVersion: minVersion}
				added := flagExtension(t, extension.TLSFlags, extension.RequestMTLS)
				hello := sentHello(t, config, Hello{Preset: id, Extensions: []extension.Extension{added}})
				if !hello.HasFlag(extension.RequestMTLS) {
					t.Errorf("%s: the flag is not in the hello", name)
				}
				if got, err := hello.ServerName(); string(got) != "a.example" || err != nil {
					t.Errorf("%s: server name %q, %v", name, got, err)
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
					t.Errorf("%s: protocols %q, want %q", name, got, protocols)
				}
				versions, err := hello.SupportedVersions()
				if err != nil {
					t.Fatal(err)
				}
				for v := range versions.All() {
					if minVersion != 0 && uint16(v) < minVersion && !extension.IsGREASE(uint16(v)) {
						t.Errorf("%s: offers %v in spite of MinVersion", name, v)
					}
				}
			}
		}
	}
}

// sentHello returns the ClientHello that a handshake begins with.
func sentHello(t *testing.T, config *tls.Config, h Hello) clienthello.ClientHello {
	t.Helper()
	a, b := net.Pipe()
	var wg sync.WaitGroup
	defer wg.Wait()
	defer a.Close()
	wg.Go(func() {
		if _, _, err := Handshake(t.Context(), b, config, h, nil); err != nil && !errors.Is(err, io.ErrClosedPipe) && !errors.Is(err, io.EOF) {
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

// TestGoHello holds the default hello to that of crypto/tls, but for what uTLS lacks.
func TestGoHello(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	config := &tls.Config{ServerName: "a.example", NextProtos: []string{"h2"}, InsecureSkipVerify: true}
	go func() {
		tls.Client(b, config).Handshake()
		b.Close()
	}()
	buf := make([]byte, 8<<10)
	var records assemble.Records
	records.Reset(make([]byte, assemble.MaxMessage))
	var r assemble.Result
	for r.Outcome == assemble.NeedMore {
		n, err := a.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		r = records.Feed(buf[:n])
	}
	want, _, err := clienthello.Parse(r.Message)
	if err != nil {
		t.Fatal(err)
	}
	got := sentHello(t, config, Hello{})
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
	_, _, err := Handshake(t.Context(), dial(t, addr), config, Hello{Extensions: []extension.Extension{bad}}, nil)
	if alert, ok := Alert(err); !ok || alert != extension.AlertIllegalParameter {
		t.Errorf("alert %v, %v of %v; want illegal_parameter", alert, ok, err)
	}
	if _, ok := Alert(net.ErrClosed); ok {
		t.Error("an error of the network has an alert")
	}
}

func TestCheck(t *testing.T) {
	if err := Check(&tls.Config{ServerName: "a.example", MinVersion: tls.VersionTLS13, MaxVersion: tls.VersionTLS13}); err != nil {
		t.Error(err)
	}
	for name, config := range map[string]*tls.Config{
		"ClientSessionCache":             {ClientSessionCache: tls.NewLRUClientSessionCache(1)},
		"CipherSuites":                   {CipherSuites: []uint16{1}},
		"CurvePreferences":               {CurvePreferences: []tls.CurveID{1}},
		"MaxVersion":                     {MaxVersion: tls.VersionTLS12},
		"Renegotiation":                  {Renegotiation: tls.RenegotiateOnceAsClient},
		"EncryptedClientHelloConfigList": {EncryptedClientHelloConfigList: []byte{1}},
	} {
		if Check(config) == nil {
			t.Errorf("%s is taken, and has no effect", name)
		}
	}
}
