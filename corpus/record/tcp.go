//go:build linux

package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"

	utls "github.com/refraction-networking/utls"

	"github.com/tlsflags/tlsflags/corpus"
)

const tcpMethod = "dumpcap on a loopback interface with an MTU of 1500 and without segmentation offload; at most 48 packets kept of each flow; "

// tcpFlowLimit is enough for a hello in 20 segments, each of which is
// acknowledged.
const tcpFlowLimit = 48

func tcpRecordings() []recording {
	const p256ThenP384 = "P-256:P-384"
	p384, p256 := []tls.CurveID{tls.CurveP384}, []tls.CurveID{tls.CurveP256}

	all := []recording{
		web("tcp-openssl-ext62-80.pcapng", "flagclient.c against a crypto/tls server", nil,
			flagClient{network: "tls", port: 443, serverName: "openssl.demo.example", extension: 62, data: flags80}.run,
			"request_mtls under 62 from a client other than uTLS"),
		web("tcp-openssl-fe01-80.pcap", "flagclient.c against a crypto/tls server", nil,
			flagClient{network: "tls", port: 443, serverName: "openssl.demo.example", extension: 0xfe01, data: flags80}.run,
			"request_mtls under 0xfe01 from a client other than uTLS"),
		web("tcp-ipv6-curl.pcapng", "a crypto/tls server on ::1", nil,
			curl("--resolve", "curl.demo.example:443:[::1]", "https://curl.demo.example/").run,
			"IPv6"),
		web("tcp-segments-88-go.pcap", "a crypto/tls client with TCP_MAXSEG 88", nil,
			func(ctx context.Context) (corpus.Client, error) { return goTLSWithMaxSeg(ctx, 88) },
			"post-quantum hello in some 20 small TCP segments"),
		web("tcp-records-512-openssl.pcapng", "s_client -max_send_frag 512, with an ALPN list that makes the hello longer than a record", nil,
			openssl("-connect", "127.0.0.1:443", "-servername", "openssl.demo.example", "-max_send_frag", "512", "-alpn", longALPN()).run,
			"hello in two TLS records", "long ALPN list"),

		web("tcp-hrr-openssl.pcapng", "a crypto/tls server that accepts P-384 only, s_client that has a share for P-256", p384,
			openssl("-connect", "127.0.0.1:443", "-servername", "openssl.demo.example", "-groups", p256ThenP384).run,
			"HelloRetryRequest", "second hello after a dummy change_cipher_spec"),
		web("tcp-hrr-no-ccs-openssl.pcap", "a crypto/tls server that accepts P-384 only, s_client -no_middlebox that has a share for P-256", p384,
			openssl("-connect", "127.0.0.1:443", "-servername", "openssl.demo.example", "-groups", p256ThenP384, "-no_middlebox").run,
			"HelloRetryRequest", "second hello without a dummy change_cipher_spec", "empty legacy_session_id"),
		web("tcp-hrr-chromium-156.pcapng", "a crypto/tls server that accepts P-256 only", p256,
			func(ctx context.Context) (corpus.Client, error) {
				return chromium(ctx, "https://chromium.demo.example/")
			},
			"HelloRetryRequest", "second hello without the post-quantum share"),
		web("tcp-hrr-utls-ext62-80.pcapng", "a crypto/tls server that accepts P-256 only", p256,
			func(ctx context.Context) (corpus.Client, error) {
				return uTLS(ctx, "127.0.0.1:443", "bot.demo.example", &utls.GenericExtension{Id: 62, Data: flags80})
			},
			"HelloRetryRequest", "request_mtls under 62 in both hellos"),
		web("tcp-hrr-openssl-flags-change.pcapng", "a crypto/tls server that accepts P-384 only, flagclient.c that has a share for P-256 and other flags in its second hello", p384,
			flagClient{network: "tls", port: 443, serverName: "openssl.demo.example", extension: 62, data: flags80, second: flags8and80, env: []string{"GROUPS=" + p256ThenP384}}.run,
			"HelloRetryRequest", "tls_flags that differ between the two hellos, which the standard forbids"),
	}
	for _, s := range startTLSScripts {
		all = append(all, s.recording())
	}
	return append(all, connectRecording(), proxyRecording(1), proxyRecording(2))
}

// web is a recording of a client of a crypto/tls server with the given groups.
func web(file, what string, groups []tls.CurveID, client func(context.Context) (corpus.Client, error), exercises ...string) recording {
	return recording{
		file: file, method: tcpMethod + what, exercises: exercises, filter: "tcp port 443", flowLimit: tcpFlowLimit,
		run: func(ctx context.Context) ([]corpus.Client, error) {
			cert, err := newCertificate()
			if err != nil {
				return nil, err
			}
			config := &tls.Config{Certificates: []tls.Certificate{cert}, CurvePreferences: groups}
			for _, addr := range []string{"127.0.0.1:443", "[::1]:443"} {
				if err := serveTLS(ctx, addr, config); err != nil {
					return nil, err
				}
			}
			return one(client(ctx))
		},
	}
}

// one makes a list of a single client.
func one(client corpus.Client, err error) ([]corpus.Client, error) {
	return []corpus.Client{client}, err
}

// longALPN returns a list of 40 invented protocols.
func longALPN() string {
	var names []string
	for i := range 40 {
		names = append(names, fmt.Sprintf("demo/%04d", i))
	}
	return strings.Join(names, ",")
}

func goTLSWithMaxSeg(ctx context.Context, size int) (corpus.Client, error) {
	dialer := net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		if cerr := c.Control(func(fd uintptr) {
			err = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_MAXSEG, size)
		}); cerr != nil {
			return cerr
		}
		return err
	}}
	return goTLS(ctx, &dialer, "127.0.0.1:443", &tls.Config{ServerName: "go.demo.example", InsecureSkipVerify: true})
}

// startTLSScript is a server with the replies that make s_client start TLS.
type startTLSScript struct {
	protocol string // as s_client names it
	port     int
	greeting string
	replies  []string // one for each message of the client
}

var startTLSScripts = []startTLSScript{
	{"smtp", 25, "220 demo.example ESMTP\r\n", []string{"250-demo.example\r\n250 STARTTLS\r\n", "220 go ahead\r\n"}},
	{"imap", 143, "* OK IMAP4rev1\r\n", []string{"* CAPABILITY IMAP4rev1 STARTTLS\r\n. OK done\r\n", ". OK begin\r\n"}},
	{"pop3", 110, "+OK ready\r\n", []string{"+OK begin\r\n"}},
	{"xmpp", 5222, "", []string{
		"<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='1' from='demo.example' version='1.0'>" +
			"<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>",
		"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
	}},
	// An ExtendedResponse with resultCode success (RFC 4511, Section 4.12).
	{"ldap", 389, "", []string{"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"}},
	{"postgres", 5432, "", []string{"S"}},
}

func (s startTLSScript) recording() recording {
	return recording{
		file:      "tcp-starttls-" + s.protocol + "-openssl.pcapng",
		method:    tcpMethod + "s_client -starttls " + s.protocol + " against a scripted server that goes on with crypto/tls",
		exercises: []string{"hello after a " + s.protocol + " prologue"},
		filter:    fmt.Sprintf("tcp port %d", s.port),
		flowLimit: tcpFlowLimit,
		run:       s.run,
	}
}

func (s startTLSScript) run(ctx context.Context) ([]corpus.Client, error) {
	cert, err := newCertificate()
	if err != nil {
		return nil, err
	}
	addr := fmt.Sprintf("127.0.0.1:%d", s.port)
	err = serve(ctx, addr, func(conn net.Conn) {
		buf := make([]byte, 1<<12)
		io.WriteString(conn, s.greeting)
		for _, reply := range s.replies {
			if _, err := conn.Read(buf); err != nil {
				return
			}
			io.WriteString(conn, reply)
		}
		answerTLS(conn, &tls.Config{Certificates: []tls.Certificate{cert}})
	})
	if err != nil {
		return nil, err
	}
	return one(openssl("-connect", addr, "-servername", s.protocol+".demo.example", "-starttls", s.protocol).run(ctx))
}

func connectRecording() recording {
	return recording{
		file:      "tcp-http-connect-curl.pcapng",
		method:    tcpMethod + "curl -x through a proxy; the leg between curl and the proxy",
		exercises: []string{"hello after an HTTP CONNECT request and its answer"},
		filter:    "tcp port 3128",
		flowLimit: tcpFlowLimit,
		run: func(ctx context.Context) ([]corpus.Client, error) {
			cert, err := newCertificate()
			if err != nil {
				return nil, err
			}
			// The proxy ends the tunnel itself: nothing after it is recorded.
			err = serve(ctx, "127.0.0.1:3128", func(conn net.Conn) {
				request, err := http.ReadRequest(bufio.NewReader(conn))
				if err != nil || request.Method != http.MethodConnect {
					return
				}
				io.WriteString(conn, "HTTP/1.1 200 Connection established\r\n\r\n")
				answerTLS(conn, &tls.Config{Certificates: []tls.Certificate{cert}})
			})
			if err != nil {
				return nil, err
			}
			return one(curl("-x", "http://127.0.0.1:3128", "https://curl.demo.example/").run(ctx))
		},
	}
}

// proxyV2 is a PROXY protocol header in its binary version: signature,
// version 2 and command PROXY, TCP over IPv4, length, two addresses and ports.
const proxyV2 = "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x01\xc6\x33\x64\x01\xc3\x50\x01\xbb"

func proxyRecording(version int) recording {
	r := recording{
		file:      "tcp-proxy-v1-curl.pcapng",
		method:    tcpMethod + "curl --haproxy-protocol against a crypto/tls server that skips the header",
		exercises: []string{fmt.Sprintf("hello after a PROXY protocol header, version %d", version)},
		filter:    "tcp port 443",
		flowLimit: tcpFlowLimit,
	}
	client := curl("--haproxy-protocol", "--resolve", "curl.demo.example:443:127.0.0.1", "https://curl.demo.example/").run
	if version == 2 {
		r.file = "tcp-proxy-v2-go.pcap"
		r.method = tcpMethod + "a crypto/tls client that writes the header first, as a load balancer would"
		client = func(ctx context.Context) (corpus.Client, error) {
			return goTLS(ctx, prefixDialer(proxyV2), "127.0.0.1:443", &tls.Config{ServerName: "go.demo.example", InsecureSkipVerify: true})
		}
	}
	r.run = func(ctx context.Context) ([]corpus.Client, error) {
		cert, err := newCertificate()
		if err != nil {
			return nil, err
		}
		err = serve(ctx, "127.0.0.1:443", func(conn net.Conn) {
			if err := skipProxyHeader(conn, version); err == nil {
				answerTLS(conn, &tls.Config{Certificates: []tls.Certificate{cert}})
			}
		})
		if err != nil {
			return nil, err
		}
		return one(client(ctx))
	}
	return r
}

func skipProxyHeader(conn net.Conn, version int) error {
	if version == 2 {
		_, err := io.CopyN(io.Discard, conn, int64(len(proxyV2)))
		return err
	}
	b := make([]byte, 1)
	for b[0] != '\n' {
		if _, err := io.ReadFull(conn, b); err != nil {
			return err
		}
	}
	return nil
}

// prefixDialer dials and writes a prefix before it returns the connection.
type prefixDialer string

func (d prefixDialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	if _, err := io.WriteString(conn, string(d)); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}
