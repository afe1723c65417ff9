//go:build linux

package main

import (
	"context"
	"crypto/tls"
	"net"
	"regexp"

	utls "github.com/refraction-networking/utls"

	"github.com/tlsflags/tlsflags/corpus"
)

func demoRecordings() []recording {
	return []recording{{
		file:      "demo.pcapng",
		method:    "dumpcap on a loopback interface with an MTU of 1500 and without segmentation offload, clients one after the other against a crypto/tls server; at most 16 packets kept of each flow",
		exercises: []string{"many clients in one capture", "hellos in two TCP segments", "request_mtls under 62 and under 0xfe01", "several flags in one extension", "hellos without tls_flags"},
		filter:    "tcp port 443",
		flowLimit: 16,
		run:       recordDemo,
	}}
}

func recordDemo(ctx context.Context) ([]corpus.Client, error) {
	const addr = "127.0.0.1:443"
	cert, err := newCertificate()
	if err != nil {
		return nil, err
	}
	if err := serveTLS(ctx, addr, &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"http/1.1"}}); err != nil {
		return nil, err
	}
	steps := []func() (corpus.Client, error){
		func() (corpus.Client, error) {
			return curl("--resolve", "curl.demo.example:443:127.0.0.1", "https://curl.demo.example/").run(ctx)
		},
		func() (corpus.Client, error) { return chromium(ctx, "https://chromium.demo.example/") },
		func() (corpus.Client, error) {
			return goTLS(ctx, &net.Dialer{}, addr, &tls.Config{ServerName: "go.demo.example", InsecureSkipVerify: true})
		},
		func() (corpus.Client, error) {
			return openssl("-connect", addr, "-servername", "openssl.demo.example").run(ctx)
		},
		func() (corpus.Client, error) { return python("python.demo.example", addr).run(ctx) },
		func() (corpus.Client, error) { return node("node.demo.example", addr).run(ctx) },
		func() (corpus.Client, error) {
			return program{"gnutls-cli", []string{"gnutls-cli", "--version"}, regexp.MustCompile(`gnutls-cli (\S+)`),
				[]string{"gnutls-cli", "--insecure", "--sni-hostname=gnutls.demo.example", "127.0.0.1"}}.run(ctx)
		},
		func() (corpus.Client, error) { return uTLS(ctx, addr, "utls.demo.example") },
		func() (corpus.Client, error) {
			return uTLS(ctx, addr, "bot.demo.example", &utls.GenericExtension{Id: 62, Data: flags80})
		},
		func() (corpus.Client, error) {
			return uTLS(ctx, addr, "experimental-bot.demo.example", &utls.GenericExtension{Id: 0xfe01, Data: flags80})
		},
		func() (corpus.Client, error) {
			return uTLS(ctx, addr, "resuming-bot.demo.example", &utls.GenericExtension{Id: 62, Data: flags8and80})
		},
	}
	return inTurn(steps)
}

// inTurn runs clients one after the other and returns their names.
func inTurn(steps []func() (corpus.Client, error)) ([]corpus.Client, error) {
	var clients []corpus.Client
	for _, step := range steps {
		client, err := step()
		if err != nil {
			return nil, err
		}
		clients = append(clients, client)
	}
	return clients, nil
}
