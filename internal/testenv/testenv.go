// Package testenv skips tests that need what this machine does not have. With
// REQUIRE_ALL=1 in the environment, as in continuous integration, they fail instead.
package testenv

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// versions has the arguments that make a program say its version, if they are not
// --version. Without arguments the program is not run.
var versions = map[string][]string{
	"go":       {"version"},
	"openssl":  {"version"},
	"sh":       {"-c", ":"},
	"certutil": nil,
}

// Program skips the test unless the named program, or one of others, runs, and returns
// its path. pkg is the Debian package that has it. A program that is there may still not
// run: without a toolchain, the rustc of rustup only fails.
func Program(t *testing.T, name, pkg string, others ...string) string {
	t.Helper()
	for _, n := range append([]string{name}, others...) {
		if path, err := exec.LookPath(n); err == nil && runs(path, n) {
			return path
		}
	}
	Skip(t, "no "+name+" that runs (Debian: "+pkg+")")
	return ""
}

func runs(path, name string) bool {
	args, ok := versions[name]
	if !ok {
		args = []string{"--version"}
	}
	return args == nil || exec.Command(path, args...).Run() == nil
}

// File skips the test unless there is a file of this name.
func File(t *testing.T, name, pkg string) {
	t.Helper()
	if _, err := os.Stat(name); err != nil {
		Skip(t, "no "+name+" (Debian: "+pkg+")")
	}
}

// Skip skips the test for a reason that another machine would not have.
func Skip(t *testing.T, reason string) {
	t.Helper()
	if os.Getenv("REQUIRE_ALL") == "1" {
		t.Fatalf("%s, and REQUIRE_ALL=1 lets nothing be skipped", reason)
	}
	t.Skip(reason)
}

// Root returns the root of the repository, the closest folder above the test with a
// CHANGELOG.md.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "CHANGELOG.md")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("the test does not run in a checkout of the repository")
		}
		dir = parent
	}
}
