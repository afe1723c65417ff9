package flagconn

import (
	"crypto/tls"
	"fmt"

	utls "github.com/refraction-networking/utls"

	"github.com/tlsflags/tlsflags/extension"
)

// Fingerprint names a client whose ClientHello to imitate.
type Fingerprint string

// The fingerprints. Those of browsers are the newest that uTLS has, in the version that
// go.mod names.
const (
	Go      Fingerprint = "" // crypto/tls
	Chrome  Fingerprint = "chrome"
	Firefox Fingerprint = "firefox"
	Safari  Fingerprint = "safari"
)

// id returns uTLS's name of the fingerprint, the zero value for Go.
func (f Fingerprint) id() (utls.ClientHelloID, error) {
	switch f {
	case Go:
		return utls.ClientHelloID{}, nil
	case Chrome:
		return utls.HelloChrome_Auto, nil
	case Firefox:
		return utls.HelloFirefox_Auto, nil
	case Safari:
		return utls.HelloSafari_Auto, nil
	}
	return utls.ClientHelloID{}, fmt.Errorf("flagconn: unknown fingerprint %q (use %q, %q, %q, or none for that of crypto/tls)", string(f), Chrome, Firefox, Safari)
}

// Config describes a connection.
type Config struct {
	// TLS has the trusted authorities, the certificate and so on; nil is an empty one.
	// These of its fields are used, with the meaning that crypto/tls gives them:
	// MinVersion (TLS 1.2 if it is lower), Rand, Time, Certificates,
	// GetClientCertificate, VerifyPeerCertificate, VerifyConnection, RootCAs, NextProtos,
	// ServerName, InsecureSkipVerify and KeyLogWriter.
	TLS *tls.Config

	// Fingerprint is the client whose ClientHello to imitate.
	Fingerprint Fingerprint

	// Extensions are added to the ClientHello, each with its Type and Data. They are not
	// checked, so that malformed and duplicate ones can be sent.
	Extensions []extension.Extension

	// OnRequest, if not nil, is called when the server has asked for a certificate and
	// before the client answers. Its error ends the handshake.
	OnRequest func(Report) error
}

// Check returns an error if the Fingerprint is unknown, or if a field of TLS is set that
// is not used, such as CipherSuites. Handshake fails with the same error.
func (c Config) Check() error {
	_, err := c.check()
	return err
}

// check is Check, and returns the ClientHello to send.
func (c Config) check() (*utls.ClientHelloSpec, error) {
	config := c.tls()
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"ClientSessionCache", config.ClientSessionCache != nil},
		{"CipherSuites", len(config.CipherSuites) > 0},
		{"CurvePreferences", len(config.CurvePreferences) > 0},
		{"MaxVersion", config.MaxVersion != 0 && config.MaxVersion != tls.VersionTLS13},
		{"Renegotiation", config.Renegotiation != tls.RenegotiateNever},
		{"EncryptedClientHelloConfigList", len(config.EncryptedClientHelloConfigList) > 0},
	} {
		if f.set {
			return nil, fmt.Errorf("flagconn: tls.Config.%s would have no effect; leave it unset", f.name)
		}
	}
	return c.spec()
}

func (c Config) tls() *tls.Config {
	if c.TLS == nil {
		return new(tls.Config)
	}
	return c.TLS
}

// convert returns config in uTLS's types. Sessions are never resumed, because a server
// does not ask for a certificate then. asked is called when a CertificateRequest has
// come, and its error ends the handshake. gave is called when the answer is known.
func convert(config *tls.Config, asked func(*utls.CertificateRequestInfo) error, gave func(bool)) *utls.Config {
	c := &utls.Config{
		Rand:                   config.Rand,
		Time:                   config.Time,
		VerifyPeerCertificate:  config.VerifyPeerCertificate,
		RootCAs:                config.RootCAs,
		NextProtos:             config.NextProtos,
		ServerName:             config.ServerName,
		InsecureSkipVerify:     config.InsecureSkipVerify,
		SessionTicketsDisabled: true,
		OmitEmptyPsk:           true,
	}
	if verify := config.VerifyConnection; verify != nil {
		c.VerifyConnection = func(cs utls.ConnectionState) error { return verify(standardState(cs)) }
	}
	c.GetClientCertificate = func(info *utls.CertificateRequestInfo) (*utls.Certificate, error) {
		if err := asked(info); err != nil {
			return nil, err
		}
		cert, err := clientCertificate(config, info)
		if err != nil {
			return nil, err
		}
		gave(len(cert.Certificate) > 0)
		return &utls.Certificate{
			Certificate: cert.Certificate,
			PrivateKey:  cert.PrivateKey,
			Leaf:        cert.Leaf,
		}, nil
	}
	return c
}

// clientCertificate picks the certificate as crypto/tls does. If none suits the server it
// returns an empty one, which a client has to send then (RFC 9846, Section 4.5.1).
func clientCertificate(config *tls.Config, info *utls.CertificateRequestInfo) (*tls.Certificate, error) {
	request := &tls.CertificateRequestInfo{AcceptableCAs: info.AcceptableCAs, Version: info.Version}
	for _, s := range info.SignatureSchemes {
		request.SignatureSchemes = append(request.SignatureSchemes, tls.SignatureScheme(s))
	}
	if config.GetClientCertificate != nil {
		return config.GetClientCertificate(request)
	}
	for i := range config.Certificates {
		if request.SupportsCertificate(&config.Certificates[i]) == nil {
			return &config.Certificates[i], nil
		}
	}
	return new(tls.Certificate), nil
}

// standardState returns cs in the types of crypto/tls, except for ExportKeyingMaterial.
func standardState(cs utls.ConnectionState) tls.ConnectionState {
	return tls.ConnectionState{
		Version:                     cs.Version,
		HandshakeComplete:           cs.HandshakeComplete,
		DidResume:                   cs.DidResume,
		CipherSuite:                 cs.CipherSuite,
		NegotiatedProtocol:          cs.NegotiatedProtocol,
		ServerName:                  cs.ServerName,
		PeerCertificates:            cs.PeerCertificates,
		VerifiedChains:              cs.VerifiedChains,
		SignedCertificateTimestamps: cs.SignedCertificateTimestamps,
		OCSPResponse:                cs.OCSPResponse,
		TLSUnique:                   cs.TLSUnique,
		ECHAccepted:                 cs.ECHAccepted,
	}
}
