package reqmtls_test

import (
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tlsflags/tlsflags/reqmtls"
)

// The clients of the tests of resumption. All share one cache of sessions, as a client
// does that turns the flag on and off.
var resumers = map[string]func() testClient{
	"plain":              func() testClient { return testClient{} },
	"flagged":            func() testClient { return flagged().with(testPKI().bot) },
	"flagged, no cert":   func() testClient { return flagged() },
	"flagged, elsewhere": func() testClient { return elsewhere(flagged().with(testPKI().bot)) },
}

// elsewhere makes a client connect under a name with a policy of its own; its sessions
// are found in the cache of the other name, too.
func elsewhere(c testClient) testClient {
	c.name = "a.example"
	return c
}

// TestResumption goes through every order of two connections that share a session. A
// flagged client is asked in the second unless it gave its certificate, under the same
// policy, in the first.
func TestResumption(t *testing.T) {
	configs := map[string]func() *tls.Config{
		"automatic keys": baseConfig,
		"keys set on the base config": func() *tls.Config {
			c := baseConfig()
			c.SetSessionTicketKeys([][32]byte{{1}})
			return c
		},
		"the application's session store": func() *tls.Config {
			c := baseConfig()
			useStore(c, newStore())
			return c
		},
		"the session store of a config that the application chooses": func() *tls.Config {
			c, chosen := baseConfig(), baseConfig()
			useStore(chosen, newStore())
			c.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return chosen, nil }
			return c
		},
	}
	want := map[[2]string]reply{
		{"plain", "plain"}:                           {Resumed: true},
		{"plain", "flagged"}:                         {},
		{"plain", "flagged, no cert"}:                {},
		{"plain", "flagged, elsewhere"}:              {},
		{"flagged", "plain"}:                         {},
		{"flagged", "flagged"}:                       {Resumed: true, Certificates: 1, Chains: 1},
		{"flagged", "flagged, no cert"}:              {Resumed: true, Certificates: 1, Chains: 1}, // the session is the certificate's
		{"flagged", "flagged, elsewhere"}:            {},
		{"flagged, no cert", "plain"}:                {},
		{"flagged, no cert", "flagged"}:              {},
		{"flagged, no cert", "flagged, no cert"}:     {},
		{"flagged, no cert", "flagged, elsewhere"}:   {},
		{"flagged, elsewhere", "plain"}:              {},
		{"flagged, elsewhere", "flagged"}:            {},
		{"flagged, elsewhere", "flagged, no cert"}:   {},
		{"flagged, elsewhere", "flagged, elsewhere"}: {Resumed: true, Certificates: 1, Chains: 1},
	}
	c := reqmtls.Config{ClientCAs: botCAs(), Names: map[string]reqmtls.Policy{"a.example": botsPolicy()}}
	for name, config := range configs {
		t.Run(name, func(t *testing.T) {
			s := start(t, config(), c)
			for order, want := range want {
				cache := &anyName{}
				for i, kind := range order {
					client := resumers[kind]()
					client.cache = cache
					got := client.connect(t, s.addr)
					e := s.event(t)
					if wantAsked := strings.HasPrefix(kind, "flagged") && !(i == 1 && want.Resumed); got.Asked != wantAsked || e.CertificateRequested != wantAsked {
						t.Errorf("%s, connection %d: asked %v, event says %v, want %v", order, i, got.Asked, e.CertificateRequested, wantAsked)
					}
					if i == 1 && got.Resumed != want.Resumed {
						t.Errorf("%s: resumed %v, want %v", order, got.Resumed, want.Resumed)
					}
					if i == 1 && want.Resumed && (got.Certificates != want.Certificates || got.Chains != want.Chains) {
						t.Errorf("%s: resumed with %d certificates and %d chains", order, got.Certificates, got.Chains)
					}
				}
			}
		})
	}
}

// TestOneSessionFunction covers applications that have only one of WrapSession and
// UnwrapSession: it is called, whoever the client is, and what it refuses stays refused.
func TestOneSessionFunction(t *testing.T) {
	var calls atomic.Int32
	keys := baseConfig() // what the application wraps and unwraps with
	keys.SetSessionTicketKeys([][32]byte{{1}})
	functions := map[string]func(*tls.Config){
		"UnwrapSession that resumes nothing": func(c *tls.Config) {
			c.UnwrapSession = func([]byte, tls.ConnectionState) (*tls.SessionState, error) {
				calls.Add(1)
				return nil, nil
			}
		},
		"UnwrapSession": func(c *tls.Config) {
			c.UnwrapSession = func(id []byte, cs tls.ConnectionState) (*tls.SessionState, error) {
				calls.Add(1)
				return keys.DecryptTicket(id, cs)
			}
		},
		"WrapSession": func(c *tls.Config) {
			c.WrapSession = func(cs tls.ConnectionState, session *tls.SessionState) ([]byte, error) {
				calls.Add(1)
				return keys.EncryptTicket(cs, session)
			}
		},
	}
	for name, set := range functions {
		for _, where := range []string{"base config", "base config with shared keys", "chosen config"} {
			t.Run(name+" of the "+where, func(t *testing.T) {
				base := keys.Clone()
				set(base)
				if where == "chosen config" {
					chosen := base
					base = baseConfig()
					base.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return chosen, nil }
				}
				s := start(t, base, reqmtls.Config{ClientCAs: botCAs()})
				if where == "base config with shared keys" {
					s.SetSessionTicketKeys([][32]byte{{1}})
				}
				for _, order := range [][2]string{
					{"plain", "plain"}, {"flagged", "flagged"}, {"flagged", "plain"}, {"flagged, no cert", "plain"}, {"plain", "flagged"},
				} {
					calls.Store(0)
					cache := &anyName{}
					var got result
					for _, kind := range order {
						client := resumers[kind]()
						client.cache = cache
						got = client.connect(t, s.addr)
					}
					want := order == [2]string{"plain", "plain"} && !strings.Contains(name, "nothing")
					if got.Resumed != want {
						t.Errorf("%q: resumed %v, want %v", order, got.Resumed, want)
					}
					if calls.Load() == 0 {
						t.Errorf("%q: the application's function was not called", order)
					}
				}
			})
		}
	}
}

// TestUnwrapSessionFails checks that an error of UnwrapSession ends the handshake of every
// client, as with crypto/tls alone.
func TestUnwrapSessionFails(t *testing.T) {
	base := baseConfig()
	failed := errors.New("no access to the store")
	base.UnwrapSession = func([]byte, tls.ConnectionState) (*tls.SessionState, error) { return nil, failed }
	s := start(t, base, reqmtls.Config{ClientCAs: botCAs()})
	checkUnwrapFails(t, s, failed)
}

// checkUnwrapFails connects each kind of client twice. The second handshake fails.
func checkUnwrapFails(t *testing.T, s *server, failed error) {
	t.Helper()
	for _, kind := range []string{"plain", "flagged"} {
		client := resumers[kind]()
		client.cache = &anyName{}
		for _, want := range []error{nil, failed} {
			conn, err := net.Dial("tcp", s.addr)
			if err != nil {
				t.Fatal(err)
			}
			client.start(conn)
			if err := <-s.errs; !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", kind, err, want)
			}
		}
	}
}

// TestObviousSwitch is what this package must not do: it shows that with crypto/tls
// alone a client that comes back with the flag is never asked, so that TestResumption
// tests something.
func TestObviousSwitch(t *testing.T) {
	base := baseConfig()
	asking := baseConfig()
	asking.ClientAuth = tls.VerifyClientCertIfGiven
	asking.ClientCAs = testPKI().bots.Pool()
	base.GetConfigForClient = func(info *tls.ClientHelloInfo) (*tls.Config, error) {
		if len(info.SupportedVersions) > 1 { // what StandIn takes for the flag
			return asking, nil
		}
		return nil, nil
	}
	s := start(t, base, reqmtls.Config{Mode: reqmtls.Ignore})
	cache := &anyName{}
	testClient{cache: cache}.connect(t, s.addr)
	client := flagged().with(testPKI().bot)
	client.cache = cache
	if got := client.connect(t, s.addr); got.Asked || !got.Resumed {
		t.Errorf("asked %v, resumed %v: crypto/tls has changed, and this package may become simpler", got.Asked, got.Resumed)
	}
}

// TestRestart covers servers that have their ticket keys from one before.
func TestRestart(t *testing.T) {
	p := testPKI()
	keys := [][32]byte{{1}, {2}}
	start := func(c reqmtls.Config, keys [][32]byte) *server {
		s := start(t, baseConfig(), c)
		s.SetSessionTicketKeys(keys)
		return s
	}
	bots := reqmtls.Config{ClientCAs: botCAs(), Names: map[string]reqmtls.Policy{"a.example": botsPolicy()}}
	others := reqmtls.Config{ClientCAs: p.others.Pool()}
	require := reqmtls.Config{Mode: reqmtls.Require, ClientCAs: p.bots.Pool()}
	noTickets := reqmtls.Config{NoTickets: true, ClientCAs: p.bots.Pool()}
	tests := []struct {
		name          string
		first, second string
		after         reqmtls.Config
		keys          [][32]byte
		resumed       bool
	}{
		{"plain, plain", "plain", "plain", bots, keys, true},
		{"plain, flagged", "plain", "flagged", bots, keys, false},
		{"flagged, plain", "flagged", "plain", bots, keys, false},
		{"flagged, flagged", "flagged", "flagged", bots, keys, true},
		{"flagged without certificate, plain", "flagged, no cert", "plain", bots, keys, false},
		{"flagged without certificate, flagged", "flagged, no cert", "flagged", bots, keys, false},
		{"flagged, flagged with a stricter mode", "flagged", "flagged", require, keys, false},
		{"flagged, flagged with a name of its own", "flagged, elsewhere", "flagged, elsewhere", bots, keys, true},
		{"flagged, flagged with another name", "flagged", "flagged, elsewhere", bots, keys, false},
		{"flagged, flagged with other authorities", "flagged", "flagged", others, keys, false},
		{"flagged, flagged without tickets", "flagged", "flagged", noTickets, keys, false},
		{"flagged, flagged after a rotation", "flagged", "flagged", bots, [][32]byte{{3}, {1}}, true},
		{"flagged, flagged with other keys", "flagged", "flagged", bots, [][32]byte{{3}}, false},
		{"plain, plain with other keys", "plain", "plain", bots, [][32]byte{{3}}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cache := &anyName{}
			first := resumers[tt.first]()
			first.cache = cache
			first.connect(t, start(bots, keys).addr)
			second := resumers[tt.second]()
			second.cache = cache
			got := second.connect(t, start(tt.after, tt.keys).addr)
			if got.Resumed != tt.resumed {
				t.Errorf("resumed %v, want %v", got.Resumed, tt.resumed)
			}
			if want := strings.HasPrefix(tt.second, "flagged") && !tt.resumed; got.Asked != want {
				t.Errorf("asked %v, want %v", got.Asked, want)
			}
		})
	}
}

// TestAcrossPolicies goes through all pairs of policies of two servers that share what
// sessions are wrapped with. A session is resumed only under the policy that it was made
// under.
func TestAcrossPolicies(t *testing.T) {
	p := testPKI()
	policies := map[string]reqmtls.Policy{
		"verify":         {ClientCAs: p.bots.Pool()},
		"verify others":  {ClientCAs: p.others.Pool()},
		"require":        {ClientCAs: p.bots.Pool(), Mode: reqmtls.Require},
		"require others": {ClientCAs: p.others.Pool(), Mode: reqmtls.Require},
		"request":        {Mode: reqmtls.Request},
		"request bots":   {Mode: reqmtls.Request, ClientCAs: p.bots.Pool()},
	}
	sessions := newStore()
	for _, shared := range []string{"keys", "session store"} {
		servers := make(map[string][2]*server)
		for name, policy := range policies {
			var pair [2]*server
			for i := range pair {
				base := baseConfig()
				if shared == "session store" {
					useStore(base, sessions)
				}
				pair[i] = start(t, base, withPolicy(policy, reqmtls.Config{}))
				if shared == "keys" {
					pair[i].SetSessionTicketKeys([][32]byte{{7}})
				}
			}
			servers[name] = pair
		}
		checkAcross(t, shared, servers)
	}
}

// checkAcross makes a session with the first server of each pair, and comes back to the second
// one of each. Servers whose name ends with "others" have the other authorities.
func checkAcross(t *testing.T, shared string, servers map[string][2]*server) {
	t.Helper()
	for first := range servers {
		cert := testPKI().bot
		if strings.HasSuffix(first, "others") {
			cert = testPKI().stranger
		}
		for second := range servers {
			client := flagged().with(cert)
			client.cache = &anyName{}
			if got := client.connect(t, servers[first][0].addr); got.Certificates != 1 {
				t.Fatalf("%s: %+v", first, got)
			}
			client.cert = nil
			got := client.connect(t, servers[second][1].addr)
			if want := first == second; got.Resumed != want || got.Asked == want || (got.Certificates == 1) != want {
				t.Errorf("shared %s, %s after %s: %+v", shared, second, first, got)
			}
		}
	}
}

// TestSharedKeys checks that a key opens nothing for another policy: a ticket of
// the base config does not open under the policy's, although all come from one key.
func TestSharedKeys(t *testing.T) {
	s := start(t, baseConfig(), reqmtls.Config{ClientCAs: botCAs()})
	for range 2 { // while it runs, too
		s.SetSessionTicketKeys([][32]byte{{9}})
		cache := &anyName{}
		testClient{cache: cache}.connect(t, s.addr)
		if got := (testClient{cache: cache}).connect(t, s.addr); !got.Resumed {
			t.Error("a plain client's session is not resumed")
		}
		client := flagged().with(testPKI().bot)
		client.cache = cache
		if got := client.connect(t, s.addr); got.Resumed || !got.Asked {
			t.Errorf("resumed %v, asked %v", got.Resumed, got.Asked)
		}
	}
}

// store is an application's own store of sessions.
type store struct {
	mu       sync.Mutex
	sessions map[string]*tls.SessionState
}

func newStore() *store { return &store{sessions: make(map[string]*tls.SessionState)} }

func useStore(c *tls.Config, s *store) {
	c.WrapSession = func(_ tls.ConnectionState, session *tls.SessionState) ([]byte, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		id := strings.Repeat("x", 16+len(s.sessions))
		s.sessions[id] = session
		return []byte(id), nil
	}
	c.UnwrapSession = func(id []byte, _ tls.ConnectionState) (*tls.SessionState, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.sessions[string(id)], nil
	}
}
