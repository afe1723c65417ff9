// Package ackserver runs a server for tests that acknowledges request_mtls in its
// CertificateRequest. crypto/tls cannot do that, so the server is a C program that uses
// OpenSSL.
package ackserver

import (
	"bufio"
	_ "embed"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
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
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	binary := filepath.Join(dir, "server")
	out, err := exec.Command("cc", "-Wall", "-o", binary, write("server.c", source), "-lssl", "-lcrypto").CombinedOutput()
	if err != nil {
		t.Fatalf("compiling the server: %v\n%s", err, out)
	}
	cmd := exec.Command(binary, write("cert.pem", certPEM), write("key.pem", keyPEM), write("ca.pem", clients.PEM()),
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
