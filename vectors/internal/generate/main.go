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

func main() {
	log.SetFlags(0)
	log.SetPrefix("generate: ")
	dir := flag.String("dir", ".", "write below this folder")
	flag.Parse()
	if err := generate(*dir); err != nil {
		log.Fatal(err)
	}
}

// A file is one file of vectors.
type file = vectors.File[*row]

// A kind is what a file is made from.
type kind struct {
	kind   vectors.Kind[vectors.Test]
	entry  vectors.Entry
	others map[string]vectors.Entry // of groups with another entry, by name
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
type list []*row

func (l *list) add(tests ...row) {
	for _, t := range tests {
		*l = append(*l, &t)
	}
}

func generate(dir string) error {
	observed, err := readObserved(filepath.Join(dir, "..", "docs", "matrix.json"))
	if err != nil {
		return err
	}
	ids, err := openRegister(dir)
	if err != nil {
		return err
	}
	var all []file
	for _, k := range []kind{tlsFlags, clientHello, extensionBodies, messages, tlsRecords, quic, dtls, firstBytes, requestMTLSKind} {
		f, err := fileOf(k, ids.version)
		if err != nil {
			return err
		}
		for _, t := range f.All() {
			if t.ID, err = ids.add(t.ID, t); err != nil {
				return err
			}
			t.Observed = observed[t.ID]
		}
		all = append(all, f)
	}
	if err := addAlternatives(all); err != nil {
		return err
	}
	released, err := ids.close()
	if err != nil {
		return err
	}
	if err := writeFile(filepath.Join(dir, "released.tsv"), released); err != nil {
		return err
	}
	return write(dir, all)
}

// fileOf makes the file of one kind, with the notes for the flags of its tests.
func fileOf(k kind, version string) (file, error) {
	f := file{
		Schema:      string(k.kind) + ".schema.json",
		Kind:        vectors.Kind[*row](k.kind),
		Version:     version,
		GeneratedBy: "vectors/internal/generate",
		Spec:        k.spec,
		Notes:       map[string]vectors.Note{},
	}
	for _, g := range k.groups {
		var tests list
		g.tests(&tests)
		entry, ok := k.others[g.name]
		if !ok {
			entry = k.entry
		}
		f.Groups = append(f.Groups, vectors.Group[*row]{Kind: f.Kind, Name: g.name, Comment: g.comment, Entry: entry, Source: g.source, Tests: tests})
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
