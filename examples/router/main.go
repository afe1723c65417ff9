// Router is a TCP proxy that chooses a backend by the client's ClientHello: by its flag
// request_mtls, and by its server name. It decrypts nothing, and needs no key.
//
//	router -bots 10.0.0.9:443 www.example.com=10.0.0.1:443 default=10.0.0.2:443
//
// Backends get the client's address in a header of the PROXY protocol, version 2.
package main

import (
	"cmp"
	"errors"
	"flag"
	"io"
	"log"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/tlsflags/tlsflags/clienthello/peek"
	"github.com/tlsflags/tlsflags/extension"
)

// routes are the addresses of backends.
type routes struct {
	bots  string // of clients that set request_mtls, if not empty
	names map[string]string
}

func (r routes) choose(hello peek.Hello) string {
	if r.bots != "" && hello.HasFlag(extension.RequestMTLS) {
		return r.bots
	}
	name, _ := hello.ServerName() // with Encrypted Client Hello, that of the outer hello
	return cmp.Or(r.names[strings.ToLower(string(name))], r.names["default"])
}

func main() {
	listen := flag.String("listen", ":443", "`address` to listen on")
	bots := flag.String("bots", "", "`address` of the backend for clients that set request_mtls")
	flag.Parse()
	r := routes{bots: *bots, names: make(map[string]string)}
	for _, arg := range flag.Args() {
		name, address, _ := strings.Cut(arg, "=")
		r.names[name] = address
	}
	l, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	serve(peek.NewListener(l, peek.Options{}), r.choose)
}

func serve(l *peek.Listener, choose func(peek.Hello) string) {
	for {
		client, err := l.Accept() // returns those whose hello has come
		if err == nil {
			go route(client.(*peek.Conn), choose)
		} else if errors.Is(err, net.ErrClosed) {
			return
		} else { // such as too many open files, which passes: there are two for each client
			log.Print(err)
			time.Sleep(100 * time.Millisecond)
		}
	}
}

func route(client *peek.Conn, choose func(peek.Hello) string) {
	defer client.Close()
	hello, _ := peek.FromConn(client)
	backend, err := net.DialTimeout("tcp", choose(hello), 10*time.Second)
	if err != nil {
		log.Print(err)
		client.Write(peek.AppendAlert(nil, extension.AlertInternalError))
		return
	}
	defer backend.Close()
	src, dst := client.RemoteAddr().(*net.TCPAddr), client.LocalAddr().(*net.TCPAddr)
	backend.Write(peek.AppendProxyHeader(nil, src.AddrPort(), dst.AddrPort()))
	var both sync.WaitGroup
	both.Go(func() { pipe(backend, client) })
	both.Go(func() { pipe(client, backend) })
	both.Wait()
}

// pipe copies what comes from src, in the kernel: io.Copy calls WriteTo and ReadFrom of the
// client. An idle connection stays until one end closes it, or keep-alive fails.
func pipe(dst, src net.Conn) {
	if _, err := io.Copy(dst, src); err != nil {
		dst.Close()
		src.Close() // both, so that the other direction ends as well
	}
	dst.(interface{ CloseWrite() error }).CloseWrite()
}
