package reqmtls

import (
	"cmp"
	"crypto/tls"
	"reflect"
	"strings"
)

// configForClient is the GetConfigForClient of made, a config of TLSConfig. choose is
// that of the application.
func (s *Server) configForClient(info *tls.ClientHelloInfo, made *tls.Config, choose func(*tls.ClientHelloInfo) (*tls.Config, error)) (*tls.Config, error) {
	conn := s.connOf(info)
	if conn != nil {
		conn.configured.Store(true)
	}
	var chosen *tls.Config
	if choose != nil {
		var err error
		if chosen, err = choose(info); err != nil {
			return nil, err
		}
	}
	served := servedConfig(info)
	known := served != nil
	if !known {
		s.warn(warnServed, "reqmtls: crypto/tls does not say which config a connection has; flagged clients get that of Server.TLSConfig, without what the server changes in a copy, such as NextProtos")
		served = made
	}
	var hello *Hello // nil if unknown
	if conn != nil {
		conn.endRecording(info, served)
		hello = conn.hello.Load()
	}
	effective := cmp.Or(chosen, served)
	if s.strict && hello != nil && hello.Err != nil && hello.extension != 0 && speaksTLS13(effective, info) {
		return nil, s.refuseMalformed(conn, hello, info)
	}
	p := s.policyFor(info.ServerName)
	if p.appliesTo(hello, effective, info) {
		return s.policyConfig(p, conn, hello, chosen, served, info), nil
	}
	if hello == nil && p.Mode != Ignore && !demandsCertificate(effective) {
		s.warnHalfMade(ErrNotWrapped)
		if p.Mode == Require {
			s.refuse(nil, info, ErrNotWrapped)
			return nil, ErrNotWrapped
		}
	}
	s.observe(newEvent(hello, info))
	if !known && chosen == nil && !hasSessionFunctions(made) {
		return nil, nil // crypto/tls uses what is served, which may demand more than made
	}
	return s.plain.plainConfig(chosen, served), nil
}

// connOf returns the connection of a handshake, and nil if s has not wrapped it. Another
// Server may have, by mistake.
func (s *Server) connOf(info *tls.ClientHelloInfo) *Conn {
	conn, ok := underlying(info.Conn)
	for ok && conn.server != s {
		conn, ok = underlying(conn.netConn)
	}
	return conn
}

// configField is the field of tls.ClientHelloInfo that has the config of the connection.
var configField, _ = reflect.TypeFor[tls.ClientHelloInfo]().FieldByName("config")

// servedConfig returns the config that the connection was made with, and nil if crypto/tls
// does not say. It is often a copy of that of TLSConfig: net/http and net/http/httptest set
// NextProtos in a copy of their own. crypto/tls uses this config if GetConfigForClient
// returns nil, so it is what unflagged clients get, but it has no exported way to ask for
// it; hence the look at a field that is not exported, if that has the expected type.
func servedConfig(info *tls.ClientHelloInfo) *tls.Config {
	if configField.Type != reflect.TypeFor[*tls.Config]() {
		return nil
	}
	return (*tls.Config)(reflect.ValueOf(info).Elem().FieldByIndex(configField.Index).UnsafePointer())
}

// policyFor returns the policy for a server name. crypto/tls accepts none with a final
// dot.
func (s *Server) policyFor(name string) *policy {
	name = strings.ToLower(name)
	if p, ok := s.names[name]; ok {
		return p
	}
	if _, parent, ok := strings.Cut(name, "."); ok {
		if p, ok := s.names["*."+parent]; ok {
			return p
		}
	}
	return s.general
}

// policyConfig returns the config of policy p for this one connection.
func (s *Server) policyConfig(p *policy, conn *Conn, hello *Hello, chosen, served *tls.Config, info *tls.ClientHelloInfo) *tls.Config {
	cfg := p.config(chosen, served)
	if conn == nil { // AskAll also applies to connections that are not wrapped
		e := newEvent(nil, info)
		e.CertificateRequested = true
		s.observe(e)
		return cfg
	}
	applied := Hello{}
	if hello != nil {
		applied = *hello
	}
	applied.Applied, applied.Policy = true, p.name
	conn.hello.Store(&applied)
	e := newEvent(&applied, info)
	e.CertificateRequested = true
	conn.pending.Store(&e)

	next := cfg.VerifyConnection
	cfg.VerifyConnection = func(cs tls.ConnectionState) error {
		err := next(cs)
		if conn.pending.CompareAndSwap(&e, nil) {
			e.conclude(cs, err)
			s.observe(e)
		}
		return err
	}
	return cfg
}

// refuseMalformed ends a handshake over a malformed extension.
func (s *Server) refuseMalformed(conn *Conn, hello *Hello, info *tls.ClientHelloInfo) error {
	conn.sendAlert(alertOf(hello.Err))
	s.refuse(hello, info, hello.Err)
	return hello.Err
}

// refuse reports a client that was refused before the policy was applied.
func (s *Server) refuse(hello *Hello, info *tls.ClientHelloInfo, err error) {
	e := newEvent(hello, info)
	e.Outcome, e.Err = Refused, err
	s.observe(e)
}

// conclude fills in how the handshake went.
func (e *Event) conclude(cs tls.ConnectionState, err error) {
	e.CertificateRequested = !cs.DidResume
	e.Err = err
	switch {
	case err != nil:
		e.Outcome = Refused
	case len(cs.PeerCertificates) > 0:
		e.Outcome = Accepted
	default:
		e.Outcome = NoCertificate
	}
}

// newEvent returns the event of a client, as if no policy applied to it. hello is nil if
// it is unknown.
func newEvent(hello *Hello, info *tls.ClientHelloInfo) Event {
	e := Event{ServerName: info.ServerName, Outcome: NotApplied}
	if info.Conn != nil {
		e.RemoteAddr = info.Conn.RemoteAddr()
	}
	if hello == nil {
		e.Outcome = NotWrapped
	} else {
		e.Hello = *hello
	}
	return e
}

func (s *Server) observe(e Event) {
	if s.report != nil {
		s.report(e)
	}
}
