package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/screen"
)

// Exit is an exit code of the command.
type Exit int

// The exit codes. If several apply, the order of their precedence is ExitUsage,
// ExitInput, ExitCapture, ExitRefused, ExitUnmet.
const (
	ExitDone    Exit = 0
	ExitUnmet   Exit = 1 // a stated condition was not met, such as --expect
	ExitUsage   Exit = 2 // the command line is wrong
	ExitInput   Exit = 3 // unreadable input, or a failure of the network
	ExitRefused Exit = 4 // a hello was refused or is in doubt, and --strict was given
	ExitCapture Exit = 5 // a capture was damaged, cut or not readable in part, and --strict-capture was given
)

// and returns the code of a run to which both apply.
func (e Exit) and(other Exit) Exit {
	for _, first := range []Exit{ExitUsage, ExitInput, ExitCapture, ExitRefused, ExitUnmet} {
		if e == first || other == first {
			return first
		}
	}
	return ExitDone
}

// exitError ends the command with a code. If err is nil, the reason was printed already.
//
// Any other error that a command returns means ExitInput.
type exitError struct {
	code Exit
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// usageError is a fault in the command line that cobra cannot see.
func usageError(format string, args ...any) error {
	return &exitError{ExitUsage, fmt.Errorf(format, args...)}
}

// exitWith ends the command with a code whose reason was printed; nil for ExitDone.
func exitWith(code Exit) error {
	if code == ExitDone {
		return nil
	}
	return &exitError{code: code}
}

func asExitError(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*exitError](err); ok {
		return err
	}
	return &exitError{ExitInput, err}
}

// conclude prints the error on standard error, and returns the exit code.
func conclude(cmd *cobra.Command, err error) int {
	if err == nil || errors.Is(err, errOutputClosed) {
		return int(ExitDone) // nobody reads the results any more, which is no failure
	}
	exit, ok := errors.AsType[*exitError](err)
	if !ok {
		// Cobra's hints ("Did you mean this?") take several lines.
		exit = &exitError{ExitUsage, errors.New(strings.Join(strings.Fields(err.Error()), " "))}
	}
	if exit.err != nil {
		complain(cmd, exit.err.Error())
	}
	if exit.code == ExitUsage {
		fmt.Fprintf(cmd.ErrOrStderr(), "Run '%s --help' for usage.\n", cmd.CommandPath())
	}
	return int(exit.code)
}

// complain writes a sentence to standard error, with the name of the program: one line, but on
// a screen that is too narrow.
func complain(cmd *cobra.Command, text string) {
	text = "tlsflags: " + printable(strings.TrimPrefix(text, "tlsflags: "))
	fmt.Fprintln(cmd.ErrOrStderr(), screen.Words(text, "  ", widthOf(cmd, cmd.ErrOrStderr())))
}
