package capture

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
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

// isAlert reports whether b, the first bytes of a server, are an alert that ends the
// connection, and returns it (RFC 9846, Section 6).
func isAlert(b []byte) (extension.Alert, bool) {
	const fatal = 2
	if len(b) < 7 || b[0] != recordAlert || b[5] != fatal {
		return 0, false
	}
	return extension.Alert(b[6]), true
}

// fits reports whether b, the first bytes of a server, may answer the hello: with a
// ServerHello, or with decode_error if the hello is malformed.
func (h *Hello) fits(b []byte) bool {
	if answer, ok := readServerHello(b); ok {
		return answer.fits(h)
	}
	alert, ok := isAlert(b)
	return ok && alert == extension.AlertDecodeError && (h.refused() || h.malformedBody())
}

// refused reports whether a strict reader refuses the hello.
func (h *Hello) refused() bool {
	strict := *h
	strict.servers = 0
	_, _, err := strict.Parse()
	return err != nil
}

// settle removes doubts that b, the first bytes of the server's answer, decides. A ServerHello
// shows that the server read a hello that is odd or has no other reading. An alert shows that
// it refused a malformed one.
func (h *Hello) settle(b []byte) {
	if answer, ok := readServerHello(b); ok && answer.fits(h) {
		if h.single || h.Ambiguous&^oddHello == 0 {
			h.Ambiguous = 0
		}
		return
	}
	alert, ok := isAlert(b)
	refuses := ok && slices.Contains([]extension.Alert{extension.AlertIllegalParameter, extension.AlertDecodeError, extension.AlertUnsupportedExtension}, alert)
	if refuses && h.Ambiguous&^(1<<Malformed) == 0 && h.refused() {
		h.Ambiguous, h.Faults, h.servers = 0, nil, 0
	}
}

// asks reports whether the rows that wait for an answer are of h, whose own bytes are no answer.
func (f *flow) asks(h *half) bool {
	src, _ := f.ends(int(h.direction))
	return len(f.doubt.rows) > 0 && f.doubt.rows[0].Src == src
}

// fits reports whether the ServerHello may answer the hello. In TLS 1.3 the server echoes the
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
