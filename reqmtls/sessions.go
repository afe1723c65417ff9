package reqmtls

import (
	"bytes"
	"crypto/tls"
	"slices"
)

const (
	markPrefix = "tlsflags reqmtls "
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
	keys := cfg.Clone() // whose EncryptTicket and DecryptTicket use the keys of cfg
	g := &sessionGuard{markPrefix + "policy " + id, keys.EncryptTicket, keys.DecryptTicket}
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
	if len(cs.PeerCertificates) == 0 {
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

func isMark(extra []byte) bool { return bytes.HasPrefix(extra, []byte(markPrefix)) }
