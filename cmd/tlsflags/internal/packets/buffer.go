package packets

import (
	"bytes"
	"slices"

	"github.com/tlsflags/tlsflags/capture"
)

// Buffer holds the latest packets of a capture that cannot be read twice.
type Buffer struct {
	limit, size int
	packets     []numbered
}

type numbered struct {
	frame int
	capture.Packet
}

// packetCost is what a packet takes besides its data.
const packetCost = 112

// NewBuffer returns a Buffer that holds a number of bytes.
func NewBuffer(limit int) *Buffer { return &Buffer{limit: limit} }

// Add takes a copy of a packet. Numbers ascend. The oldest packets leave the buffer.
func (b *Buffer) Add(frame int, p capture.Packet) {
	p.Data = bytes.Clone(p.Data)
	b.packets = append(b.packets, numbered{frame, p})
	b.size += packetCost + len(p.Data)
	gone := 0
	for ; b.size > b.limit && gone < len(b.packets)-1; gone++ {
		b.size -= packetCost + len(b.packets[gone].Data)
		b.packets[gone] = numbered{}
	}
	b.packets = b.packets[gone:]
}

// Packet returns the packet with a number, if it is still there.
func (b *Buffer) Packet(frame int) (capture.Packet, bool) {
	i, ok := slices.BinarySearchFunc(b.packets, frame, func(p numbered, frame int) int { return p.frame - frame })
	if !ok {
		return capture.Packet{}, false
	}
	return b.packets[i].Packet, true
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
