package vectors

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"iter"
)

//go:embed *.json
var files embed.FS

// Kind says what the inputs of a file are, and which type T its tests have. It is also the
// name of the file.
type Kind[T any] string

// The kinds.
const (
	// TLSFlags: the extension_data of a TLS Flags extension.
	TLSFlags Kind[*FlagsTest] = "tls_flags"
	// ClientHello: a ClientHello message with its 4-byte header.
	ClientHello Kind[*HelloTest] = "client_hello"
	// ExtensionBodies: a ClientHello message. The bodies of the extensions that RFC 9846
	// and related documents define are checked too.
	ExtensionBodies Kind[*HelloTest] = "extension_bodies"
	// Messages: another handshake message, or a second ClientHello.
	Messages Kind[*MessageTest] = "messages"
	// TLSRecords: a stream of TLS records.
	TLSRecords Kind[*PiecesTest] = "tls_records"
	// QUIC: the UDP datagrams of a QUIC client.
	QUIC Kind[*PiecesTest] = "quic"
	// DTLS: the UDP datagrams of a DTLS client.
	DTLS Kind[*PiecesTest] = "dtls"
	// FirstBytes: a stream or datagrams that a reader of TLS, QUIC or DTLS may take for
	// another protocol. The verdicts rest on heuristics.
	FirstBytes Kind[*PiecesTest] = "first_bytes"
	// RequestMTLS: messages of both sides, until one side must act.
	RequestMTLS Kind[*ExchangeTest] = "request_mtls"
)

// Any returns the kind for use beside others, as Kinds returns it.
func (k Kind[T]) Any() Kind[Test] { return Kind[Test](k) }

// Kinds returns all kinds.
func Kinds() []Kind[Test] {
	return []Kind[Test]{
		TLSFlags.Any(), ClientHello.Any(), ExtensionBodies.Any(), Messages.Any(),
		TLSRecords.Any(), QUIC.Any(), DTLS.Any(), FirstBytes.Any(), RequestMTLS.Any(),
	}
}

// Load reads the file of one kind. A key that this package does not know is an error.
func Load[T Test](k Kind[T]) (File[T], error) {
	data, err := files.ReadFile(string(k) + ".json")
	if err != nil {
		return File[T]{}, fmt.Errorf("vectors: no kind %q", k)
	}
	var f any
	if _, ok := any(k).(Kind[Test]); ok {
		f, err = Decode(data)
	} else {
		f, err = decode[T](data)
	}
	return f.(File[T]), err
}

// Decode reads a file of vectors of any kind from its JSON text. A key that this package
// does not know is an error, so no part of a test is ignored.
func Decode(data []byte) (File[Test], error) {
	var head struct{ Kind Kind[Test] }
	if err := json.Unmarshal(data, &head); err != nil {
		return File[Test]{}, fmt.Errorf("vectors: %w", err)
	}
	switch head.Kind {
	case TLSFlags.Any():
		return decodeAny[*FlagsTest](data)
	case ClientHello.Any(), ExtensionBodies.Any():
		return decodeAny[*HelloTest](data)
	case Messages.Any():
		return decodeAny[*MessageTest](data)
	case TLSRecords.Any(), QUIC.Any(), DTLS.Any(), FirstBytes.Any():
		return decodeAny[*PiecesTest](data)
	case RequestMTLS.Any():
		return decodeAny[*ExchangeTest](data)
	}
	return File[Test]{}, fmt.Errorf("vectors: no kind %q", head.Kind)
}

func decode[T any](data []byte) (File[T], error) {
	var f File[T]
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return File[T]{}, fmt.Errorf("vectors: %w", err)
	}
	var null T
	for g, t := range f.All() {
		if any(t) == any(null) {
			return File[T]{}, fmt.Errorf("vectors: group %q has a test that is null", g.Name)
		}
	}
	return f, nil
}

func decodeAny[T Test](data []byte) (File[Test], error) {
	f, err := decode[T](data)
	if err != nil {
		return File[Test]{}, err
	}
	groups := make([]Group[Test], len(f.Groups))
	for i, g := range f.Groups {
		tests := make([]Test, len(g.Tests))
		for j, t := range g.Tests {
			tests[j] = t
		}
		groups[i] = Group[Test]{g.Kind.Any(), g.Name, g.Comment, g.Entry, g.Source, tests}
	}
	return File[Test]{f.Schema, f.Kind.Any(), f.Version, f.GeneratedBy, f.Spec, f.NumberOfTests, f.Notes, groups}, nil
}

// File is one file of vectors.
type File[T any] struct {
	Schema        string          `json:"schema"` // file name of the JSON Schema, in schema/
	Kind          Kind[T]         `json:"kind"`
	Version       string          `json:"version"` // semantic version of the vectors
	GeneratedBy   string          `json:"generated_by"`
	Spec          []string        `json:"spec"` // documents that the verdicts follow
	NumberOfTests int             `json:"number_of_tests"`
	Notes         map[string]Note `json:"notes"` // by flag of a test
	Groups        []Group[T]      `json:"groups"`
}

// All yields every test of the file with its group, in the order of the file.
func (f File[T]) All() iter.Seq2[*Group[T], T] {
	return func(yield func(*Group[T], T) bool) {
		for i := range f.Groups {
			g := &f.Groups[i]
			for _, t := range g.Tests {
				if !yield(g, t) {
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

// Group is a list of related tests.
type Group[T any] struct {
	Kind    Kind[T] `json:"kind"`
	Name    string  `json:"name"`
	Comment string  `json:"comment"`
	Entry   Entry   `json:"entry"`
	Source  string  `json:"source"` // document and section that the group is about
	Tests   []T     `json:"tests"`
}

// Entry says what the input of a test is.
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
