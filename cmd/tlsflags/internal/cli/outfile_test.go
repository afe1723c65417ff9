package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/tlsflags/tlsflags/capture/columns"
	"github.com/tlsflags/tlsflags/corpus"
	"github.com/tlsflags/tlsflags/internal/testenv"
)

// entries returns the names in a folder.
func entries(t *testing.T, dir string) (names []string) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range list {
		names = append(names, entry.Name())
	}
	return names
}

// TestOutputFile compares what is in a file with what goes to standard output.
func TestOutputFile(t *testing.T) {
	capture := filepath.Join(testenv.Root(t), "corpus", "captures", "demo.pcapng")
	dir := t.TempDir()
	file := filepath.Join(dir, "hellos")
	if err := os.WriteFile(file, []byte("old"), 0o640); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{
		"-f text", "-f jsonl", "-f json", "-f csv", "-f parquet", "--stats", "--by ja4", "-f csv --fields ja4", "--redact -f json",
		"-f json --flag 77", "-f parquet --flag 77", "-f csv --flag 77",
	} {
		want, _ := runCLI(t, append(strings.Fields("inspect -q "+args), capture)...)
		out, code := runCLI(t, append(strings.Fields("inspect -q "+args), "-o", file, capture)...)
		got, err := os.ReadFile(file)
		if err != nil || code != 0 || out != "" || string(got) != want {
			t.Errorf("%s: exit %d, %q, the file has %d bytes, want %d", args, code, out, len(got), len(want))
		}
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the file is not like the one before: %v", info.Mode())
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink("hellos", link); err != nil {
		t.Fatal(err)
	}
	if _, code := runCLI(t, "inspect", "-q", "-f", "csv", "-o", link, capture); code != 0 {
		t.Errorf("exit %d", code)
	}
	if got, err := os.ReadFile(file); err != nil || !bytes.HasPrefix(got, []byte("source,")) {
		t.Errorf("the link was not followed: %.40q", got)
	}
	if got := entries(t, dir); !slices.Equal(got, []string{"hellos", "link"}) {
		t.Errorf("the folder has %q", got)
	}
}

// TestOutputFileKept has inputs that cannot be read, and conditions that are not met: the
// results before that are complete. Usage that is wrong leaves no file.
func TestOutputFileKept(t *testing.T) {
	dir, inputs := t.TempDir(), t.TempDir()
	file := filepath.Join(dir, "hellos")
	demo := filepath.Join(testenv.Root(t), "corpus", "captures", "demo.pcapng")
	raw := filepath.Join(inputs, "raw.bin")
	if err := os.WriteFile(raw, helloOf(0x0303, []uint16{0x1301}), 0o600); err != nil {
		t.Fatal(err)
	}
	saved := filepath.Join(inputs, "saved.pcapng")
	entry, _ := corpus.Lookup("captures/demo.pcapng")
	if err := os.WriteFile(saved, entry.Data(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		args, file string
		code       Exit
		want       string
	}{
		{demo + " missing", file, ExitInput, "missing: no such file"},
		{"--expect 77 " + demo, file, ExitUnmet, ""},
		{"missing", file, ExitInput, "missing: no such file"},
		{"--where nonsense " + demo, "", ExitUsage, "nonsense"},
		{"--keylog - - ", "", ExitUsage, "cannot be read twice"},
		{"--keylog missing " + demo, "", ExitInput, "missing"},
		{"--rotate 1h " + demo, "", ExitUsage, "--rotate goes with -o and -i"},
		{"--follow " + inputs, "", ExitUsage, "--follow reads one file"},
		{"--rotate 1h --stats -", "", ExitUsage, "does not go with --stats and --by"},
		{"--rotate 1h --by ja4 -", "", ExitUsage, "does not go with --stats and --by"},
		{"--rotate 1h -o /dev/null -", "", ExitUsage, "/dev/null is a device"},
		{"--output= " + demo, "", ExitUsage, "--output needs a value"},
		{"--write-pcap= " + demo, "", ExitUsage, "--write-pcap needs a value"},
		{raw + " -o " + raw, "", ExitUsage, "replace the input"},
		{demo + " --keylog " + raw + " -o " + raw, "", ExitUsage, "-o would replace the input"},
		{demo + " --keylog " + raw + " --write-pcap " + raw, "", ExitUsage, "--write-pcap would replace the input"},
		{raw + " -o " + saved, "", ExitUsage, "which is a capture"},
		{raw + " -o " + filepath.Join(dir, "none", "x"), "", ExitInput, "no such file or directory"},
		{raw + " -o " + dir, "", ExitInput, "is a directory"},
	} {
		os.Remove(file)
		out, code := runCLI(t, append(strings.Fields("inspect -q -o "+file), strings.Fields(row.args)...)...)
		_, err := os.Stat(file)
		if Exit(code) != row.code || !strings.Contains(out, row.want) || err == nil != (row.file != "") || len(entries(t, dir)) > 1 {
			t.Errorf("%s: exit %d, want %d, %q, %v in the folder: %s", row.args, code, row.code, row.want, entries(t, dir), out)
		}
	}
	if got, err := os.ReadFile(saved); err != nil || !bytes.Equal(got, entry.Data()) {
		t.Error("the capture was replaced")
	}
}

// TestOutputDevice writes to a device, which is not replaced.
func TestOutputDevice(t *testing.T) {
	const full = "/dev/full"
	if _, err := os.Stat(full); err != nil {
		testenv.Skip(t, "no "+full)
	}
	out, code := runCLI(t, "inspect", "-q", "-o", full, filepath.Join(testenv.Root(t), "corpus", "captures"))
	if info, err := os.Stat(full); Exit(code) != ExitInput || out != "tlsflags: /dev/full: no space left on device\n" || err != nil || info.Mode().IsRegular() {
		t.Errorf("exit %d: %s, %v", code, out, info)
	}
}

// TestOutputOpen names an open file, as /dev/stdout may be one that the shell appends to.
func TestOutputOpen(t *testing.T) {
	f, err := os.OpenFile(filepath.Join(t.TempDir(), "all"), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.WriteString("old\n")
	name := fmt.Sprintf("/dev/fd/%d", f.Fd())
	if _, err := os.Stat(name); err != nil {
		testenv.Skip(t, "no /dev/fd")
	}
	demo := filepath.Join(testenv.Root(t), "corpus", "captures", "demo.pcapng")
	out, code := runCLI(t, "inspect", "-q", "-f", "csv", "-o", name, demo)
	got, err := os.ReadFile(f.Name())
	if code != 0 || err != nil || !strings.HasPrefix(string(got), "old\nsource,") {
		t.Errorf("exit %d, %s: the file begins with %.20q, %v", code, out, got, err)
	}
}

// TestOutputClosed writes Parquet to a pipe that nobody reads, and to a full disk.
func TestOutputClosed(t *testing.T) {
	captures := filepath.Join(testenv.Root(t), "corpus", "captures")
	for errno, want := range map[syscall.Errno]Exit{syscall.EPIPE: ExitDone, syscall.ENOSPC: ExitInput} {
		var stderr bytes.Buffer
		code := Run(t.Context(), []string{"inspect", "-q", "-f", "parquet", captures}, nil, failing{errno}, &stderr)
		if Exit(code) != want || (stderr.Len() > 0) != (want != 0) {
			t.Errorf("%v: exit %d: %s", errno, code, &stderr)
		}
	}
}

// TestInterruptedFile checks that an interrupted run completes its file.
func TestInterruptedFile(t *testing.T) {
	entry, _ := corpus.Lookup("captures/demo.pcapng")
	for _, args := range []string{"-f json", "-f parquet", "-f csv", "-f parquet --rotate 1h", "--stats"} {
		dir := t.TempDir()
		ctx, interrupt := context.WithCancel(t.Context())
		in := io.MultiReader(bytes.NewReader(entry.Data()), readerFunc(func([]byte) (int, error) {
			if names := entries(t, dir); len(names) != 1 || !strings.HasSuffix(names[0], ".part") {
				t.Errorf("%s: before the end the folder has %q", args, names)
			}
			interrupt()
			return 0, errors.New("interrupted")
		}))
		var stdout, stderr bytes.Buffer
		code := Run(ctx, append(strings.Fields("inspect "+args), "-o", filepath.Join(dir, "hellos.out"), "-"), in, &stdout, &stderr)
		names := entries(t, dir)
		if code != 0 || stdout.Len() > 0 || len(names) != 1 || filepath.Ext(names[0]) != ".out" {
			t.Fatalf("%s: exit %d, %q, the folder has %q", args, code, &stderr, names)
		}
		if !strings.Contains(args, "parquet") {
			continue
		}
		rows, err := parquet.ReadFile[columns.Row](filepath.Join(dir, names[0]))
		if err != nil || len(rows) != 12 {
			t.Errorf("%s: %d rows, %v", args, len(rows), err)
		}
	}
}

// TestRotate reads a capture of three seconds with hellos.
func TestRotate(t *testing.T) {
	entry, _ := corpus.Lookup("captures/demo.pcapng")
	var out bytes.Buffer
	Run(t.Context(), []string{"inspect", "-q", "-f", "csv", "-"}, bytes.NewReader(entry.Data()), &out, &out)
	_, whole, _ := strings.Cut(out.String(), "\n")
	for rotate, want := range map[string][]string{
		"1s":  {"hellos-20261124T061954Z-0001.csv", "hellos-20261124T061956Z-0002.csv", "hellos-20261124T061957Z-0004.csv"},
		"1h":  {"hellos-20261124T061954Z-0001.csv"},
		"1GB": {"hellos-20261124T061954Z-0001.csv"},
		"2kB": {
			"hellos-20261124T061954Z-0001.csv", "hellos-20261124T061957Z-0002.csv", "hellos-20261124T061957Z-0003.csv",
			"hellos-20261124T061957Z-0004.csv",
		},
	} {
		dir := t.TempDir()
		if rotate == "1s" { // a name that is in use
			if err := os.WriteFile(filepath.Join(dir, "hellos-20261124T061957Z-0003.csv"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var stdout, stderr bytes.Buffer
		code := Run(t.Context(), []string{"inspect", "-f", "csv", "--rotate", rotate, "-o", filepath.Join(dir, "hellos.csv"), "-"}, bytes.NewReader(entry.Data()), &stdout, &stderr)
		if rotate == "1s" {
			os.Remove(filepath.Join(dir, "hellos-20261124T061957Z-0003.csv"))
		}
		names := entries(t, dir)
		if code != 0 || !slices.Equal(names, want) {
			t.Errorf("--rotate %s: exit %d, files %q, want %q: %s", rotate, code, names, want, &stderr)
		}
		var rows strings.Builder
		for _, name := range names {
			b, _ := os.ReadFile(filepath.Join(dir, name))
			header, rest, _ := strings.Cut(string(b), "\n")
			if !strings.HasPrefix(header, "source,") {
				t.Errorf("%s begins with %q", name, header)
			}
			rows.WriteString(rest)
		}
		if rows.String() != whole {
			t.Errorf("--rotate %s: the files have other rows", rotate)
		}
	}
	dir := t.TempDir()
	Run(t.Context(), []string{"inspect", "-q", "-f", "csv", "--rotate", "1h", "-o", filepath.Join(dir, ".h"), "-"}, bytes.NewReader(entry.Data()), &out, &out)
	if names := entries(t, dir); !slices.Equal(names, []string{".h-20261124T061954Z-0001"}) {
		t.Errorf("of a hidden file: %q", names)
	}
	for _, rotate := range []string{"", "0", "1", "1x", "-1h", "1ms", "0B", "B", "1TB"} {
		if _, code := runCLI(t, "inspect", "-o", "x", "--rotate", rotate, "-"); Exit(code) != ExitUsage {
			t.Errorf("--rotate %q: exit %d", rotate, code)
		}
	}
}
