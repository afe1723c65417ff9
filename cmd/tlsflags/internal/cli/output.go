package cli

import (
	"errors"
	"fmt"
	"io"
	"syscall"
)

// errOutputClosed says that nobody reads standard output any more. EPIPE alone does not
// say so: a connection returns it, too.
var errOutputClosed = errors.New("standard output was closed")

// output is standard output. It keeps the error of a failed write, which cobra drops.
type output struct {
	io.Writer
	err error
}

func (o *output) Write(b []byte) (int, error) {
	n, err := o.Writer.Write(b)
	switch {
	case err == nil:
		return n, nil
	case errors.Is(err, syscall.EPIPE):
		err = errOutputClosed
	default:
		err = fmt.Errorf("standard output: %s", reason(err))
	}
	if o.err == nil {
		o.err = err
	}
	return n, err
}

// outcome returns the error of a run that ended with err. If the output failed, and err is
// nil or that failure, outcome returns the failure with the code ExitInput.
func (o *output) outcome(err error) error {
	if o.err != nil && (err == nil || errors.Is(err, o.err)) {
		return &exitError{ExitInput, o.err}
	}
	return err
}
