package reqmtls

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"

	"github.com/tlsflags/tlsflags/extension"
)

// Hello is what a client said about TLS flags, and what the server did about it. The
// zero value is a client that sent no TLS Flags extension.
type Hello struct {
	// Flags are all TLS flags that the client set, also those without a meaning here.
	Flags extension.FlagSet
	// Err says why the ClientHello, or its TLS Flags extension, could not be read. It is
	// an extension.Code, or nil if nothing is wrong. If it is not nil, Flags is empty.
	Err error
	// ECH is set if the flags are those of an encrypted inner ClientHello.
	ECH bool
	// Flagged says whether the client set the flag that the server looks for.
	Flagged bool
	// Applied says whether the client got the policy's config. A flagged client does
	// not if the mode is Ignore, if TLS 1.3 is not negotiated, or if the policy would
	// weaken the config.
	Applied bool
	// Policy is the key of that policy in Config.Names; "" for the general one.
	Policy string

	extension extension.Type // 0 if there was none
}

// Extension returns the type of the extension that has the flags, and false if the client
// sent none, or if its ClientHello could not be read.
func (h Hello) Extension() (t extension.Type, ok bool) { return h.extension, h.extension != 0 }

// String describes the hello in a few words.
func (h Hello) String() string {
	var b strings.Builder
	t, ok := h.Extension()
	switch {
	case ok && h.Err != nil:
		fmt.Fprintf(&b, "malformed %v: %v", t, h.Err)
	case h.Err != nil:
		fmt.Fprintf(&b, "unread ClientHello: %v", h.Err)
	case ok:
		fmt.Fprintf(&b, "flags %v in %v", h.Flags, t)
	default:
		b.WriteString("no TLS flags")
	}
	if h.ECH {
		b.WriteString(", encrypted")
	}
	if h.Flagged {
		b.WriteString(", flagged")
	}
	if h.Applied {
		b.WriteString(", policy applied")
	}
	if h.Policy != "" {
		fmt.Fprintf(&b, " (%s)", h.Policy)
	}
	return b.String()
}

// LogValue returns the hello as a group of attributes for package slog.
func (h Hello) LogValue() slog.Value {
	attrs := make([]slog.Attr, 0, 7)
	attrs = append(attrs, slog.Bool("flagged", h.Flagged), slog.Bool("applied", h.Applied))
	if h.Policy != "" {
		attrs = append(attrs, slog.String("policy", h.Policy))
	}
	if t, ok := h.Extension(); ok {
		attrs = append(attrs,
			slog.String("extension", t.String()),
			slog.String("flags", h.Flags.String()),
			slog.Bool("ech", h.ECH))
	}
	if h.Err != nil {
		attrs = append(attrs, slog.String("error", h.Err.Error()))
	}
	return slog.GroupValue(attrs...)
}

// FromConn returns what the client of connection c said. c is a *Conn, a *tls.Conn on top
// of one, or anything else whose method NetConn leads to one. FromConn reports false for
// other connections, and until the whole ClientHello has arrived.
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
// FromContext works for the contexts of the server's requests. Server.ServeTLS sets it.
func ConnContext(ctx context.Context, c net.Conn) context.Context {
	conn, ok := underlying(c)
	if !ok {
		return ctx
	}
	return context.WithValue(ctx, contextKey{}, conn)
}

// joinConnContext returns a function that calls ConnContext and then next, if not nil.
func joinConnContext(next func(context.Context, net.Conn) context.Context) func(context.Context, net.Conn) context.Context {
	if next == nil {
		return ConnContext
	}
	return func(ctx context.Context, c net.Conn) context.Context {
		return next(ConnContext(ctx, c), c)
	}
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
