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
		name string
		args []string
		want int // hellos; -1: those that came in time, which may be none
	}{
		{"count", []string{"--count", "2"}, 2},
		{"duration", []string{"--duration", "100ms"}, -1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			file := filepath.Join(t.TempDir(), "live.pcapng")
			exit := Run(ctx, append([]string{"inspect", "-i", "lo", "-f", "jsonl", "--write-pcap", file}, tt.args...), strings.NewReader(""), &out, &errs)
			found := 0
			for line := range strings.Lines(out.String()) {
				var hello struct {
					Dst         string
					ClientHello struct {
						ServerName string `json:"server_name"`
					} `json:"client_hello"`
				}
				if err := json.Unmarshal([]byte(line), &hello); err != nil {
					t.Fatal(err)
				}
				if hello.Dst != addr || hello.ClientHello.ServerName != "live.example" {
					t.Errorf("found %s", line)
				}
				found++
			}
			if exit == 0 && found > 0 {
				var again bytes.Buffer
				Run(ctx, []string{"inspect", "-q", "-f", "jsonl", "--fields", "src", file}, strings.NewReader(""), &again, &errs)
				if n := strings.Count(again.String(), "\n"); n != found {
					t.Errorf("%d hellos written of %d", n, found)
				}
			}
			if exit != 0 || tt.want >= 0 && found != tt.want || !strings.Contains(errs.String(), "1 input, ") {
				t.Errorf("exit %d, %d hellos found\n%s%s", exit, found, out.String(), errs.String())
			}
		})
	}
}
