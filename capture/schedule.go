package capture

import "sync"

// schedule says which batch a worker scans next. Any goroutine may do that, one at a time for
// each worker.
type schedule struct {
	each []*worker

	mu      sync.Mutex
	moved   sync.Cond // a batch was added, scanned or set free, or no more come
	waiting int       // goroutines
	batches []*batch  // that were dispatched and are not merged, in their order
	first   int       // number of the first of them
	free    []*batch
	ended   bool // no more come
}

// begin makes the schedule ready for batches.
func (s *schedule) begin() {
	s.moved.L, s.ended = &s.mu, false
}

// wait waits until something has changed. Like all that follows but help, it is called under
// the lock.
func (s *schedule) wait() {
	s.waiting++
	s.moved.Wait()
	s.waiting--
}

// wake ends the waiting of all goroutines.
func (s *schedule) wake() {
	if s.waiting > 0 {
		s.moved.Broadcast()
	}
}

// add adds a batch whose packets are dispatched.
func (s *schedule) add(b *batch) {
	b.pending = len(s.each)
	s.batches = append(s.batches, b)
	s.wake()
}

// take returns a free batch. Until there is one, it scans.
func (s *schedule) take() *batch {
	for len(s.free) == 0 {
		if !s.scan() {
			s.wait()
		}
	}
	b := s.free[len(s.free)-1]
	s.free = s.free[:len(s.free)-1]
	return b
}

// put takes a batch that is free.
func (s *schedule) put(b *batch) {
	s.free = append(s.free, b)
	s.wake()
}

// next returns the next batch in order once it is scanned, or nil after the last one. Until
// then, it scans.
func (s *schedule) next() *batch {
	for {
		if len(s.batches) > 0 && s.batches[0].pending == 0 {
			b := s.batches[0]
			s.batches = s.batches[:copy(s.batches, s.batches[1:])]
			s.first++
			return b
		}
		if s.ended && len(s.batches) == 0 {
			return nil
		}
		if !s.scan() {
			s.wait()
		}
	}
}

// scan lets a worker scan a batch, if there is one for it. The earliest goes first.
func (s *schedule) scan() bool {
	var w *worker
	for _, each := range s.each {
		if !each.busy && each.next < s.first+len(s.batches) && (w == nil || each.next < w.next) {
			w = each
		}
	}
	if w == nil {
		return false
	}
	b := s.batches[w.next-s.first]
	w.busy = true
	s.mu.Unlock()
	w.share.set(shareRunning)
	w.scan(b)
	w.share.set(shareIdle)
	s.mu.Lock()
	w.busy = false
	w.next++
	b.pending--
	s.wake()
	return true
}

// help scans until no more batches come.
func (s *schedule) help() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.scan():
		case s.ended:
			return
		default:
			s.wait()
		}
	}
}
