package extension

// MessageKind names a handshake message that has an extension block. The seven are
// those in which draft-ietf-tls-tlsflags-16, Section 4 allows tls_flags.
type MessageKind uint8

const (
	ClientHello MessageKind = iota + 1
	ServerHello
	HelloRetryRequest
	EncryptedExtensions
	Certificate
	CertificateRequest
	NewSessionTicket
)

// String returns the name that RFC 9846, Section 4 gives the message.
func (k MessageKind) String() string {
	switch k {
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
