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
