package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func report(t *testing.T, o options) []string {
	t.Helper()
	t.Setenv("GOWORK", "off") // the samples are modules that no workspace has
	var out bytes.Buffer
	if _, err := mutate(t.Context(), &out, "testdata/sample", o); err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(out.String()), "\n")
}

func TestReport(t *testing.T) {
	lines := report(t, options{workers: 2})
	want := []string{
		"equivalent sample.go:13: > to >=: at largest both return it",
		"equivalent sample.go:13: largest minus 1: at largest both return it",
		"survived   sample.go:29: && to ||",
		"unreached  sample.go:48: zero returned",
		"unreached  sample.go:48: * to /",
		"unreached  sample.go:48: << to >>",
		"unreached  sample.go:48: + to -",
		"unreached  sample.go:48: 2 plus 1",
		"unreached  sample.go:48: 2 minus 1",
		"unreached  sample.go:48: 1 plus 1",
		"unreached  sample.go:48: 1 minus 1",
	}
	var got []string
	for _, line := range lines[:len(lines)-2] {
		if !slices.Contains(want, line) {
			t.Errorf("unexpected: %s", line)
		}
		got = append(got, line)
	}
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("missing: %s", line)
		}
	}
	if counts := lines[len(lines)-2]; !strings.Contains(counts, "1 survived, 8 unreached, 2 equivalent") {
		t.Error(counts)
	}
}

func TestSampleIsTheSameEachTime(t *testing.T) {
	o := options{sample: 10, seed: 3}
	ids := choose(100, o)
	if len(ids) != 10 || !slices.Equal(ids, choose(100, o)) || slices.Min(ids) < 1 || slices.Max(ids) > 100 {
		t.Errorf("%v", ids)
	}
	if ids := slices.Sorted(slices.Values(choose(5, o))); !slices.Equal(ids, []int{1, 2, 3, 4, 5}) {
		t.Errorf("%v", ids)
	}
}

// What cannot be changed at run time stays as it is: constants, types, keys, labels.
func TestRewrittenPackageCompiles(t *testing.T) {
	t.Setenv("GOWORK", "off")
	p, err := build(t.Context(), abs(t, "testdata/forms"), nil, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if len(p.left) > 0 || len(p.mutants) < 60 {
		t.Errorf("%d mutants, and left out: %q", len(p.mutants), p.left)
	}
}

// TestInterrupt checks that a mutant does not count as killed if an interrupt ended its
// tests, whether it came to this program or only to theirs.
func TestInterrupt(t *testing.T) {
	for _, script := range []string{"kill -INT $PPID; exec sleep 600", "kill -INT $$"} {
		ctx, stop := signal.NotifyContext(t.Context(), os.Interrupt)
		binary := filepath.Join(t.TempDir(), "tests")
		if err := os.WriteFile(binary, []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		p := &program{variable: "MUTANT", mutants: make([]mutant, 1), suites: []*suite{{
			folder: t.TempDir(),
			binary: binary,
			tests:  []test{{name: "Test", reaches: map[int]bool{1: true}}},
		}}}
		outcomes := p.run(ctx, []int{1}, 1)
		if len(outcomes) > 0 {
			t.Errorf("%s: outcomes %v", script, outcomes)
		}
		if score := p.report(io.Discard, outcomes); score != 0 {
			t.Errorf("%s: %v %% killed", script, score)
		}
		stop()
	}
}

// TestInterruptedRun checks that no folder is begun after an interrupt, and that nothing
// is left in the temporary folder.
func TestInterruptedRun(t *testing.T) {
	t.Setenv("GOWORK", "off")
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errs bytes.Buffer
	folders := []string{"testdata/sample", "testdata/forms"}
	if code := mutateAll(ctx, &out, &errs, folders, options{workers: 1}); code != 1 || out.Len() > 0 || errs.String() != "mutation: interrupted\n" {
		t.Errorf("exit code %d, %q, %q", code, out.String(), errs.String())
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func abs(t *testing.T, folder string) string {
	t.Helper()
	path, err := filepath.Abs(folder)
	if err != nil {
		t.Fatal(err)
	}
	return path
}
