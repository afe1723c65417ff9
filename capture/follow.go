package capture

import "net/netip"

// Follower takes what a TCP connection carries. See [Reader.Follow].
type Follower interface {
	// Data takes the next bytes that one end sent: in order, each once, and without gaps.
	// first reports whether this end also sent the first bytes of the connection. The
	// bytes are valid until Data returns.
	//
	// Data returns how many bytes the Follower holds after that, which count toward
	// Options.MaxMemory, and whether it wants more of the connection.
	Data(first bool, b []byte) (held int, more bool)
	// Lost says that the connection was evicted before its end, to save memory.
	Lost()
}

// Follow reads the capture to its end and reassembles the TCP connections in it, for
// programs that need more of them than their ClientHellos. It is used instead of
// [Reader.Hellos].
//
// Follow calls open when the first bytes of a connection arrive. They went from src to
// dst. The Follower that open returns gets these and all other bytes of the connection. If
// open returns nil, the connection is ignored. A stream whose SYN was not captured
// begins with the first segment that was captured. A stream ends before bytes that are
// missing in the capture.
//
// Bytes that the other end may not have taken are left out, until it acknowledges them.
//
// The limits are those of Options. Stats counts the connections that were lost as Evicted.
func (r *Reader) Follow(open func(src, dst netip.AddrPort) Follower) error {
	s := r.scanner
	s.flows.open = open
	if r.share != nil {
		r.share.set(shareAway) // Followers hear of evictions in this goroutine alone
		defer r.share.set(shareIdle)
	}
	defer r.use()()
	for r.err == nil {
		p, err := r.source.next()
		if err != nil && err != errIdle {
			r.err = err
			break
		}
		if s.time = p.Time; s.deadlines.due(s.time) {
			s.expire(false)
		}
		if err == nil && s.decode(p) == isSegment && !s.decoder.seg.udp {
			s.segment(&s.decoder.seg)
		}
	}
	return r.Err()
}

// followedCost is what a followed connection takes of the memory, without what its
// Follower holds.
const followedCost = 128

// followed is a connection that has a Follower.
type followed struct {
	Follower
	first   int     // direction of the first bytes
	ended   [2]bool // by direction: a FIN was seen
	held    int     // bytes, as the Follower said
	charged int     // bytes, of the table's memory
}

// end notes the end of one direction, or of both after a RST.
func (c *followed) end(direction int, rst bool) {
	c.ended[direction] = true
	if rst {
		c.ended[1-direction] = true
	}
}

// deliver gives the next bytes of a stream to the connection's Follower. It reports
// whether the stream goes on.
func (s *Scanner) deliver(f *flow, h *half, b []byte) bool {
	direction := int(h.direction)
	h.next += uint32(len(b))
	if f.followed == nil {
		src, dst := f.ends(direction)
		follower := s.flows.open(src, dst)
		if follower == nil {
			s.unfollow(f)
			return false
		}
		f.followed = &followed{Follower: follower, first: direction}
		if !s.flows.charge(f, &f.followed.charged, followedCost) {
			return false
		}
	}
	c := f.followed
	held, more := c.Data(direction == c.first, b)
	if !more {
		s.unfollow(f)
		return false
	}
	fresh := held - c.held
	c.held = held
	return s.flows.charge(f, &c.charged, fresh)
}

// unfollow gives up a connection of which nothing more is wanted.
func (s *Scanner) unfollow(f *flow) {
	s.flows.dropFollowed(f)
	for i := range f.halves {
		s.decide(&f.halves[i])
	}
}

// dropFollowed forgets the Follower of a flow.
func (t *table) dropFollowed(f *flow) {
	if f.followed != nil {
		t.memory -= f.followed.charged
		f.followed = nil
	}
}
