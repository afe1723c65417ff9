package cli

import (
	"encoding/hex"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
)

// found counts a hello and prints it, if it is one to be shown. An error is one of
// the output.
func (in *inspection) found(source string, h *capture.Hello) error {
	switch {
	case in.part != nil && !in.part.formats:
		return in.part.row(source, h)
	case in.groups != nil:
		return in.groups.add(h)
	}
	r := &in.row
	*r = row{source: source, hello: h, number: in.counter.next(source, in.join || in.live.on())}
	in.written.rows++
	if h.Found() {
		var err error
		r.msg, r.offset, err = h.Parse()
		r.code, _ = err.(extension.Code)
	}
	in.count(h, r.msg, r.code)
	if in.only.set && !r.msg.HasFlag(in.only.flag) && h.Found() {
		return nil
	}
	if ok, err := in.selected(r); !ok || err != nil {
		return err
	}
	in.summary.shown++
	if err := in.written.selected(h); err != nil {
		return err
	}
	if in.tally != nil {
		in.tally.add(r)
		return nil
	}
	if in.report.page != nil {
		in.report.add(in, r)
		return nil
	}
	if in.printer == nil {
		in.stats.add(h, r.msg)
		return nil
	}
	l := in.line(r)
	if in.bytes {
		l.Message = optional(hex.EncodeToString(h.Message))
	}
	if in.redact {
		l.redact()
	}
	if err := in.printer.print(l); err != nil || in.part == nil {
		return err
	}
	return in.part.printed(source)
}

// counter numbers the hellos of each capture, as explain does.
type counter struct {
	source string
	n      int
}

func (c *counter) next(source string, joined bool) int {
	if source != c.source && !joined {
		*c = counter{source: source}
	}
	c.n++
	return c.n
}

func (in *inspection) count(h *capture.Hello, msg clienthello.ClientHello, code extension.Code) {
	s := &in.summary
	if h.Found() {
		s.hellos++
	}
	if h.Ambiguous != 0 {
		s.ambiguous++
		for r := range h.Ambiguous.All() {
			s.doubts[r]++
		}
	}
	if code != 0 {
		s.refused++
	}
	odd := len(h.Faults) > 0
	if _, ok := msg.Extensions().FlagsExtension(); ok {
		s.withFlags++
		odd = odd || len(flagFaults(msg)) > 0
	}
	if odd {
		s.faults++
	}
	if msg.HasFlag(extension.RequestMTLS) {
		s.mtls++
	}
	if in.expect.set && msg.HasFlag(in.expect.flag) {
		s.expected = true
	}
}

// describe returns a line with what carried the hello; the caller adds what is in it. The line
// is valid until the next one.
func (m *lists) describe(source string, h *capture.Hello) *line {
	l := &m.line
	*l = line{
		Schema:     inspectSchema,
		Source:     source,
		Time:       m.texts.time(h.Time),
		Transport:  transportOf(h),
		Frames:     h.Frames,
		Pieces:     pieces(h.Pieces),
		HelloIndex: h.Index,

		Ambiguous:   doubtsOf(h),
		Contradicts: h.Contradicts,
		Path:        h.Path,

		hello: h,
	}
	l.setAddresses(h, &m.texts)
	if len(h.Frames) == 0 { // the key is null, not an empty list
		l.Frames = nil
	}
	for _, f := range h.Faults {
		l.Faults = append(l.Faults, oddInfo(f))
	}
	switch h.Transport {
	case capture.QUIC:
		l.QUIC = m.describeQUIC(h.QUIC)
	case capture.DTLS:
		l.DTLS = describeDTLS(h.DTLS)
	}
	if h.Prologue > 0 {
		l.Prologue = &prologueInfo{optional(h.PrologueProtocol), h.Prologue}
	}
	if h.Index > 1 {
		l.TLSFlagsChanged = new(h.FlagsChanged)
	}
	return l
}

func transportOf(h *capture.Hello) string {
	if len(h.Frames) == 0 { // from no capture
		return string(capture.Raw)
	}
	return string(h.Transport)
}

func doubtsOf(h *capture.Hello) (list []string) {
	for r := range h.Ambiguous.All() {
		list = append(list, r.String())
	}
	return list
}

// setAddresses fills in src and dst, and the keys that have parts of them.
func (l *line) setAddresses(h *capture.Hello, t *texts) {
	l.ports = [2]int{int(h.Src.Port()), int(h.Dst.Port())}
	if l.Src, l.SrcIP = t.address(h.Src); l.Src != "" {
		l.SrcPort = &l.ports[0]
	}
	if l.Dst, l.DstIP = t.address(h.Dst); l.Dst != "" {
		l.DstPort = &l.ports[1]
	}
}
