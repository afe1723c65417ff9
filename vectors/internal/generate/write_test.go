package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestKeepSchema checks that the schema of a release is kept when the version changes, and
// not before.
func TestKeepSchema(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"quic.json": `{"version": "0.2.0"}`, "schema/quic.schema.json": `{ "type": "object" }`} {
		if err := writeFile(filepath.Join(dir, filepath.FromSlash(name)), []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	kept := filepath.Join(dir, "internal", "generate", "schema", "quic.schema.json")
	for version, want := range map[string]string{"0.2.0": "", "0.3.0": `{"type":"object"}`} {
		os.Remove(kept)
		if err := keepSchema(dir, file{Kind: "quic", Schema: "quic.schema.json", Version: version}); err != nil {
			t.Fatal(err)
		}
		if text, _ := os.ReadFile(kept); string(text) != want {
			t.Errorf("version %s keeps %s, want %s", version, text, want)
		}
	}
}
