package fuzz

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestEveryTargetHasAFuzzFunction(t *testing.T) {
	source, err := os.ReadFile("fuzz_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var functions, targets []string
	for _, m := range regexp.MustCompile(`(?m)^func Fuzz(\w+)\(f \*testing\.F\) +\{ run\(f, "(\w+)"\) \}$`).FindAllSubmatch(source, -1) {
		if string(m[1]) != string(m[2]) {
			t.Errorf("Fuzz%s runs %s", m[1], m[2])
		}
		functions = append(functions, string(m[1]))
	}
	for _, target := range Targets() {
		targets = append(targets, target.Name)
	}
	if !slices.Equal(functions, targets) {
		t.Errorf("fuzz functions %q, targets %q", functions, targets)
	}
}

// OSS-Fuzz looks for a function by the start of its declaration, and builds none of those
// that have a name in common.
func TestNoTargetBeginsLikeAnother(t *testing.T) {
	for _, a := range Targets() {
		for _, b := range Targets() {
			if a.Name != b.Name && strings.HasPrefix(b.Name, a.Name) {
				t.Errorf("%s begins with %s", b.Name, a.Name)
			}
		}
	}
}

func TestEveryTargetHasSeeds(t *testing.T) {
	for _, target := range Targets() {
		n := 0
		for range target.Seeds() {
			n++
		}
		if n < 8 {
			t.Errorf("%s has %d seeds", target.Name, n)
		}
	}
}
