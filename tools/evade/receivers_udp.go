package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/hex"
	"io"
	"net"
	"net/netip"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
)

// listenUDP opens the sockets of a receiver.
func (r *receiver) listenUDP() ([]*net.UDPConn, error) {
	var list []*net.UDPConn
	for _, address := range []netip.Addr{server4, server6} {
		c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(address, r.port)))
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}

// startDatagramReceivers starts those servers that are installed.
func startDatagramReceivers(dir string, cert tls.Certificate) ([]*receiver, error) {
	list := []*receiver{{name: "quic-go", port: 443, carrier: quicCarrier, read: make(map[uint16][]reading)}}
	if err := startQUIC(list[0], cert); err != nil {
		return nil, err
	}
	if _, err := exec.LookPath("openssl"); err != nil {
		return list, nil // as was said before
	}
	r := &receiver{name: "OpenSSL, DTLS", port: 444, carrier: dtlsCarrier, read: make(map[uint16][]reading)}
	return append(list, r), startDTLS(r, dir)
}

// base returns the first port of a client that has two.
func base(port uint16) uint16 {
	if port >= firstPort+otherPort {
		return port - otherPort
	}
	return port
}

// startQUIC starts quic-go, in which crypto/tls says what it read.
func startQUIC(r *receiver, cert tls.Certificate) error {
	sockets, err := r.listenUDP()
	if err != nil {
		return err
	}
	for _, c := range sockets {
		l, err := (&quic.Transport{Conn: c}).Listen(&tls.Config{
			Certificates: []tls.Certificate{cert},
			NextProtos:   []string{alpn},
			GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
				port := hello.Conn.RemoteAddr().(*net.UDPAddr).AddrPort().Port()
				r.saw(base(port), newReading(slices.Contains(hello.Extensions, 62), hello.ServerName))
				return nil, nil
			},
		}, &quic.Config{HandshakeIdleTimeout: 2 * time.Second})
		if err != nil {
			return err
		}
		go func() {
			for {
				if _, err := l.Accept(context.Background()); err != nil {
					return
				}
			}
		}()
	}
	return nil
}

// startDTLS passes the datagrams of each client to a process of OpenSSL of its own, which
// prints the messages that it reads.
func startDTLS(r *receiver, dir string) error {
	sockets, err := r.listenUDP()
	if err != nil {
		return err
	}
	d := &dtlsRelay{receiver: r, dir: dir, sockets: sockets, servers: make(map[netip.AddrPort]*net.UDPConn)}
	r.prepare = d.prepare
	for _, c := range sockets {
		go d.relay(c)
	}
	return nil
}

// A dtlsRelay is between clients and the processes of OpenSSL.
type dtlsRelay struct {
	receiver *receiver
	dir      string
	sockets  []*net.UDPConn // for IPv4 and IPv6

	mu      sync.Mutex
	servers map[netip.AddrPort]*net.UDPConn // by the client's address
	next    int
}

// relay passes the datagrams of clients on.
func (d *dtlsRelay) relay(c *net.UDPConn) {
	var buf [1 << 16]byte
	for {
		n, from, err := c.ReadFromUDPAddrPort(buf[:])
		if err != nil {
			return
		}
		d.mu.Lock()
		server := d.servers[from]
		d.mu.Unlock()
		if server != nil {
			server.Write(buf[:n])
		}
	}
}

// prepare starts the process for a client. stop ends it.
func (d *dtlsRelay) prepare(client netip.AddrPort) (stop func(), err error) {
	d.mu.Lock()
	d.next = (d.next + 1) % 10000
	address := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(20000+d.next))
	d.mu.Unlock()
	cmd := exec.Command("openssl", "s_server", "-dtls", "-mtu", "1400", "-msg", "-accept", address.String(), "-cert", d.dir+"/cert.pem", "-key", d.dir+"/key.pem")
	cmd.SysProcAttr = withParent()
	stdin, err := cmd.StdinPipe() // at its end the server ends
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ready, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		d.watch(out, client.Port(), ready)
	}()
	<-ready
	server, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(address))
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	d.servers[client] = server
	d.mu.Unlock()
	go d.answer(server, client)
	return func() {
		d.mu.Lock()
		delete(d.servers, client)
		d.mu.Unlock()
		server.Close()
		stdin.Close()
		cmd.Process.Kill()
		<-done
		cmd.Wait()
	}, nil
}

// answer passes the datagrams of a process on to its client.
func (d *dtlsRelay) answer(server *net.UDPConn, client netip.AddrPort) {
	c := d.sockets[0]
	if client.Addr().Is6() {
		c = d.sockets[1]
	}
	var buf [1 << 16]byte
	for {
		n, err := server.Read(buf[:])
		if err != nil {
			return
		}
		c.WriteToUDPAddrPort(buf[:n], client)
	}
}

var hexLine = regexp.MustCompile(`^ {4}([0-9a-f]{2} ?)+$`)

// watch reads what openssl s_server -msg prints: a line for each record header and message
// that is read (<<<) or written (>>>), and its bytes. What the server read is the ClientHello
// that it answers with a HelloVerifyRequest or a ServerHello.
func (d *dtlsRelay) watch(out io.Reader, port uint16, ready chan struct{}) {
	const clientHello, serverHello, verifyRequest, header = 1, 2, 3, 12
	var hello, message []byte
	written := false
	end := func() {
		switch {
		case len(message) <= header:
		case !written && message[0] == clientHello:
			hello = message
		case written && (message[0] == serverHello || message[0] == verifyRequest):
			if what, ok := readDTLSHello(hello); ok {
				d.receiver.saw(port, what)
			}
		}
		message = nil
	}
	once := sync.OnceFunc(func() { close(ready) })
	defer once()
	for lines := bufio.NewScanner(out); lines.Scan(); {
		line := strings.TrimRight(lines.Text(), " ")
		switch {
		case line == "ACCEPT":
			once()
		case strings.HasPrefix(line, "<<<") || strings.HasPrefix(line, ">>>"):
			message, written = []byte{}, line[0] == '>'
		case message != nil && hexLine.MatchString(line):
			b, _ := hex.DecodeString(strings.ReplaceAll(line, " ", ""))
			message = append(message, b...)
			if n := len(message); n > header && n == header+(int(message[1])<<16|int(message[2])<<8|int(message[3])) {
				end()
			}
		}
	}
}

// readDTLSHello reads a ClientHello with the header of DTLS and a cookie.
func readDTLSHello(b []byte) (reading, bool) {
	const header = 12
	at := header + 2 + 32
	if len(b) <= at || len(b) < at+2+int(b[at]) {
		return "", false
	}
	at += 1 + int(b[at])
	after := at + 1 + int(b[at])
	if len(b) < after {
		return "", false
	}
	return readHello(slices.Concat(b[:4], b[header:at], b[after:]))
}
