package capture

import (
	"fmt"
	"hash/fnv"
	mathrand "math/rand"
	"math/rand/v2"
	"net/netip"
	"os"
	"strings"
	"testing"
)

// shuffle sends some packets of a capture again, and exchanges others with the next one.
func shuffle(rnd *rand.Rand, packets []Packet) (shuffled []Packet) {
	for _, p := range packets {
		shuffled = append(shuffled, p)
		n := len(shuffled)
		switch rnd.IntN(20) {
		case 0:
			shuffled = append(shuffled, p)
		case 1:
			shuffled = append(shuffled, shuffled[rnd.IntN(n)])
		case 2, 3:
			if n > 1 {
				shuffled[n-1], shuffled[n-2] = shuffled[n-2], shuffled[n-1]
			}
		}
	}
	return shuffled
}

// allSequences has the sequences of packets that are mixed.
func allSequences(t *testing.T) [][]Packet {
	from := sequences(t)
	for _, packets := range connections() {
		var all []Packet
		for _, p := range packets {
			all = append(all, Packet{Data: p, Link: LinkTypeRaw})
		}
		from = append(from, all)
	}
	return from
}

// mixedCaptures calls see with captures and options chosen at random, and a number for each. It is
// the same with each run. There are no limits: which flow is evicted depends on the seed of a hash.
func mixedCaptures(n uint64, from [][]Packet, see func(seed uint64, o Options, packets []Packet)) {
	if testing.Short() {
		n /= 10
	}
	for seed := range n {
		rnd := rand.New(rand.NewPCG(9, seed))
		o := Options{Checksums: Checksums(rnd.IntN(3)), MergePaths: rnd.IntN(4) == 0}
		see(seed, o, shuffle(rnd, mix(rnd, from)))
	}
}

// comparedLines say what was found in each capture, with a sum over all of it.
type comparedLines struct{ strings.Builder }

func (b *comparedLines) add(seed uint64, what string, all ...any) {
	sum := fnv.New32a()
	fmt.Fprint(sum, all...)
	fmt.Fprintf(b, "%d\t%s\t%08x\n", seed, what, sum.Sum32())
}

func (b *comparedLines) compare(t *testing.T, name string) {
	if testing.Short() && !*update { // the rest is left out
		want, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(want[min(b.Len(), len(want)):])
	}
	CompareFile(t, name, b.String())
}

// TestMixed compares what is found in mixed captures with testdata/mixed.txt.
func TestMixed(t *testing.T) { CompareMixed(t, "mixed.txt", 1000, allSequences(t)) }

// CompareMixed mixes sequences of packets, and compares what is found with a file of testdata.
func CompareMixed(t *testing.T, name string, n uint64, from [][]Packet) {
	var b comparedLines
	mixedCaptures(n, from, func(seed uint64, o Options, packets []Packet) {
		found := outcomeWith(o, packets)
		s := found.stats
		b.add(seed, fmt.Sprintf("%d hellos, %d ambiguous", s.Hellos, s.Ambiguous), found.messages, found.rows, s)
	})
	b.compare(t, name)
}

// TestMixedTap compares what Reader.Tap says of mixed captures with testdata/mixed-tap.txt.
func TestMixedTap(t *testing.T) {
	var b comparedLines
	mixedCaptures(200, allSequences(t), func(seed uint64, o Options, packets []Packet) {
		r := &Reader{source: &memorySource{packets: packets}, scanner: NewScanner(o)}
		names := make(map[uint64]int) // of flows, whose numbers are random
		name := func(flow uint64) int {
			if _, ok := names[flow]; !ok {
				names[flow] = len(names)
			}
			return names[flow]
		}
		var seen strings.Builder
		n := 0
		r.Tap(func(frame int, p Packet, parts []FlowPart) {
			fmt.Fprintln(&seen, frame, len(p.Data))
			for _, part := range parts {
				n++
				fmt.Fprintln(&seen, name(part.Flow), part.Frames, part.SYN)
			}
		})
		for h := range r.Hellos() {
			fmt.Fprintln(&seen, name(h.Flow), h.Frames)
		}
		b.add(seed, fmt.Sprintf("%d parts of %d flows", n, len(names)), seen.String())
	})
	b.compare(t, "mixed-tap.txt")
}

// heard is a Follower that writes down what it is told.
type heard struct {
	strings.Builder
	rnd *rand.Rand
}

func (h *heard) Data(first bool, b []byte) (held int, more bool) {
	fmt.Fprintf(h, "%t %x\n", first, b)
	return h.rnd.IntN(200), h.rnd.IntN(50) > 0
}

func (h *heard) Lost() { fmt.Fprintln(h, "lost") }

// TestMixedFollow compares what Reader.Follow says of mixed captures with testdata/mixed-follow.txt.
func TestMixedFollow(t *testing.T) {
	var b comparedLines
	mixedCaptures(400, allSequences(t), func(seed uint64, o Options, packets []Packet) {
		r := &Reader{source: &memorySource{packets: packets}, scanner: NewScanner(o)}
		h := heard{rnd: rand.New(rand.NewPCG(10, seed))}
		n := 0
		err := r.Follow(func(src, dst netip.AddrPort) Follower {
			n++
			fmt.Fprintln(&h, src, dst)
			if h.rnd.IntN(10) == 0 {
				return nil
			}
			return &h
		})
		s := r.Stats()
		b.add(seed, fmt.Sprintf("%d connections", n), h.String(), s, err)
	})
	b.compare(t, "mixed-follow.txt")
}

// TestMixedParts compares what is found in mixed captures of which the parts are read apart with
// testdata/mixed-parts.txt.
func TestMixedParts(t *testing.T) {
	var b comparedLines
	mixedCaptures(50, allSequences(t), func(seed uint64, _ Options, packets []Packet) {
		rows, given := partRows(t, cut(t, packets, 3, mathrand.New(mathrand.NewSource(int64(seed)))))
		b.add(seed, fmt.Sprintf("%d rows, %d packets given", len(rows), given), rows)
	})
	b.compare(t, "mixed-parts.txt")
}
