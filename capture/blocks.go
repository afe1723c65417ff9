package capture

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
)

// blocks reads the blocks of a pcapng file, and passes over damage.
type blocks struct {
	in      *buffer
	swapped bool // the section is big-endian
	foreign bool // the section is of another version, and passed over
	pending int  // bytes of the latest block that have not been consumed
	torn    bool // the latest block has a packet, and does not end where it says
	damage
}

// block is a block of a pcapng file. Its body is valid until the next one.
type block struct {
	typ    uint32
	length int    // of all of it
	at     int64  // offset in the file
	body   []byte // without header and trailer; of a long one, the beginning
}

func (s *blocks) uint16(b []byte) uint16 {
	v := binary.LittleEndian.Uint16(b)
	if s.swapped {
		v = bits.ReverseBytes16(v)
	}
	return v
}

func (s *blocks) uint32(b []byte) uint32 {
	v := binary.LittleEndian.Uint32(b)
	if s.swapped {
		v = bits.ReverseBytes32(v)
	}
	return v
}

func (s *blocks) uint64(b []byte) uint64 {
	v := binary.LittleEndian.Uint64(b)
	if s.swapped {
		v = bits.ReverseBytes64(v)
	}
	return v
}

// open checks the first block, and leaves it to be read.
func (s *blocks) open() error {
	b := s.in.peek(sectionLen)
	if len(b) >= minBlock && !s.order(b) {
		return errors.New("the pcapng file has no byte order: it is damaged at byte 8")
	}
	if len(b) < sectionLen {
		if err := s.in.failed(); err != nil {
			return err
		}
		s.cut = true
		return s.err()
	}
	if s.version(b); s.foreign {
		return fmt.Errorf("pcapng version %d.%d is not read, only 1.x: editcap -F pcapng IN OUT may convert it", s.uint16(b[12:]), s.uint16(b[14:]))
	}
	return nil
}

// sectionLen is the length of the shortest section header.
const sectionLen = minBlock + 16

// order takes the byte order of a section from its header:
//
//	uint32 byte_order_magic; uint16 major; uint16 minor; uint64 section_length;
func (s *blocks) order(b []byte) bool {
	switch magic := uint32(byteOrderMagic); magic {
	case binary.LittleEndian.Uint32(b[blockHeaderLen:]):
		s.swapped = false
	case binary.BigEndian.Uint32(b[blockHeaderLen:]):
		s.swapped = true
	default:
		return false
	}
	return true
}

func (s *blocks) version(b []byte) { s.foreign = s.uint16(b[12:]) != 1 }

// block returns the next sound block.
func (s *blocks) block() (block, error) {
	for {
		if s.pending > 0 {
			s.finish()
		}
		if s.torn {
			s.torn = false
			if err := s.resume(s.in.offset(), false); err != nil {
				return block{}, err
			}
		}
		head := s.in.peek(minBlock)
		if len(head) == 0 {
			return block{}, s.ended(s.in)
		}
		b := block{at: s.in.offset()}
		sound, cut := s.read(&b, head)
		if s.torn = !sound && !cut && !s.foreign && s.hasPacket(&b); s.torn {
			return b, nil
		}
		if !sound {
			if err := s.resume(b.at, cut); err != nil {
				return block{}, err
			}
			continue
		}
		s.in.discard(len(b.body) + blockHeaderLen)
		s.pending = b.length - len(b.body) - blockHeaderLen
		switch {
		case b.typ == blockSection && s.foreign:
			s.note(b.at, int64(b.length))
		case s.foreign:
			s.skipped += int64(b.length)
		default:
			return b, nil
		}
	}
}

// read reads a block that begins with head, and reports whether it is sound, and otherwise
// whether the file may end in it.
func (s *blocks) read(b *block, head []byte) (sound, cut bool) {
	if len(head) < minBlock {
		return false, true
	}
	if binary.LittleEndian.Uint32(head) == blockSection { // the same in both orders
		if !s.order(head) {
			return false, false
		}
		if head = s.in.peek(sectionLen); len(head) < sectionLen {
			return false, true
		}
		s.version(head)
	}
	length := s.uint32(head[4:])
	if !possible(length) {
		return false, false
	}
	b.typ, b.length = s.uint32(head), int(length)
	n := min(b.length, maxBuffered)
	data := s.in.peek(n)
	if len(data) < n {
		return false, true
	}
	b.body = data[blockHeaderLen : n-blockTrailerLen]
	if n < b.length {
		return s.agrees(b), false
	}
	return s.uint32(data[n-blockTrailerLen:]) == length || s.followed(n), false
}

func possible(length uint32) bool {
	return length >= minBlock && length%4 == 0 && length <= maxBlock
}

// agrees reports whether the length of a long block fits the length of the packet in it, if it
// has one.
func (s *blocks) agrees(b *block) bool {
	const fields, options = 20, 64 << 10
	switch b.typ {
	case blockPacket, blockEnhancedPacket:
		rest := int64(b.length) - minBlock - fields - int64(s.uint32(b.body[12:]))
		return 0 <= rest && rest <= options
	case blockSimplePacket:
		return int64(s.uint32(b.body))+3 >= int64(b.length)-minBlock-4
	}
	return true
}

// hasPacket reports whether a block that is not sound has a whole packet where it should be.
func (s *blocks) hasPacket(b *block) bool {
	const fields, options = 20, 1 << 10
	if b.typ != blockPacket && b.typ != blockEnhancedPacket || len(b.body) < fields || b.length != len(b.body)+minBlock {
		return false
	}
	rest := int64(len(b.body)) - fields - int64(s.uint32(b.body[12:]))
	return 0 <= rest && rest <= options
}

// followed reports whether another block, or the end of the file, comes after n bytes.
// Then a wrong length at the end of a block does not matter.
func (s *blocks) followed(n int) bool {
	b := s.in.peek(n + minBlock)[n:]
	return len(b) == 0 || len(b) == minBlock && possible(s.uint32(b[4:])) && s.known(b)
}

// known reports whether b begins with the type of a block that programs write.
func (s *blocks) known(b []byte) bool {
	const names, journal, custom, customNoCopy = 4, 9, 0xbad, 0x40000bad
	switch s.uint32(b) {
	case blockInterface, blockPacket, blockSimplePacket, names, blockStatistics, blockEnhancedPacket,
		journal, blockSecrets, custom, customNoCopy, blockSection:
		return true
	}
	return false
}

// finish passes over the rest of a block.
func (s *blocks) finish() {
	at, rest := s.in.offset(), s.pending
	s.pending = 0
	if rest == blockTrailerLen { // it was checked
		s.in.discard(rest)
		return
	}
	if s.in.discard(rest) < rest && s.in.failed() == nil {
		s.cut, s.end = true, at
	}
}

// resume looks for the next sound block after damage. If there is none it returns the
// error that ends the reading. cut says that the file may be sound, and lack its end.
func (s *blocks) resume(at int64, cut bool) error {
	w := s.in
	for w.begin++; ; w.begin++ {
		b := w.peek(minBlock)
		if len(b) < minBlock {
			break
		}
		if s.known(b) && s.whole(b) {
			s.note(at, w.offset()-at)
			return nil
		}
	}
	w.begin = w.end
	switch {
	case !cut:
		s.note(at, w.offset()-at)
	case w.failed() == nil:
		s.cut, s.end = true, at
	}
	return s.ended(w)
}

// whole reports whether a block begins here that has its length at its end, too.
func (s *blocks) whole(b []byte) bool {
	swapped := s.swapped
	if s.uint32(b) == blockSection {
		if !s.order(b) {
			return false
		}
	}
	n := s.uint32(b[4:])
	ok := possible(n) && n <= maxBuffered
	if ok {
		b = s.in.peek(int(n))
		ok = len(b) == int(n) && s.uint32(b[n-blockTrailerLen:]) == n
	}
	if !ok {
		s.swapped = swapped
	}
	return ok
}
