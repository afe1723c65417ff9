package reqmtls

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// RefuseMisdirected returns a handler that answers requests with status 421 (Misdirected
// Request) if their host is not the server name of the TLS connection, and passes all others
// to next. A client of HTTP/2 may send requests for another host on a connection that it has
// (RFC 9113, Section 9.1.1), but the connection has the policy of the name in its handshake.
// After 421 the client makes a connection for the host (RFC 9110, Section 15.5.20).
//
// A client that sent no server name may ask for an IP address as host and nothing else.
// Requests without TLS are passed to next.
func RefuseMisdirected(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS != nil && !sameHost(r.Host, r.TLS.ServerName) {
			http.Error(w, "this connection is for another host", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// sameHost reports whether host, which may have a port, is that of a handshake.
func sameHost(host, serverName string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if serverName == "" {
		_, err := netip.ParseAddr(strings.Trim(host, "[]"))
		return err == nil
	}
	return strings.EqualFold(strings.TrimSuffix(host, "."), serverName)
}
