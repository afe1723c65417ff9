// Command liverate replays a capture on one end of a pair of interfaces, and captures with
// tlsflags inspect on the other:
//
//	liverate NAMESPACE FLOWS FILE COMMAND [BASE]
//
// It sends from veth1 in a network namespace, and captures on veth0 in its own, at 200 and at
// 500 Mbit/s, three times each. It fails unless COMMAND finds a hello in each flow, no packet is
// lost, and 99 of 100 rows are out within 100 ms of the last packet of their hello. BASE is
// another tlsflags, which is measured beside it. scripts/live_rate.sh calls it.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	rounds  = 3
	longest = 100 * time.Millisecond // for 99 of 100 rows
	silence = 3 * time.Second        // after which no more rows are expected
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "liverate:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 4 && len(args) != 5 {
		return errors.New("usage: liverate NAMESPACE FLOWS FILE COMMAND [BASE]")
	}
	flows, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	const columns = "%-8s %9s %7v %10v %8v %9v %9v %9v %6v\n"
	fmt.Printf(columns, "program", "Mbit/s", "hellos", "lost", "CPU s", "p50 ms", "p99 ms", "max ms", "load")
	missed := 0
	for _, rate := range []string{"200", "500"} {
		for range rounds {
			for i, program := range args[3:] {
				c := capturing{command: program}
				if err := c.measure(exec.Command("ip", "netns", "exec", args[0], "tcpreplay", "-q", "--mbps="+rate, "-i", "veth1", args[2]), flows); err != nil {
					return err
				}
				name := []string{"this", "base"}[i]
				p50, p99 := c.quantile(50), c.quantile(99)
				fmt.Printf(columns, name, rate, len(c.delays), c.lost, seconds(c.cpu), milliseconds(p50), milliseconds(p99), milliseconds(c.quantile(100)), load())
				if i == 0 && (len(c.delays) != flows || c.lost != "0" || p99 > longest) {
					missed++
				}
			}
		}
	}
	if missed > 0 {
		return fmt.Errorf("in %d of %d rounds hellos or packets were missing, or rows came late", missed, 2*rounds)
	}
	return nil
}

// capturing is a run of tlsflags inspect.
type capturing struct {
	command string
	delays  []time.Duration // of the rows, from the packet that completed the hello
	lost    string          // packets, as the summary says
	cpu     time.Duration
}

// measure captures what send sends.
func (c *capturing) measure(send *exec.Cmd, flows int) error {
	inspect := exec.Command(c.command, "inspect", "-i", "veth0", "-f", "jsonl")
	var errs bytes.Buffer
	inspect.Stderr = &errs
	rows, err := inspect.StdoutPipe()
	if err != nil {
		return err
	}
	if err := inspect.Start(); err != nil {
		return err
	}
	defer inspect.Process.Kill() // if it is still there
	delays := make(chan time.Duration, flows)
	go read(rows, delays)
	if err := listening(); err != nil {
		return err
	}
	if out, err := send.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", send, err, out)
	}
	for waiting := true; waiting && len(c.delays) < flows; {
		select {
		case d, ok := <-delays:
			if waiting = ok; ok {
				c.delays = append(c.delays, d)
			}
		case <-time.After(silence):
			waiting = false
		}
	}
	if err := inspect.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	for d := range delays { // to the end of its output
		c.delays = append(c.delays, d)
	}
	if err := inspect.Wait(); err != nil {
		return fmt.Errorf("%w\n%s", err, &errs)
	}
	c.cpu = inspect.ProcessState.UserTime() + inspect.ProcessState.SystemTime()
	c.lost = "0"
	if m := regexp.MustCompile(`(\d+) packets? dropped by the kernel|the kernel dropped: (\d+)`).FindStringSubmatch(errs.String()); m != nil {
		c.lost = m[1] + m[2]
	}
	slices.Sort(c.delays)
	return nil
}

// read reads rows, and says how late each is.
func read(rows io.Reader, delays chan<- time.Duration) {
	defer close(delays)
	for r := bufio.NewReader(rows); ; {
		line, err := r.ReadBytes('\n')
		now := time.Now()
		if err != nil {
			return
		}
		var row struct{ Time time.Time }
		if json.Unmarshal(line, &row) == nil {
			delays <- now.Sub(row.Time)
		}
	}
}

// listening waits until there is a packet socket in this namespace, and a little longer, for
// its filter.
func listening() error {
	for range 200 {
		list, err := os.ReadFile("/proc/net/packet")
		if err != nil {
			return err
		}
		if bytes.Count(list, []byte("\n")) > 1 {
			time.Sleep(500 * time.Millisecond)
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return errors.New("inspect opens no socket")
}

func (c *capturing) quantile(percent int) time.Duration {
	if len(c.delays) == 0 {
		return 0
	}
	return c.delays[(len(c.delays)-1)*percent/100]
}

func seconds(d time.Duration) string      { return fmt.Sprintf("%.2f", d.Seconds()) }
func milliseconds(d time.Duration) string { return fmt.Sprintf("%.1f", float64(d.Microseconds())/1000) }

// load returns how many processes wanted to run in the last minute.
func load() string {
	text, _ := os.ReadFile("/proc/loadavg")
	first, _, _ := strings.Cut(string(text), " ")
	return first
}
