package cli

import (
	"errors"
	"fmt"
	"io"

	"github.com/tlsflags/tlsflags/capture"
)

// inspectCapture shows the hellos of a capture. A fault inside a capture is only a warning, since
// what was read around it is right. A compressed file of something else is an error; if passOver
// is true, it is reported as other instead.
func (in *inspection) inspectCapture(source string, r *inputReader, passOver bool) (other bool, err error) {
	open := capture.Open
	if in.budget != nil {
		open = in.budget.Open
	}
	options := in.captureOptions()
	if in.part == nil && !r.flush && in.written.pcap == nil { // else others read, or hellos are printed as they arrive
		options.Workers = in.number()
	}
	c, err := open(r, options)
	switch {
	case err == capture.ErrFormat && passOver:
		return true, nil
	case err != nil:
		return false, in.fail(source, err)
	}
	in.counted()
	in.written.pcap.begin(c, in.again != nil)
	if err := in.rows(source, c, options.Workers > 1); err != nil {
		return false, err
	}
	stats := c.Stats()
	if err := in.inTurn(func(in *inspection) error { in.counts(source, stats); return nil }); err != nil {
		return false, err
	}
	if err := in.fault(source, c.Err()); err != nil {
		return false, err
	}
	return false, in.written.pcap.end(in, source, in.again)
}

// rows shows the hellos of a capture.
func (in *inspection) rows(source string, c *capture.Reader, several bool) (err error) {
	if out, ok := in.printer.(apartPrinter); ok && several && in.mayFormatApart() {
		in.groups = newGroups(in, source, out)
		defer func() {
			err = in.groups.end(err)
			in.groups = nil
		}()
	}
	for hello := range c.Hellos() {
		if err := in.found(source, hello); err != nil {
			return err
		}
	}
	return nil
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

// counts adds up the counts of a capture, and warns of what may be missing.
func (in *inspection) counts(source string, stats capture.Stats) {
	addStats(&in.summary.captures, stats)
	if text := warnings(&stats); text != "" {
		in.warn(source, text)
	}
}
