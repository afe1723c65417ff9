package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFiles checks that api/ describes the packages as they are.
func TestFiles(t *testing.T) {
	const root = "../.."
	want, err := describe(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(want) < 5 {
		t.Fatalf("found %d packages with an API", len(want))
	}
	for name, text := range want {
		got, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Error(err)
			continue
		}
		for _, line := range missing(text, string(got)) {
			t.Errorf("%s lacks: %s", name, line)
		}
		for _, line := range missing(string(got), text) {
			t.Errorf("%s has what the package no longer has: %s", name, line)
		}
	}
	err = filepath.WalkDir(filepath.Join(root, "api"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if name, _ := filepath.Rel(root, path); want[name] == "" {
			t.Errorf("%s describes no package", name)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if t.Failed() {
		t.Log("if the change is intended, run go run ./tools/api in the root and add a line to CHANGELOG.md")
	}
}

// missing returns the lines of a that b does not have.
func missing(a, b string) []string {
	has := make(map[string]bool)
	for line := range strings.Lines(b) {
		has[line] = true
	}
	var lines []string
	for line := range strings.Lines(a) {
		if !has[line] {
			lines = append(lines, strings.TrimSuffix(line, "\n"))
		}
	}
	return lines
}
