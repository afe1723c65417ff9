package testenv

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// A program counts as there only if it runs.
func TestProgram(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("writes shell scripts")
	}
	dir := t.TempDir()
	for name, script := range map[string]string{"works": "#!/bin/sh\n", "proxy": "#!/bin/sh\nexit 1\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
	t.Setenv("REQUIRE_ALL", "")
	var skipped bool
	t.Run("proxy", func(t *testing.T) {
		defer func() { skipped = t.Skipped() }()
		Program(t, "proxy", "none")
	})
	if !skipped {
		t.Error("a program that fails counts as there")
	}
	if got, want := Program(t, "proxy", "none", "works"), filepath.Join(dir, "works"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
