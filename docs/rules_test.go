// Package docs_test compares the documents with the code that they describe.
package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// testName matches how a row of rules.md names a test: `package` Test or
// `package` Test/`subtest`.
var testName = regexp.MustCompile("`([a-z0-9/]+)` (Test[A-Za-z0-9]+)(?:/`([^`]+)`)?")

// TestRulesNameTests checks that each row of rules.md names tests that exist, or says why
// there is none.
func TestRulesNameTests(t *testing.T) {
	data, err := os.ReadFile("rules.md")
	if err != nil {
		t.Fatal(err)
	}
	packages := make(map[string]map[string][]string)
	rows := 0
	for i, line := range strings.Split(string(data), "\n") {
		cells := strings.Split(line, "|")
		if len(cells) != 5 || strings.HasPrefix(cells[1], "---") || strings.TrimSpace(cells[3]) == "test" {
			continue
		}
		rows++
		names := testName.FindAllStringSubmatch(cells[3], -1)
		if len(names) == 0 && !strings.Contains(cells[3], "not checkable: ") {
			t.Errorf("rules.md:%d names no test and no reason", i+1)
		}
		if rest := testName.ReplaceAllString(cells[3], ""); strings.Contains(rest, "`") {
			t.Errorf("rules.md:%d names a test in another form: %s", i+1, rest)
		}
		for _, name := range names {
			pkg, test, sub := name[1], name[2], name[3]
			if packages[pkg] == nil {
				packages[pkg] = testsOf(t, filepath.Join("..", filepath.FromSlash(pkg)))
			}
			texts, ok := packages[pkg][test]
			if !ok {
				t.Errorf("rules.md:%d: package %s has no %s", i+1, pkg, test)
			}
			if ok && sub != "" && !slices.Contains(texts, sub) {
				t.Errorf("rules.md:%d: %s of package %s has no row %q", i+1, test, pkg, sub)
			}
		}
	}
	if rows < 50 {
		t.Errorf("%d rows, the table was not read", rows)
	}
}

// testsOf returns the test functions of a package with the string literals in them.
func testsOf(t *testing.T, dir string) map[string][]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no tests in %s: %v", dir, err)
	}
	tests := make(map[string][]string)
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv != nil || f.Body == nil {
				continue
			}
			tests[f.Name.Name] = []string{}
			ast.Inspect(f.Body, func(n ast.Node) bool {
				if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
					if s, err := strconv.Unquote(l.Value); err == nil {
						tests[f.Name.Name] = append(tests[f.Name.Name], s)
					}
				}
				return true
			})
		}
	}
	return tests
}
