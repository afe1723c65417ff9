package main

import (
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/tlsflags/tlsflags/reqmtls"
)

// observe is told about every connection.
func (l *listener) observe(e reqmtls.Event) {
	l.counters.add(e)
	switch e.Outcome {
	case reqmtls.Refused, reqmtls.Unfinished:
		// The handshake failed, so there is a line in the server's ErrorLog.
	default:
		slog.Info("connection", "tls", e)
	}
}

// counters counts connections by what happened to them. The zero value is ready to use.
type counters struct {
	mu    sync.Mutex
	count map[string]int // by labels
}

func (c *counters) add(e reqmtls.Event) {
	labels := fmt.Sprintf("outcome=%q,flagged=\"%t\"", e.Outcome, e.Hello.Flagged)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.count == nil {
		c.count = make(map[string]int)
	}
	c.count[labels]++
}

// WriteTo writes the counters as Prometheus reads them.
func (c *counters) WriteTo(w io.Writer) (int64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var b strings.Builder
	b.WriteString("# TYPE reqmtls_connections_total counter\n")
	for _, labels := range slices.Sorted(maps.Keys(c.count)) {
		fmt.Fprintf(&b, "reqmtls_connections_total{%s} %d\n", labels, c.count[labels])
	}
	n, err := io.WriteString(w, b.String())
	return int64(n), err
}

// admin is for the load balancer and Prometheus, on an address that clients do not reach.
func (l *listener) admin() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "ok")
	})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		l.counters.WriteTo(w)
	})
	return mux
}
