// Package manifest changes MANIFEST.json of the corpus, which package corpus reads.
package manifest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"

	"github.com/tlsflags/tlsflags/corpus"
)

// Update calls change with the entries of the corpus in the folder dir, and writes what
// it returns, ordered by file. If change fails, the manifest stays as it is.
func Update(dir string, change func([]corpus.Entry) ([]corpus.Entry, error)) error {
	file := filepath.Join(dir, "MANIFEST.json")
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var m corpus.Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return err
	}
	if m.Entries, err = change(m.Entries); err != nil {
		return err
	}
	slices.SortFunc(m.Entries, func(a, b corpus.Entry) int { return cmp.Compare(a.File, b.File) })
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(m); err != nil {
		return err
	}
	return os.WriteFile(file, b.Bytes(), 0o644)
}

// Put adds an entry to others, or replaces the one for the same file.
func Put(entries []corpus.Entry, entry corpus.Entry) []corpus.Entry {
	entries = slices.DeleteFunc(entries, func(e corpus.Entry) bool { return e.File == entry.File })
	return append(entries, entry)
}
