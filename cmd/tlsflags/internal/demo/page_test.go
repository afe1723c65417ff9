package demo

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/reqmtls"
)

func TestVerdict(t *testing.T) {
	flagged, malformed := reqmtls.Hello{Flagged: true}, reqmtls.Hello{Err: extension.ErrFlagsAllZero}
	asked, given := Answer{CertificateRequested: true}, Answer{CertificateRequested: true, CertificateGiven: true}
	for _, tt := range []struct {
		hello  reqmtls.Hello
		answer Answer
		want   string
	}{
		{flagged, Answer{Resumed: true, CertificateGiven: true}, "The session was resumed, so you were not asked again; your certificate is that of the first connection."},
		{flagged, given, "You set the flag, were asked for a certificate, and gave one."},
		{flagged, asked, "You set the flag, were asked for a certificate, and gave none."},
		{flagged, Answer{}, "You set the flag, but this server does not act on it here."},
		{reqmtls.Hello{}, given, "You did not set the flag. This server asks everybody, and you gave a certificate."},
		{reqmtls.Hello{}, asked, "You did not set the flag. This server asks everybody, and you gave no certificate."},
		{malformed, Answer{}, "You sent TLS flags that cannot be read, so they are ignored, and you were not asked."},
		{reqmtls.Hello{}, Answer{}, "You did not set the flag, and were not asked for a certificate."},
		{reqmtls.Hello{}, Answer{Resumed: true}, "You did not set the flag, and were not asked for a certificate."},
	} {
		if got := verdict(tt.hello, tt.answer); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}

func TestDescribe(t *testing.T) {
	msg := append([]byte{1, 0, 0, 54, 3, 3}, make([]byte, 33)...)
	msg = append(msg, 0, 4, 0x13, 1, 0x99, 0x99, 1, 0, 0, 9, 0, 43, 0, 5, 4, 3, 4, 0x0a, 0x0a)
	msg[3] = byte(len(msg) - 4)
	got, err := json.Marshal(describe(msg))
	want := `{"length":58,"cipher_suites":[{"value":4865,"name":"TLS_AES_128_GCM_SHA256"},{"value":39321,"name":null}],` +
		`"extensions":[{"value":43,"name":"supported_versions"}],"supported_versions":[{"value":772,"name":"TLS 1.3"},{"value":2570,"name":"GREASE"}]}`
	if err != nil || string(got) != want {
		t.Errorf("got  %s, %v\nwant %s", got, err, want)
	}
	if got := describe(msg[:20]); got != nil {
		t.Errorf("a cut message is %+v", got)
	}
}

func TestCertificate(t *testing.T) {
	name := func(cn string) pkix.Name { return pkix.Name{CommonName: cn} }
	leaf := &x509.Certificate{Subject: name("leaf"), Issuer: name("authority"), SerialNumber: big.NewInt(0xabc)}
	state := &tls.ConnectionState{PeerCertificates: []*x509.Certificate{leaf}}
	want := Certificate{Subject: "CN=leaf", Issuer: "CN=authority", Serial: "abc"}
	if got := certificate(state); *got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	state.VerifiedChains, want.Verified = [][]*x509.Certificate{{leaf}}, true
	if got := certificate(state); *got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := certificate(new(tls.ConnectionState)); got != nil {
		t.Errorf("no certificate is %+v", got)
	}
}

func TestServerNames(t *testing.T) {
	for host, want := range map[string]bool{"192.0.2.1": true, "host.example": true, "2001:db8::1": true, "": false, "0.0.0.0": false, "::": false} {
		names := serverNames(host)
		if got := slices.Contains(names, host); got != want {
			t.Errorf("%q: %q", host, names)
		}
		if name, err := os.Hostname(); err == nil && names[len(names)-1] != name {
			t.Errorf("%q lacks the name of this machine", names)
		}
		if !slices.Equal(names[:3], []string{"localhost", "127.0.0.1", "::1"}) {
			t.Errorf("%q: %q", host, names)
		}
	}
}

// TestLog checks what is logged of a connection.
func TestLog(t *testing.T) {
	const text = "level=INFO msg=connection remote=<nil> server_name=a flagged=false asked=false outcome="
	var log bytes.Buffer
	s := Server{log: slog.New(slog.NewTextHandler(&log, nil))}
	e := reqmtls.Event{ServerName: "a"}
	s.observe(e)
	if got := log.String(); !strings.Contains(got, text) || strings.Contains(got, "error") {
		t.Errorf("got %s", got)
	}
	log.Reset()
	e.Hello.Err, e.Err = extension.ErrFlagsAllZero, errors.New("why")
	s.observe(e)
	if got := log.String(); !strings.Contains(got, ` hello_error="tlsflags: no flag is set" error=why`) {
		t.Errorf("got %s", got)
	}
}

// TestNewFails has what New finds before anything is served.
func TestNewFails(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	dir := t.TempDir()
	file, full := filepath.Join(dir, "file"), filepath.Join(dir, "full")
	if err := errors.Join(os.WriteFile(file, nil, 0o600), os.MkdirAll(filepath.Join(full, FileKey, "file"), 0o700)); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]Config{
		"an address without a port":           {Listen: "127.0.0.1", Dir: dir},
		"a name that no certificate can have": {Listen: "b\u00fccher.example:0", Dir: dir},
		"a file in place of the folder":       {Listen: "127.0.0.1:0", Dir: file},
		"a folder in place of a file":         {Listen: "127.0.0.1:0", Dir: full},
		"a flag above the highest":            {Listen: "127.0.0.1:0", Dir: dir, Flags: []extension.Flag{extension.MaxFlag + 1}},
		"an address in use":                   {Listen: taken.Addr().String(), Dir: dir},
	} {
		c.MaxConnections, c.Log = 1, slog.New(slog.DiscardHandler)
		if _, err := New(c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestServe checks how serving ends, and what is logged besides connections.
func TestServe(t *testing.T) {
	var log bytes.Buffer
	c := Config{Listen: "127.0.0.1:0", Dir: filepath.Join(t.TempDir(), "new"), MaxConnections: 1}
	c.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(c.Dir); err != nil || info.Mode().Perm() != 0o700 && os.PathSeparator == '/' {
		t.Errorf("the new folder has mode %v, %v", info.Mode(), err)
	}
	s.web.ErrorLog.Print("from net/http")
	s.listener.Close()
	if err := s.Serve(t.Context()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("serving on a closed listener: %v", err)
	}
	if s, err = New(c); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Serve(ctx); err != nil {
		t.Errorf("stopping: %v", err)
	}
	for _, want := range []string{`level=DEBUG msg="from net/http"`, "level=INFO msg=stopping"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, log.String())
		}
	}
}

func TestReplaceFileFails(t *testing.T) {
	dir := t.TempDir()
	if err := replaceFile(filepath.Join(dir, "none", "file"), nil); err == nil {
		t.Error("no error for a folder that is not there")
	}
	if err := os.MkdirAll(filepath.Join(dir, "file", "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := replaceFile(filepath.Join(dir, "file"), nil); err == nil {
		t.Error("no error for a folder of that name")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("it leaves %v, %v", left, err)
	}
}
