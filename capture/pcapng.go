package capture

import (
	"iter"
	"math"
	"math/bits"
	"time"
)

// Block types, as in draft-ietf-opsawg-pcapng, Section 10.1.
const (
	blockInterface      = 1
	blockPacket         = 2 // obsolete
	blockSimplePacket   = 3
	blockStatistics     = 5
	blockEnhancedPacket = 6
	blockSecrets        = 10
	blockSection        = 0x0a0d0d0a

	byteOrderMagic = 0x1a2b3c4d

	blockHeaderLen  = 8 // type, length
	blockTrailerLen = 4 // length again
	minBlock        = blockHeaderLen + blockTrailerLen
)

const (
	// maxBuffered is the length of the longest block that is read as a whole: a packet with
	// 64 kB of options. Of others the beginning is read.
	maxBuffered = maxPacket + 64<<10
	// maxBlock is the length of the longest block. More is taken for damage, as by libpcap
	// and Wireshark.
	maxBlock = 16 << 20
	// maxInterfaces limits the interfaces of a section, which are kept.
	maxInterfaces = 1 << 14
)

// pcapngSource reads a pcapng file: draft-ietf-opsawg-pcapng.
type pcapngSource struct {
	blocks
	interfaces []iface // of the section
	dropped    int     // packets, of all sections
}

// iface is what an interface description says.
type iface struct {
	link    LinkType
	snaplen uint32 // 0: no limit
	clock   clock
	dropped int // packets, as its latest statistics say
}

func openPcapng(in *buffer) (fileSource, error) {
	s := &pcapngSource{blocks: blocks{in: in}}
	if err := s.open(); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *pcapngSource) buffered() *buffer { return s.in }

func (s *pcapngSource) next() (Packet, error) {
	for {
		b, err := s.block()
		if err != nil {
			return Packet{}, err
		}
		switch b.typ {
		case blockSection:
			s.interfaces = s.interfaces[:0]
		case blockInterface:
			s.describe(b)
		case blockStatistics:
			s.statistics(b)
		case blockEnhancedPacket:
			// uint32 interface; uint64 timestamp; uint32 captured_length; uint32 original_length;
			if len(b.body) >= 20 {
				return s.packet(b, s.uint32(b.body)), nil
			}
			s.note(b.at, int64(b.length))
		case blockPacket:
			// uint16 interface; uint16 drops; the rest is the same
			if len(b.body) >= 20 {
				return s.packet(b, uint32(s.uint16(b.body))), nil
			}
			s.note(b.at, int64(b.length))
		case blockSimplePacket:
			if len(b.body) >= 4 {
				return s.simple(b), nil
			}
			s.note(b.at, int64(b.length))
		}
	}
}

// describe takes an interface description:
//
//	uint16 linktype; uint16 reserved; uint32 snaplen; options
func (s *pcapngSource) describe(b block) {
	if len(b.body) < 8 || len(s.interfaces) == maxInterfaces {
		s.note(b.at, int64(b.length))
		return
	}
	i := iface{link: LinkType(s.uint16(b.body)), snaplen: s.uint32(b.body[4:]), clock: microseconds}
	const resolution, offset = 9, 14
	for code, value := range s.options(b.body[8:]) {
		switch {
		case code == resolution && len(value) >= 1:
			i.clock.resolution(value[0])
		case code == offset && len(value) >= 8:
			i.clock.offset = int64(s.uint64(value))
		}
	}
	s.interfaces = append(s.interfaces, i)
}

// options returns the options of a block, which end with the code 0 or with the block.
func (s *pcapngSource) options(o []byte) iter.Seq2[uint16, []byte] {
	return func(yield func(uint16, []byte) bool) {
		for len(o) >= 4 {
			code, n := s.uint16(o), int(s.uint16(o[2:]))
			if o = o[4:]; code == 0 || n > len(o) || !yield(code, o[:n]) {
				return
			}
			o = o[min((n+3)&^3, len(o)):]
		}
	}
}

// statistics takes the latest counts of an interface:
//
//	uint32 interface; uint64 timestamp; options
func (s *pcapngSource) statistics(b block) {
	//mutation:equivalent bodies are multiples of 4 bytes
	if len(b.body) < 12 || s.uint32(b.body) >= uint32(len(s.interfaces)) {
		return
	}
	const byInterface, bySystem = 5, 7
	i, dropped := &s.interfaces[s.uint32(b.body)], uint64(0)
	for code, value := range s.options(b.body[12:]) {
		if (code == byInterface || code == bySystem) && len(value) >= 8 {
			dropped += s.uint64(value)
		}
	}
	dropped = min(dropped, math.MaxInt32)
	s.dropped += int(dropped) - i.dropped
	i.dropped = int(dropped)
}

func (s *pcapngSource) count(stats *Stats) {
	s.blocks.count(stats)
	stats.Dropped += s.dropped
}

// packet returns a packet of an interface.
func (s *pcapngSource) packet(b block, id uint32) Packet {
	if id >= uint32(len(s.interfaces)) {
		s.note(b.at, int64(b.length))
		return Packet{Length: 1} // so that the frames after it keep their numbers
	}
	i := &s.interfaces[id]
	captured, original := s.uint32(b.body[12:]), s.uint32(b.body[16:])
	ticks := uint64(s.uint32(b.body[4:]))<<32 | uint64(s.uint32(b.body[8:]))
	p := Packet{Length: wireLength(original), Link: i.link, Time: i.clock.time(ticks)}
	p.Data = s.data(b, 20, captured)
	return p
}

// simple returns a packet that has no time, of the first interface.
func (s *pcapngSource) simple(b block) Packet {
	if len(s.interfaces) == 0 {
		s.note(b.at, int64(b.length))
		return Packet{Length: 1}
	}
	i, original := &s.interfaces[0], s.uint32(b.body)
	captured := min(original, uint32(b.length-minBlock-4)) // if there is another limit than snaplen
	if i.snaplen > 0 {
		captured = min(captured, i.snaplen)
	}
	p := Packet{Length: wireLength(original), Link: i.link}
	p.Data = s.data(b, 4, captured)
	return p
}

// data returns the data of a packet, which begin at an offset of a block: none if they are
// too long, or longer than the block.
func (s *pcapngSource) data(b block, at int, captured uint32) []byte {
	body := b.body[at:]
	switch {
	case captured > uint32(b.length-minBlock-at):
		s.note(b.at, int64(b.length))
	case captured <= maxPacket && int(captured) <= len(body):
		return body[:captured:captured]
	}
	return nil
}

// A clock makes times of timestamps.
type clock struct {
	perSecond uint64 // ticks; 0: more than 2^64
	exponent  uint   // of 10 or 2, if perSecond is 0
	binary    bool
	offset    int64 // seconds
}

var microseconds = clock{perSecond: 1e6}

// resolution takes the option if_tsresol: a negative power of 10, or of 2 if the highest
// bit is set.
func (c *clock) resolution(v byte) {
	c.exponent, c.binary, c.perSecond = uint(v&0x7f), v&0x80 != 0, 1
	switch {
	case c.binary && c.exponent < 64:
		c.perSecond <<= c.exponent
	case !c.binary && c.exponent < 20:
		for range c.exponent {
			c.perSecond *= 10
		}
	default:
		c.perSecond = 0
	}
}

// time returns the time of a timestamp, cut to the nanosecond.
func (c *clock) time(ticks uint64) time.Time {
	switch c.perSecond {
	case 1e6: // a division by a constant is faster
		return time.Unix(int64(ticks/1e6)+c.offset, int64(ticks%1e6*1000)).UTC()
	case 1e9:
		return time.Unix(int64(ticks/1e9)+c.offset, int64(ticks%1e9)).UTC()
	case 0:
		return time.Unix(c.offset, c.nanoseconds(ticks)).UTC()
	}
	high, low := bits.Mul64(ticks%c.perSecond, 1e9)
	nanoseconds, _ := bits.Div64(high, low, c.perSecond)
	return time.Unix(int64(ticks/c.perSecond)+c.offset, int64(nanoseconds)).UTC()
}

// nanoseconds returns those of a clock of which 2^64 ticks take less than a second.
func (c *clock) nanoseconds(ticks uint64) int64 {
	if c.binary {
		high, _ := bits.Mul64(ticks, 1e9)
		return int64(high >> (c.exponent - 64))
	}
	for range c.exponent - 9 {
		ticks /= 10
	}
	return int64(ticks)
}
