package bench

import (
	"flag"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

var quiet = flag.Bool("quiet", false, "with -ratios: nothing else runs, so that elapsed times are checked, too")

// shape is a capture that the command shapes writes, and what inspect may cost on it: the CPU
// time of each format with one worker, relative to the bare loop, and the elapsed time with a
// worker for each core, relative to that with one.
type shape struct {
	name    string
	flows   int
	limits  map[string]float64
	elapsed map[string]float64
}

// With more flows the ratios are the same, or lower.
var shapes = []shape{
	{"one", 1, nil, nil}, // of one packet: what a start costs
	{"bulk", 10_000, map[string]float64{"stats": 3, "text": 4, "csv": 5, "jsonl": 5}, map[string]float64{"stats": 0.8, "jsonl": 0.6}},
	{"short", 100_000, map[string]float64{"stats": 7, "text": 12, "csv": 16, "jsonl": 20}, nil},
	{"quic", 40_000, map[string]float64{"stats": 25, "text": 30, "csv": 33, "jsonl": 35}, nil},
}

var formats = []string{"stats", "text", "csv", "jsonl"}

// TestInspectRatios compares the CPU time of tlsflags inspect for captures of three shapes
// with that of a loop that only reads and decodes them, and checks how much memory inspect
// needs, with a worker for each core. Each runs in a process of its own.
func TestInspectRatios(t *testing.T) {
	if !*ratios {
		t.Skip("run with -ratios, as make bench does")
	}
	dir := t.TempDir()
	build(t, dir, "./cmd/tlsflags", "./bench/shapes")
	var promises []promise
	var tables []string
	for _, s := range shapes {
		more, table := s.measure(t, dir)
		promises, tables = append(promises, more...), append(tables, table)
	}
	check(t, promises)
	if *document != "" {
		writeDocument(t, tables)
	}
}

// build builds commands of this repository.
func build(t *testing.T, dir string, commands ...string) {
	t.Helper()
	c := exec.Command("go", append([]string{"build", "-o", dir}, commands...)...)
	c.Dir = ".."
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// measure prints what inspect and the loops cost on a shape, and returns the promises and a
// table.
func (s shape) measure(t *testing.T, dir string) ([]promise, string) {
	t.Helper()
	file := filepath.Join(dir, s.name+".pcap")
	if out, err := exec.Command(filepath.Join(dir, "shapes"), s.name, strconv.Itoa(s.flows), file).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	defer os.Remove(file)
	program := filepath.Join(dir, "tlsflags")
	runs := append([]run{{name: "cat", program: "cat"}, loop("bare")}, inspections(program, "1")...)
	if s.name == "quic" {
		runs = append(runs, loop("open"))
	}
	if *document != "" {
		runs = append(runs, others(program)...)
	}
	n := len(runs)
	used := measureRuns(t, append(runs, inspections(program, "0")...), file)
	used, several := used[:n], used[n:]

	const bare, inspect, open = 1, 2, 6
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("%s: %d MB, %d flows\n", s.name, info.Size()>>20, s.flows)
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(out, "\tms\tratio\tMB\telapsed\t")
	for i, u := range used {
		fmt.Fprintf(out, "%s\t%d\t%.1f\t%d\t%d\t\n", runs[i].name, u.cpu.Milliseconds(), u.over(used[bare]), u.memory>>20, u.elapsed.Milliseconds())
	}
	for i, u := range several {
		fmt.Fprintf(out, "%s, %d workers\t%d\t%.1f\t%d\t%d\t\n", formats[i], runtime.NumCPU(), u.cpu.Milliseconds(), u.over(used[bare]), u.memory>>20, u.elapsed.Milliseconds())
	}
	out.Flush()
	table := s.table(info.Size(), runs, used)
	if s.limits == nil {
		return nil, table
	}

	var promises []promise
	for i, format := range formats {
		u := used[inspect+i]
		promises = append(promises,
			promise{fmt.Sprintf("%s: time of %s / bare loop", s.name, format), u.over(used[bare]), 0, s.limits[format]},
			promise{fmt.Sprintf("%s: MB resident of %s", s.name, format), float64(max(u.memory, several[i].memory)) / (1 << 20), 0, 64})
		if limit := s.elapsed[format]; limit > 0 && *quiet && runtime.NumCPU() > 1 {
			promises = append(promises, promise{fmt.Sprintf("%s: elapsed time of %s, a worker for each core / one worker", s.name, format),
				float64(several[i].elapsed) / float64(u.elapsed), 0, limit})
		}
	}
	if s.name == "quic" {
		promises = append(promises, promise{"quic: time of stats / bare loop, keys and opening with the standard library",
			used[inspect].over(used[open]), 0, 1.6})
	}
	return promises, table
}

// inspections returns a run of inspect for each format.
func inspections(program, workers string) []run {
	list := make([]run, len(formats))
	for i, format := range formats {
		option := "-f " + format
		if format == "stats" {
			option = "--stats"
		}
		args := append([]string{"inspect", "--quiet", "--workers", workers}, strings.Fields(option)...)
		list[i] = run{name: "inspect " + option, program: program, args: args}
	}
	return list
}

// run is a program with its arguments, to which a file is added.
type run struct {
	name, program string
	args          []string
	once          bool // it takes too long for five times
}

// loop is a run of TestLoop.
func loop(name string) run {
	return run{name: name + " loop", program: os.Args[0], args: []string{"-test.run=^TestLoop$"}}
}

// usage is how much time and memory a process used.
type usage struct {
	cpu     time.Duration
	elapsed time.Duration
	memory  int64 // most bytes resident at a time, 0 if unknown
}

// over returns the CPU time relative to that of another.
func (u usage) over(other usage) float64 { return float64(u.cpu) / float64(other.cpu) }

// measureRuns runs programs five times, in turn. It returns the lowest times of each, because
// other programs can only add to them, and the highest memory.
func measureRuns(t *testing.T, runs []run, file string) []usage {
	t.Helper()
	used := make([]usage, len(runs))
	for i := range used {
		used[i].cpu, used[i].elapsed = math.MaxInt64, math.MaxInt64
	}
	for round := range 5 {
		for i, r := range runs {
			if round > 0 && r.once {
				continue
			}
			c := exec.Command(r.program, append(r.args, file)...)
			if loop, ok := strings.CutSuffix(r.name, " loop"); ok {
				c = exec.Command(r.program, r.args...)
				c.Env = append(os.Environ(), "LOOP="+loop, "LOOP_FILE="+file)
			}
			var stderr strings.Builder
			c.Stderr = &stderr
			begin := time.Now()
			if err := c.Run(); err != nil {
				t.Fatalf("%v: %v\n%s", c.Args, err, &stderr)
			}
			used[i].elapsed = min(used[i].elapsed, time.Since(begin))
			used[i].cpu = min(used[i].cpu, c.ProcessState.UserTime()+c.ProcessState.SystemTime())
			used[i].memory = max(used[i].memory, residentMemory(c.ProcessState))
		}
	}
	return used
}
