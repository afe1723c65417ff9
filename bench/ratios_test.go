package bench

import (
	"flag"
	"fmt"
	"math"
	"os"
	"testing"
	"text/tabwriter"
)

var ratios = flag.Bool("ratios", false, "measure the promised ratios, which takes half a minute")

// TestRatios measures what the project promises about its speed, prints it as a
// table and fails where a promise is broken. It compares times of one run on one
// machine: nothing depends on how fast that machine is.
func TestRatios(t *testing.T) {
	if !*ratios {
		t.Skip("run with -ratios, as make bench does")
	}
	hello := measure(t, peers(browserHello(t)))
	floor, ours, peer := hello[0], hello[2], hello[3]
	empty := measure(t, emptyBlocks())

	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(out, "\nBrowser hello, 21 extensions, 1.8 KB\tns\tallocs\ttimes ours\t\n")
	for _, r := range hello {
		fmt.Fprintf(out, "%s\t%.0f\t%.0f\t%.2f\t\n", r.name, r.ns, r.allocs, r.ns/ours.ns)
	}
	for _, r := range empty {
		fmt.Fprintf(out, "%s\t%.0f\t%.0f\t\t\n", r.name, r.ns, r.allocs)
	}
	fmt.Fprintf(out, "\nPromise\tlimit\tmeasured\t\t\n")
	promise := func(what string, measured, limit float64, atLeast bool) {
		sign, kept := "at most", measured <= limit
		if atLeast {
			sign, kept = "at least", measured >= limit
		}
		verdict := "ok"
		if !kept {
			verdict = "BROKEN"
			t.Errorf("%s: %.2f, promised %s %g", what, measured, sign, limit)
		}
		fmt.Fprintf(out, "%s\t%s %g\t%.2f\t%s\t\n", what, sign, limit, measured, verdict)
	}
	promise("time of Parse+HasFlag / bare walk", ours.ns/floor.ns, 1.5, false)
	promise("time of uTLS / Parse+HasFlag", peer.ns/ours.ns, 20, true)
	promise("time of 16,383 / 1,000 empty extensions", empty[1].ns/empty[0].ns, 25, false)
	promise("allocations of Parse+HasFlag", ours.allocs, 0, false)
	promise("allocations of 16,383 empty extensions", empty[1].allocs, 0, false)
	if err := out.Flush(); err != nil {
		t.Fatal(err)
	}
}

type result struct {
	name       string
	ns, allocs float64 // of one reading
}

// measure returns the shortest time of several rounds for each peer. The rounds
// take the peers in turn, so that what else the machine does meets all of them.
func measure(t *testing.T, peers []peer) []result {
	t.Helper()
	if err := flag.Set("test.benchtime", "200ms"); err != nil {
		t.Fatal(err)
	}
	results := make([]result, len(peers))
	for i, p := range peers {
		results[i] = result{p.name, math.Inf(1), testing.AllocsPerRun(100, func() { p.read() })}
	}
	for range 7 {
		for i, p := range peers {
			r := testing.Benchmark(func(b *testing.B) {
				for b.Loop() {
					p.read()
				}
			})
			ns := float64(r.T.Nanoseconds()) / float64(r.N)
			results[i].ns = min(results[i].ns, ns)
		}
	}
	return results
}
