// Package fuzzing runs the fuzz targets of this repository: it adds their seeds, and does
// for the command fuzz/seeds what can only be done inside of a test.
package fuzzing

import (
	"bytes"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"iter"
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/tlsflags/tlsflags/corpus"
)

// F is what Run needs of a *testing.F.
type F interface {
	Name() string
	Add(args ...any)
	Fuzz(ff any)
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Skipf(format string, args ...any)
}

const (
	// fewestSeeds is how many seeds a target must have.
	fewestSeeds = 8
	// MostSeeds is how many inputs fuzzing starts from at most: a fuzzer reads them before
	// it does anything else. go test always runs all seeds.
	MostSeeds = 300
)

// chosen lists the seeds that fuzzing starts from, for functions with more than MostSeeds. Each
// line has a function and the hash of a seed. They reach the same statements as all seeds.
//
//go:embed chosen.txt
var chosen string

// Run runs check on the seeds of a target, on its inputs in the corpus, and on what the
// fuzzer makes of them. T is *testing.T: go-118-fuzz-build replaces the package testing
// in the file of the fuzz function, and only there.
func Run[T interface{ Fatal(args ...any) }](f F, seeds iter.Seq[[]byte], check func(data []byte) error) {
	if mode := os.Getenv(modeVariable); mode != "" {
		if err := runMode(mode, target{f.Name(), seeds, check}); err != nil {
			f.Errorf("%v", err)
		}
		f.Skipf("done: %s", mode)
		return
	}
	if !libFuzzer {
		all := target{f.Name(), seeds, check}.all()
		if len(all) < fewestSeeds {
			f.Fatalf("%d seeds, want at least %d", len(all), fewestSeeds)
		}
		few, err := start(f.Name(), all, chosen)
		if err != nil {
			f.Fatalf("%v", err)
		}
		if fuzz := flag.Lookup("test.fuzz"); fuzz != nil && fuzz.Value.String() != "" {
			all = few
		}
		for _, seed := range all {
			f.Add(seed)
		}
	}
	f.Fuzz(func(t T, data []byte) {
		if err := check(data); err != nil {
			t.Fatal(err)
		}
	})
}

// start returns the seeds of a function to start from: all, or those in the list and what
// failed once.
func start(function string, seeds [][]byte, list string) (few [][]byte, err error) {
	if len(seeds) <= MostSeeds {
		return seeds, nil
	}
	keep, listed := make(map[string]bool), 0
	for line := range strings.Lines(list) {
		if name, ok := strings.CutPrefix(line, function+" "); ok {
			keep[strings.TrimSpace(name)] = true
			listed++
		}
	}
	for e := range corpus.OfKind(corpus.FuzzKind(function)) {
		if name := Name(e.Data()); path.Base(e.File) != name && !keep[name] {
			keep[name] = true
			listed++
		}
	}
	for _, seed := range seeds {
		if keep[Name(seed)] {
			few = append(few, seed)
		}
	}
	if listed == 0 || len(few) != listed || len(few) > MostSeeds {
		return nil, fmt.Errorf("internal/fuzzing/chosen.txt is out of date: it lists %d seeds, %d of them exist, and %d are the most; run make corpus-choose",
			listed, len(few), MostSeeds)
	}
	return few, nil
}

// inCorpus yields the inputs of a fuzz function that are in the corpus.
func inCorpus(function string) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for e := range corpus.OfKind(corpus.FuzzKind(function)) {
			if !yield(e.Data()) {
				return
			}
		}
	}
}

// Messages yields the handshake messages of the recorded clients.
func Messages(yield func([]byte) bool) {
	for e := range corpus.OfKind(corpus.Records) {
		if !yield(e.Data()[5:]) {
			return
		}
	}
}

// Chain yields what the sequences yield, one after the other.
func Chain(sequences ...iter.Seq[[]byte]) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for _, s := range sequences {
			for b := range s {
				if !yield(b) {
					return
				}
			}
		}
	}
}

// Each yields f of what s yields.
func Each(s iter.Seq[[]byte], f func([]byte) []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for b := range s {
			if !yield(f(b)) {
				return
			}
		}
	}
}

// Decode returns the input in a file of testdata/fuzz or of Go's fuzz cache, and any
// other data as it is.
func Decode(data []byte) ([]byte, error) {
	literal, ok := bytes.CutPrefix(data, []byte("go test fuzz v1\n[]byte("))
	if !ok {
		return data, nil
	}
	literal, ok = bytes.CutSuffix(bytes.TrimSpace(literal), []byte(")"))
	if !ok {
		return nil, errors.New("not an input of one []byte")
	}
	s, err := strconv.Unquote(string(literal))
	return []byte(s), err
}

// Environment returns the variable that makes fuzz functions do something else than fuzz,
// see the modes.
func Environment(mode string, folders ...string) string {
	return fmt.Sprintf("%s=%s", modeVariable, strings.Join(append([]string{mode}, folders...), string(os.PathListSeparator)))
}
