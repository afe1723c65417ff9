package readme

import (
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsflags/tlsflags/internal/testenv"
)

const recipes = "docs/recipes.md"

// TestRecipes compares the rows of each command in docs/recipes.md with those of the line of
// tshark and jq below it.
func TestRecipes(t *testing.T) {
	if testing.Short() {
		t.Skip("runs tshark")
	}
	if runtime.GOOS == "windows" {
		t.Skip("the commands are for a POSIX shell")
	}
	testenv.Program(t, "tshark", "tshark")
	testenv.Program(t, "jq", "jq")
	dir, env := folder(t, realTools)
	blocks := readBlocks(t, recipes)
	compared := 0
	for i, b := range blocks {
		if b.lang != "bash" {
			continue
		}
		if i == 0 || blocks[i-1].lang != "sh" {
			t.Fatalf("%s:%d: no sh block before this one", b.file, b.line)
		}
		compared++
		ours, theirs := rowsOf(t, blocks[i-1], dir, env), rowsOf(t, b, dir, env)
		if strings.Contains(blocks[i-1].text(), " -f csv ") && len(ours) > 0 {
			ours = ours[1:] // the header
		}
		slices.Sort(ours)
		slices.Sort(theirs)
		if diff := cmp.Diff(theirs, ours); diff != "" || len(ours) == 0 {
			t.Errorf("%s:%d: %d rows (-tshark +tlsflags):\n%s", b.file, b.line, len(ours), diff)
		}
	}
	if compared == 0 {
		t.Error(recipes + " has nothing to compare")
	}
}

// rowsOf runs a block, and returns the lines that it prints.
func rowsOf(t *testing.T, b block, dir string, env []string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-eu", "-c", b.text())
	cmd.Dir, cmd.Env = dir, env
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s:%d: %v", b.file, b.line, err)
	}
	return strings.FieldsFunc(string(out), func(r rune) bool { return r == '\n' })
}

// Most recipes are one command, without a pipe.
func TestRecipesAreShort(t *testing.T) {
	jobs, short := 0, 0
	for _, b := range readBlocks(t, recipes) {
		if b.lang != "sh" {
			continue
		}
		jobs++
		if len(b.lines) == 1 && !strings.Contains(b.text(), " | ") {
			short++
		}
	}
	if jobs < 20 || short < 14 {
		t.Errorf("%d recipes, %d of them without a pipe", jobs, short)
	}
}
