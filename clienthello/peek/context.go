package peek

import (
	"context"
	"net"
)

// FromConn returns the hello of connection c, which is a *Conn, a *tls.Conn on top of one, or
// anything else whose method NetConn leads to one. It reports false for other connections,
// and if Hello has not been called or has failed. With Encrypted Client Hello it is the
// outer hello. A Conn holds its hello, of up to Options.Limit bytes, as long as it lives.
func FromConn(c net.Conn) (Hello, bool) {
	for c != nil {
		if conn, ok := c.(*Conn); ok {
			return conn.found()
		}
		outer, ok := c.(interface{ NetConn() net.Conn })
		if !ok {
			return Hello{}, false
		}
		c = outer.NetConn()
	}
	return Hello{}, false
}

func (c *Conn) found() (Hello, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hello, c.peeked && c.err == nil
}

type contextKey struct{}

// ConnContext is a function for the field ConnContext of http.Server. With it, FromContext
// works for the contexts of the requests that come over a Listener, in HTTP/1.1 and HTTP/2.
func ConnContext(ctx context.Context, c net.Conn) context.Context {
	hello, ok := FromConn(c)
	if !ok {
		return ctx
	}
	return context.WithValue(ctx, contextKey{}, hello)
}

// FromContext returns the hello of the client that sent the request with context ctx. It
// reports false if ctx does not come from ConnContext.
func FromContext(ctx context.Context) (Hello, bool) {
	hello, ok := ctx.Value(contextKey{}).(Hello)
	return hello, ok
}
