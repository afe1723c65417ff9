package main

import (
	"bytes"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tlsflags/tlsflags/examples/internal/try"
	"github.com/tlsflags/tlsflags/reqmtls/client"
)

const stranger, bot = "Hello, stranger.\n", "Hello, CN=bot,O=tlsflags test.\n"

// start serves until the test ends. The authorities are in the file that it returns.
func start(t *testing.T, parties try.Parties, percent int) (addr, file string, l *listener) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "bots.pem")
	write(t, file, parties.Bots.PEM())
	addr, inner := try.Listen(t)
	l, err := newListener(inner, parties.ServerConfig().Certificates[0], file, percent)
	if err != nil {
		t.Fatal(err)
	}
	s := server(http.HandlerFunc(hello))
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return addr, file, l
}

func write(t *testing.T, file string, data []byte) {
	t.Helper()
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestReload(t *testing.T) {
	parties := try.NewParties(t)
	addr, file, l := start(t, parties, 100)
	expect := func(when, want string) {
		t.Helper()
		if got := parties.Get(t, addr, parties.Bot()); got != want {
			t.Errorf("%s: a bot gets %q, want %q", when, got, want)
		}
	}
	expect("at first", bot)
	write(t, file, parties.Site.PEM())
	expect("before the reload", bot)
	if err := l.load(file); err != nil {
		t.Fatal(err)
	}
	expect("with other authorities", stranger) // its client sends no certificate of another one
	write(t, file, []byte("half a file"))
	if err := l.load(file); err == nil || !strings.HasSuffix(err.Error(), "bots.pem: no certificate in PEM") {
		t.Errorf("a broken file: %v", err)
	}
	expect("after a broken file", stranger)
	write(t, file, parties.Bots.PEM())
	if err := l.load(file); err != nil {
		t.Fatal(err)
	}
	expect("after all", bot)
}

func TestRollOut(t *testing.T) {
	parties := try.NewParties(t)
	addr, _, l := start(t, parties, 0)
	if got := parties.Get(t, addr, parties.Bot()); got != stranger {
		t.Errorf("with 0 percent a bot gets %q", got)
	}
	metrics(t, l, `reqmtls_connections_total{outcome="not applied",flagged="true"} 1`)

	var last int
	for percent := range 101 {
		n := 0
		for i := range 10_000 {
			client := &net.TCPAddr{IP: net.IPv4(192, 0, byte(i>>8), byte(i)), Port: i}
			in := chosen(client, percent)
			client.Port++
			if in != chosen(client, percent) {
				t.Fatalf("%v is in the roll-out with one port only", client)
			}
			if in && !chosen(client, percent+1) {
				t.Fatalf("%v drops out", client)
			}
			if in {
				n++
			}
		}
		if n < last || n < percent*100-300 || n > percent*100+300 {
			t.Errorf("%d percent are %d of 10000 clients", percent, n)
		}
		last = n
	}
}

// TestLogs checks that each connection has one line, whoever writes it, and is counted once.
func TestLogs(t *testing.T) {
	var log buffer
	defer slog.SetDefault(slog.Default())
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	parties := try.NewParties(t)
	addr, _, l := start(t, parties, 100)
	parties.Get(t, addr, parties.Bot())
	log.expect(t, `level=INFO msg=connection .*outcome=accepted`)
	parties.Get(t, addr, parties.Nobody())
	log.expect(t, `level=INFO msg=connection .*outcome="not applied"`)

	refused := parties.Bot() // whose certificate is of another authority
	cert := parties.ServerConfig().Certificates[0]
	refused.TLS.Certificates = nil
	refused.TLS.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &cert, nil }
	c, err := client.New(refused)
	if err != nil {
		t.Fatal(err)
	}
	if conn, err := c.Dial(t.Context(), "tcp", addr); err == nil {
		if _, err := conn.Read(make([]byte, 1)); err == nil {
			t.Error("a stranger's certificate is accepted")
		}
		conn.Close()
	}
	log.expect(t, `level=WARN msg="http: TLS handshake error from .*certificate`)

	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(conn, "garbage, and more of it")
	io.Copy(io.Discard, conn)
	conn.Close()
	log.expect(t, `level=WARN msg="http: TLS handshake error from`)
	metrics(t, l, `reqmtls_connections_total{outcome="accepted",flagged="true"} 1`,
		`reqmtls_connections_total{outcome="not applied",flagged="false"} 1`,
		`reqmtls_connections_total{outcome="unfinished",flagged="true"} 1`)
}

// TestMisdirected sends a request for another host on a connection.
func TestMisdirected(t *testing.T) {
	parties := try.NewParties(t)
	addr, _, _ := start(t, parties, 100)
	transport := &http.Transport{TLSClientConfig: parties.Nobody().TLS, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	for host, want := range map[string]int{"": http.StatusOK, "other.example": http.StatusMisdirectedRequest} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+addr, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		resp, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want || resp.ProtoMajor != 2 {
			t.Errorf("host %q: %s %d, want %d", host, resp.Proto, resp.StatusCode, want)
		}
	}
}

func TestHealth(t *testing.T) {
	w := httptest.NewRecorder()
	new(listener).admin().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/healthz", nil))
	if w.Code != http.StatusOK || w.Body.String() != "ok\n" {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}

// metrics waits until Prometheus would get these counters.
func metrics(t *testing.T, l *listener, want ...string) {
	t.Helper()
	text := "# TYPE reqmtls_connections_total counter\n" + strings.Join(want, "\n") + "\n"
	for i := 0; ; i++ {
		w := httptest.NewRecorder()
		l.admin().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		got := w.Body.String()
		if got == text {
			return
		}
		if i == 1000 {
			t.Fatalf("the counters are\n%s\nwant\n%s", got, text)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// buffer is a log.
type buffer struct {
	mu   sync.Mutex
	b    bytes.Buffer
	seen int
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) lines() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.SplitAfter(b.b.String(), "\n")
}

// expect waits for the next line, which must be the last.
func (b *buffer) expect(t *testing.T, pattern string) {
	t.Helper()
	for i := 0; len(b.lines()) < b.seen+2; i++ {
		if i == 1000 {
			t.Fatalf("no line like %s", pattern)
		}
		time.Sleep(10 * time.Millisecond)
	}
	lines := b.lines()
	if len(lines) != b.seen+2 || !regexp.MustCompile(pattern).MatchString(lines[b.seen]) {
		t.Errorf("the log has %q, want one line like %s", lines[b.seen:], pattern)
	}
	b.seen = len(lines) - 1
}
