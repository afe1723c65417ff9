package capture

import (
	"bytes"
	"slices"
)

// maxSpans is how many pieces of a stream are kept ahead of their turn. Linux has room
// for some thousands, whatever their size.
const maxSpans = 8 << 10

// span is a piece of a stream that arrived ahead of its turn.
type span struct{ begin, end uint32 }

// queueSpan puts a piece among those that are ahead of next, as Linux's
// tcp_data_queue_ofo does, and returns which part of it wins over what is there:
//
//   - a piece that lies inside another one is dropped;
//   - a piece that begins where another one ends is joined to it;
//   - a piece replaces those that it covers;
//   - if two overlap, the one with the lower sequence number wins.
//
// The spans are in order, and so are their ends. ok is false if there are too many.
func queueSpan(spans []span, next, begin, end uint32) (queued []span, wins span, ok bool) {
	at := func(seq uint32) int { return int(int32(seq - next)) }
	i, same := slices.BinarySearchFunc(spans, at(begin), func(s span, x int) int { return at(s.begin) - x })
	if same {
		i++
	}
	wins = span{begin, end}
	if i > 0 {
		switch before := &spans[i-1]; {
		case at(before.end) >= at(end):
			return spans, span{end, end}, true
		case same:
			if spans, i = slices.Delete(spans, i-1, i), i-1; i > 0 {
				wins.begin += uint32(max(0, at(spans[i-1].end)-at(begin)))
			}
		case before.end == begin:
			before.end = end
			return deleteCovered(spans, i, at, end), wins, true
		default:
			wins.begin += uint32(max(0, at(before.end)-at(begin)))
		}
	}
	spans = deleteCovered(spans, i, at, end)
	if len(spans) >= maxSpans {
		return spans, wins, false
	}
	return slices.Insert(spans, i, span{begin, end}), wins, true
}

// deleteCovered deletes the spans from i on that end no later than end.
func deleteCovered(spans []span, i int, at func(uint32) int, end uint32) []span {
	n := i
	for n < len(spans) && at(spans[n].end) <= at(end) {
		n++
	}
	return slices.Delete(spans, i, n)
}

// joinSpans joins the spans that touch or overlap, as Linux does when memory is short.
func joinSpans(spans []span) []span {
	joined := spans[:0]
	for _, s := range spans {
		if n := len(joined); n > 0 && int32(s.begin-joined[n-1].end) <= 0 {
			joined[n-1].end = s.end
			continue
		}
		joined = append(joined, s)
	}
	return joined
}

// hold keeps bytes that arrived ahead of their turn. It reports whether f is still there.
func (s *Scanner) hold(f *flow, h *half, seg *segment, seq uint32, b []byte) bool {
	st := h.stream
	end := seq + uint32(len(b))
	base, wins, ok := h.next, span{}, false
	if h.phase == floating {
		base = seq - 1<<30
	}
	had := max(cap(st.spans), pooledSpans)
	if len(st.spans) >= maxSpans && !st.full {
		st.spans = joinSpans(st.spans)
		st.full = len(st.spans) >= maxSpans
	}
	if st.spans, wins, ok = queueSpan(st.spans, base, seq, end); !ok {
		return true
	}
	//mutation:equivalent they grow by many, and 0 costs nothing
	if grown := cap(st.spans) - had; grown > 0 && !s.flows.charge(f, &st.charged, spanCost*grown) {
		return false
	}
	at, differ := st.differs(seq, b)
	if differ {
		s.disagree(f, h, seg, at, seq, b)
	}
	if f.queue == nil {
		return false
	}
	won := b[wins.begin-seq : wins.end-seq]
	_, ok = s.store(f, &st.ahead, &st.charged, wins.begin, won)
	return ok && (len(won) == 0 || s.note(f, h, seq, len(b)))
}

// differs compares bytes with those that are held at the same place, and returns where they
// first differ.
func (st *stream) differs(seq uint32, b []byte) (at uint32, differ bool) {
	for len(st.ahead) > 0 && len(b) > 0 {
		i := int(seq % pageSize)
		n := min(len(b), pageSize-i)
		if p := findPage(st.ahead, seq); p != nil {
			for j := range n {
				if p.has(i+j) && p.data[i+j] != b[j] {
					return seq + uint32(j), true
				}
			}
		}
		seq += uint32(n)
		b = b[n:]
	}
	return 0, false
}

// fill feeds the next bytes of a stream. They win over what is held of the same place: a
// receiver passes on what comes in its turn.
func (s *Scanner) fill(f *flow, h *half, seg *segment, b []byte) {
	st := h.stream
	if at, differ := st.differs(h.next, b); differ {
		s.disagree(f, h, seg, at, h.next, b)
	}
	if f.queue != nil && s.feed(f, h, b) {
		s.drain(f, h)
	}
}

// drain feeds what was held for as long as it continues the stream.
func (s *Scanner) drain(f *flow, h *half) {
	for h.phase == started && h.stream != nil && len(h.stream.ahead) > 0 {
		st := h.stream
		run := []byte(nil)
		if p := findPage(st.ahead, h.next); p != nil {
			run = p.run(int(h.next % pageSize))
		}
		if len(run) > 0 && !s.feed(f, h, run) {
			return
		}
		// Pages whose bytes have all been fed are not needed any more.
		st.ahead = slices.DeleteFunc(st.ahead, func(p heldPage) bool {
			if int32(p.number*pageSize+pageSize-h.next) > 0 {
				return false
			}
			s.flows.freePage(p.page)
			s.flows.refund(&st.charged, pageCost)
			return true
		})
		if len(run) == 0 {
			break
		}
	}
	if h.stream != nil && len(h.stream.spans) > 0 {
		h.stream.spans = deleteCovered(h.stream.spans, 0, func(seq uint32) int { return int(int32(seq - h.next)) }, h.next)
		h.stream.full = false
	}
}

// compareOld compares bytes that arrive again with those that were taken. What the other
// end has acknowledged cannot change any more.
func (s *Scanner) compareOld(f *flow, h *half, seg *segment, seq uint32, b []byte) {
	st := h.stream
	from := st.rawAt
	if h.ackSeen && int32(h.acked-from) > 0 {
		from = h.acked
	}
	if skip := int(int32(from - seq)); skip > 0 {
		b = b[min(skip, len(b)):]
		seq = from
	}
	i := seq - st.rawAt
	if len(b) == 0 || i >= uint32(len(st.raw)) {
		return
	}
	old := st.raw[i:]
	n := min(len(old), len(b))
	if bytes.Equal(old[:n], b[:n]) {
		return
	}
	at := seq
	for old[at-seq] == b[at-seq] {
		at++
	}
	s.disagree(f, h, seg, at, seq, b)
}
