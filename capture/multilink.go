package capture

import (
	"encoding/binary"
	"slices"
	"time"
)

const (
	// maxPieces is how many fragments of multilink PPP are kept of a bundle whose packets are not
	// whole, and multilinkTime for how long: a link that is slower than others by more is of no use
	// in a bundle.
	maxPieces     = 64
	multilinkTime = 2 * time.Second
)

// multilinkForms are the two forms of the header (RFC 1990, Section 3): bits for the beginning and
// the end, bits that are 0, and a sequence number.
var multilinkForms = [...]struct {
	header int    // its length
	zeros  byte   // bits of the first byte that are 0
	mask   uint32 // of the sequence number
}{
	{4, 0x3f, 1<<24 - 1},
	{2, 0x30, 1<<12 - 1},
}

// multilinkPart reads a fragment of PPP. The ends have agreed on the form of the header: it is one after
// which a packet begins that can be read, and any in the middle of a packet. What is kept in the wrong
// form begins with no packet.
func (d *decoder) multilinkPart(b []byte) verdict {
	const begins, ends = 0x80, 0x40
	if len(b) < multilinkForms[0].header {
		return d.short()
	}
	forms := uint8(0)
	for i, form := range multilinkForms {
		if b[0]&form.zeros == 0 && (b[0]&begins == 0 || beginsPPP(b[form.header:])) {
			if b[0]&(begins|ends) == begins|ends {
				return d.ppp(b[form.header:])
			}
			forms |= 1 << i
		}
	}
	if forms == 0 {
		return isOther
	}
	d.fragment = fragment{
		kind:     fragmentPPP,
		protocol: forms,
		id:       d.session,
		first:    b[0]&begins != 0,
		last:     b[0]&ends != 0,
		payload:  b,
		cut:      d.cut || d.partial && d.path.ips > 0,
		flawed:   d.seg.flawed,
	}
	switch {
	case d.path.ips > 0:
		d.fragment.from, d.fragment.to = d.seg.src.ip, d.seg.dst.ip
	case len(d.frame) >= 12:
		copy(d.fragment.to[:], d.frame[:6])
		copy(d.fragment.from[:], d.frame[6:12])
	}
	return isFragment
}

// beginsPPP reports whether b begins with a protocol that is read, and IP with its version.
func beginsPPP(b []byte) bool {
	b, protocol := pppProtocol(b)
	switch protocol {
	case pppIPv4:
		return len(b) > 0 && b[0]>>4 == 4
	case pppIPv6:
		return len(b) > 0 && b[0]>>4 == 6
	case pppMPLS, pppMPLSMulticast, pppEAP:
		return true
	}
	return false
}

// joinMultilink is reassemble for multilink PPP.
func (s *Scanner) joinMultilink(fr *fragment) (payload []byte, whole bool) {
	for i, form := range multilinkForms {
		if fr.protocol>>i&1 == 0 {
			continue
		}
		part := *fr
		part.protocol = uint8(i)
		part.number = binary.BigEndian.Uint32(fr.payload) >> (8 * (4 - form.header)) & form.mask
		part.payload = fr.payload[form.header:]
		if payload, whole = s.joinNumbered(&part); whole {
			return payload, true
		}
	}
	return nil, false
}

// extend returns the number of a fragment in a count that does not start over at 0.
func (p *ipPacket) extend(fr *fragment) uint32 {
	mask := multilinkForms[fr.protocol].mask
	ahead := (fr.number - p.number) & mask
	if ahead > mask/2 {
		ahead -= mask + 1
	}
	p.number, p.extended = fr.number, p.extended+ahead
	return p.extended
}

// trimPieces forgets the oldest fragments of a bundle, so that there is room for n bytes.
func (s *Scanner) trimPieces(p *ipPacket, n int) {
	for len(p.pieces) > 0 {
		oldest := 0
		for i := range p.pieces {
			if int32(p.pieces[i].arrived-p.pieces[oldest].arrived) < 0 {
				oldest = i
			}
		}
		if len(p.pieces) < maxPieces && p.got+n <= maxIPPacket && s.time.Sub(p.pieces[oldest].came) <= multilinkTime {
			return
		}
		s.dropPieces(p, oldest, oldest+1)
	}
}

// dropPieces forgets fragments of a bundle.
func (s *Scanner) dropPieces(p *ipPacket, begin, end int) {
	for i := range p.pieces[begin:end] {
		x := &p.pieces[begin+i]
		p.got -= len(x.data)
		s.flows.refund(&p.charged, x.cost())
	}
	p.pieces = slices.Delete(p.pieces, begin, end)
}
