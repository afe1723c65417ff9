package capture

import (
	"bytes"
	"cmp"
)

// protocol is what a client spoke before TLS.
type protocol uint8

const (
	unknownProtocol protocol = iota
	proxyProtocol
	httpProtocol
	socks4Protocol
	socks5Protocol
	smtpProtocol
	lmtpProtocol
	imapProtocol
	pop3Protocol
	ftpProtocol
	nntpProtocol
	manageSieveProtocol
	xmppProtocol
	ldapProtocol
	postgreSQLProtocol
	mySQLProtocol
	rdpProtocol
	vncProtocol
	amqpProtocol
	gnutellaProtocol
	adbProtocol
	ircProtocol
	protocolEnd
)

var protocolNames = [protocolEnd]string{
	proxyProtocol:       "proxy",
	httpProtocol:        "http",
	socks4Protocol:      "socks4",
	socks5Protocol:      "socks5",
	smtpProtocol:        "smtp",
	lmtpProtocol:        "lmtp",
	imapProtocol:        "imap",
	pop3Protocol:        "pop3",
	ftpProtocol:         "ftp",
	nntpProtocol:        "nntp",
	manageSieveProtocol: "managesieve",
	xmppProtocol:        "xmpp",
	ldapProtocol:        "ldap",
	postgreSQLProtocol:  "postgresql",
	mySQLProtocol:       "mysql",
	rdpProtocol:         "rdp",
	vncProtocol:         "vnc",
	amqpProtocol:        "amqp",
	gnutellaProtocol:    "gnutella",
	adbProtocol:         "adb",
	ircProtocol:         "irc",
}

// protocolStarts are the first bytes of protocols that have no command lines.
var protocolStarts = [...]struct {
	start    string
	protocol protocol
}{
	{"\x00\x00\x00\x08\x04\xd2\x16", postgreSQLProtocol},
	{"\x03\x00", rdpProtocol},
	{"\x04\x01", socks4Protocol},
	{"\x05\x01", socks5Protocol},
	{"\x05\x02", socks5Protocol},
	{"\x05\x03", socks5Protocol},
	{"\x05\x04", socks5Protocol},
	{"\r\n\r\n\x00\r\nQUIT\n", proxyProtocol},
	{"PROXY ", proxyProtocol},
	{" \x00\x00\x01", mySQLProtocol},
	{"<?xml", xmppProtocol},
	{"<stream:stream", xmppProtocol},
	{"CONNECT ", httpProtocol},
	{"OPTIONS ", httpProtocol},
	{"GET ", httpProtocol},
	{"POST ", httpProtocol},
	{"RFB ", vncProtocol},
	{"AMQP", amqpProtocol},
	{"GNUTELLA ", gnutellaProtocol},
	{"CNXN", adbProtocol},
}

// protocolCommands are commands that one protocol alone has. In IMAP a tag comes before
// them.
var protocolCommands = [...]struct {
	command  string
	tagged   bool
	protocol protocol
}{
	{"EHLO", false, smtpProtocol},
	{"HELO", false, smtpProtocol},
	{"XCLIENT", false, smtpProtocol},
	{"LHLO", false, lmtpProtocol},
	{"CAPA", false, pop3Protocol},
	{"STLS", false, pop3Protocol},
	{"AUTH", false, ftpProtocol},
	{"FEAT", false, ftpProtocol},
	{"CLNT", false, ftpProtocol},
	{"OPTS", false, ftpProtocol},
	{"SYST", false, ftpProtocol},
	{"CAPABILITIES", false, nntpProtocol},
	{"MODE", false, nntpProtocol},
	{"CAPABILITY", false, manageSieveProtocol},
	{"CAP", false, ircProtocol},
	{"NICK", false, ircProtocol},
	{"CAPABILITY", true, imapProtocol},
	{"ID", true, imapProtocol},
	{"NOOP", true, imapProtocol},
	{"STARTTLS", true, imapProtocol},
}

// protocolOf returns the protocol of what a client sent before TLS, the last one that is known
// if there are several. It is unknown after STARTTLS alone.
func protocolOf(before []byte) (last protocol) {
	for len(before) > 0 {
		last = cmp.Or(protocolOfPart(before), last)
		n, p := prologuePart(before)
		if p != tlsFollows {
			break
		}
		before = before[n:]
	}
	return last
}

// protocolOfPart returns the protocol that b begins with.
func protocolOfPart(b []byte) protocol {
	for _, row := range &protocolStarts {
		if len(b) >= len(row.start) && string(b[:len(row.start)]) == row.start {
			return row.protocol
		}
	}
	if isLDAP(b) {
		return ldapProtocol
	}
	for line := range bytes.Lines(b) {
		words, n := firstWords(line)
		for _, row := range &protocolCommands {
			if row.tagged && n > 1 && equalFold(words[1], row.command) || !row.tagged && n > 0 && equalFold(words[0], row.command) {
				return row.protocol
			}
		}
	}
	return unknownProtocol
}

// isLDAP reports whether b begins as a message of LDAP (RFC 4511, Section 4.1.1): a SEQUENCE
// that begins with an INTEGER.
func isLDAP(b []byte) bool {
	const sequence, integer, long = 0x30, 2, 0x80
	if len(b) < 3 || b[0] != sequence {
		return false
	}
	at := 2
	if b[1] > long {
		at += int(b[1] - long)
	}
	return at < len(b) && b[at] == integer
}

// firstWords returns the first two words of a line, and how many of them there are.
func firstWords(line []byte) (words [2][]byte, n int) {
	for word := range bytes.FieldsSeq(line) {
		words[n] = word
		if n++; n == len(words) {
			break
		}
	}
	return words, n
}

func equalFold(word []byte, command string) bool { return bytes.EqualFold(word, []byte(command)) }
