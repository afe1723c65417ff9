package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A suite is the test program of a folder.
type suite struct {
	folder, binary string
	tests          []test
	broken         []string // tests that fail without a mutant, such as those of inlining
}

type test struct {
	name    string
	took    time.Duration
	reaches map[int]bool // mutants
}

// An outcome is what became of a mutant.
type outcome int

const (
	survived outcome = iota
	unreached
	killed
	looped // ended by the time limit
)

// memory is how much a test may use, in KiB: a mutant may fill it without end.
const memory = 8 << 20

// command runs tests of a suite with a mutant.
func (p *program) command(ctx context.Context, s *suite, id int, env string, args ...string) *exec.Cmd {
	script := fmt.Sprintf(`ulimit -v %d; exec "$0" "$@"`, memory)
	cmd := exec.CommandContext(ctx, "sh", append([]string{"-c", script, s.binary}, args...)...)
	cmd.Dir = s.folder
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", p.variable, id), env)
	cmd.WaitDelay = time.Second
	return cmd
}

// measure runs each test alone, to see how long it takes and which mutants it reaches.
func (p *program) measure(ctx context.Context, work string, limit time.Duration) error {
	for _, s := range p.suites {
		out, err := p.command(ctx, s, 0, "", "-test.list=.").Output()
		if err != nil {
			return fmt.Errorf("%s: %w", s.folder, err)
		}
		for _, name := range strings.Fields(string(out)) {
			if strings.HasPrefix(name, "Benchmark") {
				continue
			}
			reached := filepath.Join(work, "reached")
			if err := os.Remove(reached); err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
			limited, cancel := context.WithTimeout(ctx, limit)
			start := time.Now()
			err := p.command(limited, s, -1, "MUTANT_REACHED="+reached, "-test.run=^"+name+"$").Run()
			took := time.Since(start)
			cancel()
			if interrupted(ctx, err) {
				return errInterrupted
			}
			if err != nil {
				s.broken = append(s.broken, name)
				continue
			}
			t := test{name, took, make(map[int]bool)}
			data, _ := os.ReadFile(reached) // there is none if nothing is reached
			for _, line := range strings.Fields(string(data)) {
				var id int
				if _, err := fmt.Sscan(line, &id); err == nil {
					t.reaches[id] = true
				}
			}
			s.tests = append(s.tests, t)
		}
		slices.SortFunc(s.tests, func(a, b test) int { return int(a.took - b.took) })
	}
	return nil
}

var errInterrupted = errors.New("interrupted")

// interrupted reports whether a test program did not end by itself: ctx has ended, or an
// interrupt from the terminal, which goes to the test programs too, came to it first.
func interrupted(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		return true
	}
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signal() == syscall.SIGINT
}

// try runs the tests that reach a mutant, the quick ones before the others. It returns
// errInterrupted if a test was interrupted.
func (p *program) try(ctx context.Context, id int) (outcome, error) {
	const quick = 300 * time.Millisecond // for as many tests as fit
	result := unreached
	for _, s := range p.suites {
		var batches [2][]string
		var sums [2]time.Duration
		for _, t := range s.tests {
			if !t.reaches[id] {
				continue
			}
			i := 0
			if sums[0]+t.took > quick && len(batches[0]) > 0 {
				i = 1
			}
			batches[i] = append(batches[i], t.name)
			sums[i] += t.took
		}
		for i, names := range batches {
			if len(names) == 0 {
				continue
			}
			result = survived
			limit := 10*time.Second + 10*sums[i]
			limited, cancel := context.WithTimeout(ctx, limit)
			err := p.command(limited, s, id, "", "-test.failfast", "-test.run=^("+strings.Join(names, "|")+")$").Run()
			expired := limited.Err() != nil
			cancel()
			if interrupted(ctx, err) {
				return 0, errInterrupted
			}
			if expired {
				return looped, nil
			}
			if err != nil {
				return killed, nil
			}
		}
	}
	return result, nil
}

// run tries mutants in several processes, and returns what became of each. When ctx ends,
// it is of those that were tried to the end by then.
func (p *program) run(ctx context.Context, ids []int, workers int) map[int]outcome {
	outcomes := make(map[int]outcome)
	var mu sync.Mutex
	var wg sync.WaitGroup
	queue := make(chan int)
	for range workers {
		wg.Go(func() {
			for id := range queue {
				o, err := p.try(ctx, id)
				if err != nil {
					continue
				}
				mu.Lock()
				outcomes[id] = o
				mu.Unlock()
			}
		})
	}
	for _, id := range ids {
		if ctx.Err() != nil {
			break
		}
		queue <- id
	}
	close(queue)
	wg.Wait()
	return outcomes
}
