package cli

import (
	"fmt"
	"strings"

	"github.com/tlsflags/tlsflags/capture"
)

// summary counts what inspect came across in all its inputs.
type summary struct {
	inputs     int
	skipped    int // files in directories that are no captures
	packets    int
	flows      int
	hellos     int // with those refused
	withFlags  int
	mtls       int
	refused    int
	evicted    int  // flows
	incomplete int  // hellos that began and never became whole; not in hellos
	expected   bool // a hello has the flag of --expect

	ambiguous int // rows that name a doubt
	doubts    [capture.ReasonCount]int
}

// add takes in the counts of a capture.
func (s *summary) add(c capture.Stats) {
	s.packets += c.Packets
	s.flows += c.Flows
	s.evicted += c.Evicted
	s.incomplete += c.Incomplete
}

// String is one line: the parts that say something.
func (s summary) String() string {
	parts := []string{
		count(s.inputs, "input"), count(s.packets, "packet"), count(s.flows, "flow"),
		count(s.hellos, "hello"),
		fmt.Sprintf("%d with tls_flags", s.withFlags),
		fmt.Sprintf("%d with request_mtls", s.mtls),
		fmt.Sprintf("%d refused", s.refused),
		fmt.Sprintf("%d incomplete", s.incomplete),
		fmt.Sprintf("%d dropped", s.evicted),
	}
	if s.ambiguous > 0 {
		parts = append(parts, fmt.Sprintf("%d ambiguous (%s)", s.ambiguous, s.reasons()))
	}
	if s.skipped > 0 {
		parts = append(parts, count(s.skipped, "other file")+" skipped")
	}
	return strings.Join(parts, ", ")
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
