package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/fuzz"
)

const root = "../.."

// A fault that cannot be planted stops the run, and is seen by nobody until somebody runs
// all of them.
func TestEveryFaultCanBePlanted(t *testing.T) {
	tests := fuzzTests(t)
	names := make(map[string]bool)
	for _, f := range faults {
		if names[f.name] {
			t.Errorf("two faults are called %q", f.name)
		}
		names[f.name] = true
		source, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(f.file)))
		if err != nil {
			t.Errorf("%s: %v", f.name, err)
			continue
		}
		if n := strings.Count(string(source), f.old); n != 1 {
			t.Errorf("%s: %q stands %d times in %s, want once", f.name, f.old, n, f.file)
		}
		if f.new == f.old {
			t.Errorf("%s: changes nothing", f.name)
		}
		target, isFuzz := strings.CutPrefix(f.function, "Fuzz")
		if _, ok := fuzz.Lookup(target); isFuzz && !ok {
			t.Errorf("%s: package fuzz has no target %s", f.name, target)
		}
		if !isFuzz && !strings.Contains(tests, "\nfunc "+f.function+"(t *testing.T) {") {
			t.Errorf("%s: package fuzz has no test %s", f.name, f.function)
		}
	}
}

// fuzzTests is the source of the tests of package fuzz.
func fuzzTests(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "fuzz", "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(source)
	}
	return all.String()
}
