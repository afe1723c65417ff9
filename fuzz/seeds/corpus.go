package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tlsflags/tlsflags/corpus"
	"github.com/tlsflags/tlsflags/internal/fuzzing"
	"github.com/tlsflags/tlsflags/internal/manifest"
)

// add copies an input, which may be in the form of testdata/fuzz, into the corpus, and
// lists it in the manifest.
func add(root string, functions []function, name, file, as string) error {
	if !slices.ContainsFunc(functions, func(f function) bool { return f.name == name }) {
		return fmt.Errorf("no fuzz function is called %s", name)
	}
	entry, data, err := read(name, file, as)
	if err != nil {
		return err
	}
	entry.Exercises = []string{strings.ReplaceAll(as, "-", " ")}
	return manifest.Update(root, func(entries []corpus.Entry) ([]corpus.Entry, error) {
		return manifest.Put(entries, entry), store(root, entry, data)
	})
}

// replace puts the inputs in directory/FUNCTION in the place of those that are named
// after their hash. What a target has already, under a name or as a recording, is left out.
func replace(root string, functions []function, directory string) error {
	return manifest.Update(root, func(entries []corpus.Entry) ([]corpus.Entry, error) {
		entries, err := dropNameless(root, entries)
		if err != nil {
			return nil, err
		}
		for _, f := range functions {
			files, err := filepath.Glob(filepath.Join(directory, f.name, "*"))
			if err != nil {
				return nil, err
			}
			for _, file := range files {
				entry, data, err := read(f.name, file, filepath.Base(file))
				if err != nil {
					return nil, err
				}
				entry.Exercises = []string{"statements that no shorter input of " + f.name + " reaches"}
				if slices.ContainsFunc(entries, func(e corpus.Entry) bool { return serves(e, entry.Kind) && e.SHA256 == entry.SHA256 }) {
					continue
				}
				if err := store(root, entry, data); err != nil {
					return nil, err
				}
				entries = append(entries, entry)
			}
		}
		return entries, nil
	})
}

// serves reports whether e is an input of the kind, or a recording, of which the targets
// make their seeds.
func serves(e corpus.Entry, kind corpus.Kind) bool {
	return e.Kind == kind || !strings.HasPrefix(e.File, "fuzz/")
}

// dropNameless removes the inputs that are named after their hash.
func dropNameless(root string, entries []corpus.Entry) ([]corpus.Entry, error) {
	var kept []corpus.Entry
	for _, e := range entries {
		name := filepath.Base(e.File)
		if _, err := hex.DecodeString(name); err != nil || len(name) != 16 || !strings.HasPrefix(e.File, "fuzz/") {
			kept = append(kept, e)
			continue
		}
		if err := os.Remove(fileOf(root, e)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return kept, nil
}

// read returns an input and its entry in the corpus.
func read(function, file, name string) (corpus.Entry, []byte, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return corpus.Entry{}, nil, err
	}
	if data, err = fuzzing.Decode(data); err != nil {
		return corpus.Entry{}, nil, fmt.Errorf("%s: %w", file, err)
	}
	kind := corpus.FuzzKind(function)
	sum := sha256.Sum256(data)
	return corpus.Entry{
		File: string(kind) + "/" + name, Kind: kind, SHA256: hex.EncodeToString(sum[:]), Origin: "fuzzed",
		Clients: []corpus.Client{}, Date: time.Now().UTC().Format(time.DateOnly),
		Method: "found by " + function + " with go test -fuzz", Licence: "CC0-1.0", Hellos: []corpus.Hello{},
	}, data, nil
}

// store writes the file of an entry.
func store(root string, e corpus.Entry, data []byte) error {
	file := fileOf(root, e)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, data, 0o644)
}

func fileOf(root string, e corpus.Entry) string {
	return filepath.Join(root, filepath.FromSlash(e.File))
}
