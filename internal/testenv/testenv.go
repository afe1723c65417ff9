// Package testenv skips tests that need a program or a file that this machine does not
// have. With REQUIRE_ALL=1 in the environment, as in continuous integration, such tests
// fail instead.
package testenv

import (
	"os"
	"os/exec"
	"testing"
)

// Program returns the path of the named program or, if that is missing, of one of others.
// Without any of them it skips the test. pkg is the Debian package that has the program.
func Program(t *testing.T, name, pkg string, others ...string) string {
	t.Helper()
	for _, n := range append([]string{name}, others...) {
		if path, err := exec.LookPath(n); err == nil {
			return path
		}
	}
	missing(t, name, pkg)
	return ""
}

// File skips the test unless the named file exists. pkg is the Debian package that has it.
func File(t *testing.T, name, pkg string) {
	t.Helper()
	if _, err := os.Stat(name); err != nil {
		missing(t, name, pkg)
	}
}

func missing(t *testing.T, name, pkg string) {
	t.Helper()
	if os.Getenv("REQUIRE_ALL") == "1" {
		t.Fatalf("no %s (Debian: %s), and REQUIRE_ALL=1 forbids skipping", name, pkg)
	}
	t.Skipf("no %s (Debian: %s)", name, pkg)
}
