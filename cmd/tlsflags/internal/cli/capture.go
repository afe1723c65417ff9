package cli

import (
	"fmt"
	"strings"

	"github.com/tlsflags/tlsflags/capture"
)

// inspectCapture shows the hellos of a capture. What is wrong inside a capture is
// warned about: what comes before the fault, and between faults, is right.
func (in *inspection) inspectCapture(source string, r *inputReader) error {
	c, err := capture.Open(r, in.captureOptions())
	if err != nil {
		return in.fail(source, err)
	}
	in.summary.inputs++
	for hello := range c.Hellos() {
		if err := in.found(source, hello); err != nil {
			return err
		}
	}
	stats := c.Stats()
	in.summary.add(stats)
	if doubts := doubts(stats); doubts != "" {
		in.warn(source, doubts)
	}
	switch err := c.Err(); {
	case r.err != nil: // of the file, not of what it holds
		return in.fail(source, r.err)
	case err != nil:
		in.warn(source, fmt.Sprintf("%v; what came before it is shown", err))
	}
	return nil
}

// doubts lists why hellos of a capture may be missing.
func doubts(s capture.Stats) string {
	var parts []string
	for _, d := range []struct {
		what string
		n    int
	}{
		{"packets of an unknown link type", s.UnknownLink},
		{"broken packets", s.Broken},
		{"packets cut short by the capture", s.Truncated},
		{"packets with too many headers", s.TooDeep},
		{"hellos that never became whole", s.Incomplete},
		{"flows dropped to save memory", s.Evicted},
		{"packets that the kernel dropped", s.Dropped},
	} {
		if d.n > 0 {
			parts = append(parts, fmt.Sprintf("%s: %d", d.what, d.n))
		}
	}
	return strings.Join(parts, ", ")
}
