package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/tlsflags/tlsflags/examples/internal/try"
	"github.com/tlsflags/tlsflags/reqmtls/client"
)

func TestServe(t *testing.T) {
	parties := try.NewParties(t)
	addr, listener := try.Listen(t)
	go serve(listener, parties.ServerConfig(), parties.Bots.Pool())

	for name, tt := range map[string]struct {
		config client.Config
		want   codes.Code
	}{
		"a bot":  {parties.Bot(), codes.OK},
		"others": {parties.Nobody(), codes.Unauthenticated},
	} {
		tt.config.TLS.NextProtos = []string{"h2"}
		c, err := client.New(tt.config)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := dial(addr, c)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		var header metadata.MD
		_, err = healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{}, grpc.Header(&header))
		if got := status.Code(err); got != tt.want {
			t.Errorf("%s: %v (%v), want %v", name, got, err, tt.want)
		}
		if ja4 := strings.Join(header.Get("ja4"), " "); strings.HasPrefix(ja4, "t13i") != (tt.want == codes.OK) {
			t.Errorf("%s: JA4 %q", name, ja4)
		}
		cancel()
		conn.Close()
	}
}
