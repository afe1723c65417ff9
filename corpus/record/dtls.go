//go:build linux

package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/pion/dtls/v3"

	"github.com/tlsflags/tlsflags/corpus"
)

const (
	dtlsMethod = "dumpcap on a loopback interface; at most 24 packets kept of each flow; "
	dtlsPort   = 4433
)

var dtlsAddr = &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: dtlsPort}

func dtlsRecordings() []recording {
	record := func(file, what string, serve func(context.Context) error, client func(context.Context) (corpus.Client, error), exercises ...string) recording {
		return recording{
			file: file, method: dtlsMethod + what, exercises: exercises,
			filter: fmt.Sprintf("udp port %d", dtlsPort), flowLimit: 24,
			run: func(ctx context.Context) ([]corpus.Client, error) {
				if err := serve(ctx); err != nil {
					return nil, err
				}
				return one(client(ctx))
			},
		}
	}
	sClient := func(args ...string) func(context.Context) (corpus.Client, error) {
		return openssl(append([]string{"-connect", dtlsAddr.String(), "-servername", "openssl.demo.example"}, args...)...).run
	}
	sServer := func(args ...string) func(context.Context) error {
		return func(ctx context.Context) error { return opensslServer(ctx, args...) }
	}
	alpn := longALPN()
	return []recording{
		record("dtls12-openssl.pcapng", "s_client against s_server", sServer("-dtls"), sClient("-dtls"),
			"DTLS 1.2", "HelloVerifyRequest", "second hello with a cookie"),
		record("dtls12-fragments-openssl.pcapng", "s_client -mtu 256, with an ALPN list that makes the hello longer than that", sServer("-dtls"), sClient("-dtls", "-mtu", "256", "-alpn", alpn),
			"DTLS 1.2", "HelloVerifyRequest", "both hellos in fragments, each in a datagram of its own"),
		record("dtls10-openssl.pcapng", "s_client -dtls1 with SECLEVEL=0", sServer("-dtls1", "-cipher", "DEFAULT@SECLEVEL=0"), sClient("-dtls1", "-cipher", "DEFAULT@SECLEVEL=0"),
			"DTLS 1.0", "HelloVerifyRequest"),
		record("dtls12-openssl-ext62-80.pcapng", "flagclient.c against s_server", sServer("-dtls"),
			flagClient{network: "dtls", port: dtlsPort, serverName: "openssl.demo.example", extension: 62, data: flags80}.run,
			"DTLS 1.2", "HelloVerifyRequest", "request_mtls under 62 in both hellos"),
		record("dtls12-fragments-openssl-fe01-80.pcapng", "flagclient.c with an MTU of 256 against s_server", sServer("-dtls"),
			flagClient{network: "dtls", port: dtlsPort, serverName: strings.Repeat("long.", 30) + "demo.example", extension: 0xfe01, data: flags80, env: []string{"MTU=256"}}.run,
			"DTLS 1.2", "HelloVerifyRequest", "both hellos in fragments", "request_mtls under 0xfe01 in both hellos"),
		record("dtls12-pion.pcapng", "a pion client and server", pionServer(), pionClient(0),
			"DTLS 1.2", "HelloVerifyRequest", "second hello with a cookie"),
		record("dtls12-no-cookie-pion.pcapng", "a pion client and a server that skips the cookie exchange", pionServer(dtls.WithInsecureSkipVerifyHello(true)), pionClient(0),
			"DTLS 1.2", "hello that is accepted without a cookie"),
		record("dtls12-fragments-pion.pcap", "a pion client with an MTU of 60, and a pion server", pionServer(), pionClient(60),
			"DTLS 1.2", "HelloVerifyRequest", "both hellos in fragments"),
		record("dtls12-gnutls.pcapng", "gnutls-cli against a pion server", pionServer(),
			program{"gnutls-cli", []string{"gnutls-cli", "--version"}, regexp.MustCompile(`gnutls-cli (\S+)`),
				[]string{"gnutls-cli", "--udp", "--insecure", "--sni-hostname=gnutls.demo.example", "-p", fmt.Sprint(dtlsPort), "127.0.0.1"}}.run,
			"DTLS 1.2", "HelloVerifyRequest", "second hello with a cookie"),
		{
			file:      "dtls13-webrtc-chromium-156.pcapng",
			method:    dtlsMethod + "both ends of a WebRTC data channel in one page of Chromium",
			exercises: []string{"DTLS 1.3", "post-quantum hello in two fragments", "STUN on the same ports"},
			filter:    "udp",
			flowLimit: 24,
			run:       recordWebRTC,
		},
	}
}

// opensslServer starts s_server and waits until it listens.
func opensslServer(ctx context.Context, args ...string) error {
	dir, err := os.MkdirTemp("", "s_server")
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { os.RemoveAll(dir) })
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	out, err := exec.CommandContext(ctx, "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost", "-keyout", key, "-out", cert).CombinedOutput()
	if err != nil {
		return fmt.Errorf("openssl req: %w: %s", err, out)
	}
	args = append([]string{"s_server", "-quiet", "-accept", dtlsAddr.String(), "-cert", cert, "-key", key}, args...)
	server := exec.CommandContext(ctx, "openssl", args...)
	// s_server stops at the end of its input.
	if _, err := server.StdinPipe(); err != nil {
		return err
	}
	if err := server.Start(); err != nil {
		return err
	}
	go server.Wait()
	return awaitUDP(ctx, dtlsPort)
}

// awaitUDP waits until a UDP socket is bound to the port. A test packet would
// disturb the server.
func awaitUDP(ctx context.Context, port int) error {
	want := fmt.Sprintf(":%04X ", port)
	for ctx.Err() == nil {
		table, err := os.ReadFile("/proc/net/udp")
		if err != nil {
			return err
		}
		if strings.Contains(string(table), want) {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return ctx.Err()
}

func pionServer(options ...dtls.ServerOption) func(context.Context) error {
	return func(ctx context.Context) error {
		cert, err := newCertificate()
		if err != nil {
			return err
		}
		listener, err := dtls.ListenWithOptions("udp", dtlsAddr, append(options, dtls.WithCertificates(cert))...)
		if err != nil {
			return err
		}
		context.AfterFunc(ctx, func() { listener.Close() })
		go acceptDTLS(ctx, listener)
		return nil
	}
}

// acceptDTLS makes handshakes and reads until the client leaves.
func acceptDTLS(ctx context.Context, listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			if err := conn.(*dtls.Conn).HandshakeContext(ctx); err == nil {
				conn.Read(make([]byte, 1<<11))
			}
		}()
	}
}

// pionClient makes one handshake. MTU 0 is pion's default.
func pionClient(mtu int) func(context.Context) (corpus.Client, error) {
	return func(ctx context.Context) (corpus.Client, error) {
		client := corpus.Client{Name: "pion/dtls", Version: moduleVersion("github.com/pion/dtls/v3")}
		socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: dtlsAddr.IP})
		if err != nil {
			return client, err
		}
		defer socket.Close()
		options := []dtls.ClientOption{dtls.WithInsecureSkipVerify(true), dtls.WithServerName("pion.demo.example")}
		if mtu > 0 {
			options = append(options, dtls.WithMTU(mtu))
		}
		conn, err := dtls.ClientWithOptions(socket, dtlsAddr, options...)
		if err != nil {
			return client, err
		}
		if err := conn.HandshakeContext(ctx); err != nil {
			return client, fmt.Errorf("pion: %w", err)
		}
		return client, conn.Close()
	}
}

//go:embed webrtc.html
var webRTCPage []byte

// recordWebRTC opens webrtc.html, which connects with itself.
func recordWebRTC(ctx context.Context) ([]corpus.Client, error) {
	// Chromium offers the address of the default route, never a loopback one.
	err := runAll(ctx,
		"ip link add rtc0 type veth peer name rtc1",
		"ip addr add 192.0.2.1/24 dev rtc0",
		"ip link set rtc0 up",
		"ip link set rtc1 up",
		"ip route add default via 192.0.2.2")
	if err != nil {
		return nil, err
	}
	// Ends both interfaces.
	defer runAll(context.WithoutCancel(ctx), "ip link del rtc0")

	var outcome string
	done := make(chan struct{})
	finish := sync.OnceFunc(func() { close(done) })
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { w.Write(webRTCPage) })
	mux.HandleFunc("GET /done", func(_ http.ResponseWriter, r *http.Request) {
		outcome = r.URL.RawQuery
		finish()
	})
	mux.HandleFunc("GET /wait", func(http.ResponseWriter, *http.Request) {
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			outcome = "no connection in 20 seconds"
			finish()
		}
	})
	server := http.Server{Addr: "127.0.0.1:80", Handler: mux}
	go server.ListenAndServe()
	defer server.Close()
	clients, err := one(chromium(ctx, "http://rtc.demo.example/", "--allow-loopback-in-peer-connection", "--disable-features=WebRtcHideLocalIpsWithMdns"))
	if err == nil && outcome != "" {
		err = errors.New(outcome)
	}
	return clients, err
}
