package check

import "github.com/tlsflags/tlsflags/extension"

// Draft is a version of draft-jhoyla-req-mtls-flag. The zero value is the newest.
type Draft uint8

const (
	// DraftEditor is the editors' copy of June 2025, later than -02: the server
	// acknowledges the flag in the CertificateRequest.
	DraftEditor Draft = iota
	// Draft02 is -00, -01 and -02: the server just asks.
	Draft02
)

const tlsCert = "RFC 9846, Section 4.5.1"

// Decision is what to do about something the peer did.
type Decision struct {
	// Alert ends the handshake. 0 means to go on.
	Alert extension.Alert
	// Alternative is the alert of another draft or reading, 0 if there is none.
	Alternative extension.Alert
	// Clause names the document and section.
	Clause string
}

// GoOn reports whether the handshake goes on.
func (d Decision) GoOn() bool { return d.Alert == 0 }

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

// Client is what a client knows when it is asked for a certificate.
type Client struct {
	Draft   Draft
	Offered bool // its ClientHello has the flag

	HasCertificate bool // it holds a certificate that satisfies the request
	// Mismatch: it holds certificates, but none that the certificate_authorities or
	// signature_algorithms of the request allow.
	Mismatch bool
}

// Response is a client's answer to a CertificateRequest.
type Response struct {
	Answer   Answer
	Decision      // Alert is set if Answer is Abort, Clause always
	MayQuit  bool // ending the handshake instead is tolerable, too
}

// OnCertificateRequest says how to answer a CertificateRequest whose tls_flags has the
// flag (acknowledged) or not. A flag that was not offered is illegal_parameter in
// DraftEditor; Draft02 says nothing, and unsolicited flags are legal there. Otherwise a
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
	if acknowledged && c.Draft == DraftEditor {
		r.Clause = editorFlag
		r.MayQuit = c.Mismatch && !c.HasCertificate
	}
	if c.HasCertificate {
		r.Answer = SendCertificate
	}
	return r
}

// OnFlag says what to do when the server sets the flag in message m.
func (c Client) OnFlag(m extension.MessageKind) Decision {
	switch {
	case c.Draft == DraftEditor:
		if m == extension.CertificateRequest && c.Offered {
			return Decision{Clause: editorFlag}
		}
		return Decision{Alert: extension.AlertIllegalParameter, Clause: editorFlag}
	case m == extension.CertificateRequest, m == extension.NewSessionTicket:
		return Decision{Clause: tlsFlags}
	}
	return Decision{Alert: extension.AlertIllegalParameter, Clause: tlsFlags}
}
