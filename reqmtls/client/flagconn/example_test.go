package flagconn_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"log"
	"net"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/reqmtls/client/flagconn"
)

// A handshake that offers two flags and prints what the server answers.
func ExampleHandshake() {
	set, err := extension.NewFlagSet(extension.ResumptionAcrossNames, extension.RequestMTLS)
	if err != nil {
		log.Fatal(err)
	}
	data, err := set.AppendTo(nil)
	if err != nil {
		log.Fatal(err)
	}
	tcp, err := net.Dial("tcp", "example.com:443")
	if err != nil {
		log.Fatal(err)
	}
	defer tcp.Close()
	conn, report, err := flagconn.Handshake(context.Background(), tcp, flagconn.Config{
		TLS:        &tls.Config{ServerName: "example.com"},
		Extensions: []extension.Extension{{Type: extension.TLSFlags, Data: data}},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	flags, _, err := report.Extensions.Flags()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report.Requested, flags.Has(extension.RequestMTLS))
}
