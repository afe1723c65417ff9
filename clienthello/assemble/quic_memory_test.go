package assemble_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/quicseal"
)

func TestQUICMemory(t *testing.T) {
	msg := handshake(40)
	for n := range assemble.BufferSize(len(msg)) + 20 {
		for _, cut := range []int{1, 4, 30} {
			var q assemble.QUIC
			q.Reset(make([]byte, n))
			q.FeedFrames(crypto(0, msg[:cut]))
			got := q.FeedFrames(crypto(uint64(cut), msg[cut:]))
			want := assemble.Refused
			if n >= assemble.BufferSize(len(msg)) {
				want = assemble.Complete
			}
			if got.Outcome != want || want == assemble.Refused && got.Code != extension.ErrOverLimit {
				t.Errorf("%d bytes of memory, %d first: %v %v", n, cut, got.Outcome, got.Code)
			}
		}
		var q assemble.QUIC
		q.Reset(make([]byte, n))
		if got := q.FeedFrames(crypto(0, msg)); got.Outcome != assemble.Complete {
			t.Errorf("%d bytes of memory, in one frame: %v", n, got.Outcome)
		}
	}
}

func TestQUICWithoutMemory(t *testing.T) {
	msg := handshake(40)
	var q assemble.QUIC
	for name, payload := range map[string][]byte{"an empty frame": crypto(0, nil), "what does not show the length": crypto(4, msg[4:])} {
		if got := q.FeedFrames(payload); got.Outcome != assemble.NeedMore {
			t.Errorf("%s: %v %v", name, got.Outcome, got.Code)
		}
	}
	if got := q.FeedFrames(crypto(0, msg)); got.Outcome != assemble.Complete {
		t.Errorf("in one frame: %v %v", got.Outcome, got.Code)
	}
	for offset := range 4 {
		var q assemble.QUIC
		if got := q.FeedFrames(crypto(uint64(offset), msg[offset:offset+1])); got.Code != extension.ErrOverLimit {
			t.Errorf("byte %d of the header alone: %v %v", offset, got.Outcome, got.Code)
		}
	}
}

// What is beyond the memory is discarded, as if it had not come.
func TestQUICBeyondMemory(t *testing.T) {
	msg := handshake(100)
	var q assemble.QUIC
	q.Reset(make([]byte, assemble.BufferSize(64)))
	q.FeedFrames(crypto(64, msg[64:]))
	if got := q.FeedFrames(crypto(0, msg)); got.Outcome != assemble.Complete {
		t.Errorf("%v %v", got.Outcome, got.Code)
	}
}

// A message without a body has no byte but its header.
func TestQUICEmptyMessage(t *testing.T) {
	msg := handshake(0)
	var q assemble.QUIC
	q.Reset(make([]byte, assemble.BufferSize(len(msg))))
	q.FeedFrames(crypto(0, msg[:1]))
	if got := q.FeedFrames(crypto(1, msg[1:])); got.Outcome != assemble.Complete || !bytes.Equal(got.Message, msg) {
		t.Errorf("%v %v", got.Outcome, got.Code)
	}
}

func TestBufferSize(t *testing.T) {
	for limit, want := range map[int]int{-5: 0, 0: 0, 1: 9, 64: 72, 65: 81} {
		if got := assemble.BufferSize(limit); got != want {
			t.Errorf("BufferSize(%d) = %d, want %d", limit, got, want)
		}
	}
}

// TestQUICLargest has the longest message that is valid, in frames of 1,000 bytes.
func TestQUICLargest(t *testing.T) {
	msg := handshake(assemble.MaxMessage - 4)
	var q assemble.QUIC
	q.Reset(make([]byte, assemble.BufferSize(assemble.MaxMessage)))
	var result assemble.Result
	for i := len(msg) / 1000; i >= 0; i-- {
		result = q.FeedFrames(crypto(uint64(1000*i), msg[1000*i:min(len(msg), 1000*i+1000)]))
	}
	if result.Outcome != assemble.Complete || !bytes.Equal(result.Message, msg) {
		t.Errorf("%v %v", result.Outcome, result.Code)
	}
}

func TestQUICNoAllocs(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	msg := handshake(1800)
	dcid := fromHex(t, sampleDCID)
	var datagrams [][]byte
	for i, part := range slices.Collect(slices.Chunk(msg, 300)) {
		datagrams = append(datagrams, quicseal.Packet{
			Version: quicseal.V1, DCID: dcid, Number: uint64(i), Payload: padded(1100, crypto(uint64(300*i), part)),
		}.Seal())
	}
	memory := make([]byte, assemble.BufferSize(len(msg)))
	q := assemble.QUIC{Scratch: make([]byte, 1500)}
	keys := scheduleAllocs()
	if n := testing.AllocsPerRun(100, func() {
		q.Reset(memory)
		for _, d := range datagrams {
			q.Feed(d)
		}
	}); n != keys {
		t.Errorf("%v allocations for a hello in %d Initials, want %v", n, len(datagrams), keys)
	}
	q.Reset(memory)
	q.Feed(datagrams[3])
	if n := testing.AllocsPerRun(100, func() {
		q.Feed(datagrams[5])
		q.Feed(datagrams[1])
		q.Feed(datagrams[1][:100])
		q.Info()
		assemble.ParseQUICInitial(datagrams[0])
	}); n != 0 {
		t.Errorf("%v allocations for later datagrams", n)
	}
	frames := crypto(5, msg[5:])
	refused := crypto(0, []byte{2})
	if n := testing.AllocsPerRun(100, func() {
		q.Reset(memory)
		q.FeedFrames(frames)
		q.FeedFrames(refused)
		q.Reset(memory)
		q.Feed(frames)
	}); n != 0 {
		t.Errorf("%v allocations for frames and for what is not QUIC", n)
	}
	q = assemble.QUIC{}
	q.Reset(memory)
	for _, d := range datagrams {
		q.Feed(d)
	}
	if len(q.Scratch) != 2048 {
		t.Errorf("Scratch has %d bytes", len(q.Scratch))
	}
	sized := func(n int) []byte {
		p := quicseal.Packet{Version: quicseal.V1, DCID: dcid, Payload: padded(1900, crypto(0, msg))}
		p.Payload = padded(1900+n-len(p.Seal()), p.Payload)
		return p.Seal()
	}
	for packet, want := range map[int]int{2047: 2048, 2048: 2048, 2049: 65535} {
		q = assemble.QUIC{}
		q.Reset(memory)
		if q.Feed(sized(packet)); len(q.Scratch) != want {
			t.Errorf("Scratch has %d bytes for a packet of %d, want %d", len(q.Scratch), packet, want)
		}
	}
	large := quicseal.Packet{Version: quicseal.V1, DCID: dcid, Payload: padded(5000, crypto(0, msg))}.Seal()
	scratch := make([]byte, len(large))
	q.Scratch = scratch
	q.Reset(memory)
	if q.Feed(large); &q.Scratch[0] != &scratch[0] {
		t.Error("Scratch as long as the packet is replaced")
	}
	q.Scratch = nil
	q.Reset(memory)
	if result := q.Feed(large); result.Outcome != assemble.Complete || len(q.Scratch) != 65535 {
		t.Errorf("%v, Scratch has %d bytes", result.Outcome, len(q.Scratch))
	}
}

// BenchmarkQUIC reads a hello of 1,800 bytes in two Initials; the case "later" measures
// one more Initial under keys that are known.
func BenchmarkQUIC(b *testing.B) {
	msg := handshake(1800)
	p := quicseal.Packet{Version: quicseal.V1, DCID: fromHex(b, sampleDCID)}
	p.Payload = padded(1160, crypto(0, msg[:1100]))
	first := p.Seal()
	p.Number, p.Payload = 1, padded(1160, crypto(1100, msg[1100:]))
	second := p.Seal()
	memory := make([]byte, assemble.BufferSize(len(msg)))
	q := assemble.QUIC{Scratch: make([]byte, 2048)}
	b.Run("hello", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			q.Reset(memory)
			q.Feed(first)
			q.Feed(second)
		}
	})
	b.Run("later", func(b *testing.B) {
		b.ReportAllocs()
		q.Reset(memory)
		for b.Loop() {
			q.Feed(second)
		}
	})
}

// TestQUICShareKeys feeds many connections in turn that share few keys.
func TestQUICShareKeys(t *testing.T) {
	const n = 20
	msg := handshake(300)
	keys := assemble.NewQUICKeys(4)
	var qs [n]assemble.QUIC
	for half := range 2 {
		for i := range qs {
			p := quicseal.Packet{Version: quicseal.V1, DCID: bytes.Repeat([]byte{byte(i)}, 8), Number: uint64(half)}
			p.Payload = padded(20, crypto(uint64(150*half), msg[150*half:][:150+half*(len(msg)-300)]))
			if half == 0 {
				qs[i].ShareKeys(keys)
				qs[i].ResetGrowing(assemble.MaxMessage)
			}
			result := qs[i].Feed(p.Seal())
			if want := [...]assemble.Outcome{assemble.NeedMore, assemble.Complete}[half]; result.Outcome != want || half == 1 && !bytes.Equal(result.Message, msg) {
				t.Errorf("connection %d, half %d: %v", i, half, result.Outcome)
			}
		}
	}
}
