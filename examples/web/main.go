// Web is a web server that asks bots for certificates, and nobody else.
//
//	web -cert site.pem -key site.key -bots bots.pem
package main

import (
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/tlsflags/tlsflags/reqmtls"
)

func main() {
	addr := flag.String("addr", ":8443", "where to listen")
	certFile := flag.String("cert", "site.pem", "the site's certificate")
	keyFile := flag.String("key", "site.key", "its key")
	botsFile := flag.String("bots", "bots.pem", "the authorities of bots, of nobody else")
	flag.Parse()

	cert, err := tls.LoadX509KeyPair(*certFile, *keyFile)
	if err != nil {
		log.Fatal(err)
	}
	pem, err := os.ReadFile(*botsFile)
	if err != nil {
		log.Fatal(err)
	}
	bots := x509.NewCertPool()
	if !bots.AppendCertsFromPEM(pem) {
		log.Fatalf("%s: no certificate in PEM", *botsFile)
	}
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(serve(listener, &tls.Config{Certificates: []tls.Certificate{cert}}, bots))
}

func serve(listener net.Listener, config *tls.Config, bots *x509.CertPool) error {
	mtls, err := reqmtls.New(config, reqmtls.Config{Policy: reqmtls.Policy{ClientCAs: bots}})
	if err != nil {
		return err
	}
	server := &http.Server{Handler: http.HandlerFunc(welcome), ReadHeaderTimeout: 10 * time.Second}

	// The two lines.
	server.TLSConfig = mtls.TLSConfig()
	return server.ServeTLS(mtls.Listener(listener), "", "")
}

// welcome goes by the certificate that was verified, not by the flag.
func welcome(w http.ResponseWriter, r *http.Request) {
	if len(r.TLS.VerifiedChains) == 0 {
		fmt.Fprintln(w, "Welcome.")
		return
	}
	fmt.Fprintf(w, "Welcome, %s.\n", r.TLS.PeerCertificates[0].Subject.CommonName)
}
