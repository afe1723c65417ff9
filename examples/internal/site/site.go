// Package site reads what the servers of the examples need from the command line.
package site

import (
	"crypto/tls"
	"crypto/x509"
	"flag"
	"log"
	"net"
	"os"
)

// Listen parses the command line, listens, and returns the TLS config with the site's
// certificate and the authorities of bots. It ends the program if something is missing.
func Listen() (listener net.Listener, config *tls.Config, bots *x509.CertPool) {
	addr := flag.String("addr", ":8443", "`address` to listen on")
	certFile := flag.String("cert", "site.pem", "`file` with the site's certificate")
	keyFile := flag.String("key", "site.key", "`file` with its key")
	botsFile := flag.String("bots", "bots.pem", "`file` with the authorities of bots, and of nobody else")
	flag.Parse()

	cert, err := tls.LoadX509KeyPair(*certFile, *keyFile)
	if err != nil {
		log.Fatal(err)
	}
	pem, err := os.ReadFile(*botsFile)
	if err != nil {
		log.Fatal(err)
	}
	bots = x509.NewCertPool()
	if !bots.AppendCertsFromPEM(pem) {
		log.Fatalf("%s: no certificate in PEM", *botsFile)
	}
	listener, err = net.Listen("tcp", *addr)
	if err != nil {
		log.Fatal(err)
	}
	return listener, &tls.Config{Certificates: []tls.Certificate{cert}}, bots
}
