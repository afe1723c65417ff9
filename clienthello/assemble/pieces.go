package assemble

import (
	"bytes"
	"encoding/binary"
	"math"
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

	// If data grows:
	most  int32 // limit up to which it does, else 0
	got   int32 // bytes that have come, repeated ones too
	far   *farPieces
	spare *spares // or nil
}

const (
	// nearBytes is how far from the beginning data may have gaps, if there are too many far
	// pieces: most hellos are shorter.
	nearBytes = 2 << 10
	// maxFar is how many far pieces are kept.
	maxFar = 128

	farHeaderLen = 8
	farCost      = 32
)

// limit returns the length of the longest message that p can hold.
func (p *pieces) limit() int { return max(len(p.data), int(p.most)) }

// empty reports whether nothing has come.
func (p *pieces) empty() bool { return p.end == 0 && p.farCount() == 0 }

func (p *pieces) farCount() int {
	if p.far == nil {
		return 0
	}
	return p.far.n
}

// held returns how many bytes of memory p has allocated.
func (p *pieces) held() int {
	if p.most == 0 {
		return 0
	}
	n := len(p.data) + len(p.marks)
	if p.far != nil {
		n += farCost + cap(p.far.b)
	}
	return n
}

// place puts data at offset. If p grows, its memory stays in proportion to what has come:
// what does not follow the data so far becomes a far piece.
func (p *pieces) place(offset int, data []byte, wins winner) (same bool) {
	if p.most == 0 || offset >= int(p.most) {
		return wins.put(p, offset, data)
	}
	p.got += int32(len(data))
	same = true
	if p.farCount() > 0 {
		data, same = p.far.settle(offset, data, wins)
	}
	if end := offset + len(data); offset > p.end {
		reach := max(nearBytes, 2*int(p.got))
		if p.farCount() < maxFar || end > reach {
			if p.far == nil {
				p.far = new(farPieces)
			}
			p.far.add(offset, data, p.spare)
			return same
		}
		same = p.gather(reach, wins) && same
	}
	p.grow(offset + len(data))
	same = wins.put(p, offset, data) && same
	return p.gather(0, wins) && same
}

// gather moves far pieces to data: those that continue it, and those that end no later than reach.
func (p *pieces) gather(reach int, wins winner) (same bool) {
	same = true
	for p.farCount() > 0 && p.far.anyBefore(p.end, reach) {
		b := p.far.b
		p.far.b, p.far.n = b[:0], 0
		for len(b) > 0 {
			var offset int
			var piece []byte
			offset, piece, b = p.far.next(b)
			if end := offset + len(piece); offset <= p.end || end <= reach {
				p.grow(end)
				same = wins.put(p, offset, piece) && same
			} else {
				p.far.add(offset, piece, p.spare)
			}
		}
	}
	return same
}

// grow makes data at least n bytes long, or as long as it may be. It grows by a quarter or
// more, so that all the copying takes time linear in what has come.
func (p *pieces) grow(n int) {
	if n = min(n, int(p.most)); n <= len(p.data) {
		return
	}
	size := min(max(n, len(p.data)/4*5), int(p.most)) //mutation:equivalent it grows more often, or by more
	data := p.spare.get(size)
	data = data[:min(cap(data), int(p.most))]
	copy(data, p.data[:p.end])
	p.spare.put(p.data)
	if p.data = data; p.marks != nil {
		marks := make([]byte, marksFor(len(data)))
		copy(marks, p.marks)
		p.marks = marks
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

func newPieces(memory []byte) pieces {
	const both = markBits + markBytes
	limit := len(memory)/both*markBits + max(len(memory)%both-markBytes, 0)
	return pieces{data: memory[:limit:limit], marks: memory[limit:]}
}

// reset forgets what has come. Memory that has grown is kept only if it is short and nobody
// else may use it.
func (p *pieces) reset() {
	p.prefix, p.end, p.got = 0, 0, 0
	if p.most > 0 && p.spare != nil {
		p.spare.put(p.data)
		if p.data, p.marks = nil, nil; p.far != nil {
			p.spare.put(p.far.b)
			*p.far = farPieces{}
		}
		return
	}
	if p.most > 0 && len(p.data) > nearBytes { //mutation:equivalent only what is kept for later differs
		p.data, p.marks = nil, nil
	}
	if p.far != nil {
		p.far.b, p.far.n = p.far.b[:0], 0
		if cap(p.far.b) > nearBytes/2 { //mutation:equivalent only what is kept for later differs
			p.far = nil
		}
	}
}

// grows makes p one that holds messages of up to most bytes in memory of its own.
func (p *pieces) grows(most int) {
	if p.most == 0 {
		*p = pieces{spare: p.spare}
	}
	p.most = int32(min(most, math.MaxInt32))
	p.reset()
}

// put takes data that belongs at offset, without what reaches beyond the limit. It
// reports false if data differs from what came before for the same place.
func (p *pieces) put(offset int, data []byte) (same bool) {
	if offset >= len(p.data) {
		return true
	}
	data = data[:min(len(data), len(p.data)-offset)]
	if offset < p.prefix { //mutation:equivalent at prefix, nothing is compared
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
	if p.marks == nil { // all was in order so far
		p.marks = make([]byte, marksFor(len(p.data)))
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

// prefixBytes returns the bytes that have come up to the first that has not.
func (p *pieces) prefixBytes() []byte {
	n := min(p.prefix, len(p.data))
	return p.data[:n:n]
}

// copyFrom makes p, which has the same limit, hold what other holds.
func (p *pieces) copyFrom(other *pieces) {
	if p.most > 0 {
		if p.far, p.got = nil, other.got; other.farCount() > 0 {
			p.far = &farPieces{slices.Clone(other.far.b), other.far.n}
		}
		p.data, p.marks = slices.Clone(other.data), slices.Clone(other.marks)
	} else {
		copy(p.data, other.data[:min(other.end, len(other.data))])
		copy(p.marks, other.marks[:marksFor(other.end)])
	}
	p.prefix, p.end = other.prefix, other.end
}
