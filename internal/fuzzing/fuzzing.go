// Package fuzzing runs the fuzz targets of this repository: it adds their seeds, and does
// for the command fuzz/seeds what can only be done inside of a test.
package fuzzing

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"os"
	"strconv"
	"strings"
	"testing"

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

// fewestSeeds is how many seeds a target must have.
const fewestSeeds = 8

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
	// A program made by go-118-fuzz-build calls Run for every input, and has seeds already.
	if _, ok := f.(*testing.F); ok {
		n := 0
		for seed := range Chain(seeds, inCorpus(f.Name())) {
			f.Add(seed)
			n++
		}
		if n < fewestSeeds {
			f.Fatalf("%d seeds, want at least %d", n, fewestSeeds)
		}
	}
	f.Fuzz(func(t T, data []byte) {
		if err := check(data); err != nil {
			t.Fatal(err)
		}
	})
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
