package cli

import (
	"errors"
	"slices"

	"github.com/spf13/cobra"
)

// check returns an error for options of inspect that do not go together.
func (o inspectOptions) check(cmd *cobra.Command, args []string) error {
	if err := o.live.check(args); err != nil {
		return err
	}
	if err := o.workerOptions.check(); err != nil {
		return err
	}
	if o.room.MaxFlows <= 0 {
		return usageError("--max-flows must be at least 1")
	}
	if o.bytes && (o.redact || o.stats) {
		return usageError("--bytes, or message in --fields, shows what --redact and --stats leave out")
	}
	if o.live.on() && o.keyLog != "" {
		return usageError("--keylog reads a capture twice; write one to a file instead of -i")
	}
	switch counts := o.by.list != nil; {
	case o.fields != nil && (o.stats || counts):
		return usageError("--fields chooses what is shown of a hello; it does not go with --stats and --by")
	case o.stats && counts:
		return usageError("--stats and --by count in two ways; use one")
	case len(o.by.list) > 2 || len(o.by.list) == 2 && o.by.list[0].name == o.by.list[1].name:
		return usageError("--by takes one grouping, or two that differ")
	case o.by.list == nil && cmd.Flags().Changed("top"):
		return usageError("--top limits what --by counts; add --by, such as --by ja4 --top %d", o.top)
	case o.top < 0:
		return usageError("--top cannot be negative")
	}
	inputs := args
	if o.keyLog != "" {
		inputs = append(slices.Clone(args), o.keyLog)
	}
	if err := errors.Join(o.report.check(&o, inputs), o.write.check(o, inputs), o.fields.check(o.format.value)); err != nil {
		return err
	}
	if err := o.checkResult(inputs); err != nil {
		return err
	}
	switch {
	case o.follow && (o.join || o.keyLog != "" || o.live.on() || len(args) != 1 || args[0] == standardInput || isDirectory(args[0])):
		return usageError("--follow reads one file as it grows; it does not go with other inputs, -, -i, --join and --keylog")
	case o.join && (o.live.on() || slices.Contains(args, standardInput)):
		return usageError("--join reads files, each twice; it does not go with - and -i")
	}
	return nil
}

// liveInput reports whether the input may go on for long.
func (o *inspectOptions) liveInput(args []string) bool {
	return o.live.on() || o.follow || slices.Contains(args, standardInput)
}

// checkResult checks what is said about the output.
func (o *inspectOptions) checkResult(args []string) error {
	switch counts := o.stats || o.by.list != nil; {
	case counts && o.format.value == parquetFormat:
		return usageError("--format parquet has hellos; for --stats and --by, use text, csv, json or jsonl")
	case counts && o.result.rotate.on():
		return usageError("--rotate divides hellos; it does not go with --stats and --by")
	}
	return o.result.check(args, o.liveInput(args))
}

// writeResults is fileOptions.write, and refuses to write Parquet to a terminal.
func (o *inspectOptions) writeResults(cmd *cobra.Command, run func(*resultFiles) error) error {
	if o.format.value == parquetFormat && !o.result.on() && isTerminal(cmd.OutOrStdout()) {
		return usageError("--format parquet is not for a terminal; use -o FILE")
	}
	return o.result.write(cmd, run)
}
