// Command api writes the exported API of the modules that users import to api/, one
// file for each package and one line for each constant, variable, function, type, field
// and method, methods of embedded fields included. Run it in the root of the repository:
//
//	go run ./tools/api
//
// A test compares the files with the code, so that a change of the API is a line in a
// diff.
package main

import (
	"flag"
	"fmt"
	"go/types"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

const root = "github.com/tlsflags/tlsflags/"

// modules are the folders, relative to the root, of the modules that users import.
var modules = []string{".", "capture", "reqmtls/client"}

func main() {
	log.SetFlags(0)
	flag.Parse()
	files, err := describe(".")
	if err != nil {
		log.Fatal(err)
	}
	if err := os.RemoveAll("api"); err != nil {
		log.Fatal(err)
	}
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			log.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			log.Fatal(err)
		}
	}
}

// describe returns the content of each API file, by its path in the repository at dir.
func describe(dir string) (map[string]string, error) {
	var patterns []string
	for _, module := range modules {
		patterns = append(patterns, "./"+module+"/...")
	}
	pkgs, err := packages.Load(&packages.Config{
		Mode: packages.NeedName | packages.NeedTypes | packages.NeedImports | packages.NeedDeps,
		Dir:  dir,
		Env:  append(os.Environ(), "GOWORK="), // the modules are those of go.work
	}, patterns...)
	if err != nil {
		return nil, err
	}
	files := make(map[string]string)
	for _, pkg := range pkgs {
		for _, err := range pkg.Errors {
			return nil, err
		}
		if pkg.Name == "main" || strings.Contains(pkg.PkgPath+"/", "/internal/") {
			continue
		}
		if lines := exported(pkg.Types); len(lines) > 0 {
			name := filepath.Join("api", filepath.FromSlash(strings.TrimPrefix(pkg.PkgPath, root))+".txt")
			files[name] = strings.Join(lines, "\n") + "\n"
		}
	}
	return files, nil
}

// exported returns a line for each exported thing of a package, sorted.
func exported(pkg *types.Package) []string {
	qualify := func(other *types.Package) string {
		if other == pkg {
			return ""
		}
		return other.Name()
	}
	var lines []string
	scope := pkg.Scope()
	for _, name := range scope.Names() {
		object := scope.Lookup(name)
		if !object.Exported() {
			continue
		}
		switch object := object.(type) {
		case *types.Const:
			lines = append(lines, types.ObjectString(object, qualify)+" = "+object.Val().ExactString())
		case *types.TypeName:
			lines = append(lines, typeLines(object, qualify)...)
		default:
			lines = append(lines, types.ObjectString(object, qualify))
		}
	}
	slices.Sort(lines)
	return lines
}

// typeLines returns the lines of a type: its kind, exported fields and method set.
func typeLines(name *types.TypeName, qualify types.Qualifier) []string {
	if name.IsAlias() {
		return []string{types.ObjectString(name, qualify)}
	}
	prefix := "type " + name.Name()
	var lines []string
	switch under := name.Type().Underlying().(type) {
	case *types.Struct:
		lines = append(lines, prefix+" struct")
		for field := range under.Fields() {
			if field.Exported() {
				lines = append(lines, fmt.Sprintf("%s struct, %s %s", prefix, field.Name(), types.TypeString(field.Type(), qualify)))
			}
		}
	case *types.Interface:
		return []string{prefix + " " + types.TypeString(under, qualify)}
	default:
		lines = append(lines, prefix+" "+types.TypeString(under, qualify))
	}
	values := types.NewMethodSet(name.Type())
	for method := range types.NewMethodSet(types.NewPointer(name.Type())).Methods() {
		if !method.Obj().Exported() {
			continue
		}
		receiver := "*" + name.Name()
		if values.Lookup(method.Obj().Pkg(), method.Obj().Name()) != nil {
			receiver = name.Name()
		}
		signature := strings.TrimPrefix(types.TypeString(method.Type(), qualify), "func")
		lines = append(lines, fmt.Sprintf("method (%s) %s%s", receiver, method.Obj().Name(), signature))
	}
	return lines
}
