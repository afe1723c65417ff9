package cli

import (
	"fmt"
	"os"
	"slices"
	"strings"
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
		Long: `Run starts the command once, writes one test per line to its standard input, and
reads one answer per line from its standard output. vectors/README.md describes the
protocol.

It exits with 1 if an answer differs from the verdict of a test, unless --known expects
that: a file with one id of a test (* stands for anything) and a reason per line.`,
		Example: "  tlsflags vectors run -- python3 vectors/consumers/python/run.py --answer",
		Args:    someArguments("give the command that answers, such as: tlsflags vectors run -- python3 run.py --answer"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c := vectorrun.Config{Command: args, Protocol: vectorrun.Protocol(protocol), Timeout: timeoutInterval, Stderr: cmd.ErrOrStderr()}
			if c.Protocol != vectorrun.JSON && c.Protocol != vectorrun.TSV {
				return usageError("--protocol %s: choose json or tsv", protocol)
			}
			if !slices.Contains([]string{"text", "json", "junit"}, format) {
				return usageError("--format %s: choose text, json or junit", format)
			}
			if c.Timeout <= 0 {
				return usageError("--timeout has to be above 0")
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
	f.StringSliceVar(&kinds, "kind", nil, "only tests of this `kind`: "+strings.Join(kindNames(vectors.Kinds()), ", ")+"; may be repeated")
	f.StringVar(&protocol, "protocol", "json", "`form` of the lines: json, tsv")
	f.StringVarP(&format, "format", "f", "text", "`form` of the report: text, json, junit")
	f.StringVar(&known, "known", "", "`file` with expected differences")
	f.BoolVarP(&quiet, "quiet", "q", false, "no table of the groups")
	f.DurationVar(&timeoutInterval, "timeout", 10*time.Second, "`time` to wait for each answer; the command starts within that of the first")
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
			return nil, usageError("--kind %s is no kind; choose from %s", name, strings.Join(kindNames(all), ", "))
		}
		kinds = append(kinds, vectors.Kind(name))
	}
	return kinds, nil
}

func kindNames(kinds []vectors.Kind) []string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = string(k)
	}
	return names
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
