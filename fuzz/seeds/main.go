// Command seeds writes the seeds of all fuzz targets in the forms that fuzzers take, and
// runs inputs from elsewhere through the targets. Run it at the root of the repository.
//
//	seeds list                     prints the folders and names of the fuzz functions
//	seeds export FORMAT DIRECTORY  writes seeds; FORMAT is go, plain, libfuzzer, zip or raw
//	seeds check FILE|DIRECTORY...  gives every file to every target
//	seeds add FUNCTION FILE NAME   puts an input into the corpus under a name
//	seeds minimize                 puts what fuzzing found here into the corpus, if it reaches more
//	seeds choose                   lists the seeds that fuzzing starts from, where there are too many
//
// add and minimize change corpus/, choose changes internal/fuzzing/chosen.txt.
//
// The formats are
//
//	go         the layout of testdata/fuzz
//	plain      a file for each input, for AFL++
//	libfuzzer  a file for each input with its length in four bytes before it, as programs
//	           made by go-118-fuzz-build read them
//	zip        FUNCTION_seed_corpus.zip for OSS-Fuzz, with a byte before each input, as
//	           programs made by compile_native_go_fuzzer_v2 read them
//	raw        what parsers of others read, by kind
package main

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/tlsflags/tlsflags/internal/fuzzing"
)

const usage = "usage: seeds list | export go|plain|libfuzzer|zip|raw DIRECTORY | check FILE|DIRECTORY... | add FUNCTION FILE NAME | minimize | choose"

func main() {
	if err := run(os.Stdout, ".", os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "seeds:", err)
		os.Exit(1)
	}
}

// run writes what there is to say to w. The folder root is that of the repository.
func run(w io.Writer, root string, args []string) error {
	functions, err := findFunctions(os.DirFS(root))
	if err != nil {
		return err
	}
	switch {
	case len(args) == 1 && args[0] == "list":
		for _, f := range functions {
			fmt.Fprintf(w, "./%s %s\n", f.folder, f.name)
		}
		return nil
	case len(args) == 3 && args[0] == "export":
		return withTemporary(func(seeds string) error {
			if err := runTests(w, root, functions, fuzzing.Export, seeds); err != nil {
				return err
			}
			return export(w, seeds, functions, args[1], args[2])
		})
	case len(args) > 1 && args[0] == "check":
		return check(w, root, functions, args[1:])
	case len(args) == 4 && args[0] == "add":
		return add(filepath.Join(root, "corpus"), functions, args[1], args[2], args[3])
	case len(args) == 1 && args[0] == "minimize":
		return withTemporary(func(work string) error { return minimizeCorpus(w, root, functions, work) })
	case len(args) == 1 && args[0] == "choose":
		return withTemporary(func(work string) error { return choose(w, root, functions, work) })
	}
	return errors.New(usage)
}

func withTemporary(f func(folder string) error) error {
	folder, err := os.MkdirTemp("", "seeds")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	return f(folder)
}

// export writes the seeds in from/FUNCTION to a directory.
func export(w io.Writer, from string, functions []function, format, directory string) error {
	if format == "raw" {
		return exportRaw(w, from, functions, directory)
	}
	if !slices.Contains([]string{"go", "plain", "libfuzzer", "zip"}, format) {
		return fmt.Errorf("no format is called %q", format)
	}
	for _, f := range functions {
		files, err := filepath.Glob(filepath.Join(from, f.name, "*"))
		if err != nil {
			return err
		}
		inputs := make(map[string][]byte)
		for _, file := range files {
			seed, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			inputs[filepath.Base(file)] = encode(format, seed)
		}
		if format == "zip" {
			err = writeZip(filepath.Join(directory, f.name+"_seed_corpus.zip"), inputs)
		} else {
			err = writeFiles(filepath.Join(directory, f.name), inputs)
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%-24s %d seeds\n", f.name, len(inputs))
	}
	return nil
}

func encode(format string, seed []byte) []byte {
	switch format {
	case "go":
		return fmt.Appendf(nil, "go test fuzz v1\n[]byte(%q)\n", seed)
	case "plain":
		return seed
	case "zip":
		return append([]byte{0}, seed...) // the share of the input that the one argument gets: all
	}
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(seed))), seed...)
}

func writeFiles(directory string, files map[string][]byte) error {
	for name, data := range files {
		file := filepath.Join(directory, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, data, 0o644); err != nil {
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
