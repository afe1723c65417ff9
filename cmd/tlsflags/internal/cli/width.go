package cli

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/screen"
)

// widthOption is the option for the width of text, which all commands have.
const widthOption = "width"

// leastColumns is the least width: on a narrower screen, the text of the commands is no use.
const leastColumns = 20

// widthValue is the value of --width, 0 for no limit.
type widthValue int

func (w *widthValue) Type() string { return "columns" }

func (w *widthValue) String() string {
	if *w == 0 {
		return "" // as no option
	}
	return strconv.Itoa(int(*w))
}

func (w *widthValue) Set(s string) error {
	n, err := strconv.Atoi(s)
	if err != nil || n != 0 && n < leastColumns {
		return &unknownValue{what: "width", got: s, use: fmt.Sprintf("use a number of columns from %d on, or 0 for no limit", leastColumns)}
	}
	*w = widthValue(n)
	return nil
}

// widthOf returns how many columns text for w may take, or 0 if there is no limit: the number of
// --width, of the terminal, or of COLUMNS.
func widthOf(cmd *cobra.Command, w io.Writer) int {
	if f := cmd.Flags().Lookup(widthOption); f != nil && f.Changed {
		return int(*f.Value.(*widthValue))
	}
	if f, ok := terminalFile(w); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			return max(width, leastColumns)
		}
	}
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		return max(n, leastColumns)
	}
	return 0
}

// terminalFile returns the terminal that a stream is.
func terminalFile(stream any) (*os.File, bool) {
	if o, ok := stream.(*output); ok {
		stream = o.Writer
	}
	f, ok := stream.(*os.File)
	return f, ok && (isatty.IsTerminal(f.Fd()) || isatty.IsCygwinTerminal(f.Fd()))
}

func isTerminal(stream any) bool {
	_, ok := terminalFile(stream)
	return ok
}

// helpWidth is the width of help on a screen that is not narrower.
const helpWidth = 80

// wrapHelp makes the help of all commands fit the screen.
func wrapHelp(root *cobra.Command) {
	show, template := root.HelpFunc(), root.UsageTemplate()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		width := helpWidth
		if w := widthOf(cmd, cmd.OutOrStdout()); w > 0 {
			width = min(width, w)
		}
		long, example := cmd.Long, cmd.Example
		defer func() { cmd.Long, cmd.Example = long, example }()
		cmd.Long, cmd.Example = screen.Wrap(long, width), screen.WrapCommands(example, width)
		root.SetUsageTemplate(strings.ReplaceAll(template, "Flags.FlagUsages ", fmt.Sprintf("Flags.FlagUsagesWrapped %d ", width)))
		show(cmd, args)
	})
}
