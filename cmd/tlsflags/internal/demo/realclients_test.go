//go:build realclients

package demo_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/demo"
	"github.com/tlsflags/tlsflags/internal/testenv"
)

// realClients fetch /json without the flag, although they have a client certificate.
// Each returns all of its output.
var realClients = map[string]func(*testing.T, site) []byte{
	"curl": func(t *testing.T, s site) []byte {
		return run(t, "", testenv.Program(t, "curl", "curl"), "-sS", "--cacert", s.file(demo.FileCA),
			"--cert", s.file(demo.FileCert), "--key", s.file(demo.FileKey), s.url+"/json")
	},
	"openssl s_client": func(t *testing.T, s site) []byte {
		return run(t, request, testenv.Program(t, "openssl", "openssl"), "s_client", "-connect", host(s), "-ign_eof", "-verify_return_error",
			"-CAfile", s.file(demo.FileCA), "-cert", s.file(demo.FileCert), "-key", s.file(demo.FileKey))
	},
	"gnutls-cli": func(t *testing.T, s site) []byte {
		return run(t, request, testenv.Program(t, "gnutls-cli", "gnutls-bin"), "--x509cafile", s.file(demo.FileCA),
			"--x509certfile", s.file(demo.FileCert), "--x509keyfile", s.file(demo.FileKey), host(s))
	},
	"node": func(t *testing.T, s site) []byte {
		const script = `
const [url, ca, cert, key] = process.argv.slice(1).map((a, i) => i ? require("fs").readFileSync(a) : a);
require("https").get(url, {ca, cert, key}, r => r.pipe(process.stdout));`
		return run(t, "", testenv.Program(t, "node", "nodejs"), "-e", script, s.url+"/json",
			s.file(demo.FileCA), s.file(demo.FileCert), s.file(demo.FileKey))
	},
}

// request is what clients that speak no HTTP are to send.
const request = "GET /json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

func host(s site) string { return strings.TrimPrefix(s.url, "https://") }

// run runs a program to its end and returns what it prints.
func run(t *testing.T, stdin string, name string, args ...string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return out
}

// answerIn finds the answer in the output of a program.
func answerIn(t *testing.T, out []byte) demo.Answer {
	t.Helper()
	i := bytes.Index(out, []byte(`{"schema"`))
	if i < 0 {
		t.Fatalf("no answer in %q", out)
	}
	end := bytes.IndexByte(out[i:], '\n')
	if end < 0 {
		t.Fatalf("the answer has no end in %q", out)
	}
	return parse(t, out[i:i+end])
}

// TestRealClients checks that clients without the flag are not asked, although each has a
// certificate. The control is a server that asks everybody, which asks all of them.
func TestRealClients(t *testing.T) {
	honours, everybody := start(t, demo.Config{}), start(t, demo.Config{AskAll: true})
	for name, fetch := range realClients {
		t.Run(name, func(t *testing.T) {
			if a := answerIn(t, fetch(t, honours)); a.CertificateRequested || a.CertificateGiven || a.RequestMTLS {
				t.Errorf("asked %v, given %v", a.CertificateRequested, a.CertificateGiven)
			}
			if a := answerIn(t, fetch(t, everybody)); !a.CertificateRequested || !a.CertificateGiven {
				t.Errorf("control: asked %v, given %v: the test proves nothing", a.CertificateRequested, a.CertificateGiven)
			}
		})
	}
}

// TestBrowser checks that a browser with a suitable certificate installed loads the page
// and does not prompt. The control, a server that asks everybody, shows what happens
// otherwise: the page never loads, because nobody answers the prompt.
func TestBrowser(t *testing.T) {
	browser := testenv.Program(t, "chromium", "chromium", "google-chrome")
	testenv.Program(t, "certutil", "libnss3-tools")
	testenv.Program(t, "openssl", "openssl")

	t.Run("honours the flag", func(t *testing.T) {
		s := start(t, demo.Config{})
		out, err := browse(t, browser, s, time.Minute)
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if !bytes.Contains(out, []byte(`"certificate_requested":false,"certificate_given":false`)) {
			t.Errorf("the page says %s", out)
		}
	})
	t.Run("asks everybody", func(t *testing.T) {
		s := start(t, demo.Config{AskAll: true})
		out, err := browse(t, browser, s, 10*time.Second)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("control: the page loaded (%v), so the test proves nothing:\n%s", err, out)
		}
		// The end of the browser ends its connection, which is then logged.
		select {
		case line := <-s.log:
			if !strings.Contains(line, "asked=true") {
				t.Error("control: the browser was not asked")
			}
		case <-time.After(10 * time.Second):
			t.Error("control: the browser never connected")
		}
	})
}

// browse loads /json in a headless Chromium that has the demo's authority and client
// certificate in its certificate store, and returns the page.
func browse(t *testing.T, browser string, s site, patience time.Duration) ([]byte, error) {
	t.Helper()
	home := t.TempDir()
	db := filepath.Join(home, ".pki", "nssdb")
	if err := os.MkdirAll(db, 0o700); err != nil {
		t.Fatal(err)
	}
	db = "sql:" + db
	p12 := filepath.Join(home, "client.p12")
	run(t, "", "openssl", "pkcs12", "-export", "-in", s.file(demo.FileCert), "-inkey", s.file(demo.FileKey), "-out", p12, "-passout", "pass:")
	run(t, "", "certutil", "-N", "-d", db, "--empty-password")
	run(t, "", "certutil", "-A", "-d", db, "-n", "demo", "-t", "C,,", "-i", s.file(demo.FileCA))
	run(t, "", "pk12util", "-d", db, "-i", p12, "-W", "")

	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
		"--user-data-dir="+filepath.Join(home, "profile"), "--dump-dom", s.url+"/json")
	cmd.Env = append(os.Environ(), "HOME="+home)
	endGroup(cmd)
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.Output()
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return out, err
}
