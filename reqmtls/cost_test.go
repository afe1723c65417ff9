package reqmtls_test

import (
	"crypto/tls"
	"net"
	"runtime/debug"
	"testing"

	"github.com/tlsflags/tlsflags/reqmtls"
)

// TestCost checks that a client without the flag costs a server 2 allocations more than
// without this package: the Conn, and what crypto/tls makes for GetConfigForClient.
func TestCost(t *testing.T) {
	if reqmtls.RaceEnabled {
		t.Skip("the race detector allocates")
	}
	// A collection empties the pools, ours and those of crypto/tls.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	base := baseConfig()
	base.SessionTicketsDisabled = true // a pipe takes no ticket while the client writes
	mtls, err := reqmtls.New(base, reqmtls.Config{ClientCAs: botCAs()})
	if err != nil {
		t.Fatal(err)
	}
	client := &tls.Config{RootCAs: testPKI().site.Pool(), ServerName: "localhost"}
	handshake := func(config *tls.Config, wrap func(net.Conn) net.Conn) float64 {
		return testing.AllocsPerRun(50, func() {
			a, b := net.Pipe()
			done := make(chan error)
			go func() { done <- tls.Client(a, client).Handshake() }()
			if err := tls.Server(wrap(b), config).Handshake(); err != nil {
				t.Fatal(err)
			}
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			a.Close()
			b.Close()
		})
	}
	without := handshake(base, func(c net.Conn) net.Conn { return c })
	with := handshake(mtls.TLSConfig(), func(c net.Conn) net.Conn { return mtls.Wrap(c) })
	t.Logf("%v allocations in a handshake, %v without this package", with, without)
	if with > without+2 {
		t.Errorf("%v allocations more, want 2 at most", with-without)
	}
}
