package readme

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/cli"
	"github.com/tlsflags/tlsflags/internal/testenv"
)

func readREADME(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(testenv.Root(t), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// Every package that others can import has a row, and so has the command.
func TestEveryPackageHasARow(t *testing.T) {
	testenv.Program(t, "go", "golang")
	readme := readREADME(t)
	list := exec.CommandContext(t.Context(), "go", "list", "-f", "{{if .GoFiles}}{{.ImportPath}}{{end}}", "./...")
	list.Dir = testenv.Root(t)
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for path := range strings.Lines(string(out)) {
		dir, ok := strings.CutPrefix(strings.TrimSpace(path), "github.com/tlsflags/tlsflags/")
		if !ok || strings.Contains("/"+dir+"/", "/internal/") || strings.HasPrefix(dir, "fuzz/") || strings.HasPrefix(dir, "examples/") {
			continue // internal, a tool of the fuzz targets, or an example
		}
		if !strings.Contains(readme, "\n| ["+dir+"]("+dir+") | ") {
			t.Errorf("README.md: no row of the packages for %s", dir)
		}
	}
}

func TestEveryCommandHasARow(t *testing.T) {
	readme := readREADME(t)
	var out strings.Builder
	if code := cli.Run(t.Context(), []string{"__completeNoDesc", ""}, strings.NewReader(""), &out, &strings.Builder{}); code != 0 {
		t.Fatalf("the completion of commands exits with %d", code)
	}
	found := 0
	for line := range strings.Lines(out.String()) {
		name := strings.TrimSpace(line)
		switch {
		case name == "", strings.HasPrefix(name, ":"), name == "help", name == "completion":
			continue
		}
		found++
		if !strings.Contains(readme, "\n| `tlsflags "+name) {
			t.Errorf("README.md: no row of the commands for tlsflags %s", name)
		}
	}
	if found == 0 {
		t.Errorf("the command has no commands:\n%s", out.String())
	}
}

var (
	inlineLink = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	notInSlug  = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

var makeTarget = regexp.MustCompile("`(?:[A-Z_]+=\\S+ )*make ([a-z-]+)")

// Every target of make that a Markdown file names is in the Makefile.
func TestMakeTargets(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join(testenv.Root(t), "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	eachMarkdown(t, func(path, text string) {
		for _, match := range makeTarget.FindAllStringSubmatch(text, -1) {
			found++
			if !strings.Contains(string(makefile), "\n"+match[1]+":") {
				t.Errorf("%s: the Makefile has no %s", path, match[1])
			}
		}
	})
	if found == 0 {
		t.Error("no file names a target")
	}
}

// Every link from one file of the repository to another leads somewhere, in all its
// Markdown files.
func TestLinks(t *testing.T) {
	eachMarkdown(t, func(path, text string) {
		for _, match := range inlineLink.FindAllStringSubmatch(text, -1) {
			if target := match[1]; !strings.Contains(target, "://") && !leadsSomewhere(path, target) {
				t.Errorf("%s: dead link %s", path, target)
			}
		}
	})
}

// A table has a header in every column, in all Markdown files.
func TestTableHeaders(t *testing.T) {
	rule := regexp.MustCompile(`^\|[ |:-]+\|$`)
	empty := regexp.MustCompile(`\|\s*\|`)
	eachMarkdown(t, func(path, text string) {
		lines := strings.Split(text, "\n")
		for i := 1; i < len(lines); i++ {
			if rule.MatchString(lines[i]) && strings.Contains(lines[i], "-") && empty.MatchString(lines[i-1]) {
				t.Errorf("%s:%d: a column has no header", path, i)
			}
		}
	})
}

// Console examples are in fenced blocks, which TestCommands runs.
func TestConsoleBlocksAreFenced(t *testing.T) {
	indented := regexp.MustCompile(`(?m)^    (tlsflags|go run|curl|make|python3) .*`)
	eachMarkdown(t, func(path, text string) {
		dir := filepath.Base(filepath.Dir(path))
		if dir != "docs" && path != filepath.Join(testenv.Root(t), "README.md") && dir != "vectors" {
			return
		}
		if line := indented.FindString(text); line != "" {
			t.Errorf("%s: no fence around %q", path, line)
		}
	})
}

// eachMarkdown calls check for every Markdown file of the repository.
func eachMarkdown(t *testing.T, check func(path, text string)) {
	t.Helper()
	err := filepath.WalkDir(testenv.Root(t), func(path string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() && (d.Name() == ".git" || d.Name() == "testdata" || d.Name() == "build" || d.Name() == "node_modules") {
			return filepath.SkipDir
		}
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".md") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		check(path, string(text))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// leadsSomewhere reports whether there is the file that a link in another one names, and
// in it the heading, if it names one.
func leadsSomewhere(from, link string) bool {
	file, heading, hasHeading := strings.Cut(link, "#")
	target := from
	if file != "" {
		target = filepath.Join(filepath.Dir(from), filepath.FromSlash(file))
	}
	if !hasHeading {
		_, err := os.Stat(target)
		return err == nil
	}
	text, err := os.ReadFile(target)
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(text)) {
		if title := strings.TrimLeft(line, "#"); title != line && slug(title) == heading {
			return true
		}
	}
	return false
}

// slug is the name that a heading has in links.
func slug(title string) string {
	title = notInSlug.ReplaceAllString(strings.ToLower(strings.TrimSpace(title)), "")
	return strings.ReplaceAll(title, " ", "-")
}
