package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"hash/fnv"
	"net"
	"os"
	"sync/atomic"

	"github.com/tlsflags/tlsflags/reqmtls"
)

// listener makes TLS connections with the authorities that were loaded last.
type listener struct {
	net.Listener
	base     *tls.Config
	asking   atomic.Pointer[reqmtls.Server]
	ignoring *reqmtls.Server // for clients that are not in the roll-out, and counts them
	percent  int             // of the roll-out
	counters counters
}

func newListener(inner net.Listener, site tls.Certificate, bots string, percent int) (*listener, error) {
	l := &listener{Listener: inner, percent: percent, base: &tls.Config{
		Certificates: []tls.Certificate{site},
		NextProtos:   []string{"h2", "http/1.1"},
	}}
	var err error
	l.ignoring, err = reqmtls.New(l.base, reqmtls.Config{Mode: reqmtls.Ignore, Observe: l.observe})
	if err != nil {
		return nil, err
	}
	return l, l.load(bots)
}

// load reads the authorities from a file. They count for connections that come from now on.
func (l *listener) load(bots string) error {
	pem, err := os.ReadFile(bots)
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return fmt.Errorf("%s: no certificate in PEM", bots)
	}
	asking, err := reqmtls.New(l.base, reqmtls.Config{ClientCAs: pool, Observe: l.observe})
	if err != nil {
		return err
	}
	l.asking.Store(asking)
	return nil
}

func (l *listener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if !chosen(conn.RemoteAddr(), l.percent) {
		return l.ignoring.NewConn(conn), nil
	}
	return l.asking.Load().NewConn(conn), nil
}

// chosen reports whether a client is among the chosen percent of all addresses. The same address
// always gets the same answer, and stays chosen when percent grows.
func chosen(client net.Addr, percent int) bool {
	host, _, err := net.SplitHostPort(client.String())
	if err != nil {
		return false
	}
	h := fnv.New32a()
	h.Write([]byte(host))
	return int(h.Sum32()%100) < percent
}
