package capture_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/tlsflags/tlsflags/capture"
)

// halvesFile is a capture of the first halves of n hellos, and then of the second ones. With
// several pairs, each hello has addresses of its own.
func halvesFile(n int, pairs bool) []byte {
	var packets [][]byte
	stream := records(helloOf(halfHello), 1<<14)
	for half := range 2 {
		for i := range n {
			src, port := peer(1<<20), i+1
			if pairs {
				src, port = peer(1<<21+i), 1
			}
			at := half * len(stream) / 2
			packets = append(packets, ipv4(src, server, 6, tcp(port, 443, 1+at, ack, stream[at:at+len(stream)/2+half])))
		}
	}
	return rawPcap(packets...)
}

// rawPcap writes IP packets into a capture.
func rawPcap(packets ...[]byte) []byte {
	file := pcap(binary.LittleEndian, false, packets...)
	binary.LittleEndian.PutUint32(file[20:], uint32(capture.LinkTypeRaw))
	return file
}

// pausing is a reader that calls a function before each Read.
type pausing struct {
	io.Reader
	before func(n int)
	n      int
}

func (p *pausing) Read(b []byte) (int, error) {
	p.before(p.n)
	p.n++
	return p.Reader.Read(b[:min(len(b), 4096)])
}

func openIn(t *testing.T, b *capture.Budget, r io.Reader) *capture.Reader {
	t.Helper()
	c, err := b.Open(r, capture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func countHellos(c *capture.Reader) (n int) {
	for range c.Hellos() {
		n++
	}
	return n
}

// TestBudgetOfOne checks that one Reader can borrow all of a budget, also after another one
// that has ended, and that the limits hold.
func TestBudgetOfOne(t *testing.T) {
	const n, more = 500, 20
	file := halvesFile(n, true)
	for _, o := range []capture.Options{{MaxMemory: capture.DefaultMaxMemory / 100_000 * (n + more)}, {MaxFlows: n + more}} {
		b := capture.NewBudget(o)
		idle := openIn(t, b, bytes.NewReader(halvesFile(more, true)))
		for range idle.Hellos() {
			break
		}
		for range 2 {
			c := openIn(t, b, bytes.NewReader(file))
			if found := countHellos(c); found != n {
				t.Errorf("%+v: found %d hellos of %d; %+v", o, found, n, c.Stats())
			}
		}
		if rest := countHellos(idle); rest != more-1 {
			t.Errorf("%+v: the first Reader found %d more; %+v", o, rest, idle.Stats())
		}
		if !b.Whole() {
			t.Error("not all was given back")
		}
		small := capture.NewBudget(capture.Options{MaxMemory: o.MaxMemory / 2, MaxFlows: o.MaxFlows / 2})
		c := openIn(t, small, bytes.NewReader(file))
		if found := countHellos(c); found >= n || c.Stats().Evicted == 0 {
			t.Errorf("%+v: found %d hellos in half of it; %+v", o, found, c.Stats())
		}
	}
}

// TestBudgetGives checks that a Reader that holds most gives some of it while it waits for its
// input, so that another one finds all of its hellos, and none if its caller is busy with a
// hello.
func TestBudgetGives(t *testing.T) {
	const large, small = 2000, 100
	o := capture.Options{MaxMemory: capture.DefaultMaxMemory * large / 100_000}
	first := halvesFile(large, false)
	for name, inHello := range map[string]bool{"between packets": false, "in a hello": true} {
		t.Run(name, func(t *testing.T) {
			b := capture.NewBudget(o)
			other := openIn(t, b, bytes.NewReader(halvesFile(small, true)))
			found := -1
			try := func() {
				if found < 0 {
					done := make(chan int)
					go func() { done <- countHellos(other) }()
					found = <-done
				}
			}
			c := openIn(t, b, &pausing{Reader: bytes.NewReader(first), before: func(n int) {
				if !inHello && n == len(first)/2/4096 {
					try()
				}
			}})
			for range c.Hellos() {
				if inHello {
					try()
				}
			}
			if evicted := c.Stats().Evicted; !inHello && (found != small || evicted == 0) || inHello && evicted != 0 {
				t.Errorf("the small capture had %d hellos of %d; %d flows of the large one were evicted", found, small, evicted)
			}
			if !b.Whole() {
				t.Error("not all was given back")
			}
		})
	}
}

// TestBudgetOfMany checks that many Readers that need more than there is all come to an end.
func TestBudgetOfMany(t *testing.T) {
	b := capture.NewBudget(capture.Options{MaxMemory: 1 << 20, MaxFlows: 300})
	files := [][]byte{halvesFile(400, false), halvesFile(400, true), halvesFile(20, true)}
	var all sync.WaitGroup
	for i := range 6 {
		all.Go(func() {
			rnd := rand.New(rand.NewPCG(1, uint64(i)))
			for range 5 {
				c, err := b.Open(bytes.NewReader(files[rnd.IntN(len(files))]), capture.Options{})
				if err != nil {
					t.Error(err)
					return
				}
				n := countHellos(c)
				if s := c.Stats(); s.Hellos != n || n == 0 {
					t.Errorf("%d hellos; %+v", n, s)
				}
			}
		})
	}
	all.Wait()
	if !b.Whole() {
		t.Error("not all was given back")
	}
}
