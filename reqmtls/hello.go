package reqmtls

import (
	"context"
	"net"

	"github.com/tlsflags/tlsflags/extension"
)

// Hello is what a client said about TLS flags, and what came of it.
type Hello struct {
	// Flags are all TLS flags that the client set, also those that mean nothing here.
	Flags extension.FlagSet
	// Type is the extension type that they stood under; 0 where there was none.
	Type extension.Type
	// ECH is set where the flags are those of an encrypted inner ClientHello.
	ECH bool
	// Code says why the ClientHello, or its TLS Flags extension, could not be read.
	// Flags is empty then. 0 means that nothing is wrong.
	Code extension.Code
	// Flagged says whether the client set the flag that the server looks for.
	Flagged bool
	// Applied says whether the client got the policy's config. A flagged client does
	// not where the mode is Ignore, where TLS 1.3 is not spoken, and where the base
	// config demands a certificate of everybody.
	Applied bool
	// Policy is the key of Config.Names whose policy it was; "" is the general one.
	Policy string
}

// FromConn returns what the client of connection c said. c is a *Conn or what was
// made of one: a *tls.Conn, or anything with a method NetConn that leads there. It
// reports false for other connections, and before the ClientHello has come.
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

// ConnContext is a value for the field ConnContext of http.Server. With it,
// FromContext works on the contexts of the server's requests.
func ConnContext(ctx context.Context, c net.Conn) context.Context {
	conn, ok := underlying(c)
	if !ok {
		return ctx
	}
	return context.WithValue(ctx, contextKey{}, conn)
}

// FromContext returns what the client said whose request, or connection, ctx
// belongs to. It reports false where ctx does not come from ConnContext.
func FromContext(ctx context.Context) (Hello, bool) {
	conn, ok := ctx.Value(contextKey{}).(*Conn)
	if !ok {
		return Hello{}, false
	}
	return conn.Hello()
}
