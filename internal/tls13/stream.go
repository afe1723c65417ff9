package tls13

import "slices"

// Stream puts the segments of one direction of a TCP connection in order.
type Stream struct {
	started bool
	next    uint32 // sequence number of the next byte
	held    int    // bytes in ahead
	ahead   []heldSegment
}

type heldSegment struct {
	seq  uint32
	data []byte
}

// The limits on what is held of a stream because it is not in order yet.
const (
	maxHeld         = 256 << 10 // bytes
	maxHeldSegments = 1 << 10
)

// Held returns how many bytes the stream holds.
func (s *Stream) Held() int { return s.held }

// Begin says that the stream begins at seq, behind a SYN.
func (s *Stream) Begin(seq uint32) {
	if !s.started {
		s.started, s.next = true, seq
	}
}

// Add takes a segment that begins at seq, and gives what is in order to deliver, which
// must not keep it. Without a Begin the first segment is where the stream begins. What is
// sent again is passed over, and what is too far ahead to be held is lost.
func (s *Stream) Add(seq uint32, data []byte, deliver func([]byte)) {
	s.Begin(seq)
	ahead := int(int32(seq - s.next))
	switch {
	case ahead > 0:
		if s.held+len(data) <= maxHeld && len(s.ahead) < maxHeldSegments {
			s.held += len(data)
			s.ahead = append(s.ahead, heldSegment{seq, slices.Clone(data)})
		}
		return
	case -ahead >= len(data):
		return
	}
	data = data[-ahead:]
	s.next += uint32(len(data))
	deliver(data)
	s.drain(deliver)
}

// drain delivers held segments that have come in order.
func (s *Stream) drain(deliver func([]byte)) {
	for i := 0; i < len(s.ahead); i++ {
		h := s.ahead[i]
		behind := int(int32(s.next - h.seq))
		if behind < 0 {
			continue
		}
		s.ahead = slices.Delete(s.ahead, i, i+1)
		s.held -= len(h.data)
		if behind < len(h.data) {
			s.next += uint32(len(h.data) - behind)
			deliver(h.data[behind:])
		}
		i = -1 // another one may follow
	}
}
