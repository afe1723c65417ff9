package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/tlsflags/tlsflags/internal/fuzzing"
)

// A function is a fuzz function, in a file fuzz_test.go of a folder.
type function struct {
	folder string // slash-separated, below the root of the repository
	name   string
}

var declaration = regexp.MustCompile(`(?m)^func (Fuzz\w+)\(f \*testing\.F\)`)

// findFunctions returns the fuzz functions of all modules of the repository.
func findFunctions(root fs.FS) (all []function, err error) {
	err = fs.WalkDir(root, ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && name != "." && (strings.HasPrefix(name, ".") || name == "testdata" || name == "build" || name == "node_modules") {
			return fs.SkipDir
		}
		if name != "fuzz_test.go" {
			return nil
		}
		source, err := fs.ReadFile(root, file)
		for _, m := range declaration.FindAllSubmatch(source, -1) {
			all = append(all, function{path.Dir(file), string(m[1])})
		}
		return err
	})
	return all, err
}

// byFolder yields the folders with the functions in each.
func byFolder(functions []function) iter.Seq2[string, []function] {
	return func(yield func(string, []function) bool) {
		for len(functions) > 0 {
			folder := functions[0].folder
			n := slices.IndexFunc(functions, func(f function) bool { return f.folder != folder })
			if n < 0 {
				n = len(functions)
			}
			if !yield(folder, functions[:n]) {
				return
			}
			functions = functions[n:]
		}
	}
}

// runTests runs all fuzz functions in a mode. The folders of a mode are absolute.
func runTests(w io.Writer, root string, functions []function, mode string, folders ...string) error {
	failed := false
	for folder := range byFolder(functions) {
		cmd := command(filepath.Join(root, folder), fuzzing.Environment(mode, folders...), "go", "test", "-count=1", "-run", "^Fuzz", ".")
		if out, err := cmd.CombinedOutput(); err != nil {
			failed = true
			fmt.Fprintf(w, "%s: %v\n%s", folder, err, out)
		}
	}
	if failed {
		return errors.New("there were failures")
	}
	return nil
}

// command runs in a folder, with a mode in its environment if one is given.
func command(folder, mode, name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir = folder
	if mode != "" {
		cmd.Env = append(os.Environ(), mode)
	}
	return cmd
}

// check tells of every input that a target fails on.
func check(w io.Writer, root string, functions []function, paths []string) error {
	var absolute []string
	for _, path := range paths {
		if _, err := os.Stat(path); err != nil {
			return err
		}
		path, err := filepath.Abs(path)
		if err != nil {
			return err
		}
		absolute = append(absolute, path)
	}
	if err := runTests(w, root, functions, fuzzing.Check, absolute...); err != nil {
		return err
	}
	fmt.Fprintf(w, "%d targets, no failures\n", len(functions))
	return nil
}

// module is the path of the root module; those of the other modules begin with it.
const module = "github.com/tlsflags/tlsflags"

// minimize writes to into/FUNCTION the inputs of the folders that from returns, as many
// as reach the same statements. The mode says which are tried first.
func minimize(w io.Writer, root string, functions []function, mode, into string, from func(folder string) []string) error {
	for folder, functions := range byFolder(functions) {
		directory := filepath.Join(root, folder)
		binary := filepath.Join(into, "fuzz.test")
		if out, err := command(directory, "", "go", "test", "-c", "-cover", "-coverpkg="+module+"/...", "-o", binary, ".").CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", folder, err, out)
		}
		environment := fuzzing.Environment(mode, append([]string{into}, from(folder)...)...)
		for _, f := range functions {
			if out, err := command(directory, environment, binary, "-test.run=^"+f.name+"$").CombinedOutput(); err != nil {
				return fmt.Errorf("%s: %w\n%s", f.name, err, out)
			}
			chosen, err := filepath.Glob(filepath.Join(into, f.name, "*"))
			if err != nil {
				return err
			}
			fmt.Fprintf(w, "%-24s %d inputs\n", f.name, len(chosen))
		}
	}
	return nil
}

// minimizeCorpus minimizes the seeds with what is in Go's cache, and takes the inputs that
// reach a statement which no shorter one reaches into the corpus.
func minimizeCorpus(w io.Writer, root string, functions []function, work string) error {
	cache, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		return err
	}
	all, chosen := filepath.Join(work, "all"), filepath.Join(work, "chosen")
	if err := runTests(w, root, functions, fuzzing.Export, all); err != nil {
		return err
	}
	from := func(folder string) []string {
		return []string{all, filepath.Join(strings.TrimSpace(string(cache)), "fuzz", module, folder)}
	}
	if err := minimize(w, root, functions, fuzzing.Minimize, chosen, from); err != nil {
		return err
	}
	return replace(filepath.Join(root, "corpus"), functions, chosen)
}

// choose lists the seeds that fuzzing starts from, of the functions that have too many.
func choose(w io.Writer, root string, functions []function, work string) error {
	all, short, few := filepath.Join(work, "all"), filepath.Join(work, "short"), filepath.Join(work, "few")
	if err := runTests(w, root, functions, fuzzing.Export, all); err != nil {
		return err
	}
	functions = slices.DeleteFunc(functions, func(f function) bool {
		files, _ := filepath.Glob(filepath.Join(all, f.name, "*")) // the pattern is well formed
		return len(files) <= fuzzing.MostSeeds
	})
	if err := minimize(io.Discard, root, functions, fuzzing.Minimize, short, func(string) []string { return []string{all} }); err != nil {
		return err
	}
	if err := minimize(w, root, functions, fuzzing.Reduce, few, func(string) []string { return []string{short} }); err != nil {
		return err
	}
	var list []byte
	for _, f := range functions {
		files, err := filepath.Glob(filepath.Join(few, f.name, "*"))
		if err != nil {
			return err
		}
		for _, file := range files {
			list = fmt.Appendf(list, "%s %s\n", f.name, filepath.Base(file))
		}
	}
	return os.WriteFile(filepath.Join(root, "internal", "fuzzing", "chosen.txt"), list, 0o644)
}
