package cli

import (
	"bytes"
	"cmp"
	"context"
	"runtime"
	"sync"
	"unsafe"

	"github.com/spf13/pflag"

	"github.com/tlsflags/tlsflags/capture"
)

// With several workers, inputs are read at the same time, and printed one after the other, so
// that the output is that of one worker. Each input is a part with an inspection of its own,
// which reads it in a goroutine; whatever it has to tell (rows, warnings, counts) are steps
// that the inspection of the run takes when the part's turn has come. Until then the steps
// wait: no more than maxAhead bytes of them, beyond which readers wait.

const (
	// maxAhead is how many bytes of rows of all parts wait at most; maxFirst is how many of the
	// first part, for a slow output.
	maxAhead = 8 << 20
	maxFirst = 1 << 20
	// handedAt is how many bytes of rows are handed over together.
	handedAt = 32 << 10
)

// workerOptions are the flags of inspect for several goroutines.
type workerOptions struct {
	workers int
}

func (o *workerOptions) register(f *pflag.FlagSet) {
	f.IntVar(&o.workers, "workers", 0, "`number` of goroutines that read captures; 0 is for one a core")
}

func (o workerOptions) check() error {
	if o.workers < 0 {
		return usageError("--workers cannot be negative")
	}
	return nil
}

// number returns how many workers there are.
func (o workerOptions) number() int { return cmp.Or(o.workers, runtime.GOMAXPROCS(0)) }

// turns are the parts of a run.
type turns struct {
	budget  *capture.Budget
	slots   chan struct{} // one for each part that is read
	parts   chan *part    // in their order
	ended   sync.WaitGroup
	formats bool // parts print their rows

	mu      sync.Mutex
	moved   sync.Cond
	waiting int      // bytes
	err     error    // why the run ends early, or nil
	spare   [][]byte // memory for rows
}

// spareBuffer returns memory for rows.
func (t *turns) spareBuffer() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	last := len(t.spare) - 1
	if last < 0 {
		return make([]byte, 0, 2*handedAt)
	}
	b := t.spare[last]
	t.spare = t.spare[:last]
	return b
}

// reuse takes memory back.
func (t *turns) reuse(b []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.spare) < maxAhead/(2*handedAt) && cap(b) <= 4*handedAt {
		t.spare = append(t.spare, b[:0])
	}
}

// part is an input.
type part struct {
	turns   *turns
	formats bool // it prints its rows, to out

	// The following are of the goroutine that reads the part.
	local  []step       // that were not handed over
	size   int          // bytes of rows, of local
	out    bytes.Buffer // rows that are printed and not in local
	source string       // of them

	// The following are under the lock of turns.
	first   bool // it is the part's turn
	steps   []step
	waiting int // bytes, of steps
	read    int // bytes of the input that progress has not been told
	done    bool
	err     error // of the part
}

// step is a row, rows that are printed, or something else to do.
type step struct {
	source string
	hello  *capture.Hello
	rows   []byte
	do     func(*inspection) error
}

// apart inspects an input with f, in a part of its own if there are turns.
func (in *inspection) apart(f func(*inspection) error) error {
	t := in.turns
	if t == nil {
		return f(in)
	}
	p := &part{turns: t, formats: t.formats}
	p.out = *bytes.NewBuffer(t.spareBuffer())
	own := in.ofItsOwn(&p.out)
	own.part, own.budget, own.progress = p, t.budget, &progress{part: p}
	t.slots <- struct{}{}
	t.parts <- p
	t.ended.Go(func() {
		err := f(own)
		_ = own.inTurn(func(in *inspection) error { in.add(own); return nil }) // which returns nil
		p.hand(0)
		t.reuse(p.out.Bytes())
		t.mu.Lock()
		p.done, p.err = true, err
		t.moved.Broadcast()
		t.mu.Unlock()
		<-t.slots
	})
	return t.stopped()
}

// inTurn calls f with the inspection that prints, now or when the turn of the part has come.
func (in *inspection) inTurn(f func(*inspection) error) error {
	if in.part == nil {
		return f(in)
	}
	in.part.keepRows()
	in.part.local = append(in.part.local, step{do: f})
	return nil
}

// printed hands over rows that were printed, if they are enough.
func (p *part) printed(source string) error {
	p.source = source
	if p.out.Len() < handedAt {
		return nil
	}
	return p.hand(maxAhead)
}

// keepRows keeps the rows that were printed until the turn of the part has come.
func (p *part) keepRows() {
	if p.out.Len() == 0 {
		return
	}
	p.local = append(p.local, step{source: p.source, rows: p.out.Bytes()})
	p.size += p.out.Len()
	p.out = *bytes.NewBuffer(p.turns.spareBuffer())
}

// row keeps a hello until the turn of the part has come.
func (p *part) row(source string, h *capture.Hello) error {
	p.local = append(p.local, step{source: source, hello: h.Clone()})
	p.size += int(unsafe.Sizeof(*h)) + len(h.Message) + 8*(len(h.Frames)+len(h.Contradicts))
	if p.size < handedAt {
		return nil
	}
	return p.hand(maxAhead)
}

// hand hands over what is to be told, and waits if more than most bytes of rows are waiting
// then, or for the output if it is the part's turn. 0 is for no waiting.
func (p *part) hand(most int) error {
	p.keepRows()
	t := p.turns
	t.mu.Lock()
	defer t.mu.Unlock()
	p.steps = append(p.steps, p.local...)
	p.waiting += p.size
	t.waiting += p.size
	clear(p.local)
	p.local, p.size = p.local[:0], 0
	t.moved.Broadcast()
	for most > 0 && t.err == nil && (p.first && p.waiting > maxFirst || !p.first && t.waiting > most) {
		t.moved.Wait()
	}
	return t.err
}

// progress notes that n bytes of the input were read.
func (p *part) progress(n int) {
	p.turns.mu.Lock()
	defer p.turns.mu.Unlock()
	if p.read += n; p.first {
		p.turns.moved.Broadcast()
	}
}

func (t *turns) stopped() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

// stop ends the reading of all parts.
func (t *turns) stop(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err == nil {
		t.err = err
	}
	t.moved.Broadcast()
}

// next waits for steps of a part, or for its end, and returns them with the number of bytes that
// were read.
func (t *turns) next(p *part) (steps []step, read int, done bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p.first = true
	t.moved.Broadcast()
	for len(p.steps) == 0 && p.read == 0 && !p.done {
		t.moved.Wait()
	}
	steps, read = p.steps, p.read
	t.waiting -= p.waiting
	p.steps, p.waiting, p.read = nil, 0, 0
	return steps, read, p.done, p.err
}

// inspectAll inspects the arguments.
func (in *inspection) inspectAll(args []string) error {
	switch {
	case in.join:
		return in.joined(args)
	case in.number() > 1 && in.keys == nil && in.written.pcap == nil && (len(args) > 1 || len(args) == 1 && isDirectory(args[0])):
		return in.inspectInTurns(args)
	}
	for _, arg := range args {
		if err := in.input(arg); err != nil {
			return err
		}
	}
	return nil
}

// counted counts an input.
func (in *inspection) counted() {
	_ = in.inTurn(func(in *inspection) error { in.summary.inputs++; return nil }) // which returns nil
}

// begin starts the progress bar for an input of size bytes, -1 if that is unknown.
func (in *inspection) begin(label string, size int64) {
	_ = in.inTurn(func(in *inspection) error { in.progress.begin(label, size); return nil }) // likewise
}

// flush writes the rows so far.
func (in *inspection) flush() error {
	err := in.inTurn(func(in *inspection) error { return in.out.Flush() })
	if in.part != nil {
		return in.part.hand(maxAhead)
	}
	return err
}

// inspectInTurns inspects the arguments with several workers.
func (in *inspection) inspectInTurns(args []string) error {
	t := &turns{
		budget:  capture.NewBudget(in.captureOptions()),
		slots:   make(chan struct{}, in.number()),
		parts:   make(chan *part, in.number()),
		formats: in.mayFormatApart(),
	}
	t.moved.L = &t.mu
	stop := context.AfterFunc(in.cmd.Context(), func() { t.stop(in.cmd.Context().Err()) })
	defer stop()
	lister := &inspection{inspectOptions: in.inspectOptions, cmd: in.cmd, printer: in.printer, parts: in.parts, turns: t}
	t.ended.Go(func() {
		defer close(t.parts)
		for _, arg := range args {
			if lister.input(arg) != nil {
				return
			}
		}
	})
	var failed error
	for p := range t.parts {
		if failed == nil {
			if failed = in.take(t, p); failed != nil {
				t.stop(failed)
			}
		}
	}
	t.ended.Wait()
	return failed
}

// take takes the steps of a part until it ends.
func (in *inspection) take(t *turns, p *part) error {
	for {
		steps, read, done, err := t.next(p)
		in.progress.add(read)
		for _, s := range steps {
			if err := in.step(t, s); err != nil {
				return err
			}
		}
		if done {
			return err
		}
	}
}

// step takes a step.
func (in *inspection) step(t *turns, s step) error {
	switch {
	case s.do != nil:
		return s.do(in)
	case s.hello != nil:
		return in.found(s.source, s.hello)
	}
	err := in.printer.(apartPrinter).put(s.source, s.rows)
	t.reuse(s.rows)
	return err
}
