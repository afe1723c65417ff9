package clienthello_test

import (
	"fmt"
	"log"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/corpus"
	"github.com/tlsflags/tlsflags/extension"
)

func Example() {
	entry, _ := corpus.Lookup("records/utls-chrome-133-ext62-80.bin")
	msg := entry.Data()[5:] // one TLS record, without its header: the handshake message

	hello, _, err := clienthello.Parse(msg)
	if err != nil {
		log.Fatal(err)
	}
	name, _ := hello.ServerName()
	fmt.Printf("to %s with a client certificate: %t\n", name, hello.HasFlag(extension.RequestMTLS))
	// Output: to localhost with a client certificate: true
}
