package testenv

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// ImportsNothingInternal checks that no package of the module that the test is in imports
// one from internal/ of the root module, which may change in any version. Tests may, and
// so may the public packages of the root module.
func ImportsNothingInternal(t *testing.T) {
	t.Helper()
	for _, goos := range []string{"linux", "windows"} {
		list := exec.Command("go", "list", "-f", "{{range .Imports}}{{$.ImportPath}} imports {{.}}\n{{end}}", "./...")
		list.Env = append(os.Environ(), "GOOS="+goos)
		list.Stderr = os.Stderr
		out, err := list.Output()
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(out), " imports github.com/tlsflags/tlsflags/extension\n") {
			t.Fatalf("not the imports of this module:\n%s", out)
		}
		for line := range strings.Lines(string(out)) {
			if strings.Contains(line, " imports github.com/tlsflags/tlsflags/internal/") {
				t.Errorf("on %s, %s", goos, line)
			}
		}
	}
}
