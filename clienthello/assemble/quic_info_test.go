package assemble_test

import (
	"slices"
	"testing"

	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/quicseal"
)

func TestQUICAcked(t *testing.T) {
	ack := func(largest byte) []byte { return []byte{2, largest, 0, 0, 0} }
	msg := handshake(50)
	for name, row := range map[string]struct {
		frames [][]byte
		want   uint64
	}{
		"nothing":          {nil, 0},
		"packet 0":         {[][]byte{ack(0)}, 1},
		"the highest of 3": {[][]byte{ack(3), ack(7), ack(5)}, 8},
		"with ECN counts":  {[][]byte{{3, 9, 0, 0, 0, 1, 2, 3}}, 10},
	} {
		var q assemble.QUIC
		q.Feed(numbered(0, nil, slices.Concat(row.frames...), crypto(0, msg)))
		if got := q.Info().Acked; got != row.want {
			t.Errorf("%s: %d, want %d", name, got, row.want)
		}
		q.Next()
		q.Feed(numbered(1, nil, ack(20)))
		if got := q.Info().Acked; got != row.want {
			t.Errorf("%s, and then an ACK after the hello: %d, want %d", name, got, row.want)
		}
	}
}

// TestQUICOffset refuses the second packet of a datagram, and expects the offset of its frame.
func TestQUICOffset(t *testing.T) {
	first, frames := numbered(0, nil, crypto(0, handshake(100)[:50])), []byte{1, 1, 0x1d}
	for name, change := range map[string]func(*quicseal.Packet){
		"the same version":    nil,
		"the server's choice": func(p *quicseal.Packet) { p.Version, p.KeyDCID = quicseal.V2, p.DCID; p.DCID = []byte("of the server") },
	} {
		second := numbered(1, change, frames)
		want := len(second) - 16 - 20 - 1 // without the tag, PADDING and the frame
		for _, row := range []struct {
			reader string
			feed   func(*assemble.QUIC, []byte) assemble.Result
		}{
			{"Feed", (*assemble.QUIC).Feed},
			{"FeedServer", func(q *assemble.QUIC, b []byte) assemble.Result { r, _ := q.FeedServer(b, false); return r }},
		} {
			var q assemble.QUIC
			q.Reset(make([]byte, assemble.BufferSize(200)))
			row.feed(&q, first)
			if r := row.feed(&q, second); r.Code != extension.ErrFrameType || r.Offset != want {
				t.Errorf("%s, %s: %v at %d, want it at %d", row.reader, name, r.Code, r.Offset, want)
			}
		}
		if change != nil {
			continue // a datagram has one connection ID
		}
		var q assemble.QUIC
		q.Reset(make([]byte, assemble.BufferSize(200)))
		if r, _ := q.FeedServer(slices.Concat(first, second), false); r.Offset != len(first)+want {
			t.Errorf("in one datagram: at %d, want it at %d", r.Offset, len(first)+want)
		}
	}
}
