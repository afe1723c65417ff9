package client

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/reqmtls/client/flagconn"
)

// Fingerprint names a client whose ClientHello to imitate.
type Fingerprint = flagconn.Fingerprint

// The fingerprints. Those of browsers are the newest that uTLS has, in the version that
// go.mod names.
const (
	Go      = flagconn.Go // crypto/tls
	Chrome  = flagconn.Chrome
	Firefox = flagconn.Firefox
	Safari  = flagconn.Safari
)

// Config configures a Client.
type Config struct {
	// TLS has the trusted authorities, the certificate and so on. Its fields mean what
	// they mean to crypto/tls, except that a MinVersion below TLS 1.2 counts as TLS 1.2.
	// If ServerName is empty, the host that is dialed is verified. Transport ignores
	// NextProtos and offers the versions of HTTP that it speaks. New refuses fields that
	// would have no effect, such as CipherSuites. Sessions are never resumed, so that the
	// server can ask each time.
	TLS *tls.Config

	// Flag is the number of request_mtls, the same as the server's; nil means
	// extension.RequestMTLS. A server acknowledges the flag by setting it in its
	// CertificateRequest.
	Flag *extension.Flag

	// NoRequestMTLS leaves request_mtls out of the ClientHello. The flag says that a
	// certificate is at hand (draft-jhoyla-req-mtls-flag, Section 3), so New refuses to
	// send it without one.
	NoRequestMTLS bool

	// ExtraFlags are further TLS flags to send.
	ExtraFlags []extension.Flag

	// Type is the extension type to send the flags under; 0 means extension.TLSFlags.
	Type extension.Type

	// Fingerprint is the client whose ClientHello to imitate.
	Fingerprint Fingerprint

	// DialContext makes connections; nil means that of a net.Dialer with a timeout
	// of 30 seconds.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)

	// TLSHandshakeTimeout limits each TLS handshake of Dial and of a Transport, which
	// then fails with an error that wraps context.DeadlineExceeded; 0 means 10
	// seconds, as in http.DefaultTransport, and a negative value for no limit.
	TLSHandshakeTimeout time.Duration
}

const defaultHandshakeTimeout = 10 * time.Second

// ErrNoCertificate is the error of New for a Config with request_mtls and no certificate.
var ErrNoCertificate = errors.New("client: request_mtls needs a certificate; set Certificates or GetClientCertificate of TLS, or NoRequestMTLS")

// Client connects to servers. It is safe for concurrent use.
type Client struct {
	config flagconn.Config
	flag   extension.Flag    // request_mtls
	flags  extension.FlagSet // in the ClientHello
	limit  time.Duration     // of a TLS handshake; negative for none
	dial   func(ctx context.Context, network, addr string) (net.Conn, error)
}

// New returns a client. It does not change c.TLS, and neither must the caller afterwards.
func New(c Config) (*Client, error) {
	client := &Client{flag: extension.RequestMTLS, limit: c.TLSHandshakeTimeout, dial: c.DialContext}
	client.config = flagconn.Config{TLS: c.TLS, Fingerprint: c.Fingerprint, OnRequest: client.check}
	if c.TLS == nil {
		client.config.TLS = new(tls.Config)
	}
	if err := client.config.Check(); err != nil {
		return nil, err
	}
	if c.Flag != nil {
		client.flag = *c.Flag
	}
	if err := client.offer(c); err != nil {
		return nil, err
	}
	if client.limit == 0 {
		client.limit = defaultHandshakeTimeout
	}
	if client.dial == nil {
		client.dial = (&net.Dialer{Timeout: 30 * time.Second}).DialContext
	}
	return client, nil
}

// offer adds the TLS Flags extension to the ClientHello, if there are flags.
func (c *Client) offer(config Config) error {
	flags := config.ExtraFlags
	certificate := len(c.config.TLS.Certificates) > 0 || c.config.TLS.GetClientCertificate != nil
	switch {
	case config.NoRequestMTLS && slices.Contains(flags, c.flag):
		return fmt.Errorf("client: ExtraFlags has %v, which NoRequestMTLS leaves out; set one of the two", c.flag)
	case config.NoRequestMTLS:
	case !certificate:
		return ErrNoCertificate
	default:
		flags = append(slices.Clone(flags), c.flag)
	}
	var err error
	if c.flags, err = extension.NewFlagSet(flags...); err != nil {
		return fmt.Errorf("client: %w", err)
	}
	t := cmp.Or(config.Type, extension.TLSFlags)
	if t != extension.TLSFlags && t != extension.TLSFlagsExperimental {
		return fmt.Errorf("client: %v is not a type of the TLS Flags extension", t)
	}
	if c.flags.Len() == 0 {
		return nil
	}
	data, _ := c.flags.AppendTo(nil) // there is a flag in it
	c.config.Extensions = []extension.Extension{{Type: t, Data: data}}
	return nil
}

// Report is what a server did with the client's flags.
type Report struct {
	// Requested says whether the server sent a CertificateRequest.
	Requested bool
	// Given says whether the client answered with a certificate. If none suits the
	// server, the client sends an empty list.
	Given bool
	// Acknowledged says whether the client set request_mtls and the CertificateRequest
	// has it too, which means that the server asked because of it. Servers of
	// crypto/tls cannot do that, and draft-jhoyla-req-mtls-flag-00 to -02 do not
	// require it.
	Acknowledged bool
	// Flags are all flags of the CertificateRequest. All except request_mtls may be
	// unsolicited there (draft-ietf-tls-tlsflags-16, Section 3).
	Flags extension.FlagSet
	// Authorities are the certificate authorities that the server named, as
	// distinguished names in DER.
	Authorities [][]byte
}

func (c *Client) report(r flagconn.Report) Report {
	flags, _, _ := r.Extensions.Flags() // check has refused a malformed extension
	return Report{
		Requested:    r.Requested,
		Given:        r.Given,
		Acknowledged: c.flags.Has(c.flag) && flags.Has(c.flag),
		Flags:        flags.Set(),
		Authorities:  r.Authorities,
	}
}

// check refuses a CertificateRequest that the drafts make fatal.
func (c *Client) check(r flagconn.Report) error {
	flags, _, err := r.Extensions.Flags()
	if err != nil {
		return fmt.Errorf("client: the CertificateRequest has a malformed TLS Flags extension: %w", err)
	}
	if flags.Has(c.flag) && !c.flags.Has(c.flag) {
		return fmt.Errorf("client: the CertificateRequest acknowledges %v, which was not sent: %v by draft-jhoyla-req-mtls-flag (editors' copy), Section 3",
			c.flag, extension.AlertIllegalParameter)
	}
	return nil
}

// Dial makes a TLS connection to addr, of the form "host:port".
func (c *Client) Dial(ctx context.Context, network, addr string) (*Conn, error) {
	return c.dialFor(ctx, network, addr, c.config.TLS.NextProtos)
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
	if c.limit > 0 { //mutation:equivalent New replaces 0, and a nanosecond is too short for all
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeout(ctx, c.limit)
		defer cancel() //mutation:equivalent it only stops a timer
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
// ServerName of the config if there is one. It does not close conn on error, unless ctx
// ended during the handshake.
func (c *Client) Handshake(ctx context.Context, conn net.Conn, host string) (*Conn, error) {
	return c.handshake(ctx, conn, host, c.config.TLS.NextProtos)
}

func (c *Client) handshake(ctx context.Context, conn net.Conn, host string, protocols []string) (*Conn, error) {
	config := c.config
	config.TLS = config.TLS.Clone()
	config.TLS.NextProtos = protocols
	if config.TLS.ServerName == "" {
		config.TLS.ServerName = host
	}
	tlsConn, report, err := flagconn.Handshake(ctx, conn, config)
	if err != nil {
		return nil, err
	}
	return &Conn{conn: tlsConn, report: c.report(report)}, nil
}
