// Command seeds writes the seeds of all fuzz targets in the forms that fuzzers take, and
// runs inputs from elsewhere through the targets.
//
//	seeds list                     prints the names of the fuzz functions
//	seeds export FORMAT DIRECTORY  writes seeds; FORMAT is go, plain, libfuzzer or zip
//	seeds check FILE|DIRECTORY...  gives every file to every target
//	seeds add FUNCTION FILE NAME   puts an input into the corpus under a name
//	seeds replace DIRECTORY        puts FUNCTION/* of a folder in the place of nameless ones
//
// add and replace change corpus/ below the working directory. Of the formats, go is the
// layout of testdata/fuzz. plain has one file an input, as AFL++ takes it. libfuzzer is
// plain with the four-byte length before each input that programs made by
// go-118-fuzz-build expect, and zip is the same as NAME_seed_corpus.zip of OSS-Fuzz.
package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tlsflags/tlsflags/corpus"
	"github.com/tlsflags/tlsflags/fuzz"
	"github.com/tlsflags/tlsflags/internal/manifest"
)

func main() {
	if err := run(os.Stdout, "corpus", os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "seeds:", err)
		os.Exit(1)
	}
}

// run writes what there is to say to w, and inputs to the corpus in the folder root.
func run(w io.Writer, root string, args []string) error {
	switch {
	case len(args) == 1 && args[0] == "list":
		for _, t := range fuzz.Targets() {
			fmt.Fprintln(w, "Fuzz"+t.Name)
		}
		return nil
	case len(args) == 3 && args[0] == "export":
		return export(w, fuzz.Targets(), args[1], args[2])
	case len(args) > 1 && args[0] == "check":
		return check(w, fuzz.Targets(), args[1:])
	case len(args) == 4 && args[0] == "add":
		return add(root, args[1], args[2], args[3])
	case len(args) == 2 && args[0] == "replace":
		return replace(root, args[1])
	}
	return errors.New("usage: seeds list | export go|plain|libfuzzer|zip DIRECTORY | check FILE|DIRECTORY... | add FUNCTION FILE NAME | replace DIRECTORY")
}

func export(w io.Writer, targets []fuzz.Target, format, directory string) error {
	for _, t := range targets {
		name := "Fuzz" + t.Name
		inputs := make(map[string][]byte)
		for seed := range t.Seeds() {
			sum := sha256.Sum256(seed)
			inputs[hex.EncodeToString(sum[:8])] = encode(format, seed)
		}
		var err error
		switch format {
		case "go", "plain", "libfuzzer":
			err = writeFiles(filepath.Join(directory, name), inputs)
		case "zip":
			err = writeZip(filepath.Join(directory, name+"_seed_corpus.zip"), inputs)
		default:
			err = fmt.Errorf("no format is called %q", format)
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%-24s %d seeds\n", name, len(inputs))
	}
	return nil
}

func encode(format string, seed []byte) []byte {
	switch format {
	case "go":
		return fmt.Appendf(nil, "go test fuzz v1\n[]byte(%q)\n", seed)
	case "plain":
		return seed
	}
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(seed))), seed...)
}

func writeFiles(directory string, files map[string][]byte) error {
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return err
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(directory, name), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func writeZip(path string, files map[string][]byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f, err := w.Create(name)
		if err != nil {
			return err
		}
		if _, err := f.Write(files[name]); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}

// check tells of every input that a target fails on.
func check(w io.Writer, targets []fuzz.Target, paths []string) error {
	files, failures := 0, 0
	for _, path := range paths {
		err := filepath.WalkDir(path, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			files++
			for _, t := range targets {
				if err := t.Check(data); err != nil {
					failures++
					fmt.Fprintf(w, "%s: Fuzz%s: %v\n", path, t.Name, err)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	fmt.Fprintf(w, "%d files, %d targets, %d failures\n", files, len(targets), failures)
	if failures > 0 {
		return errors.New("there were failures")
	}
	return nil
}

// add copies an input, which may be in the form of testdata/fuzz, into the corpus, and
// lists it in the manifest.
func add(root, function, file, name string) error {
	target, ok := strings.CutPrefix(function, "Fuzz")
	if ok {
		_, ok = fuzz.Lookup(target)
	}
	if !ok {
		return fmt.Errorf("no fuzz function is called %s", function)
	}
	entry, data, err := read(function, file, name)
	if err != nil {
		return err
	}
	entry.Exercises = []string{strings.ReplaceAll(name, "-", " ")}
	return manifest.Update(root, func(entries []corpus.Entry) ([]corpus.Entry, error) {
		return manifest.Put(entries, entry), store(root, entry, data)
	})
}

// replace puts the inputs in directory/FUNCTION in the place of those that are named
// after their hash. What a target has already, under a name or as a recording, is left out.
func replace(root, directory string) error {
	return manifest.Update(root, func(entries []corpus.Entry) ([]corpus.Entry, error) {
		entries, err := dropNameless(root, entries)
		if err != nil {
			return nil, err
		}
		for _, t := range fuzz.Targets() {
			function := "Fuzz" + t.Name
			files, err := filepath.Glob(filepath.Join(directory, function, "*"))
			if err != nil {
				return nil, err
			}
			for _, file := range files {
				entry, data, err := read(function, file, filepath.Base(file))
				if err != nil {
					return nil, err
				}
				entry.Exercises = []string{"statements that no shorter input of " + function + " reaches"}
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
	if data, err = fuzz.Decode(data); err != nil {
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
