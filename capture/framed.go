package capture

import (
	"encoding/binary"
	"slices"

	"github.com/tlsflags/tlsflags/clienthello/assemble"
)

const (
	// maxFramed is how many bytes of a TCP stream in frames are read in search of the first
	// hello, and then of the next one.
	maxFramed = 64 << 10
	// maxFrame is the length of the longest frame that is read; others are skipped. The
	// longest record of TLS or DTLS fits into it.
	maxFrame = 1<<14 + 1<<10
)

// framing says what a TCP stream consists of, if that is neither TLS nor text.
type framing uint8

const (
	unframed       framing = iota
	framesTDS              // packets of TDS
	framesLength           // a length of two bytes, and that many bytes: OpenVPN or RFC 4571
	framesTURN             // STUN messages and ChannelData
	framesICE              // as framesLength, with STUN and DTLS in them
	framesDiameter         // messages of Diameter
)

// framingOf looks at the first bytes of a stream, which are not of TLS.
func framingOf(b []byte) (framing, progress) {
	undecided := noPrologue
	for kind, begins := range [...]func([]byte) progress{framesTDS: beginsTDS, framesLength: beginsOpenVPN, framesTURN: beginsTURN, framesICE: beginsICE, framesDiameter: beginsDiameter} {
		if begins == nil {
			continue
		}
		switch begins(b) {
		case tlsFollows:
			return framing(kind), tlsFollows
		case inPrologue:
			undecided = inPrologue
		}
	}
	return unframed, undecided
}

// framesAfter is framingOf for what comes after a request to a proxy, if there is one. It
// returns the offset of the frames.
func framesAfter(b []byte) (at int, k framing, p progress) {
	if k, p = framingOf(b); p == noPrologue {
		if n, request := prologuePart(b); request == tlsFollows && n < len(b) {
			k, p = framingOf(b[n:])
			return n, k, p
		}
	}
	return 0, k, p
}

// beginsTDS reports whether b begins a PRELOGIN message (MS-TDS, Section 2.2.6.5), whose first
// option is VERSION = 0, or a packet with a record of TLS.
func beginsTDS(b []byte) progress {
	const preLogin, versionOption, header = 0x12, 0, 8
	switch n := len(b); {
	case b[0] != preLogin, n > 1 && b[1] > 1, n > 4 && b[4] != 0, n > 5 && b[5] != 0, n > 7 && b[7] != 0,
		n > 3 && binary.BigEndian.Uint16(b[2:]) <= header:
		return noPrologue
	case n <= header+1:
		return inPrologue
	case b[header] == versionOption, b[header] == recordHandshake && b[header+1] == 3:
		return tlsFollows
	}
	return noPrologue
}

// beginsOpenVPN reports whether b begins with a reset of a client of OpenVPN, or with TLS in a
// packet of the control channel.
func beginsOpenVPN(b []byte) progress {
	const (
		resetV1, resetV2 = 1 << 3, 7 << 3
		shortest         = 14 // without tls-auth
		longest          = 2 + 9 + 72 + 1 + 4*8 + 8 + 4 + 2
	)
	n := 0
	if len(b) > 1 {
		n = int(binary.BigEndian.Uint16(b))
	}
	switch {
	case tooFewForFrame(b), b[0] > maxFirstFrame>>8, len(b) > 1 && n < shortest:
		return noPrologue
	case len(b) < 3:
		return inPrologue
	}
	switch opcode := b[2]; {
	case opcode == resetV1 || opcode == resetV2:
		switch n - shortest {
		case 0, 16 + 8, 20 + 8, 28 + 8, 32 + 8, 48 + 8, 64 + 8:
			return tlsFollows
		}
	case opcode&0xf8 == openVPNControl:
		if len(b) < min(2+n, longest) {
			return inPrologue
		}
		return tlsFollowsIf(assemble.IsOpenVPN(b[2:min(2+n, len(b))]))
	}
	return noPrologue
}

// beginsTURN reports whether b begins with a STUN message, or with DTLS in ChannelData, which
// comes only later.
func beginsTURN(b []byte) progress {
	if len(b) >= 8 && b[0]&0xc0 == 0x40 {
		return tlsFollowsIf(beginsDTLSRecord(b[channelHeader:]))
	}
	return beginsSTUN(b)
}

// beginsSTUN reports whether b begins with a STUN message of a method that is registered.
func beginsSTUN(b []byte) progress {
	const cookie, cookieAt = "\x21\x12\xa4\x42", 4
	known := b[min(cookieAt, len(b)):min(cookieAt+len(cookie), len(b))]
	switch {
	case len(b) > 0 && b[0] > 1, len(b) > 1 && b[0]|b[1] == 0, len(b) > 3 && b[3]&3 != 0, string(known) != cookie[:len(known)]:
		return noPrologue
	case len(known) < len(cookie):
		return inPrologue
	}
	return tlsFollows
}

// maxFirstFrame is the length of the longest frame of RFC 4571 that a stream begins with.
const maxFirstFrame = 1<<11 - 1

// beginsICE reports whether b begins with a STUN message or DTLS in a frame (RFC 4571, Section
// 2; RFC 6544, Section 3).
func beginsICE(b []byte) progress {
	const stunLengthAt = 2 + 2
	if tooFewForFrame(b) || b[0] > maxFirstFrame>>8 || len(b) > 1 && binary.BigEndian.Uint16(b) < dtlsRecordHeader {
		return noPrologue
	}
	if len(b) > 2 && b[2] == recordHandshake {
		if len(b) < 5 {
			return inPrologue
		}
		return tlsFollowsIf(isDTLSVersion(b[3:]))
	}
	if len(b) >= stunLengthAt+2 && int(binary.BigEndian.Uint16(b)) != stunHeader+int(binary.BigEndian.Uint16(b[stunLengthAt:])) {
		return noPrologue
	}
	return beginsSTUN(b[min(2, len(b)):])
}

// tooFewForFrame reports whether b is too short to be told from another protocol: the first
// byte of RDP and SOCKS is 3 to 5.
func tooFewForFrame(b []byte) bool {
	const enough = 10
	return b[0] > 2 && len(b) < enough
}

func tlsFollowsIf(yes bool) progress {
	if yes {
		return tlsFollows
	}
	return noPrologue
}

// mayBeginFrames is mayBegin for frames.
func mayBeginFrames(b []byte) bool {
	_, p := framingOf(b)
	return p == tlsFollows
}

// header returns how many bytes show the length of a frame.
func (k framing) header() int {
	if k == framesLength || k == framesICE {
		return 2
	}
	return 4
}

// size returns the length of the frame whose header b begins with, and that of the padding after
// it. The length is 0 if b begins no frame.
func (k framing) size(b []byte) (n, padding int) {
	const preLogin = 0x12
	switch {
	case k == framesLength, k == framesICE:
		return 2 + int(binary.BigEndian.Uint16(b)), 0
	case k == framesTDS && b[0] == preLogin:
		return int(binary.BigEndian.Uint16(b[2:])), 0
	case k == framesTURN && b[0]&0xc0 == 0:
		return stunHeader + int(binary.BigEndian.Uint16(b[2:])), 0
	case k == framesTURN && b[0]&0xc0 == 0x40:
		n := int(binary.BigEndian.Uint16(b[2:]))
		return channelHeader + n, -n & 3 // RFC 8656, Section 12.5
	case k == framesDiameter:
		return diameterLen(b), 0
	}
	return 0, 0 //mutation:equivalent 1 is shorter than a header, too, and such a frame has no padding
}

// readFrames takes the next bytes of a stream in frames. It reports whether the stream goes
// on.
func (s *Scanner) readFrames(f *flow, h *half, b []byte) bool {
	st := h.stream
	for len(b) > 0 {
		if n := min(int(st.skip), len(b)); n > 0 {
			st.skip -= uint32(n)
			h.next += uint32(n)
			b = b[n:]
			continue
		}
		if st.framing == framesDiameter && len(st.before) == 0 && s.startsLate(f, h, b) { // RFC 3588, Section 13.2
			st.framing = unframed
			return s.readLate(f, h, b)
		}
		had := cap(st.before)
		frame, used, ok := st.nextFrame(b)
		if !ok || st.framing != framesDiameter && h.next-h.start-st.framedAt > maxFramed {
			s.decide(h)
			return false
		}
		if grown := cap(st.before) - had; grown > 0 && !s.flows.charge(f, &st.charged, grown) {
			return false
		}
		h.next += uint32(used)
		b = b[used:]
		if frame != nil {
			if !s.readFrame(f, h, frame) {
				return false
			}
			st.before = st.before[:0]
		}
	}
	return true
}

// nextFrame returns a frame if b, after the bytes that came before, has all of it, and how many
// bytes of b were used. What is not whole is kept. ok is false if there is no frame. Long
// frames are skipped.
func (st *stream) nextFrame(b []byte) (frame []byte, used int, ok bool) {
	header, had, whole := st.framing.header(), len(st.before), b
	if had > 0 {
		used = min(max(header-had, 0), len(b))
		st.before = append(st.before, b[:used]...)
		whole = st.before
	}
	if len(whole) < header {
		if had == 0 {
			st.before = append(st.before, b...)
		}
		return nil, len(b), true
	}
	n, padding := st.framing.size(whole)
	switch {
	case n < header:
		return nil, used, false
	case n > maxFrame:
		st.skip, st.before = uint32(n+padding-len(st.before)), st.before[:0]
		return nil, used, true
	case had == 0 && n <= len(b): //mutation:equivalent it spares a copy
		st.skip = uint32(padding)
		return b[:n], n, true
	}
	rest := b[used:min(used+n-len(st.before), len(b))]
	st.before = append(st.before, rest...)
	if used += len(rest); len(st.before) < n {
		return nil, used, true
	}
	st.skip = uint32(padding)
	return st.before, used, true
}

// readFrame takes a frame that ends at the next byte. It reports whether the stream goes on.
func (s *Scanner) readFrame(f *flow, h *half, frame []byte) bool {
	st, p := h.stream, &s.decoder.path
	end := h.next - h.start
	if st.framing == framesDiameter {
		if packet, _ := diameterEAP(frame); packet == nil {
			s.forgetUses(st, end)
			return true
		}
	}
	frames, layers := s.frames, p.n
	s.frames = nil
	for _, u := range st.uses {
		if int32(u.end-(end-uint32(len(frame)))) > 0 {
			s.frames = append(s.frames, u.frame)
		}
	}
	s.forgetUses(st, end)
	before := s.stats.Hellos
	s.framed, s.flows.keep = h, f
	p.addCarrier(layerTCP)
	s.carriedFrame(f, h, frame)
	s.frames, s.framed, s.flows.keep, p.n, p.carriers = frames, nil, nil, layers, 0
	if f.queue == nil || h.stream != st {
		return false
	}
	if s.stats.Hellos > before {
		st.framedAt = end
	}
	return true
}

// forgetUses forgets the packets of what comes before an offset in a stream.
func (s *Scanner) forgetUses(st *stream, end uint32) {
	before := max(1, len(st.uses)) // see note
	st.uses = slices.DeleteFunc(st.uses, func(u use) bool { return int32(u.end-end) <= 0 })
	s.flows.refund(&st.charged, useCost*(before-max(1, len(st.uses))))
}

// carriedFrame takes what is in a frame.
func (s *Scanner) carriedFrame(f *flow, h *half, frame []byte) {
	key := f.key
	if h.direction == 1 {
		key.lo, key.hi = key.hi, key.lo
	}
	inside := frame
	if k := h.stream.framing; k == framesLength || k == framesICE {
		inside = frame[2:]
	}
	if len(inside) < dtlsRecordHeader {
		return
	}
	c := carrierTDS
	switch {
	case h.stream.framing == framesTDS:
	case h.stream.framing == framesDiameter:
		c = carrierDiameter
	case h.stream.framing == framesICE && beginsDTLSRecord(inside):
		c = carrierICETCP
	case mayBeCarrier(inside):
		c = carrierOf(inside)
	default:
		return
	}
	if c != noCarrier {
		s.carry(c, key, inside)
	}
}

// doubtFramed says what is in doubt about the TCP stream of a hello in frames.
func (s *Scanner) doubtFramed(doubts Reasons) Reasons {
	if h := s.framed; h != nil && h.stream != nil {
		doubts |= s.weigh(h, h.start+h.stream.framedAt)
		s.hello.Faults = append(s.hello.Faults, h.stream.faults...)
	}
	return doubts
}
