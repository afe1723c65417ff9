package capture_test

import (
	"bytes"
	"fmt"
	"log"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/corpus"
	"github.com/tlsflags/tlsflags/extension"
)

func ExampleOpen() {
	entry, _ := corpus.Lookup("captures/demo.pcapng")
	file := bytes.NewReader(entry.Data()) // or an *os.File

	r, err := capture.Open(file, capture.Options{})
	if err != nil {
		log.Fatal(err)
	}
	for found := range r.Hellos() {
		hello, at, err := found.Parse()
		if err != nil {
			fmt.Printf("%v: refused at byte %d: %v\n", found.Src, at, err)
			continue
		}
		if hello.HasFlag(extension.RequestMTLS) {
			name, _ := hello.ServerName()
			fmt.Printf("%v asks %s for a CertificateRequest\n", found.Src, name)
		}
	}
	if err := r.Err(); err != nil {
		log.Print(err) // the capture is cut short or damaged: what was found is right
	}
	// Output:
	// 127.0.0.1:34812 asks bot.demo.example for a CertificateRequest
	// 127.0.0.1:34814 asks experimental-bot.demo.example for a CertificateRequest
	// 127.0.0.1:34830 asks resuming-bot.demo.example for a CertificateRequest
}

// A Scanner takes packets from any source.
func ExampleScanner_Scan() {
	packets := [][]byte{{0x45, 0, 0, 20, 0, 0, 0, 0, 64, 6, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2}} // cut short after the IP header

	scanner := capture.NewScanner(capture.Options{MaxFlows: 1000})
	for _, packet := range packets {
		scanner.Scan(capture.Packet{Data: packet, Link: capture.LinkTypeRaw}, func(h *capture.Hello) bool {
			fmt.Println(h.Src, h.Dst)
			return true
		})
	}
	fmt.Println(scanner.Stats().Packets, "packet,", scanner.Stats().Hellos, "hellos")
	// Output: 1 packet, 0 hellos
}
