package assemble

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"
)

const (
	markBits  = 64 // marks in a word
	markBytes = 8
)

// BufferSize returns how much memory [QUIC] and [DTLS] need for messages of up
// to limit bytes: these, and a bit for each that says whether it has arrived. It
// returns 0 for a limit that is not positive.
func BufferSize(limit int) int {
	limit = max(limit, 0)
	return limit + marksFor(limit)
}

// marksFor returns how many bytes the marks for n bytes take, in whole words.
func marksFor(n int) int { return (n + markBits - 1) / markBits * markBytes }

// pieces joins a message of which any part may come at any time, any number of
// times. What comes out does not depend on the order.
type pieces struct {
	data   []byte // the message; its length is the limit
	marks  []byte // words; bit i%64 of word i/64 says whether data[i] has come
	prefix int    // data[:prefix] has come, whatever its marks say
	end    int    // data[end:] has not, whatever its marks say

	most int        // limit up to which data grows, or 0 if it does not
	got  int        // bytes that have come, repeated ones too, if data grows
	far  []farPiece // that are beyond data, which has not grown so far
}

// farPiece is bytes that belong at an offset.
type farPiece struct {
	offset int
	data   []byte
}

const (
	// firstGrowth is the shortest memory that grows.
	firstGrowth = 1 << 10
	// nearBytes is how far from the beginning data is put wherever else it comes: most
	// hellos are shorter.
	nearBytes = 2 << 10
	// maxFar is how many far pieces are kept, and farCost what each takes.
	maxFar  = 128
	farCost = 48
)

// limit returns the length of the longest message that p can hold.
func (p *pieces) limit() int { return max(len(p.data), p.most) }

// held returns how many bytes of memory p has allocated.
func (p *pieces) held() int {
	if p.most == 0 {
		return 0
	}
	n := BufferSize(len(p.data))
	for _, f := range p.far {
		n += farCost + len(f.data)
	}
	return n
}

// place makes room for data at offset, and puts it there.
func (p *pieces) place(offset int, data []byte, wins winner) (same bool) {
	if p.most == 0 {
		return wins.put(p, offset, data)
	}
	same = !p.reserve(offset, data) || wins.put(p, offset, data)
	for {
		piece, ok := p.near()
		if !ok {
			return same
		}
		if p.reserve(piece.offset, piece.data) && !wins.put(p, piece.offset, piece.data) {
			same = false
		}
	}
}

// winner says which bytes count if others come for the same place.
type winner uint8

const (
	neither winner = iota
	first
	last
)

func (w winner) put(p *pieces, offset int, data []byte) (same bool) {
	switch w {
	case first:
		return p.keep(offset, data)
	case last:
		return p.replace(offset, data)
	}
	return p.put(offset, data)
}

// reserve makes room for data at offset, so that the memory stays
// in proportion to what has come. It reports whether there is room; if not, it keeps data as
// a far piece.
func (p *pieces) reserve(offset int, data []byte) bool {
	end := min(offset+len(data), p.most)
	if p.got += len(data); end <= len(p.data) || offset >= p.most {
		return true
	}
	if end > max(nearBytes, 2*p.got) {
		if len(p.far) < maxFar {
			p.far = append(p.far, farPiece{offset, bytes.Clone(data)})
		}
		return false
	}
	size := firstGrowth
	for size < end {
		size *= 2
	}
	grown := newPieces(make([]byte, BufferSize(min(size, p.most))))
	grown.copyFrom(p)
	p.data, p.marks = grown.data, grown.marks
	return true
}

// near returns a far piece for which there is room now, and forgets it. ok is false if there
// is none.
func (p *pieces) near() (piece farPiece, ok bool) {
	for i, f := range p.far {
		if min(f.offset+len(f.data), p.most) <= max(len(p.data), nearBytes, 2*p.got) {
			p.far = append(p.far[:i], p.far[i+1:]...)
			p.got -= len(f.data) // which reserve counts again
			return f, true
		}
	}
	return farPiece{}, false
}

func newPieces(memory []byte) pieces {
	const both = markBits + markBytes
	limit := len(memory)/both*markBits + max(len(memory)%both-markBytes, 0)
	return pieces{data: memory[:limit:limit], marks: memory[limit:]}
}

// reset forgets what has come. Memory that has grown is kept only if it is short.
func (p *pieces) reset() {
	p.prefix, p.end, p.got = 0, 0, 0
	if p.far = nil; p.most > 0 && len(p.data) > nearBytes {
		p.data, p.marks = nil, nil
	}
}

// grows makes p one that holds messages of up to most bytes in memory of its own.
func (p *pieces) grows(most int) {
	if p.most == 0 {
		*p = pieces{}
	}
	p.most = most
	p.reset()
}

// put takes data that belongs at offset, without what reaches beyond the limit. It
// reports false if data differs from what came before for the same place.
func (p *pieces) put(offset int, data []byte) (same bool) {
	if offset >= len(p.data) {
		return true
	}
	data = data[:min(len(data), len(p.data)-offset)]
	if offset < p.prefix {
		n := min(len(data), p.prefix-offset)
		if !bytes.Equal(data[:n], p.data[offset:offset+n]) {
			return false
		}
		offset += n
		data = data[n:]
	}
	end := offset + len(data)
	if offset == p.prefix && p.prefix == p.end { // all in order so far: needs no marks
		copy(p.data[offset:], data)
		p.prefix, p.end = end, end
		return true
	}
	p.extend(end)
	if !p.mark(offset, data) {
		return false
	}
	copy(p.data[offset:], data)
	p.advance()
	return true
}

// word returns the marks of the 64 bytes around offset.
func (p *pieces) word(offset int) uint64 {
	return binary.NativeEndian.Uint64(p.marks[offset/markBits*markBytes:])
}

func (p *pieces) setWord(offset int, marks uint64) {
	binary.NativeEndian.PutUint64(p.marks[offset/markBits*markBytes:], marks)
}

// extend clears the marks up to end, which then count.
func (p *pieces) extend(end int) {
	if end <= p.end {
		return
	}
	p.setWord(p.end, p.word(p.end)&(1<<(p.end%markBits)-1))
	clear(p.marks[marksFor(p.end):marksFor(end)])
	p.end = end
}

// mark sets the marks of data at offset, and compares the bytes whose marks were set.
func (p *pieces) mark(offset int, data []byte) (same bool) {
	for len(data) > 0 {
		bit := offset % markBits
		n := min(markBits-bit, len(data))
		mask := (uint64(1)<<n - 1) << bit
		marks := p.word(offset)
		if !p.agree(marks&mask, mask, offset, data[:n]) {
			return false
		}
		p.setWord(offset, marks|mask)
		offset += n
		data = data[n:]
	}
	return true
}

// agree compares the bytes of data at offset whose marks are in had. mask has
// those of all of data.
func (p *pieces) agree(had, mask uint64, offset int, data []byte) bool {
	switch had {
	//mutation:equivalent the loop finds the same, in more time
	case 0:
		return true
	case mask: //mutation:equivalent the loop finds the same, in more time
		return bytes.Equal(data, p.data[offset:offset+len(data)])
	}
	had >>= offset % markBits
	for ; had != 0; had &= had - 1 {
		i := bits.TrailingZeros64(had)
		if data[i] != p.data[offset+i] {
			return false
		}
	}
	return true
}

// advance moves prefix to the first byte that has not come.
func (p *pieces) advance() {
	for p.prefix < p.end {
		bit := p.prefix % markBits
		n := bits.TrailingZeros64(^(p.word(p.prefix) >> bit))
		p.prefix = min(p.prefix+n, p.end)
		if n < markBits-bit {
			return
		}
	}
}

// has reports whether the byte at offset has come.
func (p *pieces) has(offset int) bool {
	return offset < p.prefix || offset < p.end && p.word(offset)>>(offset%markBits)&1 != 0
}

// keep is put that keeps the bytes which came before, if others come for the same place.
func (p *pieces) keep(offset int, data []byte) (same bool) {
	return p.merge(offset, data, func(i, j int, fresh []byte) []byte {
		if len(fresh) == 0 {
			fresh = bytes.Clone(data)
		}
		fresh[i] = p.data[j]
		return fresh
	})
}

// replace is put that takes the bytes which come last.
func (p *pieces) replace(offset int, data []byte) (same bool) {
	return p.merge(offset, data, func(i, j int, _ []byte) []byte {
		p.data[j] = data[i]
		return nil
	})
}

// merge is put that calls settle with the indices in data and in p.data of each byte that
// differs. It puts what settle returned last, or data if that is nothing.
func (p *pieces) merge(offset int, data []byte, settle func(i, j int, fresh []byte) []byte) (same bool) {
	same = true
	var fresh []byte
	for i := range max(0, min(len(data), p.end-offset)) { //mutation:equivalent has says the same, in more time
		if j := offset + i; p.has(j) && p.data[j] != data[i] {
			same = false
			fresh = settle(i, j, fresh)
		}
	}
	if len(fresh) == 0 {
		fresh = data
	}
	p.put(offset, fresh)
	return same
}

// copyFrom makes p, which has the same limit, hold what other holds.
func (p *pieces) copyFrom(other *pieces) {
	if p.most > 0 {
		p.far, p.got = slices.Clone(other.far), other.got
		if len(p.data) != len(other.data) {
			own := newPieces(make([]byte, BufferSize(len(other.data))))
			p.data, p.marks = own.data, own.marks
		}
	}
	copy(p.data, other.data[:min(other.end, len(other.data))])
	copy(p.marks, other.marks[:marksFor(other.end)])
	p.prefix, p.end = other.prefix, other.end
}
