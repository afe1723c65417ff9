package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A receiver is a server. What it read of a connection is known without package capture:
// from crypto/tls itself, or, if the server sent a ServerHello, from the bytes that the
// kernel passed on.
type receiver struct {
	name  string
	port  uint16
	serve func(r *receiver, c net.Conn, port uint16)

	carrier carrier
	prepare func(client netip.AddrPort) (stop func(), err error) // if not nil

	mu   sync.Mutex
	read map[uint16][]reading // by the client's port
	busy map[uint16]int       // connections in progress
	had  map[uint16]int       // connections, with those that have ended
}

// saw notes what was read in a connection from a port.
func (r *receiver) saw(port uint16, what reading) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Contains(r.read[port], what) {
		r.read[port] = append(r.read[port], what)
	}
}

// hasRead returns how many hellos were read in the connections from a port.
func (r *receiver) hasRead(port uint16) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.read[port])
}

// result waits until so many connections from a port have come, for some seconds, and all
// have ended. It returns what was read in them.
func (r *receiver) result(port uint16, connections int) ([]reading, error) {
	for i := range 2000 {
		r.mu.Lock()
		if (r.had[port] >= connections || i > 600) && r.busy[port] == 0 {
			defer r.mu.Unlock()
			read := r.read[port]
			delete(r.read, port)
			delete(r.had, port)
			return read, nil
		}
		r.mu.Unlock()
		time.Sleep(5 * time.Millisecond)
	}
	return nil, fmt.Errorf("%s has not ended a connection from port %d", r.name, port)
}

// listen accepts connections over IPv4 and IPv6.
func (r *receiver) listen() error {
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) (err error) {
		failed := c.Control(func(socket uintptr) {
			if r.name == fastOpenName {
				err = fastOpen(socket)
			}
		})
		return errors.Join(failed, err)
	}}
	for _, address := range []netip.Addr{server4, server6} {
		l, err := config.Listen(context.Background(), "tcp", netip.AddrPortFrom(address, r.port).String())
		if err != nil {
			return err
		}
		go r.accept(l)
	}
	return nil
}

func (r *receiver) accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		port := c.RemoteAddr().(*net.TCPAddr).AddrPort().Port()
		r.mu.Lock()
		r.busy[port]++
		r.had[port]++
		r.mu.Unlock()
		c.SetDeadline(time.Now().Add(5 * time.Second)) // a client's RST may be one that Linux ignores
		go func() {
			defer func() {
				c.Close()
				r.mu.Lock()
				defer r.mu.Unlock()
				if r.busy[port]--; r.busy[port] == 0 {
					delete(r.busy, port)
				}
			}()
			r.serve(r, c, port)
		}()
	}
}

// serveTLS is crypto/tls, which says itself what it read.
func serveTLS(cert tls.Certificate) func(*receiver, net.Conn, uint16) {
	return func(r *receiver, c net.Conn, port uint16) {
		tls.Server(c, &tls.Config{
			Certificates: []tls.Certificate{cert},
			GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
				r.saw(port, newReading(slices.Contains(hello.Extensions, 62), hello.ServerName))
				return nil, nil
			},
		}).Handshake()
	}
}

// relay passes a connection on to a server that another process runs.
func relay(pool chan string) func(*receiver, net.Conn, uint16) {
	return func(r *receiver, client net.Conn, port uint16) {
		address := <-pool
		defer func() { pool <- address }()
		server, err := net.Dial("tcp", address)
		if err != nil {
			return
		}
		defer server.Close()
		var mu sync.Mutex
		var sent []byte
		go func() {
			defer server.(*net.TCPConn).CloseWrite()
			var buf [1 << 14]byte
			for {
				n, err := client.Read(buf[:])
				mu.Lock()
				sent = append(sent, buf[:n]...)
				mu.Unlock()
				if _, err2 := server.Write(buf[:n]); err != nil || err2 != nil {
					return
				}
			}
		}()
		var answer []byte
		var buf [1 << 14]byte
		for {
			n, err := server.Read(buf[:])
			answer = append(answer, buf[:n]...)
			if err != nil {
				break
			}
			client.Write(buf[:n])
		}
		const recordHeader = 5
		if len(answer) > recordHeader && answer[0] == 22 && answer[recordHeader] == 2 { // ServerHello
			mu.Lock()
			defer mu.Unlock()
			if what, ok := readStream(sent); ok {
				r.saw(port, what)
			}
		}
	}
}

// A program is a server that another process runs.
type program struct {
	name    string
	copies  int // processes; each of OpenSSL serves one client at a time
	clients int // of each process
	command []string
}

var programs = []program{
	{"OpenSSL", 8, 1, []string{"openssl", "s_server", "-quiet", "-www", "-accept", "127.0.0.1:PORT", "-cert", "DIR/cert.pem", "-key", "DIR/key.pem"}},
	{"GnuTLS", 1, 8, []string{"gnutls-serv", "--quiet", "--echo", "--port", "PORT", "--x509certfile", "DIR/cert.pem", "--x509keyfile", "DIR/key.pem"}},
	{"node", 1, 8, []string{"node", "-e", `const fs = require("fs"), tls = require("tls");
const s = tls.createServer({key: fs.readFileSync("DIR/key.pem"), cert: fs.readFileSync("DIR/cert.pem")}, c => c.on("error", () => {}));
s.on("tlsClientError", () => {}); s.listen(PORT, "127.0.0.1");`}},
}

// start starts the processes of a server, and returns where they are, once for each client
// that they serve at a time.
func (p program) start(dir string, port int) (chan string, error) {
	pool := make(chan string, p.copies*p.clients)
	for i := range p.copies {
		number := fmt.Sprint(port + i)
		args := slices.Clone(p.command)
		for j := range args {
			args[j] = strings.NewReplacer("PORT", number, "DIR", dir).Replace(args[j])
		}
		cmd := exec.Command(args[0], args[1:]...)
		cmd.SysProcAttr = withParent()
		if err := cmd.Start(); err != nil {
			return nil, fmt.Errorf("starting %s: %w", p.name, err)
		}
		address := "127.0.0.1:" + number
		if err := reachable(address); err != nil {
			return nil, fmt.Errorf("%s: %w", p.name, err)
		}
		for range p.clients {
			pool <- address
		}
	}
	return pool, nil
}

// reachable waits until a server accepts connections.
func reachable(address string) (err error) {
	for range 300 {
		var c net.Conn
		if c, err = net.Dial("tcp", address); err == nil {
			return c.Close()
		}
		time.Sleep(50 * time.Millisecond)
	}
	return err
}

// startReceivers starts those servers that are installed.
func startReceivers(dir string) ([]*receiver, error) {
	cert, err := writeCertificate(dir)
	if err != nil {
		return nil, err
	}
	list := []*receiver{{name: "crypto/tls", serve: serveTLS(cert)}, {name: fastOpenName, serve: serveTLS(cert)}}
	for i, p := range programs {
		if _, err := exec.LookPath(p.command[0]); err != nil {
			fmt.Printf("skipped: %s: no %s\n", p.name, p.command[0])
			continue
		}
		pool, err := p.start(dir, 5000+100*i)
		if err != nil {
			return nil, err
		}
		list = append(list, &receiver{name: p.name, serve: relay(pool)})
	}
	for i, r := range list {
		r.port, r.read = uint16(443+i), make(map[uint16][]reading)
		r.busy, r.had = make(map[uint16]int), make(map[uint16]int)
		if err := r.listen(); err != nil {
			return nil, err
		}
	}
	udp, err := startDatagramReceivers(dir, cert)
	return append(list, udp...), err
}

// fastOpenName is the receiver whose socket has TCP Fast Open.
const fastOpenName = "crypto/tls, Fast Open"
