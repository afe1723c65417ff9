// Command mutation changes a package in many small ways, one at a time, and lists the
// changes that its tests pass: there a test is missing, or the code is not needed.
//
//	mutation [flags] FOLDER...
//
// A package is built once, with all of its mutants in it, and an environment variable says
// which one runs. The tree is not changed. For each mutant the tests run that reach it,
// up to the first failure; a mutant that no test reaches survives.
//
// The mutants are: a comparison negated or moved by one, && and || exchanged, + - * / % and
// the operators of bits exchanged, an integer constant one more or less, a result zeroed,
// and a call, an assignment, a break or a case left out. Generated files have none, nor do
// declarations of constants, but their uses do. Durations of a microsecond or more have none.
//
// A change that makes no difference is marked beside the line, or above it:
//
//	for i <= n { //mutation:equivalent at n nothing is left to read
//
// Survivors of the line are listed as equivalent, and not counted. A mark on a line without
// survivors is reported, too.
//
// An interrupt ends the run with a report of what was tried, and exit code 1. The code is
// also 1 if fewer mutants are killed than -least says, and 2 after an error.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

type options struct {
	tests   string
	sample  int
	seed    int64
	workers int
	least   float64
}

func main() {
	var o options
	flag.StringVar(&o.tests, "tests", "", "folders of further tests, separated by commas, for what the package's own miss")
	flag.IntVar(&o.sample, "sample", 0, "how many mutants to try, chosen at random; 0 for all")
	flag.Int64Var(&o.seed, "seed", 1, "what the sample depends on")
	flag.IntVar(&o.workers, "workers", runtime.NumCPU(), "test programs that run at the same time")
	flag.Float64Var(&o.least, "least", 0, "percentage of mutants to be killed at least")
	flag.Parse()
	if flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := mutateAll(ctx, os.Stdout, os.Stderr, flag.Args(), o)
	stop()
	os.Exit(code)
}

// mutateAll reports on the packages in folders, and returns the exit code.
func mutateAll(ctx context.Context, w, errs io.Writer, folders []string, o options) int {
	code := 0
	for _, folder := range folders {
		score, err := mutate(ctx, w, folder, o)
		if ctx.Err() != nil {
			fmt.Fprintln(errs, "mutation: interrupted")
			return 1
		}
		if err != nil {
			fmt.Fprintln(errs, "mutation:", err)
			return 2
		}
		if score < o.least {
			code = 1
		}
	}
	return code
}

// mutate reports on the package in a folder, and returns how many per cent of its mutants
// are killed.
func mutate(ctx context.Context, w io.Writer, folder string, o options) (score float64, err error) {
	start, spent := time.Now(), processorTime()
	folder, err = filepath.Abs(folder)
	if err != nil {
		return 0, err
	}
	var others []string
	if o.tests != "" {
		for _, other := range strings.Split(o.tests, ",") {
			if other, err = filepath.Abs(other); err != nil {
				return 0, err
			}
			others = append(others, other)
		}
	}
	work, err := os.MkdirTemp("", "mutation")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(work)
	p, err := build(ctx, folder, others, work)
	if err != nil {
		return 0, err
	}
	if err := p.measure(ctx, work, 10*time.Minute); err != nil {
		return 0, err
	}
	outcomes := p.run(ctx, choose(len(p.mutants), o), o.workers)
	score = p.report(w, outcomes)
	fmt.Fprintf(w, "%s: %.1f %% killed, in %v; %v of processor time\n", filepath.Base(folder), score,
		time.Since(start).Round(time.Second), (processorTime() - spent).Round(time.Second))
	return score, nil
}

// processorTime returns how much the builds and tests that have ended took.
func processorTime() time.Duration {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_CHILDREN, &r) != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// choose returns the numbers of the mutants to try, in random order, so that those of an
// interrupted run are a sample, too.
func choose(n int, o options) []int {
	ids := rand.New(rand.NewSource(o.seed)).Perm(n)
	if o.sample > 0 && o.sample < n {
		ids = ids[:o.sample]
	}
	for i := range ids {
		ids[i]++
	}
	return ids
}

// report lists what is not killed, and returns how many per cent are.
func (p *program) report(w io.Writer, outcomes map[int]outcome) float64 {
	counts := make(map[outcome]int)
	equivalent := 0
	stale := make(map[string]bool) // marks, until a survivor is found
	for id := range outcomes {
		if m := p.mutants[id-1]; m.reason != "" {
			stale[fmt.Sprintf("%s:%d", m.file, m.line)] = true
		}
	}
	for _, id := range slices.Sorted(maps.Keys(outcomes)) {
		m, o := p.mutants[id-1], outcomes[id]
		place := fmt.Sprintf("%s:%d", m.file, m.line)
		if o == killed || o == looped {
			counts[o]++
			continue
		}
		if m.reason != "" {
			delete(stale, place)
			equivalent++
			fmt.Fprintf(w, "equivalent %s: %s: %s\n", place, m.what, m.reason)
			continue
		}
		counts[o]++
		fmt.Fprintf(w, "%-10s %s: %s\n", map[outcome]string{survived: "survived", unreached: "unreached"}[o], place, m.what)
	}
	if len(outcomes) == len(p.mutants) {
		for _, place := range slices.Sorted(maps.Keys(stale)) {
			fmt.Fprintf(w, "%s: marked as equivalent, and every change is noticed\n", place)
		}
	}
	for _, line := range p.left {
		fmt.Fprintf(w, "not tried: %s\n", line)
	}
	for _, s := range p.suites {
		if len(s.broken) > 0 {
			fmt.Fprintf(w, "tests that fail in the rewritten package, and were left out: %s\n", strings.Join(s.broken, " "))
		}
	}
	dead := counts[killed] + counts[looped]
	all := dead + counts[survived] + counts[unreached]
	fmt.Fprintf(w, "%d of %d mutants: %d killed, %d by the time limit, %d survived, %d unreached, %d equivalent\n",
		len(outcomes), len(p.mutants), counts[killed], counts[looped], counts[survived], counts[unreached], equivalent)
	if len(outcomes) == 0 {
		return 0 // nothing was tried
	}
	if all == 0 {
		return 100
	}
	return 100 * float64(dead) / float64(all)
}
