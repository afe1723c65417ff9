package handshake

import (
	"iter"

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

// Message is a validated handshake message, other than ClientHello, that can
// carry extensions: an immutable view that shares memory with the bytes it was parsed
// from. Since it exists only after validation, reading it cannot fail. The zero value
// is no message and has no extension.
type Message struct {
	msg   []byte
	list  extension.List // the extension block, in a Certificate that of the first entry
	start uint32         // offset of the first byte behind certificate_list's length
	kind  extension.MessageKind
}

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
// where extensions may be absent, length and all, as in TLS 1.2 (RFC 5246, Section
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
		list = c.extensions(kind)
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
	list := c.extensions(extension.EncryptedExtensions)
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
	list := c.extensions(extension.CertificateRequest)
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
	c := openMessage(msg, typeCertificate, maxCertificate)
	c.Vector(1, 0, 1)
	outer := c.Open(3, 0, 1)
	m := Message{start: uint32(c.At()), kind: extension.Certificate}
	for first := true; c.Left() > 0; first = false {
		c.Vector(3, 1, 1)
		if list := c.extensions(extension.Certificate); first {
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
	list := c.extensions(extension.NewSessionTicket)
	return c.done(Message{list: list, kind: extension.NewSessionTicket})
}

// Kind says which message it is; 0 for the zero value.
func (m Message) Kind() extension.MessageKind { return m.kind }

// Extensions returns the extension block of the message; of a Certificate that of the
// first CertificateEntry, where an extension for the whole chain belongs (RFC 9846,
// Section 4.5.1).
func (m Message) Extensions() extension.List { return m.list }

// Blocks yields every extension block of the message in order: one for each
// CertificateEntry of a Certificate, exactly one for any other message.
func (m Message) Blocks() iter.Seq[extension.List] {
	return func(yield func(extension.List) bool) {
		if m.kind != extension.Certificate {
			if m.kind != 0 {
				yield(m.list)
			}
			return
		}
		for e := range m.Entries() {
			if !yield(e.Extensions) {
				return
			}
		}
	}
}

// CertificateEntry is one certificate of a Certificate message, with the extensions
// that belong to it.
type CertificateEntry struct {
	CertData   []byte // at least one byte; shares the message's memory
	Extensions extension.List
}

// Entries yields the entries of a Certificate in order: none where the sender has no
// certificate to offer, and none for any other message. Each block is walked through
// once more to yield it.
func (m Message) Entries() iter.Seq[CertificateEntry] {
	return func(yield func(CertificateEntry) bool) {
		if m.kind != extension.Certificate {
			return
		}
		for i := int(m.start); i < len(m.msg); {
			e, next := m.entry(i)
			if !yield(e) {
				return
			}
			i = next
		}
	}
}

// entry returns the CertificateEntry that begins at offset i, and the offset behind it.
func (m Message) entry(i int) (CertificateEntry, int) {
	b := m.msg
	data := i + 3
	end := data + (int(b[i])<<16 | int(b[i+1])<<8 | int(b[i+2]))
	block := end + 2
	next := block + (int(b[end])<<8 | int(b[end+1]))
	// ParseCertificate has accepted this block.
	list, _, _ := extension.ParseList(extension.Certificate, b[block:next:next], block)
	return CertificateEntry{CertData: b[data:end:end], Extensions: list}, next
}

// Empty reports whether the message is a Certificate without any certificate, with
// which a client answers that it has none (RFC 9846, Section 4.5.1). It has no
// extension block, so nowhere to put a flag.
func (m Message) Empty() bool {
	return m.kind == extension.Certificate && int(m.start) == len(m.msg)
}

// HasFlag reports whether TLS flag f stands in the message, in any of its blocks, in an
// extension that ParseFlags accepts.
func (m Message) HasFlag(f extension.Flag) bool {
	for block := range m.Blocks() {
		if block.HasFlag(f) {
			return true
		}
	}
	return false
}

// RequestContext returns certificate_request_context, of 0 to 255 bytes, of a
// CertificateRequest or a Certificate; nil for any other message.
func (m Message) RequestContext() []byte {
	if m.kind != extension.CertificateRequest && m.kind != extension.Certificate {
		return nil
	}
	const i = handshakeHeaderLen
	end := i + 1 + int(m.msg[i])
	return m.msg[i+1 : end : end]
}

// CipherSuite returns the cipher suite that a ServerHello or a HelloRetryRequest
// selects; 0 for any other message.
func (m Message) CipherSuite() uint16 {
	if m.kind != extension.ServerHello && m.kind != extension.HelloRetryRequest {
		return 0
	}
	i := handshakeHeaderLen + 2 + randomLen
	i += 1 + int(m.msg[i])
	return uint16(m.msg[i])<<8 | uint16(m.msg[i+1])
}

// Version returns the version that a ServerHello or a HelloRetryRequest selects, in its
// supported_versions extension (RFC 9846, Section 4.3.1) or without one in
// legacy_version; 0 for any other message.
func (m Message) Version() uint16 {
	if m.kind != extension.ServerHello && m.kind != extension.HelloRetryRequest {
		return 0
	}
	v := m.msg[handshakeHeaderLen:]
	if e, ok := m.list.Lookup(extension.SupportedVersions); ok && len(e.Data) == 2 {
		v = e.Data
	}
	return uint16(v[0])<<8 | uint16(v[1])
}

// Raw returns the message with its handshake header, as it was consumed.
func (m Message) Raw() []byte { return m.msg }

// AppendTo appends the message with its handshake header, byte for byte as it was
// consumed, to b.
func (m Message) AppendTo(b []byte) []byte { return append(b, m.msg...) }

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
		return
	}
	c.Vector(1, 0, 1)
}

// extensions reads an extension block of message m with its length.
func (c *cursor) extensions(m extension.MessageKind) extension.List {
	outer := c.Open(2, 0, 1)
	if c.Code() != 0 {
		return extension.List{}
	}
	at := c.At()
	list, bad, err := extension.ParseList(m, c.Rest(), at)
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
