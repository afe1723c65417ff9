package cli

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/tlsflags/tlsflags/internal/testenv"
)

// TestInspectLive captures connections to a server of its own on the loopback interface.
func TestInspectLive(t *testing.T) {
	if !testenv.Network(t) {
		return
	}
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			conn.Close()
		}
	}()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { // until the capture has begun, and seen enough
		for ctx.Err() == nil {
			if conn, err := net.Dial("tcp4", listener.Addr().String()); err == nil {
				tls.Client(conn, &tls.Config{ServerName: "live.example"}).Handshake() // fails, the server closes
				conn.Close()
			}
			time.Sleep(20 * time.Millisecond)
		}
	}()

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
			exit := Run(ctx, append([]string{"inspect", "-i", "lo", "-f", "jsonl"}, tt.args...), strings.NewReader(""), &out, &errs)
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
				if hello.Dst != listener.Addr().String() || hello.ClientHello.ServerName != "live.example" {
					t.Errorf("found %s", line)
				}
				found++
			}
			if exit != 0 || tt.want >= 0 && found != tt.want || !strings.Contains(errs.String(), "1 input, ") {
				t.Errorf("exit %d, %d hellos found\n%s%s", exit, found, out.String(), errs.String())
			}
		})
	}
}
