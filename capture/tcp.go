package capture

import (
	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/extension"
)

const (
	// window is how far after the next byte a segment may begin to be kept. A client's
	// first flight is limited by its congestion window, of about 14 kB. The longest
	// ClientHello fits into the window too.
	window = 256 << 10

	// lookBehind is how many bytes are kept of a stream whose beginning was not captured
	// before a segment arrives that looks like a hello, in case the segments are out of
	// order.
	lookBehind = 8 << 10

	// sslv2HeaderLen is how many bytes show an SSLv2-compatible hello.
	sslv2HeaderLen = 11
)

// phase says how far one direction of a connection has come.
type phase uint8

const (
	silent   phase = iota // nothing was seen
	started               // the position of the next byte is known
	floating              // bytes were seen, but the beginning of the stream is not known
	decided               // no (further) hello is expected
)

// half is one direction of a TCP connection.
type half struct {
	phase  phase
	start  uint32 // sequence number of the first byte
	next   uint32 // of the next byte wanted
	stream *stream
}

// begun reports whether the half holds the beginning of a hello.
func (h *half) begun() bool {
	return h.phase == started && h.stream != nil && h.stream.records.Info().Records > 0
}

// decide marks a half as decided, and frees what it holds.
func (s *Scanner) decide(h *half) {
	s.flows.drop(h)
	h.phase = decided
}

// segment takes a TCP segment.
func (s *Scanner) segment(seg *segment) {
	key, direction := tcpKey(seg)
	f := s.flows.flows[key]
	if f == nil {
		if len(seg.payload) == 0 && seg.flags&tcpSYN == 0 {
			return
		}
		f = s.flows.create(key)
		s.stats.Flows++
	}
	seq := seg.seq
	if seg.flags&tcpSYN != 0 {
		seq++ // SYN takes a sequence number
		s.begin(f, direction, seq)
	}
	if len(seg.payload) > 0 {
		s.payload(f, direction, seq, seg.payload)
	}
	if seg.flags&(tcpFIN|tcpRST) != 0 {
		f.closed = true
		if f.followed != nil {
			f.followed.end(direction, seg.flags&tcpRST != 0)
		}
	}
	if f.queue != nil { // not evicted meanwhile
		s.flows.settle(f)
	}
}

// begin takes a SYN, which says that the stream begins at seq.
func (s *Scanner) begin(f *flow, direction int, seq uint32) {
	h, other := &f.halves[direction], &f.halves[1-direction]
	switch {
	case h.phase == floating:
		h.stream.known = true
		s.anchor(f, direction, seq)
		return
	case h.phase != silent && h.start == seq:
		return // a retransmission
	case h.phase != silent:
		// The ports are used again. The other direction starts over too, unless it
		// has already.
		s.flows.drop(h)
		s.flows.dropFollowed(f)
		if other.phase != started || other.stream != nil || other.next != other.start {
			s.flows.drop(other)
			*other = half{}
			f.closed = false
			s.stats.Flows++
		}
	}
	*h = half{phase: started, start: seq, next: seq}
}

// payload takes the bytes of a segment.
func (s *Scanner) payload(f *flow, direction int, seq uint32, b []byte) {
	h := &f.halves[direction]
	if h.phase == decided && !s.restart(f, h, seq) {
		return
	}
	if h.stream == nil {
		if h.stream = s.flows.newStream(f); h.stream == nil {
			return
		}
		h.stream.known = h.phase == started
		h.stream.lowest = seq
	}
	if h.phase == silent {
		h.phase = floating
		if s.flows.open != nil || mayBegin(b) || mayBeginPrologue(b) {
			h.phase, h.start, h.next = started, seq, seq
		}
	}
	if h.phase == floating {
		s.float(f, direction, seq, b)
		return
	}
	s.inWindow(f, direction, seq, b)
	if s.flows.open != nil && h.stream != nil && len(h.stream.ahead) == 0 {
		s.flows.drop(h) // so that a stream in order takes no memory
	}
}

// restart begins a connection whose SYN was not captured, if seq is so far from a decided
// half of a closed connection that its ports must have been used again.
func (s *Scanner) restart(f *flow, h *half, seq uint32) bool {
	if !f.closed || !outside(seq, h.start, h.next) {
		return false
	}
	for i := range f.halves {
		s.flows.drop(&f.halves[i])
		f.halves[i] = half{}
	}
	f.closed = false
	s.stats.Flows++
	return true
}

// inWindow takes the bytes of a segment in a stream whose next byte is known.
func (s *Scanner) inWindow(f *flow, direction int, seq uint32, b []byte) {
	h := &f.halves[direction]
	ahead := int(int32(seq - h.next))
	switch {
	case ahead > window || ahead <= -len(b):
		return // not of this connection, or a retransmission
	case ahead > 0:
		s.hold(f, h, seq, b)
		return
	}
	b = b[-ahead:]
	if s.note(f, h, h.next, len(b)) {
		s.fill(f, direction, b)
	}
}

// outside reports whether seq is far from what lies between start and next.
func outside(seq, start, next uint32) bool {
	return int32(seq-start) < -window || int32(seq-next) > window
}

// mayBegin reports whether b, the first bytes of a stream that were captured, may be the
// beginning of a hello. It returns false for too few bytes to tell.
func mayBegin(b []byte) bool {
	const (
		lengthAt  = 3                     // of the record
		messageAt = 5                     // the message begins
		versionAt = messageAt + 4         // its legacy_version
		enough    = sslv2HeaderLen        // for all that is looked at
		versioned = versionAt - messageAt // a record longer than this has the version
	)
	if len(b) < enough {
		return false
	}
	if length := int(b[lengthAt])<<8 | int(b[lengthAt+1]); b[0] == recordHandshake && length > versioned && b[versionAt] != 3 {
		return false
	}
	var records assemble.Records
	result := records.Feed(b)
	return result.Outcome != assemble.Unrecognized && result.Code != extension.ErrMessageType
}

// mayBeginPrologue is mayBegin for a prologue that is text or has a signature. The others
// are too short to be told from the middle of a stream.
func mayBeginPrologue(b []byte) bool {
	const enough = 8
	if len(b) < enough || b[0] < '<' && b[0] != '\r' && b[0] != 0 {
		return false
	}
	_, p := prologue(b)
	return p != noPrologue
}

// float keeps bytes of a stream whose beginning is not known, and checks whether the
// first of them, by sequence number, may begin a hello.
func (s *Scanner) float(f *flow, direction int, seq uint32, b []byte) {
	h := &f.halves[direction]
	st := h.stream
	if outside(seq, st.lowest, st.lowest) || !s.hold(f, h, seq, b) {
		return
	}
	if int32(seq-st.lowest) < 0 { //mutation:equivalent at 0 it is the same
		st.lowest = seq
	}
	if mayBegin(findPage(st.ahead, st.lowest).run(int(st.lowest % pageSize))) {
		s.anchor(f, direction, st.lowest)
		return
	}
	if len(st.ahead) > lookBehind/pageSize {
		s.decide(h)
	}
}

// anchor sets the beginning of a floating stream.
func (s *Scanner) anchor(f *flow, direction int, seq uint32) {
	h := &f.halves[direction]
	h.phase, h.start, h.next = started, seq, seq
	for i := range h.stream.uses {
		h.stream.uses[i].begin -= seq
		h.stream.uses[i].end -= seq
	}
	s.drain(f, direction)
}
