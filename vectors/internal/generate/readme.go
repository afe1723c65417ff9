package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// writeReadme updates the generated tables of README.md, which are between comments with
// their names.
func writeReadme(dir string, all []file) error {
	name := filepath.Join(dir, "README.md")
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	rules, err := ruleTable(all)
	if err != nil {
		return err
	}
	codes, err := codeTable(all)
	if err != nil {
		return err
	}
	text := string(data)
	for _, table := range []struct{ name, text string }{{"codes", codes}, {"groups", groupTable(all)}, {"traceability", rules}} {
		begin, end := "<!-- begin "+table.name+" -->\n", "<!-- end "+table.name+" -->\n"
		before, rest, ok := strings.Cut(text, begin)
		_, after, closed := strings.Cut(rest, end)
		if !ok || !closed {
			return fmt.Errorf("%s: no comments around the table %s", name, table.name)
		}
		text = before + begin + table.text + end + after
	}
	return writeFile(name, []byte(text))
}
