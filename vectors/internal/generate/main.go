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

// A kind is one file of vectors.
type kind struct {
	kind   vectors.Kind
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
type list []vectors.Test

func (l *list) add(tests ...vectors.Test) { *l = append(*l, tests...) }

func generate(dir string) error {
	observed, err := readObserved(filepath.Join(dir, "internal", "generate", "observed.json"))
	if err != nil {
		return err
	}
	ids, err := openRegister(dir)
	if err != nil {
		return err
	}
	var all []vectors.File
	for _, k := range []kind{tlsFlags, clientHello, extensionBodies, messages, tlsRecords, quic, dtls, firstBytes, requestMTLSKind} {
		f, err := file(k, ids.version)
		if err != nil {
			return err
		}
		for _, t := range f.All() {
			if t.ID, err = ids.add(t); err != nil {
				return err
			}
			t.Observed = observed[t.ID]
			if t.Observed == nil {
				t.Observed = map[string]string{}
			}
		}
		all = append(all, f)
	}
	for id := range observed {
		if ids.ids[id] == "" {
			return fmt.Errorf("observed.json has %s, but there is no such test; run make vectors-observed", id)
		}
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

// file makes the file of one kind, with the notes for the flags of its tests.
func file(k kind, version string) (vectors.File, error) {
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
		entry, ok := k.others[g.name]
		if !ok {
			entry = k.entry
		}
		f.Groups = append(f.Groups, vectors.Group{Kind: k.kind, Name: g.name, Comment: g.comment, Entry: entry, Source: g.source, Tests: tests})
	}
	for _, t := range f.All() {
		f.NumberOfTests++
		for i, other := range t.Alternatives {
			if t.Outcome != "" && other.Alert != "" {
				t.Alternatives = slices.Clone(t.Alternatives) // the rows of a code share theirs
				t.Alternatives[i].Outcome = vectors.Refused
			}
		}
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
