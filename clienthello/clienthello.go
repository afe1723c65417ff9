package clienthello

import "github.com/tlsflags/tlsflags/extension"

const (
	// MaxBody is the length of the longest valid ClientHello body in bytes: every
	// field and vector of RFC 9846, Section 4.2.2 at its largest.
	MaxBody = 2 + 32 + (1 + 32) + (2 + 1<<16 - 2) + (1 + 255) + (2 + 1<<16 - 1)
	// MaxBodyDTLS is the same for DTLS, whose body has a cookie.
	MaxBodyDTLS = MaxBody + 1 + 255

	headerLen     = 4  // msg_type, length
	headerLenDTLS = 12 // msg_type, length, message_seq, fragment_offset, fragment_length

	typeClientHello = 1
	maxSessionID    = 32
	randomLen       = 32
)

// ClientHello is a parsed ClientHello message: an immutable view that shares memory
// with the bytes given to Parse, which must not change while it is in use. Only
// Parse, ParseDTLS and ParseTolerant make one; the zero value has no field and no
// extension.
//
// The methods named after an extension, such as ServerName and KeyShares, read its body,
// when they are called and not before. If the client did not send the extension, they
// return the zero value and no error. If the body is malformed, they return the zero
// value and one of ErrFieldOverrun, ErrStrayBytes, ErrVectorEmpty, ErrVectorSize and
// ErrIllegalValue. CheckExtension says where in the message the fault is.
type ClientHello struct {
	msg        []byte
	extensions extension.List
	suites     uint16 // offset in msg of the length of cipher_suites
	header     uint8  // length of the handshake header
}

// Parse reads the ClientHello message at the beginning of msg, with its 4-byte
// handshake header, as defined in RFC 9846, Section 4.2.2:
//
//	uint16 ProtocolVersion;
//	opaque Random[32];
//	uint8 CipherSuite[2];
//
//	struct {
//	    ProtocolVersion legacy_version;
//	    Random random;
//	    opaque legacy_session_id<0..32>;
//	    CipherSuite cipher_suites<2..2^16-2>;
//	    opaque legacy_compression_methods<1..2^8-1>;
//	    Extension extensions<0..2^16-1>;
//	} ClientHello;
//
// The extensions may be absent, length and all, as in TLS 1.2 (RFC 5246, Section
// 7.4.1.2). Parse returns the number of bytes of the message; what follows is not
// looked at. For a refused message it returns the zero ClientHello, the offset of
// the field that cannot be accepted, and
//
//   - ErrMessageType: not a ClientHello. If msg[0] is 22 it is a TLS record: the
//     message begins after the record's header of 5 bytes, and may go on in further
//     records. [github.com/tlsflags/tlsflags/clienthello/assemble] reassembles them;
//   - ErrMessageTooLarge: the body is announced with more than MaxBody bytes;
//   - ErrTruncated: msg ends before the message does; the offset is len(msg);
//   - ErrFieldOverrun: a field or vector reaches beyond the end of the message;
//   - ErrSessionIDTooLong, ErrCipherSuitesEmpty, ErrCipherSuitesOdd,
//     ErrCompressionMethodsEmpty: the offset is that of the length;
//   - ErrStrayBytes: bytes follow the last field;
//   - the errors of [extension.ParseList].
//
// Parse checks the first three, which concern the whole message, in this order; then it
// reports the first fault in byte order.
func Parse(msg []byte) (ClientHello, int, error) {
	return parse(msg, headerLen, maxSessionID)
}

// ParseDTLS is Parse for DTLS: the handshake header has the 12 bytes of RFC 9147,
// Section 5.2 and is that of a whole message, with fragment_offset 0 and
// fragment_length equal to length (else ErrFragment); the body has a
// legacy_cookie<0..2^8-1> after legacy_session_id and may take MaxBodyDTLS bytes.
func ParseDTLS(msg []byte) (ClientHello, int, error) {
	return parse(msg, headerLenDTLS, maxSessionID)
}

// openMessage checks the handshake header of a ClientHello, of the given length, and
// returns the message without what follows it, or the offset and code of the fault.
func openMessage(msg []byte, header int) ([]byte, int, extension.Code) {
	if len(msg) > 0 && msg[0] != typeClientHello {
		return nil, 0, extension.ErrMessageType
	}
	if len(msg) < headerLen {
		return nil, len(msg), extension.ErrTruncated
	}
	length := int(msg[1])<<16 | int(msg[2])<<8 | int(msg[3])
	maxLength := MaxBody
	if header == headerLenDTLS {
		maxLength = MaxBodyDTLS
	}
	if length > maxLength {
		return nil, 1, extension.ErrMessageTooLarge
	}
	end := header + length
	if len(msg) < end {
		return nil, len(msg), extension.ErrTruncated
	}
	if header == headerLenDTLS {
		if msg[6]|msg[7]|msg[8] != 0 { // fragment_offset
			return nil, 6, extension.ErrFragment
		}
		if fragment := int(msg[9])<<16 | int(msg[10])<<8 | int(msg[11]); fragment != length {
			return nil, 9, extension.ErrFragment
		}
	}
	return msg[:end:end], end, 0
}

// skipLegacy passes the fields from legacy_version to legacy_session_id, and legacy_cookie
// in DTLS. legacy_session_id has at most maxID bytes. It returns the offset of
// cipher_suites, or the offset and code of the fault.
func skipLegacy(msg []byte, header, maxID int) (int, extension.Code) {
	// ProtocolVersion legacy_version; Random random;
	i, end := header, len(msg)
	if end-i < 2 {
		return i, extension.ErrFieldOverrun //mutation:equivalent cipher_suites does not fit either
	}
	i += 2
	if end-i < randomLen {
		return i, extension.ErrFieldOverrun
	}
	i += randomLen

	// opaque legacy_session_id<0..32>;
	if i == end {
		return i, extension.ErrFieldOverrun //mutation:equivalent cipher_suites does not fit either
	}
	n := int(msg[i])
	if n > maxID {
		return i, extension.ErrSessionIDTooLong
	}
	if n > end-i-1 {
		return i, extension.ErrFieldOverrun
	}
	i += 1 + n

	// opaque legacy_cookie<0..2^8-1>;
	if header == headerLenDTLS {
		if i == end || int(msg[i]) > end-i-1 {
			return i, extension.ErrFieldOverrun
		}
		i += 1 + int(msg[i])
	}
	return i, 0
}

func parse(msg []byte, header, maxID int) (ClientHello, int, error) {
	msg, end, code := openMessage(msg, header)
	if code != 0 {
		return ClientHello{}, end, code
	}
	i, code := skipLegacy(msg, header, maxID)
	if code != 0 {
		return ClientHello{}, i, code
	}

	// CipherSuite cipher_suites<2..2^16-2>;
	h := ClientHello{msg: msg, suites: uint16(i), header: uint8(header)}
	if end-i < 2 {
		return ClientHello{}, i, extension.ErrFieldOverrun
	}
	n := int(msg[i])<<8 | int(msg[i+1])
	switch {
	case n == 0:
		return ClientHello{}, i, extension.ErrCipherSuitesEmpty
	case n%2 != 0:
		return ClientHello{}, i, extension.ErrCipherSuitesOdd
	case n > end-i-2:
		return ClientHello{}, i, extension.ErrFieldOverrun
	}
	i += 2 + n

	// opaque legacy_compression_methods<1..2^8-1>;
	if i == end {
		return ClientHello{}, i, extension.ErrFieldOverrun
	}
	switch n = int(msg[i]); {
	case n == 0:
		return ClientHello{}, i, extension.ErrCompressionMethodsEmpty
	case n > end-i-1:
		return ClientHello{}, i, extension.ErrFieldOverrun
	}
	i += 1 + n

	// Extension extensions<0..2^16-1>;
	switch end - i {
	case 0:
		return h, end, nil
	case 1:
		return ClientHello{}, i, extension.ErrStrayBytes
	}
	n = int(msg[i])<<8 | int(msg[i+1])
	if n > end-i-2 {
		return ClientHello{}, i, extension.ErrFieldOverrun
	}
	i += 2
	list, at, err := extension.ParseList(extension.ClientHello, msg[i:i+n], i)
	if err != nil {
		return ClientHello{}, at, err
	}
	if i += n; i < end {
		return ClientHello{}, i, extension.ErrStrayBytes
	}
	h.extensions = list
	return h, end, nil
}

// HasFlag reports whether the client set TLS flag f. It takes constant time. The flags are
// those of the extension of type 62 or, if there is none, of type 0xfe01. In a malformed
// extension no flag is set.
func (h ClientHello) HasFlag(f extension.Flag) bool { return h.extensions.HasFlag(f) }

// Flags returns the client's TLS flags and the type of the extension that has them: 62 or, if
// there is none, 0xfe01. If there is neither, the type is 0 and the error nil; 0 is also the
// type of server_name, so check for it before printing the type. For a malformed extension,
// Flags returns its type and the error of [extension.ParseFlags].
func (h ClientHello) Flags() (extension.Flags, extension.Type, error) { return h.extensions.Flags() }

// Extensions returns the extensions in the order in which the client sent them.
func (h ClientHello) Extensions() extension.List { return h.extensions }

// HasExtensionBlock reports whether the message has an extension block, which may
// be empty. A ClientHello without one is valid up to TLS 1.2.
func (h ClientHello) HasExtensionBlock() bool {
	//mutation:equivalent a block has 2 bytes at least
	return h.msg != nil && h.compression()+1+int(h.msg[h.compression()]) < len(h.msg)
}

// IsDTLS reports whether the message was read by ParseDTLS.
func (h ClientHello) IsDTLS() bool { return h.header == headerLenDTLS }

// Raw returns the message with its handshake header, as Parse consumed it.
func (h ClientHello) Raw() []byte { return h.msg }

// AppendTo appends the message with its handshake header, byte for byte as Parse
// consumed it, to b.
func (h ClientHello) AppendTo(b []byte) []byte { return append(b, h.msg...) }

// LegacyVersion returns legacy_version: 0x0303 in TLS 1.3, the highest version that
// the client supports in older ones. In TLS 1.3 SupportedVersions takes its place.
func (h ClientHello) LegacyVersion() Version {
	if h.msg == nil {
		return 0
	}
	return Version(h.msg[h.header])<<8 | Version(h.msg[h.header+1])
}

// Random returns the 32 bytes of random.
func (h ClientHello) Random() []byte {
	if h.msg == nil {
		return nil
	}
	i := int(h.header) + 2
	return h.msg[i : i+randomLen : i+randomLen]
}

// LegacySessionID returns legacy_session_id, of 0 to 32 bytes, or up to 255 after
// ParseTolerant.
func (h ClientHello) LegacySessionID() []byte {
	if h.msg == nil {
		return nil
	}
	return h.opaque(int(h.header) + 2 + randomLen)
}

// LegacyCookie returns legacy_cookie, of 0 to 255 bytes, that a DTLS server sent in
// a HelloVerifyRequest (RFC 6347, Section 4.2.1). It is nil if the message is not
// of DTLS. The cookie extension is Cookie.
func (h ClientHello) LegacyCookie() []byte {
	if !h.IsDTLS() {
		return nil
	}
	i := int(h.header) + 2 + randomLen
	return h.opaque(i + 1 + int(h.msg[i]))
}

// CipherSuites returns the cipher suites in the client's order of preference.
func (h ClientHello) CipherSuites() Vector[CipherSuite] {
	if h.msg == nil {
		return Vector[CipherSuite]{}
	}
	i, end := int(h.suites)+2, h.compression()
	return Vector[CipherSuite]{h.msg[i:end:end]}
}

// LegacyCompressionMethods returns the compression methods, one a byte, 1 to 255 of
// them; 0 is no compression.
func (h ClientHello) LegacyCompressionMethods() []byte {
	if h.msg == nil {
		return nil
	}
	return h.opaque(h.compression())
}

// compression returns the offset of the length of legacy_compression_methods.
func (h ClientHello) compression() int {
	i := int(h.suites)
	return i + 2 + (int(h.msg[i])<<8 | int(h.msg[i+1]))
}

// opaque returns the vector whose one-byte length is at offset i.
func (h ClientHello) opaque(i int) []byte {
	end := i + 1 + int(h.msg[i])
	return h.msg[i+1 : end : end]
}
