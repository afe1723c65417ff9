package capture

import (
	"hash/maphash"
	"iter"
	"math/bits"
)

// FlowPart is a TCP segment or a UDP datagram that was found in a packet.
type FlowPart struct {
	// Flow numbers the connection. It is the same in both directions, and that of
	// Hello.Flow of the same Reader.
	Flow uint64
	// Frames are the packets that carried it, counted as in Hello.Frames: several if it came
	// in IP fragments.
	Frames []int
	SYN    bool // it asks for a TCP connection: SYN without ACK
}

// Packets reads the capture to its end and returns its packets, all of them, whatever
// Options.Filter says. It is used instead of [Reader.Hellos]. The data of a packet are valid
// until the next one.
func (r *Reader) Packets() iter.Seq[Packet] {
	return func(yield func(Packet) bool) {
		defer r.use()()
		for r.err == nil {
			p, err := r.source.next()
			if err == errIdle {
				continue
			}
			if err != nil {
				r.err = err
				return
			}
			if !yield(p) {
				return
			}
		}
	}
}

// Tap sets a function that [Reader.Hellos] calls with each packet, before it returns the
// hellos that the packet completes. It is for programs that keep the packets around a hello,
// and about doubles the time to read a packet.
//
// frame is the number of the packet, as in Hello.Frames. parts are the segments and datagrams
// that it completes; most packets have one. They and the data of the packet are valid until see
// returns. Packets that Options.Filter leaves out are not seen.
func (r *Reader) Tap(see func(frame int, p Packet, parts []FlowPart)) {
	decoder := NewScanner(r.scanner.flows.limits)
	decoder.seed = r.scanner.hashSeed()
	r.tap, r.scanner.numbered = &tap{see: see, scanner: decoder}, true
}

// tap is what Tap sets.
type tap struct {
	see     func(int, Packet, []FlowPart)
	scanner *Scanner // reassembles fragments, and no more
	parts   []FlowPart
	frames  []int // of the parts
	place   []byte
}

func (t *tap) packet(p Packet) {
	t.parts, t.frames = t.parts[:0], t.frames[:0]
	s := t.scanner
	s.time = p.Time
	t.add(s.decode(p))
	for s.decoder.more {
		s.frames = append(s.frames[:0], s.stats.Packets)
		t.add(s.join(s.decoder.next()))
	}
	t.see(s.stats.Packets, p, t.parts)
}

// add adds the segment in the decoder, if there is one.
func (t *tap) add(v verdict) {
	if v != isSegment {
		return
	}
	s, seg := t.scanner, &t.scanner.decoder.seg
	key, _ := tcpKey(seg, 0)
	t.place = t.place[:0]
	if !s.flows.limits.MergePaths {
		t.place = s.decoder.path.appendPlace(t.place)
	}
	begin := len(t.frames)
	t.frames = append(t.frames, s.frames...)
	t.parts = append(t.parts, FlowPart{
		Flow:   s.number(&key, t.place),
		Frames: t.frames[begin:len(t.frames):len(t.frames)],
		SYN:    !seg.udp && seg.flags&(tcpSYN|tcpACK) == tcpSYN,
	})
}

// number returns the number of a flow for callers. It is not 0.
func (s *Scanner) number(key *flowKey, place []byte) uint64 {
	lo, hi := &key.lo, &key.hi
	if lo.compare(hi) > 0 {
		lo, hi = hi, lo
	}
	var b [2*(16+2) + 1]byte
	at := copy(b[:], lo.ip[:])
	at += copy(b[at:], hi.ip[:])
	at += copy(b[at:], []byte{byte(lo.port >> 8), byte(lo.port), byte(hi.port >> 8), byte(hi.port)})
	b[at] = byte(key.kind & (kindIPv6 | kindUDP))
	n := maphash.Bytes(s.hashSeed(), b[:])
	if len(place) > 0 {
		n = bits.RotateLeft64(n, 1) ^ maphash.Bytes(s.hashSeed(), place)
	}
	return max(n, 1)
}

// numberOf returns the number of a flow of the scanner, or 0 if nobody wants it.
func (s *Scanner) numberOf(f *flow) uint64 {
	switch {
	case !s.numbered:
		return 0
	case f.place == nil:
		return s.number(&f.key, nil)
	}
	return s.number(&f.key, []byte(f.place.key))
}
