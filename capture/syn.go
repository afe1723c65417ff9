package capture

// synchronize takes a SYN. Inside a connection it begins another one only if the other end
// answers it; until then it is a rival of the connection. A server that did not restart
// would send a challenge ACK (RFC 5961, Section 4.2).
func (s *Scanner) synchronize(f *flow, h *half, seg *segment) {
	const linger = tcpRST | tcpFIN
	if why, dropped := s.damaged(h, seg); dropped || seg.flags&linger != 0 {
		s.setAside(f, h, seg, why)
		return
	}
	s.answerRival(f, h, seg)
	other := &f.halves[1-h.direction]
	start := seg.seq + 1 // SYN takes a sequence number
	again := h.synSeen && h.start == start
	answersNothing := h.answers && seg.flags&tcpACK != 0 && h.phase == started && h.next == h.start && !h.ackSeen && !again
	switch {
	case h.reset || other.reset, f.closed && !again:
		s.reopen(f)
		h.begin(seg)
		h.again = again
	case h.phase == floating && !outside(start, h.stream.lowest, h.stream.lowest):
		h.stream.known = true
		h.options(seg)
		s.anchor(f, h, start)
	case h.phase == silent, answersNothing:
		s.flows.drop(h)
		h.begin(seg)
	case h.start == start:
		h.synAgain(seg)
	case h.phase == floating:
		s.flows.drop(h)
		h.begin(seg)
	default:
		s.newRival(f, h, seg)
		return
	}
	if seg.flags&tcpACK != 0 && other.phase == started && between(seg.ack, other.start, other.sent) {
		if !s.acknowledged(f, h, other, seg) {
			return
		}
		other.forgetSYNData(seg.ack)
	}
	if len(seg.payload) > 0 {
		s.setAside(f, h, seg, drop{why: SYNData, open: f.alone(h)}) // until it is acknowledged (RFC 7413)
	}
}

// begin sets the first byte of a direction.
func (h *half) begin(seg *segment) {
	start := seg.seq + 1
	*h = half{
		phase: started, direction: h.direction, start: start, next: start, sent: start,
		partial: h.partial, sums: h.sums, headers: h.headers, outers: h.outers, ackSeen: h.ackSeen && h.acked == start, acked: h.acked, edge: h.edge,
	}
	h.options(seg)
}

// options reads the options of a SYN.
func (h *half) options(seg *segment) {
	h.synSeen, h.answers = true, seg.flags&tcpACK != 0
	if data, ok := tcpOption(seg.options, optionScale); ok && len(data) == 1 {
		h.scaled, h.scale = true, min(data[0], 14) // RFC 7323, Section 2.3
	}
	_, h.sack = tcpOption(seg.options, optionSACK)
	h.recent, h.timed = timestamp(seg.options)
	h.lastSYN = h.recent
	h.signed = signature(seg.options)
}

// synAgain takes a retransmitted SYN. The options of the first one count, unless it was signed:
// the other end may have dropped it for that.
func (h *half) synAgain(seg *segment) {
	if !h.synSeen || h.signed != 0 && !h.ackSeen {
		h.options(seg)
	} else if stamp, ok := timestamp(seg.options); ok && !h.established {
		h.lastSYN = stamp
	}
}

// forgetSYNData marks data of a SYN as not taken, if the answer to the SYN does not
// acknowledge it.
func (h *half) forgetSYNData(ack uint32) {
	if h.stream == nil {
		return
	}
	for i := range h.stream.copies {
		if c := &h.stream.copies[i]; c.why == SYNData && int32(ack-c.seq) <= 0 {
			c.dead = true
		}
	}
}

// rival returns the connection that a SYN may have begun in this direction, or nil.
func (s *Scanner) rival(f *flow, direction int) *half {
	if f.doubt == nil || f.doubt.rival == nil || int(f.doubt.rival.direction) != direction {
		return nil
	}
	return f.doubt.rival
}

// newRival notes the SYN of a connection that may begin.
func (s *Scanner) newRival(f *flow, h *half, seg *segment) {
	if r := s.rival(f, int(h.direction)); r != nil && r.start == seg.seq+1 {
		return // a retransmission
	}
	if !s.openDoubt(f) {
		return
	}
	if server := f.doubt.rival; server != nil && server.answers && server.acked == seg.seq+1 {
		// The answer to this SYN was captured before it.
		f.doubt.rival = nil
		s.reopen(f)
		h.begin(seg)
		f.halves[server.direction] = *server
		f.halves[server.direction].ackSeen = false
		s.closeDoubt(f)
		return
	}
	s.settleRival(f)
	if !s.openDoubt(f) {
		return
	}
	h = &f.halves[h.direction]
	r := &half{direction: h.direction, partial: h.partial, sums: h.sums, headers: h.headers, outers: h.outers}
	r.begin(seg)
	r.again, r.acked = true, seg.ack
	f.doubt.rival = r
}

// dropRival forgets the connection that a SYN may have begun.
func (s *Scanner) dropRival(f *flow) {
	if r := f.doubt.rival; r != nil {
		s.flows.drop(r)
		f.doubt.rival, f.doubt.rivalRows = nil, nil
	}
}

// settleRival ends the wait for an answer to a SYN. If there is none although the other
// direction was captured, the SYN began nothing.
func (s *Scanner) settleRival(f *flow) {
	d := f.doubt
	r, rows := d.rival, d.rivalRows
	if r == nil {
		return
	}
	main := &f.halves[r.direction]
	if !f.alone(r) || s.flows.open != nil {
		s.dropRival(f)
		return
	}
	s.stats.Flows++
	if main.phase == decided || main.stream != nil && main.stream.index > 1 {
		s.flows.drop(main)
		*main = *r
		d.rival, d.rivalRows = nil, nil
	} else {
		s.dropRival(f)
	}
	for _, row := range rows {
		s.emitKept(row)
	}
}

// contains reports whether a segment may belong to the rival.
func (h *half) contains(seg *segment) bool {
	return len(seg.payload) > 0 && int32(seg.seq-h.start) >= 0 && int32(seg.seq-h.next) <= window
}

// rivalSegment reads data in the connection that a SYN may have begun. It reports whether f
// is still there.
func (s *Scanner) rivalSegment(f *flow, h, r *half, seg *segment) bool {
	if _, dropped := s.damaged(h, seg); dropped || seg.flags&tcpACK == 0 {
		return true
	}
	if end := seg.seq + uint32(len(seg.payload)); int32(end-r.sent) > 0 {
		r.sent = end
	}
	if s.flows.open == nil {
		s.payload(f, r, seg)
		return f.queue != nil
	}
	// A Follower gets nothing that is in doubt.
	if r.stream == nil {
		r.stream = s.flows.newStream(f)
	}
	return r.stream != nil && s.spare(f, r, spareCopy{seq: seg.seq}, seg.payload)
}

// answerRival checks whether a segment of the other end acknowledges the SYN of the rival. If
// it does, the rival is the connection.
func (s *Scanner) answerRival(f *flow, h *half, seg *segment) {
	r := s.rival(f, 1-int(h.direction))
	if r == nil || seg.flags&tcpACK == 0 || !between(seg.ack, r.start, r.sent) {
		return
	}
	old := &f.halves[r.direction]
	if r.answers && h.phase != decided && (h.stream == nil || h.stream.index == 1) {
		return // a hello may still come in the connection that is known
	}
	if seg.flags&tcpSYN == 0 && between(seg.ack, old.start, old.sent) {
		return // or one of the connection before
	}
	rows := f.doubt.rivalRows
	f.doubt.rival, f.doubt.rivalRows = nil, nil
	s.reopen(f)
	r.again = false
	if r.stream != nil {
		r.stream.doubts &^= Reasons(0).With(SYN)
	}
	f.halves[r.direction] = *r
	if s.flows.open != nil {
		s.adopt(f, &f.halves[r.direction], r.sent, true)
	}
	for _, row := range rows {
		row.Ambiguous &^= Reasons(0).With(SYN)
		s.emitKept(row)
	}
	s.closeDoubt(f)
}

// alone reports whether nothing of the other direction was captured.
func (f *flow) alone(h *half) bool {
	return f.halves[1-h.direction].phase == silent && !f.halves[h.direction].ackSeen
}
