package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/golden"
	"github.com/tlsflags/tlsflags/internal/testenv"
)

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
	fmt.Fprintf(&b, "# The `tlsflags` command\n\n<!-- go test -run TestCommandDocument -update writes this file from the help of the commands. -->\n\n%s\n%s", markdown(root.Long), aboutExamples)
	for _, c := range root.Commands() {
		if c.HasSubCommands() {
			for _, sub := range c.Commands() {
				writeCommand(&b, sub)
			}
			continue
		}
		writeCommand(&b, c)
	}
	if *golden.Update {
		if err := os.WriteFile(document(t, "cli.md"), []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if readDocument(t, "cli.md") != b.String() {
		t.Error("docs/cli.md is not what the commands say; run go test -run TestCommandDocument -update in this folder")
	}
}

const aboutExamples = `The examples below run in a checkout. Those with demo/ and 127.0.0.1:8443 need
"tlsflags serve --dir demo" in another terminal.
`

func writeCommand(b *strings.Builder, c *cobra.Command) {
	example := regexp.MustCompile(`(?m)^  `).ReplaceAllString(c.Example, "")
	fmt.Fprintf(b, "\n## %s\n\n```\n%s\n```\n\n%s", strings.TrimPrefix(c.CommandPath(), "tlsflags "), c.UseLine(), markdown(c.Long))
	if see, ok := seeAlso[c.Name()]; ok {
		fmt.Fprintf(b, "\n%s\n", see)
	}
	if options := c.LocalFlags().FlagUsages(); options != "" {
		fmt.Fprintf(b, "\n```\n%s```\n", options)
	}
	fmt.Fprintf(b, "\n```sh\n%s\n```\n", example)
}

var (
	optionName = regexp.MustCompile(`(^|[\s(])(--[a-z][a-z0-9-]*)`)
)

// seeAlso has the documents about commands. The help names none, because go install does
// not install them.
var seeAlso = map[string]string{
	"explain": "[explain.md](explain.md) describes the JSON, [rules.md](rules.md) the rules.",
	"flags":   "[explain.md](explain.md) describes the JSON.",
	"inspect": "[inspect.md](inspect.md) and [parquet.md](parquet.md) describe the formats, [capture.md](capture.md) what is read from captures, [rules.md](rules.md) the rules.",
	"probe":   "[reqmtls.md](reqmtls.md#looking-at-a-server) describes the cases and the JSON.",
	"serve":   "[reqmtls.md](reqmtls.md#trying-it) describes /json.",
}

// markdown returns text of the help as Markdown.
func markdown(text string) string {
	text = strings.ReplaceAll("\n"+text+"\n", "\n  ", "\n")[1:] // lists
	text = strings.ReplaceAll(text, "vectors/README.md", "[vectors/README.md](../vectors/README.md)")
	return optionName.ReplaceAllString(text, "$1`$2`")
}

// TestHelpIsComplete checks that no help refers to a document of the sources.
func TestHelpIsComplete(t *testing.T) {
	for _, c := range newRoot().Commands() {
		if strings.Contains(c.Long+c.LocalFlags().FlagUsages(), "docs/") {
			t.Errorf("the help of %s refers to a document", c.Name())
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
