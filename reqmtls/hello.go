package reqmtls

import (
	"context"
	"net"

	"github.com/tlsflags/tlsflags/extension"
)

// Hello is what a client said about TLS flags, and what the server did about it.
type Hello struct {
	// Flags are all TLS flags that the client set, also those without a meaning here.
	Flags extension.FlagSet
	// Type is the type of the extension that had them; 0 if there was none.
	Type extension.Type
	// ECH is set if the flags are those of an encrypted inner ClientHello.
	ECH bool
	// Code says why the ClientHello, or its TLS Flags extension, could not be read.
	// Flags is empty then. 0 means that nothing is wrong.
	Code extension.Code
	// Flagged says whether the client set the flag that the server looks for.
	Flagged bool
	// Applied says whether the client got the policy's config. A flagged client does
	// not if the mode is Ignore, if TLS 1.3 is not negotiated, or if the base config
	// demands a certificate of everybody.
	Applied bool
	// Policy is the key of that policy in Config.Names; "" for the general one.
	Policy string
}

// FromConn returns what the client of connection c said. c is a *Conn, a *tls.Conn on top
// of one, or anything else whose method NetConn leads to one. It reports false for other
// connections, and while the ClientHello has not come.
func FromConn(c net.Conn) (Hello, bool) {
	conn, ok := underlying(c)
	if !ok {
		return Hello{}, false
	}
	return conn.Hello()
}

// underlying follows NetConn, which *tls.Conn has, down to the Conn.
func underlying(c net.Conn) (*Conn, bool) {
	for c != nil {
		if conn, ok := c.(*Conn); ok {
			return conn, true
		}
		outer, ok := c.(interface{ NetConn() net.Conn })
		if !ok {
			return nil, false
		}
		c = outer.NetConn()
	}
	return nil, false
}

type contextKey struct{}

// ConnContext is a function for the field ConnContext of http.Server. With it,
// FromContext works for the contexts of the server's requests.
func ConnContext(ctx context.Context, c net.Conn) context.Context {
	conn, ok := underlying(c)
	if !ok {
		return ctx
	}
	return context.WithValue(ctx, contextKey{}, conn)
}

// FromContext returns what the client said that sent the request with context ctx. It
// reports false if ctx does not come from ConnContext.
func FromContext(ctx context.Context) (Hello, bool) {
	conn, ok := ctx.Value(contextKey{}).(*Conn)
	if !ok {
		return Hello{}, false
	}
	return conn.Hello()
}
