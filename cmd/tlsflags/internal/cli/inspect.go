package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"runtime/debug"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/reqmtls/client/tls13"
)

// inspectOptions are the flags of inspect.
type inspectOptions struct {
	format enum[string]
	color  enum[string]
	only   flagValue
	expect flagValue
	stats  bool
	strict enum[string]
	sound  bool // --strict-capture
	sums   enum[capture.Checksums]
	merge  bool
	room   capture.Options // limits
	redact bool
	bytes  bool
	quiet  bool
	keyLog string
	join   bool
	follow bool
	result fileOptions
	live   liveOptions
	write  writeOptions
	workerOptions

	conditions conditions
	fields     fieldList
	by         enumList[grouping]
	top        int
	report     reportOption
}

func (o *inspectOptions) register(f *pflag.FlagSet) {
	o.format, o.color = enumOf("format", "text", words(append(outputFormats, parquetFormat)...)), colorMode()
	f.VarP(&o.format, "format", "f", "output format")
	f.Var(&o.color, "color", "when to colour text")
	f.Var(&o.only, "flag", "show only hellos with this TLS flag")
	o.conditions.register(f)
	o.report.register(f)
	f.Var(&o.fields, "fields", "show only these keys of the JSON, such as hello,time,client_hello.server_name; hello is the number for explain")
	o.by.enum = enumOf("grouping", "", groupingChoices())
	f.Var(&o.by, "by", "count hellos instead of showing them, by one or two of")
	f.IntVar(&o.top, "top", 20, "with --by: show this `number` of values; 0 shows all")
	f.Var(&o.expect, "expect", "exit with 1 unless a hello has this flag; hidden hellos count too")
	f.BoolVar(&o.stats, "stats", false, "count the flags instead of showing hellos")
	o.strict = enumOf("strictness", "", words(strictRefused, strictAmbiguous))
	f.Var(&o.strict, "strict", "exit with 4 if a hello was refused, or also if one is in doubt")
	f.Lookup("strict").NoOptDefVal = strictRefused
	f.BoolVar(&o.sound, "strict-capture", false, "exit with 5 if a capture was damaged, cut or not readable in part")
	o.sums = enumOf("checksums", "auto", []choice[capture.Checksums]{
		{"auto", capture.ChecksumsAuto}, {"verify", capture.ChecksumsVerify}, {"ignore", capture.ChecksumsIgnore}})
	f.Var(&o.sums, "checksums", "which wrong checksums count")
	f.BoolVar(&o.merge, "merge-paths", false, "join directions that are in different VLANs or tunnels")
	o.room.MaxMemory = capture.DefaultMaxMemory
	f.Var((*byteSize)(&o.room.MaxMemory), "max-memory", "`bytes` that unfinished hellos and connections may take; k, M or G may follow")
	f.IntVar(&o.room.MaxFlows, "max-flows", capture.DefaultMaxFlows, "`number` of connections followed at a time")
	f.Var(filterOption{&o.room.Filter}, "filter", "read only packets that this expression of tcpdump chooses")
	f.BoolVar(&o.redact, "redact", false, "leave out addresses, server names, randoms, session ids, connection IDs and directories")
	f.BoolVar(&o.bytes, "bytes", false, "show the bytes of each message, from the handshake header on, in hexadecimal")
	o.write.register(f)
	f.StringVar(&o.keyLog, "keylog", "", "decrypt TLS 1.3 with the secrets in `FILE`; - is standard input")
	f.BoolVar(&o.join, "join", false, "read all captures as one, in the order of their times, as rotated files are")
	f.BoolVar(&o.follow, "follow", false, "wait at the end of a capture that still grows; ^C ends it")
	o.workerOptions.register(f)
	f.BoolVarP(&o.quiet, "quiet", "q", false, "no summary, no warnings, no progress bar")
	o.live.register(f)
	o.result.register(f)
}

// The words of --strict.
const (
	strictRefused   = "refused"
	strictAmbiguous = "ambiguous"
)

// captureOptions are for package capture.
func (o inspectOptions) captureOptions() capture.Options {
	options := o.room
	options.Checksums, options.MergePaths = o.sums.value, o.merge
	return options
}

const inspectExits = `Exit codes: 0 done; 1 no hello has the flag of --expect; 2 wrong usage; 3 an input
cannot be read; 4 a hello was refused, with --strict, or is in doubt, with
--strict=ambiguous; 5 a capture was damaged, cut or not readable in part, with
--strict-capture. If several apply, the first of 2, 3, 5, 4, 1 is returned.`

const inspectHelp = `Inspect prints one line for each ClientHello in its inputs: its number in its capture, the
time of day in UTC, the client and the server, the server name, the version that the client
prefers, the frames, and the TLS flags; or why the hello was refused. The day is above its
hellos. On a screen, lines are cut and columns left out so that they fit; why a hello is
refused, in doubt or odd is below its line if need be. The other formats have everything.

Inspect looks at the content of an input, not at its name. An input is one of:

  - a capture: pcap or pcapng, also compressed with gzip, bzip2, zstd, lz4 or xz
  - TLS records, as a client sent them
  - a handshake message of TLS or DTLS, with its header
  - the payload of one UDP datagram: DTLS records or QUIC Initial packets

All but captures may also be text, in the forms that explain reads: hexadecimal, a dump,
an array, a string with escapes, or base64.
The argument - is standard input, whose hellos are printed as they arrive. In a
directory, every capture in it and below it is inspected, in lexical order; other files
are counted and symbolic links are not followed. With -i there are no inputs: inspect
captures on a network interface until ^C, --count or --duration. -i may be repeated, and
-i any means all interfaces. The source of a hello is the interface of its first packet.

With --join, all inputs are captures of one place, such as the files that tcpdump -G or -C
or dumpcap -b wrote one after the other. They are read as one capture, in the order of the
times of their first packets, so that a hello in two files is found. Frames are counted over
all files; the source of a hello is the file of its first frame. With --follow, inspect
waits at the end of a file for more, until ^C, or until the file is replaced or truncated.

If an input cannot be read, one line says why, the other inputs are still inspected, and
the exit code is 3. What is damaged, cut short or of an unknown link type in a capture that
can be opened is only counted and warned about; with --strict-capture, the exit code is
then 5. A damaged capture is read on after the damage, and a warning says at which byte it
is. For a capture in another format, such as snoop, inspect says which program converts it.

With --keylog, inspect decrypts the TLS 1.3 connections over TCP whose secrets it has.
It prints the TLS flags of their encrypted messages, which rule they break, and whether
request_mtls was acknowledged. The secrets are in a file that SSLKEYLOGFILE named or in
a pcapng, such as the capture itself. The captures are read twice, so they cannot come
from standard input. Connections that do not begin with TLS (STARTTLS, proxies) are not
decrypted.

--where takes a condition on the keys of the JSON, and src_ip, src_port, dst_ip and
dst_port, such as: ja4 startsWith "t13" and not ("h2" in client_hello.alpn). It knows ==,
!=, <, <=, >, >=, in, contains, startsWith, endsWith, matches, and, or, not, any, all, none,
one, count, len, lower and upper. A comparison with an absent value is false; x == nil
tests for one. If several of --where, --flag, --sni, --ja4, --since and --until are given,
all must hold. --fields shows only some keys of the JSON, in any format.
--by ja4 counts hellos by their JA4, and --by day,flag by day and flag; FIRST is the number
of the first such hello, for explain --hello. --report writes a page of HTML with
counts, a time line, doubts and oddities, and the bytes of up to 200 hellos.

--write-hellos writes the message of each hello that is shown to DIR, under the number of the
hello among all that were found and the beginning of its SHA-256. It replaces no file.
--write-pcap writes a pcapng file for Wireshark: of the connection of each such hello, the
packets from its beginning on, at most 64 before the hello and 64 after it, in both directions.
Files are read twice for that. Of standard input, an interface and a file with --follow, inspect
holds the latest 64 MiB of packets, and says how many it could not write.

With -o, the results go to a file. It gets its name when inspect ends, also by ^C or SIGTERM,
and has another one in the same folder until then; if the results cannot be written, there
is no file. --rotate 1h or --rotate 1GB begins a new file after that time or size, for -i, -
and --follow. The names of the files have the time of their first hello and a number. A time
begins at a multiple of its length in UTC, and a file is complete when a hello of the next
one comes.

--format parquet has the message of each hello and a column for most keys of the JSON, for
databases; the bytes come in groups of up to 16 MiB, and a file is readable when inspect
has ended. With --fields, it has the columns of these keys.

In text and csv, all characters of a name that are not printable are escaped, so a
client cannot control the terminal. A malformed TLS Flags extension does not refuse the
hello. Colour is off if NO_COLOR is set or TERM is dumb, unless --color says always.

`

func inspectCommand() *cobra.Command {
	var o inspectOptions
	cmd := &cobra.Command{
		Use:   "inspect [FILE|DIRECTORY|-]...",
		Short: "Show the ClientHellos of captures and raw files",
		Long:  inspectHelp + filterHelp + inspectExits,
		Example: `  tlsflags inspect corpus/captures/demo.pcapng
  tcpdump -U -w - tcp port 443 | tlsflags inspect -
  tlsflags inspect --format jsonl --flag request_mtls corpus/captures | jq .client_hello.server_name
  tlsflags inspect --where 'ja4 startsWith "t13" and 80 in tls_flags.flags' corpus/captures
  tlsflags inspect --fields time,src_ip,client_hello.server_name,ja4 -f csv corpus/captures
  tlsflags inspect --by ja4,sni --top 5 corpus/captures
  tlsflags inspect --report page.html corpus/captures
  base64 corpus/records/utls-chrome-133-ext62-80.bin | tlsflags inspect -
  tlsflags inspect -i eth0 --duration 10m --stats
  tlsflags inspect -f parquet -o hellos.parquet corpus/captures
  tlsflags inspect --join corpus/captures/tcp-hrr-openssl.pcapng corpus/captures/demo.pcapng
  tcpdump -i lo -U -w a.pcap tcp port 8443 &
  SSLKEYLOGFILE=keys curl --cacert demo/ca.pem https://127.0.0.1:8443/json
  tlsflags inspect --keylog keys a.pcap`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.fields.match(&o.bytes)
			if err := o.check(cmd, args); err != nil {
				return err
			}
			return o.writeResults(cmd, func(to *resultFiles) error { return inspect(cmd, o, args, to) })
		},
		DisableFlagsInUseLine: true,
	}
	o.register(cmd.Flags())
	return cmd
}

// inspection is one run of inspect.
type inspection struct {
	inspectOptions
	cmd      *cobra.Command
	out      *bufio.Writer
	printer  printer // nil with --stats and --by
	tally    *tally  // nil without --by
	stats    flagStats
	summary  summary
	progress *progress
	row      row // at hand
	lists    lists
	exit     Exit
	keys     tls13.KeyLog // nil without --keylog
	followed followed     // connections of the input at hand
	parts    parts        // what is computed of a hello
	written  written
	counter  counter
	again    reopener // of the input at hand, if it can be read twice
	turns    *turns   // of the inputs, for what lists them; nil with one worker
	part     *part    // that is read; nil for what prints
	groups   *groups  // of rows that others format, or nil
	budget   *capture.Budget
}

// memoryLimit returns the limit in bytes that the garbage collector aims at, unless
// GOMEMLIMIT sets another. Without one, garbage would double what package capture holds.
func (o inspectOptions) memoryLimit() int64 {
	others := int64(16 << 20) // garbage, buffers and output
	if o.write.pcap != "" {
		others += packetBuffer + 32<<20 // what is remembered of connections
	}
	return int64(o.room.MaxMemory) + others
}

func inspect(cmd *cobra.Command, o inspectOptions, args []string, to *resultFiles) error {
	if limit := debug.SetMemoryLimit(-1); limit == math.MaxInt64 {
		debug.SetMemoryLimit(o.memoryLimit())
		defer debug.SetMemoryLimit(limit)
	}
	if os.Getenv("GOGC") == "" {
		defer collectRarely()()
	}
	in := &inspection{inspectOptions: o, cmd: cmd}
	if o.keyLog != "" {
		if slices.Contains(args, standardInput) {
			return usageError("--keylog: standard input cannot be read twice; save it to a file")
		}
		var err error
		if in.keys, err = openKeyLog(cmd, o.keyLog); err != nil {
			return err
		}
	}
	if err := in.report.open(); err != nil {
		return err
	}
	defer in.report.discard()
	in.progress = newProgress(cmd.ErrOrStderr(), !o.quiet)
	in.out = bufio.NewWriterSize(&outputWriter{cmd.OutOrStdout(), in.progress}, 64<<10)
	in.summary.chosen = o.only.set || len(o.conditions) > 0
	in.parts = partsOf(o.format.value, o.fields) | o.conditions.parts()
	switch {
	case o.by.list != nil:
		in.tally = newTally(o.by.list, o.redact)
		in.tally.joined = o.join || o.live.on()
	case !o.stats && in.report.page == nil:
		in.print(args, to)
	}
	if err := in.written.begin(o.write); err != nil {
		return err
	}
	if err := in.written.end(in, in.run(args)); err != nil {
		return err
	}
	if !o.quiet && !in.nothing() {
		fmt.Fprintln(cmd.ErrOrStderr(), in.summary.text(widthOf(cmd, cmd.ErrOrStderr())))
	}
	if o.expect.set && !in.summary.expected {
		in.exit = in.exit.and(ExitUnmet)
		complain(cmd, "no hello has flag "+flagName(o.expect.flag))
	}
	if o.strict.word != "" && in.summary.refused > 0 || o.strict.word == strictAmbiguous && in.summary.ambiguous > 0 {
		in.exit = in.exit.and(ExitRefused)
	}
	if o.sound && hasLost(&in.summary.captures) {
		in.exit = in.exit.and(ExitCapture)
	}
	return exitWith(in.exit)
}

// severalSources reports whether hellos may be of more than one input.
func (o inspectOptions) severalSources(args []string) bool {
	return len(args) > 1 || len(args) == 1 && isDirectory(args[0]) || len(o.live.interfaces) > 1 || slices.Contains(o.live.interfaces, "any")
}

// run inspects the inputs and ends the output. An error is one of the output.
func (in *inspection) run(args []string) error {
	if in.live.on() {
		if err := in.inspectLive(); err != nil {
			return err
		}
	}
	if err := in.inspectAll(args); err != nil && !errors.Is(err, context.Canceled) {
		return err
	} // else, if it was interrupted, what was found is told, with the summary
	in.progress.finish()
	switch {
	case in.printer == nil && in.nothing():
	case in.report.page != nil:
		return in.report.write(in, args)
	case in.tally != nil:
		in.tally.print(in.out, in.format.value, in.top, widthOf(in.cmd, in.cmd.OutOrStdout()))
	case in.printer == nil:
		in.stats.print(in.out, in.format.value, &in.summary.captures, widthOf(in.cmd, in.cmd.OutOrStdout()))
	default:
		if err := in.printer.close(); err != nil {
			return err
		}
	}
	return in.out.Flush()
}

// nothing reports whether no input could be read, so that there is nothing to count.
func (in *inspection) nothing() bool { return in.summary.inputs == 0 && in.exit != ExitDone }

// outputWriter writes to standard output and takes the progress bar away first.
type outputWriter struct {
	w        io.Writer
	progress *progress
}

func (w *outputWriter) Write(b []byte) (int, error) {
	w.progress.clear()
	return w.w.Write(b)
}
