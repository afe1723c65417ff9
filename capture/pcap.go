package capture

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"time"
)

// The magic numbers of pcap files, in the byte order of who wrote them.
const (
	magicMicro    = 0xa1b2c3d4
	magicNano     = 0xa1b23c4d
	magicModified = 0xa1b2cd34 // Alexey Kuznetzov's libpcap
	magicIxiaHard = 0x1c0001ac // Ixia, timestamps of the hardware
	magicIxiaSoft = 0x1c0001ab
)

const (
	pcapHeaderLen = 24
	recordLen     = 16 // of a record's header, without what some programs add
)

// pcapSource reads a pcap file: draft-ietf-opsawg-pcap, and the variants that libpcap and
// Wireshark read.
type pcapSource struct {
	in      *buffer
	swapped bool // the file is big-endian
	nano    bool // timestamps have nanoseconds, not microseconds
	lengths lengthOrder
	headLen int // of a record
	link    LinkType
	records int    // 0 before the first
	seconds uint32 // of the latest
	damage
}

// lengthOrder says in which order a record has its two lengths.
type lengthOrder uint8

const (
	capturedFirst lengthOrder = iota // since version 2.4
	originalFirst                    // before version 2.3, and in DG/UX, which writes version 543.0
	eitherFirst                      // in version 2.3
)

// pcapMagic reads the magic number of a pcap file.
func pcapMagic(b []byte) (magic uint32, swapped, ok bool) {
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		switch magic := order.Uint32(b); magic {
		case magicMicro, magicNano, magicModified, magicIxiaHard, magicIxiaSoft:
			return magic, order == binary.BigEndian, true
		}
	}
	return 0, false, false
}

func openPcap(in *buffer) (fileSource, error) {
	s := &pcapSource{in: in}
	b := in.peek(pcapHeaderLen)
	if len(b) < pcapHeaderLen {
		return nil, s.cutHeader()
	}
	n, err := s.header(b)
	if err != nil {
		return nil, err
	}
	if len(in.peek(n)) < n {
		return nil, s.cutHeader()
	}
	in.consume(n)
	in.keep = 0
	return s, nil
}

// cutHeader returns the error of a file that ends in its header.
func (s *pcapSource) cutHeader() error {
	if err := s.in.failed(); err != nil {
		return err
	}
	s.cut = true
	return s.damage.err()
}

// header reads the header of the file and returns its length:
//
//	uint32 magic; uint16 major; uint16 minor; uint32 reserved[2]; uint32 snaplen; uint32 linktype;
func (s *pcapSource) header(b []byte) (int, error) {
	magic, swapped, _ := pcapMagic(b)
	s.swapped = swapped
	major, minor := s.uint32(b[4:])&0xffff, s.uint32(b[4:])>>16
	if swapped {
		major, minor = minor, major
	}
	s.lengths = capturedFirst
	switch {
	case major == 543 && minor == 0, major == 2 && minor < 3:
		s.lengths = originalFirst
	case major == 2 && minor == 3:
		s.lengths = eitherFirst
	case major != 2:
		return 0, fmt.Errorf("pcap version %d.%d is not read, only 2.0 to 2.4: editcap -F pcapng IN OUT may convert it", major, minor)
	}
	// The upper half has the length of the frame check sequence.
	s.link = LinkType(s.uint32(b[20:]))
	s.headLen, s.nano, s.records = recordLen, magic == magicNano, 0
	length := pcapHeaderLen
	switch magic {
	case magicModified:
		s.headLen += 8 // uint32 interface; uint16 protocol; uint8 packet_type; uint8 padding;
	case magicIxiaHard, magicIxiaSoft:
		length += 4 // uint32 length of all packets
	case magicMicro:
		if link, ok := aixLinks[s.link]; ok && major == 2 && minor == 2 {
			s.link, s.nano, s.lengths = link, true, capturedFirst //mutation:equivalent any order but the other two is this
		}
	}
	return length, nil
}

// aixLinks are the interface types that AIX writes as link types, with version 2.2 and
// nanoseconds. The first four are not in use by others in files of that age.
var aixLinks = map[LinkType]LinkType{
	6:  LinkTypeEthernet,
	9:  6,  // Token Ring
	15: 10, // FDDI
	24: LinkTypeNull,
}

// uint32 reads a number in the byte order of the file.
func (s *pcapSource) uint32(b []byte) uint32 {
	v := binary.LittleEndian.Uint32(b)
	if s.swapped {
		v = bits.ReverseBytes32(v)
	}
	return v
}

// record is the header of a packet.
type record struct {
	seconds, fraction  uint32
	captured, original uint32
}

// record reads the header of a packet:
//
//	uint32 seconds; uint32 fraction; uint32 captured_length; uint32 original_length;
func (s *pcapSource) record(b []byte) record {
	b = b[:recordLen]
	r := record{s.uint32(b), s.uint32(b[4:]), s.uint32(b[8:]), s.uint32(b[12:])}
	if s.lengths == originalFirst || s.lengths == eitherFirst && r.captured > r.original {
		r.captured, r.original = r.original, r.captured
	}
	return r
}

// usual reports whether a header is what programs write. Others write other headers, and
// in a damaged file anything may be in place of one.
func (s *pcapSource) usual(r record) bool {
	return r.captured <= r.original && r.captured <= maxPacket && r.fraction < s.limit() && r.original-1 < maxSkipped
}

// limit returns how many fractions a second has.
func (s *pcapSource) limit() uint32 {
	if s.nano {
		return 1e9
	}
	return 1e6
}

func (s *pcapSource) buffered() *buffer { return s.in }

func (s *pcapSource) next() (Packet, error) {
	for {
		head := s.in.peek(s.headLen)
		switch {
		case len(head) == 0:
			return Packet{}, s.ended()
		case len(head) < s.headLen:
			if err := s.resume(true); err != nil {
				return Packet{}, err
			}
			continue
		case s.records == 0:
			s.variant()
		}
		s.records = 1
		r := s.record(head)
		if !s.usual(r) {
			p, ok, err := s.unusual(r)
			if ok || err != nil {
				return p, err
			}
			continue
		}
		n := s.headLen + int(r.captured)
		if len(s.in.peek(n)) < n {
			if err := s.resume(true); err != nil {
				return Packet{}, err
			}
			continue
		}
		// Damage shows at the next header. If that is not here yet, it is not waited for.
		if after := s.in.buf[s.in.begin+n : s.in.end]; len(after) >= s.headLen && !s.usual(s.record(after)) && s.swallows(n) {
			continue
		}
		data := s.in.peek(n)[s.headLen:]
		s.in.consume(n)
		return s.packet(r, data), nil
	}
}

func (s *pcapSource) packet(r record, data []byte) Packet {
	nanoseconds := int64(r.fraction)
	if !s.nano {
		nanoseconds *= 1000
	}
	s.seconds = r.seconds
	return Packet{Data: data, Length: wireLength(r.original), Link: s.link, Time: time.Unix(int64(r.seconds), nanoseconds).UTC()}
}

// wireLength returns the length of a packet on the wire, which need not fit into an int of 32
// bits.
func wireLength(n uint32) int { return int(min(n, math.MaxInt32)) }
