package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/tlsflags/tlsflags/vectors"
)

// writeReadme puts the generated tables into README.md, each between two comments that
// name it.
func writeReadme(dir string, all []vectors.File) error {
	name := filepath.Join(dir, "README.md")
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	ids := map[string]bool{}
	for _, f := range all {
		for _, t := range f.All() {
			ids[t.ID] = true
		}
	}
	trace, err := traceability(ids)
	if err != nil {
		return err
	}
	codes, err := codeTable(all)
	if err != nil {
		return err
	}
	text := string(data)
	for _, table := range []struct{ name, text string }{{"codes", codes}, {"groups", groupTable(all)}, {"traceability", trace}} {
		begin, end := "<!-- begin "+table.name+" -->\n", "<!-- end "+table.name+" -->\n"
		before, rest, ok := strings.Cut(text, begin)
		_, after, closed := strings.Cut(rest, end)
		if !ok || !closed {
			return fmt.Errorf("%s has no place for %s", name, table.name)
		}
		text = before + begin + table.text + end + after
	}
	return writeFile(name, []byte(text))
}

func groupTable(all []vectors.File) string {
	var b strings.Builder
	b.WriteString("| kind | group | tests | about |\n| --- | --- | --- | --- |\n")
	for _, f := range all {
		for _, g := range f.Groups {
			fmt.Fprintf(&b, "| %s | %s | %d | %s |\n", f.Kind, g.Name, len(g.Tests), g.Comment)
		}
	}
	return b.String()
}
