package main

import (
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/internal/oracle/assembletest"
)

// raw returns the inputs by kind, without their names.
func raw(r rawInputs) map[string][]string {
	got := make(map[string][]string)
	for kind, inputs := range r {
		for name, input := range inputs {
			key := kind
			if folder, _, ok := strings.Cut(name, "/"); ok {
				key += "/" + folder
			}
			got[key] = append(got[key], string(input))
		}
	}
	for _, inputs := range got {
		slices.Sort(inputs)
	}
	return got
}

func TestRawInputsHaveNothingOfOurs(t *testing.T) {
	const pcapng = "\x0a\x0d\x0d\x0a and more"
	dtls := "\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01x"
	for _, tt := range []struct {
		name, function, seed string
		want                 map[string][]string
	}{
		{"extension_data of tls_flags", "FuzzFlags", "\x01\x01", map[string][]string{"extension_data/62": {"\x01\x01"}}},
		{"extension_data without its number", "FuzzExtensionBody", "\x00body", map[string][]string{"extension_data/0": {"body"}}},
		{"a message", "FuzzClientHelloMessage", "\x01\x00\x00\x01x", map[string][]string{clientHello: {"\x01\x00\x00\x01x"}}},
		{"no other message", "FuzzClientHelloMessage", "\x02\x00\x00\x01x", map[string][]string{}},
		{"no message of DTLS", "FuzzClientHelloMessage", dtls, map[string][]string{}},
		{"a body gets its header", "FuzzClientHelloBody", "x", map[string][]string{clientHello: {"\x01\x00\x00\x01x"}}},
		{"records without the sizes of pieces", "FuzzRecords", "\x02\x05\x06stream", map[string][]string{tlsStream: {"stream"}}},
		{"an input without a stream", "FuzzRecords", "\x02", map[string][]string{}},
		{"datagrams without their lengths", "FuzzDTLSDatagrams", "\x00\x01a\x00\x00\x00\x02bc", map[string][]string{dtlsDatagram: {"a", "bc"}}},
		{"datagrams of QUIC", "FuzzQUICDatagrams", "\x00\x01a", map[string][]string{quicDatagram: {"a"}}},
		{"a capture", "FuzzCapture", pcapng, map[string][]string{pcap: {pcapng}}},
		{"a capture without the choice of options", "FuzzInspect", "\x07" + pcapng, map[string][]string{pcap: {pcapng}}},
		{"no other file", "FuzzInspect", "\x071603", map[string][]string{}},
		{"what is on no wire", "FuzzRules", "\x01\x02\x03", map[string][]string{}},
		{"an empty seed", "FuzzInspect", "", map[string][]string{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := make(rawInputs)
			r.addSeed(tt.function, []byte(tt.seed))
			if diff := cmp.Diff(tt.want, raw(r)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A server discards what comes in shorter datagrams (RFC 9000, Section 14.1).
func TestRawFramesAreSealed(t *testing.T) {
	frame := assembletest.JoinDatagrams([]byte("\x06\x00\x04\x01\x00\x00\x05"))
	r := make(rawInputs)
	r.addSeed("FuzzQUICFrames", frame)
	for _, datagram := range r[quicDatagram] {
		var q assemble.QUIC
		q.Reset(make([]byte, assemble.BufferSize(1<<10)))
		if got := q.Feed(datagram); len(datagram) < 1200 || got.Outcome != assemble.NeedMore {
			t.Errorf("%d bytes, and the answer is %v", len(datagram), got.Outcome)
		}
	}
	if len(r[quicDatagram]) != 1 {
		t.Errorf("%d datagrams", len(r[quicDatagram]))
	}
}

func TestExportRawHasEveryKind(t *testing.T) {
	from, directory := t.TempDir(), filepath.Join(t.TempDir(), "raw")
	for function, seed := range map[string]string{"FuzzFlags": "\x01\x01", "FuzzClientHelloBody": "x"} {
		writeFile(t, filepath.Join(from, function, "seed"), seed)
	}
	functions := []function{{"fuzz", "FuzzFlags"}, {"fuzz", "FuzzClientHelloBody"}}
	if err := export(io.Discard, from, functions, "raw", directory); err != nil {
		t.Fatal(err)
	}
	starts := map[string]string{
		tlsStream: "\x16\x03", clientHello: "\x01", extensionData: "\x01", dtlsDatagram: "\x16\xfe", pcap: "\x0a\x0d\x0d\x0a", quicDatagram: "",
	}
	seen := make(map[string]bool)
	for file, data := range contents(t, os.DirFS(directory)) {
		kind, _, ok := strings.Cut(file, "/")
		seen[kind] = seen[kind] || ok && strings.HasPrefix(data, starts[kind])
	}
	for _, kind := range slices.Sorted(maps.Keys(starts)) {
		if !seen[kind] {
			t.Errorf("no %s begins with %x", kind, starts[kind])
		}
		if _, err := os.Stat(filepath.Join(directory, kind+"_seed_corpus.zip")); err != nil {
			t.Error(err)
		}
	}
}
