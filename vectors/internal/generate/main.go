// Command generate writes the JSON files, the schemas, the capture and the tables of
// README.md in vectors/. The output is the same on every machine.
//
// To add a test, add a row to a group in one of the tables of this package and run
// go generate ./vectors. A row has the input, which is built with cryptobyte and not with
// the encoders of this module, and the expected result, which is written by hand from the
// standards: no parser of this module computes it.
package main

import (
	"flag"
	"fmt"
	"log"
	"path/filepath"
	"slices"

	"github.com/tlsflags/tlsflags/vectors"
)

// version is the version of the vectors. A release with new tests raises the minor
// number. A release with a changed result raises the major number.
const version = "0.1.0"

func main() {
	log.SetFlags(0)
	log.SetPrefix("generate: ")
	dir := flag.String("dir", ".", "write below this folder")
	flag.Parse()
	if err := generate(*dir); err != nil {
		log.Fatal(err)
	}
}

// A kind is one file of vectors.
type kind struct {
	kind   vectors.Kind
	entry  vectors.Entry
	spec   []string
	groups []group
}

// A group is a list of related tests.
type group struct {
	name, comment string
	source        string // document and section
	tests         func(*list)
}

// A list collects the tests of a group.
type list []vectors.Test

func (l *list) add(tests ...vectors.Test) { *l = append(*l, tests...) }

func generate(dir string) error {
	observed, err := readObserved(filepath.Join(dir, "..", "docs", "matrix.json"))
	if err != nil {
		return err
	}
	var all []vectors.File
	seen := map[string]bool{}
	for _, k := range []kind{tlsFlags, clientHello, extensionBodies, messages, tlsRecords, quic, dtls, requestMTLSKind} {
		f, err := file(k)
		if err != nil {
			return err
		}
		for _, t := range f.All() {
			if seen[t.ID] {
				return fmt.Errorf("two tests are %s", t.ID)
			}
			seen[t.ID] = true
			t.Observed = observed[t.ID]
		}
		all = append(all, f)
	}
	return write(dir, all)
}

// file makes the file of one kind, with the notes for the flags of its tests.
func file(k kind) (vectors.File, error) {
	f := vectors.File{
		Schema:      string(k.kind) + ".schema.json",
		Kind:        k.kind,
		Version:     version,
		GeneratedBy: "vectors/internal/generate",
		Spec:        k.spec,
		Notes:       map[string]vectors.Note{},
	}
	for _, g := range k.groups {
		var tests list
		g.tests(&tests)
		f.Groups = append(f.Groups, vectors.Group{Kind: k.kind, Name: g.name, Comment: g.comment, Entry: k.entry, Source: g.source, Tests: tests})
	}
	for _, t := range f.All() {
		f.NumberOfTests++
		slices.Sort(t.Flags)
		t.Flags = slices.Compact(t.Flags)
		for _, flag := range t.Flags {
			note, ok := notes[flag]
			if !ok {
				return f, fmt.Errorf("%s: no note explains %q", t.ID, flag)
			}
			f.Notes[flag] = note
		}
	}
	return f, nil
}
