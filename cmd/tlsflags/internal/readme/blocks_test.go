package readme

import (
	"bufio"
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/cli"
	"github.com/tlsflags/tlsflags/internal/testenv"
)

// A block is one fenced block of a file.
type block struct {
	file  string // in root
	line  int    // of the opening fence
	lang  string // what follows the fence
	lines []string
}

func (b block) text() string { return strings.Join(b.lines, "\n") }

func readBlocks(t *testing.T, name string) []block {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(testenv.Root(t), name))
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

// replaced has the commands that are not run, and what is run instead. make -n only needs
// the target and all that it depends on to exist, and go install -n builds nothing.
var replaced = strings.NewReplacer(
	"make test", "make -n test",
	"make bench", "make -n bench",
	"go install", "go install -n",
	"--report page.html", "--help", // it would be in the checkout
)

// replacedInDocs has those of docs/: they need another host, a network interface or another
// program, or don't end. Before --help, the options are parsed.
var replacedInDocs = strings.NewReplacer(
	"tlsflags serve ", "tlsflags serve --help ",
	"tlsflags inspect -i ", "tlsflags inspect --help -i ",
	"tlsflags inspect --follow ", "tlsflags inspect --help --follow ",
	"tlsflags probe example.com:443 ", "tlsflags probe --help example.com:443 ",
	"tlsflags vectors run ", "tlsflags vectors run --help ",
)

// environment returns the environment without what a make that runs this test passes on: a
// make below it would print which directory it enters. The documents show a screen of 80 columns.
func environment() []string {
	others := slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return name == "MAKEFLAGS" || name == "MFLAGS" || name == "MAKELEVEL" || name == "COLUMNS"
	})
	return append(others, "COLUMNS=80")
}

// TestCommands runs the console blocks of README.md, vectors/README.md and docs. The
// examples in the help of the commands are in docs/cli.md.
func TestCommands(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the command")
	}
	if runtime.GOOS == "windows" {
		t.Skip("the commands are for a POSIX shell")
	}
	root := testenv.Root(t)
	testenv.Program(t, "sh", "dash")
	t.Run("README.md", func(t *testing.T) {
		testenv.Program(t, "make", "make")
		_, env := folder(t, nil)
		runBlocks(t, readBlocks(t, "README.md"), root, replaced, env)
	})
	t.Run("vectors/README.md", func(t *testing.T) {
		testenv.Program(t, "python3", "python3")
		runBlocks(t, readBlocks(t, "vectors/README.md"), filepath.Join(root, "vectors"), replaced, environment())
	})
	docs, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil || len(docs) == 0 {
		t.Fatalf("no documents: %v", err)
	}
	for _, path := range docs {
		name := "docs/" + filepath.Base(path)
		t.Run(name, func(t *testing.T) { runDocument(t, readBlocks(t, name)) })
	}
}

// runDocument runs blocks in a folder with the files and the server that they talk about.
func runDocument(t *testing.T, blocks []block) {
	if !slices.ContainsFunc(blocks, func(b block) bool { return b.lang == "sh" }) {
		return
	}
	if slices.ContainsFunc(blocks, func(b block) bool { return b.lang == "sh" && strings.HasPrefix(b.text(), "openssl ") }) {
		testenv.Program(t, "openssl", "openssl")
	}
	var real []string
	if blocks[0].file == recipes {
		testenv.Program(t, "jq", "jq")
		real = realTools
	}
	dir, env := folder(t, real)
	addr := serve(t, filepath.Join(dir, "demo"))
	for i, b := range blocks {
		if b.lang == "sh" {
			for j, line := range b.lines {
				blocks[i].lines[j] = strings.ReplaceAll(line, "127.0.0.1:8443", addr)
			}
		}
	}
	runBlocks(t, blocks, dir, replacedInDocs, env)
}

// folder makes a folder with the files of the documents, and returns the environment in
// which commands find tools, or the real ones if they are installed.
func folder(t *testing.T, real []string) (dir string, env []string) {
	t.Helper()
	dir, bin := t.TempDir(), t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name := range tools {
		if _, err := exec.LookPath(name); err != nil || !slices.Contains(real, name) {
			link(t, self, filepath.Join(bin, name))
		}
	}
	root := testenv.Root(t)
	link(t, filepath.Join(root, "corpus"), filepath.Join(dir, "corpus"))
	link(t, filepath.Join(root, "corpus", "captures", "demo.pcapng"), filepath.Join(dir, "a.pcap"))
	return dir, append(environment(), "PATH="+bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
}

func link(t *testing.T, target, name string) {
	t.Helper()
	if err := os.Symlink(target, name); err != nil {
		t.Fatal(err)
	}
}

// serve runs tlsflags serve --dir until the test ends, and returns where it listens.
func serve(t *testing.T, dir string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	stdout, w := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- cli.Run(ctx, []string{"serve", "--dir", dir, "--listen", "127.0.0.1:0", "--quiet"}, strings.NewReader(""), w, io.Discard)
		w.Close()
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	addr, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on https://")
	if err != nil || !ok {
		t.Fatalf("serve prints %q, %v", line, err)
	}
	return addr
}

// runBlocks runs each block of commands in a folder. The commands must succeed, and print
// the text block that follows, if there is one.
func runBlocks(t *testing.T, blocks []block, dir string, replaced *strings.Replacer, env []string) {
	for i, b := range blocks {
		if b.lang != "sh" {
			continue
		}
		cmd := exec.CommandContext(t.Context(), "sh", "-eux", "-c", replaced.Replace(b.text()))
		cmd.Dir, cmd.Env = dir, env
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

// TestGoBlocksAreFromPrograms checks that each go block of docs/operating.md is in a program
// of examples, which has tests.
func TestGoBlocksAreFromPrograms(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(testenv.Root(t), "examples", "operating", "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no program: %v", err)
	}
	var source strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		source.Write(text)
	}
	found := 0
	for _, b := range readBlocks(t, "docs/operating.md") {
		if b.lang != "go" {
			continue
		}
		found++
		if !strings.Contains(source.String(), "\n"+b.text()+"\n") {
			t.Errorf("%s:%d: not in examples/operating:\n%s", b.file, b.line, b.text())
		}
	}
	if found == 0 {
		t.Error("docs/operating.md has no Go code")
	}
}

// readExamples returns the positions of all Example functions of the module, by
// their bodies.
func readExamples(t *testing.T) map[string]string {
	t.Helper()
	examples := make(map[string]string)
	fset := token.NewFileSet()
	err := filepath.WalkDir(testenv.Root(t), func(path string, d fs.DirEntry, err error) error {
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
