package reqmtls

import (
	"bytes"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"slices"
	"sync"
	"time"
)

// A session may be resumed only under the policy that it was made under, and only if
// it has a certificate: resuming skips the CertificateRequest (RFC 9846, Section
// 4.4.2), so a client that once came without flag, or without certificate, would
// otherwise not be asked again as long as its tickets last. Two things see to that.
// Each policy has ticket keys of its own, set explicitly: keys that crypto/tls makes
// by itself belong to the config of the listener, whatever GetConfigForClient
// returns. And each ticket of a policy carries a mark, which keeps also those
// sessions apart that an application's WrapSession handles.

const (
	keyRotation = 24 * time.Hour
	keysKept    = 7 // older tickets have expired: crypto/tls gives them seven days

	markPrefix = "tlsflags reqmtls "
	markNone   = markPrefix + "no certificate" // resumed nowhere
)

// policy is a Policy at work.
type policy struct {
	Policy
	server *Server
	name   string
	mark   string

	mu       sync.Mutex
	explicit [][32]byte // of SetSessionTicketKeys; in force until the next call
	random   [][32]byte // the newest first; in use while explicit is empty
	rotate   time.Time  // when random needs a new key
	template *tls.Config
}

func newPolicy(s *Server, name string, p Policy) *policy {
	return &policy{Policy: p, server: s, name: name, mark: markPrefix + "certificate " + name}
}

// appliesTo reports whether a client gets the policy's config, who would otherwise get
// cfg.
func (p *policy) appliesTo(hello *Hello, cfg *tls.Config, info *tls.ClientHelloInfo) bool {
	if p.Mode == Ignore || demandsCertificate(cfg) {
		return false
	}
	return p.AskEverybody || hello != nil && hello.Flagged && speaksTLS13(cfg, info)
}

// config returns a config with the policy applied, for one connection, made from
// chosen, or if that is nil from the listener's.
func (p *policy) config(chosen *tls.Config) (*tls.Config, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.renew(); err != nil {
		return nil, err
	}
	if chosen != nil {
		return p.derive(chosen), nil
	}
	if p.template == nil {
		p.template = p.derive(p.server.config)
	}
	return p.template.Clone(), nil
}

// plain returns what a client gets that the policy does not apply to: chosen, or nil
// for the listener's config, or that with the keys of SetSessionTicketKeys.
func (p *policy) plain(chosen *tls.Config) *tls.Config {
	p.mu.Lock()
	defer p.mu.Unlock()
	if chosen != nil && (chosen.WrapSession != nil || chosen.UnwrapSession != nil) {
		cfg := chosen.Clone()
		keepMarkedOut(cfg, chosen.UnwrapSession)
		return cfg
	}
	if chosen != nil || len(p.explicit) == 0 {
		return chosen
	}
	if p.template == nil {
		p.template = p.server.config.Clone()
		p.template.GetConfigForClient = nil
		p.template.SetSessionTicketKeys(p.explicit)
		keepMarkedOut(p.template, p.server.unwrapSession)
	}
	return p.template
}

// derive returns a clone of from with the policy applied.
func (p *policy) derive(from *tls.Config) *tls.Config {
	cfg := from.Clone()
	p.apply(cfg)
	verify := from.VerifyConnection
	cfg.VerifyConnection = func(cs tls.ConnectionState) error {
		if err := p.verify(cs); err != nil || verify == nil {
			return err
		}
		return verify(cs)
	}
	if from == p.server.config {
		cfg.UnwrapSession = p.server.unwrapSession // which knows nothing of marks
	}
	keys := p.random
	if len(p.explicit) > 0 {
		keys = p.explicit
	}
	cfg.SetSessionTicketKeys(keys)
	p.markTickets(cfg)
	return cfg
}

// renew makes a new key when the newest has been in use for long enough.
func (p *policy) renew() error {
	now := p.server.now()
	if len(p.explicit) > 0 || now.Before(p.rotate) {
		return nil
	}
	var key [32]byte
	if _, err := rand.Read(key[:]); err != nil {
		return err
	}
	p.random = append([][32]byte{key}, p.random[:min(len(p.random), keysKept)]...)
	p.rotate = now.Add(keyRotation)
	p.template = nil
	return nil
}

// now is the time as the server's config has it.
func (s *Server) now() time.Time {
	if s.config.Time != nil {
		return s.config.Time()
	}
	return time.Now()
}

// SetSessionTicketKeys sets the keys of session tickets, for servers that share them or
// keep them across restarts. Use it in place of the method of tls.Config with the same
// name, which does not reach the policies. The keys of each policy are derived from the
// ones given, so that no ticket works under another policy. It may be called at any
// time. Without it, each policy has random keys and makes a new one every day. It panics
// if keys is empty.
//
// The keys are not used for clients that get a config from the base config's
// GetConfigForClient and that no policy applies to: they have the keys of that config.
func (s *Server) SetSessionTicketKeys(keys [][32]byte) {
	if len(keys) == 0 {
		panic("reqmtls: SetSessionTicketKeys needs at least one key")
	}
	s.base.setKeys(append([][32]byte(nil), keys...))
	s.general.setKeys(deriveKeys(keys, ""))
	for name, p := range s.names {
		p.setKeys(deriveKeys(keys, name))
	}
}

func (p *policy) setKeys(keys [][32]byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.explicit = keys
	p.template = nil
}

// deriveKeys returns the keys of the policy for a server name.
func deriveKeys(keys [][32]byte, name string) [][32]byte {
	derived := make([][32]byte, len(keys))
	for i, key := range keys {
		// Expand fails for lengths that SHA-256 cannot give only.
		b, err := hkdf.Expand(sha256.New, key[:], "tlsflags reqmtls ticket key "+name, len(derived[i]))
		if err != nil {
			panic(err)
		}
		copy(derived[i][:], b)
	}
	return derived
}

// markTickets makes cfg mark its sessions, and resume only those that carry the
// policy's own mark, which goes with a certificate. Where the application has only one of
// WrapSession and UnwrapSession, the policy's keys do the other half, as the keys of
// the config do in crypto/tls: what the application refuses stays refused.
func (p *policy) markTickets(cfg *tls.Config) {
	keys := cfg.Clone() // whose EncryptTicket and DecryptTicket use the keys of cfg
	wrapSession, unwrapSession := cfg.WrapSession, cfg.UnwrapSession
	if wrapSession == nil {
		wrapSession = keys.EncryptTicket
	}
	if unwrapSession == nil {
		unwrapSession = keys.DecryptTicket
	}
	cfg.WrapSession = func(cs tls.ConnectionState, session *tls.SessionState) ([]byte, error) {
		mark := p.mark
		if len(cs.PeerCertificates) == 0 {
			mark = markNone
		}
		session.Extra = append(session.Extra, []byte(mark))
		return wrapSession(cs, session)
	}
	cfg.UnwrapSession = func(identity []byte, cs tls.ConnectionState) (*tls.SessionState, error) {
		session, err := unwrapSession(identity, cs)
		if err != nil || session == nil || !slices.ContainsFunc(session.Extra, p.isOwnMark) {
			return nil, err
		}
		return session, nil
	}
}

// keepMarkedOut makes cfg, which no policy applies to, resume no session of a policy.
// unwrapSession is the application's. Without it and WrapSession there is nothing to do:
// the keys of cfg open no ticket of a policy.
func keepMarkedOut(cfg *tls.Config, unwrapSession func([]byte, tls.ConnectionState) (*tls.SessionState, error)) {
	switch {
	case unwrapSession != nil:
		cfg.UnwrapSession = withoutMarked(unwrapSession)
	case cfg.WrapSession != nil:
		cfg.UnwrapSession = withoutMarked(cfg.DecryptTicket)
	}
}

// withoutMarked returns an UnwrapSession like unwrapSession that resumes no session of a
// policy, for the clients that no policy applies to.
func withoutMarked(unwrapSession func([]byte, tls.ConnectionState) (*tls.SessionState, error)) func([]byte, tls.ConnectionState) (*tls.SessionState, error) {
	return func(identity []byte, cs tls.ConnectionState) (*tls.SessionState, error) {
		session, err := unwrapSession(identity, cs)
		if err != nil || session == nil || slices.ContainsFunc(session.Extra, isMark) {
			return nil, err
		}
		return session, nil
	}
}

func (p *policy) isOwnMark(extra []byte) bool { return string(extra) == p.mark }

func isMark(extra []byte) bool { return bytes.HasPrefix(extra, []byte(markPrefix)) }
