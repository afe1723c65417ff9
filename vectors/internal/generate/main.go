// Command generate writes everything in vectors/ that is not written by hand.
//
// It builds bytes with cryptobyte, and none of them with the encoders of this module.
// What it expects of them is written down beside each test, from the standards: no
// parser of this module has a say in it. There is a function for each group, and the
// same run gives the same files on every machine.
package main

import (
	"flag"
	"fmt"
	"log"
	"path/filepath"
	"slices"

	"github.com/tlsflags/tlsflags/vectors"
)

// version is that of the vectors. A new test raises the minor number; another verdict
// on an old one raises the major number, and is told in CHANGELOG.md.
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
	observed, err := readObserved(filepath.Join(dir, "internal", "generate", "observed.json"))
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
			if t.Observed == nil {
				t.Observed = map[string]string{}
			}
		}
		all = append(all, f)
	}
	for id := range observed {
		if !seen[id] {
			return fmt.Errorf("observed.json has %s, which is no test: make vectors-observed", id)
		}
	}
	return write(dir, all)
}

// file makes the file of one kind, with the notes that its tests point at.
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
