package capture

import (
	"bytes"
	"cmp"
	"slices"
	"time"
)

// fragmentKind says what a fragment is a part of.
type fragmentKind uint8

const (
	fragmentIP     fragmentKind = iota
	fragmentCAPWAP              //
	fragmentWiFi                // the following ones have a number, and not an offset
)

const (
	// fragmentTimeWiFi is how long Linux waits for the fragments of a frame of 802.11
	// (net/mac80211/rx.c).
	fragmentTimeWiFi = 2 * time.Second

	pieceCost = 96 // of a piece, without what it holds
)

// piece is a fragment with a number.
type piece struct {
	number      uint32
	first, last bool
	data        []byte
	frames      []int
}

// joinNumbered is reassemble for fragments with numbers. One that contradicts another makes both
// of no use.
func (s *Scanner) joinNumbered(fr *fragment) (payload []byte, whole bool) {
	if fr.cut || fr.flawed || len(fr.payload) == 0 {
		return nil, false
	}
	f := s.piecesOf(fr)
	if f == nil {
		return nil, false
	}
	p := f.packet
	at, found := p.find(fr.number)
	switch {
	case found && p.pieces[at].equal(fr):
		return nil, false
	case found || p.contradicts(fr):
		return nil, s.dropFragments(f)
	}
	if !s.flows.charge(f, &p.charged, pieceCost+len(fr.payload)+frameCost*len(s.frames)) {
		return nil, false
	}
	p.pieces = slices.Insert(p.pieces, at, piece{fr.number, fr.first, fr.last, bytes.Clone(fr.payload), slices.Clone(s.frames)})
	p.got += len(fr.payload)
	s.flows.settle(f)
	if begin, end, whole := p.run(at); whole {
		payload = s.takePieces(p.pieces[begin:end])
		s.flows.remove(f)
		return payload, true
	}
	return nil, false
}

// piecesOf returns what has arrived of the packet of a fragment, or nil if there is no memory
// for it.
func (s *Scanner) piecesOf(fr *fragment) *flow {
	key := flowKey{kind: keyKind(s.locate() << kindPlace), id: fr.name()}
	copy(key.lo.ip[:], fr.from[:])
	copy(key.hi.ip[:], fr.to[:])
	f := s.flows.flows.get(key)
	if f != nil && s.time.Sub(f.packet.began) > fragmentTimeWiFi {
		s.flows.remove(f)
		f = nil
	}
	if f != nil {
		return f
	}
	f = s.flows.create(key, s.decoder.path.ips)
	f.packet = &ipPacket{length: -1, began: s.time}
	if !s.flows.charge(f, &f.packet.charged, ipPacketCost) {
		return nil
	}
	return f
}

// name returns the id of the flow for a fragment, which is not 0, as it is in TCP.
func (fr *fragment) name() uint64 {
	return 1<<63 | uint64(fr.kind)<<60 | uint64(fr.id)<<8 | uint64(fr.protocol)
}

func (p *piece) equal(fr *fragment) bool {
	return p.first == fr.first && p.last == fr.last && bytes.Equal(p.data, fr.payload)
}

// find returns the place of a number in the pieces, which are in order.
func (p *ipPacket) find(number uint32) (at int, found bool) {
	return slices.BinarySearchFunc(p.pieces, number, func(x piece, n uint32) int { return cmp.Compare(x.number, n) })
}

// contradicts reports whether a fragment cannot be of the same packet as others: it comes after
// the last one, or before it as the last one, or the packet is too long.
func (p *ipPacket) contradicts(fr *fragment) bool {
	if p.got+len(fr.payload) > maxIPPacket {
		return true
	}
	n := len(p.pieces)
	return n > 0 && (p.pieces[n-1].last && fr.number > p.pieces[n-1].number || fr.last && fr.number < p.pieces[n-1].number)
}

// run returns the pieces around one that follow each other, and whether they are a packet.
func (p *ipPacket) run(at int) (begin, end int, whole bool) {
	for begin = at; begin > 0 && p.pieces[begin-1].number+1 == p.pieces[begin].number; {
		begin--
	}
	for end = at + 1; end < len(p.pieces) && p.pieces[end-1].number+1 == p.pieces[end].number; {
		end++
	}
	return begin, end, p.pieces[begin].first && p.pieces[end-1].last
}

// takePieces is whole for pieces.
func (s *Scanner) takePieces(pieces []piece) []byte {
	s.packet, s.frames = s.packet[:0], s.frames[:0]
	for _, x := range pieces {
		s.packet, s.frames = append(s.packet, x.data...), append(s.frames, x.frames...)
	}
	return s.packet
}
