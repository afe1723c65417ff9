package cli

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/internal/testenv"
)

// TestOutputFull fills the disk. There is no new file then, and the old one stays.
func TestOutputFull(t *testing.T) {
	dir := filepath.Join(os.TempDir(), "tlsflags-small-disk")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if !testenv.Disk(t, dir, 16<<10) {
		os.Remove(dir)
		return
	}
	file := filepath.Join(dir, "hellos")
	captures := filepath.Join(testenv.Root(t), "corpus", "captures")
	for _, format := range append(outputFormats, parquetFormat) {
		if err := os.WriteFile(file, []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
		args := append([]string{"inspect", "-q", "-f", format, "-o", file}, slices.Repeat([]string{captures}, 4)...)
		out, code := runCLI(t, args...)
		if want := "tlsflags: " + file + ": no space left on device\n"; Exit(code) != ExitInput || out != want {
			t.Errorf("%s: exit %d, %q, want %q", format, code, out, want)
		}
		got, err := os.ReadFile(file)
		if names := entries(t, dir); err != nil || string(got) != "old" || len(names) != 1 {
			t.Errorf("%s: the file is %.20q, the folder has %q", format, got, names)
		}
	}
	hellos := filepath.Join(dir, "hellos.d")
	out, code := runCLI(t, "inspect", "-q", "--stats", "--write-hellos", hellos, captures)
	if Exit(code) != ExitInput || !strings.HasSuffix(out, ".bin: no space left on device\n") {
		t.Errorf("--write-hellos: exit %d, %q", code, out)
	}
	for _, name := range entries(t, hellos) {
		if info, err := os.Stat(filepath.Join(hellos, name)); err != nil || info.Size() == 0 {
			t.Errorf("--write-hellos left %s, which is not whole", name)
		}
	}
}
