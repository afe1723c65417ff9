// Grpc is a gRPC server that asks bots for certificates, and nobody else, with a client
// that is such a bot. The server's interceptor gets the certificate and the ClientHello.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/tlsflags/tlsflags/clienthello/peek"
	"github.com/tlsflags/tlsflags/examples/internal/site"
	"github.com/tlsflags/tlsflags/fingerprint"
	"github.com/tlsflags/tlsflags/reqmtls"
	"github.com/tlsflags/tlsflags/reqmtls/client"
)

func main() {
	log.Fatal(serve(site.Listen()))
}

func serve(listener net.Listener, config *tls.Config, bots *x509.CertPool) error {
	mtls, err := reqmtls.New(config, reqmtls.Config{ClientCAs: bots})
	if err != nil {
		return err
	}
	// gRPC needs both: a config for its credentials, and the listener that records flags.
	// The listener inside it keeps the hellos, for helloInfo.
	creds := helloCredentials{credentials.NewTLS(mtls.TLSConfig())}
	server := grpc.NewServer(grpc.Creds(creds), grpc.UnaryInterceptor(botsOnly))
	healthpb.RegisterHealthServer(server, health.NewServer())
	return server.Serve(mtls.Listener(peek.NewListener(listener, peek.Options{})))
}

// botsOnly admits only clients whose certificate was verified.
func botsOnly(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	p, _ := peer.FromContext(ctx)
	info, ok := p.AuthInfo.(helloInfo)
	if !ok || len(info.State.VerifiedChains) == 0 {
		return nil, status.Error(codes.Unauthenticated, "no certificate of a bot")
	}
	ja4 := fingerprint.SumJA4(info.Hello.ClientHello, fingerprint.TCP)
	grpc.SetHeader(ctx, metadata.Pairs("ja4", ja4.String()))
	return handler(ctx, req)
}

// helloInfo is what gRPC knows of a peer's TLS, and the hello.
type helloInfo struct {
	credentials.TLSInfo
	Hello peek.Hello
}

// helloCredentials add the hello to what an interceptor finds in its peer.
type helloCredentials struct {
	credentials.TransportCredentials
}

func (c helloCredentials) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := c.TransportCredentials.ServerHandshake(raw)
	if err != nil {
		return nil, nil, err
	}
	hello, _ := peek.FromConn(raw)
	return conn, helloInfo{info.(credentials.TLSInfo), hello}, nil
}

func (c helloCredentials) Clone() credentials.TransportCredentials {
	return helloCredentials{c.TransportCredentials.Clone()}
}

// dial connects as a client that sets the flag. gRPC takes the connection as it is, since
// TLS is made below it; c.TLS.NextProtos has to be h2.
func dial(addr string, c *client.Client) (*grpc.ClientConn, error) {
	return grpc.NewClient("passthrough:///"+addr,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, addr string) (net.Conn, error) {
			return c.Dial(ctx, "tcp", addr)
		}))
}
