package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/fatih/color"
	"github.com/spf13/cobra"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/annotate"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/screen"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/fingerprint"
)

func diffCommand() *cobra.Command {
	colors := colorMode()
	cmd := &cobra.Command{
		Use:   "diff A B",
		Short: "Compare two ClientHellos field by field",
		Long: `Diff prints the fields in which two ClientHellos differ: the values that only the first
has after a -, those that only the second has after a +. If both have the same values in
another order, it says so and prints both orders. GREASE and random are left out. Of what
is new in every connection, such as key shares and tickets, only the lengths are compared.

A ClientHello is a file, - for standard input, or the argument itself, in the forms that
explain reads. A capture has # and a number after it: the number of the hello, as inspect
lists them. Without it, the first one is compared.

The exit code is 0 if there is no difference, 1 if there is one, and 3 if a hello cannot
be read or is refused.`,
		Example: `  tlsflags diff corpus/records/utls-chrome-133-ext62-80.bin corpus/records/utls-chrome-133-fe01-80.bin || echo "they differ"
  tlsflags diff corpus/records/curl-7.88.1.bin corpus/captures/demo.pcapng#1 || echo "they differ"`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 || args[0] == standardInput && args[1] == standardInput {
				return fmt.Errorf("give two ClientHellos: files, captures with # and a number, or bytes in hexadecimal; one may be -")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			var hellos [2]clienthello.ClientHello
			for i, arg := range args {
				var err error
				if hellos[i], err = helloOfArgument(cmd, arg); err != nil {
					return err
				}
			}
			differences := fingerprint.Diff(hellos[0], hellos[1])
			w := cmd.OutOrStdout()
			if err := writeDiff(w, differences, textStyle{painter: useColor(colors.value, w), width: widthOf(cmd, w)}); err != nil || len(differences) == 0 {
				return err
			}
			return exitWith(ExitUnmet)
		},
		DisableFlagsInUseLine: true,
	}
	cmd.Flags().Var(&colors, "color", "when to colour text")
	return cmd
}

func writeDiff(w io.Writer, differences []fingerprint.Difference, style textStyle) error {
	var b strings.Builder
	for _, d := range differences {
		if d.Order {
			fmt.Fprintf(&b, "%s\n", screen.Cut(printable(d.Field)+": the same values in another order", style.width))
		} else {
			fmt.Fprintf(&b, "%s\n", screen.Cut(printable(d.Field), style.width))
		}
		side := func(mark string, values []string, paint color.Attribute) {
			if d.Order {
				values = []string{strings.Join(values, ", ")}
			}
			for _, v := range values {
				fmt.Fprintf(&b, "%s\n", style.paint(screen.Cut("  "+mark+" "+printable(v), style.width), paint))
			}
		}
		side("-", d.A, color.FgRed)
		side("+", d.B, color.FgGreen)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// splitNumber splits the name of a file from the number of a hello after #, if both are there.
func splitNumber(arg string) (name, number string) {
	at := strings.LastIndexByte(arg, '#')
	if at <= 0 || at+1 == len(arg) || fileExists(arg) || !fileExists(arg[:at]) {
		return arg, ""
	}
	return arg[:at], arg[at+1:]
}

func fileExists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// helloOfArgument reads the ClientHello that an argument means.
func helloOfArgument(cmd *cobra.Command, arg string) (clienthello.ClientHello, error) {
	name, number := splitNumber(arg)
	in, err := explainInput(cmd, name)
	if err != nil {
		return clienthello.ClientHello{}, err
	}
	if in.capture != nil {
		defer in.close()
		return capturedHello(cmd, arg, number, in)
	}
	if number != "" {
		return clienthello.ClientHello{}, usageError("%s: # is for a capture", arg)
	}
	if name := foreign(in.data); name != "" {
		return clienthello.ClientHello{}, fmt.Errorf("%s %s", in.subject(), name)
	}
	data, parse := in.data, clienthello.Parse
	if c, ok := openDatagram(data); ok {
		if c.code != 0 {
			return clienthello.ClientHello{}, fmt.Errorf("%s refused: %s at byte %d of the datagram: %s", in.subject(), c.code.Name(), c.offset, messageOf(c.code))
		}
		if data = c.message; c.kind == annotate.DTLSClientHello {
			parse = clienthello.ParseDTLS
		}
	} else if c, ok := openRecords(data); ok && c.code != 0 {
		return clienthello.ClientHello{}, refusal(in.subject(), c.offset, c.code)
	} else {
		if msg, _ := withHeader(data); msg != nil {
			data = msg
		}
		if identify(data) == dtlsMessageContent {
			parse = clienthello.ParseDTLS
		}
		data = new(takenOff).takeOff(data)
	}
	msg, at, err := parse(data)
	return msg, refusal(in.subject(), at, err)
}

// refusal says why a hello is refused; nil if it is not.
func refusal(subject string, at int, err error) error {
	if code, ok := err.(extension.Code); ok {
		return fmt.Errorf("%s refused as ClientHello: %s at byte %d: %s", subject, code.Name(), at, messageOf(code))
	}
	return err
}

// capturedHello reads the hello with a number from a capture, or the first one.
func capturedHello(cmd *cobra.Command, arg, number string, in explainedInput) (clienthello.ClientHello, error) {
	n, err := helloNumber(number)
	if err != nil {
		return clienthello.ClientHello{}, usageError("%s: after # is the number of a hello, from 1, as inspect lists them", arg)
	}
	var msg clienthello.ClientHello
	err = selection{}.matches(cmd, in.source, in.capture, max(n, 1), func(_ int, h *capture.Hello) error {
		message := *h
		message.Message = append([]byte(nil), h.Message...) // the capture reads on
		var at int
		var err error
		msg, at, err = message.Parse()
		return refusal(arg+": it is", at, err)
	})
	if none, ok := errors.AsType[*exitError](err); ok && none.code == ExitUnmet {
		err = fmt.Errorf("%s: there is no such hello; tlsflags inspect lists them", arg)
	}
	return msg, err
}
