package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"time"
)

// pollEvery is how often a file is looked at that may have grown.
const pollEvery = 200 * time.Millisecond

// growing reads a file to which another program still writes. At its end it waits for more,
// until the context is done. It fails if the file is replaced or truncated.
type growing struct {
	ctx  context.Context
	f    *os.File
	path string
	read int64
}

func (g *growing) Read(b []byte) (int, error) {
	for {
		err := g.changed() // before the last bytes of a file that was replaced are read
		n, readErr := g.f.Read(b)
		g.read += int64(n)
		switch {
		case n > 0:
			return n, nil
		case readErr != io.EOF:
			return 0, readErr
		case err != nil:
			return 0, err
		}
		select {
		case <-g.ctx.Done():
			return 0, g.ctx.Err()
		case <-time.After(pollEvery):
		}
	}
}

// changed returns why the file does not grow any more, or nil.
func (g *growing) changed() error {
	now, err := os.Stat(g.path)
	if errors.Is(err, os.ErrNotExist) {
		return errors.New("the file was removed; what it had is shown")
	}
	if err != nil {
		return err
	}
	info, err := g.f.Stat()
	switch {
	case err != nil:
		return err
	case !os.SameFile(info, now):
		return errors.New("the file was replaced; what the first one had is shown")
	case now.Size() < g.read:
		return errors.New("the file was truncated; what it had before is shown")
	}
	return nil
}
