package capture

import (
	"bytes"
	"encoding/binary"
)

// maxPrologue is how many bytes a client may send before its ClientHello. STARTTLS
// dialogues take some hundred; what takes most is an HTTP CONNECT with cookies or a
// PROXY header with a certificate's names, for which proxies set aside 4 kB.
const maxPrologue = 4 << 10

// progress says whether TLS may follow the bytes of a client that were seen.
type progress uint8

const (
	noPrologue progress = iota // TLS cannot follow
	inPrologue                 // TLS may follow
	tlsFollows                 // TLS follows next
)

// prologue reads what a client sends before its ClientHello: headers for proxies (PROXY
// protocol, HTTP CONNECT, SOCKS), then a request to use TLS (STARTTLS in its many forms).
// The beginning is read strictly, so that connections without TLS are recognized by their
// first bytes. If TLS follows, prologue returns how many bytes come before it.
func prologue(b []byte) (n int, p progress) {
	for n < len(b) {
		if b[n] == recordHandshake && n > 0 {
			return n, tlsFollows
		}
		size, p := prologuePart(b[n:])
		if p == noPrologue {
			return 0, noPrologue
		}
		if p == inPrologue {
			break
		}
		n += size
	}
	if len(b) >= maxPrologue {
		return 0, noPrologue
	}
	return 0, inPrologue
}

const (
	recordAlert     = 21
	recordHandshake = 22
)

// prologuePart reads one part of a prologue. TLS or another part follows it.
func prologuePart(b []byte) (n int, p progress) {
	switch b[0] {
	case 0:
		return postgreSQL(b)
	case 3:
		return rdp(b)
	case 4:
		return socks4(b)
	case 5:
		return socks5(b)
	case '\r':
		return proxyV2(b)
	case ' ':
		return mySQL(b)
	case '0':
		return ldap(b)
	case '<':
		return xmpp(b)
	}
	switch {
	case bytes.HasPrefix(b, []byte("PROXY ")):
		return proxyV1(b)
	case bytes.HasPrefix(b, []byte("CONNECT ")):
		return httpConnect(b)
	}
	return startTLS(b) // also while the first word is not whole
}

// proxyV1 reads the header line of the PROXY protocol, version 1 (Section 2.1 of its
// specification), of at most 107 bytes.
func proxyV1(b []byte) (n int, p progress) {
	const maxLine = 107
	//mutation:equivalent a word comes before the end of the line
	if i := bytes.IndexByte(b[:min(len(b), maxLine)], '\n'); i > 0 && b[i-1] == '\r' {
		return i + 1, tlsFollows
	} else if i >= 0 || len(b) >= maxLine {
		return 0, noPrologue
	}
	return 0, inPrologue
}

// proxyV2 reads the binary header (Section 2.2): signature, version and command,
// family, length.
func proxyV2(b []byte) (n int, p progress) {
	const signature = "\r\n\r\n\x00\r\nQUIT\n"
	k := min(len(b), len(signature))
	switch {
	case string(b[:k]) != signature[:k]:
		return 0, noPrologue
	case len(b) < 16:
		return 0, inPrologue
	}
	return exactly(b, 16+int(binary.BigEndian.Uint16(b[14:])))
}

// exactly is the result for a part of n bytes.
func exactly(b []byte, n int) (int, progress) {
	switch {
	case n > maxPrologue:
		return 0, noPrologue
	case len(b) < n:
		return 0, inPrologue
	}
	return n, tlsFollows
}

// httpConnect reads a request for a tunnel (RFC 9110, Section 9.3.6), up to the empty
// line after its fields.
func httpConnect(b []byte) (n int, p progress) {
	if i := bytes.Index(b, []byte("\r\n")); i >= 0 && !bytes.Contains(b[:i], []byte(" HTTP/1.")) {
		return 0, noPrologue
	}
	if i := bytes.Index(b, []byte("\r\n\r\n")); i >= 0 {
		return i + 4, tlsFollows
	}
	return 0, inPrologue
}

// socks4 reads a request for a connection: version, command, port, address, user. In
// version 4A the address is 0.0.0.x, and a host name follows.
func socks4(b []byte) (n int, p progress) {
	if len(b) < 2 || b[1] != 1 {
		return 0, morePrologue(b, 2)
	}
	if len(b) < 9 {
		return 0, inPrologue
	}
	strings := 1
	if b[4] == 0 && b[5] == 0 && b[6] == 0 && b[7] != 0 {
		strings = 2
	}
	n = 8
	for range strings {
		i := bytes.IndexByte(b[n:], 0)
		if i < 0 {
			return 0, inPrologue
		}
		n += i + 1
	}
	return n, tlsFollows
}

// morePrologue is the result if the first n bytes are wrong, or have not arrived yet.
func morePrologue(b []byte, n int) progress {
	if len(b) < n {
		return inPrologue
	}
	return noPrologue
}

// socks5 reads what a client sends in RFC 1928 and RFC 1929: methods, perhaps user and
// password, request.
func socks5(b []byte) (n int, p progress) {
	if len(b) < 3 {
		return 0, inPrologue
	}
	if b[1] == 0 || b[1] > 8 {
		return 0, noPrologue
	}
	n = 2 + int(b[1])
	if len(b) > n && b[n] == 1 { // the version of the sub-negotiation
		n++
		for range 2 {
			if len(b) <= n {
				return 0, inPrologue
			}
			n += 1 + int(b[n])
		}
	}
	if len(b) < n+5 {
		return 0, inPrologue
	}
	if b[n] != 5 || b[n+1] != 1 || b[n+2] != 0 {
		return 0, noPrologue
	}
	switch b[n+3] {
	case 1:
		n += 4 + 4 + 2
	case 3:
		n += 4 + 1 + int(b[n+4]) + 2
	case 4:
		n += 4 + 16 + 2
	default:
		return 0, noPrologue
	}
	return exactly(b, n)
}

// postgreSQL reads an SSLRequest, before which a GSSENCRequest may have been refused.
func postgreSQL(b []byte) (n int, p progress) {
	const sslRequest, gssRequest = "\x00\x00\x00\x08\x04\xd2\x16\x2f", "\x00\x00\x00\x08\x04\xd2\x16\x30"
	k := min(len(b), 8)
	if head := string(b[:k]); head != sslRequest[:k] && head != gssRequest[:k] {
		return 0, noPrologue
	}
	return exactly(b, 8)
}

// mySQL reads an SSLRequest: a packet of 32 bytes with number 1, whose first bytes are
// capabilities, one of which is TLS.
func mySQL(b []byte) (n int, p progress) {
	const header, tls = " \x00\x00\x01", 0x08
	k := min(len(b), len(header))
	if string(b[:k]) != header[:k] || len(b) > 5 && b[5]&tls == 0 {
		return 0, noPrologue
	}
	return exactly(b, 4+32)
}

// rdp reads a connection request that asks for TLS (MS-RDPBCGR, Section 2.2.1.1): a
// TPKT header of version 3, whose length counts itself, and X.224's CR.
func rdp(b []byte) (n int, p progress) {
	if len(b) < 6 {
		return 0, inPrologue
	}
	if b[1] != 0 || b[5] != 0xe0 {
		return 0, noPrologue
	}
	return exactly(b, max(int(binary.BigEndian.Uint16(b[2:])), 6))
}

// ldap reads messages up to the one that asks for StartTLS (RFC 4511, Section 4.14):
//
//	LDAPMessage ::= SEQUENCE { messageID INTEGER, protocolOp CHOICE { ...
//	    extendedReq [APPLICATION 23] SEQUENCE { requestName [0] LDAPOID, ...
func ldap(b []byte) (n int, p progress) {
	const startTLS = "1.3.6.1.4.1.1466.20037"
	const maxMessages, sequence, integer = 8, 0x30, 2
	for range maxMessages {
		if len(b) > n && b[n] != sequence {
			return 0, noPrologue
		}
		header, size, p := berLength(b[n:])
		if p != tlsFollows {
			return 0, p
		}
		n += header
		if size > maxPrologue || len(b) > n && b[n] != integer {
			return 0, noPrologue
		}
		if len(b) < n+size {
			return 0, inPrologue
		}
		message := b[n : n+size]
		n += size
		if bytes.Contains(message, []byte(startTLS)) {
			return n, tlsFollows
		}
	}
	return 0, noPrologue
}

// berLength reads the identifier, of one byte, and the length of a BER element (X.690,
// Section 8.1). header is the length of both, and size that of the contents. p is
// tlsFollows if both have arrived, and noPrologue for a length that is indefinite or takes
// more than 4 bytes.
func berLength(b []byte) (header, size int, p progress) {
	if len(b) < 2 {
		return 0, 0, inPrologue
	}
	const long = 0x80
	if b[1] < long {
		return 2, int(b[1]), tlsFollows
	}
	k := int(b[1] - long)
	if k == 0 || k > 4 {
		return 0, 0, noPrologue
	}
	if len(b) < 2+k {
		return 0, 0, inPrologue
	}
	for _, c := range b[2 : 2+k] {
		size = min(size<<8|int(c), maxPrologue+1) // int may have 32 bits
	}
	return 2 + k, size, tlsFollows
}

// xmpp reads a stream up to its <starttls/> element (RFC 6120, Section 5.4.2.1).
func xmpp(b []byte) (n int, p progress) {
	for _, start := range []string{"<?xml", "<stream:stream"} {
		k := min(len(b), len(start))
		if string(b[:k]) != start[:k] {
			continue
		}
		i := bytes.Index(b, []byte("<starttls"))
		if i < 0 {
			return 0, inPrologue
		}
		end := bytes.IndexByte(b[i:], '>')
		if end < 0 { //mutation:equivalent b[i] is '<'
			return 0, inPrologue
		}
		i += end + 1
		if b[i-2] != '/' { // <starttls ...></starttls>
			const closing = "</starttls>"
			if len(b) < i+len(closing) {
				return 0, inPrologue
			}
			i += len(closing)
		}
		return lineEnd(b, i), tlsFollows
	}
	return 0, noPrologue
}

// lineEnd skips white space after a request for TLS.
func lineEnd(b []byte, i int) int {
	for i < len(b) && (b[i] == '\r' || b[i] == '\n' || b[i] == ' ') {
		i++
	}
	return i
}

// firstCommands are those with which clients begin in SMTP and LMTP (RFC 3207), POP3 and
// IMAP (RFC 2595), FTP (RFC 4217), NNTP (RFC 4642) and ManageSieve (RFC 5804), as far as
// they may ask for TLS.
var firstCommands = []string{
	"EHLO", "HELO", "LHLO", "NOOP", "STARTTLS", "STLS", "CAPA", "CAPABILITY", "CAPABILITIES",
	"AUTH", "FEAT", "HOST", "ID", "MODE", "CLNT", "OPTS", "SYST",
}

// startTLS reads command lines up to the one that asks for TLS.
func startTLS(b []byte) (n int, p progress) {
	const maxLines = 16
	for i := range maxLines {
		line := b[n:]
		end := bytes.IndexByte(line, '\n')
		if end >= 0 {
			line = line[:end]
		}
		if !printable(line) || i == 0 && !startsDialogue(line, end >= 0) {
			return 0, noPrologue
		}
		if end < 0 {
			return 0, inPrologue
		}
		n += end + 1
		if asksForTLS(line) {
			return n, tlsFollows
		}
	}
	return 0, noPrologue
}

// printable reports whether a line is text of a length that a command may have.
func printable(line []byte) bool {
	const maxLine = 1000 // RFC 5321, Section 4.5.3.1.6; the others allow less
	if len(line) > maxLine {
		return false
	}
	for _, c := range line {
		if (c < ' ' || c > '~') && c != '\r' && c != '\t' {
			return false
		}
	}
	return true
}

// startsDialogue reports whether line may be the first of a client that later asks for
// TLS. complete says that the line is whole.
func startsDialogue(line []byte, complete bool) bool {
	const maxTag, maxCommand = 32, 16
	words, n := firstWords(line)
	if !complete && (n == 0 || n == 1 && len(words[0]) < maxTag) {
		return true // the first word is not whole
	}
	for _, word := range words[:min(n, 2)] { // in IMAP, a tag comes first
		for _, command := range firstCommands {
			if equalFold(word, command) {
				return true
			}
		}
	}
	return !complete && n == 2 && len(words[1]) < maxCommand
}

// firstWords returns the first three words of a line, and how many of them there are.
func firstWords(line []byte) (words [3][]byte, n int) {
	for word := range bytes.FieldsSeq(line) {
		words[n] = word
		if n++; n == len(words) {
			break
		}
	}
	return words, n
}

func equalFold(word []byte, command string) bool { return bytes.EqualFold(word, []byte(command)) }

// asksForTLS reports whether a line is a command after which TLS follows, if the server
// agrees.
func asksForTLS(line []byte) bool {
	words, n := firstWords(line)
	switch n {
	case 1:
		return equalFold(words[0], "STARTTLS") || equalFold(words[0], "STLS")
	case 2:
		return equalFold(words[1], "STARTTLS") || // in IMAP, after a tag
			equalFold(words[0], "AUTH") && (equalFold(words[1], "TLS") || equalFold(words[1], "SSL"))
	}
	return false
}
