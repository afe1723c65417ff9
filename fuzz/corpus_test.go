package fuzz

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/tlsflags/tlsflags/corpus"
)

// fromCorpus yields the inputs of a target that are in the corpus, or made of a
// recording in it.
func fromCorpus(name string) (inputs [][]byte) {
	for e := range corpus.OfKind(corpus.FuzzKind("Fuzz" + name)) {
		inputs = append(inputs, e.Data())
	}
	return inputs
}

// What the inputs reach is measured by make corpus-coverage.
func TestCorpusInputs(t *testing.T) {
	n := 0
	for _, target := range Targets() {
		for _, input := range fromCorpus(target.Name) {
			n++
			if err := target.Check(input); err != nil {
				t.Errorf("%s: %v", target.Name, err)
			}
		}
	}
	if n == 0 {
		t.Fatal("the corpus has no input of a target")
	}
}

var (
	minimize   = flag.String("minimize", "", "target to choose inputs for, see make corpus-minimize")
	candidates = flag.String("candidates", "", "folder with inputs to choose from")
	chosen     = flag.String("chosen", "", "folder to write those to that reach something new")
)

// TestMinimize chooses the inputs that reach a statement which no shorter one reaches.
// It is a tool rather than a test: coverage can only be measured from one.
func TestMinimize(t *testing.T) {
	if *minimize == "" {
		t.Skip("a tool: see make corpus-minimize")
	}
	target, ok := Lookup(*minimize)
	if !ok || testing.CoverMode() == "" {
		t.Fatalf("target %q: known %t; cover mode %q", *minimize, ok, testing.CoverMode())
	}
	var inputs [][]byte
	for seed := range target.seeds {
		inputs = append(inputs, seed)
	}
	inputs = append(inputs, fromCorpus(target.Name)...)
	files, err := filepath.Glob(filepath.Join(*candidates, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if data, err = Decode(data); err != nil {
			t.Fatal(file, err)
		}
		inputs = append(inputs, data)
	}
	slices.SortStableFunc(inputs, func(a, b []byte) int {
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return bytes.Compare(a, b)
	})
	if err := os.MkdirAll(*chosen, 0o755); err != nil {
		t.Fatal(err)
	}
	kept := 0
	covered := testing.Coverage()
	for _, input := range inputs {
		if err := target.Check(input); err != nil {
			t.Errorf("%x: %v", input, err)
		}
		now := testing.Coverage()
		if now <= covered {
			continue
		}
		covered = now
		kept++
		sum := sha256.Sum256(input)
		if err := os.WriteFile(filepath.Join(*chosen, hex.EncodeToString(sum[:8])), input, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("Fuzz%s: %d of %d inputs", target.Name, kept, len(inputs))
}
