//go:build mutants

package mutants

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/template"
)

const module = "github.com/tlsflags/tlsflags"

// copied are, for each package with a bug, the packages that have to be copied with
// it: those that import it, up to the one that runs the vectors.
var copied = map[string][]string{
	"extension":              {"extension", "internal/wire", "handshake", "rules", "clienthello", "clienthello/assemble", "vectors/internal/check"},
	"internal/wire":          {"internal/wire", "handshake", "rules", "clienthello", "vectors/internal/check"},
	"clienthello":            {"clienthello", "vectors/internal/check"},
	"clienthello/assemble":   {"clienthello/assemble", "vectors/internal/check"},
	"handshake":              {"handshake", "rules", "vectors/internal/check"},
	"rules":                  {"rules", "vectors/internal/check"},
	"vectors/internal/check": {"vectors/internal/check"},
}

// TestVectorsCatchBugs builds all copies into one program, by an overlay: nothing is
// written into the tree.
func TestVectorsCatchBugs(t *testing.T) {
	root, err := filepath.Abs(filepath.Join("..", "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	o := overlay{root: root, dir: t.TempDir(), replace: map[string]string{}}
	var imports []string
	for i, b := range bugs {
		imports = append(imports, o.add(t, i, b))
	}
	caught := o.run(t, imports)
	for i, b := range bugs {
		switch ids := caught[i]; {
		case len(ids) == 0:
			t.Errorf("%s: no vector catches it", b.name)
		case !ids[b.caughtBy]:
			t.Errorf("%s: %q does not catch it; these do: %s", b.name, b.caughtBy, some(ids))
		}
	}
}

// some lists a few ids, the shortest first.
func some(ids map[string]bool) string {
	list := slices.SortedFunc(maps.Keys(ids), func(a, b string) int {
		return cmp.Or(len(a)-len(b), strings.Compare(a, b))
	})
	return strings.Join(list[:min(len(list), 5)], " ")
}

// An overlay has files that only the go command sees.
type overlay struct {
	root, dir string
	replace   map[string]string // path in the tree -> file in dir
}

// add copies the packages of bug i, with the bug, and returns the import path of the
// one that runs the vectors.
func (o *overlay) add(t *testing.T, i int, b bug) string {
	t.Helper()
	base := fmt.Sprintf("vectors/internal/mutants/m%d/", i)
	packages := copied[filepath.ToSlash(filepath.Dir(b.file))]
	found := false
	for _, p := range packages {
		files, err := filepath.Glob(filepath.Join(o.root, filepath.FromSlash(p), "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			text := string(data)
			if p+"/"+filepath.Base(name) == b.file {
				found = true
				if n := strings.Count(text, b.old); n != 1 {
					t.Fatalf("%s: %s has %q %d times; put the bug in another way", b.name, b.file, b.old, n)
				}
				text = strings.Replace(text, b.old, b.new, 1)
			}
			for _, other := range packages {
				text = strings.ReplaceAll(text, `"`+module+"/"+other+`"`, `"`+module+"/"+base+unsealed(other)+`"`)
			}
			o.write(t, base+unsealed(p)+"/"+filepath.Base(name), text)
		}
	}
	if !found {
		t.Fatalf("%s: there is no file %s", b.name, b.file)
	}
	return module + "/" + base + unsealed("vectors/internal/check")
}

// unsealed is a path that others may import.
func unsealed(path string) string { return strings.ReplaceAll(path, "internal/", "") }

// write puts a file into the overlay.
func (o *overlay) write(t *testing.T, path, text string) {
	t.Helper()
	name := filepath.Join(o.dir, fmt.Sprintf("%d.go", len(o.replace)))
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	o.replace[filepath.Join(o.root, filepath.FromSlash(path))] = name
}

var program = template.Must(template.New("").Parse(`package main

import (
	"fmt"
	"os"
	"sync"

	"github.com/tlsflags/tlsflags/vectors"
{{range $i, $path := .}}	m{{$i}} "{{$path}}"
{{end}})

var checks = []func(*vectors.Group[vectors.Test], vectors.Test) error{
{{range $i, $path := .}}	m{{$i}}.Test,
{{end}}}

func caught(check func(*vectors.Group[vectors.Test], vectors.Test) error, g *vectors.Group[vectors.Test], t vectors.Test) (yes bool) {
	defer func() { yes = recover() != nil || yes }()
	return check(g, t) != nil
}

func main() {
	var files []vectors.File[vectors.Test]
	for _, k := range vectors.Kinds() {
		f, err := vectors.Load(k)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		files = append(files, f)
	}
	var all sync.WaitGroup
	out := make([][]string, len(checks))
	for i, check := range checks {
		all.Go(func() {
			for _, f := range files {
				for g, t := range f.All() {
					if caught(check, g, t) {
						out[i] = append(out[i], t.Shared().ID)
					}
				}
			}
		})
	}
	all.Wait()
	for i, ids := range out {
		for _, id := range ids {
			fmt.Println(i, id)
		}
	}
}
`))

// run builds and runs the program, and returns the ids that caught each bug.
func (o *overlay) run(t *testing.T, imports []string) []map[string]bool {
	t.Helper()
	var source bytes.Buffer
	if err := program.Execute(&source, imports); err != nil {
		t.Fatal(err)
	}
	o.write(t, "vectors/internal/mutants/run/main.go", source.String())
	text, err := json.Marshal(map[string]any{"Replace": o.replace})
	if err != nil {
		t.Fatal(err)
	}
	list, binary := filepath.Join(o.dir, "overlay.json"), filepath.Join(o.dir, "run.exe")
	if err := os.WriteFile(list, text, 0o666); err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-overlay", list, "-gcflags=-N -l", "-ldflags=-s -w", "-o", binary, module+"/vectors/internal/mutants/run")
	build.Dir = o.root
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	output, err := exec.Command(binary).Output()
	if err != nil {
		t.Fatal(err)
	}
	caught := make([]map[string]bool, len(bugs))
	for i := range caught {
		caught[i] = map[string]bool{}
	}
	for lines := bufio.NewScanner(bytes.NewReader(output)); lines.Scan(); {
		var i int
		var id string
		if _, err := fmt.Sscan(lines.Text(), &i, &id); err != nil {
			t.Fatal(err)
		}
		caught[i][id] = true
	}
	return caught
}
