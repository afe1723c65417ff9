package reqmtls

import (
	"bytes"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"slices"
	"sync"
	"time"
)

// A session may be resumed only under the policy that it was made under, and only if
// it has a certificate: resuming skips the CertificateRequest (RFC 9846, Section
// 4.4.2), so a client that once came without flag, or without certificate, would
// otherwise not be asked again as long as its tickets last. Two things ensure that.
// Each policy has ticket keys of its own, set explicitly: keys that crypto/tls makes
// by itself belong to the config of the listener, whatever GetConfigForClient
// returns. And each ticket of a policy carries a mark, which also separates the
// sessions that an application's WrapSession handles. Keys and marks depend on the
// policy's server name, mode and authorities, because other Servers, or this one after
// a restart, may have been given the same keys for another policy.

const (
	keyRotation = 24 * time.Hour
	oldKeysKept = 7 // beside the newest; tickets of older keys have expired, after seven days
)

// ticketKeys are the keys of SetSessionTicketKeys, and the config with them.
type ticketKeys struct {
	mu       sync.Mutex
	explicit [][32]byte // in force until the next call
	template *tls.Config
	source   *tls.Config // what template was made from
}

// policy is a Policy in use.
type policy struct {
	Policy
	server *Server
	name   string
	id     string // differs for any two policies between which no session is resumed

	ticketKeys
	random [][32]byte // the newest first; in use while explicit is empty
	rotate time.Time  // when random needs a new key
}

func newPolicy(s *Server, name string, p Policy) *policy {
	return &policy{Policy: p, server: s, name: name, id: policyID(name, p)}
}

// policyID returns a hash of what the sessions of a policy are bound to.
func policyID(name string, p Policy) string {
	return sessionID(fmt.Sprintf("%q %v", name, p.Mode), p.ClientCAs)
}

// sessionID returns a hash of what sessions are bound to. Authorities are their names, since
// a pool does not give its certificates; crypto/tls verifies the chain of a resumed session
// again in the modes that verify.
func sessionID(what string, authorities *x509.CertPool) string {
	h := sha256.New()
	fmt.Fprint(h, what)
	if authorities != nil {
		//lint:ignore SA1019 deprecated because the pool of the system lists nothing
		subjects := authorities.Subjects()
		slices.SortFunc(subjects, bytes.Compare)
		for _, subject := range subjects {
			fmt.Fprintf(h, " %x", subject)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// appliesTo reports whether a client gets the policy's config, who would otherwise get
// cfg. hello is nil if it is unknown.
func (p *policy) appliesTo(hello *Hello, cfg *tls.Config, info *tls.ClientHelloInfo) bool {
	flagged := hello != nil && hello.Flagged && speaksTLS13(cfg, info)
	if p.Mode == Ignore || !p.AskAll && !flagged || demandsCertificate(cfg) {
		return false
	}
	if p.Mode == Request && cfg.ClientAuth == tls.VerifyClientCertIfGiven {
		p.server.warn(warnVerify, "reqmtls: a config verifies certificates and the policy's mode request does not; the policy is not applied: use mode VerifyIfGiven, or tls.RequestClientCert in the config")
		return false
	}
	return true
}

// config returns a config with the policy applied, for one connection, made from
// chosen, or if that is nil from served.
func (p *policy) config(chosen, served *tls.Config) *tls.Config {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.renew()
	if chosen != nil {
		return p.derive(chosen)
	}
	if p.template == nil || p.source != served {
		p.template, p.source = p.derive(served), served
	}
	return p.template.Clone()
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
	keys := p.random
	if len(p.explicit) > 0 {
		keys = p.explicit
	}
	cfg.SetSessionTicketKeys(keys)
	bindSessions(cfg, p.id)
	return cfg
}

// plainConfig returns what a client gets that no policy applies to: chosen, or nil for
// served, or a copy of one of them that resumes no session of a policy and has the keys
// of SetSessionTicketKeys.
func (k *ticketKeys) plainConfig(chosen, served *tls.Config) *tls.Config {
	if chosen != nil {
		if !hasSessionFunctions(chosen) {
			return chosen
		}
		cfg := chosen.Clone()
		rejectPolicySessions(cfg)
		return cfg
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	//mutation:equivalent a copy of served does the same
	if len(k.explicit) == 0 && !hasSessionFunctions(served) {
		return nil
	}
	if k.template == nil || k.source != served {
		k.template, k.source = served.Clone(), served
		if len(k.explicit) > 0 {
			k.template.SetSessionTicketKeys(k.explicit)
		}
		rejectPolicySessions(k.template)
	}
	return k.template
}

// renew makes a new key when the newest has been in use for long enough.
func (p *policy) renew() {
	now := p.server.now()
	if now.Before(p.rotate) {
		return
	}
	var key [32]byte
	rand.Read(key[:]) // it never fails
	p.random = append([][32]byte{key}, p.random[:min(len(p.random), oldKeysKept)]...)
	p.rotate = now.Add(keyRotation)
	p.template = nil
}

// now is the time as the base config has it.
func (s *Server) now() time.Time {
	if t := s.base().Time; t != nil {
		return t()
	}
	return time.Now()
}

// SetSessionTicketKeys sets the keys of session tickets, for servers that share them or
// keep them across restarts. Use it instead of the method of tls.Config with the same
// name, which does not reach the policies. The keys of each policy are derived from the
// ones given and from its server name, mode and authorities, so that no ticket works under
// another policy, also not in another Server with the same keys. It may be called at any
// time. Without it, each policy has random keys and makes a new one every day. It panics
// if keys is empty.
//
// Clients that get a config from the base config's GetConfigForClient, and that no policy
// applies to, have the keys of that config.
func (s *Server) SetSessionTicketKeys(keys [][32]byte) {
	if len(keys) == 0 {
		panic("reqmtls: SetSessionTicketKeys needs at least one key")
	}
	s.plain.set(slices.Clone(keys))
	s.general.set(deriveKeys(keys, s.general.id))
	for _, p := range s.names {
		p.set(deriveKeys(keys, p.id))
	}
}

func (k *ticketKeys) set(keys [][32]byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.explicit, k.template = keys, nil
}

// deriveKeys returns the keys of the policy with an id.
func deriveKeys(keys [][32]byte, id string) [][32]byte {
	derived := make([][32]byte, len(keys))
	for i, key := range keys {
		// Expand fails only for lengths that SHA-256 cannot give.
		//mutation:equivalent a byte more is cut off
		b, err := hkdf.Expand(sha256.New, key[:], "tlsflags reqmtls ticket key "+id, len(derived[i]))
		if err != nil {
			panic(err)
		}
		derived[i] = [32]byte(b)
	}
	return derived
}
