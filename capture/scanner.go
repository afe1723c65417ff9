package capture

import (
	"time"

	"github.com/gopacket/gopacket/layers"
)

// Packet is one captured packet.
type Packet struct {
	Data   []byte // what was captured, from the link layer on
	Length int    // length on the wire; 0 means len(Data)
	Link   layers.LinkType
	Time   time.Time
}

// Scanner finds ClientHellos in a sequence of packets. It is for programs that
// have their own source of packets; [Open] reads captures. The zero Scanner has the
// default limits.
type Scanner struct {
	decoder decoder
	flows   table
	stats   Stats
	hello   Hello // handed to the caller

	// The packet at hand.
	time  time.Time
	yield func(*Hello) bool
	stop  bool
}

// NewScanner returns a Scanner with the given limits.
func NewScanner(o Options) *Scanner {
	s := new(Scanner)
	s.flows.limits = o
	return s
}

// Stats returns the counts so far.
func (s *Scanner) Stats() Stats {
	stats := s.stats
	stats.Evicted = s.flows.evicted
	for f := s.flows.holding.oldest; f != nil; f = f.newer {
		for i := range f.halves {
			if f.halves[i].begun() {
				stats.Incomplete++
			}
		}
	}
	return stats
}

// Scan takes the next packet and gives each hello that it completes to yield. It
// keeps no reference to the packet. It returns false when yield did.
func (s *Scanner) Scan(p Packet, yield func(*Hello) bool) bool {
	s.stats.Packets++
	s.stats.Bytes += len(p.Data)
	s.time, s.yield, s.stop = p.Time, yield, false
	length := max(p.Length, len(p.Data))
	if length > len(p.Data) {
		s.stats.Cut++
	}
	switch s.decoder.decode(p.Link, p.Data, length) {
	case isSegment:
		if s.decoder.seg.udp {
			s.datagram(&s.decoder.seg)
		} else {
			s.segment(&s.decoder.seg)
		}
	case isOther:
		s.stats.Other++
	case isFragment:
		s.stats.Fragments++
	case isBroken:
		s.stats.Broken++
	case isTooDeep:
		s.stats.TooDeep++
	case isUnknownLink:
		s.stats.UnknownLink++
	}
	return !s.stop
}

// emit hands out s.hello, which the caller has filled in.
func (s *Scanner) emit() {
	if s.hello.Code != 0 {
		s.stats.Refused++
	} else {
		s.stats.Hellos++
	}
	if !s.stop {
		s.stop = !s.yield(&s.hello)
	}
}
