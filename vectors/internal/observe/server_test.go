package main

import (
	"maps"
	"slices"
	"testing"

	"github.com/tlsflags/tlsflags/vectors"
)

// TestCryptoTLS looks whether crypto/tls still does what the vectors say that it was
// seen to do, where this is the same release.
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
		t.Skipf("nothing was seen of %s; make vectors-observed looks again", server.version())
	}
}

// TestAllAsked holds the promise that every whole ClientHello was given to three servers.
func TestAllAsked(t *testing.T) {
	f, err := vectors.Load(vectors.ClientHello)
	if err != nil {
		t.Fatal(err)
	}
	var implementations []string
	for _, test := range f.All() {
		if test.Prefixes != nil {
			continue
		}
		if len(test.Observed) != 3 {
			t.Errorf("%s: %d servers were asked: make vectors-observed", test.ID, len(test.Observed))
			continue
		}
		seen := slices.Sorted(maps.Keys(test.Observed))
		if implementations == nil {
			implementations = seen
		}
		if !slices.Equal(seen, implementations) {
			t.Errorf("%s: %v were asked, of others %v", test.ID, seen, implementations)
		}
	}
}
