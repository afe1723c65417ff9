package bench

import (
	"flag"
	"fmt"
	"math"
	"os"
	"testing"
	"text/tabwriter"

	"github.com/tlsflags/tlsflags/clienthello"
)

var ratios = flag.Bool("ratios", false, "measure the promised ratios, which takes half a minute")

// TestRatios measures what the project promises about its speed, prints it as a
// table and fails if a promise is broken. It compares times of one run on one
// machine: nothing depends on how fast that machine is.
func TestRatios(t *testing.T) {
	if !*ratios {
		t.Skip("run with -ratios, as make bench does")
	}
	if err := flag.Set("test.benchtime", "5ms"); err != nil {
		t.Fatal(err)
	}
	records := corpusHellos(t)
	hello := measure(overRecords(browserHello(t)))
	recorded := measure(overRecords(records...))
	quic := measure(quicTasks(t))
	empty := measure([]task{parseEmpty(1_000), parseEmpty(16_383), walkEmpty(1_000)})
	fields := measure(fieldTasks(browserHello(t)))

	printTable("Browser hello with 21 extensions, 1.8 KB", hello, parseAndHasFlag)
	printTable(fmt.Sprintf("The %d recorded hellos, all together", len(records)), recorded, parseAndHasFlag)
	printTable("A hello of Chromium in QUIC, and one Initial of it", quic, openInitials)
	printTable("Hellos with nothing but empty extensions", empty, 2)
	printTable("The browser hello: what it says, and its fingerprint", fields, 0)

	ours := hello[parseAndHasFlag]
	check(t, []promise{
		{"time of Parse+HasFlag / bare walk", ours.ns / hello[bareWalk].ns, 0, 1.25},
		{"time of uTLS / Parse+HasFlag", hello[uTLS].ns / ours.ns, 20, math.Inf(1)},
		{"time of Parse and 20 fields, lists to their ends / Parse+HasFlag", fields[1].ns / fields[0].ns, 0, 6},
		{"allocations of Parse and 20 fields", fields[1].allocs, 0, 0},
		{"time of JA4, without Parse / its two SHA-256", fields[3].ns / fields[2].ns, 0, 3},
		{"allocations of JA4", fields[3].allocs, 0, 0},
		{"time of Parse / bare walk, 1,000 empty extensions", empty[0].ns / empty[2].ns, 0, 1.3},
		{"time of 16,383 / 1,000 empty extensions", empty[1].ns / empty[0].ns, 0, 25},
		{"allocations of Parse+HasFlag", ours.allocs, 0, 0},
		{"allocations of 16,383 empty extensions", empty[1].allocs, 0, 0},
		{"time of a hello in QUIC / keys and opening with the standard library", quic[readInitials].ns / quic[openInitials].ns, 0, 1.5},
		{"allocations of a hello in QUIC", quic[readInitials].allocs, 0, 3},
		{"allocations of one Initial more", quic[readLaterInitial].allocs, 0, 0},
	})
}

// check prints the promises as a table and fails if one is broken.
func check(t *testing.T, promises []promise) {
	t.Helper()
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "Promise\tlimit\tmeasured")
	for _, p := range promises {
		fmt.Fprintf(out, "%s\t%s\t%.2f\n", p.what, p.limit(), p.measured)
		if !p.kept() {
			t.Errorf("%s is %.2f, promised is %s", p.what, p.measured, p.limit())
		}
	}
	out.Flush()
}

// A promise says between which limits a measured value lies.
type promise struct {
	what                string
	measured, low, high float64
}

func (p promise) kept() bool { return p.low <= p.measured && p.measured <= p.high }

func (p promise) limit() string {
	if math.IsInf(p.high, 1) {
		return fmt.Sprintf("at least %g", p.low)
	}
	return fmt.Sprintf("at most %g", p.high)
}

// A task is one thing to measure.
type task struct {
	name string
	run  func()
}

// overRecords returns a task for each peer, in their order: to read all the records.
func overRecords(records ...[]byte) []task {
	var tasks []task
	for _, p := range peers() {
		tasks = append(tasks, task{p.name, func() {
			for _, record := range records {
				p.read(record)
			}
		}})
	}
	return tasks
}

// parseEmpty returns the task to parse a hello with n empty extensions.
func parseEmpty(n int) task {
	msg := emptyExtensions(n)
	return task{fmt.Sprintf("tlsflags Parse, %d", n), func() { _, _, _ = clienthello.Parse(msg) }}
}

// walkEmpty returns the task to walk over the same extensions.
func walkEmpty(n int) task {
	msg := emptyExtensions(n)
	return task{fmt.Sprintf("bare walk over the headers, %d", n), func() { walk(msg, 0) }}
}

type result struct {
	name       string
	ns, allocs float64 // of one run
}

// measure returns the shortest time of several rounds for each task. The rounds
// take the tasks in turn, so that what else the machine does meets all of them.
func measure(tasks []task) []result {
	const rounds = 90
	results := make([]result, len(tasks))
	for i, task := range tasks {
		results[i] = result{task.name, math.Inf(1), testing.AllocsPerRun(100, task.run)}
	}
	for range rounds {
		for i, task := range tasks {
			r := testing.Benchmark(func(b *testing.B) {
				for b.Loop() {
					task.run()
				}
			})
			ns := float64(r.T.Nanoseconds()) / float64(r.N)
			results[i].ns = min(results[i].ns, ns)
		}
	}
	return results
}

// printTable prints the results; base is the place of the one that the others are
// compared with.
func printTable(title string, results []result, base int) {
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(out, "%s\tns\tallocs\tratio\t\n", title)
	for _, r := range results {
		fmt.Fprintf(out, "%s\t%.0f\t%.0f\t%.2f\t\n", r.name, r.ns, r.allocs, r.ns/results[base].ns)
	}
	out.Flush()
	fmt.Println()
}
