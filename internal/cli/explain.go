package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/handshake"
	"github.com/tlsflags/tlsflags/internal/annotate"
	"github.com/tlsflags/tlsflags/rules"
)

type explainOptions struct {
	as      string
	format  string
	color   string
	full    bool
	hello   string
	request string
	from    string
}

const wantedInput = "give one file, - for standard input, or bytes in hexadecimal"

// argumentSource is how bytes on the command line are called.
const argumentSource = "argument"

var senders = []string{"server", "client"}

func explainCommand() *cobra.Command {
	var o explainOptions
	cmd := &cobra.Command{
		Use:   "explain FILE|HEX|-",
		Short: "Show a message or a TLS Flags extension byte by byte",
		Long: `Explain names every byte of a handshake message that can carry TLS flags, or of a
TLS Flags extension: the field that it belongs to, what it says, and the clause that
defines it. What is refused is shown up to the fault, and the offending bytes are marked.

The input is a file, - for standard input, or the argument itself. Bytes may be as they
are, in hexadecimal (also after 0x) or in base64. A message in TLS records is taken out
of them. What follows the message is shown, but not read.

With --hello, and for a client's Certificate with --request, the flags of the message
are judged by what was proposed. The exit code is 0 also for what is refused.`,
		Example: `  tlsflags explain 003e000c0b0000000000000000000001
  tlsflags explain --as certificaterequest --hello hello.bin request.bin
  tlsflags explain --format json hello.bin`,
		Args: oneArgument(wantedInput),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(); err != nil {
				return err
			}
			return explain(cmd, o, args[0])
		},
		DisableFlagsInUseLine: true,
	}
	f := cmd.Flags()
	f.StringVar(&o.as, "as", "", "`kind` of the input, if its bytes do not tell: "+strings.Join(annotate.KindNames(), ", "))
	f.StringVarP(&o.format, "format", "f", "text", "output `format`: "+strings.Join(documentFormats, ", "))
	f.StringVar(&o.color, "color", "auto", "`when` to colour text: "+strings.Join(colorModes, ", "))
	f.BoolVar(&o.full, "full", false, "show all bytes of long fields in text")
	f.StringVar(&o.hello, "hello", "", "the ClientHello that the message answers, as `FILE|HEX`")
	f.StringVar(&o.request, "request", "", "the CertificateRequest that the message answers, as `FILE|HEX`")
	f.StringVar(&o.from, "from", "server", "`side` that sent a Certificate: "+strings.Join(senders, ", "))
	completeWith(cmd, "as", annotate.KindNames())
	completeWith(cmd, "format", documentFormats)
	completeWith(cmd, "color", colorModes)
	completeWith(cmd, "from", senders)
	return cmd
}

func (o explainOptions) check() error {
	if err := checkDocumentFormat(o.format); err != nil {
		return err
	}
	if o.as != "" {
		if _, err := annotate.ParseKind(o.as); err != nil {
			return usageError("--as: %w", err)
		}
	}
	if !slices.Contains(colorModes, o.color) {
		return usageError("--color %q: choose from %s", o.color, strings.Join(colorModes, ", "))
	}
	if !slices.Contains(senders, o.from) {
		return usageError("--from %q: choose from %s", o.from, strings.Join(senders, ", "))
	}
	return nil
}

// explanation is what explain knows about its input.
type explanation struct {
	input   explainedInput
	records takenOff
	table   annotate.Table
	verdict rules.Violation
}

func explain(cmd *cobra.Command, o explainOptions, arg string) error {
	in, err := explainInput(cmd, arg)
	if err != nil {
		return err
	}
	e := explanation{input: in}
	data := e.records.takeOff(in.data)
	kind, err := annotate.ParseKind(o.as)
	if o.as == "" {
		kind, err = annotate.Detect(data)
	}
	if err != nil {
		return fmt.Errorf("%s %w; %s", in.subject(), err, kindHint(data))
	}
	e.table = annotate.Explain(kind, data)
	if e.verdict, err = o.judge(cmd, e.table); err != nil {
		return err
	}
	if o.format == "json" {
		return e.writeJSON(cmd.OutOrStdout())
	}
	return e.writeText(cmd.OutOrStdout(), useColor(o.color, cmd.OutOrStdout()), o.full)
}

// kindHint says what to do about bytes that may be anything.
func kindHint(data []byte) string {
	if identify(data) == dtlsRecordContent {
		return "it looks like a DTLS record: tlsflags inspect reads those"
	}
	return "say with --as what it is: " + strings.Join(annotate.KindNames(), ", ")
}

// explainedInput is an input of explain.
type explainedInput struct {
	arg    string
	source string // how results call it
	form   string // of bytes on the command line: hexadecimal or base64Text
	data   []byte
}

// subject begins a sentence about the input. A word may be the name of a file that does
// not exist and happen to be base64, too.
func (in explainedInput) subject() string {
	switch {
	case in.form == "":
		return in.source + ": it is"
	case len(in.arg) > longestName:
		return in.arg[:20] + "...: read as " + in.form + " it is"
	}
	return in.arg + ": no such file; read as " + in.form + " it is"
}

// longestName is how long an argument may be and still be meant as the name of a file.
const longestName = 80

// explainInput reads the input, and decodes it if it is text.
func explainInput(cmd *cobra.Command, arg string) (explainedInput, error) {
	in := explainedInput{arg: arg, source: arg}
	var err error
	switch f, openErr := openFile(cmd.Context(), arg); {
	case arg == "":
		return in, usageError("the input is empty: %s", wantedInput)
	case errors.Is(openErr, context.Canceled):
		err = openErr
	case arg == standardInput:
		in.data, err = io.ReadAll(io.LimitReader(cmd.InOrStdin(), maxExplained))
	case openErr == nil:
		defer f.Close()
		in.data, err = io.ReadAll(io.LimitReader(interruptible{cmd.Context(), f}, maxExplained))
	default:
		return in, in.decodeArgument(openErr)
	}
	if err != nil {
		return in, fmt.Errorf("%s: %s", in.source, reason(err))
	}
	if isText(in.data) {
		if decoded, form := decodeText(in.data); form != "" {
			in.data = decoded
		}
	}
	if len(in.data) == 0 {
		return in, fmt.Errorf("%s: it is empty", in.source)
	}
	if identify(in.data) == captureContent {
		return in, fmt.Errorf("%s: it is a capture; use tlsflags inspect", in.source)
	}
	return in, nil
}

// decodeArgument takes the argument for the bytes themselves, since it cannot be opened.
func (in *explainedInput) decodeArgument(openErr error) error {
	in.source = argumentSource
	in.data, in.form = decodeText([]byte(in.arg))
	switch {
	case len(in.data) > 0 && (in.form == hexadecimal || len(in.arg) > longestName || errors.Is(openErr, fs.ErrNotExist)):
		return nil
	case len(in.arg) > longestName:
		return fmt.Errorf("%s...: neither hexadecimal (two digits an octet) nor base64", in.arg[:20])
	case !errors.Is(openErr, fs.ErrNotExist):
		return fmt.Errorf("%s: %s", in.arg, reason(openErr))
	}
	return fmt.Errorf("%s: no such file, and neither hexadecimal (two digits an octet) nor base64", in.arg)
}

// maxExplained is how many bytes of an input are read: room for the longest message,
// a Certificate of 2^24-1 bytes, in hexadecimal.
const maxExplained = 40 << 20

// takenOff counts the TLS records that were taken off a message.
type takenOff struct {
	count int
	bytes int // of them, with their headers
}

// takeOff returns what the TLS handshake records at the beginning of data carry; where
// there are none, data.
func (t *takenOff) takeOff(data []byte) []byte {
	const headerLen, handshake = 5, 22
	var content []byte
	for rest := data; len(rest) > headerLen && rest[0] == handshake && rest[1] == 3; t.count++ {
		end := min(headerLen+(int(rest[3])<<8|int(rest[4])), len(rest))
		content = append(content, rest[headerLen:end]...)
		t.bytes += end
		rest = rest[end:]
	}
	if t.count == 0 {
		return data
	}
	return content
}

// judge applies the rules to the flags of a message, as far as what was proposed is
// known: those of messages that propose are always judged.
func (o explainOptions) judge(cmd *cobra.Command, t annotate.Table) (rules.Violation, error) {
	var x rules.Handshake
	var err error
	if x.Hello, err = proposal(cmd, "--hello", o.hello, annotate.ClientHello); err != nil {
		return rules.Violation{}, err
	}
	if x.Request, err = proposal(cmd, "--request", o.request, annotate.CertificateRequest); err != nil {
		return rules.Violation{}, err
	}
	from, known := handshake.FromServer, o.hello != ""
	switch {
	case t.Message == extension.ClientHello:
		from, known = handshake.FromClient, true
	case t.Message == extension.Certificate && o.from == "client":
		from, known = handshake.FromClient, o.request != ""
	case t.Message == extension.NewSessionTicket:
		known = true
	}
	switch {
	case !known || t.Message == 0 || t.Refused != nil:
		return rules.Violation{}, nil
	case t.Message == extension.ClientHello:
		return x.Check(t.Message, from, t.Block), nil
	}
	return x.CheckMessage(from, t.Parsed), nil
}

// proposal reads the message that the explained one answers.
func proposal(cmd *cobra.Command, option, arg string, kind annotate.Kind) (extension.List, error) {
	if arg == "" {
		return extension.List{}, nil
	}
	in, err := explainInput(cmd, arg)
	if err != nil {
		return extension.List{}, fmt.Errorf("%s %w", option, err)
	}
	data := new(takenOff).takeOff(in.data)
	t := annotate.Explain(kind, data)
	if r := t.Refused; r != nil {
		return extension.List{}, fmt.Errorf("%s %s refused as %s at byte %d (%s): %s", option, in.subject(), t.Message, r.Offset, r.Path, messageOf(r.Code))
	}
	return t.Block, nil
}
