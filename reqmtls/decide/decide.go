// Package decide says what the two sides of a TLS handshake do about the
// request_mtls flag of draft-jhoyla-req-mtls-flag, also called request_client_auth. Its
// decisions are pure functions on values: nothing here reads or sends a byte, so that
// any TLS stack can ask.
//
//	s := decide.Server{TLS13: true, Offered: hello.HasFlag(extension.RequestMTLS), Honor: true}
//	switch s.Request() {
//	case decide.NoRequest: // an ordinary handshake
//	case decide.PlainRequest: // send CertificateRequest
//	case decide.AcknowledgedRequest: // the same, with the flag in its tls_flags
//	}
//
// The flag is a hint that the client will cope with being asked. It gives no right:
// what a certificate is good for is decided when it has been verified, and the trust
// anchors for clients that set the flag are best kept apart from all others.
package decide

import "github.com/tlsflags/tlsflags/extension"

// Text is a version of draft-jhoyla-req-mtls-flag. The zero value is the newest.
type Text uint8

const (
	// TextEditor is the editors' copy of June 2025, later than -02: the server
	// acknowledges the flag in the CertificateRequest.
	TextEditor Text = iota
	// Text02 is -00, -01 and -02: the server just asks.
	Text02
)

// String names the text.
func (t Text) String() string {
	switch t {
	case TextEditor:
		return "draft-jhoyla-req-mtls-flag, editors' copy after -02"
	case Text02:
		return "draft-jhoyla-req-mtls-flag-00 to -02"
	}
	return "unknown text"
}

// The sections that the decisions rest on.
const (
	editorFlag   = "draft-jhoyla-req-mtls-flag (editors' copy), Section 3"
	draft02Flag  = "draft-jhoyla-req-mtls-flag-02, Section 3"
	draft02Fails = "draft-jhoyla-req-mtls-flag-02, Section 4"
	tlsFlags     = "draft-ietf-tls-tlsflags-16, Section 3"
	tlsRequest   = "RFC 9846, Section 4.4.2"
	tlsCert      = "RFC 9846, Section 4.5.1"
	tlsNoCert    = "RFC 9846, Section 4.5.1.3"
	tls12NoCert  = "RFC 5246, Section 7.4.6"
)

// Registry returns r with the rules of the text for request_mtls, whose number stays:
// with it, extension.Exchange judges messages as the text does. Text02 says nothing
// about the flag in CertificateRequest and NewSessionTicket, where it may therefore
// stand unsolicited; TextEditor is what r has from the start.
func (t Text) Registry(r extension.Registry) (extension.Registry, error) {
	info, ok := r.ByName("request_mtls")
	if !ok {
		info, _ = extension.Registry{}.ByName("request_mtls")
	}
	info.Messages = 1<<extension.ClientHello | 1<<extension.CertificateRequest
	info.Answers = 1 << extension.CertificateRequest
	if t == Text02 {
		info.Messages |= 1 << extension.NewSessionTicket
		info.Answers = 0
	}
	return r.With(info)
}

// Decision is what to do about something the peer did.
type Decision struct {
	// Alert ends the handshake. 0 means to go on.
	Alert extension.Alert
	// Alternative is the alert of another text or reading, 0 where there is none.
	Alternative extension.Alert
	// Clause names the document and section.
	Clause string
}

// GoOn reports whether the handshake goes on.
func (d Decision) GoOn() bool { return d.Alert == 0 }

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

// String returns the request in lower-case words.
func (r Request) String() string {
	switch r {
	case NoRequest:
		return "no request"
	case PlainRequest:
		return "plain request"
	case AcknowledgedRequest:
		return "acknowledged request"
	}
	return "unknown request"
}

// Server is what a server knows when it has read the ClientHello, and its policy.
type Server struct {
	Text Text

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
// where it was offered, and is the reason for asking.
func (s Server) Request() Request {
	honored := s.TLS13 && s.Offered && s.Honor
	switch {
	case s.Resumed:
		return NoRequest
	case honored && s.Text == TextEditor:
		return AcknowledgedRequest
	case honored, s.Always:
		return PlainRequest
	}
	return NoRequest
}

// OnEmptyCertificate says what to do when a client that was asked has no certificate.
// Where none is required the handshake goes on; that is the polite answer which the
// flag promises. Else, -00 to -02 end it with bad_certificate for a client that offered
// the flag, where TLS 1.3 has certificate_required: each is the other's alternative.
func (s Server) OnEmptyCertificate() Decision {
	switch {
	case !s.Require && s.TLS13:
		return Decision{Clause: tlsNoCert}
	case !s.Require:
		return Decision{Clause: tls12NoCert}
	case !s.TLS13:
		return Decision{Alert: extension.AlertHandshakeFailure, Clause: tls12NoCert}
	case s.Text == Text02 && s.Offered:
		return Decision{extension.AlertBadCertificate, extension.AlertCertificateRequired, draft02Fails}
	}
	return Decision{Alert: extension.AlertCertificateRequired, Clause: tlsNoCert}
}

// OnFlag says what to do when the client sets the flag in message m. Only the
// ClientHello may have it: a Certificate with it would answer a CertificateRequest that
// proposed it, and none does.
func (s Server) OnFlag(m extension.Message) Decision {
	switch {
	case m == extension.ClientHello && s.Text == Text02:
		return Decision{Clause: draft02Flag}
	case m == extension.ClientHello:
		return Decision{Clause: editorFlag}
	case s.Text == Text02:
		return Decision{Alert: extension.AlertIllegalParameter, Clause: tlsFlags}
	}
	return Decision{Alert: extension.AlertIllegalParameter, Clause: editorFlag}
}

// Answer says how a client answers a CertificateRequest.
type Answer uint8

const (
	// Abort: end the handshake with the alert of the Decision.
	Abort Answer = iota
	// SendEmpty: a Certificate without an entry, then Finished.
	SendEmpty
	// SendCertificate: the certificate, with CertificateVerify.
	SendCertificate
)

// String returns the answer in lower-case words.
func (a Answer) String() string {
	switch a {
	case Abort:
		return "abort"
	case SendEmpty:
		return "send an empty Certificate"
	case SendCertificate:
		return "send a Certificate"
	}
	return "unknown answer"
}

// Client is what a client knows when it is asked for a certificate.
type Client struct {
	Text    Text
	Offered bool // its ClientHello has the flag

	HasCertificate bool // it holds a certificate that satisfies the request
	// Mismatch: it holds certificates, but none that the certificate_authorities or
	// signature_algorithms of the request allow.
	Mismatch bool
}

// Response is a client's answer to a CertificateRequest.
type Response struct {
	Answer   Answer
	Decision      // the alert where Answer is Abort; the clause always
	MayQuit  bool // ending the handshake instead is tolerable, too
}

// OnCertificateRequest says how to answer a CertificateRequest whose tls_flags has the
// flag (acknowledged) or not. The flag where it was not offered is illegal_parameter in
// TextEditor; Text02 says nothing, and unsolicited flags are legal there. Otherwise a
// Certificate follows in any case, possibly an empty one: a client that offered the flag
// does not quit in anticipation of certificate_required, unless the request asks for what
// it cannot have.
func (c Client) OnCertificateRequest(acknowledged bool) Response {
	if acknowledged {
		if d := c.OnFlag(extension.CertificateRequest); !d.GoOn() {
			return Response{Answer: Abort, Decision: d}
		}
	}
	r := Response{Answer: SendEmpty, Decision: Decision{Clause: tlsCert}}
	if acknowledged && c.Text == TextEditor {
		r.Clause = editorFlag
		r.MayQuit = c.Mismatch && !c.HasCertificate
	}
	if c.HasCertificate {
		r.Answer = SendCertificate
	}
	return r
}

// OnFlag says what to do when the server sets the flag in message m.
func (c Client) OnFlag(m extension.Message) Decision {
	switch {
	case c.Text == TextEditor:
		if m == extension.CertificateRequest && c.Offered {
			return Decision{Clause: editorFlag}
		}
		return Decision{Alert: extension.AlertIllegalParameter, Clause: editorFlag}
	case m == extension.CertificateRequest, m == extension.NewSessionTicket:
		return Decision{Clause: tlsFlags}
	}
	return Decision{Alert: extension.AlertIllegalParameter, Clause: tlsFlags}
}

// MayOffer reports whether a client may set the flag: with a certificate that is directly
// at hand, and never where using it would prompt the user, as a smart card does.
func (c Client) MayOffer(atHand, prompts bool) bool {
	if c.Text == Text02 {
		return atHand // "configured with a suitable certificate"
	}
	return atHand && !prompts
}
