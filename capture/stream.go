package capture

import (
	"slices"

	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/extension"
)

const (
	// streamCost is what a stream takes of the memory, without what it holds.
	streamCost = 512
	// maxEarlyData is how many bytes of early data are skipped in search of a second
	// hello. Most servers allow 16 kB or less (RFC 9846, Section 4.7.1).
	maxEarlyData = 64 << 10
	// useCost is what a note on a packet takes, including spare capacity of the slice.
	useCost = 32
	// maxUses is the highest capacity for notes with which a stream or session is pooled.
	maxUses = 32
)

// stream is what one direction of a TCP connection needs from its first byte on
// until it is decided.
type stream struct {
	records assemble.Records
	memory  []byte // of records
	page    *page  // that contains memory, as long as it is short
	index   int    // of the hello that is awaited: 1 or 2
	known   bool   // the first byte was the first of the connection
	flags   uint64 // hash of the TLS Flags extensions of the first hello

	before []byte // what came so far before TLS, in case TLS follows
	start  uint32 // offset in the stream at which TLS begins; 0 while it is not known

	ahead   []heldPage // bytes that arrived out of order
	lowest  uint32     // sequence number of the first byte in ahead, while floating
	uses    []use
	charged int // bytes, of the table's memory
}

// use notes the place of a packet's bytes in the stream, as offsets from its first byte.
type use struct {
	begin, end uint32
	frame      int
	further    bool // another fragment of the same segment
}

// newStream returns a stream for f, or nil if that takes more than MaxMemory.
func (t *table) newStream(f *flow) *stream {
	st := t.streams.get()
	if !t.charge(f, &st.charged, streamCost) {
		return nil
	}
	st.index = 1
	return st
}

// drop frees what a half holds.
func (t *table) drop(h *half) {
	st := h.stream
	if st == nil {
		return
	}
	for _, p := range st.ahead {
		t.freePage(p.page) //mutation:equivalent it spares allocations
	}
	if st.page != nil {
		t.freePage(st.page) //mutation:equivalent it spares allocations
	}
	t.refund(&st.charged, st.charged)
	if cap(st.uses) > maxUses { //mutation:equivalent only what is kept for later differs
		st.uses = nil
	}
	clear(st.ahead) //mutation:equivalent it lets go of memory
	*st = stream{ahead: st.ahead[:0], uses: st.uses[:0], before: st.before[:0]}
	t.streams.put(st)
	h.stream = nil
}

func (t *table) freePage(p *page) {
	p.have = [len(p.have)]uint64{}
	t.pages.put(p)
}

// note records which packets brought n bytes at seq. It reports whether f is still there.
func (s *Scanner) note(f *flow, h *half, seq uint32, n int) bool {
	if s.flows.open != nil {
		return true // a Follower gets no frames
	}
	st := h.stream
	cost := useCost * len(s.frames)
	if len(st.uses) == 0 {
		cost -= useCost // part of streamCost
	}
	if !s.flows.charge(f, &st.charged, cost) {
		return false
	}
	begin := seq - h.start
	for i, frame := range s.frames {
		st.uses = append(st.uses, use{begin, begin + uint32(n), frame, i > 0})
	}
	return true
}

// hold keeps bytes that arrived out of order. It reports whether f is still there.
func (s *Scanner) hold(f *flow, h *half, seq uint32, b []byte) bool {
	fresh, ok := s.store(f, &h.stream.ahead, &h.stream.charged, seq, b)
	return ok && (fresh == 0 || s.note(f, h, seq, len(b)))
}

// store puts bytes into pages and returns how many of them are new. ok says that f is
// still there.
func (s *Scanner) store(f *flow, pages *[]heldPage, account *int, at uint32, b []byte) (fresh int, ok bool) {
	for len(b) > 0 {
		p := findPage(*pages, at)
		if p == nil {
			if !s.flows.charge(f, account, pageCost) {
				return 0, false
			}
			p = s.flows.pages.get()
			*pages = append(*pages, heldPage{at / pageSize, p})
		}
		i := int(at % pageSize)
		n := min(len(b), pageSize-i)
		fresh += p.put(i, b[:n])
		at += uint32(n)
		b = b[n:]
	}
	return fresh, true
}

// fill feeds the next bytes of a stream. For bytes that had arrived before, out of order, it
// feeds those: they may differ, and the first ones stay.
func (s *Scanner) fill(f *flow, direction int, b []byte) {
	h := &f.halves[direction]
	end := h.next + uint32(len(b))
	for len(b) > 0 && h.phase == started && h.stream != nil {
		if !s.feed(f, direction, b[:h.stream.missing(h.next, len(b))]) {
			return
		}
		s.drain(f, direction)
		b = b[len(b)-max(0, int(int32(end-h.next))):]
	}
}

// missing returns how many of the n bytes from seq on come before the first that is held.
func (st *stream) missing(seq uint32, n int) int {
	if len(st.ahead) == 0 {
		return n
	}
	for i := 0; i < n; {
		at := int((seq + uint32(i)) % pageSize)
		part := min(n-i, pageSize-at)
		if p := findPage(st.ahead, seq+uint32(i)); p != nil {
			for j := range part {
				if p.has(at + j) {
					return i + j
				}
			}
		}
		i += part
	}
	return n
}

// drain feeds what was held for as long as it continues the stream.
func (s *Scanner) drain(f *flow, direction int) {
	h := &f.halves[direction]
	for h.phase == started && h.stream != nil && len(h.stream.ahead) > 0 {
		st := h.stream
		run := []byte(nil)
		if p := findPage(st.ahead, h.next); p != nil {
			run = p.run(int(h.next % pageSize))
		}
		if len(run) == 0 || !s.feed(f, direction, run) {
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
	}
}

// feed gives the next bytes of a stream to its assembler, or to the Follower of its
// connection. It reports whether the stream goes on.
func (s *Scanner) feed(f *flow, direction int, b []byte) bool {
	if s.flows.open != nil {
		return s.deliver(f, direction, b)
	}
	h := &f.halves[direction]
	st := h.stream
	if len(st.before) > 0 {
		return s.readPrologue(f, direction, b)
	}
	for len(b) > 0 {
		result := st.records.Feed(b)
		h.next += uint32(result.Used)
		rest := b[result.Used:]
		switch {
		case result.Outcome == assemble.NeedMore:
		case result.Outcome == assemble.Complete:
			s.complete(f, direction, result)
			if st.index > 2 {
				s.decide(h)
				return false
			}
		case result.Code == extension.ErrOverLimit:
			if !s.grow(f, st, len(rest)) {
				return false
			}
		case st.index == 1 && h.next-h.start == 1:
			// The first byte is not that of TLS.
			h.next--
			return s.readPrologue(f, direction, b)
		default:
			if result.Outcome == assemble.Refused && st.credible(result.Code, rest) {
				s.refuse(f, direction, result, b)
			}
			s.decide(h)
			return false
		}
		b = rest
	}
	return true
}

// readPrologue takes the next bytes of a stream in which TLS has not begun yet. It
// reports whether the stream goes on.
func (s *Scanner) readPrologue(f *flow, direction int, b []byte) bool {
	h := &f.halves[direction]
	st := h.stream
	had := len(st.before)
	fresh := b[:min(len(b), maxPrologue-had)]
	if !s.flows.charge(f, &st.charged, len(fresh)) {
		return false
	}
	st.before = append(st.before, fresh...)
	n, p := prologue(st.before)
	switch {
	case p == noPrologue || p == tlsFollows && n < had:
		s.decide(h)
		return false
	case p == inPrologue:
		h.next += uint32(len(b))
		return true
	}
	st.before = st.before[:0]
	st.start = uint32(n)
	st.records.Reset(nil)
	h.next += uint32(n - had)
	return s.feed(f, direction, b[n-had:])
}

// grow allocates memory for a message that arrives in pieces, of which the next has n
// bytes. The memory grows with the bytes that arrive, not with the length that a header
// announces. grow reports whether f is still there.
func (s *Scanner) grow(f *flow, st *stream, n int) bool {
	old := len(st.memory)
	size := min(st.records.MessageLen(), 2*(old+n))
	if st.page == nil && size <= pageSize {
		if !s.flows.charge(f, &st.charged, pageCost) {
			return false
		}
		st.page = s.flows.pages.get()
		st.memory = st.page.data[:]
	} else {
		if !s.flows.charge(f, &st.charged, size) {
			return false
		}
		st.memory = make([]byte, size)
	}
	st.records.Grow(st.memory)
	if old > pageSize {
		s.flows.refund(&st.charged, old)
	}
	return true
}

// credible reports whether a refusal is to be reported. Bytes from the middle of a
// connection can look like the beginning of a hello; the version after the length of the
// message is then wrong. rest are the bytes after that length.
func (st *stream) credible(code extension.Code, rest []byte) bool {
	switch code {
	case extension.ErrMessageType:
		return false // the server's end of the connection
	case extension.ErrMessageTooLarge:
		return st.known || len(rest) > 0 && rest[0] == 3
	case extension.ErrRecordOverflow, extension.ErrRecordEmpty:
		return st.known || st.records.MessageLen() > 0
	}
	return true
}

// complete reports a hello, and prepares for the second one.
func (s *Scanner) complete(f *flow, direction int, result assemble.Result) {
	h, other := &f.halves[direction], &f.halves[1-direction]
	st := h.stream
	s.describe(f, direction)
	s.hello.Message = result.Message
	s.hello.Trailing = st.records.Info().Trailing
	st.flags = s.compareFlags(st.flags)
	early := 0
	if hello, _, err := s.hello.Parse(); err == nil {
		if _, ok := hello.Extensions().Lookup(extension.EarlyData); ok {
			early = maxEarlyData
		}
	}
	s.emit()
	st.index++
	st.records.NextAfterEarlyData(early)
	position := h.next - h.start
	st.uses = slices.DeleteFunc(st.uses, func(u use) bool { return u.end <= position }) //mutation:equivalent describe leaves them out, too
	if other.phase != silent {
		s.decide(other)
	}
}

// refuse reports a hello that the assembler refused while it read b.
func (s *Scanner) refuse(f *flow, direction int, result assemble.Result, b []byte) {
	st := f.halves[direction].stream
	s.describe(f, direction)
	s.hello.Code, s.hello.Offset = result.Code, int(st.start)+result.Offset
	if result.Code == extension.ErrSSLv2Hello && result.Used == sslv2HeaderLen {
		length := 2 + (int(b[0]&0x7f)<<8 | int(b[1]))
		s.hello.Message = b[:min(len(b), length)]
	}
	s.emit()
}

// describe fills in what hellos and refusals have in common.
func (s *Scanner) describe(f *flow, direction int) {
	h := &f.halves[direction]
	src, dst := f.ends(direction)
	s.hello = Hello{
		Transport: TCP,
		Src:       src,
		Dst:       dst,
		Time:      s.time,
		Frames:    s.hello.Frames[:0],
		Index:     h.stream.index,
		Prologue:  int(h.stream.start),
	}
	uses, start := h.stream.uses, h.stream.start+uint32(h.stream.records.Info().Start)
	slices.SortStableFunc(uses, func(a, b use) int { return int(int32(a.begin - b.begin)) })
	for _, u := range uses {
		if int32(u.begin-(h.next-h.start)) < 0 && int32(u.end-start) > 0 {
			s.hello.Frames = append(s.hello.Frames, u.frame)
			if !u.further {
				s.hello.Pieces.Segments++
			}
		}
	}
	s.hello.Pieces.Records = h.stream.records.Info().Records
}
