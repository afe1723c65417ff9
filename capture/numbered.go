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
	fragmentIP fragmentKind = iota
	fragmentCAPWAP
	fragmentWiFi // this and the following ones have a number in place of an offset
	fragmentPPP
	fragmentBatman
)

const (
	// fragmentTimeWiFi and fragmentTimeBatman are how long Linux waits for the fragments of a frame
	// (net/mac80211/rx.c, net/batman-adv/main.h).
	fragmentTimeWiFi   = 2 * time.Second
	fragmentTimeBatman = 10 * time.Second

	pieceCost = 96 // of a piece, without what it holds
)

// piece is a fragment with a number.
type piece struct {
	number      uint32
	first, last bool
	data        []byte
	frames      []int
	came        time.Time
	arrived     uint32 // how many pieces came before it
}

// cost returns what a piece takes of the memory.
func (p *piece) cost() int { return pieceCost + len(p.data) + frameCost*len(p.frames) }

// joinFragment keeps a fragment, as reassemble does.
func (s *Scanner) joinFragment(fr *fragment) (payload []byte, whole bool) {
	switch fr.kind {
	case fragmentIP, fragmentCAPWAP:
		return s.reassemble(fr)
	case fragmentPPP:
		return s.joinMultilink(fr)
	}
	return s.joinNumbered(fr)
}

// joinNumbered is reassemble for fragments with numbers. If two contradict each other, both are
// dropped and, except in multilink PPP, so is all of their packet.
func (s *Scanner) joinNumbered(fr *fragment) (payload []byte, whole bool) {
	if fr.cut || fr.flawed || len(fr.payload) == 0 {
		return nil, false
	}
	f := s.piecesOf(fr)
	if f == nil {
		return nil, false
	}
	p, multilink := f.packet, fr.kind == fragmentPPP
	if multilink {
		s.trimPieces(p, len(fr.payload))
		fr.number = p.extend(fr)
	}
	at, found := p.find(fr.number)
	switch {
	case found && p.pieces[at].equal(fr):
		return nil, false
	case found && multilink:
		s.stats.Broken++
		s.dropPieces(p, at, at+1)
		return nil, false
	case found || !multilink && p.contradicts(fr):
		return nil, s.dropFragments(f)
	}
	x := piece{fr.number, fr.first, fr.last, bytes.Clone(fr.payload), slices.Clone(s.frames), s.time, p.arrived}
	if !s.flows.charge(f, &p.charged, x.cost()) {
		return nil, false
	}
	p.pieces = slices.Insert(p.pieces, at, x)
	p.got += len(fr.payload)
	p.arrived++
	s.flows.settle(f)
	begin, end, whole := p.run(at)
	if !whole {
		return nil, false
	}
	payload = s.takePieces(p.pieces[begin:end])
	if multilink && end-begin < len(p.pieces) {
		s.dropPieces(p, begin, end)
	} else {
		s.flows.remove(f)
	}
	return payload, true
}

// piecesOf returns what has arrived of the packet of a fragment, or nil if there is no memory
// for it.
func (s *Scanner) piecesOf(fr *fragment) *flow {
	key := flowKey{kind: keyKind(s.locate() << kindPlace), id: fr.name()}
	key.lo.ip, key.hi.ip = fr.from, fr.to
	f, wait := s.flows.flows.get(key), fragmentTimeWiFi
	if fr.kind == fragmentBatman {
		wait = fragmentTimeBatman
	}
	if f != nil && fr.kind != fragmentPPP && s.time.Sub(f.packet.began) > wait {
		s.flows.remove(f)
		f = nil
	}
	if f != nil {
		return f
	}
	f = s.flows.create(key, s.decoder.path.ips)
	f.packet = &ipPacket{length: fr.total, began: s.time, extended: 1 << 31} //mutation:equivalent any number in the middle would do
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
// the last one, or before it as the last one, or the packet has another length, or is too long.
func (p *ipPacket) contradicts(fr *fragment) bool {
	if n := p.got + len(fr.payload); fr.total != p.length || n > maxIPPacket || fr.kind == fragmentBatman && n > fr.total {
		return true
	}
	n := len(p.pieces)
	return n > 0 && (p.pieces[n-1].last && fr.number > p.pieces[n-1].number || fr.last && fr.number < p.pieces[n-1].number)
}

// run returns the pieces around one that follow each other in a packet, and whether they are all of it.
func (p *ipPacket) run(at int) (begin, end int, whole bool) {
	for begin = at; begin > 0 && p.pieces[begin-1].precedes(&p.pieces[begin]); {
		begin--
	}
	for end = at + 1; end < len(p.pieces) && p.pieces[end-1].precedes(&p.pieces[end]); {
		end++
	}
	return begin, end, p.pieces[end-1].last && (p.pieces[begin].first || p.got == p.length && end-begin == len(p.pieces))
}

// precedes reports whether next may follow a piece in the same packet.
func (p *piece) precedes(next *piece) bool {
	return p.number+1 == next.number && !p.last && !next.first
}

// takePieces is whole for pieces.
func (s *Scanner) takePieces(pieces []piece) []byte {
	s.packet, s.frames = s.packet[:0], s.frames[:0]
	for _, x := range pieces {
		s.packet, s.frames = append(s.packet, x.data...), append(s.frames, x.frames...)
	}
	return s.packet
}
