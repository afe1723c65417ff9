package fuzz

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/google/go-cmp/cmp"
	"github.com/tlsflags/tlsflags/vectors"
)

// vectorInputs yields the inputs of the test vectors for one entry point.
func vectorInputs(entries ...vectors.Entry) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for _, kind := range vectors.Kinds() {
			file, err := vectors.Load(kind)
			if err != nil {
				continue // the tests of package vectors are about that
			}
			for group, test := range file.All() {
				if slices.Contains(entries, group.Entry) && !yield(inputOf(test)) {
					return
				}
			}
		}
	}
}

func inputOf(t vectors.Test) []byte {
	switch t := t.(type) {
	case *vectors.FlagsTest:
		return t.Input
	case *vectors.HelloTest:
		return t.Input
	case *vectors.MessageTest:
		return t.Input
	}
	return nil
}

// checkVectors checks that a file of test vectors that the loader accepts reads the same
// after it was written.
func checkVectors(data []byte) error {
	file, err := vectors.Decode(data)
	if err != nil {
		return nil
	}
	var b bytes.Buffer
	if err := json.NewEncoder(&b).Encode(file); err != nil {
		return nil // such as a number that JSON can only read
	}
	again, err := vectors.Decode(b.Bytes())
	if err != nil {
		return fmt.Errorf("what was written is refused: %w", err)
	}
	var c bytes.Buffer
	if err := json.NewEncoder(&c).Encode(again); err != nil {
		return err
	}
	if diff := cmp.Diff(b.String(), c.String()); diff != "" {
		return fmt.Errorf("written once (-) and twice (+):\n%s", diff)
	}
	return nil
}

// vectorsSeeds are vector files of one group each.
func vectorsSeeds(yield func([]byte) bool) {
	for _, kind := range vectors.Kinds() {
		file, err := vectors.Load(kind)
		if err != nil {
			continue
		}
		groups := file.Groups
		for i := range groups {
			file.Groups = groups[i : i+1]
			file.Groups[0].Tests = file.Groups[0].Tests[:min(3, len(file.Groups[0].Tests))]
			data, err := json.Marshal(file)
			if err == nil && !yield(data) {
				return
			}
		}
	}
}
