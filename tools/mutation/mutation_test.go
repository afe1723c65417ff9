package main

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func report(t *testing.T, o options) []string {
	t.Helper()
	t.Setenv("GOWORK", "off") // the sample is a module of its own
	var out bytes.Buffer
	if _, err := mutate(&out, "testdata/sample", o); err != nil {
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
	if counts := lines[len(lines)-2]; !strings.Contains(counts, "1 survived, 7 unreached, 2 equivalent") {
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
	p, err := build(abs(t, "testdata/forms"), nil, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if len(p.left) > 0 || len(p.mutants) < 60 {
		t.Errorf("%d mutants, and left out: %q", len(p.mutants), p.left)
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
