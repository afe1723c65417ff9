// Package needs skips tests that need programs which are not there. With REQUIRE_ALL=1
// in the environment, as in continuous integration, they fail instead.
package needs

import (
	"os"
	"os/exec"
	"testing"
)

// Program skips the test unless the named program is there, or another that does as
// well, and returns its path. pkg is the Debian package that has it.
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

// File skips the test unless there is a file of this name.
func File(t *testing.T, name, pkg string) {
	t.Helper()
	if _, err := os.Stat(name); err != nil {
		missing(t, name, pkg)
	}
}

func missing(t *testing.T, name, pkg string) {
	t.Helper()
	if os.Getenv("REQUIRE_ALL") == "1" {
		t.Fatalf("no %s (Debian: %s), and REQUIRE_ALL=1 lets nothing be skipped", name, pkg)
	}
	t.Skipf("no %s (Debian: %s)", name, pkg)
}
