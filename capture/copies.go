package capture

import (
	"slices"

	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/extension"
)

const (
	// maxCopies and maxCopied limit what is kept of a stream besides the bytes that were
	// taken: segments and bytes.
	maxCopies = 32
	maxCopied = 32 << 10
	// copyCost is what a copy takes of the memory, without its bytes.
	copyCost = 128
	// maxFaults is how many faults of a stream are told.
	maxFaults = 4
)

// spareCopy is bytes of a stream that the receiver did not take, as far as the rules tell.
type spareCopy struct {
	seq    uint32
	data   []byte
	frames []int
	drop
	dead   bool   // it is known that they were not taken
	rival  bool   // they differ from what was taken, and may have been taken instead
	urg    bool   // the segment has an urgent pointer
	urgent uint16 // which it is
}

// mayCount reports whether the copy may have been taken in place of the bytes that were.
func (c *spareCopy) mayCount() bool { return c.rival || c.open && !c.dead }

// setAside keeps the bytes of a segment that the receiver discards, in case it did not.
func (s *Scanner) setAside(f *flow, h *half, seg *segment, why drop) {
	if len(seg.payload) == 0 || h.phase != started {
		return
	}
	seq := seg.seq
	if seg.flags&tcpSYN != 0 {
		seq++
	}
	end := seq + uint32(len(seg.payload))
	if h.fin && h.ackSeen && h.acked == h.finAt+1 {
		return // the other end has taken the FIN, and reads no more
	}
	if int32(end-h.next) <= 0 || int32(seq-h.next) > window {
		return
	}
	if int32(end-h.sent) > 0 {
		h.sent = end // if it was taken, it may be acknowledged
	}
	if h.stream == nil {
		if h.stream = s.flows.newStream(f); h.stream == nil {
			return
		}
		h.stream.known, h.stream.lowest = true, h.start
	}
	s.spare(f, h, spareCopy{seq: seq, drop: why, urg: seg.flags&tcpURG != 0, urgent: seg.urgent}, seg.payload)
}

// spare keeps bytes besides those that were taken. It reports whether f is still there.
func (s *Scanner) spare(f *flow, h *half, c spareCopy, b []byte) bool {
	st := h.stream
	if s.flows.open != nil && c.rival || len(st.copies) >= maxCopies || int(st.copied)+len(b) > maxCopied {
		return true
	}
	if i := slices.IndexFunc(st.copies, func(o spareCopy) bool { return o.seq == c.seq && string(o.data) == string(b) }); i >= 0 {
		if o := &st.copies[i]; c.mayCount() && !o.mayCount() {
			c.data, c.frames = o.data, slices.Clone(s.frames)
			*o = c
		}
		return true
	}
	if !s.openDoubt(f) || !s.flows.charge(f, &st.charged, copyCost+len(b)) {
		return false
	}
	c.data, c.frames = slices.Clone(b), slices.Clone(s.frames)
	if st.copied += int32(len(b)); st.path == nil {
		st.path = s.decoder.path.names(&s.decoder.seg)
	}
	st.copies = append(st.copies, c)
	return true
}

// acknowledged takes the acknowledgement in a segment of h. What is acknowledged was taken;
// if only copies that were set aside have it, these were. It reports whether f is still there.
func (s *Scanner) acknowledged(f *flow, h, other *half, seg *segment) bool {
	h.acknowledge(other, seg)
	st := other.stream
	switch {
	case st == nil || f.queue == nil:
	case other.phase != started || len(st.copies) == 0 || int32(seg.ack-other.next) <= 0:
	case other.fin && other.next == other.finAt && seg.ack == other.finAt+1:
		st.forgetCopies() // the FIN was taken, and nothing after it
	default:
		s.adopt(f, other, seg.ack, true)
	}
	if f.queue != nil && st != nil && other.stream == st && st.raw != nil && int32(seg.ack-st.rawEnd()) >= 0 {
		// Nothing can come in the place of these bytes any more.
		switch {
		case st.ended:
			s.decide(other)
		case st.index > 1:
			s.flows.freeRaw(st)
		}
	}
	if f.queue != nil && f.doubt != nil && seg.flags&tcpSYN == 0 && s.answersLate(f, h, seg) && len(seg.payload) > 0 && !f.asks(h) {
		s.answered(f, seg.payload)
	}
	return f.queue != nil
}

// adopt takes copies that were set aside, as far as they continue the stream up to limit. If
// the receiver has not acknowledged them, the stream is in doubt from there on.
func (s *Scanner) adopt(f *flow, h *half, limit uint32, proven bool) {
	for h.phase == started && h.stream != nil && int32(limit-h.next) > 0 {
		st := h.stream
		i := slices.IndexFunc(st.copies, func(c spareCopy) bool {
			return !c.dead && !c.rival && int32(c.seq-h.next) <= 0 && int32(c.seq+uint32(len(c.data))-h.next) > 0 && (proven || !st.precludes(c))
		})
		if i < 0 {
			return
		}
		c := st.copies[i]
		if int32(c.seq+uint32(len(c.data))-limit) <= 0 {
			st.copies = slices.Delete(st.copies, i, i+1)
		}
		if !proven || c.sure {
			st.doubts = st.doubts.With(c.why)
		}
		st.adopted = true
		b := c.data[h.next-c.seq:]
		b = b[:min(len(b), int(limit-h.next))]
		if c.urg && h.markUrgent(&segment{seq: c.seq, urgent: c.urgent}) {
			s.doubtUrgent(f, h)
		}
		frames := s.frames
		s.frames = c.frames
		if s.note(f, h, h.next, len(b)) && s.feed(f, h, b) {
			s.drain(f, h)
		}
		s.frames = frames
	}
}

// precludes reports whether other bytes were taken than those in a SYN. As they came first, all of
// them were taken or none.
func (st *stream) precludes(c spareCopy) bool {
	_, differ := st.differsFromRaw(c)
	return differ && c.why == SYNData
}

// disagree takes bytes from seq on that differ, from at on, from others that came before and
// were not acknowledged yet. The rules say which of them count, provided that both came
// to the receiver.
func (s *Scanner) disagree(f *flow, h *half, seg *segment, at, seq uint32, b []byte) {
	st := h.stream
	st.fault(FaultOverlap, int(at-h.start))
	c := spareCopy{seq: seq, rival: true}
	switch {
	case st.mixedProof:
		c.why = Checksum
	case st.mixedWays, seg.way != st.way, !h.synSeen && !h.ackSeen, f.alone(h):
		c.why = Overlap
	default:
		return
	}
	if s.spare(f, h, c, b) && (st.index > 1 || st.ended) {
		s.contradict(f, h)
	}
}

// single reports whether no copy may have been taken in place of what was, and no urgent byte
// may be part of the stream.
func (st *stream) single() bool {
	return st.inline == 0 && !slices.ContainsFunc(st.copies, func(c spareCopy) bool { return c.mayCount() })
}

// mixes reports whether other bytes begin inside a segment that was taken, and end after it. The
// receiver may have taken their end alone, which is a reading besides those that are told.
func (h *half) mixes() bool {
	return slices.ContainsFunc(h.stream.copies, func(c spareCopy) bool {
		begin, end := int(c.seq-h.start), int(c.seq-h.start)+len(c.data)
		return c.rival && slices.ContainsFunc(h.stream.uses, func(u use) bool {
			return int(u.begin) < begin && int(u.end) > begin && int(u.end) < end
		})
	})
}

// forgetCopies forgets what was set aside. It stays charged until the stream is dropped.
func (st *stream) forgetCopies() {
	clear(st.copies)
	st.copies, st.copied = st.copies[:0], 0
}

// fault notes something odd.
func (st *stream) fault(code string, offset int) {
	if f := (Fault{code, offset}); len(st.faults) < maxFaults && !slices.Contains(st.faults, f) {
		st.faults = append(st.faults, f)
	}
}

// weigh compares the copies that were set aside with the hello that was read, from begin on:
// one that differs is a fault if it is known that it was not taken, and a doubt if not.
func (s *Scanner) weigh(h *half, begin uint32) (doubts Reasons) {
	st := h.stream
	doubts = st.doubts
	if st.proof == improbable && !(h.ackSeen && int32(h.acked-h.next) >= 0) {
		doubts = doubts.With(Checksum)
	}
	for _, c := range st.copies {
		at, differ := st.differsFromRaw(c)
		switch {
		case !differ || int32(at-begin) < 0:
		case c.mayCount():
			doubts = doubts.With(c.why)
		default:
			st.fault(FaultOverlap, int(at-h.start))
		}
	}
	return doubts
}

// differsFromRaw returns where a copy first differs from the bytes that were taken.
func (st *stream) differsFromRaw(c spareCopy) (at uint32, differ bool) {
	for i, b := range c.data {
		if j := int(int32(c.seq + uint32(i) - st.rawAt)); j >= 0 && j < len(st.raw) && st.raw[j] != b {
			return c.seq + uint32(i), true
		}
	}
	return 0, false
}

// otherReading returns the hello that is read if the rivals of the bytes from begin on
// were taken, or the urgent byte that is in doubt, or nil.
func (h *half) otherReading(begin uint32) []byte {
	st := h.stream
	at := int(int32(begin - st.rawAt + uint32(st.holes)))
	if at < 0 || at > len(st.raw) {
		return nil
	}
	b := slices.Clone(st.raw[at:])
	switch {
	case st.inline == 1 && int(st.leftAt) >= at && int(st.leftAt) <= len(st.raw):
		b = slices.Insert(b, int(st.leftAt)-at, st.left)
	case st.holes > 0:
		return nil
	default:
		b = st.overlay(begin, b)
	}
	if result := readAtOnce(b); result.Outcome == assemble.Complete {
		return slices.Clone(result.Message)
	}
	return nil
}

// readAtOnce reads the beginning of a stream as servers do.
func readAtOnce(b []byte) assemble.Result {
	records := assemble.Records{Tolerant: true}
	records.Reset(make([]byte, min(len(b), assemble.MaxMessage)))
	return records.Feed(b)
}

// readSYNData reads the stream, whose bytes are no hello, from its beginning with the data of
// the SYN in their place, if those may have been taken and begin a hello. It reports whether
// it does.
func (s *Scanner) readSYNData(f *flow, h *half) bool {
	st := h.stream
	i := slices.IndexFunc(st.copies, func(c spareCopy) bool { return c.why == SYNData && c.mayCount() })
	if i < 0 || st.index > 1 || st.holes > 0 || s.flows.open != nil {
		return false
	}
	c := st.copies[i]
	at := int(int32(c.seq - st.rawAt)) // -1 if an urgent byte in its place was left out
	if at < -1 || at > 0 {
		return false
	}
	b := slices.Clone(c.data)
	if n := len(b) + at; n < len(st.raw) {
		b = append(b, st.raw[n:]...)
	}
	if result := readAtOnce(b); result.Outcome == assemble.Unrecognized || result.Code == extension.ErrMessageType {
		return false
	}
	h.start, h.next, h.urgent = c.seq, c.seq, false
	frames := s.frames
	s.frames = c.frames
	there := s.note(f, h, c.seq, len(c.data))
	if s.frames = frames; !there {
		return true
	}
	st.doubts = st.doubts.With(SYNData)
	st.forgetCopies()
	st.records.Reset(nil)
	st.start, st.skip, st.need, st.before, st.framing = 0, 0, 0, st.before[:0], unframed
	st.raw, st.rawAt, st.faults = st.raw[:0], c.seq, st.faults[:0]
	if s.feed(f, h, b) {
		s.drain(f, h)
	}
	return true
}

// overlay puts the rivals over the bytes from begin on, which are b.
func (st *stream) overlay(begin uint32, b []byte) []byte {
	for _, c := range st.copies {
		at := int(int32(c.seq - begin))
		if !c.mayCount() || at > len(b) {
			continue
		}
		data := c.data[min(max(0, -at), len(c.data)):]
		at = max(at, 0)
		if over := at + len(data) - len(b); over > 0 {
			b = append(b, make([]byte, over)...)
		}
		copy(b[at:], data)
	}
	return b
}
