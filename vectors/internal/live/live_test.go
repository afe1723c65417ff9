//go:build live

package live

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/handshake"
	"github.com/tlsflags/tlsflags/internal/testenv"
	"github.com/tlsflags/tlsflags/vectors"
)

// The keys that vectors/README.md publishes.
var (
	clientKey       = counting(0x00)
	serverKey       = counting(0x20)
	certificateSeed = counting(0x40)
)

func counting(from byte) []byte {
	b := make([]byte, 32)
	for i := range b {
		b[i] = from + byte(i)
	}
	return b
}

// exceptions are valid tests that OpenSSL does not take, with the reason. There is none.
var exceptions = map[string]string{}

// TestOpenSSLTakesValidMessages sends each valid message inside a handshake with OpenSSL
// 3.0 or newer, which must go on and have read the flags.
func TestOpenSSLTakesValidMessages(t *testing.T) {
	program := compile(t)
	f, err := vectors.Load(vectors.Messages)
	if err != nil {
		t.Fatal(err)
	}
	plain := plainMessages(t, f)
	certificate, key := writeCertificate(t)
	taken := 0
	for _, test := range f.All() {
		if test.Result != vectors.Valid {
			continue
		}
		reason, excepted := exceptions[test.ID]
		err := take(t, program, certificate, key, plain, test)
		switch {
		case err == nil && excepted:
			t.Errorf("%s is in exceptions (%s), and was taken", test.ID, reason)
		case err != nil && !excepted:
			t.Errorf("%s: %v", test.ID, err)
		case err == nil:
			taken++
		}
	}
	if len(exceptions) > 5 {
		t.Errorf("%d exceptions, want at most 5", len(exceptions))
	}
	t.Logf("%d messages were taken", taken)
}

// TestOpenSSLRefusesFraming sends the messages whose lengths are wrong. OpenSSL must answer
// each with an alert that the test lists.
func TestOpenSSLRefusesFraming(t *testing.T) {
	program := compile(t)
	f, err := vectors.Load(vectors.Messages)
	if err != nil {
		t.Fatal(err)
	}
	plain := plainMessages(t, f)
	certificate, key := writeCertificate(t)
	for g, test := range f.All() {
		if g.Name != "framing" {
			continue
		}
		err := take(t, program, certificate, key, plain, test)
		var sent alertError
		listed := errors.As(err, &sent) && uint8(sent) == test.Alert.Value
		for _, other := range test.Alternatives {
			listed = listed || extension.Alert(sent).String() == other.Alert
		}
		if !listed {
			t.Errorf("%s: %v, want %s", test.ID, err, test.Alert.Name)
		}
	}
}

// take has OpenSSL as the other side of a handshake with the message of a test.
func take(t *testing.T, program, certificate, key string, plain map[string][]byte, test *vectors.MessageTest) error {
	var offer extension.List // what OpenSSL sends
	arguments := []string{"server"}
	groups := "X25519:P-256"
	switch {
	case test.Sender == "server":
		arguments[0] = "client"
		offer = hello(test.Before[0]).Extensions()
	case test.Message == "certificate":
		request, _, err := handshake.ParseCertificateRequest(test.Before[1])
		if err != nil {
			return err
		}
		offer = request.Extensions()
	case len(test.Before) > 0:
		groups = "P-256" // so that OpenSSL, too, sends a HelloRetryRequest
	}
	session := "00"
	if len(test.Before) > 0 {
		session = hex.EncodeToString(hello(test.Before[0]).LegacySessionID())
	}
	arguments = append(arguments, session, dataOf(offer, extension.TLSFlags), dataOf(offer, extension.TLSFlagsExperimental), certificate, key, groups)
	cmd := exec.CommandContext(t.Context(), program, arguments...)
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		return err
	}
	p := &peer{in: bufio.NewReader(out), out: in}
	err = p.run(test, plain)
	in.Close()
	cmd.Wait() // OpenSSL complains about the end without close_notify
	if err != nil {
		return fmt.Errorf("%w; OpenSSL says: %s", err, log.String())
	}
	if want := flagsOf(test); want != "" && !strings.Contains(log.String(), want) {
		return fmt.Errorf("OpenSSL did not read extension %s, but %q", want, log.String())
	}
	return nil
}

// run is our side.
func (p *peer) run(test *vectors.MessageTest, plain map[string][]byte) error {
	switch {
	case test.Sender == "server":
		m := map[string][]byte{test.Message: test.Input}
		for _, name := range []string{"server_hello", "encrypted_extensions", "certificate"} {
			if m[name] == nil {
				m[name] = plain[name]
			}
		}
		return p.serve(m)
	case test.Message == "certificate":
		return p.connect(test.Before[0], test.Input)
	}
	for _, m := range append(test.Before[:min(len(test.Before), 1)], test.Input) {
		if err := p.send(m); err != nil {
			return err
		}
		parsed, err := p.serverHello()
		if err != nil {
			return err
		}
		last := bytes.Equal(m, test.Input)
		if retry := parsed.Kind() == extension.HelloRetryRequest; retry == last {
			return fmt.Errorf("the answer is a HelloRetryRequest: %t, want %t", retry, !last)
		}
	}
	return nil
}

// plainMessages are messages of the server that answer no flags.
func plainMessages(t *testing.T, f vectors.File[*vectors.MessageTest]) map[string][]byte {
	m := map[string][]byte{}
	for _, test := range f.All() {
		if test.Result == vectors.Valid && strings.Contains(test.ID, "/nothing-proposed") && test.Sender == "server" {
			m[test.Message] = test.Input
		}
	}
	if len(m) != 4 {
		t.Fatalf("%d messages without flags, want 4", len(m))
	}
	return m
}

// writeCertificate writes PEM files with a certificate for OpenSSL as a server, and its
// key. All ClientHellos allow ECDSA.
func writeCertificate(t *testing.T) (certificate, key string) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, typ string, der []byte) string {
		name = filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: typ, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	return write("certificate.pem", "CERTIFICATE", der), write("key.pem", "PRIVATE KEY", pkcs8)
}

func hello(msg []byte) clienthello.ClientHello {
	h, _, err := clienthello.Parse(msg)
	if err != nil {
		panic(err)
	}
	return h
}

// dataOf is an extension's data in hexadecimal, or - if it is absent.
func dataOf(l extension.List, typ extension.Type) string {
	e, ok := l.Lookup(typ)
	if !ok {
		return "-"
	}
	return hex.EncodeToString(e.Data)
}

// flagsOf is what OpenSSL prints of the flags of a test, or "".
func flagsOf(test *vectors.MessageTest) string {
	if test.Parsed == nil || test.Parsed.FlagsExtension == 0 {
		return ""
	}
	var l extension.List
	if test.Message == "client_hello" {
		l = hello(test.Input).Extensions()
	} else if m, _, err := handshake.Parse(test.Input); err == nil {
		l = m.Extensions()
	}
	return fmt.Sprintf("%d %s\n", test.Parsed.FlagsExtension, dataOf(l, extension.Type(test.Parsed.FlagsExtension)))
}

// compile compiles the program that is the other side.
func compile(t *testing.T) string {
	cc := testenv.Program(t, "cc", "gcc")
	testenv.File(t, "/usr/include/openssl/ssl.h", "libssl-dev")
	program := filepath.Join(t.TempDir(), "peer")
	out, err := exec.Command(cc, "-Wall", "-o", program, filepath.Join("testdata", "peer.c"), "-lssl", "-lcrypto").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}
