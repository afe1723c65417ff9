package fuzz

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/oracle/assembletest"
)

// askCryptoTLS gives one handshake message to a server of crypto/tls, and returns what it
// tells GetConfigForClient, or nil if it refuses the message.
func askCryptoTLS(msg []byte) *tls.ClientHelloInfo {
	var info *tls.ClientHelloInfo
	stop := errors.New("seen")
	server := tls.Server(&readConn{Reader: bytes.NewReader(assembletest.InRecords(msg, nil))}, &tls.Config{
		GetConfigForClient: func(i *tls.ClientHelloInfo) (*tls.Config, error) {
			info = i
			return nil, stop
		},
	})
	_ = server.Handshake() // fails, at the latest by stop
	return info
}

// readConn is a connection whose other side only speaks.
type readConn struct {
	net.Conn
	io.Reader
}

func (c *readConn) Read(b []byte) (int, error)         { return c.Reader.Read(b) }
func (c *readConn) Write(b []byte) (int, error)        { return len(b), nil }
func (c *readConn) Close() error                       { return nil }
func (c *readConn) SetWriteDeadline(_ time.Time) error { return nil }
func (c *readConn) RemoteAddr() net.Addr               { return nil }

// checkAgainstCryptoTLS compares what clienthello and crypto/tls (of Go 1.26) make of
// one message. These differences are known and meant:
//
//   - crypto/tls accepts a legacy_session_id over 32 bytes, and empty cipher_suites and
//     legacy_compression_methods at this point; RFC 9846, Section 4.2.2 does not.
//   - crypto/tls refuses malformed bodies while it reads the message, some of extensions
//     that clienthello does not read, and host names that end with a dot. Here a body is
//     judged when it is asked for, and host names are not.
//   - crypto/tls refuses messages over 65,536 bytes; RFC 9846 allows 131,396.
func checkAgainstCryptoTLS(msg []byte) error {
	hello, n, err := clienthello.Parse(msg)
	if err == nil {
		msg = msg[:n]
	}
	info := askCryptoTLS(msg)
	switch {
	case err != nil && info == nil:
		return nil
	case err != nil:
		switch err {
		case extension.ErrSessionIDTooLong, extension.ErrCipherSuitesEmpty, extension.ErrCompressionMethodsEmpty:
			return nil
		}
		return fmt.Errorf("crypto/tls accepts what is refused at %d: %w", n, err)
	case info == nil:
		if len(msg) > 65536+4 {
			return nil
		}
		for e := range hello.Extensions().All() {
			if _, bad := hello.CheckExtension(e.Type); bad != nil || onlyCryptoTLSReads(e) {
				return nil
			}
		}
		if name, _ := hello.ServerName(); strings.HasSuffix(string(name), ".") {
			return nil
		}
		return errors.New("crypto/tls refuses what is accepted")
	}

	name, _ := hello.ServerName()
	if info.ServerName != string(name) {
		return fmt.Errorf("server_name: %q here, %q in crypto/tls", name, info.ServerName)
	}
	var protocols []string
	alpn, _ := hello.ALPN()
	for p := range alpn.All() {
		protocols = append(protocols, string(p))
	}
	if !slices.Equal(protocols, info.SupportedProtos) {
		return fmt.Errorf("ALPN: %q here, %q in crypto/tls", protocols, info.SupportedProtos)
	}
	if versions, _ := hello.SupportedVersions(); versions.Len() > 0 && !equalValues(versions, info.SupportedVersions) {
		return fmt.Errorf("supported_versions: %v in crypto/tls", info.SupportedVersions)
	}
	if groups, _ := hello.SupportedGroups(); !equalValues(groups, info.SupportedCurves) {
		return fmt.Errorf("supported_groups: %v in crypto/tls", info.SupportedCurves)
	}
	if schemes, _ := hello.SignatureAlgorithms(); !equalValues(schemes, info.SignatureSchemes) {
		return fmt.Errorf("signature_algorithms: %v in crypto/tls", info.SignatureSchemes)
	}
	if !equalValues(hello.CipherSuites(), info.CipherSuites) {
		return fmt.Errorf("cipher_suites: %v in crypto/tls", info.CipherSuites)
	}
	var types []uint16
	for e := range hello.Extensions().All() {
		types = append(types, uint16(e.Type))
	}
	if !slices.Equal(types, info.Extensions) {
		return fmt.Errorf("extensions: %v here, %v in crypto/tls", types, info.Extensions)
	}
	return nil
}

// onlyCryptoTLSReads reports whether crypto/tls judges a body that clienthello leaves alone.
func onlyCryptoTLSReads(e extension.Extension) bool {
	const signedCertificateTimestamp, ocsp = 18, 1
	switch e.Type {
	case signedCertificateTimestamp:
		return true
	case extension.StatusRequest:
		return e.Data[0] != ocsp
	}
	return false
}

func equalValues[T, U ~uint16](v clienthello.Vector[T], other []U) bool {
	i := 0
	for x := range v.All() {
		if i >= len(other) || uint16(x) != uint16(other[i]) {
			return false
		}
		i++
	}
	return i == len(other)
}
