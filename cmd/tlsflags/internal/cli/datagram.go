package cli

import (
	"fmt"

	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/annotate"
)

// carried is what a datagram of DTLS records or of QUIC Initial packets carries.
type carried struct {
	message []byte // as much of the ClientHello as there is
	kind    annotate.Kind
	taken   takenOff
	fault   error // why the datagram is refused before the end of the message, or nil
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
	if result.Code != 0 {
		c.fault = fmt.Errorf("%s at byte %d of the datagram: %s", result.Code.Name(), result.Offset, messageOf(result.Code))
	}
	return c
}
