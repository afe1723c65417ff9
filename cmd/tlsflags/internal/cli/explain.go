package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/annotate"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/paste"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/handshake"
	"github.com/tlsflags/tlsflags/rules"
)

type explainOptions struct {
	as      enum[annotate.Kind]
	format  enum[string]
	color   enum[string]
	full    bool
	clauses bool
	hello   string
	request string
	from    enum[handshake.Sender]
	selection
}

const wantedInput = "give one file, - for standard input, or bytes in hexadecimal"

// argumentSource names bytes on the command line.
const argumentSource = "argument"

func newExplainOptions() explainOptions {
	var kinds []choice[annotate.Kind]
	for k := range annotate.Kinds() {
		kinds = append(kinds, choice[annotate.Kind]{k.String(), k})
	}
	return explainOptions{
		as:     enumOf("kind", "", append(kinds, choice[annotate.Kind]{"helloretryrequest", annotate.ServerHello})),
		format: documentFormat(),
		color:  colorMode(),
		from:   enumOf("side", "server", []choice[handshake.Sender]{{"server", handshake.FromServer}, {"client", handshake.FromClient}}),
	}
}

const explainHelp = `Explain prints a message byte by byte: the offset, the bytes, and a tree of the fields that
they belong to, with what they say and, with --clauses, the clauses that define them. The
input is one of:

  - a message that can carry TLS flags, with its handshake header: ClientHello (TLS or
    DTLS), ServerHello, HelloRetryRequest, EncryptedExtensions, CertificateRequest,
    Certificate or NewSessionTicket; TLS records around it are removed
  - the payload of a UDP datagram with a ClientHello, or of several one after the other:
    DTLS records or QUIC Initial packets
  - a ClientHello without its handshake header, if the input is that and nothing more
  - one extension
  - the data of a TLS Flags extension
  - a capture, as inspect reads them

The input is a file, - for standard input, or the argument itself. It is raw bytes, or
one of these forms of text:

  - hexadecimal, also with 0x, colons or dashes
  - a dump of hexdump, xxd, od, tcpdump -X or Wireshark, also of whole packets
  - the lines of openssl -msg
  - an array of C, Go, Python or Java, in hexadecimal or decimal
  - a string with escapes such as \x16, as in logs
  - base64

Text may be quoted, and in UTF-16. If a text can be read in several ways, the one that is
a whole ClientHello counts; explain warns if several are. Bytes after the message are
shown but not read.

A refused message is explained up to the fault. A > marks the offending bytes, and the
line below says why they are refused, which alert to send and, if the standards
disagree, which other one. The exit code is 0 for a refused message, too.

Of a capture, all ClientHellos are explained, or those that --frame, --sni and --ja4
select; with --hello 2, or FILE#2, the one with that number, as inspect lists them. If
there is none, the exit code is 1.

With --hello, the flags of a message are checked against those that the ClientHello
offers; with --request, those of a client's Certificate against the CertificateRequest.
These options and --from need a whole message.`

func explainCommand() *cobra.Command {
	o := newExplainOptions()
	cmd := &cobra.Command{
		Use:   "explain FILE|HEX|-",
		Short: "Explain a message or a TLS Flags extension byte by byte",
		Long:  explainHelp,
		Example: `  tlsflags explain 003e000c0b0000000000000000000001
  od -A x -t x1 corpus/records/curl-7.88.1.bin | tlsflags explain -
  tlsflags explain --hello corpus/records/utls-chrome-133-ext62-80.bin 0d000009000006003e00020101
  tlsflags explain --hello 2 corpus/captures/demo.pcapng
  tlsflags explain --format json corpus/records/utls-chrome-133-ext62-80.bin`,
		Args: oneArgument(wantedInput),
		RunE: func(cmd *cobra.Command, args []string) error {
			return explain(cmd, o, args[0])
		},
		DisableFlagsInUseLine: true,
	}
	f := cmd.Flags()
	f.Var(&o.as, "as", "what the input is, if its bytes do not tell")
	f.VarP(&o.format, "format", "f", "output format")
	f.Var(&o.color, "color", "when to colour text")
	f.BoolVar(&o.full, "full", false, "show all bytes of long fields")
	f.BoolVar(&o.clauses, "clauses", false, "show the clauses that define the fields")
	f.StringVar(&o.hello, "hello", "", "the ClientHello that the message answers; of a capture, the number of one (`FILE|HEX|N`)")
	f.StringVar(&o.request, "request", "", "the CertificateRequest that the message answers, as `FILE|HEX`")
	f.Var(&o.from, "from", "the side that sent a Certificate")
	o.selection.register(f)
	return cmd
}

// explanation is what explain knows about its input.
type explanation struct {
	input   explainedInput
	records takenOff
	code    extension.Code // why what carried the message is refused, or 0
	offset  int            // of the code, in what carried it
	added   int            // bytes of a handshake header that the input lacks
	hello   int            // its number in a capture, from 1
	doubts  []string       // of a capture, what inspect says besides
	frames  []int
	carried string // when a hello of a capture came, and between whom
	table   annotate.Table
	verdict rules.Violation
}

func explain(cmd *cobra.Command, o explainOptions, arg string) error {
	name, number := splitNumber(arg)
	in, err := explainInput(cmd, name)
	if err != nil {
		return err
	}
	if number != "" {
		if in.capture == nil || o.hello != "" {
			return usageError("%s: # is for a capture, in place of --hello", arg)
		}
		o.hello = number
	}
	if in.capture != nil {
		defer in.close()
		source := in.source
		if in.form != "" {
			source += ", read as " + in.form
		}
		return explainCapture(cmd, o, source, in.capture)
	}
	for _, option := range captureOnly {
		if cmd.Flags().Changed(option) {
			return usageError("--%s is for a capture", option)
		}
	}
	if in.also != "" {
		complain(cmd, in.source+": warning: "+pasted{form: in.form, also: in.also}.ambiguous())
	}
	e := explanation{input: in}
	kind := o.as.value
	var data []byte
	if kind != 0 {
		data = e.records.takeOff(in.data)
	} else if data, kind, err = e.detect(o); err != nil {
		return err
	}
	if kind == annotate.Extension || kind == annotate.Flags {
		for _, option := range []string{"hello", "request", "from"} {
			if cmd.Flags().Changed(option) {
				return usageError("--%s needs a whole message", option)
			}
		}
	}
	e.table = annotate.ExplainCarried(kind, data, e.code, e.offset)
	if r := e.table.Refused; r != nil && r.Code == extension.ErrTruncated && e.carrier() == datagramCarrier {
		complain(cmd, in.source+": warning: the ClientHello goes on in another datagram; give their bytes one after the other, as blocks of a dump or lines of hexadecimal, or make a capture of the dump: text2pcap -u 50000,443 dump.txt out.pcap")
	}
	if e.verdict, err = o.judge(cmd, e.table); err != nil {
		return err
	}
	return e.write(cmd, o)
}

func (e explanation) write(cmd *cobra.Command, o explainOptions) error {
	if o.format.value == "json" {
		return e.writeJSON(cmd.OutOrStdout())
	}
	w := cmd.OutOrStdout()
	return e.writeText(w, explainStyle{textStyle{painter: useColor(o.color.value, w), width: widthOf(cmd, w)}, o.full, o.clauses})
}

// detect tells what the input is. It returns it without records, and with a handshake
// header.
func (e *explanation) detect(o explainOptions) ([]byte, annotate.Kind, error) {
	in := e.input
	if name := foreign(in.data); name != "" {
		return nil, 0, fmt.Errorf("%s %s", in.subject(), name)
	}
	if c, ok := openDatagram(in.data); ok {
		e.records, e.code, e.offset = c.taken, c.code, c.offset
		return c.message, c.kind, nil
	}
	if c, ok := openRecords(in.data); ok {
		e.records, e.code, e.offset = c.taken, c.code, c.offset
		return c.message, c.kind, nil
	}
	if msg, n := withHeader(in.data); msg != nil {
		e.added = n
		in.data = msg
	}
	data := e.records.takeOff(in.data)
	kind, err := annotate.Detect(data)
	if err == nil {
		return data, kind, nil
	}
	if name := otherMessage(in.data); name != "" {
		return nil, 0, fmt.Errorf("%s %s, which cannot carry TLS flags", in.subject(), name)
	}
	if identify(data) == dtlsRecordContent {
		return nil, 0, fmt.Errorf("%s a datagram of DTLS records without a ClientHello", in.subject())
	}
	return nil, 0, fmt.Errorf("%s %w; say with --as what it is: %s", in.subject(), err, strings.Join(o.as.words(), ", "))
}

// explainedInput is an input of explain.
type explainedInput struct {
	arg    string
	source string // its name in results
	form   string // of a text, as package paste names it; else ""
	data   []byte
	also   string // another form in which the text is a whole ClientHello

	capture io.Reader // the input, if it is a capture, which is open until close
	close   func() error
}

// subject begins a sentence about the input. The name of a file that does not exist may
// happen to be base64.
func (in explainedInput) subject() string {
	switch {
	case in.source != argumentSource && in.form == "":
		return in.source + ": it is"
	case in.source != argumentSource:
		return in.source + ": read as " + in.form + " it is"
	case len(in.arg) > longestName:
		return in.arg[:20] + "...: read as " + in.form + " it is"
	}
	return in.arg + ": no such file; read as " + in.form + " it is"
}

// longestName is the longest argument that may be meant as the name of a file.
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
		err = in.read(cmd.InOrStdin(), func() error { return nil })
	case openErr == nil:
		err = in.read(interruptible{cmd.Context(), f}, f.Close)
	default:
		err = in.decodeArgument(cmd, openErr) // before in is copied
		return in, err
	}
	switch {
	case err != nil:
		return in, fmt.Errorf("%s: %s", in.source, reason(err))
	case in.capture != nil:
		return in, nil
	case len(in.data) == 0:
		return in, fmt.Errorf("%s: it is empty", in.source)
	case paste.IsText(in.data):
		p, err := readText(in.data)
		if err != nil {
			return in, fmt.Errorf("%s: no message, and no text of one (%s): %w", in.source, textForms, err)
		}
		in.take(p)
	}
	return in, nil
}

// read reads a file and closes it. A capture is left open and not read.
func (in *explainedInput) read(file io.Reader, close func() error) error {
	r := bufio.NewReaderSize(file, readerSize)
	if head, _ := r.Peek(headLen); identify(head) == captureContent {
		in.capture, in.close = r, close
		return nil
	}
	data, err := io.ReadAll(io.LimitReader(r, maxExplained))
	in.data = data
	_ = close() // it was only read
	return err
}

// textForms are the forms of text that package paste reads.
const textForms = "hexadecimal, a dump, an array, an escaped string, base64"

// take takes over what a text says.
func (in *explainedInput) take(p pasted) {
	in.data, in.form, in.also = p.data, p.form, p.also
	if p.packets != nil {
		in.capture, in.close = bytes.NewReader(p.packets), func() error { return nil }
	}
}

// decodeArgument decodes the argument, which cannot be opened as a file.
func (in *explainedInput) decodeArgument(cmd *cobra.Command, openErr error) error {
	in.source = argumentSource
	p, err := readText([]byte(in.arg))
	missing := errors.Is(openErr, fs.ErrNotExist)
	name := in.arg
	if len(name) > longestName {
		name = name[:20] + "..."
	}
	switch {
	case missing && isPath(in.arg) && (err != nil || sense(p.data) == 0 && !cmd.Flags().Changed("as")):
		return fmt.Errorf("%s: no such file", in.arg)
	case err == nil && (p.form == paste.Hexadecimal || len(in.arg) > longestName || missing):
		in.take(p)
		return nil
	case len(in.arg) <= longestName && !missing:
		return fmt.Errorf("%s: %s", in.arg, reason(openErr))
	case len(in.arg) <= longestName:
		return fmt.Errorf("%s: no such file, and no text of a message (%s): %w", name, textForms, err)
	}
	return fmt.Errorf("%s: no text of a message (%s): %w", name, textForms, err)
}

// isPath reports whether an argument looks like the name of a file: it is short and has a
// slash, or it has an extension that begins with a letter.
func isPath(arg string) bool {
	const longest = len(".parquet")
	arg, _, _ = strings.Cut(arg, "#") // which the number of a hello comes after
	ext := strings.ToLower(filepath.Ext(arg))
	switch {
	case strings.ContainsAny(arg, " \t\r\n"):
		return false
	case len(arg) <= longestName && strings.Contains(arg, "/"):
		return true
	}
	return 1 < len(ext) && len(ext) <= longest && 'a' <= ext[1] && ext[1] <= 'z'
}

// maxExplained is how many bytes of an input are read: enough for the longest message, a
// Certificate of 2^24-1 bytes, in hexadecimal.
const maxExplained = 40 << 20

// takenOff counts what was around a message.
type takenOff struct {
	count int
	bytes int    // of them, with their headers
	what  string // "TLS record", "DTLS record" or "QUIC packet"
}

// takeOff returns the content of the TLS handshake records that data begins with, or data
// if there are none.
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
	t.what = "TLS record"
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
	case t.Message == extension.Certificate && o.from.value == handshake.FromClient:
		from, known = handshake.FromClient, o.request != ""
	case t.Message == extension.NewSessionTicket:
		known = true
	}
	switch {
	case !known || t.Message == 0 || t.Refused != nil || t.Carrier != nil:
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
	if in.capture != nil {
		return extension.List{}, errors.Join(fmt.Errorf("%s %s: it is a capture; give one message", option, in.source), in.close())
	}
	data := in.data
	if c, ok := openDatagram(data); ok && kind == annotate.ClientHello {
		data, kind = c.message, c.kind
	} else if msg, _ := withHeader(data); msg != nil && kind == annotate.ClientHello {
		data = msg
	}
	data = new(takenOff).takeOff(data)
	t := annotate.Explain(kind, data)
	if r := t.Refused; r != nil {
		return extension.List{}, fmt.Errorf("%s %s refused as %s at byte %d (%s): %s", option, in.subject(), t.Message, r.Offset, r.Path, messageOf(r.Code))
	}
	return t.Block, nil
}
