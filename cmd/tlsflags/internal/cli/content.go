package cli

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
)

// content is what an input turns out to be.
type content int

const (
	unknownContent     content = iota
	captureContent             // pcap or pcapng, perhaps gzipped
	recordContent              // TLS records, or an SSLv2-compatible hello
	messageContent             // a TLS handshake message
	dtlsMessageContent         // a DTLS handshake message
	dtlsRecordContent          // DTLS records
	textContent                // text that may be any of these in hexadecimal or base64
)

// captureMagics are the first bytes of the captures: pcap in both byte orders with
// microseconds and nanoseconds, pcapng, gzip.
var captureMagics = []string{
	"\xa1\xb2\xc3\xd4", "\xd4\xc3\xb2\xa1", "\xa1\xb2\x3c\x4d", "\x4d\x3c\xb2\xa1",
	"\x0a\x0d\x0d\x0a", "\x1f\x8b",
}

// headLen is how many bytes identify looks at.
const headLen = 512

// identify tells from its first bytes what an input is.
func identify(head []byte) content {
	for _, magic := range captureMagics {
		if bytes.HasPrefix(head, []byte(magic)) {
			return captureContent
		}
	}
	at := func(i int) byte {
		if i < len(head) {
			return head[i]
		}
		return 0
	}
	switch {
	case len(head) >= 3 && at(0) == 22 && at(1) == 3:
		return recordContent // a handshake record of RFC 9846, Section 5.1
	case len(head) >= 5 && at(0)&0x80 != 0 && at(2) == 1 && (at(3) == 3 || at(3) == 0 && at(4) == 2):
		return recordContent // RFC 5246, Appendix E.2
	case len(head) >= 3 && at(0) == 22 && at(1) == 0xfe:
		return dtlsRecordContent // RFC 9147, Section 4
	case len(head) >= 14 && at(0) == 1 && at(12) == 0xfe && bytes.Equal(head[1:4], head[9:12]):
		return dtlsMessageContent // RFC 9147, Section 5.2
	case len(head) >= 1 && at(0) == 1 && (len(head) < 5 || at(4) == 3):
		return messageContent // RFC 9846, Section 4
	case isText(head):
		return textContent
	}
	return unknownContent
}

func isText(b []byte) bool {
	for _, c := range b {
		if c > '~' || c < ' ' && !strings.ContainsRune("\t\r\n\f\v", rune(c)) {
			return false
		}
	}
	return len(b) > 0
}

// The names of what decodeText reads.
const (
	hexadecimal = "hexadecimal"
	base64Text  = "base64"
)

// decodeText reads hexadecimal or base64, of either alphabet, padded or not, and says
// which; form is empty where the text is neither. White space counts for nothing, nor do
// a 0x before hexadecimal and the colons between its octets.
func decodeText(text []byte) (b []byte, form string) {
	s := strings.Join(strings.Fields(string(text)), "")
	digits := strings.ReplaceAll(s, ":", "")
	if len(digits) >= 2 && strings.EqualFold(digits[:2], "0x") {
		digits = digits[2:]
	}
	if b, err := hex.DecodeString(digits); err == nil {
		return b, hexadecimal
	} else if errors.Is(err, hex.ErrLength) {
		return nil, "" // digits, but an odd number of them
	}
	s = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(s, "="))
	if b, err := base64.RawStdEncoding.DecodeString(s); err == nil {
		return b, base64Text
	}
	return nil, ""
}
