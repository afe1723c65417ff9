package reqmtls_test

import (
	"net"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsflags/tlsflags/internal/testenv/testca"
	"github.com/tlsflags/tlsflags/reqmtls"
)

// TestRotationUnderLoad rotates the keys of a Server while clients connect.
func TestRotationUnderLoad(t *testing.T) {
	s := start(t, baseConfig(), reqmtls.Config{
		ClientCAs: botCAs(), Names: map[string]reqmtls.Policy{"a.example": botsPolicy()},
	})
	load := rotation{set: s.SetSessionTicketKeys}
	load.rotate() // before the first ticket
	load.run(t, s.addr, "plain", "flagged", "flagged, elsewhere")
}

// rotation rotates session ticket keys and drops none.
type rotation struct {
	set  func([][32]byte)
	mu   sync.Mutex
	keys [][32]byte
}

func (r *rotation) rotate() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keys = append([][32]byte{{byte(len(r.keys))}}, r.keys...)
	r.set(r.keys)
}

// run rotates the keys while clients of some kinds connect, each of which must get what it
// would get alone: the certificate is asked for once and resumed from then on, as no key is
// dropped, and plain clients have none.
func (r *rotation) run(t *testing.T, addr string, kinds ...string) {
	t.Helper()
	var wg sync.WaitGroup
	const connections = 6
	for range 3 {
		for _, kind := range kinds {
			wg.Go(func() {
				c := resumers[kind]()
				c.cache = &anyName{}
				certificates := 1
				if kind == "plain" {
					certificates = 0
				}
				for i := range connections {
					tcp, err := net.Dial("tcp", addr)
					if err != nil {
						t.Error(err)
						return
					}
					got, err := c.start(tcp)
					if err != nil || got.Asked != (i == 0 && kind != "plain") || got.Resumed != (i > 0) || got.Certificates != certificates {
						t.Errorf("%s, connection %d: %+v, %v", kind, i, got, err)
					}
					r.rotate()
				}
			})
		}
	}
	wg.Wait()
}

func TestKeyRotation(t *testing.T) {
	var mu sync.Mutex
	now := time.Now() // the certificates are valid from now on
	pass := func(d time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(d)
	}
	base := baseConfig()
	base.Time = func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}
	policy := botsPolicy()
	policy.Mode = reqmtls.Request // the test certificates do not live that long
	s := start(t, base, withPolicy(policy, reqmtls.Config{}))
	client := flagged()
	ca, err := testca.New("lasting", 365*24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Client("lasting")
	if err != nil {
		t.Fatal(err)
	}
	client = client.with(cert)
	cache := &anyName{}
	client.cache = cache
	var got []bool
	for _, d := range []time.Duration{0, time.Hour, 25 * time.Hour, 5 * 24 * time.Hour, 8 * 24 * time.Hour} {
		pass(d)
		got = append(got, client.connect(t, s.addr).Resumed)
	}
	// crypto/tls gives each resumed session a new ticket, so the days count from the last.
	want := []bool{false, true, true, true, false}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("resumed after an hour, a day, six days, two weeks (-want +got):\n%s", diff)
	}
}
