package fuzzing

import (
	"bytes"
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
	Minimize = "minimize" // chooses among seeds and FOLDER1/FUNCTION/*, writes to FOLDER2/FUNCTION/HASH
)

type target struct {
	function string
	seeds    iter.Seq[[]byte]
	check    func(data []byte) error
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
		for seed := range Chain(t.seeds, inCorpus(t.function)) {
			if err := write(filepath.Join(args[1], t.function), seed); err != nil {
				return err
			}
		}
		return nil
	case args[0] == Check && len(args) > 1:
		return t.checkFiles(args[1:])
	case args[0] == Minimize && len(args) == 3:
		return t.minimize(filepath.Join(args[1], t.function), filepath.Join(args[2], t.function))
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

// minimize chooses the inputs that reach a statement which no shorter one reaches. Only a
// test that was built with coverage can tell.
func (t target) minimize(candidates, chosen string) error {
	if testing.CoverMode() == "" {
		return errors.New("built without coverage")
	}
	inputs := slices.Collect(Chain(t.seeds, inCorpus(t.function)))
	files, err := filepath.Glob(filepath.Join(candidates, "*"))
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
	slices.SortStableFunc(inputs, func(a, b []byte) int {
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return bytes.Compare(a, b)
	})
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
		if err := write(chosen, input); err != nil {
			return err
		}
	}
	return nil
}
