// Operating is a web server that asks bots for certificates, with what it takes to run one.
// docs/operating.md explains the parts.
package main

import (
	"crypto/tls"
	"flag"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/tlsflags/tlsflags/reqmtls"
)

func main() {
	listen := flag.String("listen", ":8443", "`address` to listen on")
	admin := flag.String("admin", "127.0.0.1:8080", "`address` for /healthz and /metrics")
	cert := flag.String("cert", "site.pem", "`file` with the site's certificate")
	key := flag.String("key", "site.key", "`file` with its key")
	bots := flag.String("bots", "bots.pem", "`file` with the authorities of bots")
	percent := flag.Int("percent", 100, "how many `percent` of the clients are asked if they set the flag")
	flag.Parse()

	site, err := tls.LoadX509KeyPair(*cert, *key)
	if err != nil {
		log.Fatal(err)
	}
	inner, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	l, err := newListener(inner, site, *bots, *percent)
	if err != nil {
		log.Fatal(err)
	}
	go l.reload(*bots)
	go func() { log.Fatal(http.ListenAndServe(*admin, l.admin())) }()
	log.Fatal(server(http.HandlerFunc(hello)).Serve(l))
}

// reload loads the authorities whenever the process gets SIGHUP.
func (l *listener) reload(bots string) {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	for range hangup {
		if err := l.load(bots); err != nil {
			slog.Error("the authorities stay as they were", "err", err)
		}
	}
}

func server(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           reqmtls.RefuseMisdirected(handler),
		ConnContext:       reqmtls.ConnContext,
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          slog.NewLogLogger(slog.Default().Handler(), slog.LevelWarn),
	}
}

func hello(w http.ResponseWriter, r *http.Request) {
	if len(r.TLS.VerifiedChains) == 0 {
		fmt.Fprintln(w, "Hello, stranger.")
		return
	}
	fmt.Fprintf(w, "Hello, %s.\n", r.TLS.PeerCertificates[0].Subject)
}
