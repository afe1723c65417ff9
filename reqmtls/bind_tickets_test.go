package reqmtls_test

import (
	"crypto/tls"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tlsflags/tlsflags/reqmtls"
)

// These are the tests of tickets_test.go for applications with BindSessions. There are no
// names with policies of their own, and no NoTickets.

// TestBindSessionsOneFunction is TestOneSessionFunction.
func TestBindSessionsOneFunction(t *testing.T) {
	var calls atomic.Int32
	keys := baseConfig() // what the application wraps and unwraps with
	keys.SetSessionTicketKeys([][32]byte{{1}})
	for name, set := range map[string]func(*tls.Config){
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
	} {
		t.Run(name, func(t *testing.T) {
			plain, asking := baseConfig(), askingConfig()
			for _, c := range []*tls.Config{plain, asking} {
				c.SetSessionTicketKeys([][32]byte{{1}})
				set(c)
			}
			s := startForeign(t, plain, asking)
			for _, order := range [][2]string{
				{"plain", "plain"}, {"flagged", "flagged"}, {"flagged", "plain"}, {"flagged, no cert", "plain"}, {"plain", "flagged"},
			} {
				calls.Store(0)
				got := connectInOrder(t, s, order)
				// Policies have keys of their own, so that the other half opens nothing. Here it
				// has the application's.
				want := order[0] == order[1] && !strings.Contains(name, "nothing")
				if got.Resumed != want || got.Asked != (order[1] == "flagged" && !want) {
					t.Errorf("%q: resumed %v, want %v; asked %v", order, got.Resumed, want, got.Asked)
				}
				if calls.Load() == 0 {
					t.Errorf("%q: the application's function was not called", order)
				}
			}
		})
	}
}

// connectInOrder makes connections that share a session, and returns how the last one went.
func connectInOrder(t *testing.T, s *server, order [2]string) (got result) {
	t.Helper()
	cache := &anyName{}
	for _, kind := range order {
		client := resumers[kind]()
		client.cache = cache
		got = client.connect(t, s.addr)
	}
	return got
}

// TestBindSessionsUnwrapFails is TestUnwrapSessionFails.
func TestBindSessionsUnwrapFails(t *testing.T) {
	failed := errors.New("no access to the store")
	plain, asking := baseConfig(), askingConfig()
	for _, c := range []*tls.Config{plain, asking} {
		c.UnwrapSession = func([]byte, tls.ConnectionState) (*tls.SessionState, error) { return nil, failed }
	}
	s := startForeign(t, plain, asking)
	checkUnwrapFails(t, s, failed)
}

// TestBindSessionsNeeded is TestObviousSwitch: without BindSessions, a client that comes back
// with the flag is never asked.
func TestBindSessionsNeeded(t *testing.T) {
	plain, asking := baseConfig(), askingConfig()
	plain.SetSessionTicketKeys([][32]byte{{1}})
	asking.SetSessionTicketKeys([][32]byte{{1}})
	s := startChoosing(t, plain, asking)
	if got := connectInOrder(t, s, [2]string{"plain", "flagged"}); got.Asked || !got.Resumed {
		t.Errorf("asked %v, resumed %v: crypto/tls has changed, and BindSessions may be needless", got.Asked, got.Resumed)
	}
}

// TestBindSessionsRestart is TestRestart.
func TestBindSessionsRestart(t *testing.T) {
	p := testPKI()
	keys := [][32]byte{{1}, {2}}
	start := func(keys [][32]byte, change func(*tls.Config)) *server {
		plain, asking := baseConfig(), askingConfig()
		if change != nil {
			change(asking)
		}
		plain.SetSessionTicketKeys(keys)
		asking.SetSessionTicketKeys(keys)
		return startForeign(t, plain, asking)
	}
	others := func(c *tls.Config) { c.ClientCAs = p.others.Pool() }
	require := func(c *tls.Config) { c.ClientAuth = tls.RequireAndVerifyClientCert }
	for _, tt := range []struct {
		name          string
		first, second string
		after         func(*tls.Config)
		keys          [][32]byte
		resumed       bool
	}{
		{"plain, plain", "plain", "plain", nil, keys, true},
		{"plain, flagged", "plain", "flagged", nil, keys, false},
		{"flagged, plain", "flagged", "plain", nil, keys, false},
		{"flagged, flagged", "flagged", "flagged", nil, keys, true},
		{"flagged without certificate, plain", "flagged, no cert", "plain", nil, keys, false},
		{"flagged without certificate, flagged", "flagged, no cert", "flagged", nil, keys, false},
		{"flagged, flagged with a stricter mode", "flagged", "flagged", require, keys, false},
		{"flagged, flagged with other authorities", "flagged", "flagged", others, keys, false},
		{"flagged, flagged after a rotation", "flagged", "flagged", nil, [][32]byte{{3}, {1}}, true},
		{"flagged, flagged with other keys", "flagged", "flagged", nil, [][32]byte{{3}}, false},
		{"plain, plain with other keys", "plain", "plain", nil, [][32]byte{{3}}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cache := &anyName{}
			first, second := resumers[tt.first](), resumers[tt.second]()
			first.cache, second.cache = cache, cache
			first.connect(t, start(keys, nil).addr)
			got := second.connect(t, start(tt.keys, tt.after).addr)
			if want := strings.HasPrefix(tt.second, "flagged") && !tt.resumed; got.Resumed != tt.resumed || got.Asked != want {
				t.Errorf("resumed %v, want %v; asked %v, want %v", got.Resumed, tt.resumed, got.Asked, want)
			}
		})
	}
}

// TestBindSessionsRotation is TestRotationUnderLoad and TestSharedKeys: the keys of the
// clones are rotated while clients connect.
func TestBindSessionsRotation(t *testing.T) {
	plain, asking := reqmtls.BindSessions(baseConfig(), false), reqmtls.BindSessions(askingConfig(), true)
	load := rotation{set: func(keys [][32]byte) {
		plain.SetSessionTicketKeys(keys)
		asking.SetSessionTicketKeys(keys)
	}}
	load.rotate() // before the first ticket
	s := startChoosing(t, plain, asking)
	load.run(t, s.addr, "plain", "flagged")
	for kind := range resumers {
		c := resumers[kind]()
		c.cache = &anyName{}
		c.connect(t, s.addr)
		load.set([][32]byte{{0xff}})
		if got := c.connect(t, s.addr); got.Resumed {
			t.Errorf("%s: a session is resumed whose key is gone", kind)
		}
		load.set(load.keys)
	}
}

// TestBindSessionsOwnKeys is TestKeyRotation: without keys of the application, crypto/tls
// makes a new one every day, and tickets last for a week.
func TestBindSessionsOwnKeys(t *testing.T) {
	var mu sync.Mutex
	now := time.Now() // the certificate is valid from now on
	clock := func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}
	plain, asking := baseConfig(), baseConfig()
	asking.ClientAuth = tls.RequestClientCert // the test certificates do not live that long
	plain.Time, asking.Time = clock, clock
	s := startForeign(t, plain, asking)
	c := flagged().with(testPKI().bot)
	c.cache = &anyName{}
	var got []bool
	for _, d := range []time.Duration{0, time.Minute, 8 * 24 * time.Hour} {
		mu.Lock()
		now = now.Add(d)
		mu.Unlock()
		got = append(got, c.connect(t, s.addr).Resumed)
	}
	if want := []bool{false, true, false}; !slices.Equal(got, want) {
		t.Errorf("resumed after a minute, a week: %v, want %v", got, want)
	}
}
