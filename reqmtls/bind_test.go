package reqmtls_test

import (
	"crypto/tls"
	"slices"
	"testing"

	"github.com/tlsflags/tlsflags/clienthello/peek"
	"github.com/tlsflags/tlsflags/reqmtls"
)

// startForeign runs a server whose application records hellos and chooses a config by itself.
// plain and asking go through BindSessions. A client that also speaks TLS 1.2 stands for one
// with the flag, as in StandIn.
func startForeign(t *testing.T, plain, asking *tls.Config) *server {
	t.Helper()
	t.Helper()
	return startChoosing(t, reqmtls.BindSessions(plain, false), reqmtls.BindSessions(asking, true))
}

// startChoosing is startForeign for configs that are served as they are.
func startChoosing(t *testing.T, plain, asking *tls.Config) *server {
	t.Helper()
	config := plain.Clone()
	config.GetConfigForClient = func(info *tls.ClientHelloInfo) (*tls.Config, error) {
		hello, ok := peek.FromConn(info.Conn)
		if !ok {
			t.Error("the hello is not recorded")
		}
		versions, _ := hello.SupportedVersions()
		if slices.Contains(slices.Collect(versions.All()), tls.VersionTLS12) && versions.Len() > 1 {
			return asking, nil
		}
		return plain, nil
	}
	s := &server{errs: make(chan error, 100_000)}
	inner := listen(t)
	s.serve(t, inner, tls.NewListener(peek.NewListener(inner, peek.Options{}), config))
	return s
}

func askingConfig() *tls.Config {
	c := baseConfig()
	c.ClientAuth, c.ClientCAs = tls.VerifyClientCertIfGiven, botCAs()
	return c
}

// foreignConfigs are ways in which an application keeps sessions.
var foreignConfigs = map[string]func(*tls.Config){
	"automatic keys": func(*tls.Config) {},
	"the same keys":  func(c *tls.Config) { c.SetSessionTicketKeys([][32]byte{{1}}) },
	"a session store": func() func(*tls.Config) {
		sessions := newStore()
		return func(c *tls.Config) { useStore(c, sessions) }
	}(),
	"only WrapSession": func(c *tls.Config) {
		c.SetSessionTicketKeys([][32]byte{{1}})
		keys := c.Clone()
		c.WrapSession = keys.EncryptTicket
	},
	"only UnwrapSession": func(c *tls.Config) {
		c.SetSessionTicketKeys([][32]byte{{1}})
		keys := c.Clone()
		c.UnwrapSession = keys.DecryptTicket
	},
}

// TestBindSessions goes through every order of two connections that share a session.
func TestBindSessions(t *testing.T) {
	kinds := []string{"plain", "flagged", "flagged, no cert"}
	resumed := map[[2]string]bool{
		{"plain", "plain"}:              true,
		{"flagged", "flagged"}:          true,
		{"flagged", "flagged, no cert"}: true, // the session is the certificate's
	}
	for name, set := range foreignConfigs {
		t.Run(name, func(t *testing.T) {
			plain, asking := baseConfig(), askingConfig()
			set(plain)
			set(asking)
			s := startForeign(t, plain, asking)
			for _, first := range kinds {
				for _, second := range kinds {
					cache := &anyName{}
					for i, kind := range []string{first, second} {
						client := resumers[kind]()
						client.cache = cache
						got := client.connect(t, s.addr)
						again := i == 1 && resumed[[2]string{first, second}]
						if got.Resumed != again || got.Asked != (kind != "plain" && !again) {
							t.Errorf("%s after %s, connection %d: %+v", second, first, i, got)
						}
					}
				}
			}
		})
	}
}

// TestBindSessionsAcross goes through all pairs of settings of two servers that share what
// sessions are wrapped with.
func TestBindSessionsAcross(t *testing.T) {
	p := testPKI()
	settings := map[string]func(*tls.Config){
		"verify":         func(c *tls.Config) { c.ClientAuth, c.ClientCAs = tls.VerifyClientCertIfGiven, p.bots.Pool() },
		"verify others":  func(c *tls.Config) { c.ClientAuth, c.ClientCAs = tls.VerifyClientCertIfGiven, p.others.Pool() },
		"require":        func(c *tls.Config) { c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, p.bots.Pool() },
		"require others": func(c *tls.Config) { c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, p.others.Pool() },
		"request":        func(c *tls.Config) { c.ClientAuth = tls.RequestClientCert },
		"request bots":   func(c *tls.Config) { c.ClientAuth, c.ClientCAs = tls.RequestClientCert, p.bots.Pool() },
	}
	for _, shared := range []string{"the same keys", "a session store"} {
		servers := make(map[string][2]*server)
		for name, set := range settings {
			var pair [2]*server
			for i := range pair {
				plain, asking := baseConfig(), baseConfig()
				set(asking)
				foreignConfigs[shared](plain)
				foreignConfigs[shared](asking)
				pair[i] = startForeign(t, plain, asking)
			}
			servers[name] = pair
		}
		checkAcross(t, shared, servers)
	}
}

// TestBindSessionsOldVersions checks TLS 1.2, in which a plain client's session is resumed
// and no flagged one's.
func TestBindSessionsOldVersions(t *testing.T) {
	s := startForeign(t, baseConfig(), askingConfig())
	cache := &anyName{}
	old := testClient{tls12: true, cache: cache}
	old.connect(t, s.addr)
	if got := old.connect(t, s.addr); !got.Resumed || got.Asked {
		t.Errorf("%+v", got)
	}
	client := flagged().with(testPKI().bot)
	client.cache = cache
	if got := client.connect(t, s.addr); got.Resumed || !got.Asked {
		t.Errorf("%+v", got)
	}
}
