package cli

import (
	"context"
	"io"
	"os"
)

// await returns what f returns, or the error of the context when that is done first. f
// goes on then: nothing ends a read of a terminal or a pipe to which nobody writes.
func await[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := f()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// openFile opens a file, which for a named pipe takes until somebody writes to it.
func openFile(ctx context.Context, path string) (*os.File, error) {
	return await(ctx, func() (*os.File, error) { return os.Open(path) })
}

// interruptible is a reader of which reads end when the context is done. It cannot be
// read any more then, and what it was given to read into may still be written to.
type interruptible struct {
	ctx context.Context
	r   io.Reader
}

func (r interruptible) Read(b []byte) (int, error) {
	return await(r.ctx, func() (int, error) { return r.r.Read(b) })
}
