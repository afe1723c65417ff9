package handshake

import (
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/wire"
)

// The handshake types of the messages below, as defined in RFC 9846, Section 4.
const (
	typeServerHello         = 2
	typeNewSessionTicket    = 4
	typeEncryptedExtensions = 8
	typeCertificate         = 11
	typeCertificateRequest  = 13
)

const (
	handshakeHeaderLen = 4         // msg_type, length
	maxBlock           = 1<<16 - 1 // longest extension block
	randomLen          = 32
	maxSessionID       = 32
)

// The longest body of each message in bytes: every field and vector at its largest.
// That of Certificate is what the length field of the handshake header can say.
const (
	maxServerHello         = 2 + randomLen + 1 + maxSessionID + 2 + 1 + 2 + maxBlock
	maxEncryptedExtensions = 2 + maxBlock
	maxCertificate         = 1<<24 - 1
	maxCertificateRequest  = 1 + 255 + 2 + maxBlock
	maxNewSessionTicket    = 4 + 4 + 1 + 255 + 2 + 1<<16 - 1 + 2 + maxBlock
)

// Parse reads the handshake message at the beginning of msg as the function
// for its msg_type does: [ParseServerHello], [ParseNewSessionTicket],
// [ParseEncryptedExtensions], [ParseCertificate] or [ParseCertificateRequest]. For any
// other type, client_hello included, it returns ErrMessageType.
func Parse(msg []byte) (Message, int, error) {
	if len(msg) == 0 {
		return Message{}, 0, extension.ErrTruncated
	}
	switch msg[0] {
	case typeServerHello:
		return ParseServerHello(msg)
	case typeNewSessionTicket:
		return ParseNewSessionTicket(msg)
	case typeEncryptedExtensions:
		return ParseEncryptedExtensions(msg)
	case typeCertificate:
		return ParseCertificate(msg)
	case typeCertificateRequest:
		return ParseCertificateRequest(msg)
	}
	return Message{}, 0, extension.ErrMessageType
}

// ParseServerHello reads the ServerHello at the beginning of msg, with its 4-byte
// handshake header, as defined in RFC 9846, Section 4.2.3:
//
//	struct {
//	    ProtocolVersion legacy_version;
//	    Random random;
//	    opaque legacy_session_id_echo<0..32>;
//	    CipherSuite cipher_suite;
//	    uint8 legacy_compression_method;
//	    Extension extensions<0..2^16-1>;
//	} ServerHello;
//
// The extensions may be absent, length and all, as in TLS 1.2 (RFC 5246, Section
// 7.4.1.3). A HelloRetryRequest has the same form; its random tells them apart, and
// Message says which of the two it is.
//
// Like all parsers of this file it returns the number of bytes of the message, and
// does not look at what follows. For a refused message it returns the zero
// Message, the offset of the field that cannot be accepted, and
//
//   - ErrMessageType: the message is of another type;
//   - ErrMessageTooLarge: no message of this type has as many bytes as announced;
//   - ErrTruncated: msg ends before the message does; the offset is len(msg);
//   - ErrFieldOverrun: a field or vector reaches beyond what contains it;
//   - ErrStrayBytes: bytes follow the last field;
//   - the errors of [ParseList];
//
// and here also
//
//   - ErrSessionIDTooLong: legacy_session_id_echo is longer than 32 bytes.
//
// The first fault in the order of the bytes is reported, but for the first three,
// which concern the message as a whole and are looked for first, in this order.
func ParseServerHello(msg []byte) (Message, int, error) {
	c := openMessage(msg, typeServerHello, maxServerHello)
	c.Skip(2)
	random := c.At()
	c.Skip(randomLen)
	c.sessionID()
	c.Skip(2)
	c.Skip(1)
	kind := extension.ServerHello
	if c.Code() == 0 && string(c.msg[random:random+randomLen]) == helloRetryRandom {
		kind = extension.HelloRetryRequest
	}
	var list extension.List
	if c.Left() > 1 { // a single byte does not begin a block
		list = c.extensions()
	}
	return c.done(Message{list: list, kind: kind})
}

// helloRetryRandom is SHA-256("HelloRetryRequest"), the random of a
// HelloRetryRequest (RFC 9846, Section 4.2.3).
const helloRetryRandom = "\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91" +
	"\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c"

// ParseEncryptedExtensions reads the EncryptedExtensions at the beginning of msg, with
// its 4-byte handshake header, as defined in RFC 9846, Section 4.4.1:
//
//	struct {
//	    Extension extensions<0..2^16-1>;
//	} EncryptedExtensions;
//
// What it returns is described at [ParseServerHello].
func ParseEncryptedExtensions(msg []byte) (Message, int, error) {
	c := openMessage(msg, typeEncryptedExtensions, maxEncryptedExtensions)
	list := c.extensions()
	return c.done(Message{list: list, kind: extension.EncryptedExtensions})
}

// ParseCertificateRequest reads the CertificateRequest of TLS 1.3 at the beginning of
// msg, with its 4-byte handshake header, as defined in RFC 9846, Section 4.4.2:
//
//	struct {
//	    opaque certificate_request_context<0..2^8-1>;
//	    Extension extensions<0..2^16-1>;
//	} CertificateRequest;
//
// What it returns is described at [ParseServerHello]. The message of this name in TLS
// 1.2 is another one, and carries no extensions.
func ParseCertificateRequest(msg []byte) (Message, int, error) {
	c := openMessage(msg, typeCertificateRequest, maxCertificateRequest)
	c.Vector(1, 0, 1)
	list := c.extensions()
	return c.done(Message{list: list, kind: extension.CertificateRequest})
}

// ParseCertificate reads the Certificate of TLS 1.3 at the beginning of msg, with its
// 4-byte handshake header, as defined in RFC 9846, Section 4.5.1:
//
//	struct {
//	    opaque cert_data<1..2^24-1>;
//	    Extension extensions<0..2^16-1>;
//	} CertificateEntry;
//
//	struct {
//	    opaque certificate_request_context<0..2^8-1>;
//	    CertificateEntry certificate_list<0..2^24-1>;
//	} Certificate;
//
// What it returns is described at [ParseServerHello]; an empty cert_data is
// ErrVectorEmpty. The message of this name in TLS 1.2 is another one, and carries no
// extensions. No length is too large here but for the caller's memory.
func ParseCertificate(msg []byte) (Message, int, error) {
	c := openMessage(msg, typeCertificate, maxCertificate) //mutation:equivalent the length has 24 bits
	c.Vector(1, 0, 1)
	outer := c.Open(3, 0, 1)
	m := Message{start: uint32(c.At()), kind: extension.Certificate}
	for first := true; c.Left() > 0; first = false {
		c.Vector(3, 1, 1)
		list := c.extensions()
		if first {
			m.list = list
		}
	}
	c.Close(outer)
	return c.done(m)
}

// ParseNewSessionTicket reads the NewSessionTicket of TLS 1.3 at the beginning of msg,
// with its 4-byte handshake header, as defined in RFC 9846, Section 4.7.1:
//
//	struct {
//	    uint32 ticket_lifetime;
//	    uint32 ticket_age_add;
//	    opaque ticket_nonce<0..255>;
//	    opaque ticket<1..2^16-1>;
//	    Extension extensions<0..2^16-1>;
//	} NewSessionTicket;
//
// What it returns is described at [ParseServerHello]; an empty ticket is
// ErrVectorEmpty. The message of this name in TLS 1.2 is another one, and carries no
// extensions.
func ParseNewSessionTicket(msg []byte) (Message, int, error) {
	c := openMessage(msg, typeNewSessionTicket, maxNewSessionTicket)
	c.Skip(4)
	c.Skip(4)
	c.Vector(1, 0, 1)
	c.Vector(2, 1, 1)
	list := c.extensions()
	return c.done(Message{list: list, kind: extension.NewSessionTicket})
}

// A cursor reads a handshake message.
type cursor struct {
	wire.Reader
	msg []byte
}

// openMessage checks the header of a handshake message.
func openMessage(msg []byte, msgType byte, maxBody int) cursor {
	var c cursor
	if len(msg) > 0 && msg[0] != msgType {
		c.Fail(extension.ErrMessageType, 0)
		return c
	}
	if len(msg) < handshakeHeaderLen {
		c.Fail(extension.ErrTruncated, len(msg))
		return c
	}
	length := int(msg[1])<<16 | int(msg[2])<<8 | int(msg[3])
	end := handshakeHeaderLen + length
	switch {
	case length > maxBody:
		c.Fail(extension.ErrMessageTooLarge, 1)
	case len(msg) < end:
		c.Fail(extension.ErrTruncated, len(msg))
	default:
		c.msg = msg[:end:end]
		c.Reader = wire.NewReader(c.msg, handshakeHeaderLen)
	}
	return c
}

// sessionID passes opaque legacy_session_id_echo<0..32>.
func (c *cursor) sessionID() {
	if c.Left() > 0 && c.msg[c.At()] > maxSessionID {
		c.Fail(extension.ErrSessionIDTooLong, c.At())
	}
	c.Vector(1, 0, 1)
}

// extensions reads an extension block with its length.
func (c *cursor) extensions() extension.List {
	outer := c.Open(2, 0, 1)
	if c.Code() != 0 {
		return extension.List{}
	}
	at := c.At()
	var kind extension.MessageKind // ClientHello alone has a rule of its own for lists
	list, bad, err := extension.ParseList(kind, c.Rest(), at)
	if code, ok := err.(extension.Code); ok {
		c.Fail(code, bad)
		return extension.List{}
	}
	c.Close(outer)
	return list
}

// done checks that nothing is left, and completes m.
func (c *cursor) done(m Message) (Message, int, error) {
	n, err := c.Done()
	if err != nil {
		return Message{}, n, err
	}
	m.msg = c.msg
	return m, n, nil
}
