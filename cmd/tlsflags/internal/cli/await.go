package cli

import (
	"context"
	"fmt"
	"io"
	"os"
)

// await returns what f returns, or the error of the context if that is done first. Then f
// goes on: nothing ends a read of a terminal or of a pipe to which nobody writes.
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

// openFile opens a file. A named pipe opens when somebody opens it for writing.
func openFile(ctx context.Context, path string) (*os.File, error) {
	return await(ctx, func() (*os.File, error) { return os.Open(path) })
}

// readFile reads a file, which may be a named pipe. Its errors name the file.
func readFile(ctx context.Context, path string) ([]byte, error) {
	f, err := openFile(ctx, path)
	if err == nil {
		defer f.Close()
		var data []byte
		if data, err = io.ReadAll(interruptible{ctx, f}); err == nil {
			return data, nil
		}
	}
	return nil, fmt.Errorf("%s: %s", path, reason(err))
}

// interruptible is a reader whose reads end when the context is done. After that it cannot
// be read, and the buffer of the last read may still be written to.
type interruptible struct {
	ctx context.Context
	r   io.Reader
}

func (r interruptible) Read(b []byte) (int, error) {
	return await(r.ctx, func() (int, error) { return r.r.Read(b) })
}
