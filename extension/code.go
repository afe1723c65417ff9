package extension

import "strconv"

// Code is the reason why bytes were refused. Every parser and assembler of this
// module returns its errors as Codes, so they compare with == and errors.Is, and
// refusing allocates nothing. The zero Code is not an error and never returned.
type Code uint8

// Codes of a handshake message and its extension block.
const (
	// ErrTruncated: the message is longer than the bytes given. A stream reader
	// that sees it reads more; no other code asks for that.
	ErrTruncated Code = iota + 1
	// ErrMessageType: the handshake message is of another type than asked for.
	ErrMessageType
	// ErrMessageTooLarge: no valid message of this type is that long.
	ErrMessageTooLarge
	// ErrFieldOverrun: a field reaches beyond the end of what contains it.
	ErrFieldOverrun
	// ErrStrayBytes: bytes are left over after the last field.
	ErrStrayBytes
	// ErrVectorEmpty: a vector that holds at least one element is empty.
	ErrVectorEmpty
	// ErrVectorSize: the length of a vector is no multiple of its element size,
	// or outside the bounds that its definition states.
	ErrVectorSize
	// ErrSessionIDTooLong: legacy_session_id is longer than 32 bytes.
	ErrSessionIDTooLong
	// ErrCipherSuitesEmpty: cipher_suites has no element.
	ErrCipherSuitesEmpty
	// ErrCipherSuitesOdd: cipher_suites has an odd length.
	ErrCipherSuitesOdd
	// ErrCompressionMethodsEmpty: legacy_compression_methods has no element.
	ErrCompressionMethodsEmpty
	// ErrExtensionOverrun: an extension reaches beyond the extension block.
	ErrExtensionOverrun
	// ErrDuplicateExtension: two extensions of one block have the same type.
	ErrDuplicateExtension
	// ErrPreSharedKeyNotLast: an extension follows pre_shared_key in a ClientHello.
	ErrPreSharedKeyNotLast
	// ErrIllegalValue: a field is well formed, but its value is forbidden.
	ErrIllegalValue
	// ErrFragment: the bytes are one fragment of a DTLS message, not the whole.
	ErrFragment
)

// Codes of the TLS Flags extension_data, in the order in which ParseFlags looks
// for them.
const (
	// ErrFlagsEmptyData: extension_data is empty.
	ErrFlagsEmptyData Code = iota + 32
	// ErrFlagsEmptyVector: the flags vector has length 0.
	ErrFlagsEmptyVector
	// ErrFlagsInnerTooLong: the vector is longer than extension_data.
	ErrFlagsInnerTooLong
	// ErrFlagsTrailingBytes: bytes follow the vector in extension_data.
	ErrFlagsTrailingBytes
	// ErrFlagsAllZero: no flag is set.
	ErrFlagsAllZero
	// ErrFlagsTrailingZero: the last octet is zero, so the encoding is not the shortest.
	ErrFlagsTrailingZero
)

// Codes of the encoders and the registry, for what their caller asks.
const (
	// ErrFlagTooLarge: a flag number is above MaxFlag.
	ErrFlagTooLarge Code = iota + 48
	// ErrNoFlags: the set is empty; the extension has to be left out instead.
	ErrNoFlags
	// ErrFlagUnnamed: a flag is added to a registry without a name.
	ErrFlagUnnamed
)

// Codes of the carriers that package assemble reads.
const (
	// ErrOverLimit: the message does not fit the memory that the caller gave.
	ErrOverLimit Code = iota + 64
	// ErrRecordOverflow: a TLS record holds more than 2^14 bytes.
	ErrRecordOverflow
	// ErrRecordEmpty: a handshake record holds no byte.
	ErrRecordEmpty
	// ErrRecordInterleaved: a record of another type comes between the pieces of a message.
	ErrRecordInterleaved
	// ErrSSLv2Hello: an SSLv2-compatible hello, which cannot carry extensions.
	ErrSSLv2Hello
)

// Codes of the carriers whose pieces are datagrams. QUIC ends a connection with errors of
// its own for the last two, FRAME_ENCODING_ERROR or PROTOCOL_VIOLATION (RFC 9000, Section
// 20.1); their alerts are what comes closest in TLS.
const (
	// ErrOverlapChanged: two copies of the same bytes of a message differ.
	ErrOverlapChanged Code = iota + 96
	// ErrFragmentMismatch: the fragments of one DTLS message differ in type or length.
	ErrFragmentMismatch
	// ErrFragmentOverrun: a DTLS fragment reaches beyond the end of its message.
	ErrFragmentOverrun
	// ErrFrameType: a QUIC frame of a type that an Initial packet may not hold.
	ErrFrameType
	// ErrCryptoOffset: QUIC CRYPTO data reaches beyond offset 2^62-1.
	ErrCryptoOffset
)

// Codes of the rules that package rules applies to the flags of a message.
const (
	// ErrFlagsMisplaced: the draft does not allow tls_flags in this message.
	ErrFlagsMisplaced Code = iota + 160
	// ErrFlagsUnrequested: tls_flags answers a message that had none of that type.
	ErrFlagsUnrequested
	// ErrFlagUnsolicited: a flag answers a message that did not have it.
	ErrFlagUnsolicited
	// ErrFlagMisplaced: the document of a flag does not allow it in this message.
	ErrFlagMisplaced
	// ErrSecondHelloChanged: tls_flags of the ClientHello that follows a
	// HelloRetryRequest is not that of the first.
	ErrSecondHelloChanged
)

const prefix = "tlsflags: "

type codeRow struct {
	name        string // stable identifier, snake_case
	text        string // what Error returns
	alert       Alert
	alternative Alert // 0: none
	clause      string
}

// codes has a row for every Code. If two standards ask for different alerts,
// alert is the reading of this module and alternative the other one.
var codes = [...]codeRow{
	ErrTruncated:               {"truncated", prefix + "the message is longer than the bytes given", AlertDecodeError, 0, "RFC 9846, Section 6.2"},
	ErrMessageType:             {"wrong_message_type", prefix + "the handshake message has another type", AlertUnexpectedMessage, 0, "RFC 9846, Section 4"},
	ErrMessageTooLarge:         {"message_too_large", prefix + "no valid message is that long", AlertDecodeError, AlertIllegalParameter, "RFC 9846, Section 4.2.2"},
	ErrFieldOverrun:            {"field_overrun", prefix + "a field reaches beyond the end of what contains it", AlertDecodeError, 0, "RFC 9846, Section 6.2"},
	ErrStrayBytes:              {"stray_bytes", prefix + "bytes are left over after the last field", AlertDecodeError, 0, "RFC 9846, Section 4.2.2"},
	ErrVectorEmpty:             {"vector_empty", prefix + "a vector that needs an element has none", AlertDecodeError, 0, "RFC 9846, Section 6.2"},
	ErrVectorSize:              {"vector_size", prefix + "the length of a vector does not fit its definition", AlertDecodeError, 0, "RFC 9846, Section 6.2"},
	ErrSessionIDTooLong:        {"session_id_too_long", prefix + "legacy_session_id is longer than 32 bytes", AlertDecodeError, 0, "RFC 9846, Section 4.2.2"},
	ErrCipherSuitesEmpty:       {"cipher_suites_empty", prefix + "cipher_suites is empty", AlertDecodeError, AlertIllegalParameter, "RFC 9846, Section 4.2.2"},
	ErrCipherSuitesOdd:         {"cipher_suites_odd", prefix + "cipher_suites has an odd length", AlertDecodeError, 0, "RFC 9846, Section 4.2.2"},
	ErrCompressionMethodsEmpty: {"compression_methods_empty", prefix + "legacy_compression_methods is empty", AlertDecodeError, AlertIllegalParameter, "RFC 9846, Section 4.2.2"},
	ErrExtensionOverrun:        {"extension_overrun", prefix + "an extension reaches beyond the extension block", AlertDecodeError, 0, "RFC 9846, Section 4.3"},
	ErrDuplicateExtension:      {"duplicate_extension", prefix + "an extension type occurs twice in one message", AlertIllegalParameter, AlertDecodeError, "RFC 9846, Section 4.3"},
	ErrPreSharedKeyNotLast:     {"pre_shared_key_not_last", prefix + "an extension follows pre_shared_key", AlertIllegalParameter, AlertDecodeError, "RFC 9846, Section 4.3.11"},
	ErrIllegalValue:            {"illegal_value", prefix + "a field has a forbidden value", AlertIllegalParameter, 0, "RFC 9846, Section 6.2"},
	ErrFragment:                {"fragment", prefix + "a fragment of a message, not the whole message", AlertDecodeError, 0, "RFC 9147, Section 5.2"},

	ErrFlagsEmptyData:     {"empty_data", prefix + "extension_data of tls_flags is empty", AlertIllegalParameter, AlertDecodeError, "draft-ietf-tls-tlsflags-16, Section 3"},
	ErrFlagsEmptyVector:   {"empty_vector", prefix + "the flags vector is empty", AlertIllegalParameter, AlertDecodeError, "draft-ietf-tls-tlsflags-16, Section 3"},
	ErrFlagsInnerTooLong:  {"inner_too_long", prefix + "the flags vector is longer than extension_data", AlertIllegalParameter, AlertDecodeError, "draft-ietf-tls-tlsflags-16, Section 3"},
	ErrFlagsTrailingBytes: {"trailing_bytes", prefix + "bytes follow the flags vector", AlertIllegalParameter, AlertDecodeError, "draft-ietf-tls-tlsflags-16, Section 3"},
	ErrFlagsAllZero:       {"all_zero", prefix + "no flag is set", AlertIllegalParameter, 0, "draft-ietf-tls-tlsflags-16, Section 2"},
	ErrFlagsTrailingZero:  {"trailing_zero", prefix + "the last flags octet is zero", AlertIllegalParameter, 0, "draft-ietf-tls-tlsflags-16, Section 2"},

	ErrFlagTooLarge: {"flag_too_large", prefix + "the flag number is above 2039", AlertInternalError, 0, "draft-ietf-tls-tlsflags-16, Section 2"},
	ErrNoFlags:      {"no_flags", prefix + "the set is empty; leave the extension out", AlertInternalError, 0, "draft-ietf-tls-tlsflags-16, Section 3"},
	ErrFlagUnnamed:  {"flag_unnamed", prefix + "a flag of the registry needs a name", AlertInternalError, 0, "draft-ietf-tls-tlsflags-16, Section 4"},

	ErrOverLimit:         {"over_limit", prefix + "the message is longer than the memory set aside for it", AlertInternalError, 0, "RFC 9846, Section 6.2"},
	ErrRecordOverflow:    {"record_overflow", prefix + "a record holds more than 16384 bytes", AlertRecordOverflow, 0, "RFC 9846, Section 5.1"},
	ErrRecordEmpty:       {"record_empty", prefix + "a handshake record is empty", AlertUnexpectedMessage, 0, "RFC 9846, Section 5.1"},
	ErrRecordInterleaved: {"record_interleaved", prefix + "a record of another type is inside a handshake message", AlertUnexpectedMessage, 0, "RFC 9846, Section 5.1"},
	ErrSSLv2Hello:        {"sslv2_hello", prefix + "an SSLv2-compatible hello, which cannot carry extensions", AlertProtocolVersion, 0, "RFC 9846, Appendix E.5"},

	ErrOverlapChanged:   {"overlap_changed", prefix + "two copies of the same bytes of a message differ", AlertIllegalParameter, 0, "RFC 9147, Section 5.5; RFC 9000, Section 2.2"},
	ErrFragmentMismatch: {"fragment_mismatch", prefix + "fragments of one message differ in type or length", AlertIllegalParameter, AlertDecodeError, "RFC 9147, Section 5.5"},
	ErrFragmentOverrun:  {"fragment_overrun", prefix + "a fragment reaches beyond the end of its message", AlertIllegalParameter, AlertDecodeError, "RFC 9147, Section 5.2"},
	ErrFrameType:        {"frame_type", prefix + "an Initial packet holds a frame that it may not hold", AlertUnexpectedMessage, 0, "RFC 9000, Section 12.4"},
	ErrCryptoOffset:     {"crypto_offset", prefix + "CRYPTO data reaches beyond offset 2^62-1", AlertDecodeError, 0, "RFC 9000, Section 19.6"},

	ErrFlagsMisplaced:     {"flags_misplaced", prefix + "tls_flags is not allowed in this message", AlertIllegalParameter, 0, "RFC 9846, Section 4.3"},
	ErrFlagsUnrequested:   {"flags_unrequested", prefix + "tls_flags answers a message that had none", AlertUnsupportedExtension, AlertIllegalParameter, "RFC 9846, Section 4.3"},
	ErrFlagUnsolicited:    {"flag_unsolicited", prefix + "a flag answers a message that did not have it", AlertIllegalParameter, 0, "draft-ietf-tls-tlsflags-16, Section 3"},
	ErrFlagMisplaced:      {"flag_misplaced", prefix + "its document does not allow the flag in this message", AlertIllegalParameter, 0, "draft-ietf-tls-tlsflags-16, Section 4"},
	ErrSecondHelloChanged: {"second_hello_changed", prefix + "the second ClientHello has other TLS flags than the first", AlertIllegalParameter, 0, "RFC 9846, Section 4.2.2"},
}

// row returns the table row of c; a number that is no Code has an empty one.
func (c Code) row() codeRow {
	if int(c) < len(codes) {
		return codes[c]
	}
	return codeRow{}
}

// Error returns one line of plain text, prefixed with "tlsflags: ".
func (c Code) Error() string {
	if r := c.row(); r.text != "" {
		return r.text
	}
	return prefix + "code " + strconv.Itoa(int(c))
}

// Err returns c as an error, or nil if c is 0. A zero Code in a variable of type error
// would not be nil.
func (c Code) Err() error {
	if c == 0 {
		return nil
	}
	return c
}

// Name returns the stable identifier of the code, such as "trailing_zero", that
// the command and the test vectors print; "" if c is none of the Err constants.
func (c Code) Name() string { return c.row().name }

// Alert returns the alert that ends a handshake which failed for this reason. It
// is total: a number that is none of the Err constants gives internal_error.
func (c Code) Alert() Alert {
	if r := c.row(); r.text != "" {
		return r.alert
	}
	return AlertInternalError
}

// AlternativeAlert returns the alert that another reading of the standards, or a
// widely used implementation, sends for the same bytes. The framing faults of
// tls_flags have decode_error: draft-ietf-tls-tlsflags-16, Section 3 asks for
// illegal_parameter, RFC 9846, Sections 4.3 and 6.2 for decode_error.
func (c Code) AlternativeAlert() (a Alert, ok bool) {
	a = c.row().alternative
	return a, a != 0
}

// Clause names the document and section that the refused bytes go against.
func (c Code) Clause() string { return c.row().clause }
