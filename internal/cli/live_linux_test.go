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
)

// TestInspectLive captures connections to a server of its own on the loopback interface.
func TestInspectLive(t *testing.T) {
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
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
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

	for name, args := range map[string][]string{
		"count":    {"inspect", "-i", "lo", "--count", "2", "-f", "jsonl"},
		"duration": {"inspect", "-i", "lo", "--duration", "1s", "-f", "jsonl"},
	} {
		t.Run(name, func(t *testing.T) {
			var out, errs bytes.Buffer
			exit := Run(ctx, args, strings.NewReader(""), &out, &errs)
			if text := errs.String(); strings.Contains(text, "CAP_NET_RAW") || strings.Contains(text, "no interface") {
				t.Skip(text)
			}
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
				if hello.Dst == listener.Addr().String() && hello.ClientHello.ServerName == "live.example" {
					found++
				}
			}
			if exit != 0 || found == 0 || !strings.Contains(errs.String(), "1 input, ") {
				t.Errorf("exit %d, %d hellos found\n%s%s", exit, found, out.String(), errs.String())
			}
		})
	}
}
