package reqmtls

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"reflect"
	"runtime"
	"testing"
	"time"

	"github.com/tlsflags/tlsflags/internal/testenv/testca"
)

// script is a connection that gives its pieces one a read, and then its error.
type script struct {
	net.Conn
	pieces [][]byte
	err    error
}

func (s *script) Read(p []byte) (int, error) {
	if len(s.pieces) == 0 {
		return 0, s.err
	}
	n := copy(p, s.pieces[0])
	s.pieces = s.pieces[1:]
	return n, nil
}

func (s *script) Close() error { return nil }

func newServer(t testing.TB) *Server {
	t.Helper()
	base := &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, nil }}
	s, err := New(base, Config{Mode: Request})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func recordedHello(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("../corpus/records/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestBufferIsReleased checks that no connection keeps a buffer longer than it must.
func TestBufferIsReleased(t *testing.T) {
	hello := recordedHello(t, "utls-chrome-133-ext62-80.bin")
	half := len(hello) / 2
	tests := []struct {
		name   string
		pieces [][]byte
		err    error
		held   bool // after all has been read
	}{
		{"nothing has come", nil, os.ErrDeadlineExceeded, false},
		{"a hello in one piece", [][]byte{hello}, io.EOF, false},
		{"a hello in two pieces", [][]byte{hello[:half], hello[half:]}, os.ErrDeadlineExceeded, false},
		{"half a hello, and more may come", [][]byte{hello[:half]}, os.ErrDeadlineExceeded, true},
		{"half a hello, then the end", [][]byte{hello[:half]}, io.EOF, false},
		{"half a hello, then a reset", [][]byte{hello[:half]}, net.ErrClosed, false},
		{"no TLS", [][]byte{[]byte("GET / HTTP/1.1\r\n")}, os.ErrDeadlineExceeded, false},
		{"a refused record", [][]byte{[]byte("\x16\x03\x01\x00\x00")}, os.ErrDeadlineExceeded, false},
		{"more than the limit", [][]byte{[]byte("\x16\x03\x01\x40\x00\x01\x01\x00\x00")}, os.ErrDeadlineExceeded, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newServer(t)
			c := s.Wrap(&script{pieces: tt.pieces, err: tt.err})
			p := make([]byte, 4096)
			for range len(tt.pieces) + 1 {
				c.Read(p)
			}
			if held := c.recorder != nil; held != tt.held {
				t.Errorf("buffer held: %v, want %v", held, tt.held)
			}
			c.Close()
		})
	}
}

// TestReuse checks that nothing of one client is left in the buffer for the next.
func TestReuse(t *testing.T) {
	s := newServer(t)
	p := make([]byte, 4096)
	for _, name := range []string{"utls-chrome-133-ext62-80.bin", "curl-7.88.1.bin", "utls-safari-16-0-ext62-80.bin", "go-1.26.8.bin"} {
		hello := recordedHello(t, name)
		c := s.Wrap(&script{pieces: [][]byte{hello[:300], hello[300:]}})
		c.Read(p)
		c.Read(p)
		got, ok := c.Hello()
		if want := bytes.Contains([]byte(name), []byte("ext62")); !ok || got.Flagged != want {
			t.Errorf("%s: %+v, %v", name, got, ok)
		}
	}
}

// TestReadAllocs counts what a connection costs by itself: the Conn.
func TestReadAllocs(t *testing.T) {
	s := newServer(t)
	hello := recordedHello(t, "curl-7.88.1.bin")
	p := make([]byte, 4096)
	inner := &script{}
	pieces := [][]byte{hello[:100], hello[100:]}
	n := testing.AllocsPerRun(1000, func() {
		inner.pieces = pieces
		c := s.Wrap(inner)
		c.Read(p)
		c.Read(p)
	})
	if n > 1 && !RaceEnabled {
		t.Errorf("%v allocations, want 1", n)
	}
}

// TestUnflaggedIsShared guards the Hello that all clients without flags share.
func TestUnflaggedIsShared(t *testing.T) {
	s := newServer(t)
	c := s.Wrap(&script{pieces: [][]byte{recordedHello(t, "curl-7.88.1.bin")}})
	c.Read(make([]byte, 4096))
	h, _ := c.Hello()
	h.Flagged = true
	if s.unflagged != (Hello{}) {
		t.Error("a copy's change reached all")
	}
}

func TestPolicyKeysDiffer(t *testing.T) {
	seen := make(map[[32]byte]string)
	keys := [][32]byte{{1}, {2}}
	for _, k := range keys {
		seen[k] = "base"
	}
	pool := func(subject string) *x509.CertPool {
		p := x509.NewCertPool()
		p.AddCert(&x509.Certificate{Raw: []byte(subject), RawSubject: []byte(subject)})
		return p
	}
	for _, name := range []string{"", "a.example", "b.example"} {
		for _, p := range []Policy{
			{Mode: Request}, {ClientCAs: pool("x")}, {ClientCAs: pool("y")}, {Mode: Require, ClientCAs: pool("x")}, {Mode: Request, ClientCAs: pool("x")},
		} {
			who := fmt.Sprintf("%q, mode %v, authorities %v", name, p.Mode, p.ClientCAs)
			for _, k := range deriveKeys(keys, policyID(name, p)) {
				if owner, ok := seen[k]; ok {
					t.Errorf("%s and %s share a key", owner, who)
				}
				seen[k] = who
			}
		}
	}
}

// TestPolicyIDIgnoresOrder checks that a restart with a reordered file of authorities
// keeps the sessions.
func TestPolicyIDIgnoresOrder(t *testing.T) {
	x := &x509.Certificate{Raw: []byte("x"), RawSubject: []byte("x")}
	y := &x509.Certificate{Raw: []byte("y"), RawSubject: []byte("y")}
	xy, yx := x509.NewCertPool(), x509.NewCertPool()
	xy.AddCert(x)
	xy.AddCert(y)
	yx.AddCert(y)
	yx.AddCert(x)
	if policyID("", Policy{ClientCAs: xy}) != policyID("", Policy{ClientCAs: yx}) {
		t.Error("the order of authorities counts")
	}
}

// newSession returns a session of a server of crypto/tls.
func newSession(t *testing.T) (session *tls.SessionState) {
	t.Helper()
	ca, err := testca.New("authority", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Server("localhost")
	if err != nil {
		t.Fatal(err)
	}
	a, b := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		cache := tls.NewLRUClientSessionCache(1) // no client without one gets a ticket
		io.Copy(io.Discard, tls.Client(a, &tls.Config{ServerName: "localhost", RootCAs: ca.Pool(), ClientSessionCache: cache}))
	}()
	conn := tls.Server(b, &tls.Config{
		Certificates: []tls.Certificate{cert},
		WrapSession: func(_ tls.ConnectionState, s *tls.SessionState) ([]byte, error) {
			session = s
			return []byte("ticket"), nil
		},
	})
	if err := conn.Handshake(); err != nil {
		t.Fatal(err)
	}
	conn.Close()
	<-done
	return session
}

// TestDailyKey checks that after a day, tickets are encrypted with a new key, and that the
// old one still decrypts.
func TestDailyKey(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	s := newServer(t)
	s.base().Time = func() time.Time { return now }
	session := newSession(t)
	ticket := func(after time.Duration) (*tls.Config, []byte) {
		now = now.Add(after)
		cfg := s.general.config(nil, s.base())
		b, err := cfg.WrapSession(tls.ConnectionState{}, session)
		if err != nil {
			t.Fatal(err)
		}
		return cfg, b
	}
	opens := func(cfg *tls.Config, ticket []byte) bool {
		keys := cfg.Clone()
		session, err := keys.DecryptTicket(ticket, tls.ConnectionState{})
		if err != nil {
			t.Fatal(err)
		}
		return session != nil
	}
	first, old := ticket(0)
	if _, b := ticket(keyRotation - 1); !opens(first, b) {
		t.Error("a new key before the day is over")
	}
	second, b := ticket(1)
	if opens(first, b) {
		t.Error("the key of yesterday is still in use")
	}
	if !opens(second, old) {
		t.Error("the key of yesterday does not decrypt")
	}
}

func TestRotationKeepsSevenDays(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	s := newServer(t)
	s.base().Time = func() time.Time { return now }
	for day := range 12 {
		s.general.config(nil, s.base())
		if got, want := len(s.general.random), min(day+1, oldKeysKept+1); got != want {
			t.Errorf("day %d: %d keys, want %d", day, got, want)
		}
		now = now.Add(keyRotation)
	}
}

// TestConfigsAreNotMixedUp checks that servers that share a Server, each with a config of
// its own, get their own settings, and new keys as soon as they are set.
func TestConfigsAreNotMixedUp(t *testing.T) {
	s := newServer(t)
	web, mail := s.TLSConfig(), s.TLSConfig()
	web.NextProtos, mail.NextProtos = []string{"h2"}, []string{"imap"}
	plain := func(served *tls.Config) *tls.Config { return s.plain.plainConfig(nil, served) }
	flagged := func(served *tls.Config) *tls.Config { return s.general.config(nil, served) }
	for _, key := range []byte{1, 2} {
		stale := []*tls.Config{plain(web), flagged(web)}
		s.SetSessionTicketKeys([][32]byte{{key}})
		for _, served := range []*tls.Config{web, mail, mail, web} {
			for i, got := range []*tls.Config{plain(served), flagged(served)} {
				if got.NextProtos[0] != served.NextProtos[0] {
					t.Errorf("NextProtos %q, want %q", got.NextProtos, served.NextProtos)
				}
				session := newSession(t)
				ticket, err := got.EncryptTicket(tls.ConnectionState{}, session)
				if err != nil {
					t.Fatal(err)
				}
				if stale[i] == nil {
					continue // crypto/tls would use served
				}
				if session, err := stale[i].DecryptTicket(ticket, tls.ConnectionState{}); session != nil || err != nil {
					t.Errorf("config %d: the keys are the old ones, %v", i, err)
				}
			}
		}
	}
}

// TestNow checks that the time is that of the base config, or that of today.
func TestNow(t *testing.T) {
	s := newServer(t)
	if s.now().Before(time.Unix(1_700_000_000, 0)) {
		t.Error("the time is in the past")
	}
	want := time.Unix(1, 0)
	s.base().Time = func() time.Time { return want }
	if got := s.now(); got != want {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestPolicyOfConfig checks that the policy of a Config has each field of a Policy.
func TestPolicyOfConfig(t *testing.T) {
	c := Config{Mode: Require, ClientCAs: x509.NewCertPool(), VerifyConnection: func(tls.ConnectionState) error { return nil }, AskAll: true, NoTickets: true}
	v := reflect.ValueOf(c.policy())
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			t.Errorf("%s is not in it", v.Type().Field(i).Name)
		}
	}
}

// TestServersAreForgotten checks that a Server remembers an http.Server for as long as that
// is in use.
func TestServersAreForgotten(t *testing.T) {
	s := newServer(t)
	used := new(http.Server)
	for _, server := range []*http.Server{used, {}, {}} {
		if err := s.setUp(server); err != nil {
			t.Fatal(err)
		}
	}
	kept := 0
	for range 10_000 {
		runtime.GC()
		s.mu.Lock()
		kept = len(s.http)
		s.mu.Unlock()
		if kept == 1 {
			break
		}
	}
	if err := s.setUp(used); err != nil || kept != 1 {
		t.Errorf("%d servers are remembered, want 1; the one in use: %v", kept, err)
	}
}
