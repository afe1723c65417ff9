// Package corpus embeds raw ClientHello traffic with its provenance: the first
// flights of real clients, packet captures of them, and inputs of fuzz functions.
//
// There is one folder for each kind of file, so a test or a fuzz target takes a whole
// folder. MANIFEST.json says where every file comes from and, if another tool can read
// the file, which ClientHellos that tool found. The files are in the public domain
// (CC0-1.0).
package corpus

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"iter"
	"sync"
)

//go:embed MANIFEST.json records captures fuzz
var files embed.FS

// Kind says what the bytes of a file are. It is also the name of the file's folder.
type Kind string

const (
	// Records is what a client sent first on a TCP connection: TLS records
	// (RFC 9846, Section 5.1) with their headers, from the first byte.
	Records Kind = "records"
	// Captures is a packet capture in pcap or pcapng format.
	Captures Kind = "captures"
)

// FuzzKind returns the kind of the inputs of one fuzz function, such as "FuzzRecords":
// inputs that reach code that the other seeds do not reach, and inputs that once failed,
// which are named after the fault.
func FuzzKind(function string) Kind { return Kind("fuzz/" + function) }

// Manifest is the content of MANIFEST.json.
type Manifest struct {
	Schema  string  `json:"schema"` // "tlsflags.corpus/1"
	Entries []Entry `json:"entries"`
}

// Entry describes one file of the corpus. All callers share its slices, so they must not
// be changed.
type Entry struct {
	// File is the slash-separated path inside the corpus; it starts with Kind.
	File string `json:"file"`
	Kind Kind   `json:"kind"`
	// SHA256 is the hash of the file in lower-case hexadecimal.
	SHA256 string `json:"sha256"`
	// Origin is how the file came to be, such as "recorded".
	Origin string `json:"origin"`
	// Clients are the programs whose ClientHellos the file holds.
	Clients []Client `json:"clients"`
	// Date is the day of the recording, in the form 2026-11-24.
	Date string `json:"date"`
	// Method says in a sentence how the file was made.
	Method string `json:"method"`
	// Licence is an SPDX licence identifier.
	Licence string `json:"licence"`
	// Exercises lists what the file tests.
	Exercises []string `json:"exercises"`
	// Oracle names the program that found Hellos.
	Oracle string `json:"oracle"`
	// Hellos are the ClientHellos in the file, in the order in which they
	// become complete. A retransmission does not add another one.
	Hellos []Hello `json:"hellos"`
}

// Client is a program that sent a ClientHello.
type Client struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Hello is one ClientHello as the oracle, not this project, reads it.
type Hello struct {
	// Frame is the number of the packet that completes the hello, counted
	// from 1; 0 if the file is not a capture.
	Frame int `json:"frame,omitempty"`
	// Transport is "tcp", "quic" or "dtls".
	Transport string `json:"transport"`
	// Src and Dst are address and port, as in "127.0.0.1:443"; empty if the
	// file is not a capture.
	Src string `json:"src,omitempty"`
	Dst string `json:"dst,omitempty"`
	// BodyLength is the value of the handshake header's length field.
	BodyLength int `json:"body_length"`
	// Random is in lower-case hexadecimal.
	Random string `json:"random"`
	// ServerName is empty if the hello has none.
	ServerName string   `json:"server_name"`
	ALPN       []string `json:"alpn"`
	// Extensions are the extension types in order of appearance.
	Extensions []uint16 `json:"extensions"`
	// TLSFlags are the extensions of type 62 and 0xfe01, in order.
	TLSFlags []Extension `json:"tls_flags"`
}

// Extension is a TLS extension with its extension_data in hexadecimal.
type Extension struct {
	Type uint16 `json:"type"`
	Data string `json:"data"`
}

// All returns the entries of the manifest, ordered by File.
func All() iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for _, e := range load().Entries {
			if !yield(e) {
				return
			}
		}
	}
}

// OfKind returns the entries of one kind, ordered by File.
func OfKind(kind Kind) iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for e := range All() {
			if e.Kind == kind && !yield(e) {
				return
			}
		}
	}
}

// Lookup returns the entry for a file such as "captures/demo.pcapng".
func Lookup(file string) (Entry, bool) {
	for e := range All() {
		if e.File == file {
			return e, true
		}
	}
	return Entry{}, false
}

// Data returns a copy of the file's bytes, which the caller may change. It
// panics if e is not an entry of this corpus.
func (e Entry) Data() []byte {
	data, err := files.ReadFile(e.File)
	if err != nil {
		panic(fmt.Sprintf("corpus: %v; take entries from All, OfKind or Lookup", err))
	}
	return data
}

// FS returns the corpus as a read-only file system: MANIFEST.json and one folder for
// each kind.
func FS() fs.FS { return files }

// load returns the manifest, which it parses once.
var load = sync.OnceValue(func() Manifest {
	data, err := files.ReadFile("MANIFEST.json")
	if err != nil {
		panic(fmt.Sprintf("corpus: embedded manifest: %v", err))
	}
	var m Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		panic(fmt.Sprintf("corpus: embedded manifest: %v", err))
	}
	return m
})
