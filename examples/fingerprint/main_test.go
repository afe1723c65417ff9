package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/examples/internal/try"
	"github.com/tlsflags/tlsflags/internal/testenv/testca"
)

func TestServe(t *testing.T) {
	parties := try.NewParties(t)
	cert, key, err := testca.PEM(parties.ServerConfig().Certificates[0])
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile := filepath.Join(t.TempDir(), "site.pem"), filepath.Join(t.TempDir(), "site.key")
	for name, data := range map[string][]byte{certFile: cert, keyFile: key} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	addr, listener := try.Listen(t)
	go serve(listener, certFile, keyFile)
	// Both offer TLS 1.3, no server name and h2, and the bot has an extension more.
	bot, nobody := parties.Get(t, addr, parties.Bot()), parties.Get(t, addr, parties.Nobody())
	for name, got := range map[string]string{"a bot": bot, "others": nobody} {
		if !strings.HasPrefix(got, "t13i") || len(got) != len("t13i1516h2_8daaf6152771_02713d6af862\n") {
			t.Errorf("%s: %q", name, got)
		}
	}
	if bot == nobody {
		t.Errorf("both have %q", bot)
	}
}
