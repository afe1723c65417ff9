package main

import (
	"bytes"
	"context"
	"crypto/tls"

	"net"
	"regexp"
	"testing"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/examples/internal/try"
	"github.com/tlsflags/tlsflags/internal/testenv"
)

// TestSniff runs in a network namespace of its own.
func TestSniff(t *testing.T) {
	if !testenv.Network(t) {
		return
	}
	ctx, cancel := context.WithCancel(t.Context())
	live, err := capture.Live(ctx, []string{"lo"}, capture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer live.Close()
	addr, listener := try.Listen(t)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			conn.Close()
		}
	}()
	var want bytes.Buffer
	for _, name := range []string{"one.example", "two.example"} {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		tls.Client(conn, &tls.Config{ServerName: name}).Handshake() // fails when the server closes
		conn.Close()
		want.WriteString(regexp.QuoteMeta(conn.LocalAddr().String()+" > "+addr) + ` ja4=t13d\w{6}_\w{12}_\w{12} .*server_name=` + name + ".*\n")
	}
	var got bytes.Buffer
	if err := sniff(live, writer(func(line []byte) {
		if got.Write(line); bytes.Contains(line, []byte("two.example")) {
			cancel()
		}
	})); err != nil {
		t.Error(err)
	}
	if !regexp.MustCompile("^" + want.String() + "$").Match(got.Bytes()) {
		t.Errorf("prints\n%s\nwant a match of\n%s", got.Bytes(), want.Bytes())
	}
}

type writer func([]byte)

func (w writer) Write(b []byte) (int, error) { w(b); return len(b), nil }
