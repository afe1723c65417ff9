package assemble_test

import (
	"testing"

	"github.com/tlsflags/tlsflags/clienthello/assemble"
)

// TestHeld checks what one byte takes, wherever it belongs, and what is left after a message.
func TestHeld(t *testing.T) {
	const limit = 20_000
	for offset, most := range map[uint64]int{0: 64, 1: 64, 2047: 64, 2048: 64, limit - 1: 64, limit: 0, limit + 1: 0} {
		var q assemble.QUIC
		q.Reset(make([]byte, 1000))
		q.ResetGrowing(limit)
		if held := q.Held(); held != 0 {
			t.Errorf("%d bytes held at first", held)
		}
		if q.FeedFrames(crypto(offset, []byte{1})); q.Held() > most || (q.Held() == 0) != (most == 0) {
			t.Errorf("a byte at offset %d: %d bytes held, want %d at most", offset, q.Held(), most)
		}
	}
	for size, kept := range map[int]bool{1000: true, 2048: true, 2600: false, 15_000: false} {
		msg := handshake(size - 4)
		var q assemble.QUIC
		q.ResetGrowing(limit)
		for at := 0; at < size; at += 500 {
			q.FeedFrames(crypto(uint64(at), msg[at:min(at+500, size)]))
		}
		if q.Next(); (q.Held() > 0) != kept {
			t.Errorf("%d bytes held after a message of %d", q.Held(), size)
		}
	}
}

// TestManyFarPieces has 128 pieces that are far ahead, as many as are kept, and one more: it is
// put in its place if that is in the first 2 kB, or within twice what has come.
func TestManyFarPieces(t *testing.T) {
	for _, row := range []struct {
		chunk, far, offset int
		want               assemble.Outcome
	}{
		{1, 500, 2047, assemble.Complete},
		{1, 500, 2048, assemble.NeedMore},
		{100, 30_000, 25_700, assemble.Complete},
		{100, 30_000, 25_701, assemble.NeedMore},
	} {
		msg := handshake(45_000)
		var q assemble.QUIC
		q.ResetGrowing(assemble.MaxMessage)
		feed := func(from, to int) assemble.Result { return q.FeedFrames(crypto(uint64(from), msg[from:to])) }
		for i := range 128 {
			feed(row.far+i*row.chunk, row.far+(i+1)*row.chunk)
		}
		feed(row.offset, row.offset+row.chunk)
		first, second := row.far, row.offset
		if second < first {
			feed(0, second)
			feed(second+row.chunk, first)
			feed(first+128*row.chunk, len(msg))
		} else {
			feed(0, first)
			feed(first+128*row.chunk, second)
			feed(second+row.chunk, len(msg))
		}
		if r := q.FeedFrames([]byte{1}); r.Outcome != row.want {
			t.Errorf("%d bytes at %d: %v, want %v", row.chunk, row.offset, r.Outcome, row.want)
		}
		if r := feed(row.offset, row.offset+row.chunk); r.Outcome != assemble.Complete {
			t.Errorf("%d bytes at %d again: %v", row.chunk, row.offset, r.Outcome)
		}
	}
}
