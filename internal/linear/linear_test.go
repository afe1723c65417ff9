package linear

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/internal/oracle/assembletest"
)

func shapes() map[string]Shape {
	walk := func(n int) {
		for range assembletest.Chop(make([]byte, n), []byte{1}) {
		}
	}
	return map[string]Shape{
		"linear steps": {800, func(n int) func() { return func() { walk(n) } }},
		"square steps": {800, func(n int) func() {
			return func() {
				for range n {
					walk(n)
				}
			}
		}},
		"square bytes": {8000, func(n int) func() {
			return func() {
				s := ""
				for range n {
					s += "x"
				}
				walk(len(s))
			}
		}},
	}
}

const inner = "TLSFLAGS_LINEAR_INNER"

func TestInner(t *testing.T) {
	if os.Getenv(inner) == "" {
		t.Skip("for TestCheck")
	}
	Check(t, []string{"github.com/tlsflags/tlsflags/internal/oracle/assembletest"}, shapes())
}

func TestCheck(t *testing.T) {
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("no go command: ", err)
	}
	cmd := exec.Command(goTool, "test", "-count=1", "-v", "-run", "^TestInner$", ".")
	cmd.Env = append(os.Environ(), inner+"=1")
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Error("no error")
	}
	for name := range shapes() {
		failed := strings.Contains(string(out), "--- FAIL: TestInner/"+strings.ReplaceAll(name, " ", "_"))
		if failed != strings.HasPrefix(name, "square") {
			t.Errorf("%s: failed: %t\n%s", name, failed, out)
		}
	}
}
