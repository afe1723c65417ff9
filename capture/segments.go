package capture

import (
	"iter"
	"net/netip"
)

// Segment is one TCP segment of a capture.
type Segment struct {
	Src, Dst      netip.AddrPort
	Seq           uint32 // of the first byte of Payload, or of the SYN
	SYN, FIN, RST bool
	Payload       []byte // holds until the next segment
}

// Segments reads the capture to its end and returns the TCP segments, in whatever they
// are encapsulated, in the order in which they were captured: for programs that follow
// connections further than to the hello. It takes the place of [Reader.Hellos].
func (r *Reader) Segments() iter.Seq[Segment] {
	return func(yield func(Segment) bool) {
		for r.err == nil {
			p, err := r.source.next()
			if err != nil {
				r.err = err
				return
			}
			if r.scanner.decode(p) != isSegment || r.scanner.decoder.seg.udp {
				continue
			}
			seg := &r.scanner.decoder.seg
			if !yield(Segment{
				Src:     addrPort(seg.src, seg.ipv6),
				Dst:     addrPort(seg.dst, seg.ipv6),
				Seq:     seg.seq,
				SYN:     seg.flags&tcpSYN != 0,
				FIN:     seg.flags&tcpFIN != 0,
				RST:     seg.flags&tcpRST != 0,
				Payload: seg.payload,
			}) {
				return
			}
		}
	}
}
