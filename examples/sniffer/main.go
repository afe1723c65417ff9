// Sniffer prints each ClientHello on network interfaces, over TCP, QUIC or DTLS, with its
// JA4. It works on Linux, and needs the capability CAP_NET_RAW.
//
//	sniffer eth0
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/fingerprint"
)

func main() {
	if len(os.Args) < 2 {
		log.Fatal("usage: sniffer INTERFACE...")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	live, err := capture.Live(ctx, os.Args[1:], capture.Options{})
	if err != nil {
		log.Fatal(err)
	}
	if err := sniff(live, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// sniff returns when the capture ends.
func sniff(live *capture.Reader, w io.Writer) error {
	for found := range live.Hellos() {
		hello, _, err := found.Parse()
		if err != nil { // it is malformed, or only a doubt: see found.Ambiguous
			continue
		}
		transport := fingerprint.Transport(found.Transport[0]) // 't', 'q' or 'd'
		fmt.Fprintf(w, "%v > %v %s\n", found.Src, found.Dst, fingerprint.AppendSummary(nil, hello, transport))
	}
	return live.Err()
}
