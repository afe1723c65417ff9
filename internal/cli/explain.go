package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/annotate"
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

// argumentSource is how bytes on the command line are called.
const argumentSource = "argument"

var senders = []string{"server", "client"}

func explainCommand() *cobra.Command {
	var o explainOptions
	cmd := &cobra.Command{
		Use:   "explain FILE|HEX|-",
		Short: "Show a message or a TLS Flags extension byte by byte",
		Long: `Explain names every byte of a handshake message that can carry TLS flags, or of a
TLS Flags extension: the field it belongs to, what it says, and the clause that
defines it. What is refused is shown up to the fault, whose bytes are marked.

The input is a file, - for standard input, or the bytes themselves: as they are, in
hexadecimal or in base64. TLS records are taken off a message that comes in them.

With --hello, and --request for the client's Certificate, the flags of the message are
judged by what was proposed. The exit code is 0 also for what is refused.`,
		Example: `  tlsflags explain 003e000c0b0000000000000000000001
  tlsflags explain --as certificaterequest --hello hello.bin request.bin
  tlsflags explain --format json hello.bin`,
		Args: oneArgument("give one file, - for standard input, or bytes in hexadecimal"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(); err != nil {
				return err
			}
			return explain(cmd, o, args[0])
		},
		DisableFlagsInUseLine: true,
	}
	f := cmd.Flags()
	f.StringVar(&o.as, "as", "", "the `kind` of input, where its bytes do not tell: "+strings.Join(annotate.KindNames(), ", "))
	f.StringVarP(&o.format, "format", "f", "text", "output `format`: "+strings.Join(documentFormats, ", "))
	f.StringVar(&o.color, "color", "auto", "`when` to colour text: "+strings.Join(colorModes, ", "))
	f.BoolVar(&o.full, "full", false, "show all bytes of long fields in text")
	f.StringVar(&o.hello, "hello", "", "`FILE|HEX` of the ClientHello that the message answers")
	f.StringVar(&o.request, "request", "", "`FILE|HEX` of the CertificateRequest that the message answers")
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
	source  string
	records int // TLS records that were taken off
	table   annotate.Table
	verdict extension.Verdict
}

func explain(cmd *cobra.Command, o explainOptions, arg string) error {
	data, source, err := explainInput(cmd, arg)
	if err != nil {
		return err
	}
	e := explanation{source: source}
	data, e.records = takeOffRecords(data)
	kind, err := annotate.ParseKind(o.as)
	if o.as == "" {
		kind, err = annotate.Detect(data)
	}
	if err != nil {
		if source == argumentSource && len(arg) < 80 { // short enough for the name of a file
			source = arg + ": no such file, and as bytes"
		}
		return fmt.Errorf("%s: %w; say with --as what it is: %s", source, err, strings.Join(annotate.KindNames(), ", "))
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

// explainInput reads the input, decodes it if it is text, and says how to call it.
func explainInput(cmd *cobra.Command, arg string) (data []byte, source string, err error) {
	source = arg
	switch f, openErr := os.Open(arg); {
	case arg == standardInput:
		data, err = io.ReadAll(io.LimitReader(cmd.InOrStdin(), maxExplained))
	case openErr == nil:
		defer f.Close()
		data, err = io.ReadAll(io.LimitReader(f, maxExplained))
	default:
		decoded, ok := decodeText([]byte(arg))
		if !ok || len(decoded) == 0 {
			if !errors.Is(openErr, fs.ErrNotExist) {
				return nil, "", fmt.Errorf("%s: %s", arg, reason(openErr))
			}
			return nil, "", fmt.Errorf("%s: neither a file, nor bytes in hexadecimal or base64", arg)
		}
		return decoded, argumentSource, nil
	}
	if err != nil {
		return nil, "", fmt.Errorf("%s: %s", source, reason(err))
	}
	if isText(data) {
		if decoded, ok := decodeText(data); ok {
			data = decoded
		}
	}
	if len(data) == 0 {
		return nil, "", fmt.Errorf("%s: it is empty", source)
	}
	if identify(data) == captureContent {
		return nil, "", fmt.Errorf("%s: a capture; use tlsflags inspect", source)
	}
	return data, source, nil
}

// maxExplained is how many bytes of an input are read: room for the longest message,
// a Certificate of 2^24-1 bytes, in hexadecimal.
const maxExplained = 40 << 20

// takeOffRecords returns what the TLS handshake records at the beginning of data carry,
// and their number: 0 where data does not begin with one.
func takeOffRecords(data []byte) (content []byte, records int) {
	const headerLen, handshake = 5, 22
	for rest := data; len(rest) > headerLen && rest[0] == handshake && rest[1] == 3; records++ {
		end := min(headerLen+(int(rest[3])<<8|int(rest[4])), len(rest))
		content = append(content, rest[headerLen:end]...)
		rest = rest[end:]
	}
	if records == 0 {
		return data, 0
	}
	return content, records
}

// judge applies the rules to the flags of a message, as far as what was proposed is
// known: those of messages that propose are always judged.
func (o explainOptions) judge(cmd *cobra.Command, t annotate.Table) (extension.Verdict, error) {
	var x extension.Exchange
	var err error
	if x.Hello, err = proposal(cmd, "--hello", o.hello, annotate.ClientHello); err != nil {
		return extension.Verdict{}, err
	}
	if x.Request, err = proposal(cmd, "--request", o.request, annotate.CertificateRequest); err != nil {
		return extension.Verdict{}, err
	}
	from, known := extension.FromServer, o.hello != ""
	switch {
	case t.Message == extension.ClientHello:
		from, known = extension.FromClient, true
	case t.Message == extension.Certificate && o.from == "client":
		from, known = extension.FromClient, o.request != ""
	case t.Message == extension.NewSessionTicket:
		known = true
	}
	if !known || t.Message == 0 {
		return extension.Verdict{}, nil
	}
	for _, block := range t.Blocks {
		if v := x.Judge(t.Message, from, block); !v.OK() {
			return v, nil
		}
	}
	return extension.Verdict{}, nil
}

// proposal reads the message that the explained one answers.
func proposal(cmd *cobra.Command, option, arg string, kind annotate.Kind) (extension.List, error) {
	if arg == "" {
		return extension.List{}, nil
	}
	data, source, err := explainInput(cmd, arg)
	if err != nil {
		return extension.List{}, err
	}
	data, _ = takeOffRecords(data)
	t := annotate.Explain(kind, data)
	if t.Refused != nil {
		return extension.List{}, fmt.Errorf("%s %s: at byte %d: %w", option, source, t.Refused.Offset, t.Refused.Code)
	}
	return t.Blocks[0], nil
}
