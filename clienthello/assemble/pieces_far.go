package assemble

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// spares are buffers that the pieces of several assemblers use in turn, so that a message in
// many pieces makes no garbage, and assemblers hold none between two messages.
type spares struct{ free [][]byte }

const (
	// spareBytes is how many bytes a buffer has at least, and at most twice that.
	spareBytes = nearBytes / 2
	maxSpares  = 256
)

// get returns an empty buffer for n bytes or more.
func (s *spares) get(n int) []byte {
	if s != nil && len(s.free) > 0 {
		if last := len(s.free) - 1; cap(s.free[last]) >= n {
			b := s.free[last]
			s.free = s.free[:last]
			return b
		}
	}
	return slices.Grow([]byte(nil), n)
}

// put takes a buffer that is used no more.
func (s *spares) put(b []byte) {
	if s != nil && cap(b) >= spareBytes && cap(b) <= 2*spareBytes && len(s.free) < maxSpares { //mutation:equivalent it spares allocations
		s.free = append(s.free, b[:0])
	}
}

// farPieces are those beyond the data so far.
type farPieces struct {
	b []byte // each its offset, its length and its bytes
	n int
}

// add adds a piece, unless there are too many.
func (f *farPieces) add(offset int, data []byte, spare *spares) {
	if f.n < maxFar {
		f.n++
		if n := len(f.b) + farHeaderLen + len(data); n > cap(f.b) {
			if n > nearBytes {
				n += n / 8
			}
			b := append(spare.get(n), f.b...) // append alone would double it
			spare.put(f.b)
			f.b = b
		}
		f.b = binary.NativeEndian.AppendUint32(f.b, uint32(offset))
		f.b = binary.NativeEndian.AppendUint32(f.b, uint32(len(data)))
		f.b = append(f.b, data...)
	}
}

// next returns the piece at the beginning of b, and what follows it.
func (f *farPieces) next(b []byte) (offset int, data, rest []byte) {
	n := farHeaderLen + int(binary.NativeEndian.Uint32(b[4:]))
	return int(binary.NativeEndian.Uint32(b)), b[farHeaderLen:n], b[n:]
}

// at returns the offset of the piece at index i of b, and where it begins and ends in b.
func (f *farPieces) at(i int) (offset, begin, end int) {
	header := f.b[i : i+farHeaderLen]
	begin = i + farHeaderLen
	return int(binary.NativeEndian.Uint32(header)), begin, begin + int(binary.NativeEndian.Uint32(header[4:]))
}

// anyBefore reports whether a piece begins no later than first, or ends no later than last.
func (f *farPieces) anyBefore(first, last int) bool {
	for i := 0; i < len(f.b); {
		offset, begin, end := f.at(i)
		if offset <= first || offset+end-begin <= last {
			return true
		}
		i = end
	}
	return false
}

// settle compares data at offset with the pieces, and returns what counts of it. Afterwards
// the pieces have no other bytes.
func (f *farPieces) settle(offset int, data []byte, wins winner) (counts []byte, same bool) {
	counts, same = data, true
	for i := 0; i < len(f.b); {
		at, begin, end := f.at(i)
		i = end
		from, to := max(at, offset), min(at+end-begin, offset+len(data))
		if from >= to { //mutation:equivalent no bytes are equal, too
			continue
		}
		piece := f.b[begin:end]
		if bytes.Equal(piece[from-at:to-at], counts[from-offset:to-offset]) {
			continue
		}
		same = false
		switch wins {
		case first:
			counts = bytes.Clone(counts)
			copy(counts[from-offset:], piece[from-at:to-at])
		case last:
			copy(piece[from-at:], data[from-offset:to-offset])
		}
	}
	return counts, same
}
