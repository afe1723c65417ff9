package vectors

import (
	"bytes"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
)

//go:embed *.json
var files embed.FS

// Kind says what the inputs of a file are. It is also the name of the file.
type Kind string

// The kinds.
const (
	// TLSFlags: the extension_data of a TLS Flags extension.
	TLSFlags Kind = "tls_flags"
	// ClientHello: a ClientHello message with its 4-byte header.
	ClientHello Kind = "client_hello"
	// ExtensionBodies: a ClientHello message. The bodies of the extensions that RFC 9846
	// and related documents define are checked too.
	ExtensionBodies Kind = "extension_bodies"
	// Messages: another handshake message, or a second ClientHello.
	Messages Kind = "messages"
	// TLSRecords: a stream of TLS records.
	TLSRecords Kind = "tls_records"
	// QUIC: the UDP datagrams of a QUIC client.
	QUIC Kind = "quic"
	// DTLS: the UDP datagrams of a DTLS client.
	DTLS Kind = "dtls"
	// FirstBytes: a stream or datagrams that a reader of TLS, QUIC or DTLS may take for
	// another protocol. The verdicts rest on heuristics.
	FirstBytes Kind = "first_bytes"
	// RequestMTLS: messages of both sides, until one side must act.
	RequestMTLS Kind = "request_mtls"
)

var kinds = [...]Kind{TLSFlags, ClientHello, ExtensionBodies, Messages, TLSRecords, QUIC, DTLS, FirstBytes, RequestMTLS}

// Kinds returns all kinds.
func Kinds() []Kind { return slices.Clone(kinds[:]) }

// Load reads the file of one kind. A key that this package does not know is an error.
func Load(k Kind) (File, error) {
	data, err := files.ReadFile(string(k) + ".json")
	if err != nil {
		return File{}, fmt.Errorf("vectors: no kind %q", k)
	}
	return Decode(data)
}

// Decode reads a file of vectors from its JSON text. A key that this package does not
// know is an error, so no part of a test is ignored.
func Decode(data []byte) (File, error) {
	var f File
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return File{}, fmt.Errorf("vectors: %w", err)
	}
	return f, nil
}

// File is one file of vectors.
type File struct {
	Schema        string          `json:"schema"` // file name of the JSON Schema, in schema/
	Kind          Kind            `json:"kind"`
	Version       string          `json:"version"` // semantic version of the vectors
	GeneratedBy   string          `json:"generated_by"`
	Spec          []string        `json:"spec"` // documents that the verdicts follow
	NumberOfTests int             `json:"number_of_tests"`
	Notes         map[string]Note `json:"notes"` // by flag of a test
	Groups        []Group         `json:"groups"`
}

// All yields every test of the file with its group, in the order of the file.
func (f File) All() iter.Seq2[*Group, *Test] {
	return func(yield func(*Group, *Test) bool) {
		for i := range f.Groups {
			g := &f.Groups[i]
			for j := range g.Tests {
				if !yield(g, &g.Tests[j]) {
					return
				}
			}
		}
	}
}

// Note explains a flag of tests: a property that they share. It is not a TLS flag.
type Note struct {
	Description string   `json:"description"`
	Effect      string   `json:"effect"` // the consequence of a wrong result
	Links       []string `json:"links"`
}

// Entry says what Input or Pieces of a test are.
type Entry string

// The entries.
const (
	ExtensionData Entry = "extension_data" // Input is extension_data
	Handshake     Entry = "handshake"      // Input is a handshake message with its header
	Records       Entry = "records"        // Pieces are bytes of an ordered stream
	Datagrams     Entry = "datagrams"      // Pieces are datagrams of the protocol that the kind names
	QUICDatagrams Entry = "quic_datagrams" // Pieces are datagrams for a reader of QUIC, in the kind FirstBytes
	DTLSDatagrams Entry = "dtls_datagrams" // Pieces are datagrams for a reader of DTLS, in the kind FirstBytes
	Exchange      Entry = "exchange"       // Steps are messages of both sides
)

// Group is a list of related tests.
type Group struct {
	Kind    Kind   `json:"kind"`
	Name    string `json:"name"`
	Comment string `json:"comment"`
	Entry   Entry  `json:"entry"`
	Source  string `json:"source"` // document and section that the group is about
	Tests   []Test `json:"tests"`
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

// Test is one vector: an input and the expected result.
type Test struct {
	ID      string   `json:"id"` // permanent: never renumbered, never used again
	Comment string   `json:"comment"`
	Flags   []string `json:"flags"` // keys of Notes

	Input Bytes `json:"input,omitzero"`
	// Prefixes makes several tests of one: every prefix of Input with a length
	// in the range. Offset is then the length of the prefix, and is left out.
	Prefixes *Range `json:"prefixes,omitzero"`

	// Pieces are the bytes from which a reader must reassemble the ClientHello, in order
	// of arrival. The reader accepts messages of up to Memory bytes.
	Pieces []Bytes `json:"pieces,omitzero"`
	Memory int     `json:"memory,omitzero"`

	// Before are the preceding handshake messages, in the kind Messages: the ClientHello,
	// and the HelloRetryRequest or CertificateRequest if there is one.
	Before  []Bytes `json:"before,omitzero"`
	Sender  string  `json:"sender,omitzero"`  // "client" or "server"
	Message string  `json:"message,omitzero"` // what Input is, such as "server_hello"

	// In the kind RequestMTLS, Text is the version of draft-jhoyla-req-mtls-flag, State
	// the side that acts after Steps, and Action what it does. The result is Invalid if
	// it aborts.
	Text   string `json:"text,omitzero"`
	State  *State `json:"state,omitzero"`
	Steps  []Step `json:"steps,omitzero"`
	Action Action `json:"action,omitzero"`
	Clause string `json:"clause,omitzero"` // the clause that requires the action

	Result Result `json:"result"`

	// Outcome is what a reader has after Pieces. The result is Valid if it is Complete.
	// There are no further fields if it is NeedMore or NotThisProtocol.
	Outcome Outcome `json:"outcome,omitzero"`
	// Joined is the reassembled message with its header.
	Joined Bytes `json:"joined,omitzero"`

	// Of an invalid input: the reason, a name as in package extension; the position of
	// the field at fault, in the input or in the last datagram; and the alert. A fault of
	// QUIC itself has a QUICError and no Alert, a fault of TLS in QUIC has both.
	Code      string     `json:"code,omitzero"`
	Offset    *int       `json:"offset,omitzero"`
	Alert     *Alert     `json:"alert,omitzero"`
	QUICError *QUICError `json:"quic_error,omitzero"`

	// Alternatives are other answers that a test allows; a run counts them apart.
	Alternatives []Alternative `json:"alternatives,omitzero"`

	// Of a valid input: its content.
	Parsed *Parsed `json:"parsed,omitzero"`

	// Readings are what other versions of a document say about the same bytes.
	Readings []Reading `json:"readings,omitzero"`

	// Observed is what implementations did, by "name@version", if they were tried:
	// "accept", "waits", "closes", or the name of the alert that they sent.
	Observed map[string]string `json:"observed"`
}

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
