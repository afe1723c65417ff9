package cli

import (
	"net/netip"
	"time"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
)

type parseFunc func([]byte) (clienthello.ClientHello, int, error)

// hello is a ClientHello as it was found in an input: a whole handshake message, or
// the reason why there is none.
type hello struct {
	source    string
	time      time.Time      // zero where there is none
	transport string         // "tcp", "quic", "dtls" or "raw"
	src, dst  netip.AddrPort // invalid where there are none
	frames    []int
	pieces    pieces
	index     int // 1 for the first hello of a connection
	quic      *quicInfo
	dtls      *dtlsInfo
	changed   *bool // whether the tls_flags differ from the first hello's

	message []byte
	parse   parseFunc
	code    extension.Code // 0 where message is whole
	offset  int
}

// found counts a hello and prints it, if it is one to be shown. An error is one of
// the output.
func (in *inspection) found(h hello) error {
	var msg clienthello.ClientHello
	if h.code == 0 {
		var err error
		msg, h.offset, err = h.parse(h.message)
		h.code, _ = err.(extension.Code)
	}
	in.count(h, msg)
	if in.only.set && !msg.HasFlag(in.only.flag) {
		return nil
	}
	if in.printer == nil {
		in.stats.add(msg)
		return nil
	}
	l := describe(h, msg)
	if in.redact {
		l.redact()
	}
	return in.printer.print(l)
}

func (in *inspection) count(h hello, msg clienthello.ClientHello) {
	s := &in.summary
	s.hellos++
	if h.code != 0 {
		s.refused++
	}
	if _, ok := msg.Extensions().FlagsExtension(); ok {
		s.withFlags++
	}
	if msg.HasFlag(extension.RequestMTLS) {
		s.mtls++
	}
	if in.expect.set && msg.HasFlag(in.expect.flag) {
		s.expected++
	}
}

// describe makes the line of a hello; msg is its message, if it was accepted.
func describe(h hello, msg clienthello.ClientHello) *line {
	l := &line{
		Schema:          inspectSchema,
		Source:          h.source,
		Time:            timeOf(h.time),
		Transport:       h.transport,
		Src:             addressOf(h.src),
		Dst:             addressOf(h.dst),
		Frames:          h.frames,
		Pieces:          h.pieces,
		HelloIndex:      h.index,
		QUIC:            h.quic,
		DTLS:            h.dtls,
		TLSFlagsChanged: h.changed,
	}
	if h.code != 0 {
		l.Error = refuse(h.code, h.offset)
		return l
	}
	l.ClientHello = describeHello(msg)
	l.TLSFlags = describeFlags(msg)
	l.RequestMTLS = msg.HasFlag(extension.RequestMTLS)
	return l
}

func addressOf(a netip.AddrPort) *string {
	if !a.IsValid() {
		return nil
	}
	return new(a.String())
}
