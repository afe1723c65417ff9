package reqmtls

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"slices"
)

const (
	markPrefix = "tlsflags reqmtls "
	markPolicy = markPrefix + "policy "
	markNone   = markPrefix + "no certificate" // such a session is never resumed
)

type (
	wrapFunc   = func(tls.ConnectionState, *tls.SessionState) ([]byte, error)
	unwrapFunc = func([]byte, tls.ConnectionState) (*tls.SessionState, error)
)

// sessionGuard marks the sessions of a policy, and resumes only those with the policy's
// mark. Without a mark of its own, it resumes only those that have none.
type sessionGuard struct {
	mark   string
	free   bool // sessions without a certificate are resumed, too
	wrap   wrapFunc
	unwrap unwrapFunc
}

// hasSessionFunctions reports whether the application wraps or unwraps sessions itself. If
// it does not, the keys of cfg open no ticket of a policy.
func hasSessionFunctions(cfg *tls.Config) bool {
	return cfg.WrapSession != nil || cfg.UnwrapSession != nil
}

// bindSessions makes cfg resume only sessions that were made under the policy with an id,
// with a certificate. If the application has only one of WrapSession and UnwrapSession,
// the keys of cfg do the other half, as in crypto/tls: what the application refuses
// stays refused.
func bindSessions(cfg *tls.Config, id string) {
	guard(cfg, &sessionGuard{mark: markPolicy + id})
}

// guard makes cfg wrap and unwrap sessions with g.
func guard(cfg *tls.Config, g *sessionGuard) {
	g.wrap, g.unwrap = cfg.EncryptTicket, cfg.DecryptTicket // which use the keys of cfg
	if cfg.WrapSession != nil {
		g.wrap = cfg.WrapSession
	}
	if cfg.UnwrapSession != nil {
		g.unwrap = cfg.UnwrapSession
	}
	cfg.WrapSession, cfg.UnwrapSession = g.wrapSession, g.unwrapSession
}

// rejectPolicySessions makes cfg, which no policy applies to, resume no session of a
// policy.
func rejectPolicySessions(cfg *tls.Config) {
	g := &sessionGuard{unwrap: cfg.UnwrapSession}
	if g.unwrap == nil {
		g.unwrap = cfg.DecryptTicket
	}
	cfg.UnwrapSession = g.unwrapSession
}

func (g *sessionGuard) wrapSession(cs tls.ConnectionState, session *tls.SessionState) ([]byte, error) {
	mark := g.mark
	if len(cs.PeerCertificates) == 0 && !g.free {
		mark = markNone
	}
	session.Extra = append(session.Extra, []byte(mark))
	return g.wrap(cs, session)
}

func (g *sessionGuard) unwrapSession(identity []byte, cs tls.ConnectionState) (*tls.SessionState, error) {
	session, err := g.unwrap(identity, cs)
	if err != nil || session == nil || !g.accepts(session.Extra) {
		return nil, err
	}
	return session, nil
}

// accepts reports whether a session with these marks may be resumed.
func (g *sessionGuard) accepts(extra [][]byte) bool {
	if g.mark == "" {
		return !slices.ContainsFunc(extra, isMark)
	}
	return slices.ContainsFunc(extra, func(b []byte) bool { return string(b) == g.mark })
}

func isMark(extra []byte) bool {
	return bytes.HasPrefix(extra, []byte(markPolicy)) || string(extra) == markNone
}

// BindSessions returns a clone of config that resumes only sessions which were made with
// such a clone, for the same value of flagged, the same ClientAuth and the same authorities;
// if ClientAuth asks for a certificate, only sessions that have one. It is for applications
// whose own GetConfigForClient chooses a config by the client's flag: without it, a client
// that came without the flag first resumes that session with the flag, and is never asked
// (RFC 9846, Section 4.4.2).
//
// Call it once for each config that GetConfigForClient may return, including the one whose
// field it is, and return the clones instead. Sessions survive a restart, or are shared
// by several servers, if SetSessionTicketKeys of config was called before, or that of the
// clone, which may be called at any time to rotate keys; otherwise each clone has keys of its
// own. WrapSession and UnwrapSession of config are called as before. Set ClientAuth and
// ClientCAs before; keys set on a clone of the clone have no effect.
//
// Authorities are compared by their names, since a pool does not give its certificates. Check
// certificates in VerifyConnection, which is called for resumed sessions too;
// VerifyPeerCertificate is not.
func BindSessions(config *tls.Config, flagged bool) *tls.Config {
	cfg := config.Clone()
	id := sessionID(fmt.Sprint("application ", flagged, " ", config.ClientAuth), config.ClientCAs)
	guard(cfg, &sessionGuard{mark: markPrefix + id, free: config.ClientAuth == tls.NoClientCert})
	return cfg
}
