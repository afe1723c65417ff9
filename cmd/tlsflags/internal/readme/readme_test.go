package readme

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

var root = filepath.Join("..", "..")

// A block is one fenced block of a file.
type block struct {
	file  string // in root
	line  int    // of the opening fence
	lang  string // what stands after it
	lines []string
}

func (b block) text() string { return strings.Join(b.lines, "\n") }

func readBlocks(t *testing.T, name string) []block {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	var blocks []block
	open := false
	for i, line := range strings.Split(string(data), "\n") {
		lang, fence := strings.CutPrefix(line, "```")
		switch {
		case fence && !open:
			blocks = append(blocks, block{file: name, line: i + 1, lang: lang})
			open = true
		case fence:
			open = false
		case open:
			last := &blocks[len(blocks)-1]
			last.lines = append(last.lines, line)
		}
	}
	if open {
		t.Fatalf("%s:%d: the block is not closed", name, blocks[len(blocks)-1].line)
	}
	return blocks
}

// replaced are the commands that the test itself is a part of, or that take too
// long, with what is run in their place: make then only says what it would do,
// which needs the target and everything it depends on to exist.
var replaced = strings.NewReplacer(
	"make test", "make -n test",
	"make bench", "make -n bench",
)

// outsideMake returns the environment without what a make that runs this test passes on:
// a make below it would print which directory it enters.
func outsideMake() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return name == "MAKEFLAGS" || name == "MFLAGS" || name == "MAKELEVEL"
	})
}

func TestCommands(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the command")
	}
	if runtime.GOOS == "windows" {
		t.Skip("the README's commands are for a POSIX shell")
	}
	for _, test := range []struct {
		file  string
		needs []string
	}{
		{"README.md", []string{"sh", "make"}},
		{"vectors/README.md", []string{"sh", "python3"}},
	} {
		t.Run(test.file, func(t *testing.T) {
			for _, tool := range test.needs {
				if _, err := exec.LookPath(tool); err != nil {
					t.Skip("needs ", tool)
				}
			}
			runBlocks(t, readBlocks(t, test.file))
		})
	}
}

// runBlocks runs the commands in the folder of the file that has them.
func runBlocks(t *testing.T, blocks []block) {
	for i, b := range blocks {
		if b.lang != "sh" {
			continue
		}
		cmd := exec.CommandContext(t.Context(), "sh", "-eux", "-c", replaced.Replace(b.text()))
		cmd.Dir = filepath.Join(root, filepath.Dir(b.file))
		cmd.Env = outsideMake()
		var stderr strings.Builder
		cmd.Stderr = &stderr
		stdout, err := cmd.Output()
		if err != nil {
			t.Errorf("%s:%d: %v\n%s%s", b.file, b.line, err, stdout, stderr.String())
			continue
		}
		if i+1 < len(blocks) && blocks[i+1].lang == "text" {
			checkOutput(t, blocks[i+1], string(stdout))
		}
	}
}

// checkOutput reports the first line of want that is not in got where it should be.
func checkOutput(t *testing.T, want block, got string) {
	t.Helper()
	rest := strings.Split(strings.TrimRight(got, "\n"), "\n")
	anywhere := false
	for i, line := range want.lines {
		if line == "..." {
			anywhere = true
			continue
		}
		at := 0
		for anywhere && at < len(rest) && rest[at] != line {
			at++
		}
		if at >= len(rest) || rest[at] != line {
			t.Errorf("%s:%d: the command does not print this line here:\n%s\nIt prints:\n%s", want.file, want.line+1+i, line, got)
			return
		}
		rest, anywhere = rest[at+1:], false
	}
	if len(rest) > 0 && !anywhere {
		t.Errorf("%s:%d: the command prints more than the block shows:\n%s", want.file, want.line, strings.Join(rest, "\n"))
	}
}

func TestGoBlocksAreExamples(t *testing.T) {
	examples := readExamples(t)
	for _, b := range readBlocks(t, "README.md") {
		if b.lang == "go" && examples[strings.TrimSpace(b.text())] == "" {
			t.Errorf("README.md:%d: no Example function has this body:\n%s", b.line, b.text())
		}
	}
}

// readExamples returns the positions of all Example functions of the module, by
// their bodies.
func readExamples(t *testing.T) map[string]string {
	t.Helper()
	examples := make(map[string]string)
	fset := token.NewFileSet()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() && d.Name() == ".git" {
			return filepath.SkipDir
		}
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(fset, path, src, 0)
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Recv != nil || !strings.HasPrefix(fn.Name.Name, "Example") {
				continue
			}
			body := string(src[fset.Position(fn.Body.Lbrace).Offset+1 : fset.Position(fn.Body.Rbrace).Offset])
			examples[unindent(body)] = fset.Position(fn.Pos()).String()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(examples) == 0 {
		t.Fatal("found no Example functions")
	}
	return examples
}

// unindent removes one tab from each line, and empty lines around.
func unindent(body string) string {
	return strings.TrimSpace(strings.ReplaceAll("\n"+body, "\n\t", "\n"))
}
