package demo_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	utls "github.com/refraction-networking/utls"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/codepoint"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/demo"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/report"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/testenv/testca"
	"github.com/tlsflags/tlsflags/reqmtls"
	"github.com/tlsflags/tlsflags/reqmtls/client"
	"github.com/tlsflags/tlsflags/reqmtls/client/flagconn"
)

// site is a running demo server.
type site struct {
	url, dir string
	log      chan string // a line for each connection
}

func (s site) file(name string) string { return filepath.Join(s.dir, name) }

func (s site) Write(p []byte) (int, error) {
	if strings.Contains(string(p), "msg=connection") {
		s.log <- string(p)
	}
	return len(p), nil
}

func start(t *testing.T, c demo.Config) site {
	t.Helper()
	s := site{dir: t.TempDir(), log: make(chan string, 1000)}
	c.Listen, c.Dir, c.MaxConnections = "127.0.0.1:0", s.dir, 100
	c.Log = slog.New(slog.NewTextHandler(s, nil))
	server, err := demo.New(c)
	if err != nil {
		t.Fatal(err)
	}
	s.url = server.URL()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("serving: %v", err)
		}
	})
	return s
}

// roots are what the clients trust.
func (s site) roots(t *testing.T) *x509.CertPool {
	t.Helper()
	pem, err := os.ReadFile(s.file(demo.FileCA))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	return pool
}

func (s site) certificate(t *testing.T) tls.Certificate {
	t.Helper()
	cert, err := tls.LoadX509KeyPair(s.file(demo.FileCert), s.file(demo.FileKey))
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// get fetches /json as this module's client.
func (s site) get(t *testing.T, c client.Config) (demo.Answer, error) {
	t.Helper()
	c.TLS.RootCAs = s.roots(t)
	cl, err := client.New(c)
	if err != nil {
		t.Fatal(err)
	}
	transport := cl.Transport()
	defer transport.CloseIdleConnections()
	web := &http.Client{Transport: transport, Timeout: 10 * time.Second}
	resp, err := web.Get(s.url + "/json")
	if err != nil {
		return demo.Answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return demo.Answer{}, err
	}
	return parse(t, body), nil
}

func parse(t *testing.T, body []byte) demo.Answer {
	t.Helper()
	var a demo.Answer
	if err := json.Unmarshal(body, &a); err != nil {
		t.Fatalf("%v in %q", err, body)
	}
	return a
}

func TestAnswer(t *testing.T) {
	s := start(t, demo.Config{})
	cert := func() *tls.Config { return &tls.Config{Certificates: []tls.Certificate{s.certificate(t)}} }
	none := func() *tls.Config {
		return &tls.Config{GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &tls.Certificate{}, nil }}
	}
	type want struct {
		Flags            []extension.Flag
		Type             extension.Type
		Requested, Given bool
		Verdict          string
	}
	for _, tt := range []struct {
		name   string
		config client.Config
		want   want
	}{
		{"the flag and a certificate", client.Config{TLS: cert()},
			want{[]extension.Flag{80}, 62, true, true, "You set the flag, were asked for a certificate, and gave one."}},
		{"the flag and no certificate", client.Config{TLS: none()},
			want{[]extension.Flag{80}, 62, true, false, "You set the flag, were asked for a certificate, and gave none."}},
		{"other flags", client.Config{TLS: cert(), NoRequestMTLS: true, ExtraFlags: []extension.Flag{0, 8}},
			want{[]extension.Flag{0, 8}, 62, false, false, "You did not set the flag, and were not asked for a certificate."}},
		{"no flags", client.Config{TLS: cert(), NoRequestMTLS: true},
			want{[]extension.Flag{}, 0, false, false, "You did not set the flag, and were not asked for a certificate."}},
		{"the experimental type", client.Config{TLS: cert(), Type: extension.TLSFlagsExperimental},
			want{[]extension.Flag{80}, 0xfe01, true, true, "You set the flag, were asked for a certificate, and gave one."}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, err := s.get(t, tt.config)
			if err != nil {
				t.Fatal(err)
			}
			got := want{a.TLSFlags, tt.want.Type, a.CertificateRequested, a.CertificateGiven, a.Verdict}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if a.CertificateGiven != (a.Certificate != nil && a.Certificate.Verified) {
				t.Errorf("certificate %+v", a.Certificate)
			}
			if typed := a.TLSFlagsType != nil; typed != (len(a.TLSFlags) > 0) || typed && *a.TLSFlagsType != codepoint.Of(tt.want.Type, tt.want.Type.Name()) {
				t.Errorf("type of the extension: %v", a.TLSFlagsType)
			}
			if a.ClientHello == nil || len(a.ClientHello.Extensions) < 8 {
				t.Errorf("hello %+v", a.ClientHello)
			}
		})
	}
}

// TestMalformedFlags checks what a client learns whose flags are malformed.
func TestMalformedFlags(t *testing.T) {
	s := start(t, demo.Config{})
	tcp, err := net.Dial("tcp", strings.TrimPrefix(s.url, "https://"))
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	conn, _, err := flagconn.Handshake(t.Context(), tcp, flagconn.Config{
		TLS:        &tls.Config{RootCAs: s.roots(t), ServerName: "localhost"},
		Extensions: []extension.Extension{{Type: extension.TLSFlags, Data: []byte{1, 0}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "GET /json HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := parse(t, body)
	if a.TLSFlagsError == nil || *a.TLSFlagsError != "tlsflags: no flag is set" || !strings.Contains(a.Verdict, "cannot be read") {
		t.Errorf("error %v, verdict %q", a.TLSFlagsError, a.Verdict)
	}
}

// TestClientWithoutFlag checks that a client without the flag is not asked, although it has
// a certificate. The control is a server that asks everybody.
func TestClientWithoutFlag(t *testing.T) {
	for _, everybody := range []bool{false, true} {
		s := start(t, demo.Config{AskAll: everybody})
		web := &http.Client{Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: s.roots(t), Certificates: []tls.Certificate{s.certificate(t)}},
		}}
		defer web.CloseIdleConnections()
		resp, err := web.Get(s.url + "/json")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		if got := resp.Header.Get("Content-Type"); got != "application/json" {
			t.Errorf("Content-Type: %q", got)
		}
		if a := parse(t, body); a.CertificateRequested != everybody || a.CertificateGiven != everybody || a.RequestMTLS {
			t.Errorf("asking everybody %t: asked %t, given %t", everybody, a.CertificateRequested, a.CertificateGiven)
		}
	}
}

// TestModes checks what a flagged client without a certificate gets. In TLS 1.3 it learns
// of a refusal from what it reads first.
func TestModes(t *testing.T) {
	for mode, want := range map[reqmtls.Mode]error{
		reqmtls.VerifyIfGiven: nil,
		reqmtls.Request:       nil,
		reqmtls.Require:       utls.AlertError(extension.AlertBadCertificate),
	} {
		s := start(t, demo.Config{Mode: mode})
		cl, err := client.New(client.Config{TLS: &tls.Config{
			RootCAs:              s.roots(t),
			GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &tls.Certificate{}, nil },
		}})
		if err != nil {
			t.Fatal(err)
		}
		conn, err := cl.Dial(t.Context(), "tcp", strings.TrimPrefix(s.url, "https://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if r := conn.Report(); !r.Requested || r.Given {
			t.Errorf("%v: report %+v", mode, r)
		}
		if want == nil {
			if _, err := io.WriteString(conn, "GET /json HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
		}
		if _, err = conn.Read(make([]byte, 1)); err != want && (want == nil || !strings.HasSuffix(fmt.Sprint(err), want.Error())) {
			t.Errorf("%v: error %v, want %v", mode, err, want)
		}
	}
}

// TestPage checks that what a visitor sends cannot become markup of the page.
func TestPage(t *testing.T) {
	s := start(t, demo.Config{})
	cl, err := client.New(client.Config{NoRequestMTLS: true, ExtraFlags: []extension.Flag{8}, TLS: &tls.Config{
		InsecureSkipVerify: true, ServerName: `<script>alert("1")</script>`,
	}})
	if err != nil {
		t.Fatal(err)
	}
	transport := cl.Transport()
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport, Timeout: 10 * time.Second}).Get(s.url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"resumption_across_names (8)", "You did not set the flag", "&lt;script&gt;", "<td>flag 8 resumption_across_names\n"} {
		if !strings.Contains(string(body), want) {
			t.Errorf("the page lacks %q:\n%s", want, body)
		}
	}
	if policy := resp.Header.Get("Content-Security-Policy"); policy != report.Policy() {
		t.Errorf("Content-Security-Policy: %q", policy)
	}
	if got := resp.Header.Get("Content-Type"); got != "text/html; charset=utf-8" {
		t.Errorf("Content-Type: %q", got)
	}
	if strings.Contains(string(body), "<script") {
		t.Errorf("the page has a script:\n%s", body)
	}
}

func TestFiles(t *testing.T) {
	s := start(t, demo.Config{})
	for _, name := range []string{demo.FileCA, demo.FileCAKey, demo.FileCert, demo.FileKey} {
		info, err := os.Stat(s.file(name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o077 != 0 && os.PathSeparator == '/' {
			t.Errorf("%s has mode %v: others can read it", name, info.Mode())
		}
	}
	leaf := s.certificate(t).Leaf
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: s.roots(t), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
		t.Error(err)
	}
}

// TestFilesAreKept checks that a second start has the authority and the client of the first,
// until they expire.
func TestFilesAreKept(t *testing.T) {
	dir := t.TempDir()
	start := func() (ca, cert string) {
		t.Helper()
		if err := listen(t, dir); err != nil {
			t.Fatal(err)
		}
		return read(t, dir, demo.FileCA), read(t, dir, demo.FileCert)
	}
	ca, cert := start()
	if ca2, cert2 := start(); ca2 != ca || cert2 != cert {
		t.Error("the second start has other certificates")
	}
	old, err := testca.New("old", 23*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	key, err := old.KeyPEM()
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{demo.FileCA: old.PEM(), demo.FileCAKey: key} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if ca2, cert2 := start(); ca2 == string(old.PEM()) || cert2 == cert {
		t.Error("the certificates are not made anew a day before they expire")
	}
}

// TestFilesOfOthersAreKept checks that files which are not from an earlier start stay as they
// are, and that the error names one of them.
func TestFilesOfOthersAreKept(t *testing.T) {
	other, err := testca.New("other", 48*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		spoil func(dir string) error
		want  string
	}{
		"an authority alone":   {func(dir string) error { return os.WriteFile(filepath.Join(dir, demo.FileCA), other.PEM(), 0o600) }, demo.FileCAKey + " is missing"},
		"a client's key alone": {func(dir string) error { return os.WriteFile(filepath.Join(dir, demo.FileKey), []byte("old"), 0o644) }, demo.FileCA + " is missing"},
		"no client": {func(dir string) error {
			return errors.Join(listen(t, dir), os.Remove(filepath.Join(dir, demo.FileCert)))
		}, demo.FileCert + " is missing"},
		"an authority of others": {func(dir string) error {
			return errors.Join(listen(t, dir), os.WriteFile(filepath.Join(dir, demo.FileCA), other.PEM(), 0o600))
		}, "not the certificates of one earlier start"},
		"a client's key that is none": {func(dir string) error {
			return errors.Join(listen(t, dir), os.WriteFile(filepath.Join(dir, demo.FileKey), []byte("old"), 0o600))
		}, "not the certificates of one earlier start"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := tt.spoil(dir); err != nil {
				t.Fatal(err)
			}
			before := contents(t, dir)
			err := listen(t, dir)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), dir) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if diff := cmp.Diff(before, contents(t, dir)); diff != "" {
				t.Errorf("files have changed:\n%s", diff)
			}
		})
	}
}

// listen starts a server with the folder, and returns the error.
func listen(t *testing.T, dir string) error {
	t.Helper()
	s, err := demo.New(demo.Config{Listen: "127.0.0.1:0", Dir: dir, MaxConnections: 1, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return s.Serve(ctx) // which closes it
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := make(map[string]string)
	for _, e := range entries {
		files[e.Name()] = read(t, dir, e.Name())
	}
	return files
}
