package assemble_test

import (
	"errors"
	"fmt"
	"log"
	"net"
	"time"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/quicseal"
)

// conn is a connection that was accepted. Its client sends a ClientHello with TLS flag 80,
// in two records and many pieces.
var conn = func() net.Conn {
	client, server := net.Pipe()
	go func() {
		for _, b := range inRecords(flaggedHello(), 40) {
			client.Write([]byte{b})
		}
	}()
	return server
}()

// A server or proxy keeps what it reads, to pass it on.
func ExampleRecords() {
	conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	var records assemble.Records
	records.Reset(make([]byte, 16<<10)) // the longest ClientHello to accept
	buffer := make([]byte, 2048)
	var result assemble.Result
	for result.Outcome == assemble.NeedMore {
		n, err := conn.Read(buffer)
		if result = records.Feed(buffer[:n]); result.Outcome == assemble.NeedMore && err != nil {
			log.Fatal("no whole ClientHello: ", err)
		}
	}
	if result.Outcome != assemble.Complete {
		log.Fatal("no ClientHello: ", result.Outcome, " ", result.Code.Name())
	}
	hello, _, err := clienthello.Parse(result.Message)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("request_mtls:", hello.HasFlag(extension.RequestMTLS))
	// Output: request_mtls: true
}

// watchDatagrams reads from conn, which sees what one client sends, until its
// ClientHello is whole, be it in QUIC or in DTLS.
func watchDatagrams(conn net.PacketConn) (transport string, hello clienthello.ClientHello, err error) {
	memory := make([]byte, assemble.BufferSize(16<<10)) // for the longest hello we care for
	var quic assemble.QUIC
	var dtls assemble.DTLS
	datagram := make([]byte, 65535)
	for first := true; ; first = false {
		n, _, err := conn.ReadFrom(datagram)
		if err != nil {
			return "", hello, err
		}
		if first {
			transport = "dtls"
			if _, ok := assemble.ParseQUICInitial(datagram[:n]); ok {
				transport = "quic"
			}
			quic.Reset(memory)
			dtls.Reset(memory)
		}
		var result assemble.Result
		if transport == "quic" {
			result = quic.Feed(datagram[:n])
		} else {
			result = dtls.Feed(datagram[:n])
		}
		switch result.Outcome {
		case assemble.Complete:
			if transport == "quic" {
				hello, _, err = clienthello.Parse(result.Message)
			} else {
				hello, _, err = clienthello.ParseDTLS(result.Message)
			}
			return transport, hello, err
		case assemble.Unrecognized:
			return "", hello, errors.New("neither QUIC nor DTLS")
		case assemble.Refused:
			return transport, hello, fmt.Errorf("byte %d: %w", result.Offset, result.Code)
		}
	}
}

func ExampleQUIC() {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	client, err := net.Dial("udp", conn.LocalAddr().String())
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	// A ClientHello with TLS flag 80 in two Initial packets, the second one first.
	hello := flaggedHello()
	packet := quicseal.Packet{Version: quicseal.V1, DCID: []byte("chosen by the client"), Number: 1, Payload: crypto(40, hello[40:])}
	client.Write(packet.Seal())
	packet.Number, packet.Payload = 0, crypto(0, hello[:40])
	client.Write(packet.Seal())

	transport, got, err := watchDatagrams(conn)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(transport, "request_mtls:", got.HasFlag(extension.RequestMTLS))
	// Output: quic request_mtls: true
}

// The second ClientHello of a connection is asked for with Next.
func ExampleDTLS() {
	var dtls assemble.DTLS
	dtls.Reset(make([]byte, assemble.BufferSize(16<<10)))
	first, second := dtlsHandshake(60, 0), dtlsHandshake(80, 1)
	datagrams := [][]byte{
		dtlsDatagram(fragment(first, 30, 60)),
		dtlsDatagram(fragment(first, 0, 30)),
		dtlsDatagram(second), // after a HelloVerifyRequest
	}
	for i, datagram := range datagrams {
		result := dtls.Feed(datagram)
		fmt.Printf("datagram %d: %v, %d bytes\n", i, result.Outcome, len(result.Message))
		if result.Outcome == assemble.Complete {
			fmt.Println("message_seq", dtls.Info().MessageSeq)
			dtls.Next()
		}
	}
	// Output:
	// datagram 0: need more, 0 bytes
	// datagram 1: complete, 72 bytes
	// message_seq 0
	// datagram 2: complete, 92 bytes
	// message_seq 1
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
