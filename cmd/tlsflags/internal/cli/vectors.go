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
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(vectorsRunCommand())
	return cmd
}

// vectorsRunOptions are the flags of vectors run.
type vectorsRunOptions struct {
	kinds    enumList[vectors.Kind]
	protocol enum[vectorrun.Protocol]
	format   enum[string]
	known    string
	quiet    bool
	timeout  time.Duration
}

func newVectorsRunOptions() *vectorsRunOptions {
	var kinds []choice[vectors.Kind]
	for _, k := range vectors.Kinds() {
		kinds = append(kinds, choice[vectors.Kind]{string(k), k})
	}
	return &vectorsRunOptions{
		kinds:    enumList[vectors.Kind]{enum: enumOf("kind", "", kinds)},
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
one answer per line from its standard output. vectors/README.md in the sources describes the protocol.

Exit codes: 0 all answers agree with the tests or with --known; 1 an answer differs;
2 wrong usage; 3 the command could not be asked to the end.

Each line of the file of --known has the id of a test, in which * matches any
characters, and a reason.`,
		Example: "  tlsflags vectors run -- python3 vectors/consumers/python/run.py --answer",
		Args:    someArguments("give the command that answers, such as: tlsflags vectors run -- python3 run.py --answer"),
		RunE:    o.run,
	}
	f := cmd.Flags()
	f.Var(&o.kinds, "kind", "only tests of this kind; may be repeated")
	f.Var(&o.protocol, "protocol", "form of the lines")
	f.VarP(&o.format, "format", "f", "form of the report")
	f.StringVar(&o.known, "known", "", "`file` with expected differences")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "no table of the groups")
	f.DurationVar(&o.timeout, "timeout", 10*time.Second, "`time` to wait for each answer; the first includes the start of the command")
	return cmd
}

func (o *vectorsRunOptions) run(cmd *cobra.Command, args []string) error {
	c := vectorrun.Config{
		Command: args, Kinds: o.kinds.list, Protocol: o.protocol.value, Timeout: o.timeout, Stderr: cmd.ErrOrStderr(),
	}
	if c.Timeout <= 0 {
		return usageError("--timeout has to be above 0")
	}
	if c.Kinds == nil {
		c.Kinds = vectors.Kinds()
	}
	if o.known != "" {
		var err error
		if c.Known, err = readExpected(cmd.Context(), o.known); err != nil {
			return err
		}
	}
	report, err := vectorrun.Run(cmd.Context(), c)
	if err != nil {
		return err
	}
	if err := o.write(cmd.OutOrStdout(), report); err != nil {
		return err
	}
	if !report.OK() {
		return exitWith(ExitUnmet)
	}
	return nil
}

func (o *vectorsRunOptions) write(w io.Writer, r vectorrun.Report) error {
	switch o.format.value {
	case "json":
		return r.WriteJSON(w)
	case "junit":
		return r.WriteJUnit(w)
	}
	return r.WriteText(w, o.quiet)
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
