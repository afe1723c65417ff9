package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsflags/tlsflags/corpus"
	"github.com/tlsflags/tlsflags/fuzz"
)

// lookup returns targets of package fuzz, few of which are enough here.
func lookup(t *testing.T, names ...string) (targets []fuzz.Target) {
	t.Helper()
	for _, name := range names {
		target, ok := fuzz.Lookup(name)
		if !ok {
			t.Fatalf("no target is called %s", name)
		}
		targets = append(targets, target)
	}
	return targets
}

// seeds returns the different seeds of a target by the name of their file.
func seeds(target fuzz.Target) map[string]string {
	all := make(map[string]string)
	for seed := range target.Seeds() {
		all[hashName(seed)] = string(seed)
	}
	return all
}

func hashName(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}

// contents returns the regular files below a folder.
func contents(t *testing.T, fsys fs.FS) map[string]string {
	t.Helper()
	all := make(map[string]string)
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(fsys, name)
		all[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// unprefix takes away the length that go-118-fuzz-build wants before an input.
func unprefix(t *testing.T, data string) string {
	t.Helper()
	if len(data) < 4 || int(binary.BigEndian.Uint32([]byte(data))) != len(data)-4 {
		t.Fatalf("%x does not begin with its length", data)
	}
	return data[4:]
}

func TestExportWritesEverySeed(t *testing.T) {
	targets := lookup(t, "ExtensionList", "RoundTrip")
	plain := func(t *testing.T, data string) string { return data }
	inFolder := func(_ *testing.T, directory, function string) fs.FS {
		return os.DirFS(filepath.Join(directory, function))
	}
	for _, tt := range []struct {
		format string
		files  func(t *testing.T, directory, function string) fs.FS
		input  func(t *testing.T, data string) string
	}{
		{"go", inFolder, func(t *testing.T, data string) string {
			input, err := fuzz.Decode([]byte(data))
			if err != nil || string(input) == data {
				t.Fatalf("%q is not in the form of testdata/fuzz: %v", data, err)
			}
			return string(input)
		}},
		{"plain", inFolder, plain},
		{"libfuzzer", inFolder, unprefix},
		{"zip", func(t *testing.T, directory, function string) fs.FS {
			r, err := zip.OpenReader(filepath.Join(directory, function+"_seed_corpus.zip"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { r.Close() })
			return r
		}, unprefix},
	} {
		t.Run(tt.format, func(t *testing.T) {
			directory := filepath.Join(t.TempDir(), "seeds")
			if err := export(io.Discard, targets, tt.format, directory); err != nil {
				t.Fatal(err)
			}
			for _, target := range targets {
				got := contents(t, tt.files(t, directory, "Fuzz"+target.Name))
				for name, data := range got {
					got[name] = tt.input(t, data)
				}
				if diff := cmp.Diff(seeds(target), got); diff != "" {
					t.Errorf("%s (-seeds +exported):\n%s", target.Name, diff)
				}
			}
		})
	}
}

func TestExportRejectsAnUnknownFormat(t *testing.T) {
	directory := filepath.Join(t.TempDir(), "seeds")
	if err := export(io.Discard, lookup(t, "Flags"), "tar", directory); err == nil {
		t.Error("no error")
	}
	if _, err := os.Stat(directory); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("something was written: %v", err)
	}
}

func TestListNamesEveryFuzzFunction(t *testing.T) {
	var out bytes.Buffer
	if err := run(&out, t.TempDir(), []string{"list"}); err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, target := range fuzz.Targets() {
		want = append(want, "Fuzz"+target.Name)
	}
	if diff := cmp.Diff(want, strings.Fields(out.String())); diff != "" {
		t.Errorf("(-targets +list):\n%s", diff)
	}
}

func TestRunRejectsOtherArguments(t *testing.T) {
	for _, args := range [][]string{nil, {"list", "x"}, {"export", "go"}, {"check"}, {"add", "FuzzFlags", "file"}, {"replace"}, {"drop", "x"}} {
		if err := run(io.Discard, t.TempDir(), args); err == nil || !strings.HasPrefix(err.Error(), "usage: ") {
			t.Errorf("%q: %v", args, err)
		}
	}
}

func TestCheckGivesEveryFileToEveryTarget(t *testing.T) {
	directory := t.TempDir()
	for name, data := range map[string]string{"one": "abc", "deeper/two": "abd"} {
		writeFile(t, filepath.Join(directory, name), data)
	}
	failsOn := func(name, input string) fuzz.Target {
		return fuzz.Target{Name: name, Check: func(data []byte) error {
			if string(data) == input {
				return errors.New("it is " + input)
			}
			return nil
		}}
	}
	var out bytes.Buffer
	if err := check(&out, []fuzz.Target{failsOn("A", "xyz"), failsOn("B", "xyz")}, []string{directory}); err != nil {
		t.Error(err)
	}
	if want := "2 files, 2 targets, 0 failures\n"; out.String() != want {
		t.Errorf("printed %q, want %q", out.String(), want)
	}
	out.Reset()
	if err := check(&out, []fuzz.Target{failsOn("A", "xyz"), failsOn("B", "abd")}, []string{directory}); err == nil {
		t.Error("no error after a failure")
	}
	want := filepath.Join(directory, "deeper", "two") + ": FuzzB: it is abd\n2 files, 2 targets, 1 failures\n"
	if out.String() != want {
		t.Errorf("printed %q, want %q", out.String(), want)
	}
	if err := check(io.Discard, nil, []string{filepath.Join(directory, "three")}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

// newCorpus makes a corpus of a recording, an input with a name and two without.
func newCorpus(t *testing.T) (root string, entries []corpus.Entry) {
	t.Helper()
	root = t.TempDir()
	for file, data := range map[string]string{
		"records/a.bin":                               "recording",
		"fuzz/FuzzFlags/last-octet-zero":              "named",
		"fuzz/FuzzFlags/" + hashName([]byte("old")):   "old",
		"fuzz/FuzzFlags/" + hashName([]byte("older")): "older",
	} {
		sum := sha256.Sum256([]byte(data))
		entries = append(entries, corpus.Entry{
			File: file, Kind: corpus.Kind(filepath.ToSlash(filepath.Dir(file))), SHA256: hex.EncodeToString(sum[:]), Method: "made by a test, <&>",
		})
		writeFile(t, filepath.Join(root, filepath.FromSlash(file)), data)
	}
	data, err := json.Marshal(corpus.Manifest{Schema: "tlsflags.corpus/1", Entries: entries})
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(root, "MANIFEST.json"), string(data))
	return root, entries
}

func writeFile(t *testing.T, file, data string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(data), 0o644); err != nil {
		t.Fatal(err)
	}
}

// listed returns the entries of the manifest by file, having held them to the files.
func listed(t *testing.T, root string) map[string]corpus.Entry {
	t.Helper()
	files := contents(t, os.DirFS(root))
	var m corpus.Manifest
	if err := json.Unmarshal([]byte(files["MANIFEST.json"]), &m); err != nil {
		t.Fatal(err)
	}
	delete(files, "MANIFEST.json")
	if m.Schema != "tlsflags.corpus/1" {
		t.Errorf("the schema has become %q", m.Schema)
	}
	if !slices.IsSortedFunc(m.Entries, func(a, b corpus.Entry) int { return strings.Compare(a.File, b.File) }) {
		t.Error("the manifest is not sorted")
	}
	all := make(map[string]corpus.Entry)
	for _, e := range m.Entries {
		data, ok := files[e.File]
		if sum := sha256.Sum256([]byte(data)); !ok || hex.EncodeToString(sum[:]) != e.SHA256 {
			t.Errorf("%s: there is a file: %t; its hash is not %s", e.File, ok, e.SHA256)
		}
		if _, twice := all[e.File]; twice {
			t.Errorf("%s is listed twice", e.File)
		}
		all[e.File] = e
		delete(files, e.File)
	}
	for file := range files {
		t.Errorf("%s is not listed", file)
	}
	return all
}

func TestAddStoresAndListsAnInput(t *testing.T) {
	for _, tt := range []struct{ name, data string }{
		{"as it is", "\x01\x02\n"},
		{"in the form of testdata/fuzz", "go test fuzz v1\n[]byte(\"\\x01\\x02\\n\")\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root, before := newCorpus(t)
			file := filepath.Join(t.TempDir(), "input")
			for _, data := range []string{"first, and then replaced", tt.data} {
				writeFile(t, file, data)
				if err := run(io.Discard, root, []string{"add", "FuzzRecords", file, "largest-frame-type"}); err != nil {
					t.Fatal(err)
				}
			}
			after := listed(t, root)
			for _, e := range before {
				if diff := cmp.Diff(e, after[e.File]); diff != "" {
					t.Errorf("%s (-before +after):\n%s", e.File, diff)
				}
			}
			const added = "fuzz/FuzzRecords/largest-frame-type"
			if len(after) != len(before)+1 {
				t.Errorf("%d entries became %d", len(before), len(after))
			}
			if data := contents(t, os.DirFS(root))[added]; data != "\x01\x02\n" {
				t.Errorf("the input is %q", data)
			}
			e := after[added]
			if e.Kind != corpus.FuzzKind("FuzzRecords") || e.Origin == "" || e.Date == "" || e.Method == "" || e.Licence != "CC0-1.0" ||
				!slices.Equal(e.Exercises, []string{"largest frame type"}) {
				t.Errorf("the entry is %+v", e)
			}
		})
	}
}

func TestAddRejects(t *testing.T) {
	file := filepath.Join(t.TempDir(), "input")
	writeFile(t, file, "input")
	twoArguments := filepath.Join(t.TempDir(), "input")
	writeFile(t, twoArguments, "go test fuzz v1\n[]byte(\"a\")\nint(1)\n")
	for _, tt := range []struct{ name, function, file string }{
		{"a function that does not exist", "FuzzFlag", file},
		{"a target without Fuzz", "Flags", file},
		{"a file that does not exist", "FuzzFlags", file + "s"},
		{"an input of more than one argument", "FuzzFlags", twoArguments},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root, _ := newCorpus(t)
			before := contents(t, os.DirFS(root))
			if err := run(io.Discard, root, []string{"add", tt.function, tt.file, "name"}); err == nil {
				t.Error("no error")
			}
			if diff := cmp.Diff(before, contents(t, os.DirFS(root))); diff != "" {
				t.Errorf("the corpus has changed (-before +after):\n%s", diff)
			}
		})
	}
	if err := run(io.Discard, t.TempDir(), []string{"add", "FuzzFlags", file, "name"}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder without a corpus: %v", err)
	}
}

func TestReplaceTakesThePlaceOfNamelessInputs(t *testing.T) {
	root, _ := newCorpus(t)
	fresh := t.TempDir()
	for _, input := range []struct{ function, data string }{
		{"FuzzFlags", "new"},
		{"FuzzFlags", "named"},       // FuzzFlags has it under a name
		{"FuzzRecords", "named"},     // FuzzRecords has not
		{"FuzzRecords", "recording"}, // a seed of every target
		{"FuzzGone", "other"},        // no target
	} {
		writeFile(t, filepath.Join(fresh, input.function, hashName([]byte(input.data))), input.data)
	}
	// An input that was removed by hand is as good as one that is removed here.
	if err := os.Remove(filepath.Join(root, "fuzz", "FuzzFlags", hashName([]byte("old")))); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time, what is new takes its own place
		if err := run(io.Discard, root, []string{"replace", fresh}); err != nil {
			t.Fatal(err)
		}
		var got []string
		for file := range listed(t, root) {
			got = append(got, file)
		}
		slices.Sort(got)
		want := []string{
			"fuzz/FuzzFlags/" + hashName([]byte("new")),
			"fuzz/FuzzFlags/last-octet-zero",
			"fuzz/FuzzRecords/" + hashName([]byte("named")),
			"records/a.bin",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}
