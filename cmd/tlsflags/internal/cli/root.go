// Package cli is the tlsflags command: everything but the main function, so that
// tests and fuzz targets can run it with any arguments and any input.
//
// There is a file for each command. A command is a function that returns a new
// *cobra.Command; it is added in newRoot. It reads cmd.InOrStdin, writes results and
// nothing else to cmd.OutOrStdout, everything else to cmd.ErrOrStderr, and stops when
// cmd.Context is done. What its RunE returns decides the exit code: see Exit.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// Run runs the command with its arguments, without the name of the program, and
// returns the exit code. It keeps no state between calls.
func Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(interruptible{ctx, stdin})
	out := &output{Writer: stdout}
	root.SetOut(out)
	root.SetErr(stderr)
	checkHelp(root)
	cmd, err := root.ExecuteContextC(ctx)
	return conclude(cmd, out.outcome(err))
}

// checkHelp adds the command help, which else takes what is no command for the root.
func checkHelp(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	help, _, err := root.Find([]string{"help"})
	if err != nil {
		panic(err) // it was added
	}
	help.Args = func(_ *cobra.Command, args []string) error {
		cmd, rest, err := root.Find(args)
		if err != nil || len(rest) == 0 {
			return err
		}
		return noSuchCommand(cmd, rest)
	}
}

// Root returns the command, for the man pages.
func Root() *cobra.Command { return newRoot() }

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "tlsflags",
		Short: "Inspect, use and test the TLS Flags extension",
		Long: `Tlsflags finds, sends and tests the TLS Flags extension (draft-ietf-tls-tlsflags) and its
request_mtls flag, which lets a TLS client say that it has a certificate.

Standard output has results only. The summary, warnings, errors and the progress bar go
to standard error. The exit codes are

  - 0: done
  - 1: a stated condition was not met, such as --expect
  - 2: the command line is wrong
  - 3: an input cannot be read, or the network failed
  - 4: a hello was refused, and --strict was given, or is in doubt, with --strict=ambiguous
  - 5: a capture was damaged, cut or not readable in part, and --strict-capture was given

If several apply, the first of 2, 3, 5, 4, 1 is returned.

Text fits the width of --width, else that of the terminal, else that of the variable
COLUMNS; at least 20 columns are used. Without a width, nothing is cut.

A TLS flag is given by its number, also as 0x50, or by its name: request_mtls (newer
drafts call it request_client_auth) or resumption_across_names.

The sources have a folder docs, with the formats of the output and everything else.

"tlsflags completion bash" (or zsh, fish, powershell) prints a script that makes the
shell complete commands, options and values.`,
		Version:       version(),
		Args:          noSuchCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors: true,
		SilenceUsage:  true,

		DisableFlagsInUseLine: true,
	}
	root.SetVersionTemplate("tlsflags {{.Version}}\n")
	root.AddCommand(
		getCommand(),
		inspectCommand(),
		diffCommand(),
		encodeCommand(),
		explainCommand(),
		flagsCommand(),
		probeCommand(),
		serveCommand(),
		vectorsCommand(),
		versionCommand(),
	)
	root.PersistentFlags().Var(new(widthValue), widthOption, "make text fit this many columns, at least 20; otherwise the terminal or COLUMNS decides")
	wrapHelp(root)
	markFailures(root)
	describeEnums(root)
	completeValues(root)
	root.SetFlagErrorFunc(aboutOption)
	return root
}

// someArguments is for commands that need an argument; without one, they say what.
func someArguments(wanted string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			return errors.New(wanted)
		}
		return nil
	}
}

// oneArgument is for commands that take one argument, no more and no fewer.
func oneArgument(wanted string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != 1 {
			return errors.New(wanted)
		}
		return nil
	}
}

// noArguments is for commands that take nothing but options.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%s takes no arguments, only options: %q", cmd.Name(), args[0])
	}
	return nil
}

// markFailures makes what the commands return a failure, if it is no exitError, so
// that any other error is one of cobra about the command line.
func markFailures(c *cobra.Command) {
	if run := c.RunE; run != nil {
		c.RunE = func(cmd *cobra.Command, args []string) error {
			if err := noEmptyValues(cmd); err != nil {
				return err
			}
			noteOldNames(cmd)
			return asExitError(run(cmd, args))
		}
	}
	for _, sub := range c.Commands() {
		markFailures(sub)
	}
}
