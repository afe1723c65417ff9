// Command seeds writes the seeds of all fuzz targets in the forms that fuzzers take, and
// runs inputs from elsewhere through the targets.
//
//	seeds list                     prints the names of the fuzz functions
//	seeds export FORMAT DIRECTORY  writes seeds; FORMAT is go, plain, libfuzzer or zip
//	seeds check FILE|DIRECTORY...  gives every file to every target
//	seeds add FUNCTION FILE NAME   puts an input into the corpus under a name
//	seeds replace DIRECTORY        puts FUNCTION/* of a folder in the place of nameless ones
//
// go is the layout of testdata/fuzz. plain has one file an input, as AFL++ takes it.
// libfuzzer is plain with the four-byte length before each input that programs made by
// go-118-fuzz-build expect, and zip is the same as NAME_seed_corpus.zip of OSS-Fuzz.
package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tlsflags/tlsflags/corpus"
	"github.com/tlsflags/tlsflags/fuzz"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "seeds:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 1 && args[0] == "list":
		for _, t := range fuzz.Targets() {
			fmt.Println("Fuzz" + t.Name)
		}
		return nil
	case len(args) == 3 && args[0] == "export":
		return export(args[1], args[2])
	case len(args) > 1 && args[0] == "check":
		return check(args[1:])
	case len(args) == 4 && args[0] == "add":
		return add(args[1], args[2], args[3])
	case len(args) == 2 && args[0] == "replace":
		return replace(args[1])
	}
	return errors.New("usage: seeds list | export go|plain|libfuzzer|zip DIRECTORY | check FILE|DIRECTORY... | add FUNCTION FILE NAME | replace DIRECTORY")
}

func export(format, directory string) error {
	for _, t := range fuzz.Targets() {
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
		fmt.Printf("%-24s %d seeds\n", name, len(inputs))
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
	for name, data := range files {
		f, err := w.Create(name)
		if err != nil {
			return err
		}
		if _, err := f.Write(data); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}

// check tells of every input that a target fails on.
func check(paths []string) error {
	files, failures := 0, 0
	for _, root := range paths {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			files++
			for _, t := range fuzz.Targets() {
				if err := t.Check(data); err != nil {
					failures++
					fmt.Printf("%s: Fuzz%s: %v\n", path, t.Name, err)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	fmt.Printf("%d files, %d targets, %d failures\n", files, len(fuzz.Targets()), failures)
	if failures > 0 {
		return errors.New("there were failures")
	}
	return nil
}

// add copies an input, which may be in the form of testdata/fuzz, into the corpus below
// the working directory, and lists it in the manifest.
func add(function, file, name string) error {
	if _, ok := fuzz.Lookup(strings.TrimPrefix(function, "Fuzz")); !ok {
		return fmt.Errorf("no fuzz function is called %s", function)
	}
	entry, err := store(function, file, name)
	if err != nil {
		return err
	}
	entry.Exercises = []string{strings.ReplaceAll(name, "-", " ")}
	return rewriteManifest(func(entries []corpus.Entry) []corpus.Entry {
		entries = slices.DeleteFunc(entries, func(e corpus.Entry) bool { return e.File == entry.File })
		return append(entries, entry)
	})
}

// replace lists the inputs in directory/FUNCTION in the place of those that are named
// after their hash. What the corpus has under another name is left out.
func replace(directory string) error {
	var fresh []corpus.Entry
	for _, t := range fuzz.Targets() {
		function := "Fuzz" + t.Name
		files, err := filepath.Glob(filepath.Join(directory, function, "*"))
		if err != nil {
			return err
		}
		for _, file := range files {
			entry, err := store(function, file, filepath.Base(file))
			if err != nil {
				return err
			}
			entry.Exercises = []string{"statements that no shorter input of " + function + " reaches"}
			fresh = append(fresh, entry)
		}
	}
	return rewriteManifest(func(entries []corpus.Entry) []corpus.Entry {
		entries = slices.DeleteFunc(entries, func(e corpus.Entry) bool {
			name := filepath.Base(e.File)
			_, err := hex.DecodeString(name)
			return err == nil && len(name) == 16 && strings.HasPrefix(e.File, "fuzz/")
		})
		for _, e := range fresh {
			if slices.ContainsFunc(entries, func(known corpus.Entry) bool { return known.SHA256 == e.SHA256 }) {
				_ = os.Remove(filepath.Join("corpus", filepath.FromSlash(e.File)))
				continue
			}
			entries = append(entries, e)
		}
		return entries
	})
}

// store copies an input into the corpus and returns its entry.
func store(function, file, name string) (corpus.Entry, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return corpus.Entry{}, err
	}
	if data, err = fuzz.Decode(data); err != nil {
		return corpus.Entry{}, fmt.Errorf("%s: %w", file, err)
	}
	kind := corpus.FuzzKind(function)
	sum := sha256.Sum256(data)
	entry := corpus.Entry{
		File: string(kind) + "/" + name, Kind: kind, SHA256: hex.EncodeToString(sum[:]), Origin: "fuzzed",
		Clients: []corpus.Client{}, Date: time.Now().UTC().Format(time.DateOnly),
		Method: "found by " + function + " with go test -fuzz", Licence: "CC0-1.0", Hellos: []corpus.Hello{},
	}
	path := filepath.Join("corpus", filepath.FromSlash(entry.File))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return corpus.Entry{}, err
	}
	return entry, os.WriteFile(path, data, 0o644)
}

func rewriteManifest(change func([]corpus.Entry) []corpus.Entry) error {
	const path = "corpus/MANIFEST.json"
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("run this at the root of the repository: %w", err)
	}
	var m corpus.Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return err
	}
	m.Entries = change(m.Entries)
	slices.SortFunc(m.Entries, func(a, b corpus.Entry) int { return strings.Compare(a.File, b.File) })
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(m); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}
