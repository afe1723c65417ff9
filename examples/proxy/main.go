// Proxy is a reverse proxy that tells its backend who a bot is: if a client set the
// flag and its certificate was verified, the backend gets the certificate in the header field
// Client-Cert (RFC 9440).
//
//	proxy -cert site.pem -key site.key -bots bots.pem -backend http://127.0.0.1:8080
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"flag"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"

	"github.com/tlsflags/tlsflags/examples/internal/site"
	"github.com/tlsflags/tlsflags/reqmtls"
)

// The header fields of RFC 9440, Section 2.
const (
	clientCert      = "Client-Cert"
	clientCertChain = "Client-Cert-Chain"
)

func main() {
	backend := flag.String("backend", "http://127.0.0.1:8080", "`URL` that requests go to")
	listener, config, bots := site.Listen()
	target, err := url.Parse(*backend)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(serve(listener, config, bots, target))
}

func serve(listener net.Listener, config *tls.Config, bots *x509.CertPool, backend *url.URL) error {
	mtls, err := reqmtls.New(config, reqmtls.Config{ClientCAs: bots})
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler: &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(backend)
			r.SetXForwarded()
			setIdentity(r.In, r.Out.Header)
		}},
		ReadHeaderTimeout: 10 * time.Second,
	}
	return mtls.ServeTLS(server, listener)
}

// setIdentity sets the header fields for the backend. What the client sent under these
// names is removed in any case: the backend trusts them (RFC 9440, Section 4).
func setIdentity(in *http.Request, out http.Header) {
	out.Del(clientCert)
	out.Del(clientCertChain)
	hello, ok := reqmtls.FromContext(in.Context())
	if !ok || !hello.Flagged || len(in.TLS.VerifiedChains) == 0 {
		return
	}
	chain := in.TLS.PeerCertificates
	out.Set(clientCert, byteSequence(chain[0].Raw))
	for _, cert := range chain[1:] {
		out.Add(clientCertChain, byteSequence(cert.Raw))
	}
}

// byteSequence encodes an Item of Structured Fields (RFC 9651, Section 3.3.5).
func byteSequence(b []byte) string {
	return ":" + base64.StdEncoding.EncodeToString(b) + ":"
}
