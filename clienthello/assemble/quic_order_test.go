package assemble_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/internal/quicseal"
)

// TestQUICAnyOrder cuts messages into frames that overlap and come in any order, any
// number of times. With one frame missing the message is never complete, with it always.
func TestQUICAnyOrder(t *testing.T) {
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 9001))
		msg := handshake(r.IntN(400))
		frames := anyPieces(r, len(msg))
		var q assemble.QUIC
		q.Reset(usedMemory(assemble.BufferSize(len(msg)) + r.IntN(30)))
		covered := make([]bool, len(msg))
		for _, f := range frames {
			for i := f[0]; i < f[1]; i++ {
				covered[i] = true
			}
			result := q.FeedFrames(crypto(uint64(f[0]), msg[f[0]:f[1]]))
			want := assemble.NeedMore
			if !slices.Contains(covered, false) {
				want = assemble.Complete
			}
			if result.Outcome != want || want == assemble.Complete && !bytes.Equal(result.Message, msg) {
				t.Fatalf("seed %d: %v %v, want %v; frames %v", seed, result.Outcome, result.Code, want, frames)
			}
		}
	}
}

// usedMemory returns memory that is not zero: nothing may depend on what was in it.
func usedMemory(n int) []byte { return bytes.Repeat([]byte{0xff}, n) }

// anyPieces returns pieces {from, to} of n bytes in any order that cover all of them,
// most of them more than once.
func anyPieces(r *rand.Rand, n int) [][2]int {
	var pieces [][2]int
	size := 1 + r.IntN(1+n/(1+r.IntN(20)))
	for i := 0; i < n; {
		end := min(n, i+1+r.IntN(size))
		pieces = append(pieces, [2]int{i, end})
		i = end
	}
	for range r.IntN(2 * len(pieces)) {
		from := r.IntN(n)
		pieces = append(pieces, [2]int{from, from + 1 + r.IntN(min(size, n-from))})
	}
	if r.IntN(4) > 0 {
		r.Shuffle(len(pieces), func(i, j int) { pieces[i], pieces[j] = pieces[j], pieces[i] })
	} else {
		slices.Reverse(pieces)
	}
	return pieces
}

// TestQUICChanged changes one byte that comes twice: it is found in any order.
func TestQUICChanged(t *testing.T) {
	for seed := range uint64(1000) {
		r := rand.New(rand.NewPCG(seed, 9002))
		msg := handshake(1 + r.IntN(400))
		pieces := anyPieces(r, len(msg))
		at := 4 + r.IntN(len(msg)-4)
		pieces = slices.DeleteFunc(pieces, func(p [2]int) bool { return p[0] == 0 })
		pieces = append(pieces, [2]int{at, at + 1})
		changed := r.IntN(len(pieces))
		for !(pieces[changed][0] <= at && at < pieces[changed][1]) {
			changed = (changed + 1) % len(pieces)
		}
		others := 0
		for i, p := range pieces {
			if i != changed && p[0] <= at && at < p[1] {
				others++
			}
		}
		var q assemble.QUIC
		q.Reset(make([]byte, assemble.BufferSize(len(msg))))
		var result assemble.Result
		for i, p := range pieces {
			data := slices.Clone(msg[p[0]:p[1]])
			if i == changed {
				data[at-p[0]] ^= 0x80
			}
			result = q.FeedFrames(crypto(uint64(p[0]), data))
		}
		want := assemble.NeedMore // the first piece never comes
		if others > 0 {
			want = assemble.Refused
		}
		if result.Outcome != want {
			t.Fatalf("seed %d: %v %v, want %v", seed, result.Outcome, result.Code, want)
		}
	}
}

func TestParseQUICInitial(t *testing.T) {
	p := quicseal.Packet{Version: quicseal.V2, DCID: []byte("destination"), SCID: []byte("src"), Token: []byte("token"), Payload: make([]byte, 20)}
	want := assemble.QUICInitial{Version: quicseal.V2, DCID: p.DCID, SCID: p.SCID, Token: p.Token}
	sealed := p.Seal()
	early := p
	early.Type = quicseal.ZeroRTT
	for name, datagram := range map[string][]byte{
		"alone":               sealed,
		"after 0-RTT":         slices.Concat(early.Seal(), sealed),
		"before what follows": slices.Concat(sealed, []byte("trash")),
	} {
		got, ok := assemble.ParseQUICInitial(datagram)
		if diff := cmp.Diff(want, got); diff != "" || !ok {
			t.Errorf("%s: %v %s", name, ok, diff)
		}
	}
	for n := range sealed {
		if _, ok := assemble.ParseQUICInitial(sealed[:n:n]); ok {
			t.Errorf("taken with %d of %d bytes", n, len(sealed))
		}
	}
	short := slices.Clone(sealed)
	short[0] &= 0x7f
	if _, ok := assemble.ParseQUICInitial(short); ok {
		t.Error("a short header is taken for that of an Initial")
	}
	shortest := p
	shortest.NumberLen, shortest.Payload = 1, []byte{1, 1, 1} // 20 bytes with the tag
	if _, ok := assemble.ParseQUICInitial(shortest.Seal()); !ok {
		t.Error("the shortest Initial is not taken")
	}
	longID := p
	longID.DCID = make([]byte, 21)
	if _, ok := assemble.ParseQUICInitial(longID.Seal()); ok {
		t.Error("taken with a connection ID of 21 bytes")
	}
	p.DCID, p.Token = []byte("client"), nil
	if _, ok := assemble.ParseQUICInitial(p.Seal()); ok {
		t.Error("an Initial of a server is taken for one of a client")
	}
}

// TestQUICRandomBytes: whatever is fed, nothing panics, and what is plain stays plain.
func TestQUICRandomBytes(t *testing.T) {
	p := quicseal.Packet{Version: quicseal.V1, DCID: fromHex(t, sampleDCID), SCID: []byte("x"), Token: []byte("t"), Payload: crypto(0, handshake(50))}
	sealed := p.Seal()
	for seed := range uint64(20000) {
		r := rand.New(rand.NewPCG(seed, 9000))
		datagram := slices.Clone(sealed)
		for range r.IntN(4) {
			datagram[r.IntN(30)] = byte(r.Uint32())
		}
		datagram = datagram[:r.IntN(len(datagram)+1)]
		var q assemble.QUIC
		if result := q.Feed(datagram); result.Outcome == assemble.Complete && !bytes.Equal(datagram, sealed) {
			t.Fatalf("seed %d: complete", seed)
		}
		var frames assemble.QUIC
		frames.Reset(make([]byte, 100))
		payload := make([]byte, r.IntN(60))
		for i := range payload {
			payload[i] = []byte{0, 1, 2, 3, 6, 6, 6, 0x1c, 0x40, 0xff, byte(r.Uint32())}[r.IntN(11)]
		}
		for range 3 {
			frames.FeedFrames(payload)
		}
	}
}
