package tlsclient

import (
	"crypto/tls"
	"fmt"

	utls "github.com/refraction-networking/utls"
)

// Check reports a field of config that is set and would have no effect. Those that
// have one are MinVersion, Rand, Time, Certificates, GetClientCertificate, VerifyPeerCertificate,
// VerifyConnection, RootCAs, NextProtos, ServerName, InsecureSkipVerify and
// KeyLogWriter.
func Check(config *tls.Config) error {
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
			return fmt.Errorf("the field %s of the TLS config has no effect on this client; leave it out", f.name)
		}
	}
	return nil
}

// convert returns config in uTLS's types. Sessions are never resumed: a server asks
// for no certificate then. asked is called when a CertificateRequest has come, and ends
// the handshake with its error; gave when the answer is known.
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

// clientCertificate picks the certificate as crypto/tls does; an empty one where none
// suits the server, which is what a client has to send then (RFC 9846, Section 4.5.1).
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

// standardState returns cs in the terms of crypto/tls, but for ExportKeyingMaterial.
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
