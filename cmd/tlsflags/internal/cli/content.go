package cli

import (
	"bytes"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/paste"
)

// content is what an input turns out to be.
type content int

const (
	unknownContent     content = iota
	captureContent             // what capture.Open reads, or refuses with its name
	recordContent              // TLS records, or an SSLv2-compatible hello
	messageContent             // a TLS handshake message
	dtlsMessageContent         // a DTLS handshake message
	dtlsRecordContent          // DTLS records
	textContent                // text that may say any of these
)

// headLen is how many bytes identify looks at.
const headLen = 512

// contents has how the content of an input begins. The first that matches counts.
var contents = []struct {
	content content
	match   func(head) bool
}{
	{captureContent, func(h head) bool { return capture.IsCapture(h) }},
	{recordContent, func(h head) bool { return h.has(3) && h[0] == 22 && h[1] == 3 }}, // RFC 9846, Section 5.1
	{recordContent, head.isSSLv2},
	{dtlsRecordContent, func(h head) bool { return h.has(3) && h[0] == 22 && h[1] == 0xfe }}, // RFC 9147, Section 4
	{dtlsMessageContent, head.isDTLSMessage},
	{messageContent, func(h head) bool { return h.has(1) && h[0] == 1 && (!h.has(5) || h[4] == 3) }}, // RFC 9846, Section 4
	{textContent, func(h head) bool { return paste.IsText(h) }},
}

// identify tells from its first bytes what an input is.
func identify(begin []byte) content {
	for _, c := range contents {
		if c.match(begin) {
			return c.content
		}
	}
	return unknownContent
}

// head is how an input begins.
type head []byte

func (h head) has(n int) bool { return len(h) >= n }

// isSSLv2 looks for an SSLv2-compatible hello (RFC 5246, Appendix E.2).
func (h head) isSSLv2() bool {
	return h.has(5) && h[0]&0x80 != 0 && h[2] == 1 && (h[3] == 3 || h[3] == 0 && h[4] == 2)
}

// isDTLSMessage looks for a ClientHello in one fragment (RFC 9147, Section 5.2).
func (h head) isDTLSMessage() bool {
	return h.has(14) && h[0] == 1 && h[12] == 0xfe && bytes.Equal(h[1:4], h[9:12])
}
