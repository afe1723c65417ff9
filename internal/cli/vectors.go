package cli

import (
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/tlsflags/tlsflags/internal/vectorrun"
	"github.com/tlsflags/tlsflags/vectors"
)

func vectorsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "vectors",
		Short: "Hold another implementation to the test vectors",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(vectorsRunCommand())
	return cmd
}

func vectorsRunCommand() *cobra.Command {
	var (
		kinds           []string
		protocol        string
		format          string
		known           string
		quiet           bool
		timeoutInterval time.Duration
	)
	cmd := &cobra.Command{
		Use:   "run [flags] -- COMMAND [ARG]...",
		Short: "Give the test vectors to a command, and compare its answers",
		Long: `run starts the command once, writes a test a line to its standard input, and reads
an answer a line from its standard output. The protocol is described in
vectors/README.md.

It exits with 1 where an answer differs from the verdict of a test, unless --known
expects it: a file with the id of a test (* stands for anything) and a reason a line.`,
		Example: "  tlsflags vectors run -- python3 vectors/consumers/python/run.py --answer",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c := vectorrun.Config{Command: args, Protocol: vectorrun.Protocol(protocol), Timeout: timeoutInterval, Stderr: cmd.ErrOrStderr()}
			if c.Protocol != vectorrun.JSON && c.Protocol != vectorrun.TSV {
				return usageError("--protocol %s: json or tsv", protocol)
			}
			if !slices.Contains([]string{"text", "json", "junit"}, format) {
				return usageError("--format %s: text, json or junit", format)
			}
			var err error
			if c.Kinds, err = parseKinds(kinds); err != nil {
				return err
			}
			if known != "" {
				if c.Known, err = readExpected(known); err != nil {
					return err
				}
			}
			report, err := vectorrun.Run(cmd.Context(), c)
			if err != nil {
				return err
			}
			if err := writeReport(cmd, report, format, quiet); err != nil {
				return err
			}
			if !report.OK() {
				return exitWith(ExitUnmet)
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&kinds, "kind", nil, "only tests of this `kind`, such as tls_flags or quic; may be repeated")
	f.StringVar(&protocol, "protocol", "json", "form of the lines: `json or tsv`")
	f.StringVar(&format, "format", "text", "form of the report: `text, json or junit`")
	f.StringVar(&known, "known", "", "`file` with expected differences")
	f.BoolVarP(&quiet, "quiet", "q", false, "no table of the groups")
	f.DurationVar(&timeoutInterval, "timeout", 10*time.Second, "how long to wait for an answer")
	return cmd
}

func parseKinds(names []string) ([]vectors.Kind, error) {
	all := vectors.Kinds()
	if len(names) == 0 {
		return all, nil
	}
	var kinds []vectors.Kind
	for _, name := range names {
		if !slices.Contains(all, vectors.Kind(name)) {
			return nil, usageError("--kind %s: one of %s", name, all)
		}
		kinds = append(kinds, vectors.Kind(name))
	}
	return kinds, nil
}

func readExpected(name string) (vectorrun.Expected, error) {
	file, err := os.Open(name)
	if err != nil {
		return vectorrun.Expected{}, err
	}
	defer file.Close()
	e, err := vectorrun.ReadExpected(file)
	if err != nil {
		return vectorrun.Expected{}, fmt.Errorf("%s: %w", name, err)
	}
	return e, nil
}

func writeReport(cmd *cobra.Command, r vectorrun.Report, format string, quiet bool) error {
	w := cmd.OutOrStdout()
	switch format {
	case "json":
		return r.WriteJSON(w)
	case "junit":
		return r.WriteJUnit(w)
	}
	return r.WriteText(w, quiet)
}
