package assemble_test

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"time"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/extension"
)

// readClientHello reads from conn until the ClientHello is whole. It returns what
// was read as well, which a proxy passes on.
func readClientHello(conn net.Conn) (hello clienthello.ClientHello, read []byte, err error) {
	var records assemble.Records
	records.Reset(make([]byte, 16<<10)) // the longest hello we care for
	if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return hello, nil, err
	}
	buffer := make([]byte, 2048)
	for {
		n, err := conn.Read(buffer)
		read = append(read, buffer[:n]...)
		switch result := records.Feed(buffer[:n]); result.Outcome {
		case assemble.Complete:
			hello, _, err := clienthello.Parse(result.Message)
			return hello, read, err
		case assemble.NotProtocol:
			return hello, read, errors.New("the client does not speak TLS")
		case assemble.Refused:
			return hello, read, fmt.Errorf("byte %d: %w", result.Offset, result.Code)
		}
		if err != nil {
			return hello, read, err
		}
	}
}

func ExampleRecords() {
	client, server := net.Pipe()
	go func() {
		// A ClientHello with TLS flag 80, in two records and many pieces.
		for _, b := range inRecords(flaggedHello(), 40) {
			client.Write([]byte{b})
		}
		io.Copy(io.Discard, client)
	}()
	hello, read, err := readClientHello(server)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(read), "bytes, request_mtls:", hello.HasFlag(extension.RequestMTLS))
	// Output: 73 bytes, request_mtls: true
}

// flaggedHello returns a small ClientHello message that sets TLS flag 80.
func flaggedHello() []byte {
	body := append([]byte{3, 3}, make([]byte, 32)...) // legacy_version, random
	body = append(body, 0)                            // legacy_session_id
	body = append(body, 0, 2, 0x13, 0x01)             // cipher_suites
	body = append(body, 1, 0)                         // legacy_compression_methods
	body = append(body, 0, 16, 0, 62, 0, 12)          // extensions: tls_flags
	body = append(body, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)
	return append([]byte{1, 0, 0, byte(len(body))}, body...)
}
