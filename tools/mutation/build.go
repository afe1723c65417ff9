package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"golang.org/x/tools/go/packages"
)

//go:embed schemata.go.txt
var schemata string

// A program is a package with all of its mutants, and the tests that run them.
type program struct {
	mutants  []mutant
	variable string // of the environment, with the number of a mutant
	suites   []*suite
	left     []string // lines of which mutants do not compile
}

func load(ctx context.Context, folder string) (*packages.Package, error) {
	list, err := packages.Load(&packages.Config{
		Mode:    packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedSyntax | packages.NeedTypes | packages.NeedTypesInfo | packages.NeedImports | packages.NeedDeps,
		Context: ctx,
		Dir:     folder,
	}, ".")
	if err != nil {
		return nil, err
	}
	if len(list) != 1 || len(list[0].Errors) > 0 {
		return nil, fmt.Errorf("%s: %d packages, %v", folder, len(list), list[0].Errors)
	}
	return list[0], nil
}

// build writes the mutants of the package in a folder to a temporary one, and builds its
// tests and those of other folders with them. The tree is not changed.
func build(ctx context.Context, folder string, others []string, work string) (*program, error) {
	pkg, err := load(ctx, folder)
	if err != nil {
		return nil, err
	}
	p := &program{variable: "MUTANT_" + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, pkg.PkgPath)}
	overlay := filepath.Join(work, "overlay.json")
	skip := make(map[string]bool)
	for {
		if p.mutants, err = writeMutants(pkg, folder, work, overlay, p.variable, skip); err != nil {
			return nil, err
		}
		out, err := goCommand(ctx, folder, "build", "-overlay", overlay, "-gcflags=-e", ".").CombinedOutput()
		if err == nil {
			break
		}
		bad := 0
		for _, m := range errorLine.FindAllStringSubmatch(string(out), -1) {
			if line := filepath.Base(m[1]) + ":" + m[2]; !skip[line] {
				skip[line] = true
				bad++
				p.left = append(p.left, line+": "+m[3])
			}
		}
		if bad == 0 {
			return nil, fmt.Errorf("%w\n%s", err, out)
		}
	}
	for i, f := range append([]string{folder}, others...) {
		s := &suite{folder: f, binary: filepath.Join(work, fmt.Sprintf("tests%d", i))}
		if out, err := goCommand(ctx, f, "test", "-c", "-vet=off", "-overlay", overlay, "-o", s.binary, ".").CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%s: %w\n%s", f, err, out)
		}
		if _, err := os.Stat(s.binary); errors.Is(err, os.ErrNotExist) {
			continue // no tests
		}
		p.suites = append(p.suites, s)
	}
	return p, nil
}

var errorLine = regexp.MustCompile(`(?m)^(\S+\.go):(\d+):\d+: (.*)$`)

func goCommand(ctx context.Context, folder string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = folder
	return cmd
}

// writeMutants writes the rewritten files and an overlay that puts them into the package.
func writeMutants(pkg *packages.Package, folder, work, overlay, variable string, skip map[string]bool) ([]mutant, error) {
	m := &mutator{pkg: pkg, skip: skip}
	replace := make(map[string]string)
	write := func(name, text string) error {
		file := filepath.Join(work, name)
		replace[filepath.Join(folder, name)] = file
		return os.WriteFile(file, []byte(text), 0o644)
	}
	for i, file := range pkg.Syntax {
		path := pkg.CompiledGoFiles[i]
		if ast.IsGenerated(file) || filepath.Dir(path) != folder {
			continue
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if err := write(filepath.Base(path), m.rewrite(file, filepath.Base(path), source)); err != nil {
			return nil, err
		}
	}
	helper := strings.NewReplacer("PACKAGEPATH", strings.TrimPrefix(variable, "MUTANT_"), "PACKAGE", pkg.Name, "MUTANTS", fmt.Sprint(len(m.mutants))).Replace(schemata)
	if err := write("mutant_schemata.go", helper); err != nil {
		return nil, err
	}
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return nil, err
	}
	return m.mutants, os.WriteFile(overlay, data, 0o644)
}
