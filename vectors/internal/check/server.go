package check

import (
	"github.com/tlsflags/tlsflags/extension"
)

// The sections that the decisions of a server rest on.
const (
	editorFlag   = "draft-jhoyla-req-mtls-flag (editors' copy), Section 3"
	draft02Flag  = "draft-jhoyla-req-mtls-flag-02, Section 3"
	draft02Fails = "draft-jhoyla-req-mtls-flag-02, Section 4"
	tlsFlags     = "draft-ietf-tls-tlsflags-16, Section 3"
	tlsNoCert    = "RFC 9846, Section 4.5.1.3"
	tls12NoCert  = "RFC 5246, Section 7.4.6"
)

// Request says whether and how a server asks for a certificate.
type Request uint8

const (
	// NoRequest: no CertificateRequest is sent.
	NoRequest Request = iota
	// PlainRequest: a CertificateRequest without the flag.
	PlainRequest
	// AcknowledgedRequest: a CertificateRequest whose tls_flags has the flag, which tells
	// the client that its own flag is the reason.
	AcknowledgedRequest
)

// Server is what a server knows when it has read the ClientHello, and its policy.
type Server struct {
	Draft Draft

	TLS13   bool // TLS 1.3 or DTLS 1.3 is negotiated
	Resumed bool // the handshake is authenticated by a PSK, or resumes a session
	Offered bool // the ClientHello has the flag

	Honor   bool // ask a client that offers the flag
	Always  bool // ask every client
	Require bool // a client that was asked has to give a certificate
}

// Request says whether to send a CertificateRequest. A resumed handshake has none (RFC
// 9846, Section 4.4.2), so the flag has no effect there, with 0-RTT data or without.
// Under TLS 1.2 the flag is not defined, and not honored. The flag is acknowledged only
// if it was offered, and is the reason for asking.
func (s Server) Request() Request {
	honored := s.TLS13 && s.Offered && s.Honor
	switch {
	case s.Resumed:
		return NoRequest
	case honored && s.Draft == DraftEditor:
		return AcknowledgedRequest
	case honored, s.Always:
		return PlainRequest
	}
	return NoRequest
}

// OnEmptyCertificate says what to do when a client that was asked has no certificate. If none
// is required the handshake goes on. Otherwise -00 to -02 end it with bad_certificate for a
// client that offered the flag, while TLS 1.3 has certificate_required: each is the other's
// alternative.
func (s Server) OnEmptyCertificate() Decision {
	switch {
	case !s.Require && s.TLS13:
		return Decision{Clause: tlsNoCert}
	case !s.Require:
		return Decision{Clause: tls12NoCert}
	case !s.TLS13:
		return Decision{Alert: extension.AlertHandshakeFailure, Clause: tls12NoCert}
	case s.Draft == Draft02 && s.Offered:
		return Decision{
			Alert: extension.AlertBadCertificate, Alternative: extension.AlertCertificateRequired, Clause: draft02Fails,
		}
	}
	return Decision{Alert: extension.AlertCertificateRequired, Clause: tlsNoCert}
}

// OnFlag says what to do when the client sets the flag in message m. Only the
// ClientHello may have it: a Certificate with it would answer a CertificateRequest that
// proposed it, and none does.
func (s Server) OnFlag(m extension.MessageKind) Decision {
	switch {
	case m == extension.ClientHello && s.Draft == Draft02:
		return Decision{Clause: draft02Flag}
	case m == extension.ClientHello:
		return Decision{Clause: editorFlag}
	case s.Draft == Draft02:
		return Decision{Alert: extension.AlertIllegalParameter, Clause: tlsFlags}
	}
	return Decision{Alert: extension.AlertIllegalParameter, Clause: editorFlag}
}
