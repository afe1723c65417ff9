package vectors_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/vectors"
	"github.com/tlsflags/tlsflags/vectors/internal/check"
)

func load(t *testing.T, k vectors.Kind) vectors.File {
	t.Helper()
	f, err := vectors.Load(k)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestParsersAgree(t *testing.T) {
	for _, k := range vectors.Kinds() {
		f := load(t, k)
		n := 0
		for g, test := range f.All() {
			n++
			if err := check.Test(g, test); err != nil {
				t.Errorf("%s: %v", test.ID, err)
			}
		}
		if n != f.NumberOfTests {
			t.Errorf("%s: number_of_tests is %d, there are %d", k, f.NumberOfTests, n)
		}
	}
}

func TestDecodeRefusesUnknownKey(t *testing.T) {
	if _, err := vectors.Decode([]byte(`{"kind":"tls_flags","verdict":1}`)); err == nil {
		t.Error("no error")
	}
}

func TestLoadRefusesUnknownKind(t *testing.T) {
	if _, err := vectors.Load("tls_plums"); err == nil {
		t.Error("no error")
	}
}

// TestSize checks that what git has of this folder is less than 4 MB.
func TestSize(t *testing.T) {
	out, err := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").Output()
	if err != nil {
		t.Skip("not in a git work tree")
	}
	var size int64
	for name := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		info, err := os.Stat(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted, and not committed yet
		}
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	if size >= 4_000_000 {
		t.Errorf("%d bytes, want less than 4,000,000", size)
	}
}

// TestCount checks that there are at least 600 vectors besides the row for each flag.
func TestCount(t *testing.T) {
	n := 0
	for _, k := range vectors.Kinds() {
		for g := range load(t, k).All() {
			if g.Name != "every-flag" {
				n++
			}
		}
	}
	if n < 600 {
		t.Errorf("%d vectors, want at least 600", n)
	}
}
