// Package ackserver runs a server for tests that acknowledges request_mtls in its
// CertificateRequest. crypto/tls cannot do that, so the server is a C program that uses
// OpenSSL.
package ackserver

import (
	"bufio"
	"bytes"
	_ "embed"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/testenv"
	"github.com/tlsflags/tlsflags/internal/testenv/testca"
)

//go:embed testdata/server.c
var source []byte

// Mode is what the server does. testdata/server.c describes the modes.
type Mode string

const (
	Ack         Mode = "ack"
	Silent      Mode = "silent"
	Unsolicited Mode = "unsolicited"
	Malformed   Mode = "malformed"
	Strict      Mode = "strict"
	Retry       Mode = "retry"
)

// compiled returns the program, which it compiles once.
var compiled = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "ackserver")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "server")
	cmd := exec.Command("cc", "-Wall", "-o", binary, "-x", "c", "-", "-lssl", "-lcrypto")
	cmd.Stdin = bytes.NewReader(source)
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("compiling the server: %w\n%s", err, out)
	}
	return os.ReadFile(binary)
})

// Start runs a server until the test ends and returns its address. The server has a
// certificate for 127.0.0.1 and localhost, and asks clients for theirs.
func Start(t *testing.T, site, clients *testca.CA, mode Mode) string {
	t.Helper()
	return StartWithFlag(t, site, clients, mode, extension.RequestMTLS)
}

// StartWithFlag is like Start, for a server that uses another number for request_mtls.
func StartWithFlag(t *testing.T, site, clients *testca.CA, mode Mode, flag extension.Flag) string {
	t.Helper()
	testenv.Program(t, "cc", "gcc")
	testenv.File(t, "/usr/include/openssl/ssl.h", "libssl-dev")
	cert, err := site.Server("localhost", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	certPEM, keyPEM, err := testca.PEM(cert)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o700); err != nil {
			t.Fatal(err)
		}
		return path
	}
	binary, err := compiled()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(write("server", binary), write("cert.pem", certPEM), write("key.pem", keyPEM), write("ca.pem", clients.PEM()),
		string(mode), strconv.Itoa(int(flag)))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		cmd.Wait()
	})
	port, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("the server did not start: %v", err)
	}
	return net.JoinHostPort("127.0.0.1", strings.TrimSpace(port))
}
