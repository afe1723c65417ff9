package cli

import (
	"fmt"
	"strings"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/screen"
)

// summary counts what inspect came across in all its inputs.
type summary struct {
	inputs   int
	skipped  int // files in directories that are no captures
	captures capture.Stats
	chosen   bool // only some hellos are shown
	live     bool // the kernel may drop packets, which is said also if it did not
	helloCounts
}

// helloCounts counts rows.
type helloCounts struct {
	hellos    int // with those refused
	shown     int // of the rows, with those that name a doubt only
	withFlags int
	mtls      int
	refused   int
	expected  bool // a hello has the flag of --expect

	faults    int // rows that name a fault
	ambiguous int // rows that name a doubt
	doubts    [capture.ReasonCount]int
}

func (c *helloCounts) add(more *helloCounts) {
	c.hellos += more.hellos
	c.shown += more.shown
	c.withFlags += more.withFlags
	c.mtls += more.mtls
	c.refused += more.refused
	c.expected = c.expected || more.expected
	c.faults += more.faults
	c.ambiguous += more.ambiguous
	for r, n := range more.doubts {
		c.doubts[r] += n
	}
}

// text returns the parts that say something, in one line if it is wide enough.
func (s summary) text(width int) string {
	parts := []string{
		count(s.inputs, "input"), count(s.captures.Packets, "packet"), count(s.captures.Flows, "flow"),
		count(s.hellos, "hello"),
	}
	if s.chosen {
		parts = append(parts, fmt.Sprintf("%d shown", s.shown))
	}
	parts = append(parts,
		fmt.Sprintf("%d with tls_flags", s.withFlags),
		fmt.Sprintf("%d with request_mtls", s.mtls),
		fmt.Sprintf("%d refused", s.refused),
		fmt.Sprintf("%d incomplete", s.captures.Incomplete),
		fmt.Sprintf("%d evicted", s.captures.Evicted))
	for _, c := range captureCounts {
		n := *c.of(&s.captures)
		if c.use >= lost && c.key != "evicted" && n > 0 || c.key == "dropped" && s.live && n == 0 {
			parts = append(parts, c.text(&s.captures))
		}
	}
	if s.faults > 0 {
		parts = append(parts, fmt.Sprintf("%d with faults", s.faults))
	}
	if s.ambiguous > 0 {
		parts = append(parts, fmt.Sprintf("%d ambiguous (%s)", s.ambiguous, s.reasons()))
	}
	if s.skipped > 0 {
		parts = append(parts, count(s.skipped, "other file")+" skipped")
	}
	return screen.Fill(parts, ", ", "  ", width)
}

// reasons counts the doubts by their reason.
func (s summary) reasons() string {
	var parts []string
	for r, n := range s.doubts {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%s: %d", capture.Reason(r), n))
		}
	}
	return strings.Join(parts, ", ")
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
