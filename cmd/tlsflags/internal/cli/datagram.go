package cli

import (
	"bytes"

	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/annotate"
	"github.com/tlsflags/tlsflags/extension"
)

// carried is a ClientHello that TLS records, or a datagram of DTLS records or of QUIC Initial
// packets, carry.
type carried struct {
	message []byte // as much of the ClientHello as there is
	whole   bool
	used    int // bytes of the carrier
	kind    annotate.Kind
	taken   takenOff
	code    extension.Code // why the carrier is refused before the end of the message, or 0
	offset  int            // of the code, in the carrier
}

// openDatagram opens a datagram. It reports whether data is one in which a ClientHello began.
func openDatagram(data []byte) (c carried, ok bool) {
	switch _, quic := assemble.ParseQUICInitial(data); {
	case quic:
		a := new(assemble.QUIC)
		c = openWith(a, data)
		c.kind, c.taken = annotate.ClientHello, takenOff{a.Info().Packets, len(data), "QUIC packet"}
	case identify(data) == dtlsRecordContent:
		a := new(assemble.DTLS)
		c = openWith(a, data)
		c.kind, c.taken = annotate.DTLSClientHello, takenOff{a.Info().Records, len(data), "DTLS record"}
	}
	return c, len(c.message) > 0
}

func openWith(a interface {
	assemble.Assembler
	Prefix() []byte
}, data []byte) (c carried) {
	a.Reset(make([]byte, assemble.BufferSize(assemble.MaxMessage)))
	result := a.Feed(data)
	if c.message = result.Message; result.Outcome != assemble.Complete {
		c.message = a.Prefix()
	}
	c.used = result.Used
	c.code, c.offset, c.whole = result.Code, result.Offset, result.Outcome == assemble.Complete
	return c
}

// openRecords opens TLS records, or an SSLv2-compatible hello. It reports whether data is that,
// and a ClientHello began.
func openRecords(data []byte) (c carried, ok bool) {
	if identify(data) != recordContent {
		return c, false
	}
	records := new(assemble.Records)
	c = openWith(records, data)
	c.kind = annotate.ClientHello
	if c.code == extension.ErrSSLv2Hello {
		c.message = data
		return c, true
	}
	content := c.taken.takeOff(data)
	if c.whole && !bytes.HasPrefix(content, c.message) { // a later record has another version
		c.taken = takenOff{records.Info().Records, c.used, "TLS record"}
		return c, true
	}
	if c.taken.count == 0 || c.code == extension.ErrMessageType || len(content) > 0 && content[0] != 1 {
		return carried{}, false
	}
	c.message = content // also what follows the message
	return c, c.code != 0 || len(content) > 0
}
