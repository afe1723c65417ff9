//lint:file-ignore SA1019 http.Transport, recommended in place of http2.Transport, speaks HTTP/2 on connections of crypto/tls only.

package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/net/http2"
	"golang.org/x/net/idna"
)

const (
	protocolHTTP1 = "http/1.1"
	protocolHTTP2 = "h2"
)

// otherProtocol is why a connection is not used: the server chose this version of HTTP,
// and another one the last time.
type otherProtocol string

func (otherProtocol) Error() string { return "client: the server changed its version of HTTP" }

// Transport is an http.RoundTripper that makes its requests over connections of a
// Client, in HTTP/2 or HTTP/1.1 as the server chooses. It refuses URLs other than https,
// and uses no proxy. It is safe for concurrent use.
//
// An http.Transport cannot do this, because it speaks HTTP/2 only on connections of
// crypto/tls.
type Transport struct {
	client *Client
	http1  *http.Transport
	http2  *http2.Transport

	mu    sync.Mutex
	hosts map[string]*host
}

// maxHosts is how many servers without a request under way are remembered.
const maxHosts = 1000

// host is what is known about a server. The mutex of the Transport guards it.
type host struct {
	users    int    // requests and dials under way; with any, the host stays in the map
	protocol string // "" if unknown
	probe    *probe // nil if none is under way
	fresh    *Conn  // made by a probe, not in use yet
}

// probe is an attempt to find out the protocol of a server. Its fields are set before
// done is closed.
type probe struct {
	done      chan struct{}
	err       error
	cancelled bool // by the request that made it, so that err says nothing about the server
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
		return nil, fmt.Errorf("client: %s: the URL is not https", req.URL.Redacted())
	}
	addr, err := hostPort(req)
	if err != nil {
		closeBody(req)
		return nil, err
	}
	h := t.acquire(addr)
	defer t.release(addr, h)
	protocol, err := t.protocol(req.Context(), addr, h)
	if err != nil {
		closeBody(req)
		return nil, err
	}
	resp, err := t.roundTrip(req, protocol)
	other, changed := errors.AsType[otherProtocol](err)
	if !changed {
		return resp, err
	}
	// Nothing was sent, but roundTrip has closed the body.
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
	return t.roundTrip(req, string(other))
}

type connKey struct{}

// roundTrip makes a request with one version of HTTP. On error it has closed the body,
// which http2.Transport leaves open if it gets no connection.
func (t *Transport) roundTrip(req *http.Request, protocol string) (*http.Response, error) {
	var used *Conn
	ctx := httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) { used = info.Conn.(*Conn) },
	})
	var rt http.RoundTripper = t.http1
	if protocol == protocolHTTP2 {
		rt = t.http2
	}
	sent := req.WithContext(ctx)
	if req.Body != nil && req.Body != http.NoBody {
		sent.Body = &onceCloser{ReadCloser: req.Body}
	}
	resp, err := rt.RoundTrip(sent)
	if err != nil {
		closeBody(sent)
		// http2.Transport says only that the connection could not be established.
		if used != nil && used.alert.Load() != nil {
			err = *used.alert.Load()
		}
		return nil, err
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

// acquire returns the host of an address, until release.
func (t *Transport) acquire(addr string) *host {
	t.mu.Lock()
	defer t.mu.Unlock()
	h := t.hosts[addr]
	if h == nil {
		if len(t.hosts) >= maxHosts {
			t.forget()
		}
		h = &host{}
		t.hosts[addr] = h
	}
	h.users++
	return h
}

// forget drops any host that is not in use.
func (t *Transport) forget() {
	for addr, h := range t.hosts {
		if h.users == 0 {
			delete(t.hosts, addr)
			return
		}
	}
}

// release gives a host back. When nobody uses the host any more, release closes a
// connection that came too late for its request, and drops the host if nothing is known
// about it or there are too many.
func (t *Transport) release(addr string, h *host) {
	t.mu.Lock()
	var unused *Conn
	if h.users--; h.users == 0 {
		unused, h.fresh = h.fresh, nil
		if h.protocol == "" || len(t.hosts) > maxHosts {
			delete(t.hosts, addr)
		}
	}
	t.mu.Unlock()
	if unused != nil {
		unused.Close()
	}
}

// protocol returns the version of HTTP that a server chooses. The first request makes
// a connection to find out, which conn returns next. Other requests wait for it and fail
// with its error.
func (t *Transport) protocol(ctx context.Context, addr string, h *host) (string, error) {
	for {
		t.mu.Lock()
		protocol, p := h.protocol, h.probe
		own := protocol == "" && p == nil
		if own {
			p = &probe{done: make(chan struct{})}
			h.probe = p
		}
		t.mu.Unlock()
		if protocol != "" {
			return protocol, nil
		}
		if own {
			t.find(ctx, addr, h, p)
		}
		select {
		case <-p.done:
		case <-ctx.Done():
			return "", ctx.Err()
		}
		if p.err != nil && (own || !p.cancelled) {
			return "", p.err
		}
	}
}

// find makes a connection to find out the protocol of a host.
func (t *Transport) find(ctx context.Context, addr string, h *host, p *probe) {
	c, err := t.client.dialFor(ctx, "tcp", addr, []string{protocolHTTP2, protocolHTTP1})
	t.mu.Lock()
	if err == nil {
		h.protocol, h.fresh = protocolOf(c), c
	}
	h.probe = nil
	t.mu.Unlock()
	p.err, p.cancelled = err, err != nil && ctx.Err() != nil
	close(p.done)
}

// conn returns a connection of the wanted protocol.
func (t *Transport) conn(ctx context.Context, network, addr, protocol string) (net.Conn, error) {
	h := t.acquire(addr)
	defer t.release(addr, h)
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
		return nil, otherProtocol(got)
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
	t.http1.CloseIdleConnections()
	t.http2.CloseIdleConnections()
}

// hostPort returns the address of a request's server, as http.Transport and
// http2.Transport dial it.
func hostPort(req *http.Request) (string, error) {
	host, port := req.URL.Hostname(), req.URL.Port()
	if port == "" {
		port = "443"
	}
	if strings.ContainsFunc(host, func(r rune) bool { return r >= utf8.RuneSelf }) {
		var err error
		if host, err = idna.Lookup.ToASCII(host); err != nil {
			return "", fmt.Errorf("client: host %q: %w", req.URL.Hostname(), err)
		}
	}
	return net.JoinHostPort(host, port), nil
}

// onceCloser is a body whose Close has an effect only once.
type onceCloser struct {
	io.ReadCloser
	once sync.Once
	err  error
}

func (b *onceCloser) Close() error {
	b.once.Do(func() { b.err = b.ReadCloser.Close() })
	return b.err
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		req.Body.Close()
	}
}
