// Fingerprint is a web server that tells visitors the JA4 fingerprint of their client, over
// HTTP/1.1 and HTTP/2.
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"

	"github.com/tlsflags/tlsflags/clienthello/peek"
	"github.com/tlsflags/tlsflags/fingerprint"
)

func main() {
	listener, err := net.Listen("tcp", ":8443")
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(serve(listener, "site.pem", "site.key"))
}

func serve(listener net.Listener, cert, key string) error {
	server := &http.Server{Handler: http.HandlerFunc(handle), ConnContext: peek.ConnContext}
	return server.ServeTLS(peek.NewListener(listener, peek.Options{}), cert, key)
}

func handle(w http.ResponseWriter, r *http.Request) {
	hello, _ := peek.FromContext(r.Context()) // of the connection: each of its requests gets the same
	fmt.Fprintln(w, fingerprint.SumJA4(hello.ClientHello, fingerprint.TCP))
}
