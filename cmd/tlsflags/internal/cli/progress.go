package cli

import (
	"io"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress is a progress bar on a terminal.
type progress struct {
	mu    sync.Mutex // Read and Write may be in two goroutines
	w     io.Writer  // nil if none is shown
	start time.Time  // of the input
	done  int64      // bytes
	bar   *progressbar.ProgressBar
	drawn bool
	part  *part // which tells the progress bar, or nil
}

// progressAfter is how long an input takes before its bar appears.
const progressAfter = time.Second

func newProgress(w io.Writer, wanted bool) *progress {
	if !wanted || !isTerminal(w) {
		return &progress{}
	}
	return &progress{w: w}
}

// begin starts over for an input of size bytes, -1 if that is unknown.
func (p *progress) begin(label string, size int64) {
	p.finish()
	if p.w == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.start, p.done = time.Now(), 0 // the bar's own clock starts with the first bytes
	p.bar = progressbar.NewOptions64(size,
		progressbar.OptionSetWriter(lateWriter{p}),
		progressbar.OptionSetDescription(printable(label)),
		progressbar.OptionShowBytes(true),
		progressbar.OptionUseIECUnits(true),
		progressbar.OptionSetWidth(30),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionSetSpinnerChangeInterval(0), // draw only from here
		progressbar.OptionClearOnFinish(),
	)
}

// add counts n more bytes of the input.
func (p *progress) add(n int) {
	if p.part != nil {
		p.part.progress(n)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += int64(n)
	if p.bar != nil {
		_ = p.bar.Set64(p.done) // the inspection does not depend on it
	}
}

// lateWriter draws the bar once the input has taken progressAfter.
type lateWriter struct{ *progress }

func (w lateWriter) Write(b []byte) (int, error) {
	if time.Since(w.start) < progressAfter {
		return len(b), nil
	}
	w.drawn = true
	return w.w.Write(b)
}

// clear removes the bar from the screen until more is read.
func (p *progress) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.drawn {
		_ = p.bar.Clear()
		p.drawn = false
	}
}

// finish removes the bar for good.
func (p *progress) finish() {
	p.clear()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bar = nil
}
