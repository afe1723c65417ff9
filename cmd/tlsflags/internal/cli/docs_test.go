package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func readDocument(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "docs", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// docs/cli.md has a section for every command, which names its options and no others.
func TestDocumentedOptions(t *testing.T) {
	sections := make(map[string]string)
	for part := range strings.SplitSeq(readDocument(t, "cli.md"), "\n## ") {
		title, text, _ := strings.Cut(part, "\n")
		sections[title] = text
	}
	var commands []*cobra.Command
	for _, c := range newRoot().Commands() {
		if c.HasSubCommands() {
			commands = append(commands, c.Commands()...)
			continue
		}
		commands = append(commands, c)
	}
	option := regexp.MustCompile("`(?:-[a-z]`, `)?--([a-z-]+)")
	for _, c := range commands {
		title := strings.TrimPrefix(c.CommandPath(), "tlsflags ")
		section, ok := sections[title]
		if !ok {
			t.Errorf("cli.md has no section %q", title)
			continue
		}
		var documented []string
		for row := range strings.Lines(section) {
			cells := strings.SplitN(strings.ReplaceAll(row, `\|`, "/"), "|", 3)
			if len(cells) == 3 {
				for _, match := range option.FindAllStringSubmatch(cells[1], -1) {
					documented = append(documented, match[1])
				}
			}
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			i := slices.Index(documented, f.Name)
			switch {
			case i < 0 && f.Name != "help" && (f.Name != "format" || title != "flags"):
				t.Errorf("cli.md: the table of %s lacks --%s", title, f.Name)
			case i >= 0:
				documented = slices.Delete(documented, i, i+1)
			}
			if i >= 0 && f.Shorthand != "" && !strings.Contains(section, "`-"+f.Shorthand+"`, `--"+f.Name) {
				t.Errorf("cli.md: %s lacks -%s of --%s", title, f.Shorthand, f.Name)
			}
		})
		if len(documented) > 0 {
			t.Errorf("cli.md: %s has no %v", title, documented)
		}
	}
}

// docs/inspect.md lists the columns of csv.
func TestDocumentedColumns(t *testing.T) {
	names := make([]string, len(csvColumns))
	for i, c := range csvColumns {
		names[i] = "`" + c.name + "`"
	}
	text := strings.Join(strings.Fields(readDocument(t, "inspect.md")), " ")
	if list := strings.Join(names, ", "); !strings.Contains(text, list) {
		t.Errorf("inspect.md lacks the columns of csv:\n%s", list)
	}
}
