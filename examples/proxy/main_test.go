package main

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/examples/internal/try"
)

func TestServe(t *testing.T) {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, strings.Join(r.Header.Values(clientCert), "|"), strings.Join(r.Header.Values(clientCertChain), "|"))
	}))
	defer backend.Close()
	target, err := url.Parse(backend.URL)
	if err != nil {
		t.Fatal(err)
	}
	parties := try.NewParties(t)
	addr, listener := try.Listen(t)
	go serve(listener, parties.ServerConfig(), parties.Bots.Pool(), target)

	bot := parties.Bot()
	want := ":" + base64.StdEncoding.EncodeToString(bot.TLS.Certificates[0].Certificate[0]) + ":"
	forged := []string{"Client-Cert", ":Zm9yZ2Vk:", "client-cert-chain", ":Zm9yZ2Vk:"}
	if got := parties.Get(t, addr, bot); got != want {
		t.Errorf("for a bot the backend gets %q, want %q", got, want)
	}
	if got := parties.Get(t, addr, bot, forged...); got != want {
		t.Errorf("for a bot that forges the backend gets %q, want %q", got, want)
	}
	if got := parties.Get(t, addr, parties.Nobody()); got != "" {
		t.Errorf("for others the backend gets %q", got)
	}
	if got := parties.Get(t, addr, parties.Nobody(), forged...); got != "" {
		t.Errorf("for others that forge the backend gets %q", got)
	}
}
