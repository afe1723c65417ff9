package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The pages have the date of SOURCE_DATE_EPOCH, and no other.
func TestDate(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "1000000000")
	folder := t.TempDir()
	if err := write("v0.1.0", folder); err != nil {
		t.Fatal(err)
	}
	pages, err := filepath.Glob(filepath.Join(folder, "*.1"))
	if err != nil || len(pages) < 8 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		if want := `" "1" "Sep 2001" "tlsflags v0.1.0" "tlsflags"`; !strings.Contains(string(text), want) {
			t.Errorf("%s lacks %s", filepath.Base(page), want)
		}
	}
}
