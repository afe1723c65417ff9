package capture

import (
	"slices"
	"testing"
)

// TestAccountLevels checks that levels rise with what is held, in steps of a quarter or less.
func TestAccountLevels(t *testing.T) {
	level := func(held int) int { return (&account{held: held}).level() }
	if got := (*account)(nil).level(); got != 0 {
		t.Errorf("none: %d", got)
	}
	for held, want := range map[int]bool{0: false, 8 << 10: false, 8<<10 + 1: true, 1 << 30: true} {
		if got := level(held) > 0; got != want {
			t.Errorf("%d bytes are little: %t", held, !got)
		}
	}
	for held := 8<<10 + 1; held < 1<<20; held++ {
		if level(held+1) < level(held) || level(held+held/4+1) <= level(held) {
			t.Fatalf("%d bytes: %d; %d: %d; %d: %d", held, level(held), held+1, level(held+1), held+held/4+1, level(held+held/4+1))
		}
	}
}

func TestBegunBytes(t *testing.T) {
	for n, want := range map[int]uint8{-1: 2, 0: 2, 255: 2, 256: 3, 511: 3, 512: 4, 1 << 17: 12} {
		if got := begunBytes(n); got != want {
			t.Errorf("%d bytes: %d, want %d", n, got, want)
		}
	}
}

func TestGoneFlows(t *testing.T) {
	var g goneFlows
	key := func(n uint64) uint64 { return n<<32 | n }
	if g.has(key(1)) {
		t.Error("has a flow before one was added")
	}
	g.add(key(1), 1)
	g.add(key(2), 1)
	if !g.has(key(1)) || !g.has(key(2)) || g.has(key(3)) {
		t.Errorf("has %t, %t, %t", g.has(key(1)), g.has(key(2)), g.has(key(3)))
	}
}

// TestQueue pushes and removes flows, and compares what is left.
func TestQueue(t *testing.T) {
	var q queue
	flows := make([]flow, 4)
	check := func(want ...*flow) {
		t.Helper()
		var got []*flow
		for f := q.oldest; f != nil; f = f.newer {
			got = append(got, f)
		}
		var back []*flow
		for f := q.newest; f != nil; f = f.older {
			back = append(back, f)
		}
		if slices.Reverse(back); !slices.Equal(got, want) || !slices.Equal(back, want) || q.n != len(want) {
			t.Errorf("%d flows, from the oldest %v, from the newest %v; want %v", q.n, got, back, want)
		}
	}
	a, b, c, d := &flows[0], &flows[1], &flows[2], &flows[3]
	for _, f := range []*flow{a, b, c, d} {
		q.push(f)
	}
	check(a, b, c, d)
	q.remove(b)
	check(a, c, d)
	q.remove(a)
	check(c, d)
	q.remove(d)
	check(c)
	q.push(a)
	check(c, a)
	q.remove(c)
	q.remove(a)
	check()
}
