package cli

import (
	"encoding/binary"
	"encoding/hex"
	"net/netip"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
)

// found counts a hello and prints it, if it is one to be shown. An error is one of
// the output.
func (in *inspection) found(source string, h *capture.Hello) error {
	var msg clienthello.ClientHello
	var code extension.Code
	var offset int
	if h.Found() {
		var err error
		msg, offset, err = h.Parse()
		code, _ = err.(extension.Code)
	}
	in.count(h, msg, code)
	if in.only.set && !msg.HasFlag(in.only.flag) && h.Found() {
		return nil
	}
	if in.printer == nil {
		in.stats.add(h, msg)
		return nil
	}
	l := describe(source, h)
	switch {
	case !h.Found(): // a doubt, and no more
	case code != 0:
		l.Error, l.Partial = refuse(code, offset), in.lists.describePartial(h)
		if code == extension.ErrDuplicateExtension {
			t := extension.Type(binary.BigEndian.Uint16(h.Message[offset:]))
			l.Error.Message += ": " + t.String()
		}
	default:
		l.ClientHello = in.lists.describeHello(msg)
		if l.DTLS != nil {
			l.DTLS.CookieLength = new(len(msg.LegacyCookie()))
		}
		l.TLSFlags = describeFlags(msg.Extensions())
		l.RequestMTLS = msg.HasFlag(extension.RequestMTLS)
		l.JA4 = optional(ja4(msg, h.Transport))
		in.followed.describe(l, msg)
	}
	if in.bytes {
		l.Message = hex.EncodeToString(h.Message)
	}
	if in.redact {
		l.redact()
	}
	return in.printer.print(l)
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
	if _, ok := msg.Extensions().FlagsExtension(); ok {
		s.withFlags++
	}
	if msg.HasFlag(extension.RequestMTLS) {
		s.mtls++
	}
	if in.expect.set && msg.HasFlag(in.expect.flag) {
		s.expected = true
	}
}

// describe says how the hello travelled; what it says is up to the caller.
func describe(source string, h *capture.Hello) *line {
	l := &line{
		Schema:     inspectSchema,
		Source:     source,
		Time:       timeOf(h.Time),
		Transport:  string(h.Transport),
		Src:        addressOf(h.Src),
		Dst:        addressOf(h.Dst),
		Frames:     h.Frames,
		Pieces:     pieces(h.Pieces),
		HelloIndex: h.Index,

		Contradicts: h.Contradicts,
		Path:        h.Path,
	}
	if len(h.Frames) == 0 { // the key is null, not an empty list
		l.Frames = nil
	}
	for r := range h.Ambiguous.All() {
		l.Ambiguous = append(l.Ambiguous, r.String())
	}
	for _, f := range h.Faults {
		l.Faults = append(l.Faults, oddInfo(f))
	}
	if !h.Src.IsValid() {
		l.Transport = "raw" // from no capture
	}
	switch h.Transport {
	case capture.QUIC:
		l.QUIC = describeQUIC(h.QUIC)
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

func addressOf(a netip.AddrPort) optional {
	if !a.IsValid() {
		return ""
	}
	return optional(a.String())
}
