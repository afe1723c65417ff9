package reqmtls

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"weak"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
)

// Server makes servers of crypto/tls honour the flag. Several of them may share it, and
// all of its methods may be called by many goroutines at once.
type Server struct {
	flags   []extension.Flag
	types   []extension.Type
	limit   int
	strict  bool
	inspect func(*Conn, clienthello.ClientHello)
	report  func(Event)

	base      func() *tls.Config // the copy that New's doc speaks of
	own       func() *tls.Config // of NewListener and NewConn
	ech       atomic.Bool        // a config has keys for Encrypted Client Hello
	recorders sync.Pool
	unflagged Hello // shared by all clients without flags

	plain   ticketKeys // of clients that no policy applies to
	general *policy
	names   map[string]*policy

	logger   *slog.Logger
	warnings [warningKinds]sync.Once

	mu   sync.Mutex
	http map[weak.Pointer[http.Server]]bool // those that ServeTLS has set up
}

// ErrNotWrapped is the error of a handshake in which the client's TLS flags are unknown
// although Mode is Require.
var ErrNotWrapped = errors.New("reqmtls: Server.TLSConfig is used without Server.Listener, or something around its connections has no method NetConn: use Server.ServeTLS, NewListener or NewConn")

var errNotConfigured = errors.New("reqmtls: Server.Listener is used without Server.TLSConfig, or GetConfigForClient of that config was replaced: use Server.ServeTLS, NewListener or NewConn, and set GetConfigForClient before New")

var errIsTLS = errors.New("reqmtls: the connections of the listener are TLS already: pass the listener below to Server.ServeTLS or NewListener, without tls.NewListener")

// New returns a Server that treats clients with the flag as c says, and all others as
// base says. base must have the server's certificate, because the files given to
// http.Server.ServeTLS do not reach this package, and must not demand a certificate of
// every client already. New returns an error otherwise, and for every other setting that
// would have no effect.
//
// New does not change base. The first call of a method that serves copies it; changes of
// base after that have no effect.
func New(base *tls.Config, c Config) (*Server, error) {
	if err := c.check(base); err != nil {
		return nil, err
	}
	c = c.withDefaults()
	s := &Server{
		flags:   c.Flags,
		types:   c.Types,
		limit:   c.Limit,
		strict:  c.RefuseMalformed,
		inspect: c.Inspect,
		report:  c.Observe,
		logger:  c.Logger,
		base:    sync.OnceValue(base.Clone),
		recorders: sync.Pool{New: func() any {
			return &recorder{memory: make([]byte, c.Limit)}
		}},
		names: make(map[string]*policy, len(c.Names)),
		http:  make(map[weak.Pointer[http.Server]]bool),
	}
	s.own = sync.OnceValue(s.TLSConfig)
	s.general = newPolicy(s, "", c.policy())
	for name, p := range c.Names {
		s.names[name] = newPolicy(s, name, p)
	}
	return s, nil
}

// ServeTLS serves HTTPS on l, and replaces server.ServeTLS(l, "", ""). It sets
// server.TLSConfig, and refuses a server that has one: what is in it belongs in the base
// config. It sets ConnContext as well, so that FromContext works in handlers; a
// ConnContext of the application is called after that of this package.
func (s *Server) ServeTLS(server *http.Server, l net.Listener) error {
	if err := s.setUp(server); err != nil {
		return err
	}
	return server.ServeTLS(s.Listener(l), "", "")
}

// setUp prepares server for ServeTLS, once.
func (s *Server) setUp(server *http.Server) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := weak.Make(server)
	if s.http[key] {
		return nil
	}
	if server.TLSConfig != nil {
		return errors.New("reqmtls: the http.Server has a TLSConfig, which ServeTLS would replace: leave it nil and give its settings to New as the base config")
	}
	s.http[key] = true
	runtime.AddCleanup(server, s.forget, key)
	server.TLSConfig = s.TLSConfig()
	server.ConnContext = joinConnContext(server.ConnContext)
	return nil
}

// forget drops an http.Server that is no longer in use.
func (s *Server) forget(key weak.Pointer[http.Server]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.http, key)
}

// NewListener returns a listener whose connections are TLS connections, as those of
// tls.NewListener. The connections of inner must begin with TLS, so a listener that
// removes the header of the PROXY protocol has to be inner, or inside it.
func (s *Server) NewListener(inner net.Listener) net.Listener {
	return tls.NewListener(s.Listener(inner), s.own())
}

// NewConn returns a TLS connection with the server side of conn, as tls.Server does.
// Nothing may have been read from conn yet.
func (s *Server) NewConn(conn net.Conn) *tls.Conn { return tls.Server(s.Wrap(conn), s.own()) }

// TLSConfig returns a new config, for servers that need a config and a listener, such as
// those of gRPC. The listener must be that of Listener: without it, the client's flags
// are not seen. Each server should have a config of its own, because some write into it,
// and the servers that share one share the keys of session tickets.
//
// The config may be changed until the first connection comes, but not its
// GetConfigForClient, nor its keys for Encrypted Client Hello: set these in the base
// config. Flagged clients get the config that the server serves with, also if that is a
// changed copy of this one, with the policy applied.
func (s *Server) TLSConfig() *tls.Config {
	config := s.base().Clone()
	if demandsCertificate(config) {
		s.warn(warnDemand, "reqmtls: the base config has come to demand a certificate of every client; no policy applies")
	}
	if acceptsECH(config) {
		s.ech.Store(true)
	}
	s.keepECHKeys(config)
	choose := config.GetConfigForClient
	config.GetConfigForClient = func(info *tls.ClientHelloInfo) (*tls.Config, error) {
		return s.configForClient(info, config, choose)
	}
	return config
}

// Listener returns a listener that records what clients say, for servers that also take
// the config of TLSConfig. The connections of inner must begin with TLS, as for
// NewListener, and must not be those of tls.NewListener. Nothing but TLS may wrap the
// returned listener.
func (s *Server) Listener(inner net.Listener) net.Listener { return listener{inner, s} }

// listener wraps what it accepts.
type listener struct {
	net.Listener
	server *Server
}

// Accept waits for the next connection and wraps it.
func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if conn, ok := c.(*Conn); ok && conn.server == l.server {
		return conn, nil // inner is of Server.Listener, too
	}
	// All that a *tls.Conn is known by, also when another type embeds it.
	if _, ok := c.(interface{ ConnectionState() tls.ConnectionState }); ok {
		c.Close()
		return nil, errIsTLS
	}
	return l.server.Wrap(c), nil
}

// Wrap returns a connection to pass to tls.Server, together with the config of TLSConfig.
// NewConn does both.
func (s *Server) Wrap(c net.Conn) *Conn { return &Conn{netConn: c, server: s} }

// demands reports whether a policy demands certificates.
func (s *Server) demands() bool {
	if s.general.Mode == Require {
		return true
	}
	for _, p := range s.names {
		if p.Mode == Require {
			return true
		}
	}
	return false
}

// The kinds of warnings, each of which is logged once.
const (
	warnHalf = iota
	warnDemand
	warnVerify
	warnServed
	warningKinds
)

func (s *Server) warn(kind int, message string) {
	s.warnings[kind].Do(func() {
		logger := s.logger
		if logger == nil {
			logger = slog.Default()
		}
		logger.Warn(message)
	})
}

// warnHalfMade logs that listener and config are not used together.
func (s *Server) warnHalfMade(err error) { s.warn(warnHalf, err.Error()) }
