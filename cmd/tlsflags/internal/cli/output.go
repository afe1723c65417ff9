package cli

import (
	"errors"
	"fmt"
	"io"
	"syscall"
)

// errOutputClosed says that nobody reads standard output any more. An EPIPE alone does
// not: a connection has that error, too.
var errOutputClosed = errors.New("standard output was closed")

// output is standard output. It keeps why writing failed, since cobra drops the error
// for what it prints itself.
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

// outcome returns the error of a run that ended with err: a failed output is one, also
// where the run has dropped it or cobra has returned it.
func (o *output) outcome(err error) error {
	if o.err != nil && (err == nil || errors.Is(err, o.err)) {
		return &exitError{ExitInput, o.err}
	}
	return err
}
