package reqmtls

import (
	"fmt"
	"log/slog"
	"net"
	"strings"
)

// Outcome says how one connection went.
type Outcome uint8

const (
	// NotApplied: the client got the base config. Event.Hello says why.
	NotApplied Outcome = iota
	// NotWrapped: the connection does not come from Server.Listener or Server.Wrap, as
	// with QUIC, or something around it has no method NetConn. The client's flags are
	// unknown. It got the base config, or was asked for a certificate because the policy
	// has AskAll.
	NotWrapped
	// Accepted: the client sent a certificate, and it was accepted. In a full handshake,
	// crypto/tls checks after this that the client holds the key.
	Accepted
	// NoCertificate: the client sent no certificate, and is served all the same.
	NoCertificate
	// Refused: the policy or a VerifyConnection refused the client, its flags were
	// malformed and RefuseMalformed is set, or a policy that demands a certificate could
	// not see its flags. Event.Err says why.
	Refused
	// Unfinished: a certificate was requested, and the handshake ended before the policy
	// could decide: crypto/tls refused the certificate chain, or the client went away.
	Unfinished
)

// String returns the outcome in lower-case words.
func (o Outcome) String() string {
	switch o {
	case NotApplied:
		return "not applied"
	case NotWrapped:
		return "not wrapped"
	case Accepted:
		return "accepted"
	case NoCertificate:
		return "no certificate"
	case Refused:
		return "refused"
	case Unfinished:
		return "unfinished"
	}
	return "unknown outcome"
}

// Event tells Config.Observe about one connection.
type Event struct {
	RemoteAddr net.Addr // nil if crypto/tls does not know it
	ServerName string   // of the server_name extension
	Hello      Hello    // the zero value if the connection was not wrapped
	Outcome    Outcome
	// CertificateRequested says whether the policy made the server send a
	// CertificateRequest. None is sent when a session is resumed; the session has the
	// certificate of its first handshake.
	CertificateRequested bool
	Err                  error // nil unless Outcome is Refused
}

// String describes the event in one line.
func (e Event) String() string {
	var b strings.Builder
	if e.RemoteAddr != nil {
		fmt.Fprintf(&b, "%v ", e.RemoteAddr)
	}
	if e.ServerName != "" {
		fmt.Fprintf(&b, "%q ", e.ServerName)
	}
	b.WriteString(e.Outcome.String())
	if e.CertificateRequested {
		b.WriteString(", certificate requested")
	}
	if e.Outcome != NotWrapped {
		fmt.Fprintf(&b, ", %v", e.Hello)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

// LogValue returns the event as a group of attributes for package slog.
func (e Event) LogValue() slog.Value {
	attrs := make([]slog.Attr, 0, 6)
	if e.RemoteAddr != nil {
		attrs = append(attrs, slog.String("remote", e.RemoteAddr.String()))
	}
	attrs = append(attrs,
		slog.String("server_name", e.ServerName),
		slog.String("outcome", e.Outcome.String()),
		slog.Bool("certificate_requested", e.CertificateRequested))
	if e.Outcome != NotWrapped {
		attrs = append(attrs, slog.Any("hello", e.Hello))
	}
	if e.Err != nil {
		attrs = append(attrs, slog.String("error", e.Err.Error()))
	}
	return slog.GroupValue(attrs...)
}
