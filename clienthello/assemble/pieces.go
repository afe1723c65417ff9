package assemble

import (
	"bytes"
	"encoding/binary"
)

// DatagramMemory returns how much memory [QUIC] and [DTLS] need for messages of up
// to limit bytes: these, and a bit for each that says whether it has arrived.
func DatagramMemory(limit int) int { return limit + (limit+7)/8 }

// pieces joins a message of which any part may come at any time, any number of
// times. What comes out does not depend on the order.
type pieces struct {
	data   []byte // the message; its length is the limit
	marks  []byte // bit i%8 of marks[i/8] says whether data[i] has come
	prefix int    // data[:prefix] has come, whatever its marks say
	end    int    // data[end:] has not, whatever its marks say
}

func newPieces(memory []byte) pieces {
	limit := len(memory)/9*8 + len(memory)%9*8/9
	return pieces{data: memory[:limit:limit], marks: memory[limit:]}
}

// reset forgets what has come.
func (p *pieces) reset() { p.prefix, p.end = 0, 0 }

// put takes data that belongs at offset, without what reaches beyond the limit. It
// reports false where data differs from what came before for the same place.
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
	if len(data) == 0 {
		return true
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

// extend clears the marks up to end, which then count.
func (p *pieces) extend(end int) {
	if end <= p.end {
		return
	}
	if bit := p.end % 8; bit != 0 {
		p.marks[p.end/8] &= 1<<bit - 1
	}
	clear(p.marks[(p.end+7)/8 : (end+7)/8])
	p.end = end
}

// allMarked is 64 marks that are set.
const allMarked = 1<<64 - 1

// marks64 returns the marks of the 64 bytes from offset on, a multiple of 8.
func (p *pieces) marks64(offset int) uint64 {
	return binary.NativeEndian.Uint64(p.marks[offset/8:])
}

// mark sets the marks of data at offset, and compares it where they were set.
func (p *pieces) mark(offset int, data []byte) (same bool) {
	for len(data) > 0 {
		n := 64
		marks := uint64(1) // whatever: for fewer than 64 bytes
		if offset%8 == 0 && len(data) >= n {
			marks = p.marks64(offset)
		}
		switch marks {
		case 0:
			binary.NativeEndian.PutUint64(p.marks[offset/8:], allMarked)
			same = true
		case allMarked:
			same = bytes.Equal(data[:n], p.data[offset:offset+n])
		default:
			n = min(8-offset%8, len(data))
			same = p.markFew(offset, data[:n])
		}
		if !same {
			return false
		}
		offset += n
		data = data[n:]
	}
	return true
}

// markFew is mark for data whose marks share a byte.
func (p *pieces) markFew(offset int, data []byte) (same bool) {
	bit := offset % 8
	mask := byte((1<<len(data) - 1) << bit)
	had := p.marks[offset/8] & mask
	p.marks[offset/8] |= mask
	if had == mask {
		return bytes.Equal(data, p.data[offset:offset+len(data)])
	}
	for i, b := range data {
		if had&(1<<(bit+i)) != 0 && p.data[offset+i] != b {
			return false
		}
	}
	return true
}

// advance moves prefix to the first byte that has not come.
func (p *pieces) advance() {
	for p.prefix < p.end {
		switch {
		case p.prefix%8 == 0 && p.end-p.prefix >= 64 && p.marks64(p.prefix) == allMarked:
			p.prefix += 64
		case p.marks[p.prefix/8]&(1<<(p.prefix%8)) != 0:
			p.prefix++
		default:
			return
		}
	}
}
