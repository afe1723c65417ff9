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

// TestFeedServerUsed: FeedServer uses a datagram up to the packet that decides, else all of it.
func TestFeedServerUsed(t *testing.T) {
	msg := handshake(96)
	whole, half, wrong := numbered(0, nil, crypto(0, msg)), numbered(0, nil, crypto(0, msg[:50])), numbered(0, nil, []byte{0x1d})
	packet := numbered(1, nil, []byte{1})
	ended := numbered(2, nil, crypto(100, []byte{11, 0, 0, 0}))
	for name, row := range map[string]struct {
		datagram []byte
		outcome  assemble.Outcome
		used     int
	}{
		"complete":         {slices.Concat(whole, packet), assemble.Complete, len(whole)},
		"refused":          {slices.Concat(wrong, packet), assemble.Refused, len(wrong)},
		"half a message":   {slices.Concat(half, packet), assemble.NeedMore, len(half) + len(packet)},
		"what is not QUIC": {[]byte("no QUIC"), assemble.Unrecognized, 7},
	} {
		var q assemble.QUIC
		q.Reset(make([]byte, assemble.BufferSize(200)))
		if r, _ := q.FeedServer(row.datagram, false); r.Outcome != row.outcome || r.Used != row.used {
			t.Errorf("%s: %v, %d bytes used, want %v, %d", name, r.Outcome, r.Used, row.outcome, row.used)
		}
		if q.Next(); row.outcome != assemble.Complete {
			continue
		}
		if r, _ := q.FeedServer(slices.Concat(ended, packet), false); r.Outcome != assemble.Unrecognized || r.Used != len(ended) {
			t.Errorf("another message: %v, %d bytes used, want %d", r.Outcome, r.Used, len(ended))
		}
	}
}

// TestFeedServerKeepsScratch: Scratch that is as long as the packet is not replaced.
func TestFeedServerKeepsScratch(t *testing.T) {
	var q assemble.QUIC
	q.Reset(make([]byte, assemble.BufferSize(200)))
	q.FeedServer(numbered(0, nil, crypto(0, handshake(96)[:50])), false)
	packet := numbered(1, nil, []byte{1})
	scratch := make([]byte, len(packet))
	q.Scratch = scratch
	if q.FeedServer(packet, false); &q.Scratch[0] != &scratch[0] {
		t.Error("it is replaced")
	}
}

// TestQUICLatePackets: packets under the keys before do not start over, however short the
// connection ID is.
func TestQUICLatePackets(t *testing.T) {
	for _, dcid := range []string{"x", "original"} {
		first := func(p *quicseal.Packet) { p.DCID, p.Token = []byte(dcid), []byte("token") }
		other := func(p *quicseal.Packet) { p.DCID = []byte("another one") }
		var q assemble.QUIC
		q.Feed(numbered(0, first, crypto(0, handshake(96))))
		q.Next()
		q.Feed(numbered(0, other, crypto(0, handshake(97))))
		q.Next()
		if r := q.Feed(numbered(1, first, crypto(0, handshake(96)))); r.Outcome != assemble.NeedMore || q.Info().Attempt != 2 {
			t.Errorf("%s: %v, attempt %d", dcid, r.Outcome, q.Info().Attempt)
		}
	}
}

// A Retry has no length: what follows it in a datagram is not found.
func TestQUICRetryFirst(t *testing.T) {
	retry := slices.Concat([]byte{0xf0, 0, 0, 0, 1, 8}, []byte("original"), []byte{0, 1, 9})
	if _, ok := assemble.ParseQUICInitial(slices.Concat(retry, numbered(0, nil, crypto(0, handshake(96))))); ok {
		t.Error("an Initial is found after it")
	}
}

// TestQUICHash compares the hashes of messages.
func TestQUICHash(t *testing.T) {
	msg, next := handshake(96), handshake(97)
	keys := assemble.NewQUICKeys(2)
	var list [3]assemble.QUIC
	var hashes [len(list)][2]uint64
	for i := range list {
		q := &list[i]
		if i < 2 {
			q.ShareKeys(keys)
		}
		q.Reset(make([]byte, assemble.BufferSize(100)))
		if q.Feed(numbered(1, nil, crypto(0, msg))).Outcome != assemble.Complete {
			t.Fatal("no message")
		}
		hashes[i][0] = q.Hash(msg)
		q.Next()
		if q.Hash(msg) != hashes[i][0] {
			t.Error("another hash later")
		}
		if q.Feed(numbered(2, nil, crypto(uint64(len(msg)), next))).Outcome != assemble.Complete {
			t.Fatal("no second message")
		}
		hashes[i][1] = q.Hash(next)
	}
	if hashes[0] != hashes[1] || hashes[0] == hashes[2] || hashes[0][0] == hashes[0][1] {
		t.Error(hashes)
	}
	list[0].Reset(nil)
	if list[0].FeedFrames(crypto(0, msg)).Outcome != assemble.Complete || list[0].Hash(msg) != hashes[0][0] {
		t.Error("another hash of frames")
	}
}
