package capture

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tlsflags/tlsflags/corpus"
)

// memorySource is a source of packets in memory. Now and then it reads, as a file does.
type memorySource struct {
	packets []Packet
	rnd     *rand.Rand
	in      buffer
}

func (s *memorySource) buffered() *buffer { return &s.in }
func (s *memorySource) count(*Stats)      {}

func (s *memorySource) next() (Packet, error) {
	if s.in.swap != nil && s.rnd.IntN(5) == 0 {
		s.in.buf = s.in.swap(s.in.buf)
	}
	if len(s.packets) == 0 {
		return Packet{}, errStopped
	}
	p := s.packets[0]
	s.packets = s.packets[1:]
	return p, nil
}

// moved returns packets with other addresses, but for those in fragments and tunnels. Checksums
// stay what they are: one address grows as the other one shrinks.
func moved(packets []Packet, by uint16) (all []Packet) {
	var d decoder
	for _, p := range packets {
		p.Data = bytes.Clone(p.Data)
		if d.decode(p.Link, p.Data, max(p.Length, len(p.Data))) == isSegment && d.seg.header != nil && d.path.ips == 1 {
			low, high := d.seg.header[14:16], d.seg.header[18:20]
			if d.seg.src.compare(&d.seg.dst) > 0 {
				low, high = high, low
			}
			addOnes(low, by)
			addOnes(high, ^by)
		}
		all = append(all, p)
	}
	return all
}

// addOnes adds a number in ones' complement.
func addOnes(b []byte, n uint16) {
	sum := uint32(binary.BigEndian.Uint16(b)) + uint32(n)
	binary.BigEndian.PutUint16(b, uint16(sum+sum>>16))
}

// sequences are captures whose packets may be mixed with those of others.
func sequences(t *testing.T) (all [][]Packet) {
	for e := range corpus.OfKind(corpus.Captures) {
		all = append(all, packetsOf(t, e.Data()))
	}
	return append(all, carriedSequences()...)
}

func carriedSequences() (all [][]Packet) {
	for i, c := range carriedCases(messages{22, 1}) {
		var packets []Packet
		for _, b := range c.packets {
			packets = append(packets, Packet{Data: b, Link: LinkType(c.link), Time: time.Unix(int64(i), 0)})
		}
		all = append(all, packets)
	}
	return all
}

// mix returns the packets of some sequences in an order in which those of each stay as they are.
// Some come again with other addresses, some are lost, damaged or cut.
func mix(rnd *rand.Rand, from [][]Packet) (mixed []Packet) {
	var chosen [][]Packet
	for range 4 + rnd.IntN(12) {
		one := from[rnd.IntN(len(from))]
		chosen = append(chosen, one)
		if rnd.IntN(2) == 0 {
			chosen = append(chosen, moved(one, uint16(rnd.IntN(1<<16))))
		}
	}
	inOrder, now := rnd.IntN(2) == 0, time.Unix(1_700_000_000, 0)
	for len(chosen) > 0 {
		i := rnd.IntN(len(chosen))
		for range 1 + rnd.IntN(4) {
			if len(chosen[i]) == 0 {
				chosen = slices.Delete(chosen, i, i+1)
				break
			}
			p := chosen[i][0]
			chosen[i] = chosen[i][1:]
			if now = now.Add(time.Duration(rnd.ExpFloat64() * float64(100*time.Millisecond))); inOrder {
				p.Time = now
			}
			switch rnd.IntN(40) {
			case 0:
				continue
			case 1:
				p.Data = bytes.Clone(p.Data)
				p.Data[rnd.IntN(len(p.Data))] ^= 1 << rnd.IntN(8)
			case 2:
				p.Length = max(p.Length, len(p.Data))
				p.Data = p.Data[:rnd.IntN(len(p.Data))]
			}
			mixed = append(mixed, p)
		}
	}
	return mixed
}

// checkSeveral checks that several workers find in packets what one finds.
func checkSeveral(rnd *rand.Rand, o Options, packets []Packet) error {
	var want, got []Hello
	one := NewScanner(o)
	take := func(h *Hello) bool { want = append(want, keep(h)); return true }
	for _, p := range packets {
		one.Scan(p, take)
	}
	one.Flush(take)
	b := NewBudget(o)
	source := &memorySource{packets: packets, rnd: rand.New(rand.NewPCG(rnd.Uint64(), 0))}
	front := NewScanner(o)
	several := &Reader{source: source, scanner: front, share: b.join(&front.flows)}
	several.workers = newWorkers(b, o, several, source.buffered())
	for several.err == nil {
		for h := range several.Hellos() {
			if got = append(got, keep(h)); rnd.IntN(10) == 0 {
				break
			}
		}
	}
	for h := range several.Hellos() { // if the loop ended early at the end of the capture
		got = append(got, keep(h))
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.IgnoreUnexported(Hello{}), cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" {
		return fmt.Errorf("(-one +several)\n%.3000s", diff)
	}
	if diff := cmp.Diff(one.Stats(), several.Stats()); diff != "" {
		return fmt.Errorf("(-one +several)\n%s", diff)
	}
	return nil
}

var mixes = flag.Int("mixes", 20, "number of mixed captures of TestWorkersRandom")

// TestWorkersRandom checks that several workers find what one finds in mixed captures.
func TestWorkersRandom(t *testing.T) {
	from := sequences(t)
	for seed := range uint64(*mixes) {
		rnd := rand.New(rand.NewPCG(5, seed))
		o := Options{Workers: 2 + rnd.IntN(4), Checksums: Checksums(rnd.IntN(3)), MergePaths: rnd.IntN(4) == 0}
		if err := checkSeveral(rnd, o, mix(rnd, from)); err != nil {
			t.Fatalf("seed %d, %+v: %v", seed, o, err)
		}
	}
}

// TestWorkersCarried checks that several workers find what one finds in each carrier.
func TestWorkersCarried(t *testing.T) {
	rnd := rand.New(rand.NewPCG(6, 0))
	for _, packets := range carriedSequences() {
		packets = append(packets, moved(packets, uint16(rnd.IntN(1<<16)))...) // which fall to any worker
		if err := checkSeveral(rnd, Options{Workers: 3}, packets); err != nil {
			t.Fatal(err)
		}
	}
}
