package cli

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/annotate"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/report"
	"github.com/tlsflags/tlsflags/extension"
)

// reportOption is the option --report, and the page that it asks for.
type reportOption struct {
	name  string
	page  *report.Report // nil without the option
	files *resultFiles
}

func (o *reportOption) register(f *pflag.FlagSet) {
	f.StringVar(&o.name, "report", "", "write a page of HTML about the hellos to this `FILE`, instead of showing them")
}

// check returns an error for options that --report leaves no room for.
func (o *reportOption) check(in *inspectOptions, args []string) error {
	switch {
	case o.name == "":
		return nil
	case in.stats || in.by.list != nil || in.fields != nil || in.bytes || in.format.value != "text" || in.result.on():
		return usageError("--report writes a page instead of rows; it does not go with -o, --format, --fields, --bytes, --stats and --by")
	case o.name == standardInput:
		return usageError("--report needs the name of a file")
	}
	return (&fileOptions{name: o.name}).checkOld("--report", args)
}

// open creates the file, so that a folder that cannot be written is told at once.
func (o *reportOption) open() error {
	if o.name == "" {
		return nil
	}
	o.page = report.New()
	o.files = &resultFiles{fileOptions: fileOptions{name: o.name}}
	return o.files.begin(time.Time{})
}

// write writes the page, and gives it its name when it is complete.
func (o *reportOption) write(in *inspection, args []string) error {
	if err := o.page.Write(o.files, report.About{Sources: in.sources(args), Counts: in.reportCounts()}); err != nil {
		return err
	}
	return o.files.finish()
}

// discard removes a page that is not complete.
func (o *reportOption) discard() {
	if o.files != nil {
		o.files.remove()
	}
}

// add adds a row.
func (o *reportOption) add(in *inspection, r *row) {
	h, msg := r.hello, r.msg
	if r.code != 0 {
		msg, _ = readable(h)
	}
	row := report.Hello{
		Number: r.number, Found: h.Found(), Source: r.source, Transport: transportOf(h), Version: versionOf(msg), JA4: r.ja4(),
		Odd: oddities(r, msg), Kind: annotate.ClientHello, RequestMTLS: msg.HasFlag(extension.RequestMTLS),
	}
	if h.Transport == capture.DTLS {
		row.Kind = annotate.DTLSClientHello
	}
	if hasTime(h.Time) {
		row.Time = h.Time
	}
	if len(h.Frames) > 0 {
		row.Frame = h.Frames[len(h.Frames)-1]
	}
	flags, _, _ := msg.Flags()
	for f := range flags.All() {
		row.Flags = append(row.Flags, flagName(f))
	}
	row.Groups, row.PostQuantum = postQuantum(msg)
	if ech, ok, err := msg.EncryptedClientHello(); ok && err == nil {
		row.ECH = "outer, real or GREASE"
		if ech.Type == clienthello.ECHInner {
			row.ECH = "inner"
		}
	}
	if !in.redact {
		name, _ := msg.ServerName()
		row.Src, row.Dst = addressText(h.Src), addressText(h.Dst)
		row.Name, row.Message, row.Code, row.Offset = string(name), h.Message, h.Code, h.Offset
	}
	o.page.Add(row)
}

func addressText(a netip.AddrPort) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

// versionOf is the version that the client prefers, "" if nothing could be read.
func versionOf(msg clienthello.ClientHello) string {
	if msg.Raw() == nil && msg.Extensions().Len() == 0 {
		return ""
	}
	versions, _ := msg.SupportedVersions()
	for v := range versions.All() {
		if v.Name() != grease {
			return v.String()
		}
	}
	return msg.LegacyVersion().String()
}

// postQuantum returns the first post-quantum group with a key share, or one that is only
// offered.
func postQuantum(msg clienthello.ClientHello) (group string, share bool) {
	is := func(g clienthello.Group) bool {
		return strings.Contains(g.Name(), "MLKEM") || strings.Contains(g.Name(), "Kyber")
	}
	shares, _ := msg.KeyShares()
	for s := range shares.All() {
		if is(s.Group) {
			return s.Group.Name() + ", with a key share", true
		}
	}
	groups, _ := msg.SupportedGroups()
	for g := range groups.All() {
		if is(g) {
			return g.Name() + ", without a key share", false
		}
	}
	return "", false
}

// oddities lists what is refused, in doubt, malformed or unusual.
func oddities(r *row, msg clienthello.ClientHello) []string {
	var list []string
	if r.code != 0 {
		list = append(list, "refused: "+r.code.Name())
	}
	for _, doubt := range doubtsOf(r.hello) {
		list = append(list, "in doubt: "+doubt)
	}
	for _, f := range r.hello.Faults {
		list = append(list, "fault: "+oddInfo(f).Code)
	}
	for _, f := range flagFaults(msg) {
		list = append(list, "fault: "+f.Code)
	}
	if r.hello.FlagsChanged {
		list = append(list, flagsChanged)
	}
	for _, t := range append(describedExtensions[:len(describedExtensions):len(describedExtensions)], extension.TLSFlags, extension.TLSFlagsExperimental) {
		if _, err := msg.CheckExtension(t); err != nil {
			list = append(list, "malformed extension: "+t.String())
		}
	}
	for e := range msg.Extensions().All() {
		if e.Type.Name() == "" {
			list = append(list, fmt.Sprintf("an extension without a name: %d", e.Type))
			break
		}
	}
	flags, _, _ := msg.Flags()
	for f := range flags.All() {
		if f.Name() == "" {
			list = append(list, fmt.Sprintf("a TLS flag without a name: %d", f))
			break
		}
	}
	return list
}

// sources are the names of the inputs.
func (in *inspection) sources(args []string) []string {
	if in.live.on() {
		return in.live.interfaces
	}
	names := make([]string, len(args))
	for i, arg := range args {
		names[i] = in.source(arg)
	}
	return names
}

// reportCounts says what was read and passed over.
func (in *inspection) reportCounts() []string {
	lines := append([]string{count(in.summary.inputs, "input")}, countLines(&in.summary.captures)...)
	if in.summary.skipped > 0 {
		lines = append(lines, count(in.summary.skipped, "file")+" that is no capture")
	}
	return lines
}
