package reqmtls

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
)

// Mode says what the server does with a client that set the flag.
type Mode uint8

const (
	// VerifyIfGiven asks for a certificate and verifies it against ClientCAs. A
	// client that sends none is served; ConnectionState.VerifiedChains is empty then.
	VerifyIfGiven Mode = iota
	// Request asks for a certificate and leaves all of the verification to
	// VerifyConnection or the application, as tls.RequestClientCert does.
	Request
	// Require asks for a certificate and verifies it as VerifyIfGiven does. A client
	// that sends none is refused with the alert bad_certificate, as
	// draft-jhoyla-req-mtls-flag-02, Section 4 has it. The package comment says why it
	// is not certificate_required, which tls.RequireAndVerifyClientCert sends.
	Require
	// Ignore leaves the client to the base config, as if the flag were not set.
	Ignore
)

// String returns the mode in lower-case words.
func (m Mode) String() string {
	switch m {
	case VerifyIfGiven:
		return "verify if given"
	case Request:
		return "request"
	case Require:
		return "require"
	case Ignore:
		return "ignore"
	}
	return fmt.Sprintf("mode(%d)", uint8(m))
}

// ErrNoCertificate is the error of a handshake in which the client sent no certificate
// although Mode is Require.
var ErrNoCertificate = errors.New("reqmtls: the client was asked for a certificate and sent none")

// Policy says how the server treats clients that set the flag. It treats other clients
// as the base config says.
type Policy struct {
	Mode Mode

	// ClientCAs are the authorities that certificates of flagged clients are
	// verified against, and whose names the CertificateRequest lists. They replace
	// those of the base config. Do not add authorities that you trust for other
	// clients: the flag must not give anybody more access. Every mode that verifies
	// needs ClientCAs, because crypto/tls would fall back to the roots of the system.
	ClientCAs *x509.CertPool

	// VerifyConnection, if not nil, is called before the VerifyConnection of the base
	// config, also when a session is resumed. An error ends the handshake with the
	// alert bad_certificate. Like everything that crypto/tls calls at this point, it
	// runs before the client has proven that it holds the key.
	VerifyConnection func(tls.ConnectionState) error

	// AskAll applies the policy to all clients, with the flag or without, which is the
	// usual way to ask for certificates. It is meant for comparison.
	AskAll bool

	// NoTickets makes every connection of a flagged client a full handshake, in
	// which the client proves that it holds the key.
	NoTickets bool
}

// DefaultLimit is the default of Config.Limit, in bytes.
const DefaultLimit = 16 << 10

// Config configures a Server. The zero value with ClientCAs set is ready for use.
type Config struct {
	// These are the policy for all server names that Names does not have, with the
	// meaning that they have in Policy.
	Mode             Mode
	ClientCAs        *x509.CertPool
	VerifyConnection func(tls.ConnectionState) error
	AskAll           bool
	NoTickets        bool

	// Names holds the policies of single server names. A key is a host name in lower
	// case, as it is in DNS ("xn--bcher-kva.example" for bücher.example), without port or
	// final dot. "*.example.com" is for all names with one label before example.com.
	// New refuses keys that no server name can match.
	Names map[string]Policy

	// Flags are the numbers of the flag: a client is flagged if it sets one of them.
	// Empty means extension.RequestMTLS, the number that experiments use. IANA has
	// not registered any.
	Flags []extension.Flag

	// Types are the extension types under which flags are accepted. If a ClientHello
	// has several of them, the first in Types decides. Empty means
	// extension.TLSFlags and extension.TLSFlagsExperimental, in this order.
	Types []extension.Type

	// Limit is the length of the longest ClientHello that is read for flags, in
	// bytes; 0 means DefaultLimit. Clients with a longer one are served as if they
	// had not set the flag. A connection holds a buffer of this size from its first byte
	// until its ClientHello is complete. New refuses less than 4,096, because the hellos
	// of browsers have about 2,000 bytes, and more than assemble.MaxMessage, which no
	// valid ClientHello exceeds.
	Limit int

	// RefuseMalformed ends handshakes over a malformed TLS Flags extension, with the
	// alert illegal_parameter, as draft-ietf-tls-tlsflags-16, Section 3 requires of
	// servers that implement the extension. Without it such an extension is ignored,
	// as by servers that do not implement it.
	RefuseMalformed bool

	// Inspect, if not nil, is called with every well-formed ClientHello as it was on
	// the wire, before the server answers. The view is valid only during the call.
	Inspect func(*Conn, clienthello.ClientHello)

	// Observe, if not nil, is called at most once for each connection, possibly by many
	// goroutines at once: when the client gets the base config, and otherwise when the
	// policy has a verdict or, failing that, when the connection is closed. Connections
	// that end before a config is chosen are not reported: crypto/tls rejects malformed
	// ClientHellos by itself, and an error of the base config's GetConfigForClient is
	// known to the application.
	Observe func(Event)

	// Logger is told, once for each kind, of mistakes that only show when clients
	// connect; nil means slog.Default(). See "Mistakes" in the package comment.
	Logger *slog.Logger
}

// policy returns the policy for all server names that Names does not have.
func (c *Config) policy() Policy {
	return Policy{c.Mode, c.ClientCAs, c.VerifyConnection, c.AskAll, c.NoTickets}
}

// clientAuth returns the crypto/tls mode that m builds on. Require takes no
// RequireAndVerifyClientCert, which answers a missing certificate with another alert.
func (m Mode) clientAuth() tls.ClientAuthType {
	if m == Request {
		return tls.RequestClientCert
	}
	return tls.VerifyClientCertIfGiven
}

// verify returns the error of the policy itself about a handshake.
func (p *Policy) verify(cs tls.ConnectionState) error {
	if p.Mode == Require && len(cs.PeerCertificates) == 0 {
		return ErrNoCertificate
	}
	if p.VerifyConnection != nil {
		return p.VerifyConnection(cs)
	}
	return nil
}

// apply turns cfg, a clone of the config that the client would otherwise get, into
// that of the policy, except for session tickets.
func (p *Policy) apply(cfg *tls.Config) {
	cfg.ClientAuth = p.Mode.clientAuth()
	cfg.ClientCAs = p.ClientCAs
	cfg.SessionTicketsDisabled = cfg.SessionTicketsDisabled || p.NoTickets
}

// demandsCertificate reports whether cfg refuses clients that have no certificate.
// The flag must not take such clients elsewhere.
func demandsCertificate(cfg *tls.Config) bool {
	return cfg.ClientAuth == tls.RequireAnyClientCert || cfg.ClientAuth == tls.RequireAndVerifyClientCert
}

// speaksTLS13 reports whether cfg and the client agree on TLS 1.3. The TLS Flags
// extension is defined for no earlier version. A client without supported_versions
// speaks TLS 1.2 at most, whatever its legacy_version (RFC 9846, Section 4.3.1);
// crypto/tls makes SupportedVersions from that.
func speaksTLS13(cfg *tls.Config, info *tls.ClientHelloInfo) bool {
	return (cfg.MaxVersion == 0 || cfg.MaxVersion >= tls.VersionTLS13) &&
		slices.Contains(info.Extensions, uint16(extension.SupportedVersions)) &&
		slices.Contains(info.SupportedVersions, tls.VersionTLS13)
}
