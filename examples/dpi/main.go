// Dpi finds ClientHellos in TCP streams that something else has reassembled. Here each is a
// file with one direction of a connection, as tcpflow writes them.
//
//	dpi 192.000.002.001.49152-198.051.100.001.00443
//
// If you have an io.Reader for each stream, call peek.Read instead.
package main

import (
	"fmt"
	"io"
	"log"
	"os"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/fingerprint"
)

// feed takes the next bytes of a stream, wherever they are cut, and reports whether it wants
// more. It passes the hello to found, which must not keep it: it shares memory with them.
func feed(stream *assemble.Records, piece []byte, found func(clienthello.ClientHello)) (more bool) {
	result := stream.Feed(piece)
	if result.Outcome == assemble.Complete {
		if hello, _, err := clienthello.Parse(result.Message); err == nil {
			found(hello)
		}
	}
	return result.Outcome == assemble.NeedMore // else it was that, or does not begin with a hello
}

func main() {
	for _, name := range os.Args[1:] {
		file, err := os.Open(name)
		if err != nil {
			log.Fatal(err)
		}
		scan(file, func(hello clienthello.ClientHello) {
			fmt.Printf("%s %s\n", name, fingerprint.AppendSummary(nil, hello, fingerprint.TCP))
		})
		file.Close()
	}
}

// scan is the part of the engine that reassembles streams.
func scan(r io.Reader, found func(clienthello.ClientHello)) {
	var stream assemble.Records
	stream.Reset(make([]byte, 16<<10)) // the longest hello that may be cut
	for piece, more := make([]byte, 1400), true; more; {
		n, err := r.Read(piece)
		more = feed(&stream, piece[:n], found) && err == nil
	}
}
