// Web is a web server that asks bots for certificates, and nobody else.
//
//	web -cert site.pem -key site.key -bots bots.pem
package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/tlsflags/tlsflags/examples/internal/site"
	"github.com/tlsflags/tlsflags/reqmtls"
)

func main() {
	log.Fatal(serve(site.Listen()))
}

func serve(listener net.Listener, config *tls.Config, bots *x509.CertPool) error {
	mtls, err := reqmtls.New(config, reqmtls.Config{ClientCAs: bots})
	if err != nil {
		return err
	}
	server := &http.Server{Handler: http.HandlerFunc(welcome), ReadHeaderTimeout: 10 * time.Second}
	return mtls.ServeTLS(server, listener)
}

// welcome goes by the certificate that was verified, not by the flag.
func welcome(w http.ResponseWriter, r *http.Request) {
	if len(r.TLS.VerifiedChains) == 0 {
		fmt.Fprintln(w, "Welcome.")
		return
	}
	fmt.Fprintf(w, "Welcome, %s.\n", r.TLS.PeerCertificates[0].Subject.CommonName)
}
