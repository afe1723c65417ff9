package tlsflags

import (
	"crypto/tls"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddytls"
	"go.uber.org/zap"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/reqmtls"
)

// MatchFlag is the handshake matcher tls_flag. It matches clients that offer TLS 1.3 and set
// a TLS flag, in a well-formed extension of type 62 or 0xfe01. It matches nobody unless the
// server has the listener wrapper tls_flags, and nobody over HTTP/3.
type MatchFlag struct {
	// Flag is the number of the flag, 0 to 2039; by default 80, request_mtls.
	Flag extension.Flag `json:"flag"`

	logger *zap.Logger
	warn   sync.Once
}

// CaddyModule says what the module is called.
func (*MatchFlag) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "tls.handshake_match.tls_flag", New: func() caddy.Module {
		return &MatchFlag{Flag: extension.RequestMTLS}
	}}
}

// UnmarshalCaddyfile reads "tls_flag [NUMBER]".
func (m *MatchFlag) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	if d.NextArg() {
		n, err := strconv.ParseUint(d.Val(), 10, 16)
		if err != nil {
			return d.Errf("%q is not the number of a TLS flag", d.Val())
		}
		m.Flag = extension.Flag(n)
	}
	if d.NextArg() || d.NextBlock(0) {
		return d.ArgErr()
	}
	return nil
}

// Provision checks the number.
func (m *MatchFlag) Provision(ctx caddy.Context) error {
	m.logger = ctx.Logger()
	if m.Flag > extension.MaxFlag {
		return fmt.Errorf("tls_flag: there is no flag %d; flags go up to %d", m.Flag, extension.MaxFlag)
	}
	return nil
}

// Match reports whether the client set the flag.
func (m *MatchFlag) Match(info *tls.ClientHelloInfo) bool {
	hello, ok := reqmtls.FromConn(info.Conn)
	if !ok && info.Conn.LocalAddr().Network() != "udp" {
		m.warn.Do(func() {
			m.logger.Error("no client is asked by its flag, since TLS flags are not recorded: put the listener wrapper tls_flags directly before tls")
		})
	}
	return ok && hello.Flags.Has(m.Flag) && slices.Contains(info.SupportedVersions, tls.VersionTLS13)
}

var (
	_ caddy.Provisioner          = (*MatchFlag)(nil)
	_ caddytls.ConnectionMatcher = (*MatchFlag)(nil)
	_ caddyfile.Unmarshaler      = (*MatchFlag)(nil)
)
