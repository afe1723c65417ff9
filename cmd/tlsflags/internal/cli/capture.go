package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/tlsflags/tlsflags/capture"
)

// inspectCapture shows the hellos of a capture. What is wrong inside a capture is
// warned about: what comes before the fault, and between faults, is right. A compressed file of
// something else is an error; if passOver is true, it is reported as other instead.
func (in *inspection) inspectCapture(source string, r *inputReader, passOver bool) (other bool, err error) {
	c, err := capture.Open(r, in.captureOptions())
	switch {
	case err == capture.ErrFormat && passOver:
		return true, nil
	case err != nil:
		return false, in.fail(source, err)
	}
	in.summary.inputs++
	for hello := range c.Hellos() {
		if err := in.found(source, hello); err != nil {
			return false, err
		}
	}
	in.counts(source, c.Stats())
	return false, in.fault(source, c.Err())
}

// counts adds up the counts of a capture, and warns of what may be missing.
func (in *inspection) counts(source string, stats capture.Stats) {
	in.summary.add(stats)
	if doubts := doubts(stats); doubts != "" {
		in.warn(source, doubts)
	}
}

// fault tells what was wrong with a capture: damage is warned about, but a file that cannot be
// read fails.
func (in *inspection) fault(source string, err error) error {
	switch {
	case err == nil:
	case errors.Is(err, io.ErrUnexpectedEOF):
		in.warn(source, fmt.Sprintf("%v; what came before it is shown", err))
	case errors.Is(err, capture.ErrDamaged):
		in.warn(source, fmt.Sprintf("%v; the rest is shown", err))
	default:
		return in.fail(source, err)
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
