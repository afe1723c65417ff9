package packets

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tlsflags/tlsflags/capture"
)

// TestBufferModel compares a Buffer with a list.
func TestBufferModel(t *testing.T) {
	const cost = 112
	rnd := rand.New(rand.NewPCG(1, 0))
	for _, limit := range []int{0, 1, cost, cost + 10, 3*cost - 1, 3 * cost, 3*cost + 1, 5000} {
		b := NewBuffer(limit)
		var model []int // frames
		sizes, sum := make(map[int]int), 0
		for frame := range 200 {
			frame *= 2
			n := rnd.IntN(20) * rnd.IntN(20)
			b.Add(frame, capture.Packet{Data: make([]byte, n), Length: frame})
			model, sizes[frame] = append(model, frame), cost+n
			for sum += cost + n; sum > limit && len(model) > 1; model = model[1:] {
				sum -= sizes[model[0]]
			}
			if len(b.packets) != len(model) || b.size != sum {
				t.Fatalf("limit %d, frame %d: %d packets, %d bytes; want %d, %d", limit, frame, len(b.packets), b.size, len(model), sum)
			}
			for at := range frame + 2 {
				p, ok := b.Packet(at)
				if want := slices.Contains(model, at); ok != want || ok && (p.Length != at || len(p.Data) != sizes[at]-cost) {
					t.Fatalf("limit %d, frame %d: packet %d is there: %t", limit, frame, at, ok)
				}
			}
		}
	}
}

// TestSetSize checks that a Set has a bit for each packet, and that packets are told apart.
func TestSetSize(t *testing.T) {
	for frame := range 200 {
		var s Set
		if s.Has(frame) {
			t.Errorf("the empty set has %d", frame)
		}
		s.Add(frame)
		if len(s) != frame/64+1 {
			t.Errorf("%d words for %d", len(s), frame)
		}
		for other := range 300 {
			if s.Has(other) != (other == frame) {
				t.Errorf("%d is in the set of %d: %t", other, frame, s.Has(other))
			}
		}
	}
}

// TestKeeperAround checks how many packets are kept before a hello and after it, in captures of
// each length.
func TestKeeperAround(t *testing.T) {
	for _, before := range []int{1, 63, 64, 65, 66, 127, 128, 129, 130, 200} {
		for _, late := range []int{0, 1, 63, 64, 65} {
			var got []int
			k := NewKeeper(func(frame int) { got = append(got, frame) })
			run(k, packetsOf(1, before+late))
			k.Select(&capture.Hello{Flow: 1, Frames: []int{before}})
			for frame := before + late + 1; frame <= before+late+100; frame++ {
				k.Add([]capture.FlowPart{{Flow: 1, Frames: []int{frame}}})
			}
			first := max(before-64, 1, before+late-127) // twice 64 packets are remembered
			want := span(first, before+64)
			if first > before {
				want = append([]int{before}, want...)
			}
			if !slices.Equal(got, want) || k.Cut != 0 {
				t.Errorf("%d packets before it, %d after: %d cut, got %v, want %v", before, late, k.Cut, got, want)
			}
		}
	}
}

// TestKeeperMixed compares what is kept of connections chosen at random with a sum over it.
func TestKeeperMixed(t *testing.T) {
	rnd := rand.New(rand.NewPCG(2, 0))
	sum := fnv.New32a()
	for range 300 {
		k := NewKeeper(func(frame int) { fmt.Fprintln(sum, frame) })
		k.flows.limit, k.kept.limit = 1+rnd.IntN(4), 1+rnd.IntN(100)
		for frame := 1; frame < 400; frame++ {
			flow := uint64(rnd.IntN(5))
			part := capture.FlowPart{Flow: flow, Frames: []int{frame}, SYN: rnd.IntN(50) == 0}
			if rnd.IntN(10) == 0 {
				part.Frames = []int{max(frame-2, 1), frame}
			}
			k.Add([]capture.FlowPart{part})
			if rnd.IntN(60) == 0 {
				k.Select(&capture.Hello{Flow: flow, Frames: []int{max(1, frame-rnd.IntN(100)), frame}})
			}
		}
		fmt.Fprintln(sum, k.Cut, k.flows.forgot, k.kept.forgot)
	}
	if got := sum.Sum32(); got != 0xfa946502 {
		t.Errorf("sum %#x", got)
	}
}

// TestMemory checks how much a Keeper remembers.
func TestMemory(t *testing.T) {
	k := NewKeeper(nil)
	if k.flows.limit != 32768 || k.kept.limit != 262144 {
		t.Errorf("%d flows, %d packets", k.flows.limit, k.kept.limit)
	}
	r := recent[int, int]{limit: 3}
	for i := range 10 {
		r.put(i, i)
		if len(r.young) > 3 || len(r.old) > 3 || r.forgot+len(r.young)+len(r.old) != i+1 {
			t.Errorf("after %d: %+v", i, r)
		}
	}
	if _, ok := r.get(2); ok || r.forgot != 6 {
		t.Errorf("%+v", r)
	}
	if v, ok := r.get(6); !ok || v != 6 || len(r.old) != 2 || len(r.young) != 2 {
		t.Errorf("an old one: %d, %t, %+v", v, ok, r)
	}
}

// TestWriterBytes compares a file with its bytes.
func TestWriterBytes(t *testing.T) {
	var b bytes.Buffer
	w := NewWriter(&b)
	for i, at := range []time.Time{time.Unix(0, 0), time.Unix(0, -1), time.Unix(0, math.MaxInt64), time.Unix(0, math.MaxInt64).Add(1), time.Unix(0, 1)} {
		p := capture.Packet{Data: make([]byte, i), Length: i / 2 * 3, Link: capture.LinkType(0x0102 + i/3), Time: at}
		if err := w.Write(p); err != nil {
			t.Fatal(err)
		}
	}
	if got := hex.EncodeToString(b.Bytes()); got != wantFile {
		t.Errorf("got %s", got)
	}
	for n := range b.Len() {
		w := NewWriter(&limited{n})
		var err error
		for i := 0; i < 5 && err == nil; i++ {
			err = w.Write(capture.Packet{Data: make([]byte, i), Link: capture.LinkType(0x0102 + i/3)})
		}
		if err != io.ErrShortWrite {
			t.Errorf("a file of %d bytes: %v", n, err)
		}
	}
}

// wantFile has a line for each block.
const wantFile = "0a0d0d0a1c0000004d3c2b1a01000000ffffffffffffffff1c000000" +
	"0100000020000000020100000000000009000100090000000000000020000000" +
	"0600000020000000000000000000000000000000000000000000000020000000" +
	"060000002400000000000000000000000000000001000000010000000000000024000000" +
	"060000002400000000000000ffffff7fffffffff02000000030000000000000024000000" +
	"0100000020000000030100000000000009000100090000000000000020000000" +
	"060000002400000001000000000000000000000003000000030000000000000024000000" +
	"060000002400000001000000000000000100000004000000060000000000000024000000"

// limited takes a number of bytes.
type limited struct{ left int }

func (l *limited) Write(b []byte) (int, error) {
	if len(b) > l.left {
		return 0, io.ErrShortWrite
	}
	l.left -= len(b)
	return len(b), nil
}
