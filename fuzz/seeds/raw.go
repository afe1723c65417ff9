package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/corpus"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/fuzzing"
	"github.com/tlsflags/tlsflags/internal/oracle/assembletest"
	"github.com/tlsflags/tlsflags/vectors"
)

// The kinds of raw inputs: what parsers of others take, without anything that only our
// targets read. Each datagram is an input.
const (
	tlsStream     = "tls-stream"     // TLS records
	clientHello   = "client_hello"   // the message with its 4-byte header
	extensionData = "extension_data" // below a folder with the number of the type
	quicDatagram  = "quic-datagram"
	dtlsDatagram  = "dtls-datagram"
	pcap          = "pcap" // or pcapng
)

// rawInputs are the inputs of each kind, by name.
type rawInputs map[string]map[string][]byte

// add adds inputs that are not empty, under their hash or folder/hash.
func (r rawInputs) add(kind, folder string, inputs ...[]byte) {
	if r[kind] == nil {
		r[kind] = make(map[string][]byte)
	}
	for _, input := range inputs {
		if len(input) > 0 {
			r[kind][path.Join(folder, fuzzing.Name(input))] = input
		}
	}
}

// addSeed takes the raw inputs out of a seed of one of our targets. Some have none: what
// they read is not on any wire.
func (r rawInputs) addSeed(function string, seed []byte) {
	switch function {
	case "FuzzFlags":
		r.addExtension(extension.TLSFlags, seed)
	case "FuzzExtensionBody":
		if types := slices.Collect(clienthello.BodyTypes()); len(seed) > 0 {
			r.addExtension(types[int(seed[0])%len(types)], seed[1:])
		}
	case "FuzzClientHelloMessage", "FuzzCryptoTLS":
		// The DTLS form has a fragment length, equal to the length, after eight more bytes.
		if len(seed) > 0 && seed[0] == 1 && (len(seed) < 12 || !bytes.Equal(seed[1:4], seed[9:12])) {
			r.add(clientHello, "", seed)
		}
	case "FuzzClientHelloBody":
		n := len(seed)
		r.add(clientHello, "", append([]byte{1, byte(n >> 16), byte(n >> 8), byte(n)}, seed...))
	case "FuzzRecords", "FuzzServerConn":
		if _, stream, ok := assembletest.SplitCuts(seed); ok {
			r.add(tlsStream, "", stream)
		}
	case "FuzzQUICDatagrams":
		r.add(quicDatagram, "", assembletest.SplitDatagrams(seed)...)
	case "FuzzQUICFrames", "FuzzQUICSealed":
		payloads := assembletest.SplitDatagrams(seed)
		for i, p := range payloads { // PADDING, to what a server wants (RFC 9000, Section 14.1)
			payloads[i] = append(p, make([]byte, max(0, 1200-len(p)))...)
		}
		r.add(quicDatagram, "", assembletest.SealQUIC(payloads)...)
	case "FuzzDTLSDatagrams":
		r.add(dtlsDatagram, "", assembletest.SplitDatagrams(seed)...)
	case "FuzzCapture":
		r.addCapture(seed)
	case "FuzzInspect":
		if len(seed) > 0 {
			r.addCapture(seed[1:])
		}
	}
}

func (r rawInputs) addExtension(t extension.Type, data []byte) {
	r.add(extensionData, fmt.Sprint(uint16(t)), data)
}

// addCapture adds a file that begins as a capture does.
func (r rawInputs) addCapture(file []byte) {
	for _, magic := range []string{"\xa1\xb2\xc3\xd4", "\xd4\xc3\xb2\xa1", "\xa1\xb2\x3c\x4d", "\x4d\x3c\xb2\xa1", "\x0a\x0d\x0d\x0a"} {
		if bytes.HasPrefix(file, []byte(magic)) {
			r.add(pcap, "", file)
		}
	}
}

// addPublished adds the recordings, and the vectors that are not seeds of a target.
func (r rawInputs) addPublished() error {
	for e := range corpus.OfKind(corpus.Records) {
		r.add(tlsStream, "", e.Data())
	}
	for e := range corpus.OfKind(corpus.Captures) {
		r.add(pcap, "", e.Data())
	}
	for kind, as := range map[vectors.Kind[*vectors.PiecesTest]]string{vectors.TLSRecords: tlsStream, vectors.QUIC: quicDatagram, vectors.DTLS: dtlsDatagram} {
		file, err := vectors.Load(kind)
		if err != nil {
			return err
		}
		for _, test := range file.All() {
			pieces := make([][]byte, len(test.Pieces))
			for i, piece := range test.Pieces {
				pieces[i] = piece
			}
			if as == tlsStream {
				pieces = [][]byte{slices.Concat(pieces...)}
			}
			r.add(as, "", pieces...)
		}
	}
	return nil
}

// exportRaw writes the raw inputs of the seeds in from/FUNCTION: a folder and a zip archive
// for each kind.
func exportRaw(w io.Writer, from string, functions []function, directory string) error {
	raw := make(rawInputs)
	for _, f := range functions {
		files, err := filepath.Glob(filepath.Join(from, f.name, "*"))
		if err != nil {
			return err
		}
		for _, file := range files {
			seed, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			raw.addSeed(f.name, seed)
		}
	}
	if err := raw.addPublished(); err != nil {
		return err
	}
	for _, kind := range slices.Sorted(maps.Keys(raw)) {
		if err := writeFiles(filepath.Join(directory, kind), raw[kind]); err != nil {
			return err
		}
		if err := writeZip(filepath.Join(directory, kind+"_seed_corpus.zip"), raw[kind]); err != nil {
			return err
		}
		fmt.Fprintf(w, "%-24s %d raw inputs\n", kind, len(raw[kind]))
	}
	return nil
}
