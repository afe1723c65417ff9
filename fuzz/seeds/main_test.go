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
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsflags/tlsflags/corpus"
	"github.com/tlsflags/tlsflags/internal/fuzzing"
)

// targets are fuzz functions that no file declares.
var targets = []function{{"fuzz", "FuzzFlags"}, {"fuzz", "FuzzRecords"}}

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

// withLength takes away the length that go-118-fuzz-build wants before an input.
func withLength(t *testing.T, data string) string {
	t.Helper()
	if len(data) < 4 || int(binary.BigEndian.Uint32([]byte(data))) != len(data)-4 {
		t.Fatalf("%x does not begin with its length", data)
	}
	return data[4:]
}

// withShare takes away the byte that the second version wants.
func withShare(t *testing.T, data string) string {
	t.Helper()
	if data == "" {
		t.Fatal("nothing is before an empty input")
	}
	return data[1:]
}

func TestExportWritesEverySeed(t *testing.T) {
	from := t.TempDir()
	seeds := make(map[string]map[string]string)
	for _, f := range targets {
		seeds[f.name] = make(map[string]string)
		for _, seed := range []string{"", "\x00\xff\n", f.name} {
			seeds[f.name][hashName([]byte(seed))] = seed
			writeFile(t, filepath.Join(from, f.name, hashName([]byte(seed))), seed)
		}
	}
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
			input, err := fuzzing.Decode([]byte(data))
			if err != nil || string(input) == data {
				t.Fatalf("%q is not in the form of testdata/fuzz: %v", data, err)
			}
			return string(input)
		}},
		{"plain", inFolder, plain},
		{"libfuzzer", inFolder, withLength},
		{"zip", func(t *testing.T, directory, function string) fs.FS {
			r, err := zip.OpenReader(filepath.Join(directory, function+"_seed_corpus.zip"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { r.Close() })
			return r
		}, withShare},
	} {
		t.Run(tt.format, func(t *testing.T) {
			directory := filepath.Join(t.TempDir(), "seeds")
			if err := export(io.Discard, from, targets, tt.format, directory); err != nil {
				t.Fatal(err)
			}
			for _, f := range targets {
				got := contents(t, tt.files(t, directory, f.name))
				for name, data := range got {
					got[name] = tt.input(t, data)
				}
				if diff := cmp.Diff(seeds[f.name], got); diff != "" {
					t.Errorf("%s (-seeds +exported):\n%s", f.name, diff)
				}
			}
		})
	}
}

func TestExportRejectsAnUnknownFormat(t *testing.T) {
	directory := filepath.Join(t.TempDir(), "seeds")
	if err := export(io.Discard, t.TempDir(), targets, "tar", directory); err == nil {
		t.Error("no error")
	}
	if _, err := os.Stat(directory); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("something was written: %v", err)
	}
}

func TestFindFunctions(t *testing.T) {
	root := fstest.MapFS{}
	for name, source := range map[string]string{
		"a/fuzz_test.go":          "package a\n\nfunc FuzzOne(f *testing.F) {}\nfunc FuzzTwo(f *testing.F) {\n}\nfunc fuzzThree(f *testing.F) {}\n",
		"a/b/fuzz_test.go":        "func FuzzFour(f *testing.F) {}\n",
		"a/other_test.go":         "func FuzzFive(f *testing.F) {}\n",
		"a/testdata/fuzz_test.go": "func FuzzSix(f *testing.F) {}\n",
		".git/fuzz_test.go":       "func FuzzSeven(f *testing.F) {}\n",
	} {
		root[name] = &fstest.MapFile{Data: []byte(source)}
	}
	got, err := findFunctions(root)
	if err != nil {
		t.Fatal(err)
	}
	folders := make(map[string]int)
	for folder, functions := range byFolder(got) {
		folders[folder] += len(functions)
	}
	want := map[string]int{"a": 2, "a/b": 1}
	if diff := cmp.Diff(want, folders); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// repository returns the fuzz functions of the repository.
func repository(t *testing.T) []function {
	t.Helper()
	functions, err := findFunctions(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	return functions
}

// OSS-Fuzz looks for a function by the start of its declaration, and builds none of those
// that have a name in common.
func TestNoFunctionBeginsLikeAnother(t *testing.T) {
	functions := repository(t)
	for _, a := range functions {
		for _, b := range functions {
			if a != b && strings.HasPrefix(b.name, a.name) {
				t.Errorf("%v begins with %v", b, a)
			}
		}
	}
}

func TestDocumentHasEveryInput(t *testing.T) {
	document, err := os.ReadFile("../../FUZZING.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range repository(t) {
		if !regexp.MustCompile(`(?m)^\|[^|]*\b` + f.name + `\b[^|]*\|`).Match(document) {
			t.Errorf("no table of FUZZING.md says what %s reads", f.name)
		}
	}
}

func TestCorpusHasInputsOfFuzzFunctionsOnly(t *testing.T) {
	folders, err := os.ReadDir("../../corpus/fuzz")
	if err != nil || len(folders) == 0 {
		t.Fatal(folders, err)
	}
	functions := repository(t)
	for _, folder := range folders {
		if !slices.ContainsFunc(functions, func(f function) bool { return f.name == folder.Name() }) {
			t.Errorf("no fuzz function is called %s", folder.Name())
		}
	}
}

func TestRunRejectsOtherArguments(t *testing.T) {
	for _, args := range [][]string{nil, {"list", "x"}, {"export", "go"}, {"check"}, {"add", "FuzzFlags", "file"}, {"minimize", "x"}, {"choose", "x"}, {"drop", "x"}} {
		if err := run(io.Discard, t.TempDir(), args); err == nil || err.Error() != usage {
			t.Errorf("%q: %v", args, err)
		}
	}
}

// testModule is a module with a fuzz function that says what it is asked to do, or fails.
func testModule(t *testing.T) (root string) {
	t.Helper()
	root = t.TempDir()
	for name, source := range map[string]string{
		"go.mod": "module example.com/m\n\ngo 1.26.0\n",
		"a/fuzz_test.go": `package a

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func FuzzOne(f *testing.F) {
	mode := filepath.SplitList(os.Getenv("TLSFLAGS_FUZZ"))
	if strings.HasSuffix(mode[1], "bad") {
		f.Errorf("fails on %s", mode[1])
	}
	if mode[0] == "export" {
		os.MkdirAll(filepath.Join(mode[1], "FuzzOne"), 0o755)
		os.WriteFile(filepath.Join(mode[1], "FuzzOne", "name"), []byte("seed"), 0o644)
	}
	f.Skip(mode)
}
`,
	} {
		writeFile(t, filepath.Join(root, filepath.FromSlash(name)), source)
	}
	return root
}

func TestRunsTheTestsOfEveryFolder(t *testing.T) {
	root := testModule(t)
	var out bytes.Buffer
	if err := run(&out, root, []string{"list"}); err != nil || out.String() != "./a FuzzOne\n" {
		t.Errorf("list prints %q, %v", out.String(), err)
	}
	directory := t.TempDir()
	if err := run(io.Discard, root, []string{"export", "plain", directory}); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(map[string]string{"FuzzOne/name": "seed"}, contents(t, os.DirFS(directory))); diff != "" {
		t.Errorf("exported (-want +got):\n%s", diff)
	}
	good, bad := filepath.Join(root, "good"), filepath.Join(root, "bad")
	writeFile(t, good, "")
	writeFile(t, bad, "")
	if err := run(io.Discard, root, []string{"check", good}); err != nil {
		t.Error(err)
	}
	out.Reset()
	if err := run(&out, root, []string{"check", bad}); err == nil || !strings.Contains(out.String(), "fails on "+bad) {
		t.Errorf("after a failure: %v, and it says %q", err, out.String())
	}
	if err := run(io.Discard, root, []string{"check", bad + "s"}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that does not exist: %v", err)
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

// listed returns the entries of the manifest by file, after it has compared them with the files.
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
				if err := add(root, targets, "FuzzRecords", file, "largest-frame-type"); err != nil {
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
			if err := add(root, targets, tt.function, tt.file, "name"); err == nil {
				t.Error("no error")
			}
			if diff := cmp.Diff(before, contents(t, os.DirFS(root))); diff != "" {
				t.Errorf("the corpus has changed (-before +after):\n%s", diff)
			}
		})
	}
	if err := add(t.TempDir(), targets, "FuzzFlags", file, "name"); !errors.Is(err, fs.ErrNotExist) {
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
		if err := replace(root, targets, fresh); err != nil {
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
