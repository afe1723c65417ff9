// Handshakes makes TLS handshakes over the loopback interface, so that cost.sh can
// count what one costs a server:
//
//	handshakes serve plain|reqmtls COUNT FILE    writes its address to FILE
//	handshakes connect COUNT FILE
package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/tlsflags/tlsflags/internal/testenv/testca"
	"github.com/tlsflags/tlsflags/reqmtls"
)

func main() {
	log.SetFlags(0)
	if err := run(os.Args[1:]); err != nil {
		log.Fatal(err)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 4 && args[0] == "serve":
		n, err := strconv.Atoi(args[2])
		if err != nil {
			return err
		}
		return serve(args[1] == "reqmtls", n, args[3])
	case len(args) == 3 && args[0] == "connect":
		n, err := strconv.Atoi(args[1])
		if err != nil {
			return err
		}
		return connect(n, args[2])
	}
	return errors.New("usage: handshakes serve plain|reqmtls COUNT FILE, or handshakes connect COUNT FILE")
}

func serve(wrapped bool, n int, file string) error {
	ca, err := testca.New("cost", time.Hour)
	if err != nil {
		return err
	}
	cert, err := ca.Server("localhost")
	if err != nil {
		return err
	}
	config := &tls.Config{Certificates: []tls.Certificate{cert}}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	addr := listener.Addr().String()
	if wrapped {
		mtls, err := reqmtls.New(config, reqmtls.Config{ClientCAs: x509.NewCertPool()})
		if err != nil {
			return err
		}
		listener, config = mtls.Listener(listener), mtls.TLSConfig()
	}
	if err := os.WriteFile(file, []byte(addr), 0o600); err != nil {
		return err
	}
	listener = tls.NewListener(listener, config)
	for range n {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		if err := conn.(*tls.Conn).Handshake(); err != nil {
			return err
		}
		conn.Close()
	}
	return nil
}

// connect makes one full handshake after the other.
func connect(n int, file string) error {
	var addr []byte
	for len(addr) == 0 {
		var err error
		if addr, err = os.ReadFile(file); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
	for range n {
		conn, err := tls.Dial("tcp", string(addr), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			return err
		}
		conn.Read(make([]byte, 1)) // until the server hangs up
		conn.Close()
	}
	return nil
}
