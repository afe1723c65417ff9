package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/screen"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/terminal"
	"github.com/tlsflags/tlsflags/extension"
)

const flagsSchema = "tlsflags.flags/1"

// documentFormat is the format of commands that print one document.
func documentFormat() enum[string] { return enumOf("format", "text", words("text", "json")) }

func flagsCommand() *cobra.Command {
	format := documentFormat()
	cmd := &cobra.Command{
		Use:   "flags",
		Short: "Print the registry of TLS flags",
		Long: `Flags prints the TLS flags that a published text or an implementation defines, with the
messages that may carry them. IANA has not registered any number yet. A flag without a
number has none in its document, not even for experiments.`,
		Example: `  tlsflags flags
  tlsflags flags --format json | jq '.flags[].name'`,
		Args: noArguments,

		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if format.value == "json" {
				return writeFlagsJSON(cmd.OutOrStdout())
			}
			return writeFlagsText(cmd.OutOrStdout(), widthOf(cmd, cmd.OutOrStdout()))
		},
		DisableFlagsInUseLine: true,
	}
	cmd.Flags().VarP(&format, "format", "f", "output format")
	return cmd
}

func writeFlagsText(w io.Writer, width int) error {
	t := screen.Table{Columns: []screen.Column{
		{Name: "FLAG"}, {Name: "NAME", Least: 27}, {Name: "MESSAGES", Rank: 1}, {Name: "RECOMMENDED", Rank: 4},
		{Name: "STATUS", Rank: 2}, {Name: "REFERENCE", Least: 18, Rank: 3},
	}}
	for info := range (extension.Registry{}).All() {
		number := "-"
		if !info.Unnumbered {
			number = fmt.Sprint(uint16(info.Number))
		}
		name := strings.Join(append([]string{info.Name}, aliases(info)...), ", ")
		t.Row(number, name, orDash(info.Messages.String()), orDash(info.Recommended), info.Status.String(), info.Reference)
	}
	return t.Write(w, width)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func aliases(info extension.FlagInfo) []string {
	list := []string{}
	for _, alias := range info.Aliases {
		if alias != "" {
			list = append(list, alias)
		}
	}
	return list
}

type flagRow struct {
	Value       *uint16  `json:"value"`
	Name        string   `json:"name"`
	Aliases     []string `json:"aliases"`
	Messages    []string `json:"messages"`
	Answers     []string `json:"answers"`
	Recommended optional `json:"recommended"`
	Status      string   `json:"status"`
	Reference   string   `json:"reference"`
}

func writeFlagsJSON(w io.Writer) error {
	document := struct {
		Schema string    `json:"schema"`
		Flags  []flagRow `json:"flags"`
	}{Schema: flagsSchema}
	for info := range (extension.Registry{}).All() {
		row := flagRow{
			Name:        info.Name,
			Aliases:     aliases(info),
			Messages:    messageNames(info.Messages),
			Answers:     messageNames(info.Answers),
			Recommended: optional(info.Recommended),
			Status:      info.Status.String(),
			Reference:   info.Reference,
		}
		if !info.Unnumbered {
			row.Value = new(uint16(info.Number))
		}
		document.Flags = append(document.Flags, row)
	}
	return writeJSON(w, document)
}

// messageNames lists the abbreviations of the messages of a set.
func messageNames(s extension.MessageSet) []string {
	if s.IsEmpty() {
		return []string{}
	}
	return strings.Split(s.String(), ",")
}

// writeJSON writes a document that people may read, too.
func writeJSON(w io.Writer, document any) error {
	return terminal.WriteJSON(w, document, "  ")
}
