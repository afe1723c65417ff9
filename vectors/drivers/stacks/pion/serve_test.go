// Package pion is the driver of pion's DTLS. It is a test because the clock of
// testing/synctest shows when a server has nothing left to do, without waiting.
package pion

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/pion/dtls/v3"

	"github.com/tlsflags/tlsflags/vectors/drivers/stacks/internal/driver"
)

func TestServe(t *testing.T) {
	err := driver.Serve("pion@"+driver.Version, func(pieces [][]byte) (answer string) {
		synctest.Test(t, func(t *testing.T) { answer = serve(t, pieces) })
		return answer
	})
	if err != nil {
		t.Fatal(err)
	}
}

func serve(t *testing.T, pieces [][]byte) string {
	certificates, err := driver.Certificates()
	if err != nil {
		t.Fatal(err)
	}
	conn := driver.NewPacketConn()
	server, err := dtls.ServerWithOptions(conn, driver.Client, dtls.WithCertificates(certificates...))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		server.HandshakeContext(ctx)
		close(ended)
	}()
	for _, piece := range pieces {
		select {
		case conn.In <- piece:
		case <-ended:
		}
		synctest.Wait()
	}
	answer := "waits"
	if first := conn.First(); first != nil {
		answer = driver.Wrote(first)
	} else {
		select {
		case <-ended:
			answer = "closes"
		default:
		}
	}
	conn.Close()
	cancel()
	server.Close()
	return answer
}
