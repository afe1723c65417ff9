package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	utls "github.com/refraction-networking/utls"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/tlsclient"
	"github.com/tlsflags/tlsflags/rules"
)

// Preset names the ClientHello to imitate.
type Preset string

// The presets. Those of browsers are what uTLS, in the version that go.mod names, takes
// for the newest.
const (
	Go      Preset = "" // like that of Go's crypto/tls
	Chrome  Preset = "chrome"
	Firefox Preset = "firefox"
	Safari  Preset = "safari"
)

// id returns uTLS's name of the hello; the zero value stands for Go.
func (p Preset) id() (utls.ClientHelloID, error) {
	switch p {
	case Go:
		return utls.ClientHelloID{}, nil
	case Chrome:
		return utls.HelloChrome_Auto, nil
	case Firefox:
		return utls.HelloFirefox_Auto, nil
	case Safari:
		return utls.HelloSafari_Auto, nil
	}
	return utls.ClientHelloID{}, fmt.Errorf("client: no preset %q; there are %q, %q, %q and the empty one, which is Go", p, Chrome, Firefox, Safari)
}

// Config configures a Client.
type Config struct {
	// TLS has the authorities to trust, the certificate to give and so on: its fields
	// mean what they mean to crypto/tls. If ServerName is empty, the host that is
	// dialled is verified. Transport ignores NextProtos and offers the versions of
	// HTTP that it speaks. New refuses fields that would have no effect, such as
	// CipherSuites. Sessions are never resumed, so that the server can ask each time.
	TLS *tls.Config

	// Flag is the number of request_mtls, the same as the server's; 0 stands for
	// extension.RequestMTLS. The flag says that a certificate is at hand
	// (draft-jhoyla-req-mtls-flag, Section 3), so New refuses to send it without one.
	// A server acknowledges it by setting it in its CertificateRequest.
	Flag extension.Flag

	// Flags are the TLS flags to send; nil stands for Flag alone, and a slice of
	// length 0 for sending none.
	Flags []extension.Flag

	// Type is the extension type to send them under; 0 stands for extension.TLSFlags.
	Type extension.Type

	// Preset is the ClientHello that the flags are added to.
	Preset Preset

	// DialContext makes connections; nil stands for that of a net.Dialer with a
	// time-out of 30 seconds.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)

	// TLSHandshakeTimeout is how long a TLS handshake of Dial, or of a Transport, may
	// take before it fails with an error that wraps context.DeadlineExceeded; 0 stands
	// for 10 seconds, as http.DefaultTransport has it, and a negative value for no limit.
	TLSHandshakeTimeout time.Duration
}

const defaultHandshakeTimeout = 10 * time.Second

// ErrNoCertificate is the error of New if it is told to send the flag without a
// certificate.
var ErrNoCertificate = errors.New("client: request_mtls says that a certificate is at hand, but TLS has neither Certificates nor GetClientCertificate")

// Client connects to servers. It may be used by many goroutines at once.
type Client struct {
	config *tls.Config
	flag   extension.Flag // that asks for the CertificateRequest
	flags  extension.FlagSet
	hello  tlsclient.Hello
	limit  time.Duration // of a TLS handshake; negative for none
	dial   func(ctx context.Context, network, addr string) (net.Conn, error)
}

// New returns a client. It does not change c.TLS, and neither must the caller afterwards.
func New(c Config) (*Client, error) {
	config := c.TLS
	if config == nil {
		config = &tls.Config{}
	}
	if err := tlsclient.Check(config); err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	flag := c.Flag
	if flag > extension.MaxFlag {
		return nil, fmt.Errorf("client: flag %d is above the highest, %d", flag, extension.MaxFlag)
	}
	if flag == 0 {
		flag = extension.RequestMTLS
	}
	flags := c.Flags
	if flags == nil {
		flags = []extension.Flag{flag}
	}
	if slices.Contains(flags, flag) && len(config.Certificates) == 0 && config.GetClientCertificate == nil {
		return nil, ErrNoCertificate
	}
	id, err := c.Preset.id()
	if err != nil {
		return nil, err
	}
	set, err := extension.NewFlagSet(flags...)
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	client := &Client{config: config, flag: flag, flags: set, hello: tlsclient.Hello{Preset: id}, dial: c.DialContext}
	client.limit = c.TLSHandshakeTimeout
	if client.limit == 0 {
		client.limit = defaultHandshakeTimeout
	}
	if client.dial == nil {
		client.dial = (&net.Dialer{Timeout: 30 * time.Second}).DialContext
	}
	if set.Len() > 0 {
		e, err := offer(set, c.Type)
		if err != nil {
			return nil, err
		}
		client.hello.Extensions = []extension.Extension{e}
	}
	return client, nil
}

// offer returns the TLS Flags extension.
func offer(set extension.FlagSet, t extension.Type) (extension.Extension, error) {
	switch t {
	case 0:
		t = extension.TLSFlags
	case extension.TLSFlags, extension.TLSFlagsExperimental:
	default:
		return extension.Extension{}, fmt.Errorf("client: %v is not a type of the TLS Flags extension", t)
	}
	data, err := set.AppendTo(nil)
	return extension.Extension{Type: t, Data: data}, err
}

// Report is what a server did with the client's flags.
type Report struct {
	// Requested says whether the server sent a CertificateRequest.
	Requested bool
	// Given says whether the client answered with a certificate. It sends an empty
	// list if none suits the server.
	Given bool
	// Acknowledged says whether the client set request_mtls and the CertificateRequest
	// has it too, which means that the server asked because of it. Servers of
	// crypto/tls cannot do that, and draft-jhoyla-req-mtls-flag-00 to -02 do not
	// require it.
	Acknowledged bool
	// Flags are all flags of the CertificateRequest. All but request_mtls may be
	// unsolicited there (draft-ietf-tls-tlsflags-16, Section 3).
	Flags extension.FlagSet
	// Authorities are the certificate authorities that the server named: distinguished
	// names in DER.
	Authorities [][]byte
}

func (c *Client) report(r tlsclient.Report) Report {
	return Report{
		Requested:    r.CertificateRequested,
		Given:        r.CertificateGiven,
		Acknowledged: c.flags.Has(c.flag) && r.RequestFlags.Has(c.flag),
		Flags:        r.RequestFlags,
		Authorities:  r.Authorities,
	}
}

// check refuses a CertificateRequest that the drafts make fatal.
func (c *Client) check(r tlsclient.Report) error {
	if r.RequestFlagsErr != nil {
		return fmt.Errorf("client: the CertificateRequest has a malformed TLS Flags extension: %w", r.RequestFlagsErr)
	}
	side := rules.Client{Offered: c.flags.Has(c.flag)}
	d := side.OnCertificateRequest(r.RequestFlags.Has(c.flag))
	if d.Answer == rules.Abort {
		return fmt.Errorf("client: the CertificateRequest acknowledges %v, which was not sent: %v by %s", c.flag, d.Alert, d.Clause)
	}
	return nil
}

// Conn is a TLS connection after its handshake: a [net.Conn] with Read, Write, Close, the
// deadlines and the addresses, and with CloseWrite as a [tls.Conn] has it.
type Conn struct {
	*tlsclient.Conn
	report Report
}

var _ net.Conn = (*Conn)(nil)

// ConnectionState returns what the handshake agreed on, as a [tls.Conn] does.
func (c *Conn) ConnectionState() tls.ConnectionState { return c.Conn.ConnectionState() }

// Report returns what the server did with the client's flags.
func (c *Conn) Report() Report { return c.report }

// Dial makes a TLS connection to addr, of the form "host:port".
func (c *Client) Dial(ctx context.Context, network, addr string) (*Conn, error) {
	return c.dialFor(ctx, network, addr, c.config.NextProtos)
}

func (c *Client) dialFor(ctx context.Context, network, addr string, protocols []string) (*Conn, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	conn, err := c.dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	limited := ctx
	if c.limit > 0 {
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeout(ctx, c.limit)
		defer cancel()
	}
	tlsConn, err := c.handshake(limited, conn, host, protocols)
	if err == nil {
		return tlsConn, nil
	}
	conn.Close()
	if limited.Err() != nil && ctx.Err() == nil {
		return nil, fmt.Errorf("client: the TLS handshake with %s took longer than %v: %w", addr, c.limit, err)
	}
	return nil, err
}

// Handshake makes a TLS connection over conn. It verifies that the server is host, or the
// ServerName of the config if there is one. On error it leaves conn open.
func (c *Client) Handshake(ctx context.Context, conn net.Conn, host string) (*Conn, error) {
	return c.handshake(ctx, conn, host, c.config.NextProtos)
}

func (c *Client) handshake(ctx context.Context, conn net.Conn, host string, protocols []string) (*Conn, error) {
	config := c.config.Clone()
	config.NextProtos = protocols
	if config.ServerName == "" {
		config.ServerName = host
	}
	tlsConn, report, err := tlsclient.Handshake(ctx, conn, config, c.hello, c.check)
	if err != nil {
		return nil, err
	}
	return &Conn{tlsConn, c.report(report)}, nil
}
