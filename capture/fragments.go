package capture

import (
	"cmp"
	"slices"
	"time"
)

// maxIPPacket is how long an IP packet can be.
const maxIPPacket = 1<<16 - 1

// fragment is a piece of a packet. The addresses of IP, also around CAPWAP, are in the decoder's
// seg.
type fragment struct {
	kind     fragmentKind
	id       uint32
	protocol uint8
	offset   int
	last     bool
	payload  []byte
	cut      bool // the end of the payload was not captured
	flawed   bool // a host drops it because of its IP header
	sum      sumState

	// Of a fragment with a number.
	number   uint32
	first    bool
	from, to [16]byte // addresses
	total    int      // length of the packet, if the first fragment is not marked
}

// ipPacket is an IP packet, or another one, of which fragments have arrived.
type ipPacket struct {
	pages    []heldPage // numbered from the start of the payload
	runs     []span     // of the payload that have arrived, in order
	length   int        // of the payload; -1 while the last fragment has not come
	got      int        // bytes of the payload that have arrived
	frames   []fragmentFrame
	began    time.Time // when the first fragment arrived
	verified bool      // a header has a right checksum
	damaged  bool      // a header has a wrong one
	pieces   []piece   // in order of their numbers
	number   uint32    // of the latest piece of multilink PPP
	extended uint32    // the same without starting over at 0
	arrived  uint32    // pieces
	way      uint32    // of the first fragment that arrived
	forked   bool      // another one came in another way, or late
	ecn      uint8     // a bit for each value of the field that a fragment has
	protocol uint8     // of the fragment at offset 0
	charged  int       // bytes, of the table's memory
}

type fragmentFrame struct{ offset, frame int }

// sums says what is known of the header checksums of the fragments.
func (p *ipPacket) sums() sumState {
	switch {
	case p.verified:
		return sumRight
	case p.damaged:
		return sumWrong
	}
	return sumUnknown
}

const (
	ipPacketCost      = 256
	fragmentFrameCost = 32
	runCost           = 16 // of a run, with spare capacity of the slice

	// fragmentTime is how long a host waits for the fragments of a packet: Linux does so for
	// 30 s with IPv4, and RFC 8200, Section 4.5 says 60 s for IPv6.
	fragmentTime     = 30 * time.Second
	fragmentTimeIPv6 = 60 * time.Second
)

// reassemble keeps a fragment. If it completes its packet, reassemble returns the payload of
// that, which is valid until the next call.
//
// It does as Linux does. A fragment that lies inside another one, or inside a run that arrived in
// order, is a duplicate; one that overlaps others in another way makes the host
// drop the packet (RFC 8200, Section 4.5; RFC 5722), and so does one without data, or if some
// have ECN and some not (RFC 3168, Section 5.3). If the length of a fragment that is not the last
// is no multiple of 8, IPv4 cuts it, and IPv6 drops it. In IPv6 the protocol is that of the first
// fragment (RFC 8200, Section 4.5).
func (s *Scanner) reassemble(fr *fragment) (payload []byte, whole bool) {
	seg := &s.decoder.seg
	if !fr.last && len(fr.payload)%8 != 0 {
		if seg.ipv6 && fr.kind == fragmentIP {
			return nil, false
		}
		fr.payload = fr.payload[:len(fr.payload)&^7]
	}
	end := fr.offset + len(fr.payload)
	if seg.ipv6 && fr.kind == fragmentIP && fr.offset == 0 && lacksHeader(fr.protocol, fr.payload) {
		return nil, false
	}
	if end > maxIPPacket && seg.ipv6 || fr.cut || fr.flawed {
		return nil, false
	}
	f := s.packetOf(fr)
	if f == nil {
		return nil, false
	}
	p := f.packet
	if len(fr.payload) == 0 {
		return nil, s.dropFragments(f)
	}
	last := len(p.runs) - 1
	if fr.last && (last >= 0 && int(p.runs[last].end) > end || p.length >= 0 && p.length != end) || p.length >= 0 && end > p.length {
		return nil, s.dropFragments(f)
	}
	runs, fits := addRun(p.runs, uint32(fr.offset), uint32(end))
	if !fits {
		return nil, s.dropFragments(f)
	}
	if fr.last {
		p.length = end
	}
	if len(runs) == 0 { // a duplicate
		return nil, false
	}
	p.runs = runs
	s.noteFragment(p, fr)
	fresh, ok := s.store(f, &p.pages, &p.charged, uint32(fr.offset), fr.payload)
	if !ok || !s.flows.charge(f, &p.charged, runCost+fragmentFrameCost*len(s.frames)) {
		return nil, false
	}
	for _, frame := range s.frames {
		p.frames = append(p.frames, fragmentFrame{fr.offset, frame})
	}
	p.got += fresh
	s.flows.settle(f)
	if p.got != p.length {
		return nil, false
	}
	if p.length > maxIPPacket || p.ecn&1 != 0 && p.ecn != 1 {
		return nil, s.dropFragments(f)
	}
	fr.protocol = p.protocol
	payload = s.whole(p)
	seg.pieces, s.decoder.forked = p.sums(), p.forked
	s.flows.remove(f)
	return payload, true
}

// noteFragment notes what the headers around a fragment say of whether it comes to the host with
// those before it. Linux forgets a packet of IPv4 if 64 other fragments of the sender came after its latest one.
func (s *Scanner) noteFragment(p *ipPacket, fr *fragment) {
	const most = 64
	seg, way := &s.decoder.seg, s.decoder.way()
	if p.way == 0 {
		p.way = way
	}
	if n := len(p.frames); n > 0 && !seg.ipv6 && fr.kind == fragmentIP && s.frames[0]-p.frames[n-1].frame > most {
		p.forked = true
	}
	p.forked = p.forked || p.way != way
	if fr.kind == fragmentIP {
		p.ecn |= 1 << seg.ecn
	}
	if fr.offset == 0 {
		p.protocol = fr.protocol
	}
}

// addRun adds a fragment to the runs, which are in order. It returns none for a duplicate;
// fits is false if the fragment overlaps others. As in Linux, fragments are one run if they
// arrived in order.
func addRun(runs []span, begin, end uint32) (added []span, fits bool) {
	i, _ := slices.BinarySearchFunc(runs, end, func(r span, x uint32) int { return cmp.Compare(r.begin, x) })
	if i > 0 { // the last run that begins before the end
		switch before := &runs[i-1]; {
		case before.begin <= begin && end <= before.end:
			return nil, true
		case before.end > begin:
			return nil, false
		case before.end == begin && i == len(runs):
			before.end = end
			return runs, true
		}
	}
	return slices.Insert(runs, i, span{begin, end}), true
}

// packetOf returns the packet of a fragment, or nil if the fragment is dropped. A wrong
// checksum of its header counts if other fragments of the packet have right ones.
func (s *Scanner) packetOf(fr *fragment) *flow {
	seg := &s.decoder.seg
	key := keyOf(seg, s.locate())
	key.kind &^= kindUDP
	key.id = fr.name()
	if fr.kind == fragmentIP {
		if seg.ipv6 {
			key.id &^= 0xff // the protocol
		}
		key.lo.port, key.hi.port = 0, 0
	}
	wait := fragmentTime
	if seg.ipv6 {
		wait = fragmentTimeIPv6
	}
	f := s.flows.flows.get(key)
	wrong := fr.sum == sumWrong && s.flows.limits.Checksums != ChecksumsIgnore
	switch {
	case wrong && (s.flows.limits.Checksums == ChecksumsVerify || f != nil && f.packet.verified):
		return nil
	case f != nil && (s.time.Sub(f.packet.began) > wait || f.packet.damaged && fr.sum == sumRight):
		s.flows.remove(f)
		f = nil
	}
	if f == nil {
		f = s.flows.create(key, s.decoder.path.ips)
		f.packet = &ipPacket{length: -1, began: s.time}
		if !s.flows.charge(f, &f.packet.charged, ipPacketCost) {
			return nil
		}
	}
	f.packet.verified = f.packet.verified || fr.sum == sumRight
	f.packet.damaged = f.packet.damaged || wrong
	return f
}

// dropFragments forgets a packet whose fragments contradict each other. It returns false.
func (s *Scanner) dropFragments(f *flow) bool {
	s.stats.Broken++
	s.flows.remove(f)
	return false
}

// whole returns the payload of a packet of which all fragments have arrived, and makes
// their numbers those of the packet that is being scanned.
func (s *Scanner) whole(p *ipPacket) []byte {
	slices.SortStableFunc(p.frames, func(a, b fragmentFrame) int { return cmp.Compare(a.offset, b.offset) })
	s.frames = s.frames[:0]
	for _, ff := range p.frames {
		s.frames = append(s.frames, ff.frame)
	}
	s.packet = s.packet[:0]
	for len(s.packet) < p.length {
		at := len(s.packet)
		run := findPage(p.pages, uint32(at)).run(at % pageSize)
		s.packet = append(s.packet, run...)
	}
	return s.packet
}

// dropPacket frees what was kept of an IP packet.
func (t *table) dropPacket(f *flow) {
	if f.packet == nil {
		return
	}
	for _, p := range f.packet.pages {
		t.freePage(p.page) //mutation:equivalent it spares allocations
	}
	t.memory -= f.packet.charged
	f.packet = nil
}
