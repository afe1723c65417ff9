package capture

import (
	"hash/maphash"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// With Options.Workers, a Reader scans a capture in several goroutines:
//
//   - The dispatcher reads it, reassembles IP packets (and those in CAPWAP) from fragments, and
//     puts the packets into batches. A batch has the read buffer that its packets are in.
//   - Each worker has a Scanner. All see all batches, and each takes the packets whose innermost
//     pair of addresses, without ports, falls to it: flows, their directions and twins are of
//     one pair. Only QUIC lets a client change its address: the dispatcher knows connection IDs.
//     Of other packets a worker needs the time, since doubts end by that.
//   - The caller's goroutine takes the batches in order, and yields the rows of all workers in
//     the order of the packets that completed them.
//
// The tables of all share one Budget. Batches are few, and used again: whoever is ahead waits.

// workers is a Reader's share in this.
type workers struct {
	dispatcher
	each []*worker
	kept []Hello // that were found when the caller had stopped
}

// batch is packets that follow each other, and what was found in them.
type batch struct {
	buf     []byte // that the packets are in
	packets []sorted
	parts   bool          // some are decoded
	pending atomic.Int32  // workers that are not done
	done    chan struct{} // gets a value when all are
	rows    []rows        // of each worker
}

// sorted is a packet and the worker that it falls to.
type sorted struct {
	data    []byte
	time    time.Time
	length  int // on the wire
	number  int
	link    LinkType
	worker  uint8
	decoded *decoded // instead of data, or nil
}

// nobody is the worker of a packet that no flow needs.
const nobody = 255

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
	w.secret = maphash.String(maphash.MakeSeed(), "addresses")
	batches := min(n, 5) + 3
	w.free = make(chan *batch, batches)
	for range batches {
		w.free <- &batch{done: make(chan struct{}, 1), rows: make([]rows, n)}
	}
	for i := range n {
		s := NewScanner(o)
		w.each = append(w.each, &worker{scanner: s, share: b.join(&s.flows), number: uint8(i)})
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
	var list []rows
	for _, each := range w.each {
		list = append(list, each.flush(w.latest))
	}
	w.merge(list, goesOn, yield)
	r.settle()
}

// read reads packets until the source or yield ends that. It reports whether yield goes on.
func (w *workers) read(source source, yield func(*Hello) bool) (goesOn bool) {
	var all sync.WaitGroup
	w.order, w.to = make(chan *batch, cap(w.free)), nil
	w.stop.Store(false)
	for _, each := range w.each {
		in := make(chan *batch, cap(w.free))
		w.to = append(w.to, in)
		all.Go(func() { each.run(in) })
	}
	all.Go(func() { w.dispatch(source) })
	goesOn = true
	for b := range w.order {
		<-b.done
		if goesOn = w.merge(b.rows, goesOn, yield); !goesOn {
			w.stop.Store(true)
		}
		b.reset()
		w.free <- b
	}
	all.Wait()
	return goesOn
}

// merge yields rows in their order; those that come after yield has ended that are kept. It
// reports whether yield goes on.
func (w *workers) merge(list []rows, goesOn bool, yield func(*Hello) bool) bool {
	for {
		var first *row
		from := 0
		for i := range list {
			if rows := list[i].list[list[i].next:]; len(rows) > 0 && (first == nil || rows[0].before(&first.order)) {
				first, from = &rows[0], i
			}
		}
		switch {
		case first == nil:
			return goesOn
		case goesOn:
			goesOn = yield(&first.hello)
		default:
			w.kept = append(w.kept, keep(&first.hello))
		}
		list[from].next++
	}
}

func (b *batch) reset() {
	if b.parts {
		clear(b.packets)
	}
	b.packets, b.parts = b.packets[:0], false
	for i := range b.rows {
		b.rows[i].reset()
	}
	if len(b.buf) > 4*readBuffer { // it grew for a long packet
		b.buf = nil
	}
}

// worker scans the packets of some address pairs.
type worker struct {
	scanner *Scanner
	share   *share
	number  uint8

	// What its next rows are in, and their place in the order.
	rows *rows
	at   order
}

func (w *worker) run(in <-chan *batch) {
	for b := range in {
		w.share.set(shareRunning)
		w.scan(b)
		w.share.set(shareIdle)
		if b.pending.Add(-1) == 0 {
			b.done <- struct{}{}
		}
	}
}

// scan scans the worker's packets of a batch.
func (w *worker) scan(b *batch) {
	s := w.scanner
	w.rows, s.yield = &b.rows[w.number], w.found
	for i := range b.packets {
		p := &b.packets[i]
		if p.worker != w.number && !s.deadlines.due(p.time) {
			continue
		}
		w.share.pause()
		s.time, s.stop, s.flows.number = p.time, false, p.number
		w.at = order{index: i, phase: expiredRows}
		if s.deadlines.due(p.time) {
			s.expire(false)
		}
		if w.at.phase = packetRows; p.worker == w.number {
			s.frames = append(s.frames[:0], p.number)
			if d := p.decoded; d != nil {
				s.decoder, s.frames = d.decoder, append(s.frames[:0], d.frames...)
				s.take(isSegment)
			} else {
				s.take(s.join(s.decoder.decode(p.link, p.data, p.length)))
			}
		}
		if len(s.flows.overdue) > 0 {
			s.emitOverdue()
		}
	}
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
