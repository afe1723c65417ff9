package fuzzing

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// modeVariable is the environment variable with a mode and the folders that it takes.
const modeVariable = "TLSFLAGS_FUZZ"

// The modes. Each runs in place of the fuzz function.
const (
	Corpus   = "corpus"   // checks the inputs in the corpus, and no other seeds
	Export   = "export"   // writes the seeds to FOLDER/FUNCTION/HASH
	Check    = "check"    // checks every file below the folders
	Minimize = "minimize" // chooses among FOLDER/FUNCTION/* of all folders but the first, writes to FIRST/FUNCTION/HASH
	Reduce   = "reduce"   // the same, but tries long inputs first: fewer are enough
)

type target struct {
	function string
	seeds    iter.Seq[[]byte]
	check    func(data []byte) error
}

// all returns the seeds and what is in the corpus, each once.
func (t target) all() (all [][]byte) {
	seen := make(map[string]bool)
	for seed := range Chain(t.seeds, inCorpus(t.function)) {
		if name := Name(seed); !seen[name] {
			seen[name] = true
			all = append(all, seed)
		}
	}
	return all
}

func runMode(value string, t target) error {
	args := filepath.SplitList(value)
	switch {
	case args[0] == Corpus && len(args) == 1:
		var errs []error
		for input := range inCorpus(t.function) {
			errs = append(errs, t.check(input))
		}
		return errors.Join(errs...)
	case args[0] == Export && len(args) == 2:
		for _, seed := range t.all() {
			if err := write(filepath.Join(args[1], t.function), seed); err != nil {
				return err
			}
		}
		return nil
	case args[0] == Check && len(args) > 1:
		return t.checkFiles(args[1:])
	case (args[0] == Minimize || args[0] == Reduce) && len(args) > 2:
		return t.minimize(args[1], args[2:], args[0] == Reduce)
	}
	return fmt.Errorf("%s=%s is no mode", modeVariable, value)
}

// write stores an input under its hash.
func write(folder string, input []byte) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, Name(input)), input, 0o644)
}

// Name is the name of an input that has no other.
func Name(input []byte) string {
	sum := sha256.Sum256(input)
	return hex.EncodeToString(sum[:8])
}

func (t target) checkFiles(paths []string) error {
	var failures []error
	for _, path := range paths {
		err := filepath.WalkDir(path, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			data, err := readInput(path)
			if err == nil {
				err = t.check(data)
			}
			if err != nil {
				failures = append(failures, fmt.Errorf("%s: %s: %w", path, t.function, err))
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return errors.Join(failures...)
}

func readInput(file string) ([]byte, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return Decode(data)
}

// minimize chooses the inputs that reach a statement which none reaches that was tried
// before. Only a test that was built with coverage can tell. Inputs come from folders
// alone, because making seeds reaches statements too.
func (t target) minimize(chosen string, candidates []string, longestFirst bool) error {
	if testing.CoverMode() == "" {
		return errors.New("built without coverage")
	}
	var inputs [][]byte
	for _, folder := range candidates {
		files, err := filepath.Glob(filepath.Join(folder, t.function, "*"))
		if err != nil {
			return err
		}
		for _, file := range files {
			input, err := readInput(file)
			if err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
			inputs = append(inputs, input)
		}
	}
	slices.SortFunc(inputs, func(a, b []byte) int { return cmp.Or(len(a)-len(b), bytes.Compare(a, b)) })
	if longestFirst {
		slices.Reverse(inputs)
	}
	covered := testing.Coverage()
	for _, input := range inputs {
		if err := t.check(input); err != nil {
			return fmt.Errorf("%x: %w", input, err)
		}
		now := testing.Coverage()
		if now <= covered {
			continue
		}
		covered = now
		if err := write(filepath.Join(chosen, t.function), input); err != nil {
			return err
		}
	}
	return nil
}
