package capture

import (
	"slices"

	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/extension"
)

const (
	// streamCost is what a stream takes of the memory, without what it holds.
	streamCost = 672
	// maxEarlyData is how many bytes of early data are skipped in search of a second
	// hello. Most servers allow 16 kB or less (RFC 9846, Section 4.7.1).
	maxEarlyData = 64 << 10
	// useCost is what a note on a packet takes, including spare capacity of the slice.
	useCost = 32
	// spanCost is what a note on a piece that is ahead takes.
	spanCost = 8
	// pooledSpans is the highest capacity for pieces that are ahead with which a stream is
	// pooled. It is part of streamCost.
	pooledSpans = 32
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
	framing framing
	flags   uint64 // hash of the TLS Flags extensions of the first hello

	before []byte // what came so far before TLS, in case TLS follows
	start  uint32 // offset in the stream at which TLS begins; 0 while it is not known

	framedAt uint32 // offset in the stream after the frame with the latest hello

	ahead  []heldPage // bytes that arrived out of order
	lowest uint32     // sequence number of the first byte in ahead, while floating
	hint   uint32     //
	skip   uint32     // bytes of a frame that are not read
	spans  []span     // of ahead, as they arrived
	full   bool       // spans has no room and cannot be joined
	uses   []use

	need       int    // bytes of raw from needFrom on that are a whole hello; 0 if not known
	needFrom   int    //
	raw        []byte // what was taken and may not have been acknowledged
	rawAt      uint32 // sequence number of its first byte
	way        uint32 // of the first segment
	mixedWays  bool   // segments came in different ways
	proof      proof  // of the bytes
	mixedProof bool   // segments have different proofs
	adopted    bool   // bytes that were set aside were taken
	late       bool   // it has a late hello, or begins one
	second     bool   // it begins with the second hello
	hinted     bool   // a segment at hint may begin a late hello, while floating
	holes      uint8  // urgent bytes that were left out of raw
	left       byte   // the last of them
	inline     uint8  // how many of them may be part of the stream: 0, 1 or more
	ended      bool   // no hello is in these bytes, unless others come in their place
	copies     []spareCopy
	copied     int32    // bytes in copies
	leftAt     int32    // index in raw of the byte after left
	path       []string // of the first copy, for rows that another packet brings about
	faults     []Fault
	doubts     Reasons

	reported   []int  // packets of the last hello that was reported
	reportedAt uint32 // sequence number of its first byte

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
	st.records.Tolerant = true
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
	t.freeRaw(st)
	t.refund(&st.charged, st.charged)
	if cap(st.uses) > maxUses { //mutation:equivalent only what is kept for later differs
		st.uses = nil
	}
	clear(st.ahead)                  //mutation:equivalent it lets go of memory
	if cap(st.spans) > pooledSpans { //mutation:equivalent only what is kept for later differs
		st.spans = nil
	}
	if cap(st.before) > maxPrologue { //mutation:equivalent only what is kept for later differs
		st.before = nil
	}
	*st = stream{ahead: st.ahead[:0], uses: st.uses[:0], before: st.before[:0], spans: st.spans[:0], reported: st.reported[:0]}
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
	begin := seq
	if h.phase != floating { // else start is not known, and resume subtracts it
		begin -= h.start
	}
	for i, frame := range s.frames {
		st.uses = append(st.uses, use{begin, begin + uint32(n), frame, i > 0})
	}
	return true
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

// feed takes the next bytes of a stream, without those that are urgent. It reports whether
// the stream goes on.
func (s *Scanner) feed(f *flow, h *half, b []byte) bool {
	if h.urgent {
		if n := int(int32(h.urgentAt - h.next)); n >= 0 && n < len(b) {
			return s.feedUrgent(f, h, b, n)
		}
	}
	if s.flows.open != nil {
		return s.deliver(f, h, b)
	}
	return s.keepRaw(f, h, b) && s.read(f, h, b)
}

// feedUrgent is feed for bytes of which b[n] is urgent.
func (s *Scanner) feedUrgent(f *flow, h *half, b []byte, n int) bool {
	h.urgent = false
	if n > 0 && !s.feed(f, h, b[:n]) {
		return false
	}
	if h.stream != nil {
		h.stream.fault(FaultUrgent, int(h.next-h.start))
	}
	first := h.next == h.start
	if first {
		h.start++
	}
	h.leftOut = h.leftOut || !first
	h.next++
	if st := h.stream; st != nil {
		st.rawAt++ // so that what follows is at its place
		if !first {
			st.holes += min(1, 255-st.holes)
			st.left, st.leftAt = b[n], int32(len(st.raw))
		}
	}
	return n+1 == len(b) || s.feed(f, h, b[n+1:])
}

// read gives the next bytes of a stream to its assembler. It reports whether the stream
// goes on.
func (s *Scanner) read(f *flow, h *half, b []byte) bool {
	st, piece, at := h.stream, b, h.next
	switch {
	case st.framing != unframed:
		return s.readFrames(f, h, b)
	case len(st.before) > 0:
		return s.readPrologue(f, h, b)
	case st.late && st.index == 1 && len(st.uses) > maxLateSegments:
		s.endLate(f, h)
		return false
	}
	if st.need == 0 && st.index == 1 && h.next-h.start == st.start {
		st.need, st.needFrom = wholeInRecord(b), len(st.raw)-len(b)
	}
	if st.need > 0 {
		got := len(st.raw) - st.needFrom
		if h.next += uint32(len(b)); got < st.need {
			return true
		}
		h.next -= uint32(got)
		b, st.need = st.raw[st.needFrom:], 0
	}
	for len(b) > 0 {
		result := st.records.Feed(b)
		h.next += uint32(result.Used)
		rest := b[result.Used:]
		switch {
		case result.Outcome == assemble.NeedMore:
		case result.Code == extension.ErrOverLimit:
			if !s.grow(f, st, len(rest)) {
				return false
			}
		case st.late && st.index == 1 && !s.acceptsLate(f, h, result):
			return s.failLate(f, h, piece, at)
		case result.Outcome == assemble.Complete:
			if !s.complete(f, h, result) {
				return false
			}
		case st.index == 1 && h.next-h.start == 1:
			// The first byte is not that of TLS.
			h.next--
			return s.readPrologue(f, h, b)
		case result.Outcome == assemble.Unrecognized && st.index == 1 && at != h.start && s.startsLate(f, h, piece):
			h.next = at
			return s.readLate(f, h, piece)
		default:
			if result.Outcome == assemble.Refused && st.credible(result.Code, rest) && !s.refuse(f, h, result, b) {
				return false
			}
			s.finish(f, h)
			return false
		}
		b = rest
	}
	return true
}

// wholeInRecord returns the length of the record header and the hello that b begins with, if
// the record has the whole hello but b has not, and else 0. Such a hello takes no memory but
// that of raw.
func wholeInRecord(b []byte) int {
	const headers = 9
	if len(b) < headers || b[0] != recordHandshake || b[1] != 3 || b[5] != 1 || b[6] != 0 {
		return 0
	}
	n := headers + int(b[7])<<8 + int(b[8])
	if record := 5 + int(b[3])<<8 + int(b[4]); n > record || n <= len(b) || record > 5+1<<14 {
		return 0
	}
	return n
}

// finish ends a stream that has no hello. If the bytes may not be those that the server
// read, others are read, or it waits until they are acknowledged or others come.
func (s *Scanner) finish(f *flow, h *half) {
	st := h.stream
	if len(st.copies) > 0 {
		if s.readSYNData(f, h) {
			return
		}
		s.giveUpCopies(f, h)
	}
	open := st.mixedWays || st.proof == improbable || st.proof != proven && h.sums.verified()
	if !open || s.flows.open != nil || h.ackSeen && int32(h.acked-st.rawEnd()) >= 0 {
		s.decide(h)
		return
	}
	if s.openDoubt(f) {
		st.ended = true
	}
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
	if st.index > 1 && (len(rest) < 2 || rest[0] != 3 || rest[1] > 4) {
		return false // an encrypted message
	}
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

// complete reports a hello, and prepares for the second one. It reports whether the stream
// goes on.
func (s *Scanner) complete(f *flow, h *half, result assemble.Result) bool {
	st := h.stream
	s.describe(f, h)
	s.hello.Message = result.Message
	s.hello.Trailing = st.records.Info().Trailing
	hello, err := s.hello.parseRecords(&st.records, int(st.start), int(h.next-h.start))
	if err != nil && oddBeginning(&st.records) {
		s.finish(f, h)
		return false
	}
	if !st.second {
		st.flags = s.compareFlags(st.flags, hello, err)
	}
	early := 0
	if _, ok := hello.Extensions().Lookup(extension.EarlyData); ok {
		early = maxEarlyData
	}
	if !s.report(f, h) {
		return false
	}
	// The other end is the server if it has answered the SYN, or if the beginning of its stream
	// is not known. Else it may be the client: anybody can send a hello in the server's name.
	if other := &f.halves[1-h.direction]; !st.late && (other.phase == floating || other.answers) {
		s.decide(other)
	}
	h.spokeTLS = h.spokeTLS || !st.late
	st.index++
	st.records.NextAfterEarlyData(early)
	position := h.next - h.start
	st.uses = slices.DeleteFunc(st.uses, func(u use) bool { return u.end <= position }) //mutation:equivalent describe leaves them out, too
	if st.index > 2 || st.second {
		s.decide(h)
		return false
	}
	return true
}

// refuse reports a hello that the assembler refused while it read b. It reports whether f is
// still there.
func (s *Scanner) refuse(f *flow, h *half, result assemble.Result, b []byte) bool {
	st := h.stream
	h.spokeTLS = true
	s.describe(f, h)
	s.hello.Code, s.hello.Offset = result.Code, int(st.start)+result.Offset
	s.hello.Message = st.records.Prefix()
	if result.Code == extension.ErrSSLv2Hello && result.Used == sslv2HeaderLen {
		length := 2 + (int(b[0]&0x7f)<<8 | int(b[1]))
		s.hello.Message = b[:min(len(b), length)]
	}
	return s.report(f, h)
}

// describe fills in what hellos and refusals have in common.
func (s *Scanner) describe(f *flow, h *half) {
	src, dst := f.ends(int(h.direction))
	s.hello = Hello{
		Transport: TCP,
		Src:       src,
		Dst:       dst,
		Flow:      s.numberOf(f),
		Time:      s.time,
		Frames:    s.hello.Frames[:0],
		Faults:    s.hello.Faults[:0],
		Index:     h.stream.index,
		Prologue:  int(h.stream.start),
		Path:      s.decoder.path.names(&s.decoder.seg),

		PrologueProtocol: protocolNames[h.spoke],

		Contradicts: s.hello.Contradicts[:0],
	}
	if h.stream.second {
		s.hello.Index = 2
	}
	if h.stream.path != nil {
		s.hello.Path = h.stream.path
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
