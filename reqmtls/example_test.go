package reqmtls_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/tlsflags/tlsflags/reqmtls"
)

// The site's certificate, and the authorities of bots.
var (
	siteCertificate tls.Certificate
	botAuthorities  *x509.CertPool
)

// A web server serves with ServeTLS. Handlers go by the verified certificate.
func ExampleServer_ServeTLS() {
	config := &tls.Config{Certificates: []tls.Certificate{siteCertificate}}
	mtls, err := reqmtls.New(config, reqmtls.Config{ClientCAs: botAuthorities})
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", ":443")
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.TLS.VerifiedChains) == 0 {
			fmt.Fprintln(w, "Hello, stranger.")
			return
		}
		fmt.Fprintf(w, "Hello, %s.\n", r.TLS.PeerCertificates[0].Subject)
	})}
	log.Fatal(mtls.ServeTLS(server, listener))
}

// Servers of other protocols than HTTP use crypto/tls directly.
func ExampleServer_NewListener() {
	listener, err := net.Listen("tcp", ":993")
	if err != nil {
		log.Fatal(err)
	}

	mtls, err := reqmtls.New(
		&tls.Config{Certificates: []tls.Certificate{siteCertificate}},
		reqmtls.Config{Mode: reqmtls.Require, ClientCAs: botAuthorities})
	if err != nil {
		log.Fatal(err)
	}
	conn, err := mtls.NewListener(listener).Accept()
	if err != nil {
		log.Fatal(err)
	}
	if err := conn.(*tls.Conn).Handshake(); err != nil {
		log.Fatal(err)
	}
	hello, _ := reqmtls.FromConn(conn)
	log.Println(hello)
}

// Each server name may have a policy of its own, and Observe can count.
func ExampleConfig() {
	asked, refused := 0, 0 // for one goroutine; a server needs atomic counters
	config := reqmtls.Config{
		Mode: reqmtls.Ignore,
		Names: map[string]reqmtls.Policy{
			"api.example.com": {ClientCAs: botAuthorities, Mode: reqmtls.Require},
		},
		Observe: func(e reqmtls.Event) {
			if e.CertificateRequested {
				asked++
			}
			if e.Outcome == reqmtls.Refused {
				refused++
			}
		},
	}
	_ = config
}

// Handlers of a server that runs with ServeTLS learn from the context what the client
// said.
func ExampleFromContext() {
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if hello, ok := reqmtls.FromContext(r.Context()); ok {
				for f := range hello.Flags.All() {
					fmt.Fprintln(w, f)
				}
			}
		}),
		ReadHeaderTimeout: 10 * time.Second,
	}
	_ = server
}
