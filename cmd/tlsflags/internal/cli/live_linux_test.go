package cli

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tlsflags/tlsflags/internal/testenv"
)

// startVisits runs a server on the loopback interface that hangs up, and a client that
// greets it again and again until ctx ends.
func startVisits(ctx context.Context, t *testing.T) (addr string) {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			conn.Close()
		}
	}()
	go func() {
		for ctx.Err() == nil {
			if conn, err := net.Dial("tcp4", listener.Addr().String()); err == nil {
				tls.Client(conn, &tls.Config{ServerName: "live.example"}).Handshake() // fails, the server closes
				conn.Close()
			}
			time.Sleep(20 * time.Millisecond)
		}
	}()
	return listener.Addr().String()
}

// TestInspectLive captures connections to a server of its own on the loopback interface.
func TestInspectLive(t *testing.T) {
	if !testenv.Network(t) {
		return
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	addr := startVisits(ctx, t) // some come when the capture has begun
	for _, tt := range []struct {
		name      string
		args      []string
		want      int // hellos; -1: those that came in time, which may be none
		listening string
	}{
		{"count", []string{"-i", "lo", "--count", "2"}, 2, "lo (Ethernet), ring 64 MiB"},
		{"duration", []string{"-i", "lo", "--duration", "100ms"}, -1, "lo (Ethernet), ring 64 MiB"},
		{"any", []string{"-i", "any", "--count", "2", "--ring", "8MiB"}, 2, "any (1 Ethernet), ring 8 MiB"},
		{"filter", []string{"-i", "lo", "-i", "lo", "--filter", "not dst host 127.0.0.1 or dst host 192.0.2.1", "--duration", "100ms"}, 0, "lo (Ethernet), ring 64 MiB"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			exit := Run(ctx, append([]string{"inspect", "-f", "jsonl"}, tt.args...), strings.NewReader(""), &out, &errs)
			found := 0
			for line := range strings.Lines(out.String()) {
				var hello struct {
					Source, Dst string
					ClientHello struct {
						ServerName string `json:"server_name"`
					} `json:"client_hello"`
				}
				if err := json.Unmarshal([]byte(line), &hello); err != nil {
					t.Fatal(err)
				}
				if hello.Source != "lo" || hello.Dst != addr || hello.ClientHello.ServerName != "live.example" {
					t.Errorf("found %s", line)
				}
				found++
			}
			if exit != 0 || tt.want >= 0 && found != tt.want || !strings.HasPrefix(errs.String(), "listening on "+tt.listening+"\n1 input, ") || !strings.HasSuffix(errs.String(), ", 0 packets dropped by the kernel\n") {
				t.Errorf("exit %d, %d hellos found\n%s%s", exit, found, out.String(), errs.String())
			}
		})
	}
}

// TestWritePcapLive checks that the packets around the hellos of an interface are written.
func TestWritePcapLive(t *testing.T) {
	if !testenv.Network(t) {
		return
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	startVisits(ctx, t)
	file := filepath.Join(t.TempDir(), "live.pcapng")
	if out, code := runCLI(t, "inspect", "-i", "lo", "-f", "jsonl", "--count", "2", "--write-pcap", file); code != 0 {
		t.Fatalf("exit %d, %s", code, out)
	}
	out, code := runCLI(t, "inspect", "-q", "-f", "jsonl", "--fields", "client_hello.server_name", file)
	if want := strings.Repeat(`{"client_hello":{"server_name":"live.example"}}`+"\n", 2); code != 0 || out != want {
		t.Errorf("exit %d, %s", code, out)
	}
}
