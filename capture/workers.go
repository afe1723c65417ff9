package capture

import (
	"hash/maphash"
	"slices"
	"sync"
	"time"
)

// With Options.Workers, a Reader scans a capture in several goroutines:
//
//   - The dispatcher reads it, reassembles IP packets (and those in CAPWAP) from fragments, and
//     puts the packets into batches. A batch has the read buffer that its packets are in.
//   - Each worker has a Scanner, and takes the packets whose innermost pair of addresses, without
//     ports, falls to it: flows, their directions and twins are of one pair. Only QUIC lets a
//     client change its address, so the dispatcher keeps connection IDs. Of all other packets a
//     worker gets the time, since doubts end after a time.
//   - The caller's goroutine takes the batches in order, and yields the rows of all workers in
//     the order of the packets that completed them.
//
// A worker has no goroutine of its own: whoever has nothing else to do scans the next batch of
// one. The dispatcher does so while all batches are in use, the caller's goroutine while the next
// batch is not done. So there are as many goroutines as workers, and they wait for each other
// only if there is nothing to do. The tables of all workers share one Budget.

// workers is a Reader's share in this.
type workers struct {
	dispatcher
	schedule
	kept []Hello // that were found when the caller had stopped
}

// batch is packets that follow each other, and what was found in them.
type batch struct {
	buf     []byte   // that the packets are in
	moments []moment // of all packets
	latest  time.Time
	lists   []list // of each worker
	parts   bool   // some packets are decoded
	pending int    // workers that are not done
}

// moment is when a packet was captured, and its number.
type moment struct {
	time   time.Time
	number int
}

// list is the packets of a batch that fall to a worker, and what it finds in them.
type list struct {
	packets []dispatched
	rows    rows
}

// dispatched is a packet.
type dispatched struct {
	data    []byte
	decoded *decoded // instead of data, or nil
	length  int      // on the wire
	index   int32    // of its moment
	link    LinkType
}

// nobody is the worker of a packet that no flow needs.
const nobody = -1

// decoded is a packet that needs more than its frame.
type decoded struct {
	decoder decoder
	frames  []int
}

// maxWorkers is how many workers there are at most.
const maxWorkers = 64

// newWorkers returns the workers of a Reader.
func newWorkers(b *Budget, o Options, r *Reader, in *buffer) *workers {
	n := min(o.Workers, maxWorkers)
	w := &workers{dispatcher: dispatcher{front: r.scanner, share: r.share, filter: r.filter, in: in}}
	w.to, w.secret = &w.schedule, maphash.String(maphash.MakeSeed(), "addresses")
	for range min(n, 5) + 3 {
		w.free = append(w.free, &batch{lists: make([]list, n)})
	}
	for i := range n {
		s := NewScanner(o)
		s.flows.limits.Workers = n
		w.each = append(w.each, &worker{scanner: s, share: b.join(&s.flows), number: i})
	}
	return w
}

// hellos is Reader.Hellos.
func (w *workers) hellos(r *Reader, yield func(*Hello) bool) {
	for len(w.kept) > 0 {
		h := w.kept[0]
		if w.kept = w.kept[1:]; !yield(&h) {
			return
		}
	}
	if r.err != nil {
		return
	}
	goesOn := w.read(r.source, yield)
	if w.err == nil {
		return
	}
	r.err = w.err
	last := make([]list, len(w.each))
	for i, each := range w.each {
		last[i].rows = each.flush(w.latest)
	}
	w.merge(last, goesOn, yield)
	r.settle()
}

// read reads packets until the source or yield ends that. It reports whether yield goes on.
func (w *workers) read(source source, yield func(*Hello) bool) (goesOn bool) {
	var all sync.WaitGroup
	w.begin()
	w.stop.Store(false)
	all.Go(func() { w.dispatch(source) })
	for range len(w.each) - 2 { //mutation:equivalent how many help changes the time alone
		all.Go(w.help)
	}
	goesOn = true
	w.mu.Lock()
	for b := w.next(); b != nil; b = w.next() {
		w.mu.Unlock()
		if goesOn = w.merge(b.lists, goesOn, yield); !goesOn {
			w.stop.Store(true)
		}
		b.reset()
		w.mu.Lock()
		w.put(b)
	}
	w.mu.Unlock()
	all.Wait()
	return goesOn
}

// merge yields rows in their order. It keeps those that come after yield has returned false,
// and reports whether yield goes on.
func (w *workers) merge(lists []list, goesOn bool, yield func(*Hello) bool) bool {
	for {
		var first *rows
		for i := range lists {
			if l := &lists[i].rows; l.next < len(l.list) && (first == nil || l.list[l.next].before(&first.list[first.next].order)) {
				first = l
			}
		}
		if first == nil {
			return goesOn
		}
		if h := &first.list[first.next].hello; goesOn {
			goesOn = yield(h)
		} else {
			w.kept = append(w.kept, keep(h))
		}
		first.next++
	}
}

func (b *batch) reset() {
	b.moments = b.moments[:0]
	for i := range b.lists {
		l := &b.lists[i]
		if b.parts {
			clear(l.packets)
		}
		l.packets = l.packets[:0]
		l.rows.reset()
	}
	b.parts = false
	if len(b.buf) > 4*readBuffer { // it grew for a long packet
		b.buf = nil
	}
}

// worker scans the packets of some address pairs.
type worker struct {
	scanner *Scanner
	share   *share
	number  int

	// Under the lock of the schedule.
	next int  // batch to scan
	busy bool // scanning it

	// What its next rows are in, and their place in the order.
	rows *rows
	at   order
}

// scan scans the worker's packets of a batch.
func (w *worker) scan(b *batch) {
	s, l, next := w.scanner, &b.lists[w.number], 0
	w.rows, s.yield = &l.rows, w.found
	for i := range l.packets {
		p := &l.packets[i]
		w.pass(b, next, int(p.index))
		next = int(p.index) + 1
		m := &b.moments[p.index]
		w.arrive(m, int(p.index))
		s.frames = append(s.frames[:0], m.number)
		if d := p.decoded; d != nil {
			s.decoder, s.frames = d.decoder, append(s.frames[:0], d.frames...)
			s.take(isSegment)
		} else {
			s.take(s.join(s.decoder.decode(p.link, p.data, p.length)))
		}
		s.emitOverdue()
	}
	w.pass(b, next, len(b.moments))
}

// pass passes the packets of other workers, up to the one with index end.
func (w *worker) pass(b *batch, begin, end int) {
	s := w.scanner
	if !s.deadlines.due(b.latest) {
		return
	}
	for i := begin; i < end; i++ {
		if m := &b.moments[i]; s.deadlines.due(m.time) {
			w.arrive(m, i)
			s.emitOverdue()
		}
	}
}

// arrive does what the time of a packet asks for.
func (w *worker) arrive(m *moment, index int) {
	s := w.scanner
	w.share.pause()
	s.time, s.stop, s.flows.number = m.time, false, m.number
	w.at = order{index: index, phase: expiredRows}
	if s.deadlines.due(m.time) {
		s.expire(false)
	}
	w.at.phase = packetRows
}

// flush returns what Flush yields at a time.
func (w *worker) flush(now time.Time) (list rows) {
	w.share.set(shareRunning)
	defer w.share.set(shareIdle)
	s := w.scanner
	s.time, w.rows = now, &list
	s.Flush(func(h *Hello) bool {
		w.at = order{phase: s.phase, number: s.flushed}
		return w.found(h)
	})
	return list
}

// found takes a hello that the Scanner yields.
func (w *worker) found(h *Hello) bool {
	if w.at.phase == expiredRows {
		w.at.expired = w.scanner.expired
		w.at.expired.flow = nil
	}
	w.rows.add(w.at, h)
	return true
}

// The phases in which a Scanner yields rows, in their order.
const (
	expiredRows = iota
	packetRows
	holdingRows // of Flush, by queue
	waitingRows
	finishedRows
	overdueRows
)

// order is what the place of a row depends on.
type order struct {
	index   int // of the packet in its batch
	phase   int
	number  int      // of the flow's latest packet, in Flush
	expired deadline // in the phase for that
}

// row is a hello that was found.
type row struct {
	order
	hello Hello
}

func (r *order) before(other *order) bool {
	switch {
	case r.index != other.index:
		return r.index < other.index
	case r.phase != other.phase:
		return r.phase < other.phase
	case r.phase == expiredRows:
		return r.expired.before(&other.expired)
	}
	return r.number < other.number
}

// rows are the rows of a worker, in order, and the memory that they are in.
type rows struct {
	list   []row
	next   int // that was not yielded
	bytes  []byte
	ints   []int
	faults []Fault
}

func (l *rows) add(at order, h *Hello) {
	r := row{at, *h}
	r.hello.Message = appendTo(&l.bytes, h.Message)
	r.hello.QUIC.DCID, r.hello.QUIC.SCID = appendTo(&l.bytes, h.QUIC.DCID), appendTo(&l.bytes, h.QUIC.SCID)
	r.hello.Frames, r.hello.Contradicts = appendTo(&l.ints, h.Frames), appendTo(&l.ints, h.Contradicts)
	r.hello.Faults = appendTo(&l.faults, h.Faults)
	l.list = append(l.list, r)
}

// appendTo appends v to memory, and returns the copy.
func appendTo[T any](memory *[]T, v []T) []T {
	if len(v) == 0 {
		return nil
	}
	n := len(*memory)
	*memory = append(*memory, v...)
	return slices.Clip((*memory)[n:])
}

func (l *rows) reset() {
	const most = 256 << 10 // of memory that is used again
	clear(l.list)
	l.list, l.next, l.bytes, l.ints, l.faults = l.list[:0], 0, l.bytes[:0], l.ints[:0], l.faults[:0]
	if cap(l.bytes) > most || cap(l.ints) > most/8 || cap(l.list) > most/512 {
		*l = rows{}
	}
}
