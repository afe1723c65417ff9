package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/vectorrun"
	"github.com/tlsflags/tlsflags/vectors"
)

func vectorsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "vectors",
		Short: "Test another implementation with the test vectors",
		Args:  noSuchCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(vectorsRunCommand())
	return cmd
}

// vectorsRunOptions are the flags of vectors run.
type vectorsRunOptions struct {
	kinds    enumList[string]
	groups   []string
	ids      []string
	list     bool
	protocol enum[vectorrun.Protocol]
	batch    bool
	format   enum[string]
	known    string
	strict   bool
	quiet    bool
	timeout  time.Duration
}

func newVectorsRunOptions() *vectorsRunOptions {
	var kinds []string
	for _, k := range vectors.Kinds() {
		kinds = append(kinds, string(k))
	}
	return &vectorsRunOptions{
		kinds:    enumList[string]{enum: enumOf("kind", "", words(kinds...))},
		protocol: enumOf("protocol", "json", []choice[vectorrun.Protocol]{{"json", vectorrun.JSON}, {"tsv", vectorrun.TSV}}),
		format:   enumOf("format", "text", words("text", "json", "junit")),
	}
}

func vectorsRunCommand() *cobra.Command {
	o := newVectorsRunOptions()
	cmd := &cobra.Command{
		Use:   "run [flags] -- COMMAND [ARG]...",
		Short: "Give the test vectors to a command and compare its answers",
		Long: `Run starts the command once, writes one test per line to its standard input, and reads
one answer per line from its standard output. vectors/README.md in the sources describes the
protocol and the status that each test gets.

Exit codes: 0 no test has the status fail or disagree or, with --strict, unchecked; 1 a
test has; 2 wrong usage; 3 the command could not be asked to the end.

Each line of the file of --known has the id of a test, in which * matches any
characters, and a reason.`,
		Example: `  tlsflags vectors run -- python3 vectors/consumers/python/run.py --answer
  tlsflags vectors run --list --group truncated`,
		Args: func(cmd *cobra.Command, args []string) error {
			if o.list {
				return cobra.NoArgs(cmd, args)
			}
			return someArguments("give the command that answers, such as: tlsflags vectors run -- python3 run.py --answer")(cmd, args)
		},
		RunE: o.run,
	}
	f := cmd.Flags()
	f.Var(&o.kinds, "kind", "only tests of this kind; may be repeated")
	f.StringArrayVar(&o.groups, "group", nil, "only tests of the `group` of this name; may be repeated")
	f.StringArrayVar(&o.ids, "id", nil, "only the test with this `id`, in which * matches any characters; may be repeated")
	f.BoolVar(&o.list, "list", false, "print id, kind and group of each test instead of asking a command")
	f.Var(&o.protocol, "protocol", "form of the lines")
	f.BoolVar(&o.batch, "batch", false, "ask for all prefixes of a message in one question; needs --protocol json")
	f.VarP(&o.format, "format", "f", "form of the report")
	f.StringVar(&o.known, "known", "", "`file` with expected differences")
	f.BoolVar(&o.strict, "strict", false, "an unchecked test is a difference")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "no table of the groups")
	f.DurationVar(&o.timeout, "timeout", 10*time.Second, "`time` to wait for each answer; the first includes the start of the command")
	return cmd
}

func (o *vectorsRunOptions) run(cmd *cobra.Command, args []string) error {
	if o.timeout <= 0 {
		return usageError("--timeout has to be above 0")
	}
	if o.batch && o.protocol.value == vectorrun.TSV {
		return usageError("--batch needs --protocol json")
	}
	suite, err := vectorrun.Select(o.kinds.list, o.groups, o.ids)
	if err != nil {
		return usageError("%w", err)
	}
	if o.list {
		return suite.WriteList(cmd.OutOrStdout())
	}
	c := vectorrun.Config{
		Command: args, Suite: suite, Protocol: o.protocol.value, Batch: o.batch, Strict: o.strict, Timeout: o.timeout, Stderr: cmd.ErrOrStderr(),
	}
	if o.known != "" {
		if c.Known, err = readExpected(cmd.Context(), o.known); err != nil {
			return err
		}
	}
	report, err := vectorrun.Run(cmd.Context(), c)
	if err != nil {
		return err
	}
	if err := o.write(cmd.OutOrStdout(), report, widthOf(cmd, cmd.OutOrStdout())); err != nil {
		return err
	}
	if !report.OK() {
		return exitWith(ExitUnmet)
	}
	return nil
}

func (o *vectorsRunOptions) write(w io.Writer, r vectorrun.Report, width int) error {
	switch o.format.value {
	case "json":
		return r.WriteJSON(w)
	case "junit":
		return r.WriteJUnit(w)
	}
	return r.WriteText(w, o.quiet, width)
}

func readExpected(ctx context.Context, name string) (vectorrun.Expected, error) {
	data, err := readFile(ctx, name)
	if err != nil {
		return vectorrun.Expected{}, err
	}
	e, err := vectorrun.ReadExpected(bytes.NewReader(data))
	if err != nil {
		return vectorrun.Expected{}, fmt.Errorf("%s: %w", name, err)
	}
	return e, nil
}
