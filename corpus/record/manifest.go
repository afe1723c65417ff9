//go:build linux

package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/tlsflags/tlsflags/corpus"
)

func readManifest(dir string) (corpus.Manifest, error) {
	var m corpus.Manifest
	data, err := os.ReadFile(filepath.Join(dir, "MANIFEST.json"))
	if err != nil {
		return m, err
	}
	return m, json.Unmarshal(data, &m)
}

func writeManifest(dir string, m corpus.Manifest) error {
	slices.SortFunc(m.Entries, func(a, b corpus.Entry) int { return cmp.Compare(a.File, b.File) })
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(m); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "MANIFEST.json"), buf.Bytes(), 0o644)
}

// updateManifest adds an entry, or replaces the one for the same file.
func updateManifest(dir string, entry corpus.Entry) error {
	m, err := readManifest(dir)
	if err != nil {
		return err
	}
	m.Entries = slices.DeleteFunc(m.Entries, func(e corpus.Entry) bool { return e.File == entry.File })
	m.Entries = append(m.Entries, entry)
	return writeManifest(dir, m)
}

// describeFile fills in what follows from the file itself: its hash and the
// hellos that tshark sees in it.
func describeFile(ctx context.Context, dir string, e *corpus.Entry) error {
	name := filepath.Join(dir, filepath.FromSlash(e.File))
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(data)
	e.SHA256 = hex.EncodeToString(sum[:])
	if e.Kind == corpus.Records {
		if name, err = wrapRecords(data); err != nil {
			return err
		}
		defer os.Remove(name)
	}
	if e.Oracle, err = tsharkVersion(ctx); err != nil {
		return err
	}
	if e.Hellos, err = tsharkHellos(ctx, name); err != nil {
		return fmt.Errorf("%s: %w", e.File, err)
	}
	if e.Kind == corpus.Records {
		for i := range e.Hellos {
			h := &e.Hellos[i]
			h.Frame, h.Src, h.Dst = 0, "", ""
		}
	}
	return nil
}

func describeAll(ctx context.Context, dir string) error {
	m, err := readManifest(dir)
	if err != nil {
		return err
	}
	for i := range m.Entries {
		if err := describeFile(ctx, dir, &m.Entries[i]); err != nil {
			return err
		}
	}
	return writeManifest(dir, m)
}
