package cli

import (
	"fmt"

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
	stats, err := c.Stats(), c.Err()
	if r.err == nil && err != nil && stats.Cut+stats.Damaged == 0 {
		stats.Cut = 1
	}
	in.counts(source, stats)
	switch {
	case r.err != nil: // of the file, not of what it holds
		return in.fail(source, r.err)
	case err != nil:
		in.warn(source, fmt.Sprintf("%v; what came before it is shown", err))
	}
	return nil
}

// counts adds up the counts of a capture, and warns of what may be missing.
func (in *inspection) counts(source string, stats capture.Stats) {
	addStats(&in.summary.captures, stats)
	if text := warnings(&stats); text != "" {
		in.warn(source, text)
	}
}
