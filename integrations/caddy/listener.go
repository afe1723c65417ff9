// Package tlsflags is a plugin of Caddy that requests certificates only from clients that set the
// TLS flag request_mtls. Import it for the modules that it registers:
//
//   - the listener wrapper tls_flags ([Wrapper]), which has to come before tls;
//   - the handshake matcher tls_flag ([MatchFlag]), for connection policies in JSON;
//   - the handler tls_flags ([Handler]), which sets placeholders.
//
// The README beside it says how to write a Caddyfile. The names of the modules there and in JSON
// follow Semantic Versioning; the Go types are exported for Caddy alone.
package tlsflags

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"maps"
	"net"
	"slices"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/caddytls"

	"github.com/tlsflags/tlsflags/reqmtls"
)

func init() {
	caddy.RegisterModule(Wrapper{})
	caddy.RegisterModule(new(MatchFlag))
	caddy.RegisterModule(Handler{})
}

// Wrapper is the listener wrapper tls_flags. It records the TLS flags of each client for
// [MatchFlag] and [Handler].
//
// It also changes the connection policies of its server whose client_authentication has the
// mode request or verify_if_given: they ask flagged clients only, as if they had the matcher
// tls_flag, and are followed by a copy without client_authentication for everybody else. A
// policy that has the matcher stays as it is, and so does one that demands certificates.
type Wrapper struct {
	recorder *reqmtls.Server
}

// CaddyModule says what the module is called.
func (Wrapper) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "caddy.listeners.tls_flags", New: func() caddy.Module { return new(Wrapper) }}
}

// UnmarshalCaddyfile reads "tls_flags", which has no arguments.
func (*Wrapper) UnmarshalCaddyfile(d *caddyfile.Dispenser) error { return onlyName(d) }

// onlyName reads the name of a module, and refuses arguments.
func onlyName(d *caddyfile.Dispenser) error {
	d.Next()
	if d.NextArg() || d.NextBlock(0) {
		return d.ArgErr()
	}
	return nil
}

// Provision is called before Caddy reads the connection policies of the server.
func (w *Wrapper) Provision(ctx caddy.Context) error {
	// Caddy serves with configs of its own. So no policy of this Server is ever applied, and
	// what it would log about that is of no use.
	base := &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		return nil, errors.New("not used")
	}}
	var err error
	w.recorder, err = reqmtls.New(base, reqmtls.Config{Mode: reqmtls.Ignore, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	if server, ok := ctx.Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server); ok {
		server.TLSConnPolicies = askFlagged(server.TLSConnPolicies)
	}
	return nil
}

// askFlagged returns policies that ask flagged clients only, as Wrapper describes.
func askFlagged(policies caddytls.ConnectionPolicies) caddytls.ConnectionPolicies {
	const matcher = "tls_flag"
	var all caddytls.ConnectionPolicies
	for _, p := range policies {
		all = append(all, p)
		auth := p.ClientAuthentication
		if auth == nil || auth.Mode != "request" && auth.Mode != "verify_if_given" || p.MatchersRaw[matcher] != nil {
			continue
		}
		others := *p
		others.ClientAuthentication = nil
		others.ALPN = slices.Clone(p.ALPN) // Caddy removes protocols in place
		all = append(all, &others)
		p.MatchersRaw = maps.Clone(p.MatchersRaw)
		if p.MatchersRaw == nil {
			p.MatchersRaw = make(caddy.ModuleMap)
		}
		p.MatchersRaw[matcher] = []byte("{}")
	}
	return all
}

// WrapListener returns a listener that records what clients say.
func (w *Wrapper) WrapListener(l net.Listener) net.Listener { return listener{l, w.recorder} }

type listener struct {
	net.Listener
	recorder *reqmtls.Server
}

func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if _, isTLS := c.(*tls.Conn); err != nil || isTLS { // the wrapper comes after tls; MatchFlag says so
		return c, err
	}
	return l.recorder.Wrap(c), nil
}

var (
	_ caddy.Provisioner     = (*Wrapper)(nil)
	_ caddy.ListenerWrapper = (*Wrapper)(nil)
	_ caddyfile.Unmarshaler = (*Wrapper)(nil)
)
