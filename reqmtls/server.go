package reqmtls

import (
	"crypto/tls"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
)

// Server makes servers of crypto/tls honour the flag. Several of them may share it, and
// all of its methods may be called by many goroutines at once.
type Server struct {
	flag    extension.Flag
	types   []extension.Type
	limit   int
	strict  bool
	inspect func(*Conn, clienthello.ClientHello)
	report  func(Event)

	config        *tls.Config // what TLSConfig returns
	choose        func(*tls.ClientHelloInfo) (*tls.Config, error)
	ech           bool
	echKeys       func(*tls.ClientHelloInfo) ([]tls.EncryptedClientHelloKey, error)
	unwrapSession func([]byte, tls.ConnectionState) (*tls.SessionState, error)
	recorders     sync.Pool
	unflagged     Hello // shared by all clients without flags

	base    *policy // Policy is nil; in use once SetSessionTicketKeys was called
	general *policy
	names   map[string]*policy
}

// New returns a Server that treats clients with the flag as c says, and all others as
// base says. It does not change base. base must have the server's certificate, because
// the files given to http.Server.ServeTLS do not reach this package, and must not demand a
// certificate of every client already; New returns an error otherwise.
func New(base *tls.Config, c Config) (*Server, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if base == nil || len(base.Certificates) == 0 && base.GetCertificate == nil && base.GetConfigForClient == nil {
		return nil, errors.New("reqmtls: the base config has no certificate: set Certificates, GetCertificate or GetConfigForClient")
	}
	if demandsCertificate(base) {
		return nil, errors.New("reqmtls: the base config demands a certificate of every client, so the flag could only weaken it; leave its ClientAuth alone or run without reqmtls")
	}
	if c.Flag == 0 {
		c.Flag = extension.RequestMTLS
	}
	if c.Limit == 0 {
		c.Limit = DefaultLimit
	}
	s := &Server{
		flag:          c.Flag,
		types:         slices.Clone(c.Types),
		limit:         c.Limit,
		strict:        c.RefuseMalformed,
		inspect:       c.Inspect,
		report:        c.Observe,
		config:        base.Clone(),
		choose:        base.GetConfigForClient,
		ech:           len(base.EncryptedClientHelloKeys) > 0 || base.GetEncryptedClientHelloKeys != nil,
		echKeys:       base.GetEncryptedClientHelloKeys,
		unwrapSession: base.UnwrapSession,
		recorders: sync.Pool{New: func() any {
			return &recorder{memory: make([]byte, c.Limit)}
		}},
		names: make(map[string]*policy, len(c.Names)),
	}
	s.config.GetConfigForClient = s.configForClient
	if s.echKeys != nil {
		s.config.GetEncryptedClientHelloKeys = s.encryptedClientHelloKeys
	}
	keepMarkedOut(s.config, base.UnwrapSession)
	s.base = &policy{server: s}
	s.general = newPolicy(s, "", c.Policy)
	for name, p := range c.Names {
		s.names[name] = newPolicy(s, name, p)
	}
	return s, nil
}

// TLSConfig returns the config for the server, always the same one. It may be changed
// until the first connection comes, as package http does for HTTP/2; the configs for
// flagged clients are made from it when the first of them connects. If NextProtos is
// set, it must list what the server speaks, because package http corrects its own copy
// only.
func (s *Server) TLSConfig() *tls.Config { return s.config }

// configForClient is the GetConfigForClient of the config.
func (s *Server) configForClient(info *tls.ClientHelloInfo) (*tls.Config, error) {
	var chosen *tls.Config
	if s.choose != nil {
		var err error
		if chosen, err = s.choose(info); err != nil {
			return nil, err
		}
	}
	conn, _ := underlying(info.Conn)
	hello := s.helloFor(conn, info)
	effective := chosen
	if effective == nil {
		effective = s.config
	}
	if s.strict && hello != nil && hello.Code != 0 && hello.Type != 0 && speaksTLS13(effective, info) {
		return nil, s.refuse(conn, hello, info)
	}
	p := s.policyFor(info.ServerName)
	if !p.appliesTo(hello, effective, info) {
		s.notApplied(conn, hello, info)
		return s.base.plain(chosen), nil
	}
	return s.policyConfig(p, conn, hello, chosen, info)
}

// helloFor returns what is known about the client, nil where it was not recorded.
func (s *Server) helloFor(conn *Conn, info *tls.ClientHelloInfo) *Hello {
	if conn == nil {
		return nil
	}
	conn.endRecording(info)
	return conn.hello.Load()
}

// policyFor returns the policy for a server name, which crypto/tls has seen to be
// without a final dot.
func (s *Server) policyFor(name string) *policy {
	if len(s.names) == 0 || name == "" {
		return s.general
	}
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
func (s *Server) policyConfig(p *policy, conn *Conn, hello *Hello, chosen *tls.Config, info *tls.ClientHelloInfo) (*tls.Config, error) {
	cfg, err := p.config(chosen)
	if err != nil {
		return nil, err
	}
	if conn == nil { // AskEverybody reaches also those who were not recorded
		s.observe(Event{ServerName: info.ServerName, Outcome: Unrecorded, Asked: true})
		return cfg, nil
	}
	applied := Hello{}
	if hello != nil {
		applied = *hello
	}
	applied.Applied, applied.Policy = true, p.name
	conn.hello.Store(&applied)
	e := &Event{RemoteAddr: conn.RemoteAddr(), ServerName: info.ServerName, Hello: applied, Asked: true}
	conn.pending.Store(e)

	next := cfg.VerifyConnection
	cfg.VerifyConnection = func(cs tls.ConnectionState) error {
		err := next(cs)
		if conn.pending.CompareAndSwap(e, nil) {
			e.conclude(cs, err)
			s.observe(*e)
		}
		return err
	}
	return cfg, nil
}

// refuse ends a handshake over a malformed extension.
func (s *Server) refuse(conn *Conn, hello *Hello, info *tls.ClientHelloInfo) error {
	conn.sendAlert(hello.Code.Alert())
	s.observe(Event{
		RemoteAddr: conn.RemoteAddr(), ServerName: info.ServerName,
		Hello: *hello, Outcome: Refused, Err: hello.Code,
	})
	return hello.Code
}

// conclude fills in how the handshake went.
func (e *Event) conclude(cs tls.ConnectionState, err error) {
	e.Asked = !cs.DidResume
	e.Err = err
	switch {
	case err != nil:
		e.Outcome = Refused
	case len(cs.PeerCertificates) > 0:
		e.Outcome = Given
	default:
		e.Outcome = NotGiven
	}
}

// notApplied reports a client that gets the base config.
func (s *Server) notApplied(conn *Conn, hello *Hello, info *tls.ClientHelloInfo) {
	if s.report == nil {
		return
	}
	e := Event{ServerName: info.ServerName, Outcome: NotApplied}
	if conn != nil {
		e.RemoteAddr = conn.RemoteAddr()
	}
	if hello == nil {
		e.Outcome = Unrecorded
	} else {
		e.Hello = *hello
	}
	s.observe(e)
}

func (s *Server) observe(e Event) {
	if s.report != nil {
		s.report(e)
	}
}
