package manifest_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsflags/tlsflags/corpus"
	"github.com/tlsflags/tlsflags/internal/manifest"
)

// copyManifest returns a folder with the manifest of the corpus in it, and what that is.
func copyManifest(t *testing.T) (dir, content string) {
	t.Helper()
	data, err := fs.ReadFile(corpus.FS(), "MANIFEST.json")
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "MANIFEST.json"), data, 0o644); err != nil {
		t.Fatal(err)
	}
	return dir, string(data)
}

func content(t *testing.T, dir string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "MANIFEST.json"))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestUpdateSortsAndOtherwiseKeepsTheManifest(t *testing.T) {
	dir, before := copyManifest(t)
	err := manifest.Update(dir, func(entries []corpus.Entry) ([]corpus.Entry, error) {
		if len(entries) == 0 {
			t.Error("there are no entries")
		}
		slices.Reverse(entries)
		return entries, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if after := content(t, dir); after != before {
		t.Errorf("the manifest has changed (-before +after):\n%s", cmp.Diff(before, after))
	}
}

func TestUpdateWritesNothingAfterAnError(t *testing.T) {
	dir, before := copyManifest(t)
	broken := errors.New("broken")
	err := manifest.Update(dir, func([]corpus.Entry) ([]corpus.Entry, error) { return nil, broken })
	if err != broken || content(t, dir) != before {
		t.Errorf("error %v, manifest as before: %t", err, content(t, dir) == before)
	}
	unchanged := func(entries []corpus.Entry) ([]corpus.Entry, error) { return entries, nil }
	if err := manifest.Update(t.TempDir(), unchanged); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder without a manifest: %v", err)
	}
}

func TestPut(t *testing.T) {
	a, b, other := corpus.Entry{File: "a"}, corpus.Entry{File: "b"}, corpus.Entry{File: "a", Method: "other"}
	for _, tt := range []struct {
		name   string
		before []corpus.Entry
		put    corpus.Entry
		want   []corpus.Entry
	}{
		{"adds to none", nil, a, []corpus.Entry{a}},
		{"adds to others", []corpus.Entry{b}, a, []corpus.Entry{b, a}},
		{"replaces the one for the file", []corpus.Entry{a, b}, other, []corpus.Entry{b, other}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, manifest.Put(tt.before, tt.put)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
