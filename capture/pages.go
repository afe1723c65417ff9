package capture

import (
	"math/bits"
	"slices"
)

const (
	pageSize = 1 << 10
	// pageCost is what a page takes of the memory, with its bitmap.
	pageCost = pageSize + pageSize/8
)

// page holds bytes of a stream whose sequence numbers share all but the last ten
// bits, and a bit for each that says whether it has arrived.
type page struct {
	data [pageSize]byte
	have [pageSize / 64]uint64
}

// has reports whether byte i has arrived.
func (p *page) has(i int) bool { return p.have[i/64]>>(i%64)&1 != 0 }

// put stores data at i, over what is there, and returns how many of its bytes are new.
func (p *page) put(i int, data []byte) (fresh int) {
	copy(p.data[i:], data)
	for end := i + len(data); i < end; {
		n := min(64-i%64, end-i)
		mask := (^uint64(0) >> (64 - n)) << (i % 64)
		fresh += n - bits.OnesCount64(p.have[i/64]&mask)
		p.have[i/64] |= mask
		i += n
	}
	return fresh
}

// run returns the bytes from i on up to the first gap.
func (p *page) run(i int) []byte {
	end := i
	for end < pageSize {
		n := bits.TrailingZeros64(^(p.have[end/64] >> (end % 64)))
		end += n
		if n == 0 || end%64 != 0 {
			break
		}
	}
	return p.data[i:end:end]
}

// heldPage is a page of a stream; number is the sequence number without its last
// ten bits.
type heldPage struct {
	number uint32
	*page
}

// findPage returns the page for seq, or nil. It searches from the newest page, which is
// the right one in most cases.
func findPage(pages []heldPage, seq uint32) *page {
	for i := range slices.Backward(pages) {
		if pages[i].number == seq/pageSize {
			return pages[i].page
		}
	}
	return nil
}
