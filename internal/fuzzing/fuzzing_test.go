package fuzzing

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsflags/tlsflags/corpus"
)

// fakeF is a *testing.F that runs nothing.
type fakeF struct {
	name   string
	errors []string
	target func(*testing.T, []byte)
}

func (f *fakeF) Name() string { return f.name }
func (f *fakeF) Add(...any)   {}
func (f *fakeF) Fuzz(ff any)  { f.target = ff.(func(*testing.T, []byte)) }
func (f *fakeF) Errorf(format string, a ...any) {
	f.errors = append(f.errors, fmt.Sprintf(format, a...))
}
func (f *fakeF) Fatalf(format string, a ...any) { f.Errorf(format, a...) }
func (f *fakeF) Skipf(string, ...any)           {}

var seeds = [][]byte{[]byte("b"), []byte("aa"), []byte("bad")}

// refuseBad fails on inputs that begin with bad, and counts the others.
func refuseBad(seen *[]string) func([]byte) error {
	return func(data []byte) error {
		if strings.HasPrefix(string(data), "bad") {
			return errors.New("it is bad")
		}
		*seen = append(*seen, string(data))
		return nil
	}
}

func runIn(t *testing.T, name, mode string, folders ...string) (seen, complaints []string) {
	t.Helper()
	variable, value, _ := strings.Cut(Environment(mode, folders...), "=")
	t.Setenv(variable, value)
	f := &fakeF{name: name}
	Run[*testing.T](f, slices.Values(seeds), refuseBad(&seen))
	if f.target != nil {
		t.Errorf("%s: fuzzes", mode)
	}
	return seen, f.errors
}

func TestRunFuzzes(t *testing.T) {
	t.Setenv(modeVariable, "")
	f := &fakeF{name: "FuzzFlags"}
	var seen []string
	Run[*testing.T](f, slices.Values(seeds), refuseBad(&seen))
	f.target(t, []byte("x"))
	if !slices.Equal(seen, []string{"x"}) || len(f.errors) > 0 {
		t.Errorf("ran %q, with %q", seen, f.errors)
	}
}

func TestExportWritesTheSeedsAndTheCorpus(t *testing.T) {
	folder := t.TempDir()
	if _, complaints := runIn(t, "FuzzFlags", Export, folder); complaints != nil {
		t.Fatal(complaints)
	}
	files, err := os.ReadDir(filepath.Join(folder, "FuzzFlags"))
	if want := len(seeds) + len(slices.Collect(inCorpus("FuzzFlags"))); err != nil || len(files) != want || want == len(seeds) {
		t.Errorf("%d files, want %d: %v", len(files), want, err)
	}
	data, err := os.ReadFile(filepath.Join(folder, "FuzzFlags", Name([]byte("bad"))))
	if string(data) != "bad" || err != nil {
		t.Errorf("got %q, %v", data, err)
	}
}

func TestCorpusRunsTheCorpusOnly(t *testing.T) {
	seen, complaints := runIn(t, "FuzzFlags", Corpus)
	if want := len(slices.Collect(inCorpus("FuzzFlags"))); len(seen) != want || complaints != nil {
		t.Errorf("%d inputs, want %d: %q", len(seen), want, complaints)
	}
}

func TestCheckRunsFiles(t *testing.T) {
	folder := t.TempDir()
	for name, data := range map[string]string{"one": "abc", "two": "go test fuzz v1\n[]byte(\"abd\")\n", "three": "bad", "four": "bad too"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	seen, complaints := runIn(t, "FuzzFlags", Check, folder)
	slices.Sort(seen)
	if !slices.Equal(seen, []string{"abc", "abd"}) || len(complaints) != 1 ||
		!strings.Contains(complaints[0], filepath.Join(folder, "three")+": FuzzFlags: it is bad") || !strings.Contains(complaints[0], "four") {
		t.Errorf("ran %q, with %q", seen, complaints)
	}
}

func TestRefusesModes(t *testing.T) {
	for mode, folders := range map[string][]string{"other": nil, Export: nil, Check: nil, Minimize: {"one"}} {
		if _, complaints := runIn(t, "FuzzFlags", mode, folders...); len(complaints) != 1 {
			t.Errorf("%s %q: %q", mode, folders, complaints)
		}
	}
}

// With coverage, what is chosen is shown by make corpus-minimize.
func TestMinimizeNeedsCoverage(t *testing.T) {
	if testing.CoverMode() != "" {
		t.Skip("built with coverage")
	}
	for _, mode := range []string{Minimize, Reduce} {
		if _, complaints := runIn(t, "FuzzFlags", mode, t.TempDir(), t.TempDir()); len(complaints) != 1 || !strings.Contains(complaints[0], "coverage") {
			t.Errorf("%s: %q", mode, complaints)
		}
	}
}

func TestStart(t *testing.T) {
	const function = "FuzzQUICSealed"
	var failed []byte // what it failed on once
	for e := range corpus.OfKind(corpus.FuzzKind(function)) {
		if path.Base(e.File) == "largest-frame-type" {
			failed = e.Data()
		}
	}
	all := [][]byte{failed}
	for i := range MostSeeds {
		all = append(all, []byte{0xff, byte(i >> 8), byte(i)})
	}
	list := func(seeds ...[]byte) string {
		var b strings.Builder
		for _, seed := range seeds {
			fmt.Fprintf(&b, "%s %s\n", function, Name(seed))
		}
		return b.String()
	}
	for _, tt := range []struct {
		name  string
		seeds [][]byte
		list  string
		want  [][]byte
	}{
		{"starts from all of a few", all[1:], "", all[1:]},
		{"starts from the list and what failed once", all, list(all[7], all[3]) + "FuzzFlags x\n", [][]byte{failed, all[3], all[7]}},
		{"rejects a seed that is gone", all, list(all[7], []byte("gone")), nil},
		{"rejects a seed that is listed twice", all, list(all[7], all[7]), nil},
		{"rejects a function without a list", slices.Concat(all[1:], [][]byte{{}}), "FuzzFlags x\n", nil},
		{"rejects a long list", all, list(all[1:]...), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := start(function, tt.seeds, tt.list)
			if diff := cmp.Diff(tt.want, got); diff != "" || (err == nil) != (tt.want != nil) {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestChosenHasHashes(t *testing.T) {
	lines := strings.Split(strings.TrimSuffix(chosen, "\n"), "\n")
	form := regexp.MustCompile(`^Fuzz\w+ [0-9a-f]{16}$`)
	seen := make(map[string]bool)
	for i, line := range lines {
		if !form.MatchString(line) || seen[line] {
			t.Errorf("line %d: %q", i+1, line)
		}
		seen[line] = true
	}
}

func TestDecode(t *testing.T) {
	for in, want := range map[string]string{
		"raw":                                   "raw",
		"go test fuzz v1\n[]byte(\"a\\xff\")\n": "a\xff",
	} {
		if got, err := Decode([]byte(in)); string(got) != want || err != nil {
			t.Errorf("%q: got %q, %v", in, got, err)
		}
	}
	if _, err := Decode([]byte("go test fuzz v1\n[]byte(\"a\")\nint(1)\n")); err == nil {
		t.Error("two arguments are no error")
	}
}
