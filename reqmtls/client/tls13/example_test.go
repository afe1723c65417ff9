package tls13_test

import (
	"fmt"
	"log"
	"os"

	"github.com/tlsflags/tlsflags/handshake"
	"github.com/tlsflags/tlsflags/reqmtls/client/tls13"
)

// The types and lengths of the messages of a connection.
func ExampleConversation() {
	var hello, answer []byte // what client and server sent, from the first byte on

	f, err := os.Open("sslkeylog.txt")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	keyLog, err := tls13.ReadKeyLog(f)
	if err != nil {
		log.Fatal(err)
	}
	c := tls13.NewConversation(keyLog.Lookup, func(s handshake.Sender, msg []byte) {
		fmt.Println(s == handshake.FromServer, msg[0], len(msg))
	})
	c.Feed(handshake.FromClient, hello)
	c.Feed(handshake.FromServer, answer)
	if err := c.Err(); err != nil {
		log.Fatal(err)
	}
}
