package reqmtls_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/testenv/testca"
	"github.com/tlsflags/tlsflags/reqmtls"
)

// pki is what the tests trust: a site's authority and two for clients.
type pki struct {
	site, bots, others *testca.CA
	server             tls.Certificate
	bot, stranger      tls.Certificate // issued by bots and by others
}

var testPKI = sync.OnceValue(func() pki {
	must := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	var p pki
	var err error
	p.site, err = testca.New("site authority", time.Hour)
	must(err)
	p.bots, err = testca.New("bots authority", time.Hour)
	must(err)
	p.others, err = testca.New("other authority", time.Hour)
	must(err)
	p.server, err = p.site.Server("localhost", "127.0.0.1", "a.example", "b.example", "x.b.example")
	must(err)
	p.bot, err = p.bots.Client("bot")
	must(err)
	p.stranger, err = p.others.Client("stranger")
	must(err)
	return p
})

func botCAs() *x509.CertPool { return testPKI().bots.Pool() }

// botsPolicy is the policy of most tests.
func botsPolicy() reqmtls.Policy { return reqmtls.Policy{ClientCAs: botCAs()} }

// withPolicy returns c with p as the policy of all names that have none.
func withPolicy(p reqmtls.Policy, c reqmtls.Config) reqmtls.Config {
	c.Mode, c.ClientCAs, c.VerifyConnection, c.AskAll, c.NoTickets = p.Mode, p.ClientCAs, p.VerifyConnection, p.AskAll, p.NoTickets
	return c
}

func baseConfig() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{testPKI().server}}
}

// reply is what the test server tells each client over TLS.
type reply struct {
	Certificates int
	Chains       int
	Resumed      bool
	Flagged      bool
	Applied      bool
	Policy       string
	Retried      bool
}

// server is a TLS server under test.
type server struct {
	*reqmtls.Server
	addr   string
	events chan reqmtls.Event
	errs   chan error // of handshakes
}

// newServer returns a server that does not listen yet, for clients of crypto/tls.
func newServer(t *testing.T, base *tls.Config, c reqmtls.Config) *server {
	t.Helper()
	s := newRealServer(t, base, c)
	s.StandIn()
	return s
}

// newRealServer returns a server that looks for real TLS flags.
func newRealServer(t *testing.T, base *tls.Config, c reqmtls.Config) *server {
	t.Helper()
	s := &server{events: make(chan reqmtls.Event, 1000), errs: make(chan error, 100_000)}
	if c.Observe == nil {
		c.Observe = func(e reqmtls.Event) {
			select {
			case s.events <- e:
			default: // a test that does not read them
			}
		}
	}
	var err error
	if s.Server, err = reqmtls.New(base, c); err != nil {
		t.Fatal(err)
	}
	return s
}

// start runs a server that sends a reply to every client and hangs up.
func start(t *testing.T, base *tls.Config, c reqmtls.Config) *server {
	t.Helper()
	s := newServer(t, base, c)
	inner := listen(t)
	s.serve(t, inner, s.NewListener(inner))
	return s
}

// startReal is start for hellos that are made by hand.
func startReal(t *testing.T, base *tls.Config, c reqmtls.Config) *server {
	t.Helper()
	s := newRealServer(t, base, c)
	inner := listen(t)
	s.serve(t, inner, s.NewListener(inner))
	return s
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// serve serves on listener, which is inner with TLS.
func (s *server) serve(t *testing.T, inner, listener net.Listener) {
	s.addr = inner.Addr().String()
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { s.answer(conn.(*tls.Conn)) })
		}
	})
	t.Cleanup(func() {
		inner.Close()
		wg.Wait()
	})
}

func (s *server) answer(conn *tls.Conn) {
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))
	err := conn.Handshake()
	s.errs <- err
	if err != nil {
		return
	}
	state := conn.ConnectionState()
	hello, _ := reqmtls.FromConn(conn)
	json.NewEncoder(conn).Encode(reply{
		Certificates: len(state.PeerCertificates),
		Chains:       len(state.VerifiedChains),
		Resumed:      state.DidResume,
		Flagged:      hello.Flagged,
		Applied:      hello.Applied,
		Policy:       hello.Policy,
		Retried:      state.HelloRetryRequest,
	})
}

// event returns the one event of the last connection.
func (s *server) event(t *testing.T) reqmtls.Event {
	t.Helper()
	select {
	case e := <-s.events:
		return e
	case <-time.After(time.Minute):
		t.Fatal("no event")
		panic("unreachable")
	}
}

// testClient is a client of crypto/tls, for servers with StandIn.
type testClient struct {
	name    string // server name; empty is localhost
	flagged bool
	tls12   bool // it speaks no TLS 1.3
	cert    *tls.Certificate
	cache   tls.ClientSessionCache
	wrap    func(net.Conn) net.Conn
}

func flagged() testClient { return testClient{flagged: true} }

func (c testClient) with(cert tls.Certificate) testClient {
	c.cert = &cert
	return c
}

// result is how a connection went.
type result struct {
	reply
	Asked bool
	alert extension.Alert // 0 for none
}

// config returns the client's config. It sets asked when the server asks for a certificate.
func (c testClient) config(asked *bool) *tls.Config {
	config := &tls.Config{
		ServerName:         c.name,
		RootCAs:            testPKI().site.Pool(),
		ClientSessionCache: c.cache,
		MinVersion:         tls.VersionTLS13,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			*asked = true
			if c.cert == nil {
				return &tls.Certificate{}, nil
			}
			return c.cert, nil
		},
	}
	if c.name == "" {
		config.ServerName = "localhost"
	}
	if c.tls12 {
		config.MinVersion, config.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
	}
	if c.flagged { // see StandIn
		config.MinVersion--
	}
	return config
}

// connect makes one connection and reads the server's reply.
func (c testClient) connect(t *testing.T, addr string) result {
	t.Helper()
	tcp, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.start(tcp)
	if err != nil {
		var ok bool
		if r.alert, ok = alertOf(err); !ok {
			t.Fatalf("connecting: %v", err)
		}
	}
	return r
}

// start makes a TLS connection of conn, reads the server's reply, and closes it.
func (c testClient) start(conn net.Conn) (result, error) {
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))
	if c.wrap != nil {
		conn = c.wrap(conn)
	}
	var r result
	client := tls.Client(conn, c.config(&r.Asked))
	if err := client.Handshake(); err != nil {
		return r, err
	}
	if err := json.NewDecoder(client).Decode(&r.reply); err != nil {
		return r, err
	}
	_, err := io.Copy(io.Discard, client) // tickets, close_notify
	return r, err
}

// alertOf returns the alert from the server that err is about.
func alertOf(err error) (extension.Alert, bool) {
	op, ok := errors.AsType[*net.OpError](err)
	if !ok || op.Op != "remote error" {
		return 0, false
	}
	for a := range extension.Alert(255) {
		if op.Err.Error() == tls.AlertError(a).Error() {
			return a, true
		}
	}
	return 0, false
}

// anyName is a cache of one session, whatever server it is with.
type anyName struct{ session *tls.ClientSessionState }

func (c *anyName) Get(string) (*tls.ClientSessionState, bool) { return c.session, c.session != nil }
func (c *anyName) Put(_ string, s *tls.ClientSessionState)    { c.session = s }
