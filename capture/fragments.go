package capture

import (
	"cmp"
	"slices"
)

// maxIPPacket is how long an IP packet can be.
const maxIPPacket = 1<<16 - 1

// fragment is a piece of an IP packet, whose addresses are in the decoder's seg.
type fragment struct {
	id       uint32
	protocol uint8
	offset   int
	last     bool
	payload  []byte
	cut      bool // the end of the payload was not captured
	flawed   bool // a host drops it because of its IP header
	sum      sumState
}

// ipPacket is an IP packet of which fragments have arrived.
type ipPacket struct {
	pages   []heldPage // numbered from the start of the payload
	length  int        // of the payload; -1 while the last fragment has not come
	got     int        // bytes of the payload that have arrived
	end     int        // of the fragment that reaches furthest
	frames  []fragmentFrame
	charged int // bytes, of the table's memory
}

type fragmentFrame struct{ offset, frame int }

const (
	ipPacketCost      = 192
	fragmentFrameCost = 32
)

// reassemble keeps a fragment. If it completes its packet, reassemble returns the payload of
// that, which is valid until the next call.
func (s *Scanner) reassemble(fr *fragment) (payload []byte, whole bool) {
	seg := &s.decoder.seg
	if fr.offset+len(fr.payload) > maxIPPacket || fr.cut || len(fr.payload) == 0 {
		return nil, false
	}
	key := flowKey{
		lo: endpoint{ip: seg.src.ip}, hi: endpoint{ip: seg.dst.ip}, ipv6: seg.ipv6,
		id: 1<<63 | uint64(fr.id)<<8 | uint64(fr.protocol), // not 0, as it is in TCP
	}
	f := s.flows.flows[key]
	if f == nil {
		f = s.flows.create(key)
		f.packet = &ipPacket{length: -1}
		if !s.flows.charge(f, &f.packet.charged, ipPacketCost) {
			return nil, false
		}
	}
	p := f.packet
	fresh, ok := s.store(f, &p.pages, &p.charged, uint32(fr.offset), fr.payload)
	if !ok {
		return nil, false
	}
	if fresh > 0 { // else it is a retransmission
		if !s.flows.charge(f, &p.charged, fragmentFrameCost*len(s.frames)) {
			return nil, false
		}
		for _, frame := range s.frames {
			p.frames = append(p.frames, fragmentFrame{fr.offset, frame})
		}
	}
	p.got += fresh
	p.end = max(p.end, fr.offset+len(fr.payload))
	if fr.last {
		p.length = fr.offset + len(fr.payload)
	}
	if p.length >= 0 && p.end > p.length { //mutation:equivalent no fragment is empty, so length is not 0
		s.stats.Broken++
		s.flows.remove(f)
		return nil, false
	}
	s.flows.settle(f)
	if p.got != p.length {
		return nil, false
	}
	payload = s.whole(p)
	s.flows.remove(f)
	return payload, true
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
