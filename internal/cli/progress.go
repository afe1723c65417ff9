package cli

import (
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress is a bar on a terminal for inputs that take long.
type progress struct {
	w     io.Writer // nil where none is shown
	start time.Time
	label string
	size  int64 // in bytes, -1 where it is unknown
	done  int64
	bar   *progressbar.ProgressBar // nil until it is worth showing
}

// progressAfter is how long an input takes before its bar appears.
const progressAfter = time.Second

func newProgress(w io.Writer, wanted bool) *progress {
	if !wanted || !isTerminal(w) {
		return &progress{}
	}
	return &progress{w: w}
}

// begin starts over for an input.
func (p *progress) begin(label string, size int64) {
	p.finish()
	*p = progress{w: p.w, start: time.Now(), label: label, size: size}
}

// add tells that n more bytes of the input were read.
func (p *progress) add(n int) {
	p.done += int64(n)
	if p.w == nil {
		return
	}
	if p.bar == nil {
		if time.Since(p.start) < progressAfter {
			return
		}
		p.bar = progressbar.NewOptions64(p.size,
			progressbar.OptionSetWriter(p.w),
			progressbar.OptionSetDescription(printable(p.label)),
			progressbar.OptionShowBytes(true),
			progressbar.OptionUseIECUnits(true),
			progressbar.OptionSetWidth(30),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionSetSpinnerChangeInterval(0), // draw only from here
			progressbar.OptionClearOnFinish(),
		)
	}
	// What cannot be drawn is no failure of the inspection.
	_ = p.bar.Set64(p.done)
}

// clear takes the bar from the screen until more is read.
func (p *progress) clear() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}

// finish takes the bar away for good.
func (p *progress) finish() {
	p.clear()
	p.bar = nil
}
