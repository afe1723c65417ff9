package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/tlsflags/tlsflags/extension"
)

// A server is a crypto/tls server.
type server struct{ config *tls.Config }

// newServer makes the certificates of all servers, one with an ECDSA key and one with an
// RSA key, and writes them to the folder.
func newServer(dir string) (*server, error) {
	ecdsaKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{}
	for name, key := range map[string]crypto.Signer{"ecdsa.pem": ecdsaKey, "rsa.pem": rsaKey} {
		text, err := certificate(key)
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			return nil, err
		}
		pair, err := tls.X509KeyPair(text, text)
		if err != nil {
			return nil, err
		}
		config.Certificates = append(config.Certificates, pair)
	}
	return &server{config}, nil
}

// certificate returns a self-signed certificate and its key.
func certificate(key crypto.Signer) ([]byte, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"example.com"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
	return append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...), nil
}

func (s *server) version() string {
	release, _, _ := strings.Cut(runtime.Version(), " ")
	return "crypto/tls@" + release
}

// verdict gives a stream to the server and returns what it does. Only its first bytes
// count, and whether it tried to read more before it wrote them.
func (s *server) verdict(stream []byte) string {
	c := &conn{unread: stream}
	config := s.config.Clone()
	// With this callback the server parses the whole message before it answers.
	config.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, nil }
	tls.Server(c, config).Handshake()
	return verdictOf(c.written, c.starved)
}

// A conn returns unread to its reader and records what is written.
type conn struct {
	net.Conn
	unread  []byte
	written []byte
	starved bool // Read was called with nothing left and nothing written yet
}

func (c *conn) Read(p []byte) (int, error) {
	if len(c.unread) == 0 {
		c.starved = c.starved || len(c.written) == 0
		return 0, io.EOF
	}
	n := copy(p, c.unread)
	c.unread = c.unread[n:]
	return n, nil
}

func (c *conn) Write(p []byte) (int, error) {
	c.written = append(c.written, p...)
	return len(p), nil
}

func (c *conn) Close() error                     { return nil }
func (c *conn) SetDeadline(time.Time) error      { return nil }
func (c *conn) SetWriteDeadline(time.Time) error { return nil }

// verdictOf names what a server does. Written is its answer.
func verdictOf(written []byte, waits bool) string {
	const alert, handshake = 21, 22
	switch {
	case waits:
		return "waits"
	case len(written) >= 7 && written[0] == alert:
		return extension.Alert(written[6]).String()
	case len(written) > 0 && written[0] == handshake:
		return "accept"
	}
	return "closes"
}
