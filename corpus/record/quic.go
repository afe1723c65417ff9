//go:build linux

package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	utls "github.com/refraction-networking/utls"

	"github.com/tlsflags/tlsflags/corpus"
	"github.com/tlsflags/tlsflags/internal/quicseal"
)

const (
	quicMethod = "dumpcap on a loopback interface; at most 12 packets kept of each flow; "
	quicAddr   = "127.0.0.1:443"
)

// quicServer is a quic-go server with empty responses to HTTP/3 requests.
type quicServer struct {
	versions []quic.Version // nil accepts v1 and v2
	groups   []tls.CurveID
	retry    bool
}

func quicRecordings() []recording {
	record := func(file, what string, server quicServer, client func(context.Context, tls.Certificate) (corpus.Client, error), exercises ...string) recording {
		return recording{
			file: file, method: quicMethod + what, exercises: exercises, filter: "udp port 443", flowLimit: 12,
			run: func(ctx context.Context) ([]corpus.Client, error) {
				cert, err := newCertificate()
				if err != nil {
					return nil, err
				}
				if err := server.serve(ctx, cert); err != nil {
					return nil, err
				}
				return one(client(ctx, cert))
			},
		}
	}
	v1, v2 := []quic.Version{quic.Version1}, []quic.Version{quic.Version2}
	classic := []tls.CurveID{tls.X25519}
	return []recording{
		record("quic-v1-chromium-156.pcapng", "Chromium against a quic-go server", quicServer{}, chromiumQUIC,
			"QUIC v1", "hello in two Initials", "CRYPTO frames shuffled and cut by chaos protection"),
		record("quic-v1-retry-chromium-156.pcapng", "Chromium against a quic-go server that sends Retry", quicServer{retry: true}, chromiumQUIC,
			"QUIC v1", "Retry", "the same hello under new keys, cut elsewhere"),
		record("quic-v1-quic-go.pcap", "a quic-go client and server", quicServer{}, quicGo(v1, nil),
			"QUIC v1", "hello in two Initials", "CRYPTO frames out of order"),
		record("quic-v1-one-initial-quic-go.pcapng", "a quic-go client without post-quantum groups", quicServer{}, quicGo(v1, classic),
			"QUIC v1", "hello in one Initial"),
		record("quic-v1-retry-quic-go.pcapng", "a quic-go client and a server that sends Retry", quicServer{retry: true}, quicGo(v1, nil),
			"QUIC v1", "Retry", "the same hello under new keys", "token"),
		record("quic-v1-hrr-quic-go.pcapng", "a quic-go client and a server that accepts P-384 only", quicServer{groups: []tls.CurveID{tls.CurveP384}}, quicGo(v1, nil),
			"QUIC v1", "HelloRetryRequest", "second hello at the next CRYPTO offset"),
		record("quic-v2-quic-go.pcap", "a quic-go client and server", quicServer{}, quicGo(v2, nil),
			"QUIC v2", "hello in two Initials"),
		record("quic-v2-one-initial-quic-go.pcapng", "a quic-go client without post-quantum groups", quicServer{}, quicGo(v2, classic),
			"QUIC v2", "hello in one Initial"),
		record("quic-v2-retry-quic-go.pcapng", "a quic-go client and a server that sends Retry", quicServer{retry: true}, quicGo(v2, nil),
			"QUIC v2", "Retry", "the same hello under new keys", "token"),
		record("quic-version-negotiation-quic-go.pcapng", "a quic-go client that tries v2 against a server that knows v1 only", quicServer{versions: v1}, quicGo([]quic.Version{quic.Version2, quic.Version1}, nil),
			"QUIC v2, Version Negotiation, then QUIC v1", "the hello of an attempt that the server refuses"),
		record("quic-v1-ext62-80.pcapng", "a hello of uTLS in Initials of this program's making, which a quic-go server answers", quicServer{}, quicWithFlags(quic.Version1, 62, flags80),
			"QUIC v1", "hello in two Initials", "request_mtls under 62"),
		record("quic-v2-fe01-80.pcap", "a hello of uTLS in Initials of this program's making, which a quic-go server answers", quicServer{}, quicWithFlags(quic.Version2, 0xfe01, flags80),
			"QUIC v2", "hello in two Initials", "request_mtls under 0xfe01"),
	}
}

func (s quicServer) serve(ctx context.Context, cert tls.Certificate) error {
	conn, err := net.ListenPacket("udp", quicAddr)
	if err != nil {
		return err
	}
	transport := &quic.Transport{Conn: conn, VerifySourceAddress: func(net.Addr) bool { return s.retry }}
	config := &tls.Config{Certificates: []tls.Certificate{cert}, CurvePreferences: s.groups, NextProtos: []string{http3.NextProtoH3}}
	listener, err := transport.ListenEarly(config, &quic.Config{Versions: s.versions, DisablePathMTUDiscovery: true})
	if err != nil {
		return err
	}
	server := http3.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})}
	go server.ServeListener(listener)
	context.AfterFunc(ctx, func() {
		server.Close()
		transport.Close()
		conn.Close()
	})
	return nil
}

func chromiumQUIC(ctx context.Context, cert tls.Certificate) (corpus.Client, error) {
	parsed, err := x509.ParseCertificate(cert.Certificate[0])
	if err != nil {
		return corpus.Client{}, err
	}
	// This is the only flag that turns certificate checks off for QUIC.
	spki := sha256.Sum256(parsed.RawSubjectPublicKeyInfo)
	return chromium(ctx, "https://chromium.demo.example/",
		"--enable-quic", "--origin-to-force-quic-on=chromium.demo.example:443",
		"--ignore-certificate-errors-spki-list="+base64.StdEncoding.EncodeToString(spki[:]))
}

func quicGo(versions []quic.Version, groups []tls.CurveID) func(context.Context, tls.Certificate) (corpus.Client, error) {
	return func(ctx context.Context, _ tls.Certificate) (corpus.Client, error) {
		client := corpus.Client{Name: "quic-go", Version: moduleVersion("github.com/quic-go/quic-go") + " " + runtime.Version()}
		config := &tls.Config{ServerName: "quic-go.demo.example", InsecureSkipVerify: true, NextProtos: []string{http3.NextProtoH3}, CurvePreferences: groups}
		conn, err := quic.DialAddr(ctx, quicAddr, config, &quic.Config{Versions: versions, DisablePathMTUDiscovery: true})
		if err != nil {
			return client, fmt.Errorf("quic-go: %w", err)
		}
		return client, conn.CloseWithError(0, "")
	}
}

// quicWithFlags sends a hello with tls_flags, and nothing after the server has
// accepted it.
func quicWithFlags(version quic.Version, extension uint16, data []byte) func(context.Context, tls.Certificate) (corpus.Client, error) {
	return func(ctx context.Context, _ tls.Certificate) (corpus.Client, error) {
		client := corpus.Client{Name: fmt.Sprintf("uTLS for QUIC with extension %#x %x", extension, data), Version: moduleVersion("github.com/refraction-networking/utls")}
		packet := quicseal.Packet{Version: uint32(version), DCID: make([]byte, 8), SCID: make([]byte, 4), NumberLen: 1}
		rand.Read(packet.DCID)
		rand.Read(packet.SCID)
		hello, err := quicHello(ctx, packet.SCID, &utls.GenericExtension{Id: extension, Data: data})
		if err != nil {
			return client, err
		}
		conn, err := net.Dial("udp", quicAddr)
		if err != nil {
			return client, err
		}
		defer conn.Close()
		for _, d := range sealInitials(packet, hello) {
			if _, err := conn.Write(d); err != nil {
				return client, err
			}
		}
		return client, awaitServerHello(conn)
	}
}

// awaitServerHello waits for a datagram of full size. The server may send a
// short acknowledgement before. A hello that it refuses gets only a
// short CONNECTION_CLOSE.
func awaitServerHello(conn net.Conn) error {
	answer := make([]byte, 1<<11)
	if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return err
	}
	for {
		n, err := conn.Read(answer)
		if err != nil {
			return fmt.Errorf("no ServerHello: %w", err)
		}
		if n >= datagramSize {
			return nil
		}
	}
}

// quicHello makes the hello of a QUIC client with a post-quantum share.
func quicHello(ctx context.Context, scid []byte, extra utls.TLSExtension) ([]byte, error) {
	spec := utls.ClientHelloSpec{
		TLSVersMin:         utls.VersionTLS13,
		TLSVersMax:         utls.VersionTLS13,
		CipherSuites:       []uint16{utls.TLS_AES_128_GCM_SHA256, utls.TLS_AES_256_GCM_SHA384, utls.TLS_CHACHA20_POLY1305_SHA256},
		CompressionMethods: []byte{0},
		Extensions: []utls.TLSExtension{
			&utls.SNIExtension{},
			extra,
			&utls.ALPNExtension{AlpnProtocols: []string{http3.NextProtoH3}},
			&utls.SupportedCurvesExtension{Curves: []utls.CurveID{utls.X25519MLKEM768, utls.X25519}},
			&utls.SignatureAlgorithmsExtension{SupportedSignatureAlgorithms: []utls.SignatureScheme{utls.ECDSAWithP256AndSHA256, utls.PSSWithSHA256}},
			&utls.SupportedVersionsExtension{Versions: []uint16{utls.VersionTLS13}},
			&utls.PSKKeyExchangeModesExtension{Modes: []uint8{utls.PskModeDHE}},
			&utls.QUICTransportParametersExtension{TransportParameters: utls.TransportParameters{
				utls.InitialMaxData(1 << 20),
				utls.InitialMaxStreamDataBidiLocal(1 << 18),
				utls.InitialMaxStreamsBidi(4),
				utls.InitialSourceConnectionID(scid),
			}},
			&utls.KeyShareExtension{KeyShares: []utls.KeyShare{{Group: utls.X25519MLKEM768}, {Group: utls.X25519}}},
		},
	}
	conn := utls.UQUICClient(&utls.QUICConfig{TLSConfig: &utls.Config{
		ServerName: "quic-bot.demo.example", InsecureSkipVerify: true, MinVersion: utls.VersionTLS13, NextProtos: []string{http3.NextProtoH3},
	}}, utls.HelloCustom)
	if err := conn.ApplyPreset(&spec); err != nil {
		return nil, err
	}
	if err := conn.Start(ctx); err != nil {
		return nil, err
	}
	defer conn.Close()
	for {
		switch e := conn.NextEvent(); e.Kind {
		case utls.QUICWriteData:
			return append([]byte(nil), e.Data...), nil
		case utls.QUICNoEvent:
			return nil, errors.New("uTLS made no ClientHello")
		}
	}
}
