// Package tlsclient makes one TLS connection through uTLS, with a ClientHello that
// carries extensions of the caller's choice, and reports what the server did.
package tlsclient

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"reflect"
	"sync"

	utls "github.com/refraction-networking/utls"

	"github.com/tlsflags/tlsflags/extension"
)

// Hello describes the ClientHello to send.
type Hello struct {
	// Preset is the hello to imitate; the zero value is one like that of crypto/tls.
	Preset utls.ClientHelloID
	// Extensions are added to it, of which Type and Data count. What is in them is
	// up to the caller.
	Extensions []extension.Extension
}

// Report is what the server did.
type Report struct {
	// CertificateRequested says whether a CertificateRequest came.
	CertificateRequested bool
	// CertificateGiven says whether it was answered with a certificate.
	CertificateGiven bool
	// Authorities are the acceptable certificate authorities that it named, as DER
	// encoded distinguished names.
	Authorities [][]byte
	// RequestFlags are the TLS flags that it carried, under RequestFlagsType; in TLS
	// 1.3 only. RequestFlagsErr says why they could not be read.
	RequestFlags     extension.FlagSet
	RequestFlagsType extension.Type
	RequestFlagsErr  error
	// RequestRead is false where a CertificateRequest came and its extensions could
	// not be decrypted, so that nothing is known about RequestFlags.
	RequestRead bool
}

// maxFlight is how much of what the server sends is kept for its CertificateRequest.
const maxFlight = 256 << 10

// Conn is a connection whose handshake is done.
type Conn struct {
	*utls.UConn
	// Report is what the server did during the handshake.
	Report Report
}

// ConnectionState returns the state in the terms of crypto/tls. Its method
// ExportKeyingMaterial does not work; that of Conn's UConn.ConnectionState does.
func (c *Conn) ConnectionState() tls.ConnectionState { return standardState(c.UConn.ConnectionState()) }

// Handshake makes a TLS connection of conn, as a client with config, of which the
// fields count that Check accepts. check, if not nil, is called when the server asks for
// a certificate, before one is sent; its error ends the handshake. On error conn is not
// closed, and the report holds what was seen until then.
func Handshake(ctx context.Context, conn net.Conn, config *tls.Config, hello Hello, check func(Report) error) (*Conn, Report, error) {
	spec, err := hello.spec(config)
	if err != nil {
		return nil, Report{}, err
	}
	return handshake(ctx, conn, config, spec, check)
}

func handshake(ctx context.Context, conn net.Conn, config *tls.Config, spec *utls.ClientHelloSpec, check func(Report) error) (*Conn, Report, error) {
	var report Report
	tap := &tap{Conn: conn}
	var log keyLog
	asked := func(info *utls.CertificateRequestInfo) error {
		report.CertificateRequested = true
		report.Authorities = info.AcceptableCAs
		// The server's whole flight, Finished included, has come by now.
		report.readRequest(tap.stop(), log.String())
		if check != nil {
			return check(report)
		}
		return nil
	}
	uconfig := convert(config, asked, func(given bool) { report.CertificateGiven = given })
	uconfig.KeyLogWriter = &log
	if config.KeyLogWriter != nil {
		uconfig.KeyLogWriter = io.MultiWriter(&log, config.KeyLogWriter)
	}
	c := utls.UClient(tap, uconfig, utls.HelloCustom)
	if err := c.ApplyPreset(spec); err != nil {
		return nil, report, err
	}
	err := c.HandshakeContext(ctx)
	tap.stop()
	if err != nil {
		return nil, report, err
	}
	return &Conn{UConn: c, Report: report}, report, nil
}

// readRequest fills in what only the CertificateRequest itself says.
func (r *Report) readRequest(sent []byte, keyLog string) {
	m, ok := certificateRequest(sent, keyLog)
	if !ok {
		return
	}
	r.RequestRead = true
	flags, t, err := m.Extensions().Flags()
	r.RequestFlags, r.RequestFlagsType, r.RequestFlagsErr = flags.Set(), t, err
}

// Alert returns the alert that the server sent, where it is what err is about.
func Alert(err error) (extension.Alert, bool) {
	op, ok := errors.AsType[*net.OpError](err)
	if !ok || op.Op != "remote error" {
		return 0, false
	}
	// uTLS does not export its type of alerts, a uint8.
	v := reflect.ValueOf(op.Err)
	if v.Kind() != reflect.Uint8 {
		return 0, false
	}
	return extension.Alert(v.Uint()), true
}

// tap keeps what is read until it is stopped.
type tap struct {
	net.Conn
	mu      sync.Mutex
	sent    []byte
	stopped bool
}

// Read reads from the connection.
func (t *tap) Read(p []byte) (int, error) {
	n, err := t.Conn.Read(p)
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.stopped {
		t.sent = append(t.sent, p[:min(n, maxFlight-len(t.sent))]...)
	}
	return n, err
}

func (t *tap) stop() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	sent := t.sent
	t.sent, t.stopped = nil, true
	return sent
}

// NetConn returns the connection under TLS.
func (t *tap) NetConn() net.Conn { return t.Conn }

// keyLog collects the secrets of one connection.
type keyLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *keyLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *keyLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
