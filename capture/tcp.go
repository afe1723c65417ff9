package capture

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
	phase       phase
	direction   uint8
	synSeen     bool     // start is that of a SYN
	ackSeen     bool     // acked is known
	scaled      bool     // the SYN has a window scale
	timed       bool     // the SYN has a timestamp
	sack        bool     // the SYN permits selective acknowledgements
	reset       bool     // this end sent a RST
	fin         bool     // this end sent a FIN, at finAt
	urgent      bool     // the byte at urgentAt is urgent
	leftOut     bool     // an urgent byte that is not the first one has arrived
	again       bool     // another connection may go on instead
	partial     bool     // the network card computes the checksums
	answers     bool     // its SYN answers another one
	established bool     // it has acknowledged the SYN of the other end
	inferred    bool     // nothing was captured, but what the other end acknowledges shows start
	spokeTLS    bool     // it has sent a hello
	spoke       protocol // what its first bytes are
	scale       uint8    // of the window, as a shift
	signed      byte     // the option that signs its SYN, or 0
	sums        evidence
	headers     evidence // of the innermost IP header
	outers      evidence // of the IP headers around it

	start    uint32 // sequence number of the first byte
	next     uint32 // of the next byte wanted
	sent     uint32 // sequence number after the last byte sent
	acked    uint32 // latest acknowledgement number of the other end
	edge     uint32 // first sequence number beyond its window
	lastSYN  uint32 // timestamp of the last SYN, if it was sent again
	recent   uint32 // timestamp below which segments are old (RFC 7323, Section 5.3)
	urgentAt uint32
	finAt    uint32
	stream   *stream
}

// begun reports whether the half holds the beginning of a hello.
func (h *half) begun() bool {
	return h.phase == started && h.stream != nil && (h.stream.need > 0 || h.stream.records.Info().Records > 0)
}

// waits reports whether the half has bytes that an acknowledgement says something about.
func (h *half) waits() bool {
	return h.stream != nil && (h.stream.raw != nil || len(h.stream.copies) > 0)
}

// decide marks a half as decided, and frees what it holds.
func (s *Scanner) decide(h *half) {
	s.flows.drop(h)
	h.phase = decided
}

// segment takes a TCP segment.
func (s *Scanner) segment(seg *segment) {
	key, direction := tcpKey(seg, s.locate())
	f := s.flows.flows.get(key)
	if f == nil {
		if len(seg.payload) == 0 && seg.flags&tcpSYN == 0 {
			return
		}
		f = s.flows.create(key, s.decoder.path.ips)
	}
	if seg.unnumbered {
		seg.seq, seg.ack = f.halves[direction].sent, f.halves[1-direction].sent
	}
	s.receive(f, direction, seg)
	if f.queue != nil { // not evicted meanwhile
		if f.doubt != nil {
			s.closeDoubt(f)
		}
		s.flows.settle(f)
	}
}

// rests reports whether a segment of h says nothing about a hello.
func (f *flow) rests(h, other *half, seg *segment) bool {
	return h.phase == decided && seg.flags&(tcpSYN|tcpFIN|tcpRST) == 0 && f.doubt == nil && !f.closed && !other.waits()
}

// receive takes a segment as the end to which it goes does (RFC 9293, Section 3.10.7).
func (s *Scanner) receive(f *flow, direction int, seg *segment) {
	h, other := &f.halves[direction], &f.halves[1-direction]
	if startsHello(seg.payload) {
		if s.seekLate(f, h, seg); f.queue == nil {
			return
		}
	}
	if f.rests(h, other, seg) {
		if !h.unacceptable(other, seg) {
			h.acknowledge(other, seg) // nothing more is of interest
		}
		return
	}
	if seg.flags&tcpSYN != 0 {
		s.synchronize(f, h, seg)
		return
	}
	if len(seg.payload) > 0 && s.restart(f, h, seg.seq) {
		h.phase = silent
	}
	taken := false
	if r := s.rival(f, direction); r != nil && r.contains(seg) {
		if taken = true; !s.rivalSegment(f, h, r, seg) {
			return
		}
	}
	s.answerRival(f, h, seg)
	if why, dropped := s.drops(f, h, seg); dropped {
		if !taken {
			s.setAside(f, h, seg, why)
		}
		return
	}
	if seg.flags&tcpACK != 0 {
		if h.established = true; !s.acknowledged(f, h, other, seg) {
			return
		}
	}
	end := seg.seq + uint32(len(seg.payload))
	if h.phase == silent || int32(end-h.sent) > 0 {
		h.sent = end
	}
	switch {
	case seg.flags&tcpRST != 0:
		s.end(f, h, true)
		return // RFC 9293, Section 3.10.7.4: the data of a RST are not read
	case len(seg.payload) > 0:
		if s.payload(f, h, seg); f.queue == nil {
			return
		}
	case seg.flags&tcpURG != 0 && h.phase == started && h.markUrgent(seg):
		s.doubtUrgent(f, h)
	}
	if seg.flags&tcpFIN != 0 && seg.proof != improbable {
		h.finish(end)
	}
	if h.fin && (h.phase != started || h.finAt == h.next) {
		s.end(f, h, false)
	}
}

// finish notes a FIN at sequence number at.
func (h *half) finish(at uint32) {
	if !h.fin || int32(at-h.finAt) < 0 {
		h.fin, h.finAt = true, at
	}
	if int32(at+1-h.sent) > 0 {
		h.sent = at + 1 // FIN takes a sequence number
	}
}

// end takes the end of a direction, or after a RST of both.
func (s *Scanner) end(f *flow, h *half, rst bool) {
	f.closed = true
	h.reset = h.reset || rst
	if rst && f.doubt != nil {
		s.resetsLate(f, h)
	}
	if st := f.halves[1-h.direction].stream; st != nil && rst {
		st.forgetCopies() // this end has not taken them
	}
	if f.followed != nil {
		f.followed.end(int(h.direction), rst)
	}
}

// payload takes the bytes of a segment that the receiver accepts.
func (s *Scanner) payload(f *flow, h *half, seg *segment) {
	if h.phase == decided {
		return
	}
	if h.stream == nil {
		if h.stream = s.flows.newStream(f); h.stream == nil {
			return
		}
		h.stream.known = h.phase == started
		h.stream.lowest = seg.seq
		if h.again {
			h.stream.doubts = h.stream.doubts.With(SYN)
		}
	}
	seg.way = s.decoder.way()
	if h.stream.way == 0 {
		h.stream.way, h.stream.proof = seg.way, seg.proof
	}
	h.stream.mixedWays = h.stream.mixedWays || seg.way != h.stream.way
	h.stream.mixedProof = h.stream.mixedProof || seg.proof != h.stream.proof
	h.stream.proof = max(h.stream.proof, seg.proof)
	if h.phase == silent {
		h.phase = floating
		skip := changeCipherSpecLen(seg.payload)
		switch {
		case s.flows.open != nil, !f.resumed && (mayBegin(seg.payload) || mayBeginPrologue(seg.payload) || mayBeginFrames(seg.payload)):
			h.phase, h.start, h.next = started, seg.seq, seg.seq
		case !f.resumed && mayBegin(seg.payload[skip:]):
			h.stream.second = true
			h.phase, h.start, h.next = started, seg.seq+uint32(skip), seg.seq+uint32(skip)
		}
	}
	if h.phase == floating {
		s.float(f, h, seg)
		return
	}
	if seg.flags&tcpURG != 0 && h.markUrgent(seg) {
		s.doubtUrgent(f, h)
	}
	if f.queue != nil && h.stream != nil {
		s.inWindow(f, h, seg)
	}
	if s.flows.open != nil && h.stream != nil && len(h.stream.ahead) == 0 && len(h.stream.copies) == 0 {
		s.flows.drop(h) // so that a stream in order takes no memory
	}
}

// markUrgent notes the place of an urgent byte, which by default is not part of what
// an application reads. Linux takes it for the byte before the urgent pointer, and
// ignores a pointer to what has arrived before, and a segment that does not fit into the
// window. markUrgent reports whether another byte was urgent before, and has arrived.
func (h *half) markUrgent(seg *segment) bool {
	at := seg.seq + uint32(seg.urgent) - 1
	if seg.urgent == 0 {
		at = seg.seq
	}
	//mutation:equivalent a byte that was known to be urgent, and is not here yet, changes nothing
	if int32(at-h.next) < 0 || h.urgent && int32(at-h.urgentAt) <= 0 || int32(seg.seq-h.next) > window {
		return false
	}
	h.urgent, h.urgentAt = true, at
	return h.leftOut
}

// doubtUrgent notes that an urgent byte may be part of the stream: in Linux it is if the
// application has not read as far when another byte becomes urgent. Only what the
// server sends shows that it has read.
func (s *Scanner) doubtUrgent(f *flow, h *half) {
	st := h.stream
	switch other := &f.halves[1-h.direction]; {
	case st == nil || s.flows.open != nil:
	case st.index == 1 && !st.ended:
		st.doubts = st.doubts.With(Segment)
		st.inline = min(2, st.inline+1)
	case st.index > 1 && (other.phase != started || other.sent == other.start):
		st.doubts = st.doubts.With(Segment)
		st.inline = min(2, st.inline+1)
		s.contradict(f, h)
	}
	if st != nil && st.path == nil {
		st.path = s.decoder.path.names(&s.decoder.seg)
	}
	h.leftOut = false
}

// restart begins a connection whose SYN was not captured, if seq is so far from a decided
// half of a closed connection that its ports must have been used again.
func (s *Scanner) restart(f *flow, h *half, seq uint32) bool {
	if h.phase != decided || !f.closed || !outside(seq, h.start, h.next) {
		return false
	}
	s.reopen(f)
	return true
}

// reopen forgets a connection, whose ports are used again.
func (s *Scanner) reopen(f *flow) {
	s.flows.dropFollowed(f)
	if f.doubt != nil {
		f.doubt.late.waits = false
	}
	for i := range f.halves {
		h := &f.halves[i]
		s.flows.drop(h)
		*h = half{direction: uint8(i), partial: h.partial, sums: h.sums, headers: h.headers, outers: h.outers}
	}
	f.closed = false
	s.stats.Flows++
}

// inWindow takes the bytes of a segment in a stream whose next byte is known.
func (s *Scanner) inWindow(f *flow, h *half, seg *segment) {
	seq, b := seg.seq, seg.payload
	if h.stream.ended {
		s.compareOld(f, h, seg, seq, b)
		return
	}
	ahead := int(int32(seq - h.next))
	if ahead > window {
		return // not of this connection
	}
	if ahead > 0 {
		s.hold(f, h, seg, seq, b)
		return
	}
	old := -max(ahead, -len(b)) // not min(-ahead, len(b)), as an int may have 32 bits
	if old > 0 {
		s.compareOld(f, h, seg, seq, b[:old])
	}
	if b = b[old:]; len(b) > 0 && f.queue != nil && h.stream != nil && s.note(f, h, h.next, len(b)) {
		s.fill(f, h, seg, b)
	}
}

// outside reports whether seq is far from what lies between start and next.
func outside(seq, start, next uint32) bool {
	return int32(seq-start) < -window || int32(seq-next) > window
}
