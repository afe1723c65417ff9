package packets

import (
	"bytes"

	"github.com/tlsflags/tlsflags/capture"
)

// Buffer holds the latest packets of a capture that cannot be read twice.
type Buffer struct {
	limit, size int
	first       int // number of packets[0]
	packets     []capture.Packet
}

// packetCost is what a packet takes besides its data.
const packetCost = 96

// NewBuffer returns a Buffer that holds a number of bytes.
func NewBuffer(limit int) *Buffer { return &Buffer{limit: limit, first: 1} }

// Add takes a copy of the next packet. The oldest ones leave the buffer.
func (b *Buffer) Add(p capture.Packet) {
	p.Data = bytes.Clone(p.Data)
	b.packets = append(b.packets, p)
	b.size += packetCost + len(p.Data)
	gone := 0
	for ; b.size > b.limit && gone < len(b.packets)-1; gone++ {
		b.size -= packetCost + len(b.packets[gone].Data)
		b.packets[gone] = capture.Packet{}
	}
	b.first += gone
	b.packets = b.packets[gone:]
}

// Packet returns the packet with a number, counted from 1, if it is still there.
func (b *Buffer) Packet(frame int) (capture.Packet, bool) {
	if i := frame - b.first; 0 <= i && i < len(b.packets) {
		return b.packets[i], true
	}
	return capture.Packet{}, false
}

// Set is a set of packets, by their numbers.
type Set []uint64

// Add adds a packet.
func (s *Set) Add(frame int) {
	for len(*s) <= frame/64 {
		*s = append(*s, 0)
	}
	(*s)[frame/64] |= 1 << (frame % 64)
}

// Has reports whether a packet is in the set.
func (s Set) Has(frame int) bool {
	return frame/64 < len(s) && s[frame/64]&(1<<(frame%64)) != 0
}
