package extension

// Message names a handshake message that has an extension block. The seven are
// those in which draft-ietf-tls-tlsflags-16, Section 4 allows tls_flags.
type Message uint8

const (
	ClientHello Message = iota + 1
	ServerHello
	HelloRetryRequest
	EncryptedExtensions
	Certificate
	CertificateRequest
	NewSessionTicket
)

// String returns the name that RFC 9846, Section 4 gives the message.
func (m Message) String() string {
	switch m {
	case ClientHello:
		return "ClientHello"
	case ServerHello:
		return "ServerHello"
	case HelloRetryRequest:
		return "HelloRetryRequest"
	case EncryptedExtensions:
		return "EncryptedExtensions"
	case Certificate:
		return "Certificate"
	case CertificateRequest:
		return "CertificateRequest"
	case NewSessionTicket:
		return "NewSessionTicket"
	}
	return "unknown message"
}

// Abbreviation returns the two or three letters for the message in the "TLS 1.3" column
// of the extension registry (RFC 9846, Section 4.3), such as "CH"; "" for an unknown one.
func (m Message) Abbreviation() string {
	switch m {
	case ClientHello:
		return "CH"
	case ServerHello:
		return "SH"
	case HelloRetryRequest:
		return "HRR"
	case EncryptedExtensions:
		return "EE"
	case Certificate:
		return "CT"
	case CertificateRequest:
		return "CR"
	case NewSessionTicket:
		return "NST"
	}
	return ""
}
