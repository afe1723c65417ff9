//go:build linux

package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"github.com/tlsflags/tlsflags/corpus"
	"github.com/tlsflags/tlsflags/internal/manifest"
)

// describeFile sets the hash of the file and, for a recording, the hellos that
// tshark finds in it.
func describeFile(ctx context.Context, dir string, e *corpus.Entry) error {
	name := filepath.Join(dir, filepath.FromSlash(e.File))
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(data)
	e.SHA256 = hex.EncodeToString(sum[:])
	if e.Kind != corpus.Records && e.Kind != corpus.Captures {
		return nil
	}
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
	return manifest.Update(dir, func(entries []corpus.Entry) ([]corpus.Entry, error) {
		for i := range entries {
			if err := describeFile(ctx, dir, &entries[i]); err != nil {
				return nil, err
			}
		}
		return entries, nil
	})
}
