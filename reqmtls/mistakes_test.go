package reqmtls_test

import (
	"bytes"
	"crypto/tls"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/reqmtls"
)

// lockedBuffer is written by servers and read by the test.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// attempt is a try to serve, with a mistake in it.
type attempt struct {
	t      *testing.T
	policy reqmtls.Policy
	base   *tls.Config
	log    *lockedBuffer
	addr   string
	errs   chan error
}

// new returns a Server.
func (a *attempt) new() *reqmtls.Server {
	mtls, err := reqmtls.New(a.base, withPolicy(a.policy, reqmtls.Config{Logger: slog.New(slog.NewTextHandler(a.log, nil))}))
	if err != nil {
		a.t.Fatal(err)
	}
	mtls.StandIn()
	return mtls
}

// serve runs an http.Server.
func (a *attempt) serve(server *http.Server, serve func(net.Listener) error) {
	l := listen(a.t)
	a.addr, a.errs = l.Addr().String(), make(chan error, 1)
	go func() {
		a.errs <- serve(l)
		l.Close()
	}()
	a.t.Cleanup(func() { server.Close() })
}

// opaque hides what it wraps, as a listener does that limits connections.
type opaque struct{ net.Conn }

// transparent is a wrapped TLS connection that has its methods.
type transparent struct{ *tls.Conn }

// TestMistakes has what is seen only when it runs: what is written, and what happens to a
// client without the flag, to one with the flag and a certificate, and in the log, or
// the error with which the server ends.
func TestMistakes(t *testing.T) {
	const (
		half   = "Server.TLSConfig is used without Server.Listener"
		other  = "Server.Listener is used without Server.TLSConfig"
		isTLS  = "are TLS already"
		demand = "demand a certificate of every client"
		verify = "verifies certificates"
		has    = "has a TLSConfig"
	)
	nothing, bot, refused := "HTTP/2.0 nobody", "HTTP/2.0 bot", "refused"
	verifying, requiring := reqmtls.VerifyIfGiven, reqmtls.Require
	for _, tt := range []struct {
		written         string
		mode            reqmtls.Mode
		write           func(*attempt)
		plain, withFlag string
		log, err        string
	}{
		{"no mistake", requiring, func(a *attempt) {
			s, mtls := quietServer(), a.new()
			a.serve(s, func(l net.Listener) error { return mtls.ServeTLS(s, l) })
		}, nothing, bot, "", ""},
		{"TLSConfig without Listener", verifying, func(a *attempt) {
			s := quietServer()
			s.TLSConfig = a.new().TLSConfig()
			a.serve(s, func(l net.Listener) error { return s.ServeTLS(l, "", "") })
		}, nothing, nothing, half, ""},
		{"TLSConfig without Listener, policy Require", requiring, func(a *attempt) {
			s := quietServer()
			s.TLSConfig = a.new().TLSConfig()
			a.serve(s, func(l net.Listener) error { return s.ServeTLS(l, "", "") })
		}, refused, refused, half, ""},
		{"TLSConfig in tls.NewListener", requiring, func(a *attempt) {
			s, config := quietServer(), a.new().TLSConfig()
			a.serve(s, func(l net.Listener) error { return s.Serve(tls.NewListener(l, config)) })
		}, refused, refused, half, ""},
		{"a listener around Listener that hides its connections", requiring, func(a *attempt) {
			s, mtls := quietServer(), a.new()
			s.TLSConfig = mtls.TLSConfig()
			a.serve(s, func(l net.Listener) error {
				return s.ServeTLS(wrapped{mtls.Listener(l), func(c net.Conn) net.Conn { return opaque{c} }}, "", "")
			})
		}, refused, refused, half, ""},
		{"TLSConfig without Listener, mode Ignore", reqmtls.Ignore, func(a *attempt) {
			s := quietServer()
			s.TLSConfig = a.new().TLSConfig()
			a.serve(s, func(l net.Listener) error { return s.ServeTLS(l, "", "") })
		}, nothing, nothing, "", ""},
		{"Listener without TLSConfig", verifying, func(a *attempt) {
			s, mtls := quietServer(), a.new()
			s.TLSConfig = baseConfig()
			a.serve(s, func(l net.Listener) error { return s.ServeTLS(mtls.Listener(l), "", "") })
		}, nothing, nothing, other, ""},
		{"Listener without TLSConfig, policy Require", requiring, func(a *attempt) {
			s, mtls := quietServer(), a.new()
			s.TLSConfig = baseConfig()
			a.serve(s, func(l net.Listener) error { return s.ServeTLS(mtls.Listener(l), "", "") })
		}, refused, refused, other, ""},
		{"GetConfigForClient of the returned config replaced", verifying, func(a *attempt) {
			s, mtls := quietServer(), a.new()
			s.TLSConfig = mtls.TLSConfig()
			s.TLSConfig.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, nil }
			a.serve(s, func(l net.Listener) error { return s.ServeTLS(mtls.Listener(l), "", "") })
		}, nothing, nothing, other, ""},
		{"GetConfigForClient of the returned config replaced, policy Require", requiring, func(a *attempt) {
			s, mtls := quietServer(), a.new()
			s.TLSConfig = mtls.TLSConfig()
			s.TLSConfig.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, nil }
			a.serve(s, func(l net.Listener) error { return s.ServeTLS(mtls.Listener(l), "", "") })
		}, refused, refused, other, ""},
		{"Listener around a TLS listener", verifying, func(a *attempt) {
			s, mtls := quietServer(), a.new()
			a.serve(s, func(l net.Listener) error { return s.Serve(mtls.Listener(tls.NewListener(l, mtls.TLSConfig()))) })
		}, refused, refused, "", isTLS},
		{"ServeTLS on a TLS listener", verifying, func(a *attempt) {
			s, mtls := quietServer(), a.new()
			a.serve(s, func(l net.Listener) error { return mtls.ServeTLS(s, tls.NewListener(l, baseConfig())) })
		}, refused, refused, "", isTLS},
		{"Listener around a TLS listener whose connections are wrapped", verifying, func(a *attempt) {
			s, mtls := quietServer(), a.new()
			a.serve(s, func(l net.Listener) error {
				return s.Serve(mtls.Listener(wrapped{tls.NewListener(l, baseConfig()), func(c net.Conn) net.Conn { return transparent{c.(*tls.Conn)} }}))
			})
		}, refused, refused, "", isTLS},
		{"Listener around a TLS listener that hides its connections", verifying, func(a *attempt) {
			s, mtls := quietServer(), a.new()
			a.serve(s, func(l net.Listener) error {
				return s.Serve(mtls.Listener(wrapped{tls.NewListener(l, baseConfig()), func(c net.Conn) net.Conn { return opaque{c} }}))
			})
		}, "HTTP/1.1 no TLS", "HTTP/1.1 no TLS", other, ""},
		{"Listener around a TLS listener that hides its connections, policy Require", requiring, func(a *attempt) {
			s, mtls := quietServer(), a.new()
			a.serve(s, func(l net.Listener) error {
				return s.Serve(mtls.Listener(wrapped{tls.NewListener(l, baseConfig()), func(c net.Conn) net.Conn { return opaque{c} }}))
			})
		}, refused, refused, other, ""},
		{"ServeTLS on a listener of Listener", requiring, func(a *attempt) {
			s, mtls := quietServer(), a.new()
			a.serve(s, func(l net.Listener) error { return mtls.ServeTLS(s, mtls.Listener(l)) })
		}, nothing, bot, "", ""},
		{"Listener of another Server", verifying, func(a *attempt) {
			s, mtls := quietServer(), a.new()
			s.TLSConfig = mtls.TLSConfig()
			a.log = new(lockedBuffer) // of the other
			a.serve(s, func(l net.Listener) error { return s.ServeTLS(a.new().Listener(l), "", "") })
		}, nothing, nothing, other, ""},
		{"TLSConfig of another Server, policy Require", requiring, func(a *attempt) {
			s, mtls := quietServer(), a.new()
			a.policy.Mode = verifying
			a.log = new(lockedBuffer) // of the other
			s.TLSConfig = a.new().TLSConfig()
			a.serve(s, func(l net.Listener) error { return s.ServeTLS(mtls.Listener(l), "", "") })
		}, refused, refused, half, ""},
		{"ServeTLS with a TLSConfig in the http.Server", verifying, func(a *attempt) {
			s, mtls := quietServer(), a.new()
			s.TLSConfig = baseConfig()
			a.serve(s, func(l net.Listener) error { return mtls.ServeTLS(s, l) })
		}, refused, refused, "", has},
		{"ClientAuth of the base config set after New", verifying, func(a *attempt) {
			s, mtls := quietServer(), a.new()
			a.base.ClientAuth, a.base.ClientCAs = tls.RequireAndVerifyClientCert, testPKI().bots.Pool()
			a.serve(s, func(l net.Listener) error { return mtls.ServeTLS(s, l) })
		}, refused, bot, demand, ""},
		{"ClientAuth of the returned config set", verifying, func(a *attempt) {
			s, mtls := quietServer(), a.new()
			s.TLSConfig = mtls.TLSConfig()
			s.TLSConfig.ClientAuth, s.TLSConfig.ClientCAs = tls.RequireAndVerifyClientCert, testPKI().others.Pool()
			a.serve(s, func(l net.Listener) error { return s.ServeTLS(mtls.Listener(l), "", "") })
		}, refused, refused, "", ""},
		{"ClientAuth of a clone of the returned config set", verifying, func(a *attempt) {
			s, mtls := quietServer(), a.new()
			s.TLSConfig = mtls.TLSConfig().Clone()
			s.TLSConfig.ClientAuth, s.TLSConfig.ClientCAs = tls.RequireAndVerifyClientCert, testPKI().others.Pool()
			a.serve(s, func(l net.Listener) error { return s.ServeTLS(mtls.Listener(l), "", "") })
		}, refused, refused, "", ""},
		{"ClientAuth of the base config set to VerifyClientCertIfGiven after New, mode Request", reqmtls.Request, func(a *attempt) {
			s, mtls := quietServer(), a.new()
			a.base.ClientAuth, a.base.ClientCAs = tls.VerifyClientCertIfGiven, testPKI().others.Pool()
			a.serve(s, func(l net.Listener) error { return mtls.ServeTLS(s, l) })
		}, nothing, refused, verify, ""},
		{"a chosen config with VerifyClientCertIfGiven, mode Request", reqmtls.Request, func(a *attempt) {
			chosen := baseConfig()
			chosen.NextProtos = []string{"h2"}
			chosen.ClientAuth, chosen.ClientCAs = tls.VerifyClientCertIfGiven, testPKI().others.Pool()
			a.base.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return chosen, nil }
			s, mtls := quietServer(), a.new()
			a.serve(s, func(l net.Listener) error { return mtls.ServeTLS(s, l) })
		}, nothing, refused, verify, ""},
	} {
		t.Run(tt.written, func(t *testing.T) {
			a := &attempt{t: t, base: baseConfig(), log: new(lockedBuffer), policy: reqmtls.Policy{Mode: tt.mode, ClientCAs: testPKI().bots.Pool()}}
			tt.write(a)
			get := func(c testClient) string {
				got, err := c.get(a.addr)
				if err != nil {
					return refused
				}
				return got
			}
			for range 2 { // each is logged once
				if got := get(testClient{}); got != tt.plain {
					t.Errorf("without the flag: %s, want %s", got, tt.plain)
				}
				if got := get(flagged().with(testPKI().bot)); got != tt.withFlag {
					t.Errorf("with the flag: %s, want %s", got, tt.withFlag)
				}
			}
			if tt.err != "" {
				if err := <-a.errs; err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("served until %v, want an error with %q", err, tt.err)
				}
			}
			lines := 1
			if tt.log == "" {
				lines = 0
			}
			if got := a.log.String(); strings.Count(got, "\n") != lines || !strings.Contains(got, tt.log) {
				t.Errorf("logged %q, want %d line with %q", got, lines, tt.log)
			}
		})
	}
}

// TestUnknownConfig covers a crypto/tls that does not say which config a connection has:
// the one of TLSConfig is used. TestHTTP fails as soon as a Go release is like that.
func TestUnknownConfig(t *testing.T) {
	policy := botsPolicy()
	policy.AskAll = true
	logged := new(lockedBuffer)
	mtls := newServer(t, baseConfig(), withPolicy(policy, reqmtls.Config{Logger: slog.New(slog.NewTextHandler(logged, nil))}))
	config := mtls.TLSConfig()
	config.NextProtos = []string{"imap"}
	for range 2 {
		got, err := config.GetConfigForClient(&tls.ClientHelloInfo{})
		if err != nil {
			t.Fatal(err)
		}
		if got.ClientAuth != tls.VerifyClientCertIfGiven || len(got.NextProtos) != 1 || got.NextProtos[0] != "imap" {
			t.Errorf("ClientAuth %v, NextProtos %q", got.ClientAuth, got.NextProtos)
		}
	}
	if got := logged.String(); strings.Count(got, "does not say which config") != 1 {
		t.Errorf("logged %q", got)
	}
}

// TestUnknownConfigDemands checks that, with such a crypto/tls, a policy still demands
// certificates of flagged clients, and a changed copy of the config of others.
func TestUnknownConfigDemands(t *testing.T) {
	const unknownCA = extension.Alert(48)
	reqmtls.HideConfig(t)
	policy := botsPolicy()
	policy.Mode = reqmtls.Require
	for _, sharedKeys := range []bool{false, true} {
		s := newServer(t, baseConfig(), withPolicy(policy, reqmtls.Config{Logger: slog.New(slog.DiscardHandler)}))
		if sharedKeys {
			s.SetSessionTicketKeys([][32]byte{{1}})
		}
		inner, config := listen(t), s.TLSConfig().Clone()
		config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, testPKI().others.Pool()
		s.serve(t, inner, tls.NewListener(s.Listener(inner), config))
		for _, tt := range []struct {
			client testClient
			alert  extension.Alert
		}{
			{flagged(), extension.AlertBadCertificate},
			{flagged().with(testPKI().stranger), unknownCA},
			{flagged().with(testPKI().bot), 0},
			{testClient{}, extension.AlertCertificateRequired},
			{testClient{}.with(testPKI().bot), unknownCA},
			{testClient{}.with(testPKI().stranger), 0},
		} {
			if got := tt.client.connect(t, s.addr); got.alert != tt.alert {
				t.Errorf("shared keys %v, flagged %v, certificate %v: alert %v, want %v", sharedKeys, tt.client.flagged, tt.client.cert != nil, got.alert, tt.alert)
			}
		}
	}
}

// TestDefaultLogger checks that mistakes are logged if no Logger is set.
func TestDefaultLogger(t *testing.T) {
	before := slog.Default()
	defer func() {
		slog.SetDefault(before)
		log.SetOutput(os.Stderr)
	}()
	b := new(lockedBuffer)
	slog.SetDefault(slog.New(slog.NewTextHandler(b, nil)))
	mtls := newServer(t, baseConfig(), reqmtls.Config{ClientCAs: botCAs()})
	if _, err := mtls.TLSConfig().GetConfigForClient(&tls.ClientHelloInfo{}); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); !strings.Contains(got, "Server.TLSConfig is used without Server.Listener") {
		t.Errorf("logged %q", got)
	}
}

// TestLaterChanges checks that what is changed in the base config after the first copy does
// not count.
func TestLaterChanges(t *testing.T) {
	base := baseConfig()
	mtls := newServer(t, base, reqmtls.Config{ClientCAs: botCAs()})
	before := mtls.TLSConfig()
	base.MaxVersion = tls.VersionTLS12
	if after := mtls.TLSConfig(); after.MaxVersion != before.MaxVersion {
		t.Errorf("MaxVersion %x, in the first copy %x", after.MaxVersion, before.MaxVersion)
	}
}

// TestPlainHTTP checks that the answer of net/http to a client without TLS is no mistake.
func TestPlainHTTP(t *testing.T) {
	policy := botsPolicy()
	policy.Mode = reqmtls.Require
	logged := new(lockedBuffer)
	mtls := newServer(t, baseConfig(), withPolicy(policy, reqmtls.Config{Logger: slog.New(slog.NewTextHandler(logged, nil))}))
	s := quietServer()
	addr := run(t, s, func(l net.Listener) error { return mtls.ServeTLS(s, l) })
	resp, err := http.Get("http://" + addr)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusBadRequest || logged.String() != "" {
		t.Errorf("status %d, logged %q", resp.StatusCode, logged)
	}
}

// TestEachKindIsLogged checks that one kind of mistake does not hide another.
func TestEachKindIsLogged(t *testing.T) {
	base, chosen := baseConfig(), baseConfig()
	chosen.ClientAuth = tls.VerifyClientCertIfGiven
	base.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return chosen, nil }
	logged := new(lockedBuffer)
	policy := reqmtls.Policy{Mode: reqmtls.Request, AskAll: true}
	mtls := newServer(t, base, withPolicy(policy, reqmtls.Config{Logger: slog.New(slog.NewTextHandler(logged, nil))}))
	base.ClientAuth = tls.RequireAnyClientCert
	for range 2 {
		if _, err := mtls.TLSConfig().GetConfigForClient(&tls.ClientHelloInfo{}); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"demand a certificate", "does not say which config", "verifies certificates", "without Server.Listener"} {
		if strings.Count(logged.String(), want) != 1 {
			t.Errorf("logged %q, want one line with %q", logged, want)
		}
	}
}

// TestConfigIsCopied checks that the caller may use the slices of a Config again.
func TestConfigIsCopied(t *testing.T) {
	c := reqmtls.Config{ClientCAs: botCAs(), Flags: []extension.Flag{80}, Types: []extension.Type{extension.TLSFlags}}
	s := startReal(t, baseConfig(), c)
	c.Flags[0], c.Types[0] = 17, extension.TLSFlagsExperimental
	if e, _ := s.eventOf(t, rawFlagged(t)); !e.Hello.Applied {
		t.Errorf("%v", e)
	}
}

func TestNoTicketKeys(t *testing.T) {
	mtls := newServer(t, baseConfig(), reqmtls.Config{ClientCAs: botCAs()})
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	mtls.SetSessionTicketKeys(nil)
}
