package capture

import "encoding/binary"

// drop says why a receiver discards a segment.
type drop struct {
	why Reason
	// sure says that no receiver takes the segment. Otherwise it may have been taken, because
	// the capture may lack packets or have changed some.
	sure bool
	// open says that what would decide was not captured: the receiver may have taken the
	// segment even if others have the same bytes.
	open bool
}

// drops reports whether the receiver of a segment without SYN discards it. What depends on
// segments that were not captured is not checked.
func (s *Scanner) drops(f *flow, h *half, seg *segment) (drop, bool) {
	other := &f.halves[1-h.direction]
	carries := len(seg.payload) > 0 && h.phase != decided
	if carries || seg.flags&(tcpRST|tcpFIN) != 0 {
		if why, dropped := s.damaged(h, seg); dropped {
			return why, true
		}
	}
	if seg.flags&tcpRST != 0 {
		return drop{why: Segment, sure: true}, !h.mayReset(other, seg)
	}
	if seg.flags&tcpACK == 0 {
		return drop{why: Segment, sure: true}, true // RFC 9293, Section 3.10.7.4, fifth check
	}
	if h.unacceptable(other, seg) {
		return drop{why: Segment, open: !other.synSeen}, true
	}
	if why, dropped := h.unauthentic(other, seg); dropped {
		return why, true
	}
	if !carries {
		if h.answers && !other.established && seg.ack == other.start && seg.flags&tcpFIN == 0 {
			return drop{}, false // Linux answers so before the handshake ends, and wants no echo
		}
		h.isOld(seg, f.alone(h)) // a late ACK does no harm
		return drop{}, false
	}
	if !h.established && h.echoesOther(other, seg) {
		return drop{why: Segment, open: true}, true
	}
	if h.reset || other.reset || h.fin && h.next == h.finAt && int32(seg.seq+uint32(len(seg.payload))-h.finAt) > 0 {
		return drop{why: Segment}, true
	}
	if h.ackSeen && h.synSeen && other.synSeen && int32(seg.seq-h.edge) > 0 && seg.seq != h.next {
		return drop{why: Segment}, true // RFC 9293, Section 3.10.7.4, first check
	}
	// If the SYN of the other end was not captured, it is not known whether there are
	// timestamps.
	return drop{why: Segment, open: !other.synSeen}, h.timed && (other.timed || !other.synSeen) && h.isOld(seg, f.alone(h))
}

// unacceptable reports whether a segment acknowledges what the other end has never sent, or
// what was before the connection (RFC 5961, Section 5.2). If nothing of the other end
// was captured, what this end acknowledged before and its window show what there can be.
func (h *half) unacceptable(other *half, seg *segment) bool {
	switch {
	case other.synSeen && other.sent-other.start < 1<<30:
		return int32(seg.ack-other.sent) > 0 || int32(seg.ack-other.start) < 0
	case other.phase == silent && other.ackSeen:
		return int32(seg.ack-other.edge) > 0 || other.inferred && int32(seg.ack-other.start) < 0
	}
	return false
}

// damaged reports whether a host drops the packet because of a checksum or its IP header.
func (s *Scanner) damaged(h *half, seg *segment) (drop, bool) {
	mode := s.flows.limits.Checksums
	if seg.flawed {
		return drop{why: IPHeader, sure: true}, true
	}
	header := max(seg.pieces, headerSum(seg.header))
	if seg.noLength && header != sumOffloaded && len(seg.header)+len(seg.whole) < 1<<16 {
		if sum := seg.checksum(); sum == sumRight || h.sums.verified() && sum != sumOffloaded {
			return drop{why: IPHeader, sure: true}, true // no length was left to the network card
		}
	}
	if header != sumOffloaded && h.headers.counts(mode, header) || seg.outer != sumOffloaded && h.outers.counts(mode, seg.outer) {
		return drop{why: IPHeader, sure: true}, true
	}
	sum := seg.checksum()
	if h.sums.counts(mode, sum) {
		return drop{why: Checksum}, true
	}
	switch {
	case mode == ChecksumsIgnore:
	case sum == sumWrong && h.partial:
		if seg.proof = improbable; len(seg.payload) == 0 {
			return drop{why: Checksum}, true
		}
	case sum == sumWrong, seg.noLength, header == sumWrong:
		seg.proof = doubtful
	case sum == sumOffloaded:
		seg.proof, h.partial = unproven, true
	}
	return drop{}, false
}

// mayReset reports whether a RST is at the next byte that its receiver expects (RFC 5961,
// Section 3.2): of what has arrived, not all may be acknowledged yet. With selective
// acknowledgements Linux takes it at their end, too.
func (h *half) mayReset(other *half, seg *segment) bool {
	first, last := h.sent, h.sent
	switch {
	case h.phase == silent:
		return true
	case h.phase == started:
		first, last = h.next, h.next
		if st := h.stream; h.sack && other.sack && st != nil && len(st.spans) > 0 && seg.seq == st.spans[len(st.spans)-1].end {
			return true
		}
	}
	if h.ackSeen {
		first = h.acked
	}
	return between(seg.seq, first, last)
}

// between reports whether a sequence number is from first to last. It compares differences
// without a sign, since Go on 32-bit ARM may branch wrongly on int32(a-b) <= 0 or > 0 if a and b
// are 2^31 apart.
func between(seq, first, last uint32) bool {
	return int32(last-first) >= 0 && seq-first <= last-first
}

// isOld reports whether a segment's timestamp is older than one that the receiver has seen
// (RFC 7323, Section 5.3), and else notes it. The receiver keeps the timestamps of segments
// that begin no later than its last acknowledgement, and end no earlier.
func (h *half) isOld(seg *segment, alone bool) bool {
	stamp, ok := timestamp(seg.options)
	if !ok {
		return false
	}
	const tolerance = 1 // of Linux
	if int32(h.recent-stamp) > tolerance {
		return true
	}
	last := h.start
	switch {
	case h.ackSeen:
		last = h.acked
	case alone:
		last = h.next // it may have acknowledged as much
	}
	ends := alone || int32(seg.seq+uint32(len(seg.payload))-last) >= 0
	if ends && int32(seg.seq-last) <= 0 && int32(stamp-h.recent) > 0 {
		h.recent = stamp
	}
	return false
}

// unauthentic reports whether a host drops the segment because it has a signature option that
// the SYNs do not have, or lacks the one that they have (RFC 2385, Section 2.0). If that is
// TCP-AO, hosts that know it drop the segment (RFC 5925, Section 7.3); others read it.
func (h *half) unauthentic(other *half, seg *segment) (drop, bool) {
	if !h.synSeen {
		return drop{}, false
	}
	agreed := h.signed
	if other.synSeen && other.signed != agreed {
		agreed = 0
	}
	switch got := signature(seg.options); {
	case got == agreed:
		return drop{}, false
	case got == optionMD5 || agreed == optionMD5:
		return drop{why: Segment, sure: true}, true
	}
	return drop{why: Segment, open: true}, true
}

// echoesOther reports whether a segment echoes a timestamp that the other end had neither in
// its SYN nor in a later segment. Linux checks this in the segment that ends the handshake,
// which may not have been captured.
func (h *half) echoesOther(other *half, seg *segment) bool {
	data, ok := tcpOption(seg.options, optionTimestamps)
	if !ok || len(data) != 8 || !h.timed || !other.timed {
		return false
	}
	echo := binary.BigEndian.Uint32(data[4:])
	first, last := other.recent, other.lastSYN
	if int32(first-last) > 0 { // it has sent more than SYNs
		first, last = last, first
	}
	return echo != 0 && !between(echo, first, last)
}

// The options of TCP that matter here (RFC 7323, Sections 2.2 and 3.2; RFC 2018, Section 2;
// RFC 2385, Section 3.0; RFC 5925, Section 2.2).
const (
	optionEnd        = 0
	optionNop        = 1
	optionScale      = 3
	optionSACK       = 4
	optionTimestamps = 8
	optionMD5        = 19
	optionAO         = 29
)

// signature returns the option that signs a segment, or 0.
func signature(b []byte) byte {
	for len(b) > 1 && b[0] != optionEnd {
		switch {
		case b[0] == optionNop:
			b = b[1:]
			continue
		case b[1] < 2 || int(b[1]) > len(b):
			return 0
		case b[0] == optionMD5 && b[1] == 18, b[0] == optionAO:
			return b[0]
		}
		b = b[b[1]:]
	}
	return 0
}

// tcpOption returns the data of an option.
func tcpOption(b []byte, kind byte) (data []byte, ok bool) {
	for len(b) > 1 && b[0] != optionEnd {
		switch {
		case b[0] == optionNop:
			b = b[1:]
			continue
		case b[1] < 2 || int(b[1]) > len(b):
			return nil, false
		case b[0] == kind:
			return b[2:b[1]], true
		}
		b = b[b[1]:]
	}
	return nil, false
}

func timestamp(options []byte) (value uint32, ok bool) {
	data, ok := tcpOption(options, optionTimestamps)
	if !ok || len(data) != 8 {
		return 0, false
	}
	return binary.BigEndian.Uint32(data), true
}

// acknowledge notes what a segment says of the other direction: how much has arrived, and
// how much more fits.
func (h *half) acknowledge(other *half, seg *segment) {
	if end := seg.seq + uint32(len(seg.payload)); int32(end-h.sent) > 0 {
		h.sent = end
	}
	if seg.flags&tcpACK == 0 {
		return
	}
	size := uint32(seg.window)
	switch {
	case !h.synSeen:
		size = 1 << 28 // the scale is not known
	case h.scaled && (other.scaled || !other.synSeen) && seg.flags&tcpSYN == 0:
		size <<= h.scale
	}
	if !other.ackSeen && other.phase == silent && h.synSeen && h.next == h.start && len(seg.payload) == 0 {
		other.inferred, other.start = true, seg.ack // it acknowledges the SYN that was not captured
	}
	if edge := seg.ack + size; !other.ackSeen || int32(edge-other.edge) > 0 {
		other.edge = edge
	}
	if !other.ackSeen || int32(seg.ack-other.acked) > 0 {
		other.ackSeen, other.acked = true, seg.ack
	}
}
