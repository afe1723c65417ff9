//lint:file-ignore SA1019 http.Transport, recommended in place of http2.Transport, speaks HTTP/2 on connections of crypto/tls only.

package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"

	"golang.org/x/net/http2"
)

const (
	protocolHTTP1 = "http/1.1"
	protocolHTTP2 = "h2"
)

// errOtherProtocol is why a connection is not used: the server chose another version
// of HTTP than the last time.
var errOtherProtocol = errors.New("client: the server changed its version of HTTP")

// Transport is an http.RoundTripper that makes its requests over connections of a
// Client, in HTTP/2 or HTTP/1.1 as the server chooses. It refuses URLs other than https,
// and uses no proxy. It may be used by many goroutines at once.
//
// http.Transport would not do, because it speaks HTTP/2 on connections of crypto/tls only.
type Transport struct {
	client *Client
	http1  *http.Transport
	http2  *http2.Transport

	mu    sync.Mutex
	hosts map[string]*host
}

// host is what is known about a server.
type host struct {
	turn     chan struct{} // holds one token: who has it may find out the protocol
	protocol string        // "" while unknown
	fresh    *Conn         // made to find out, not in use yet
}

// Transport returns a RoundTripper with connections of its own.
func (c *Client) Transport() *Transport {
	t := &Transport{client: c, hosts: make(map[string]*host)}
	t.http1 = &http.Transport{
		DialTLSContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			return t.conn(ctx, network, addr, protocolHTTP1)
		},
		IdleConnTimeout: 90 * time.Second,
	}
	t.http2 = &http2.Transport{
		DialTLSContext: func(ctx context.Context, network, addr string, _ *tls.Config) (net.Conn, error) {
			return t.conn(ctx, network, addr, protocolHTTP2)
		},
		IdleConnTimeout: 90 * time.Second,
	}
	return t
}

// RoundTrip makes a request. ReportOf returns the report of its connection.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != "https" {
		closeBody(req)
		return nil, fmt.Errorf("client: %s: TLS flags need https", req.URL.Redacted())
	}
	addr := hostPort(req)
	protocol, err := t.protocol(req.Context(), addr)
	if err != nil {
		closeBody(req)
		return nil, err
	}
	resp, err := t.roundTrip(req, protocol)
	if !errors.Is(err, errOtherProtocol) {
		return resp, err
	}
	// Nothing was sent, but the body is closed.
	if req.Body != nil && req.Body != http.NoBody {
		if req.GetBody == nil {
			return nil, err
		}
		body, bodyErr := req.GetBody()
		if bodyErr != nil {
			return nil, bodyErr
		}
		req = req.Clone(req.Context())
		req.Body = body
	}
	if protocol, err = t.protocol(req.Context(), addr); err != nil {
		closeBody(req)
		return nil, err
	}
	return t.roundTrip(req, protocol)
}

type connKey struct{}

// roundTrip makes a request with one version of HTTP.
func (t *Transport) roundTrip(req *http.Request, protocol string) (*http.Response, error) {
	var used *Conn
	ctx := httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) { used, _ = info.Conn.(*Conn) },
	})
	var rt http.RoundTripper = t.http1
	if protocol == protocolHTTP2 {
		rt = t.http2
	}
	resp, err := rt.RoundTrip(req.WithContext(ctx))
	if err != nil || used == nil {
		return resp, err
	}
	resp.Request = req.WithContext(context.WithValue(req.Context(), connKey{}, used))
	if resp.TLS == nil {
		state := used.ConnectionState()
		resp.TLS = &state
	}
	return resp, nil
}

// ReportOf returns the report of the connection that a response came over, and false if
// the response is not from a Transport.
func ReportOf(resp *http.Response) (Report, bool) {
	if resp.Request == nil {
		return Report{}, false
	}
	c, ok := resp.Request.Context().Value(connKey{}).(*Conn)
	if !ok {
		return Report{}, false
	}
	return c.Report(), true
}

func (t *Transport) host(addr string) *host {
	t.mu.Lock()
	defer t.mu.Unlock()
	h := t.hosts[addr]
	if h == nil {
		h = &host{turn: make(chan struct{}, 1)}
		h.turn <- struct{}{}
		t.hosts[addr] = h
	}
	return h
}

// protocol returns the version of HTTP that a server chooses. The first time it makes
// a connection to find out, which conn hands out next.
func (t *Transport) protocol(ctx context.Context, addr string) (string, error) {
	h := t.host(addr)
	select {
	case <-h.turn:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	defer func() { h.turn <- struct{}{} }()
	t.mu.Lock()
	known := h.protocol
	t.mu.Unlock()
	if known != "" {
		return known, nil
	}
	c, err := t.client.dialFor(ctx, "tcp", addr, []string{protocolHTTP2, protocolHTTP1})
	if err != nil {
		return "", err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	h.protocol, h.fresh = protocolOf(c), c
	return h.protocol, nil
}

// conn returns a connection of the wanted protocol.
func (t *Transport) conn(ctx context.Context, network, addr, protocol string) (net.Conn, error) {
	h := t.host(addr)
	t.mu.Lock()
	c := h.fresh
	h.fresh = nil
	t.mu.Unlock()
	if c == nil {
		var err error
		if c, err = t.client.dialFor(ctx, network, addr, []string{protocolHTTP2, protocolHTTP1}); err != nil {
			return nil, err
		}
	}
	if got := protocolOf(c); got != protocol {
		t.mu.Lock()
		h.protocol = got
		t.mu.Unlock()
		c.Close()
		return nil, errOtherProtocol
	}
	return c, nil
}

func protocolOf(c *Conn) string {
	if c.ConnectionState().NegotiatedProtocol == protocolHTTP2 {
		return protocolHTTP2
	}
	return protocolHTTP1
}

// CloseIdleConnections closes connections that are not in use. The method of http.Client
// with the same name calls it.
func (t *Transport) CloseIdleConnections() {
	t.mu.Lock()
	for _, h := range t.hosts {
		if h.fresh != nil {
			h.fresh.Close()
			h.fresh, h.protocol = nil, ""
		}
	}
	t.mu.Unlock()
	t.http1.CloseIdleConnections()
	t.http2.CloseIdleConnections()
}

// hostPort returns the address of a request's server.
func hostPort(req *http.Request) string {
	port := req.URL.Port()
	if port == "" {
		port = "443"
	}
	return net.JoinHostPort(req.URL.Hostname(), port)
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		req.Body.Close()
	}
}
