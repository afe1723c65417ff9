// Package demo is a web server that honours request_mtls and tells each visitor what the
// ClientHello said and what happened.
package demo

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"golang.org/x/net/netutil"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/reqmtls"
)

// Config configures a Server.
type Config struct {
	Listen         string // host:port
	Dir            string // keeps the certificates
	Mode           reqmtls.Mode
	AskAll         bool
	Flags          []extension.Flag
	Types          []extension.Type
	Strict         bool // refuse malformed flags
	MaxConnections int
	Log            *slog.Logger
}

// Server is a demo server that listens.
type Server struct {
	listener net.Listener
	mtls     *reqmtls.Server
	web      *http.Server
	log      *slog.Logger
}

// New reads the certificates in the folder, or makes them if there are none, and listens.
func New(c Config) (*Server, error) {
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return nil, fmt.Errorf("listening address %q: %w", c.Listen, err)
	}
	ca, err := authority(c.Dir)
	if err != nil {
		return nil, err
	}
	cert, err := ca.Server(serverNames(host)...)
	if err != nil {
		return nil, err
	}
	s := &Server{log: c.Log}
	s.mtls, err = reqmtls.New(&tls.Config{Certificates: []tls.Certificate{cert}}, reqmtls.Config{
		Mode:            c.Mode,
		ClientCAs:       ca.Pool(),
		AskAll:          c.AskAll,
		Flags:           c.Flags,
		Types:           c.Types,
		RefuseMalformed: c.Strict,
		Inspect:         keep,
		Observe:         s.observe,
		Logger:          c.Log,
	})
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return nil, err
	}
	s.listener = visitors{netutil.LimitListener(listener, c.MaxConnections)}
	s.web = &http.Server{
		Handler:           handler(),
		ConnContext:       connContext,
		ReadHeaderTimeout: 10 * time.Second, // of the TLS handshake, too
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(c.Log.Handler(), slog.LevelDebug),
	}
	return s, nil
}

// URL returns where the server listens.
func (s *Server) URL() string { return "https://" + s.listener.Addr().String() }

// Serve serves until the context is done, and then lets requests end for a moment.
func (s *Server) Serve(ctx context.Context) error {
	ended := make(chan error, 1)
	go func() { ended <- s.mtls.ServeTLS(s.web, s.listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	s.log.Info("stopping")
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	s.web.Shutdown(grace)
	s.web.Close() // ends the requests that are left
	<-ended
	return nil
}

// observe logs how a connection went.
func (s *Server) observe(e reqmtls.Event) {
	attrs := []any{
		"remote", e.RemoteAddr, "server_name", e.ServerName,
		"flagged", e.Hello.Flagged, "asked", e.CertificateRequested, "outcome", e.Outcome.String(),
	}
	if e.Hello.Err != nil {
		attrs = append(attrs, "hello_error", e.Hello.Err)
	}
	if e.Err != nil {
		attrs = append(attrs, "error", e.Err)
	}
	s.log.Info("connection", attrs...)
}

// serverNames are the names in the server's certificate.
func serverNames(host string) []string {
	names := []string{"localhost", "127.0.0.1", "::1"}
	if ip := net.ParseIP(host); host != "" && (ip == nil || !ip.IsUnspecified()) {
		names = append(names, host)
	}
	if name, err := os.Hostname(); err == nil {
		names = append(names, name)
	}
	return names
}

// visitors is a listener whose connections have room for their ClientHello.
type visitors struct{ net.Listener }

type visitor struct {
	net.Conn
	hello []byte
}

// Accept waits for the next visitor.
func (l visitors) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &visitor{Conn: c}, nil
}

// keep copies the ClientHello.
func keep(c *reqmtls.Conn, hello clienthello.ClientHello) {
	c.NetConn().(*visitor).hello = hello.AppendTo(nil)
}

type visitorKey struct{}

func connContext(ctx context.Context, c net.Conn) context.Context {
	if conn, ok := c.(*tls.Conn).NetConn().(*reqmtls.Conn); ok {
		ctx = context.WithValue(ctx, visitorKey{}, conn.NetConn())
	}
	return ctx
}
