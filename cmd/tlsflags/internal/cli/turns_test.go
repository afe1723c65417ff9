package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/corpus"
)

// outcome is all that a run shows.
type outcome struct {
	stdout, stderr string
	code           int
}

func runWith(ctx context.Context, workers int, args ...string) (o outcome) {
	var stdout, stderr bytes.Buffer
	args = append([]string{"inspect", "--workers", strconv.Itoa(workers)}, args...)
	o.code = Run(ctx, args, strings.NewReader("16030100050100000100"), &stdout, &stderr)
	o.stdout, o.stderr = stdout.String(), stderr.String()
	return o
}

// inputsOfAllKinds writes captures, one of them cut, and other files, and returns arguments that
// name them, or do not exist.
func inputsOfAllKinds(t *testing.T) []string {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, data []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for e := range corpus.OfKind(corpus.Captures) {
		write(strings.ReplaceAll(e.File, "/", "-"), e.Data())
	}
	demo, _ := corpus.Lookup("captures/demo.pcapng")
	record, _ := corpus.Lookup("records/utls-chrome-133-ext62-80.bin")
	write("a-cut", demo.Data()[:len(demo.Data())/2])
	write("b-other", []byte("no capture"))
	write("z-gzip", []byte("\x1f\x8b\x08\x00nothing"))
	if err := os.Mkdir(filepath.Join(dir, "empty"), 0o700); err != nil {
		t.Fatal(err)
	}
	return []string{dir, writeTemp(t, record.Data()), filepath.Join(dir, "none"), "-", filepath.Join(dir, "empty"), filepath.Join(dir, "a-cut"), filepath.Join(dir, "b-other")}
}

func writeTemp(t *testing.T, data []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestWorkers checks that all numbers of workers show the same.
func TestWorkers(t *testing.T) {
	inputs := inputsOfAllKinds(t)
	for _, options := range []string{
		"-f text", "-f jsonl", "-f json", "-f csv", "--stats", "--by ja4,sni", "--fields time,ja4,frames", "-f csv --fields src",
		"--redact", "--where not(request_mtls) --strict-capture", "--expect 80 --strict=ambiguous",
	} {
		t.Run(options, func(t *testing.T) {
			args := append(strings.Fields(options), inputs...)
			want := runWith(t.Context(), 1, args...)
			for _, workers := range []int{2, 3, 50} {
				if got := runWith(t.Context(), workers, args...); got != want {
					t.Errorf("%d workers: exit %d, not %d; %s%s", workers, got.code, want.code,
						firstDifference(got.stdout, want.stdout), firstDifference(got.stderr, want.stderr))
				}
			}
		})
	}
}

// TestWorkersOfOneFile checks that all numbers of workers show the same of one capture.
func TestWorkersOfOneFile(t *testing.T) {
	dir := t.TempDir()
	for e := range corpus.OfKind(corpus.Captures) {
		file := filepath.Join(dir, filepath.Base(e.File))
		if err := os.WriteFile(file, e.Data(), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, options := range []string{"-f text", "-f jsonl", "-f csv", "--stats"} {
			args := append(strings.Fields(options), file)
			want := runWith(t.Context(), 1, args...)
			for _, workers := range []int{2, 3} {
				if got := runWith(t.Context(), workers, args...); got != want {
					t.Errorf("%s, %s, %d workers: exit %d, not %d; %s%s", e.File, options, workers, got.code, want.code,
						firstDifference(got.stdout, want.stdout), firstDifference(got.stderr, want.stderr))
				}
			}
		}
	}
}

// firstDifference shows where two texts begin to differ.
func firstDifference(got, want string) string {
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			around := func(s string) string { return s[max(0, min(i, len(s))-80):min(i+80, len(s))] }
			return fmt.Sprintf("byte %d:\n%q\n%q\n", i, around(got), around(want))
		}
	}
	return ""
}

// fullDisk is an output that fails after n bytes.
type fullDisk struct{ n int }

func (w *fullDisk) Write(b []byte) (int, error) {
	if w.n -= len(b); w.n < 0 {
		return 0, errors.New("the disk is full")
	}
	return len(b), nil
}

// TestWorkersEnd checks that an error of the output, and an interrupt, end all goroutines.
func TestWorkersEnd(t *testing.T) {
	inputs := inputsOfAllKinds(t)
	before := runtime.NumGoroutine()
	var stderr bytes.Buffer
	args := append([]string{"inspect", "--workers", "3", "-f", "jsonl"}, inputs[0])
	if code := Run(t.Context(), args, nil, &fullDisk{100_000}, &stderr); Exit(code) != ExitInput || !strings.Contains(stderr.String(), "the disk is full") {
		t.Errorf("full disk: exit %d, %s", code, &stderr)
	}
	ctx, cancel := context.WithCancel(t.Context())
	stdout, w := io.Pipe()
	ended := make(chan int)
	go func() { ended <- Run(ctx, args, nil, w, io.Discard) }()
	if _, err := io.ReadFull(stdout, make([]byte, 1000)); err != nil {
		t.Error(err)
	}
	cancel()
	go io.Copy(io.Discard, stdout)
	if code := <-ended; Exit(code) != ExitDone {
		t.Errorf("interrupted: exit %d", code)
	}
	w.Close()
	for i := 0; runtime.NumGoroutine() > before; i++ {
		if runtime.Gosched(); i == 1_000_000 {
			t.Fatalf("%d goroutines are left of %d", runtime.NumGoroutine(), before)
		}
	}
}
