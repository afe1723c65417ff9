// Package try has what the tests of the examples need: authorities, clients with and
// without the flag.
package try

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/tlsflags/tlsflags/internal/testenv/testca"
	"github.com/tlsflags/tlsflags/reqmtls/client"
)

// Parties are a site, bots that have certificates, and everybody else.
type Parties struct {
	Site, Bots  *testca.CA
	server, bot tls.Certificate
}

// NewParties makes their authorities and certificates.
func NewParties(t *testing.T) Parties {
	t.Helper()
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	var p Parties
	var err error
	p.Site, err = testca.New("site", time.Hour)
	must(err)
	p.Bots, err = testca.New("bots", time.Hour)
	must(err)
	p.server, err = p.Site.Server("127.0.0.1")
	must(err)
	p.bot, err = p.Bots.Client("bot")
	must(err)
	return p
}

// ServerConfig is the config of a server for 127.0.0.1.
func (p Parties) ServerConfig() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{p.server}}
}

// Bot is a client that sets the flag.
func (p Parties) Bot() client.Config { return client.Config{TLS: p.clientConfig()} }

// Nobody is a client that does not, although it has a certificate.
func (p Parties) Nobody() client.Config {
	return client.Config{TLS: p.clientConfig(), NoRequestMTLS: true}
}

func (p Parties) clientConfig() *tls.Config {
	return &tls.Config{RootCAs: p.Site.Pool(), Certificates: []tls.Certificate{p.bot}}
}

// Get fetches the root of a web server, with header fields of the client's own.
func (p Parties) Get(t *testing.T, addr string, c client.Config, header ...string) string {
	t.Helper()
	cl, err := client.New(c)
	if err != nil {
		t.Fatal(err)
	}
	transport := cl.Transport()
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+addr+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	resp, err := (&http.Client{Transport: transport, Timeout: 10 * time.Second}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// Listen listens on a free port until the test ends.
func Listen(t *testing.T) (addr string, listener net.Listener) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener.Addr().String(), listener
}
