package main

import (
	"math/rand"
	"slices"
)

// maxSegment is how many bytes a client sends in a segment.
const maxSegment = 1400

// A script is what a client sends. Tricks change it, each in its phase.
type script struct {
	r            *rand.Rand
	v6           bool
	stamps       bool // with timestamps
	noFinalACK   bool
	givesUp      bool // sends nothing again
	swapped      bool // the decoy is the hello with the flag
	view         view
	stream       []byte // what the client means to say
	decoy        []byte // another stream of the same length
	urgent       []int  // offsets of bytes of urgent data
	syn          packet
	packets      []packet
	message      func(msg []byte) []byte // changes the hello
	records      func(msg []byte) []byte // puts it into records
	keepsSegment bool                    // the stream is sent in one segment
}

// fill makes the streams, from the message of a hello with the flag.
func (s *script) fill(msg []byte) {
	other := withoutFlag(msg)
	if s.swapped {
		msg, other = other, msg
	}
	if s.message != nil {
		msg, other = s.message(slices.Clone(msg)), s.message(slices.Clone(other))
	}
	if s.records == nil {
		s.records = func(msg []byte) []byte { return record(22, 0x301, msg) }
	}
	s.stream, s.decoy = s.records(msg), s.records(other)
}

// record returns a TLS record (RFC 9846, Section 5.1).
func record(kind byte, version uint16, data []byte) []byte {
	return append([]byte{kind, byte(version >> 8), byte(version), byte(len(data) >> 8), byte(len(data))}, data...)
}

// segment returns a packet with the stream from one offset to another.
func (s *script) segment(from, to int) packet { return s.part(s.stream, from, to) }

// fake returns the same with the bytes of the decoy.
func (s *script) fake(from, to int) packet { return s.part(s.decoy, from, to) }

// part marks the last byte of urgent data that is in a segment. Linux takes the urgent
// pointer as that of the byte after it (RFC 9293, Section 3.8.5).
func (s *script) part(stream []byte, from, to int) packet {
	p := packet{off: from, data: stream[from:to:to]}
	for _, at := range s.urgent {
		if at >= from && at < to {
			p.flags |= urg
			p.urgent = uint16(at - from + 1)
		}
	}
	return p
}

// cut makes the segments of the stream. Those after a byte of urgent data are others.
func (s *script) cut() {
	ends := []int{len(s.stream)}
	for at := maxSegment; at < len(s.stream); at += maxSegment {
		ends = append(ends, at)
	}
	for range s.r.Intn(4) {
		if !s.keepsSegment {
			ends = append(ends, 1+s.r.Intn(len(s.stream)))
		}
	}
	for _, at := range s.urgent {
		ends = append(ends, at+1)
	}
	slices.Sort(ends)
	from := 0
	for _, to := range slices.Compact(ends) {
		s.packets = append(s.packets, s.segment(from, to))
		from = to
	}
}

// difference returns where the two streams differ: from the first such byte to the last.
func (s *script) difference() (from, to int) {
	for s.stream[from] == s.decoy[from] {
		from++
	}
	to = len(s.stream)
	for s.stream[to-1] == s.decoy[to-1] {
		to--
	}
	return from, to
}

// target returns the index of a packet in which the streams differ, or of the first.
func (s *script) target() int {
	var found []int
	for i, p := range s.packets {
		end := p.off + len(p.data)
		if p.do == nil && p.off >= 0 && end <= len(s.stream) && len(p.data) > 0 && !slices.Equal(s.stream[p.off:end], s.decoy[p.off:end]) {
			found = append(found, i)
		}
	}
	if found == nil {
		return 0
	}
	return found[s.r.Intn(len(found))]
}

// insert puts packets before the one at an index.
func (s *script) insert(i int, packets ...packet) {
	s.packets = slices.Insert(s.packets, i, packets...)
}

// mislead inserts a packet with bytes of the decoy before one with the same bytes of the
// stream, changed by odd.
func (s *script) mislead(odd func(*packet)) {
	i := s.target()
	from, to := s.packets[i].off, s.packets[i].off+len(s.packets[i].data)
	if from < 0 || to > len(s.decoy) || from == to {
		from, to = 0, min(len(s.decoy), maxSegment)
	}
	d := s.fake(from, to)
	odd(&d)
	s.insert(i, d)
}

// span returns a range around bytes in which the streams differ, up to margin bytes longer
// at both ends.
func (s *script) span(margin int) (from, to int) {
	from, to = s.difference()
	if s.r.Intn(3) > 0 { // the first difference is the flag's extension
		to = from + min(16, to-from)
	}
	from -= s.r.Intn(margin + 1)
	to += s.r.Intn(margin + 1)
	return max(from, 1), min(to, len(s.stream)-1)
}
