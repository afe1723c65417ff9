package reqmtls_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	utls "github.com/refraction-networking/utls"

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

// botsPolicy is the policy of most tests.
func botsPolicy() reqmtls.Policy { return reqmtls.Policy{ClientCAs: testPKI().bots.Pool()} }

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
	ECH          bool
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

// start runs a server that sends a reply to every client and hangs up.
func start(t *testing.T, base *tls.Config, c reqmtls.Config) *server {
	t.Helper()
	s := &server{events: make(chan reqmtls.Event, 1000), errs: make(chan error, 1000)}
	if c.Observe == nil {
		c.Observe = func(e reqmtls.Event) { s.events <- e }
	}
	var err error
	if s.Server, err = reqmtls.New(base, c); err != nil {
		t.Fatal(err)
	}
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = inner.Addr().String()
	listener := tls.NewListener(s.Listener(inner), s.TLSConfig())
	s.serve(t, listener)
	return s
}

func (s *server) serve(t *testing.T, listener net.Listener) {
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
		listener.Close()
		wg.Wait()
	})
}

func (s *server) answer(conn *tls.Conn) {
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
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
		ECH:          hello.ECH,
		Policy:       hello.Policy,
		Retried:      state.HelloRetryRequest,
	})
}

// testClient connects to a server with a hello of its own making.
type testClient struct {
	name       string // server name; empty is localhost
	flags      []extension.Flag
	flagsType  extension.Type // 0 is 62
	flagsData  []byte         // in place of flags
	cert       *tls.Certificate
	cache      utls.ClientSessionCache
	maxVersion uint16
	wrap       func(net.Conn) net.Conn
}

func flagged(flags ...extension.Flag) testClient { return testClient{flags: flags} }

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

func (c testClient) spec(t *testing.T) *utls.ClientHelloSpec {
	t.Helper()
	max := c.maxVersion
	if max == 0 {
		max = tls.VersionTLS13
	}
	spec := &utls.ClientHelloSpec{
		TLSVersMin: tls.VersionTLS12,
		TLSVersMax: max,
		CipherSuites: []uint16{
			tls.TLS_AES_128_GCM_SHA256, tls.TLS_CHACHA20_POLY1305_SHA256,
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
		},
		CompressionMethods: []byte{0},
		Extensions: []utls.TLSExtension{
			&utls.SNIExtension{},
			&utls.ExtendedMasterSecretExtension{},
			&utls.SupportedPointsExtension{SupportedPoints: []byte{0}},
			&utls.SessionTicketExtension{},
			&utls.SupportedCurvesExtension{Curves: []utls.CurveID{utls.X25519, utls.CurveP256, utls.CurveP384}},
			&utls.SignatureAlgorithmsExtension{SupportedSignatureAlgorithms: []utls.SignatureScheme{
				utls.ECDSAWithP256AndSHA256, utls.PSSWithSHA256,
			}},
		},
	}
	data := c.flagsData
	if len(c.flags) > 0 {
		set, err := extension.NewFlagSet(c.flags...)
		if err != nil {
			t.Fatal(err)
		}
		if data, err = set.AppendTo(nil); err != nil {
			t.Fatal(err)
		}
	}
	if data != nil {
		id := c.flagsType
		if id == 0 {
			id = extension.TLSFlags
		}
		spec.Extensions = append(spec.Extensions, &utls.GenericExtension{Id: uint16(id), Data: data})
	}
	if max == tls.VersionTLS13 {
		spec.Extensions = append(spec.Extensions,
			&utls.SupportedVersionsExtension{Versions: []uint16{tls.VersionTLS13, tls.VersionTLS12}},
			&utls.PSKKeyExchangeModesExtension{Modes: []byte{1}},
			&utls.KeyShareExtension{KeyShares: []utls.KeyShare{{Group: utls.X25519}}},
			&utls.UtlsPreSharedKeyExtension{},
		)
	}
	return spec
}

// connect makes one connection and reads the server's reply.
func (c testClient) connect(t *testing.T, addr string) result {
	t.Helper()
	tcp, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.start(t, tcp)
	if err != nil {
		var ok bool
		if r.alert, ok = alertOf(err); !ok {
			t.Fatalf("connecting: %v", err)
		}
	}
	return r
}

// start makes a TLS connection of conn, reads the server's reply, and closes it.
func (c testClient) start(t *testing.T, conn net.Conn) (result, error) {
	t.Helper()
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	if c.wrap != nil {
		conn = c.wrap(conn)
	}
	name := c.name
	if name == "" {
		name = "localhost"
	}
	var r result
	config := &utls.Config{
		ServerName:         name,
		RootCAs:            testPKI().site.Pool(),
		ClientSessionCache: c.cache,
		OmitEmptyPsk:       true,
		GetClientCertificate: func(*utls.CertificateRequestInfo) (*utls.Certificate, error) {
			r.Asked = true
			if c.cert == nil {
				return &utls.Certificate{}, nil
			}
			return &utls.Certificate{Certificate: c.cert.Certificate, PrivateKey: c.cert.PrivateKey}, nil
		},
	}
	u := utls.UClient(conn, config, utls.HelloCustom)
	if err := u.ApplyPreset(c.spec(t)); err != nil {
		t.Fatal(err)
	}
	if err := u.HandshakeContext(context.Background()); err != nil {
		return r, err
	}
	if err := json.NewDecoder(u).Decode(&r.reply); err != nil {
		return r, err
	}
	_, err := io.Copy(io.Discard, u) // tickets, close_notify
	return r, err
}

// alertOf returns the alert from the server that err is about.
func alertOf(err error) (extension.Alert, bool) {
	op, ok := errors.AsType[*net.OpError](err)
	if !ok || op.Op != "remote error" {
		return 0, false
	}
	for a := range extension.Alert(255) {
		if op.Err.Error() == utls.AlertError(a).Error() {
			return a, true
		}
	}
	return 0, false
}

// event returns the one event of the last connection.
func (s *server) event(t *testing.T) reqmtls.Event {
	t.Helper()
	select {
	case e := <-s.events:
		return e
	case <-time.After(10 * time.Second):
		t.Fatal("no event")
		panic("unreachable")
	}
}
