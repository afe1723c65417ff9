package reqmtls

import "net"

// Outcome says what became of one connection.
type Outcome uint8

const (
	// NotApplied: the client got the base config. Event.Hello says why.
	NotApplied Outcome = iota
	// Unrecorded: the connection does not come from Server.Listener or Server.Wrap, as
	// with QUIC, or was wrapped in something without a method NetConn. The client's
	// flags are unknown, and it got the base config.
	Unrecorded
	// Given: the client has a certificate, and it was accepted. In a full handshake
	// crypto/tls checks after this that the client holds the key.
	Given
	// NotGiven: the client sent no certificate, and is served all the same.
	NotGiven
	// Refused: the policy or a VerifyConnection refused the client, or its flags were
	// malformed and RefuseMalformed is set. Event.Err says why.
	Refused
	// Unfinished: the client was asked, and the handshake ended before the policy could
	// decide: crypto/tls refused the certificate chain, or the client went away.
	Unfinished
)

// String returns the outcome in lower-case words.
func (o Outcome) String() string {
	switch o {
	case NotApplied:
		return "not applied"
	case Unrecorded:
		return "unrecorded"
	case Given:
		return "given"
	case NotGiven:
		return "not given"
	case Refused:
		return "refused"
	case Unfinished:
		return "unfinished"
	}
	return "unknown outcome"
}

// Event tells Config.Observe about one connection.
type Event struct {
	RemoteAddr net.Addr // nil where crypto/tls does not know
	ServerName string   // of the server_name extension
	Hello      Hello    // the zero value where Outcome is Unrecorded
	Outcome    Outcome
	// Asked says whether the policy made the server send a CertificateRequest. None is
	// sent when a session is resumed, which has the certificate of the first handshake.
	Asked bool
	Err   error // nil unless Outcome is Refused
}
