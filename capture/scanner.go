package capture

import (
	"hash/maphash"
	"math/bits"
	"time"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
)

// Packet is one captured packet.
type Packet struct {
	Data   []byte   // what was captured, from the link layer on
	Length int      // length on the wire; 0 means len(Data)
	Link   LinkType // such as LinkTypeEthernet
	Time   time.Time
}

// Scanner finds ClientHellos in a sequence of packets. It is for programs that
// have their own source of packets; use [Open] to read captures. The zero Scanner is ready
// to use, with the default limits.
type Scanner struct {
	decoder decoder
	flows   table
	stats   Stats
	hello   Hello  // for the caller
	scratch []byte // of assemble.QUIC
	peeked  [lookAhead]byte
	eap     []byte // a packet of which RADIUS brings the parts
	framed  *half  // the TCP stream whose frames are being read, or nil
	seed    maphash.Seed
	part    *Part // of ReadPart, or nil

	numbered bool // hellos have the numbers of their flows

	deadlines deadlines // of doubts
	opened    int       // doubts
	expired   deadline  // of the rows that are being yielded
	flushing  bool      // in Flush
	phase     int       // in which rows are yielded
	flushed   int       // number of the flow whose rows Flush yields

	// The packet that is being scanned.
	frames []int  // its number, or those of its fragments
	packet []byte // its payload, if it came in fragments
	time   time.Time
	yield  func(*Hello) bool
	stop   bool
}

// NewScanner returns a Scanner with the given limits.
func NewScanner(o Options) *Scanner {
	s := new(Scanner)
	s.flows.limits = o
	s.flows.limits.Workers = 0
	return s
}

// Stats returns the counts so far.
func (s *Scanner) Stats() Stats {
	stats := s.stats
	stats.Evicted = s.flows.evicted
	stats.Flows += s.flows.connections
	for f := s.flows.holding.oldest; f != nil; f = f.newer {
		if f.session != nil && f.session.begun() {
			stats.Incomplete++
		}
		for i := range f.halves {
			if h := &f.halves[i]; h.begun() && !h.stream.late {
				stats.Incomplete++
			}
		}
	}
	return stats
}

// Scan takes the next packet and calls yield with each hello that it completes. It
// keeps no reference to the packet. It returns false if yield did.
func (s *Scanner) Scan(p Packet, yield func(*Hello) bool) bool {
	s.time, s.yield, s.stop = p.Time, yield, false
	s.flows.number = s.stats.Packets + 1
	if s.deadlines.due(s.time) {
		s.expire(false)
	}
	s.take(s.decode(p))
	for s.decoder.more {
		s.frames = append(s.frames[:0], s.stats.Packets)
		s.take(s.join(s.decoder.next()))
	}
	s.emitOverdue()
	return !s.stop
}

// idle gives up what waits for an answer that has not come in time. It returns false if yield
// did.
func (s *Scanner) idle(now time.Time, yield func(*Hello) bool) bool {
	s.time, s.yield, s.stop = now, yield, false
	s.expire(false)
	s.emitOverdue()
	return !s.stop
}

// take follows the connection of the segment in the decoder, if there is one.
func (s *Scanner) take(v verdict) {
	if v != isSegment {
		return
	}
	if s.part != nil {
		s.part.see(s)
	}
	if s.decoder.seg.udp {
		s.datagram(&s.decoder.seg)
	} else {
		s.segment(&s.decoder.seg)
	}
}

// decode follows the headers of a packet, reassembles it if it is a fragment, and counts
// the result. A segment is then in the decoder.
func (s *Scanner) decode(p Packet) verdict {
	s.stats.Packets++
	s.stats.Bytes += len(p.Data)
	length := max(p.Length, len(p.Data))
	if length > len(p.Data) {
		s.stats.Truncated++
	}
	s.frames = append(s.frames[:0], s.stats.Packets)
	return s.join(s.decoder.decode(p.Link, p.Data, length))
}

// join reassembles the packet in the decoder if it is a fragment, and counts the result.
func (s *Scanner) join(v verdict) verdict {
	for v == isFragment {
		s.stats.Fragments++
		if s.decoder.more && s.decoder.joined { // what is left of the frame is where the packet would go
			break
		}
		payload, whole := s.joinFragment(&s.decoder.fragment)
		if !whole {
			break
		}
		v = s.decoder.payload(payload)
	}
	switch v {
	case isOther:
		s.stats.Other++
	case isUnknownEtherType:
		s.stats.Other++
		s.stats.UnknownEtherTypes.Add(s.decoder.unknown, 1)
	case isEncrypted:
		s.stats.Encrypted++
	case isBroken:
		s.stats.Broken++
	case isTooDeep:
		s.stats.TooDeep++
	case isUnknownLink:
		s.stats.UnknownLink++
		s.stats.UnknownLinks.Add(s.decoder.unknown, 1)
	}
	return v
}

// emit yields s.hello, which the caller has filled in.
func (s *Scanner) emit() {
	switch {
	case s.hello.Code != 0:
		s.stats.Refused++
	case s.hello.Found():
		s.stats.Hellos++
	}
	if s.hello.Ambiguous != 0 {
		s.stats.Ambiguous++
		for r := range s.hello.Ambiguous.All() {
			s.stats.Doubts[r]++
		}
	}
	if !s.stop {
		s.stop = !s.yield(&s.hello)
	}
}

// compareFlags sets FlagsChanged of a second hello. first is the hash of the TLS Flags
// extensions in the first hello of the connection. It returns the hash for the next call.
// err says that the hello was refused.
func (s *Scanner) compareFlags(first uint64, hello clienthello.ClientHello, err error) uint64 {
	if s.hello.Index == 1 {
		first = 0
	}
	if err != nil {
		return first
	}
	hash := s.hashFlags(hello)
	s.hello.FlagsChanged = s.hello.Index == 2 && hash != first
	return hash
}

// hashFlags returns a hash of the TLS Flags extensions of a hello, or 0 if there are none.
// The extensions themselves are not kept, since they can take all of a hello.
func (s *Scanner) hashFlags(hello clienthello.ClientHello) uint64 {
	var hash uint64
	if _, ok := hello.Extensions().FlagsExtension(); !ok {
		return 0
	}
	for _, t := range []extension.Type{extension.TLSFlags, extension.TLSFlagsExperimental} {
		if e, ok := hello.Extensions().Lookup(t); ok {
			hash = bits.RotateLeft64(hash, 1) ^ s.hash(e.Data) ^ uint64(t)
		}
	}
	return hash
}
