package vectors

import "encoding/hex"

// Test is one vector, an input with the expected result: a *FlagsTest, *HelloTest,
// *MessageTest, *PiecesTest or *ExchangeTest.
type Test interface {
	// Shared returns what tests of all kinds have.
	Shared() *Common
}

// Common is what tests of all kinds have.
type Common struct {
	ID      string   `json:"id"` // permanent: never renumbered, never used again
	Comment string   `json:"comment"`
	Flags   []string `json:"flags"` // keys of the notes of the file
	Result  Result   `json:"result"`

	// Of an invalid input: the reason, a name as in package extension; the position of
	// the field at fault, in the input or in the last datagram; and the alert.
	Code   string `json:"code,omitzero"`
	Offset *int   `json:"offset,omitzero"`
	Alert  *Alert `json:"alert,omitzero"`

	// Alternatives are other answers that a test allows; a run counts them apart.
	Alternatives []Alternative `json:"alternatives,omitzero"`

	// Observed is what implementations did, by "name@version", if they were tried:
	// "accept", "waits", "closes", or the name of the alert or of the error of QUIC that
	// they sent.
	Observed map[string]string `json:"observed,omitzero"`
}

// Shared returns c.
func (c *Common) Shared() *Common { return c }

// FlagsTest is a test of the extension_data of tls_flags.
type FlagsTest struct {
	Common
	Input  Bytes   `json:"input"`
	Parsed *Parsed `json:"parsed,omitzero"` // of a valid input
	// Readings are what other versions of the draft say about the same bytes.
	Readings []Reading `json:"readings,omitzero"`
}

// HelloTest is a test of a ClientHello.
type HelloTest struct {
	Common
	Input Bytes `json:"input"` // the message with its 4-byte header
	// Prefixes makes several tests of one: every prefix of Input with a length
	// in the range. Offset is then the length of the prefix, and is left out.
	Prefixes *Range  `json:"prefixes,omitzero"`
	Parsed   *Parsed `json:"parsed,omitzero"` // of a valid input, or of the whole one if there are prefixes
}

// MessageTest is a test of a handshake message after others.
type MessageTest struct {
	Common
	// Before are the preceding handshake messages: the ClientHello, and the
	// HelloRetryRequest or CertificateRequest if there is one.
	Before  []Bytes `json:"before"`
	Sender  string  `json:"sender"`  // "client" or "server"
	Message string  `json:"message"` // what Input is, such as "server_hello"
	Input   Bytes   `json:"input"`
	Parsed  *Parsed `json:"parsed,omitzero"` // of a valid input
}

// PiecesTest is a test of a stream or of datagrams.
type PiecesTest struct {
	Common
	// Pieces are the bytes from which a reader must reassemble the ClientHello, in order
	// of arrival. The reader accepts messages of up to Memory bytes.
	Pieces []Bytes `json:"pieces"`
	Memory int     `json:"memory"`
	// Outcome is what a reader has after Pieces. The result is Valid if it is Complete.
	// There is no further verdict if it is NeedMore or NotThisProtocol.
	Outcome Outcome `json:"outcome"`
	Joined  Bytes   `json:"joined,omitzero"` // the reassembled message with its header
	// QUICError is nil if the fault is not in QUIC. A fault of QUIC itself has no Alert, a
	// fault of TLS in QUIC has both.
	QUICError *QUICError `json:"quic_error,omitzero"`
	Parsed    *Parsed    `json:"parsed,omitzero"` // of a message that is complete
}

// ExchangeTest is a test of what a side does after messages of both. The result is Invalid
// if it aborts.
type ExchangeTest struct {
	Common
	Text   string `json:"text"`   // the version of draft-jhoyla-req-mtls-flag
	State  State  `json:"state"`  // of the side that acts after Steps
	Steps  []Step `json:"steps"`  // the messages so far
	Action Action `json:"action"` // what the side does
	Clause string `json:"clause"` // the clause that requires the action
}

// Result is the expected result for an input.
type Result string

// The results.
const (
	Valid   Result = "valid"
	Invalid Result = "invalid"
)

// Outcome is what a reader has after the last piece.
type Outcome string

// The outcomes.
const (
	Complete        Outcome = "complete"
	NeedMore        Outcome = "need_more"
	NotThisProtocol Outcome = "not_this_protocol"
	Refused         Outcome = "refused"
)

// State is what one side of an exchange knows beyond the messages, and its policy.
type State struct {
	Side    string `json:"side"`    // the side that acts next: "client" or "server"
	Version string `json:"version"` // negotiated: "TLS 1.2" or "TLS 1.3"
	Resumed bool   `json:"resumed"` // the handshake resumes a session, with a PSK

	Honor   bool `json:"honor"`   // the server asks a client that offers the flag
	Always  bool `json:"always"`  // the server asks every client
	Require bool `json:"require"` // the server needs a certificate from a client that it asks

	HasCertificate bool `json:"has_certificate"` // the client has a certificate that the request allows
	Mismatch       bool `json:"mismatch"`        // the client has certificates, but the request allows none of them
}

// Step is a message of an exchange.
type Step struct {
	From    string `json:"from"`    // "client" or "server"
	Message string `json:"message"` // such as "certificate_request"
	Input   Bytes  `json:"input"`   // with its 4-byte header
}

// Action is what a side does after the steps of an exchange.
type Action string

// The actions.
const (
	NoRequest           Action = "no_request"           // server: send no CertificateRequest
	PlainRequest        Action = "plain_request"        // server: send one without the flag
	AcknowledgedRequest Action = "acknowledged_request" // server: send one with the flag
	SendCertificate     Action = "send_certificate"     // client: send a certificate
	SendEmpty           Action = "send_empty"           // client: send an empty Certificate
	GoOn                Action = "go_on"
	Abort               Action = "abort" // send Alert
)

// Range is a range of lengths, both ends included.
type Range struct {
	From int `json:"from"`
	To   int `json:"to"`
}

// Alert is a TLS alert with the clause that requires it.
type Alert struct {
	Value  uint8  `json:"value"`
	Name   string `json:"name"`
	Clause string `json:"clause"`
}

// QUICError is the error code with which a server ends a connection of QUIC, with the
// clause that requires it (RFC 9000, Section 20.1). For a TLS alert the name is
// CRYPTO_ERROR, and the value is 0x100 plus that of the alert.
type QUICError struct {
	Value  uint16 `json:"value"`
	Name   string `json:"name"`
	Clause string `json:"clause"`
}

// Alternative is another answer to a test: one that another clause allows, or that
// implementations give.
type Alternative struct {
	Result    Result  `json:"result"`
	Outcome   Outcome `json:"outcome,omitzero"`    // if the test has an outcome
	Alert     string  `json:"alert,omitzero"`      // the name of the alert, if one is sent
	QUICError string  `json:"quic_error,omitzero"` // the name of the error of QUIC, if one is sent and it is no alert
	Clause    string  `json:"clause"`              // the clause that allows the answer, or NoClause
	Who       string  `json:"who"`                 // who gives it; "" if nobody is known to
}

// NoClause is the Clause of an alternative that no document allows.
const NoClause = "no clause"

// Parsed is the content of a valid input.
type Parsed struct {
	// Flags are the numbers of the TLS flags that are set, in ascending order.
	Flags []uint16 `json:"flags"`
	// FlagsExtension is the type of the extension that has the flags; 0 if the input is
	// not a message, or has no such extension.
	FlagsExtension uint16 `json:"flags_extension,omitzero"`
	// ClientHello has more fields of the message if it is a ClientHello; otherwise nil.
	ClientHello *Hello `json:"client_hello,omitzero"`
}

// Hello has fields of a ClientHello.
type Hello struct {
	LegacyVersion      uint16       `json:"legacy_version"`
	SessionID          Bytes        `json:"session_id"`
	CipherSuites       CipherSuites `json:"cipher_suites"`
	CompressionMethods Bytes        `json:"compression_methods"`
	// Extensions are the types in the order of the message.
	Extensions []uint16 `json:"extensions"`
	// ServerName is nil, and ALPN and SupportedVersions are empty, if the extension is
	// absent.
	ServerName        *string  `json:"server_name"`
	ALPN              []string `json:"alpn"`
	SupportedVersions []uint16 `json:"supported_versions"`
}

// CipherSuites summarizes a list of up to 32,767 cipher suites.
type CipherSuites struct {
	Count int    `json:"count"`
	First uint16 `json:"first"`
	Last  uint16 `json:"last"`
}

// Reading is the result for an input by another version of a document.
type Reading struct {
	Document string   `json:"document"`
	Result   Result   `json:"result"`
	Flags    []uint16 `json:"flags"` // TLS flags that are set in a valid input
}

// Bytes is lower-case hexadecimal in JSON.
type Bytes []byte

// MarshalText returns the hexadecimal digits.
func (b Bytes) MarshalText() ([]byte, error) {
	return hex.AppendEncode(nil, b), nil
}

// UnmarshalText reads hexadecimal digits.
func (b *Bytes) UnmarshalText(text []byte) error {
	v, err := hex.AppendDecode(make([]byte, 0, len(text)/2), text)
	*b = v
	return err
}
