package capture

import (
	"bytes"
	"encoding/binary"
)

// maxPrologue is how many bytes of a prologue are read. What takes most is an HTTP CONNECT
// with cookies or a PROXY header with a certificate's names, for which proxies set aside 4 kB.
const maxPrologue = 4 << 10

// progress says whether TLS may follow the bytes of a client that were seen.
type progress uint8

const (
	noPrologue progress = iota // TLS cannot follow
	inPrologue                 // TLS may follow
	tlsFollows                 // TLS follows next
)

// prologue reads the headers for proxies with which a client may send its ClientHello in one
// segment: PROXY protocol, HTTP CONNECT, SOCKS; and the requests of MySQL and AMQP, after which it
// need not wait. A hello after anything else begins with a
// segment, and is a late one. The beginning is read strictly, so that other connections are
// recognized by their first bytes. If TLS follows, prologue returns how many bytes come before it.
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

// readPrologue takes the next bytes of a stream in which TLS has not begun yet. It
// reports whether the stream goes on.
func (s *Scanner) readPrologue(f *flow, h *half, b []byte) bool {
	st := h.stream
	had := len(st.before)
	fresh := b[:min(len(b), maxPrologue-had)]
	if !s.flows.charge(f, &st.charged, len(fresh)) {
		return false
	}
	st.before = append(st.before, fresh...)
	at, kind, frames := framesAfter(st.before)
	if frames == tlsFollows {
		skip := max(at-had, 0)
		st.framing, st.before = kind, append(st.before[:0], st.before[min(at, had):had]...)
		h.next += uint32(skip)
		return s.readFrames(f, h, b[skip:])
	}
	n, p := prologue(st.before)
	if p == noPrologue {
		p = frames
	}
	switch {
	case p != tlsFollows && had > 0 && s.startsLate(f, h, b):
		h.spoke = protocolOf(st.before[:had])
		return s.readLate(f, h, b)
	case p == noPrologue || p == tlsFollows && n < had:
		h.spoke = protocolOf(st.before)
		s.finish(f, h)
		return false
	case p == inPrologue:
		h.next += uint32(len(b))
		return true
	}
	h.spoke = protocolOf(st.before[:n])
	st.before = st.before[:0]
	st.start = uint32(n)
	st.records.Reset(nil)
	h.next += uint32(n - had)
	return s.read(f, h, b[n-had:])
}

const (
	recordChangeCipherSpec = 20
	recordAlert            = 21
	recordHandshake        = 22
)

// prologuePart reads one part of a prologue. TLS or another part follows it.
func prologuePart(b []byte) (n int, p progress) {
	switch b[0] {
	case 4:
		return socks4(b)
	case 5:
		return socks5(b)
	case '\r':
		return proxyV2(b)
	case 'P':
		return afterWord(b, "PROXY ", proxyV1)
	case 'C':
		return afterWord(b, "CONNECT ", httpConnect)
	case ' ':
		return afterWord(b, " \x00\x00\x01", mySQL)
	case 'A':
		return afterWord(b, amqpTLS, func([]byte) (int, progress) { return len(amqpTLS), tlsFollows })
	}
	return 0, noPrologue
}

// amqpTLS is the protocol header that a client sends before TLS (AMQP 1.0, Section 5.2.1).
const amqpTLS = "AMQP\x02\x01\x00\x00"

// mySQL reads an SSLRequest, the packet with the number 1: capabilities, of which one asks for
// TLS, longest packet, character set, and bytes that are reserved.
func mySQL(b []byte) (n int, p progress) {
	const length, capabilityTLS = 36, 0x0800
	if len(b) >= 6 && binary.LittleEndian.Uint16(b[4:])&capabilityTLS == 0 {
		return 0, noPrologue
	}
	return exactly(b, length)
}

// afterWord reads a part that begins with a word.
func afterWord(b []byte, word string, read func([]byte) (int, progress)) (n int, p progress) {
	switch k := min(len(b), len(word)); {
	case string(b[:k]) != word[:k]:
		return 0, noPrologue
	case k < len(word):
		return 0, inPrologue
	}
	return read(b)
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
