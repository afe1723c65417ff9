package capture

import (
	"cmp"
	"slices"
	"time"

	"github.com/tlsflags/tlsflags/clienthello"
)

const (
	// doubtTime is how long a row waits for the other end to decide, in the time of the
	// capture.
	doubtTime = 3 * time.Second
	// doubtCost is what an open doubt takes of the memory, without its rows.
	doubtCost = 256
	// rowCost is what a row takes of the memory, without its message.
	rowCost = 704
)

// doubt is what is open about a connection.
type doubt struct {
	rows      []Hello // that wait for the answer of the server
	rival     *half   // a connection that a SYN may have begun
	rivalRows []Hello // of it
	late      lateHello
	charged   int // bytes, of the table's memory
	opened    int // number of the doubt, over all
}

// deadline is when a doubt is given up.
type deadline struct {
	flow   *flow
	opened int
	number int // of the packet that opened it
	at     time.Time
}

// before orders doubts by when they are given up, also those of several Scanners of one
// capture.
func (d *deadline) before(other *deadline) bool {
	return cmp.Or(d.at.Compare(other.at), cmp.Compare(d.number, other.number), cmp.Compare(d.opened, other.opened)) < 0
}

// deadlines is a heap: each comes before those at twice its index plus 1 and 2.
type deadlines []deadline

// due reports whether a doubt is to be given up.
func (h deadlines) due(now time.Time) bool { return len(h) > 0 && !now.Before(h[0].at) }

func (h *deadlines) push(d deadline) {
	*h = append(*h, d)
	for i := len(*h) - 1; (*h)[i].before(&(*h)[(i-1)/2]); i = (i - 1) / 2 { // the first is not before itself
		(*h)[i], (*h)[(i-1)/2] = (*h)[(i-1)/2], (*h)[i]
	}
}

func (h *deadlines) pop() deadline {
	first, last := (*h)[0], len(*h)-1
	(*h)[0] = (*h)[last]
	(*h)[last] = deadline{}
	*h = (*h)[:last]
	h.down(0)
	return first
}

// down moves a deadline to a place after which all are later.
func (h deadlines) down(i int) {
	for {
		next := 2*i + 1
		if next+1 < len(h) && h[next+1].before(&h[next]) {
			next++
		}
		if next >= len(h) || !h[next].before(&h[i]) {
			return
		}
		h[i], h[next] = h[next], h[i]
		i = next
	}
}

// prune removes those of doubts that are not there any more.
func (h *deadlines) prune() {
	*h = slices.DeleteFunc(*h, func(d deadline) bool { return !d.open() })
	for i := len(*h) / 2; i >= 0; i-- {
		h.down(i)
	}
}

// openDoubt notes that something is open about f. It reports whether f is still there.
func (s *Scanner) openDoubt(f *flow) bool {
	if f.doubt != nil {
		return true
	}
	s.opened++
	f.doubt = &doubt{opened: s.opened}
	if !s.flows.charge(f, &f.doubt.charged, doubtCost) {
		return false
	}
	if len(s.deadlines) >= 1024+2*s.flows.flows.n { // most are of flows that were evicted
		s.deadlines.prune()
	}
	s.deadlines.push(deadline{f, s.opened, s.flows.number, s.time.Add(doubtTime)})
	return true
}

// open reports whether the doubt is still there.
func (d deadline) open() bool { return d.flow.doubt != nil && d.flow.doubt.opened == d.opened }

// closeDoubt forgets the doubt if nothing is open any more.
func (s *Scanner) closeDoubt(f *flow) {
	for i := range f.halves {
		if st := f.halves[i].stream; st != nil && (len(st.copies) > 0 || st.ended) {
			return
		}
	}
	if d := f.doubt; d != nil && d.rows == nil && d.rival == nil && !d.late.waits {
		s.flows.refund(&d.charged, d.charged)
		f.doubt = nil
	}
}

// wait keeps s.hello until the other end decides. It reports whether f is still there.
func (s *Scanner) wait(f *flow, rows func(*doubt) *[]Hello) bool {
	row := keep(&s.hello)
	if !s.openDoubt(f) || !s.flows.charge(f, &f.doubt.charged, rowCost+len(row.Message)) {
		s.flows.overdue = append(s.flows.overdue, row)
		return false
	}
	list := rows(f.doubt)
	*list = append(*list, row)
	return true
}

// keep returns a copy of a hello.
func keep(h *Hello) Hello {
	row := *h
	row.view = clienthello.ClientHello{} // which shares memory with the message
	row.Frames, row.Message = slices.Clone(h.Frames), slices.Clone(h.Message)
	row.Faults, row.Contradicts = slices.Clone(h.Faults), slices.Clone(h.Contradicts)
	row.QUIC.DCID, row.QUIC.SCID = slices.Clone(h.QUIC.DCID), slices.Clone(h.QUIC.SCID)
	return row
}

// emitKept yields a row that has waited.
func (s *Scanner) emitKept(row Hello) {
	s.hello = row
	s.emit()
}

// answered takes the first bytes of the server's answer. If it fits one reading alone, that
// was read, unless there are mixtures of them.
func (s *Scanner) answered(f *flow, b []byte) {
	rows := f.doubt.rows
	f.doubt.rows = nil
	if len(rows) > 1 && !rows[0].mixed {
		if fitting := slices.DeleteFunc(slices.Clone(rows), func(h Hello) bool { return !h.fits(b) }); len(fitting) == 1 {
			fitting[0].Ambiguous &= oddHello
			rows = fitting
		}
	}
	for _, row := range rows {
		row.settle(b)
		s.emitKept(row)
	}
	s.closeDoubt(f)
}

// dropDoubt ends the doubt of a flow that is removed. Its rows go out at the end of Scan.
func (t *table) dropDoubt(f *flow) {
	d := f.doubt
	if d == nil {
		return
	}
	t.overdue = append(t.overdue, d.rows...)
	if d.rival != nil {
		if f.alone(d.rival) {
			t.overdue = append(t.overdue, d.rivalRows...)
		}
		t.drop(d.rival)
	}
	t.refund(&d.charged, d.charged)
	f.doubt = nil
}

// expire gives up on the doubts that are older than doubtTime, or on all.
func (s *Scanner) expire(all bool) {
	for all && len(s.deadlines) > 0 || s.deadlines.due(s.time) {
		d := s.deadlines.pop()
		if s.expired = d; d.open() {
			s.giveUp(d.flow)
			if d.flow.queue != nil {
				s.flows.settle(d.flow)
			}
		}
	}
}

// giveUp ends the wait for an answer: what is in doubt stays in doubt.
func (s *Scanner) giveUp(f *flow) {
	d := f.doubt
	s.settleRival(f)
	for i := range f.halves {
		if h := &f.halves[i]; h.stream != nil && h.stream.ended {
			s.decide(h)
		}
	}
	s.emitRows(d)
	d.late.waits = d.late.waits && !d.late.whole
	for i := range f.halves {
		h := &f.halves[i]
		if f.queue != nil && h.stream != nil && h.phase == started && s.flows.open == nil {
			s.adopt(f, h, h.next+window, false)
		}
		if f.queue != nil && h.stream != nil {
			s.giveUpCopies(f, h)
			h.stream.forgetCopies()
		}
	}
	s.emitRows(d) // those of copies that were adopted
	if f.queue != nil {
		s.giveUpLate(f)
		s.closeDoubt(f)
	}
}

// giveUpCopies ends the wait for what says whether copies were taken in place of other bytes. If
// no hello has come, they may have one.
func (s *Scanner) giveUpCopies(f *flow, h *half) {
	st := h.stream
	differs := func(c spareCopy) bool {
		_, differ := st.differsFromRaw(c)
		return differ && c.mayCount()
	}
	if s.flows.open != nil || st.index > 1 || !slices.ContainsFunc(st.copies, differs) {
		return
	}
	if h.begun() {
		st.doubts = s.weigh(h, h.start)
	}
	s.contradict(f, h)
}

// emitRows yields the rows that wait in a doubt.
func (s *Scanner) emitRows(d *doubt) {
	rows := d.rows
	d.rows = nil
	for _, row := range rows {
		s.emitKept(row)
	}
}

// Flush yields the hellos that wait for the other end of their connection to decide what
// was read; nothing more is coming. It returns false if yield did.
func (s *Scanner) Flush(yield func(*Hello) bool) bool {
	s.yield, s.stop, s.flushing, s.phase = yield, false, true, expiredRows
	s.expire(true)
	for i, q := range []*queue{&s.flows.holding, &s.flows.waiting} {
		s.phase = holdingRows + i
		for f := q.oldest; f != nil && !s.stop; f = f.newer {
			s.flushed = f.number
			for i := range f.halves {
				s.emitUnread(f, &f.halves[i])
			}
			s.emitUnreadDatagrams(f)
		}
	}
	s.phase = finishedRows
	for f := s.flows.finished.oldest; f != nil && !s.stop; f = f.newer {
		s.flushed = f.number
		s.emitUnreadDatagrams(f)
	}
	s.phase = overdueRows
	s.emitOverdue()
	s.flushing = false
	return !s.stop
}

// emitUnread yields a row without a hello for a stream in doubt whose hello never became
// complete.
func (s *Scanner) emitUnread(f *flow, h *half) {
	if !h.begun() || h.stream.index > 1 {
		return
	}
	doubts := h.stream.doubts &^ Reasons(0).With(SYN)
	if h.stream.doubts = 0; doubts == 0 {
		return
	}
	s.describe(f, h)
	s.hello.Ambiguous = doubts
	s.emit()
}

// emitOverdue yields the rows of flows that were evicted.
func (s *Scanner) emitOverdue() {
	for len(s.flows.overdue) > 0 {
		rows := s.flows.overdue
		s.flows.overdue = nil
		for _, row := range rows {
			s.emitKept(row)
		}
	}
}
