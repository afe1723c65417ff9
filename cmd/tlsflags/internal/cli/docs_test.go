package cli

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/tlsflags/tlsflags/internal/testenv"
)

var update = flag.Bool("update", false, "write docs/cli.md and the files of testdata")

func document(t *testing.T, name string) string { return filepath.Join(testenv.Root(t), "docs", name) }

func readDocument(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(document(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestCommandDocument checks that docs/cli.md has the help of the commands. With -update
// it writes the file.
func TestCommandDocument(t *testing.T) {
	var b strings.Builder
	root := newRoot()
	fmt.Fprintf(&b, "# The `tlsflags` command\n\n<!-- go test -run TestCommandDocument -update writes this file from the help of the commands. -->\n\n%s", markdown(root.Long))
	for _, c := range root.Commands() {
		if c.HasSubCommands() {
			for _, sub := range c.Commands() {
				writeCommand(&b, sub)
			}
			continue
		}
		writeCommand(&b, c)
	}
	if *update {
		if err := os.WriteFile(document(t, "cli.md"), []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if readDocument(t, "cli.md") != b.String() {
		t.Error("docs/cli.md is not what the commands say; run go test -run TestCommandDocument -update in this folder")
	}
}

func writeCommand(b *strings.Builder, c *cobra.Command) {
	example := regexp.MustCompile(`(?m)^  `).ReplaceAllString(c.Example, "")
	fmt.Fprintf(b, "\n## %s\n\n```\n%s\n```\n\n%s", strings.TrimPrefix(c.CommandPath(), "tlsflags "), c.UseLine(), markdown(c.Long))
	fmt.Fprintf(b, "\n```\n%s```\n\n```sh\n%s\n```\n", c.LocalFlags().FlagUsages(), example)
}

var (
	optionName   = regexp.MustCompile(`(^|[\s(])(--[a-z][a-z-]*)`)
	documentName = regexp.MustCompile(`\bdocs/([a-z]+\.md)`)
)

// markdown returns text of the help as Markdown.
func markdown(text string) string {
	text = strings.ReplaceAll("\n"+text+"\n", "\n  ", "\n")[1:] // lists
	text = documentName.ReplaceAllString(text, "[$1]($1)")
	text = strings.ReplaceAll(text, "vectors/README.md", "[vectors/README.md](../vectors/README.md)")
	return optionName.ReplaceAllString(text, "$1`$2`")
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
