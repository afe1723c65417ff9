package capture

import (
	"slices"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/clienthello/assemble"
)

// A late hello does not come with the first bytes of a connection that were captured: what
// is before it is of a protocol that is not known, or of another connection. It begins where
// a segment begins, and passes a strict Parse. The next bytes of the other end show whether
// it is a hello. Without them its row is Unconfirmed. It waits for doubtTime at most.

const (
	// maxLateSegments is how many segments a late hello may take. The longest fits in 90 of
	// 1,460 bytes.
	maxLateSegments = 256
	// answerLen is how many bytes of an answer decide.
	answerLen = 7
)

// lateHello is what is known of the late hello of a flow, of which there is one at a time.
type lateHello struct {
	waits     bool // there is one
	whole     bool
	fresh     bool // it begins a connection whose SYN was not captured
	direction uint8
	begin     uint32 // sequence number of its first byte
	end       uint32 // after its last byte, once it is whole
	answer    uint32 // sequence number of the first byte of the answer
	got       [answerLen]byte
	have      int // bytes in got
}

// startsHello reports whether a late hello may begin with a segment.
func startsHello(b []byte) bool {
	return len(b) > 0 && (b[0] == recordHandshake || b[0] == recordChangeCipherSpec) && mayBeLate(b)
}

// mayBeLate is startsHello without the test that nearly all segments fail. It looks at a
// record header and the message in it, as far as b goes.
func mayBeLate(b []byte) bool {
	const (
		header   = 5
		shortest = 2 + 32 + 1 + 2 + 2 + 1 + 1 // of a message, without its header
	)
	b = b[changeCipherSpecLen(b):]
	if len(b) < header {
		first := [header]byte{recordHandshake, 3}
		return string(b[:min(len(b), 2)]) == string(first[:min(len(b), 2)])
	}
	record := int(b[3])<<8 | int(b[4])
	if b[0] != recordHandshake || b[1] != 3 || record == 0 || record > 1<<14 {
		return false
	}
	message := b[header:min(len(b), header+record)]
	switch n := len(message); {
	case n > 0 && message[0] != 1, n > 1 && message[1] > 2, n > 4 && message[4] != 3:
		return false
	case n > 3:
		return int(message[1])<<16|int(message[2])<<8|int(message[3]) >= shortest
	}
	return true
}

// changeCipherSpecLen returns the length of the change_cipher_spec record that b begins with,
// or 0. A client sends one before its second hello (RFC 9846, Appendix E.4).
func changeCipherSpecLen(b []byte) int {
	const n = 6
	if len(b) <= n || b[0] != recordChangeCipherSpec || b[1] != 3 || b[3] != 0 || b[4] != 1 || b[5] != 1 {
		return 0
	}
	return n
}

// seekLate begins a late hello with a segment that may be one, if the connection can have it.
func (s *Scanner) seekLate(f *flow, h *half, seg *segment) {
	if !s.mayWait(f, h) || seg.flags&(tcpSYN|tcpRST|tcpACK) != tcpACK || h.begun() {
		return
	}
	other := &f.halves[1-h.direction]
	ended := h.stream != nil && h.stream.ended && int32(seg.seq-h.stream.rawEnd()) >= 0
	gone := h.reset || other.reset || h.fin && int32(seg.seq-h.finAt) >= 0
	over := h.phase == decided || ended || h.stream != nil && h.stream.index > 1 || h.phase == floating && gone
	far := (over || f.closed) && h.phase != silent && h.phase != floating && outside(seg.seq, h.start, h.sent)
	again := f.closed && (over || far)
	switch unharmed := *h; {
	case far && !again && h.phase != decided && f.alone(h):
		return // a second hello may still come
	case !far && !again && (h.phase != decided && !ended || h.spokeTLS || other.spokeTLS):
		return
	case far && !again && f.doubt != nil:
		return
	case !far && h.isRepeated(f, seg, again, s):
		return
	default:
		if _, dropped := s.damaged(&unharmed, seg); dropped {
			return
		}
	}
	if f.doubt != nil {
		if s.giveUp(f); f.queue == nil || f.doubt != nil {
			return
		}
	}
	copied := again && !far && h.fin && int32(seg.seq-h.finAt) < 0 // which a receiver drops
	skip := changeCipherSpecLen(seg.payload)
	at := seg.seq + uint32(skip)
	if far || again {
		s.reopen(f)
		h.start, h.sent = at, at
	}
	if s.beginLate(f, h, at, skip > 0, far || again) && copied {
		h.stream.doubts = h.stream.doubts.With(SYN)
	}
}

// mayWait reports whether a late hello may begin in a half: there is none in its flow, and no
// Follower, and it is not that of a rival.
func (s *Scanner) mayWait(f *flow, h *half) bool {
	return s.flows.open == nil && (f.doubt == nil || !f.doubt.late.waits) && h == &f.halves[h.direction]
}

// startsLate reports whether the next bytes of a stream may begin a late hello.
func (s *Scanner) startsLate(f *flow, h *half, b []byte) bool {
	return startsHello(b) && s.mayWait(f, h)
}

// readLate begins a late hello with b, the next bytes of a stream. It reports whether the stream
// goes on.
func (s *Scanner) readLate(f *flow, h *half, b []byte) bool {
	skip := changeCipherSpecLen(b)
	return s.beginLate(f, h, h.next+uint32(skip), skip > 0, false) && s.read(f, h, b[skip:])
}

// isRepeated reports whether the bytes of a segment came before. again says that the
// connection has ended. Another one may have the same sequence numbers, but not the same
// hello.
func (h *half) isRepeated(f *flow, seg *segment, again bool, s *Scanner) bool {
	end := seg.seq + uint32(len(seg.payload))
	if !again {
		return h.ackSeen && int32(end-h.acked) <= 0
	}
	if int32(end-h.sent) > 0 {
		return false
	}
	b := seg.payload[changeCipherSpecLen(seg.payload):]
	n := wholeLen(b)
	return n == 0 || f.last == s.helloHash(b[5:n], h.direction)
}

// wholeLen returns the length of the record header and of the hello that b begins with, or 0
// if b does not have all of it in one record.
func wholeLen(b []byte) int {
	const headers = 9
	if len(b) < headers {
		return 0
	}
	n := headers + int(b[6])<<16 + int(b[7])<<8 + int(b[8])
	if n > len(b) || n > 5+int(b[3])<<8+int(b[4]) {
		return 0
	}
	return n
}

// beginLate begins a late hello at a sequence number. It reports whether f is still there.
func (s *Scanner) beginLate(f *flow, h *half, at uint32, second, fresh bool) bool {
	if h.stream == nil {
		if h.stream = s.flows.newStream(f); h.stream == nil {
			return false
		}
		h.stream.lowest = at
	}
	if !s.openDoubt(f) {
		return false
	}
	st := h.stream
	st.late, st.second = true, second
	st.before = st.before[:0]
	st.start = at - h.start
	st.need = 0
	st.records.Reset(nil)
	st.records.Tolerant = false
	h.phase, h.next = started, at
	f.doubt.late = lateHello{waits: true, fresh: fresh, direction: h.direction, begin: at, answer: s.decoder.seg.ack}
	return true
}

// endLate ends the late hello of a flow, which turned out not to be one.
func (s *Scanner) endLate(f *flow, h *half) {
	if h.stream != nil && h.stream.late { // else the ports are used again
		s.decide(h)
	}
	d := f.doubt
	if d == nil {
		return
	}
	d.late.waits = false
	d.rows = slices.DeleteFunc(d.rows, func(row Hello) bool { return row.Ambiguous.Has(Unconfirmed) })
	if len(d.rows) == 0 {
		d.rows = nil
	}
}

// acceptsLate reports whether a late hello that was read, or that the assembler refused, may be
// one: it passes a strict Parse, ends with its record, and does not repeat the last hello of
// this end.
func (s *Scanner) acceptsLate(f *flow, h *half, result assemble.Result) bool {
	message := result.Message
	_, n, err := clienthello.Parse(message)
	return result.Outcome == assemble.Complete && h.stream.records.Info().Trailing == 0 && n == len(message) && err == nil &&
		f.last != s.helloHash(message, h.direction)
}

// failLate ends the late hello of a flow, which turned out not to be one, in a piece of the stream
// from a sequence number on. Another hello may begin with that piece. It reports whether the
// stream goes on.
func (s *Scanner) failLate(f *flow, h *half, piece []byte, at uint32) bool {
	begin := f.doubt.late.begin
	if at == begin || !startsHello(piece) {
		s.endLate(f, h)
		return false
	}
	piece = slices.Clone(piece) // which may lie in a page of the stream
	s.endLate(f, h)
	skip := changeCipherSpecLen(piece)
	return s.beginLate(f, h, at+uint32(skip), skip > 0, false) && s.note(f, h, at, len(piece)) && s.keepRaw(f, h, piece) && s.read(f, h, piece[skip:])
}

// expectAnswer notes that the row of a late hello waits for the other end. It returns true.
func (s *Scanner) expectAnswer(f *flow, h *half) bool {
	if !h.stream.late {
		return true
	}
	l := &f.doubt.late
	if !l.waits { // the second hello
		*l = lateHello{waits: true, direction: h.direction, begin: h.next, answer: s.decoder.seg.ack}
	}
	l.whole, l.end = true, h.next
	if ack := s.decoder.seg.ack; int32(ack-l.answer) > 0 {
		l.answer = ack
	}
	return true
}

// answersLate takes a segment of h for the answer to a late hello. It reports whether
// none waits for one any more.
func (s *Scanner) answersLate(f *flow, h *half, seg *segment) bool {
	l := &f.doubt.late
	if !l.waits || l.direction == h.direction {
		return !l.waits
	}
	client := &f.halves[l.direction]
	if l.fresh && (int32(seg.ack-l.begin) < 0 || int32(seg.ack-client.sent) > 1) {
		s.endLate(f, client) // the connection before goes on
		return true
	}
	b, at := seg.payload, int(int32(seg.seq-l.answer))
	switch {
	case !l.whole || at > l.have || at+len(b) <= l.have:
		return false
	case int32(seg.ack-l.end) < 0:
		if l.have == 0 {
			l.answer = seg.seq + uint32(len(b)) // sent before the hello arrived
		}
		return false
	}
	l.have += copy(l.got[l.have:], b[l.have-at:])
	answers, known := isAnswer(l.got[:l.have])
	switch {
	case !known:
		return false
	case !answers:
		s.endLate(f, client)
		return true
	}
	if first := h.synSeen && l.answer == h.start; first && l.got[0] == recordAlert {
		s.giveUpLate(f) // it may be the answer to what came before the hello
	} else {
		s.confirmLate(f, client)
	}
	s.decide(h) // it is the server
	return true
}

// confirmLate says that the late hello is one.
func (s *Scanner) confirmLate(f *flow, client *half) {
	d := f.doubt
	d.late.waits = false
	client.spokeTLS = true
	kept := d.rows[:0]
	for _, row := range d.rows {
		if row.Ambiguous.Has(Unconfirmed) {
			row.Ambiguous &^= Reasons(0).With(Unconfirmed)
			s.hello = row
			report, wait := s.compareTwin(f, client)
			row.Ambiguous |= s.hello.Ambiguous
			if wait {
				row.Ambiguous = row.Ambiguous.With(Tunnel)
			}
			if !report {
				continue
			}
		}
		kept = append(kept, row)
	}
	d.rows = kept
}

// resetsLate takes a RST of h. If it answers a late hello that begins a connection, there is none.
func (s *Scanner) resetsLate(f *flow, h *half) {
	if l := &f.doubt.late; l.waits && l.fresh && l.direction != h.direction {
		s.endLate(f, &f.halves[l.direction])
	}
}

// isAnswer reports whether b, the first bytes of an answer, is of a ServerHello, of a
// HelloRetryRequest or of an alert; known is false if there are too few of them.
//
// HelloRetryRequest has the type of ServerHello, and had its own in the drafts of TLS 1.3.
func isAnswer(b []byte) (answers, known bool) {
	const serverHello, helloRetryRequest = 2, 6
	switch {
	case b[0] != recordHandshake && b[0] != recordAlert, len(b) > 1 && b[1] != 3:
		return false, true
	case b[0] == recordHandshake && len(b) > 5:
		return b[5] == serverHello || b[5] == helloRetryRequest, true
	case b[0] == recordAlert && len(b) == answerLen:
		return b[3] == 0 && b[4] == 2 && (b[5] == 1 || b[5] == 2), true
	}
	return false, false
}

// giveUpLate ends the wait for a late hello that is not whole. One that became so when the wait
// for its bytes ended goes out.
func (s *Scanner) giveUpLate(f *flow) {
	l := &f.doubt.late
	if l.waits && !l.whole {
		s.endLate(f, &f.halves[l.direction])
	}
	l.waits = false
	rows := f.doubt.rows
	f.doubt.rows = nil
	for _, row := range rows {
		s.emitKept(row)
	}
}
