package main

import (
	"testing"

	"github.com/tlsflags/tlsflags/examples/internal/try"
)

func TestServe(t *testing.T) {
	parties := try.NewParties(t)
	addr, listener := try.Listen(t)
	go serve(listener, parties.ServerConfig(), parties.Bots.Pool())
	if got := parties.Get(t, addr, parties.Bot()); got != "Welcome, bot.\n" {
		t.Errorf("a bot gets %q", got)
	}
	if got := parties.Get(t, addr, parties.Nobody()); got != "Welcome.\n" {
		t.Errorf("others get %q", got)
	}
}
