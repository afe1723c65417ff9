package tlsflags

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/reqmtls"
)

func init() {
	httpcaddyfile.RegisterHandlerDirective("tls_flags", func(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
		handler := new(Handler)
		return handler, handler.UnmarshalCaddyfile(h.Dispenser)
	})
	httpcaddyfile.RegisterDirectiveOrder("tls_flags", httpcaddyfile.Before, "map")
}

// Handler is the handler tls_flags. It sets placeholders for those after it:
//
//	{tls_flags.flags}         the numbers of the client's flags, such as "8,80"
//	{tls_flags.request_mtls}  whether flag 80 is among them, true or false
//	{tls_flags.type}          the type of the extension, 62 or 65025; empty if there is none
//	{tls_flags.error}         why the ClientHello or the extension could not be read
//
// Anybody can set a flag: decide by the certificate, {http.request.tls.client.subject}.
type Handler struct{}

// CaddyModule says what the module is called.
func (Handler) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.tls_flags", New: func() caddy.Module { return new(Handler) }}
}

// UnmarshalCaddyfile reads "tls_flags", which has no arguments.
func (*Handler) UnmarshalCaddyfile(d *caddyfile.Dispenser) error { return onlyName(d) }

// Provision makes the server keep a request's connection in its context.
func (*Handler) Provision(ctx caddy.Context) error {
	if server, ok := ctx.Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server); ok {
		server.RegisterConnContext(reqmtls.ConnContext)
	}
	return nil
}

// ServeHTTP sets the placeholders.
func (*Handler) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	hello, _ := reqmtls.FromContext(r.Context())
	repl := r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
	repl.Map(func(key string) (any, bool) { return placeholder(hello, key) })
	return next.ServeHTTP(w, r)
}

func placeholder(hello reqmtls.Hello, key string) (any, bool) {
	switch key {
	case "tls_flags.flags":
		var numbers []string
		for f := range hello.Flags.All() {
			numbers = append(numbers, strconv.Itoa(int(f)))
		}
		return strings.Join(numbers, ","), true
	case "tls_flags.request_mtls":
		return hello.Flags.Has(extension.RequestMTLS), true
	case "tls_flags.type":
		if t, ok := hello.Extension(); ok {
			return int(t), true
		}
		return "", true
	case "tls_flags.error":
		if hello.Err != nil {
			return hello.Err.Error(), true
		}
		return "", true
	}
	return nil, false
}

var (
	_ caddy.Provisioner           = (*Handler)(nil)
	_ caddyhttp.MiddlewareHandler = (*Handler)(nil)
	_ caddyfile.Unmarshaler       = (*Handler)(nil)
)
