package main

import (
	"maps"
	"slices"
	"testing"

	"github.com/tlsflags/tlsflags/vectors"
)

// TestCryptoTLS checks that crypto/tls still does what "observed" says, if it is the
// release that was asked.
func TestCryptoTLS(t *testing.T) {
	server, err := newServer(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	f, err := vectors.Load(vectors.ClientHello)
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, test := range f.All() {
		want, ok := test.Observed[server.version()]
		if !ok {
			continue
		}
		compared++
		if got := server.verdict(records(test.Input)); got != want {
			t.Errorf("%s: %s, was %s", test.ID, got, want)
		}
	}
	if compared == 0 {
		t.Skipf("no test has an observation of %s; make vectors-observed adds them", server.version())
	}
}

// TestSameServersAsked checks that every ClientHello was given to the same servers, or to
// none yet: a new vector has no observations until make vectors-observed runs.
func TestSameServersAsked(t *testing.T) {
	f, err := vectors.Load(vectors.ClientHello)
	if err != nil {
		t.Fatal(err)
	}
	var servers []string
	for _, test := range f.All() {
		if len(test.Observed) == 0 {
			continue
		}
		asked := slices.Sorted(maps.Keys(test.Observed))
		if servers == nil {
			servers = asked
		}
		if len(asked) != 3 || !slices.Equal(asked, servers) {
			t.Errorf("%s: %v were asked, of others %v", test.ID, asked, servers)
		}
	}
	if servers == nil {
		t.Error("no test has observations: make vectors-observed")
	}
}
