package peek_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"

	"github.com/tlsflags/tlsflags/clienthello/peek"
	"github.com/tlsflags/tlsflags/corpus"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/fingerprint"
)

// accepted is a connection whose client sends a ClientHello with TLS flag 80, byte by byte.
var accepted = func() net.Conn {
	client, server := net.Pipe()
	entry, _ := corpus.Lookup("records/utls-chrome-133-ext62-80.bin")
	go func() {
		for _, b := range entry.Data() {
			client.Write([]byte{b})
		}
	}()
	return server
}()

func ExampleConn() {
	conn := peek.NewConn(accepted, peek.Options{})
	hello, err := conn.Hello(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	name, _ := hello.ServerName()
	fmt.Println(string(name), "request_mtls:", hello.HasFlag(extension.RequestMTLS))
	// Whoever reads from conn now, such as crypto/tls, gets every byte.

	// Output: localhost request_mtls: true
}

func ExampleRead() {
	entry, _ := corpus.Lookup("records/utls-chrome-133-ext62-80.bin")
	var r io.Reader = bytes.NewReader(entry.Data()) // for instance a reassembled stream
	hello, err := peek.Read(r, peek.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("request_mtls: %t, %d bytes read\n", hello.HasFlag(extension.RequestMTLS), len(hello.Raw))
	// Output: request_mtls: true, 1767 bytes read
}

func ExampleFromContext() {
	listener, err := net.Listen("tcp", ":443")
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{
		ConnContext: peek.ConnContext,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			hello, _ := peek.FromContext(r.Context())
			ja4 := fingerprint.SumJA4(hello.ClientHello, fingerprint.TCP)
			fmt.Fprintln(w, ja4, hello.HasFlag(extension.RequestMTLS))
		}),
	}
	log.Fatal(server.ServeTLS(peek.NewListener(listener, peek.Options{}), "site.pem", "site.key"))
}
