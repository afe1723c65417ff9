package capture

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/tlsflags/tlsflags/clienthello"
)

// serverHello is what a ServerHello or HelloRetryRequest shows of the ClientHello that it
// answers.
type serverHello struct {
	sessionID []byte
	suite     clienthello.CipherSuite
}

// readServerHello reads the beginning of a ServerHello, in the first bytes of a server:
//
//	struct {
//		ProtocolVersion legacy_version = 0x0303;
//		Random random;
//		opaque legacy_session_id_echo<0..32>;
//		CipherSuite cipher_suite;
//		...
//	} ServerHello;
//
// as defined in RFC 9846, Section 4.2.3.
func readServerHello(b []byte) (answer serverHello, ok bool) {
	const (
		record  = 5
		message = 4
		before  = record + message + 2 + 32
	)
	if len(b) <= before || b[0] != recordHandshake || b[record] != 2 {
		return serverHello{}, false
	}
	n := int(b[before])
	if len(b) < before+1+n+2 {
		return serverHello{}, false
	}
	answer.sessionID = b[before+1 : before+1+n]
	answer.suite = clienthello.CipherSuite(binary.BigEndian.Uint16(b[before+1+n:]))
	return answer, true
}

// asks reports whether the rows that wait for an answer are of h: its own bytes are none.
func (f *flow) asks(h *half) bool {
	src, _ := f.ends(int(h.direction))
	return len(f.doubt.rows) > 0 && f.doubt.rows[0].Src == src
}

// fits reports whether the answer may be one to the hello. In TLS 1.3 the server echoes the
// session id; it always selects a cipher suite that was offered.
func (a serverHello) fits(h *Hello) bool {
	hello, _, err := h.Parse()
	if err != nil {
		return false
	}
	if versions, err := hello.SupportedVersions(); err == nil && slices.Contains(slices.Collect(versions.All()), 0x0304) &&
		a.suite>>8 == 0x13 && !bytes.Equal(a.sessionID, hello.LegacySessionID()) {
		return false
	}
	return slices.Contains(slices.Collect(hello.CipherSuites().All()), a.suite)
}
