package cli

import (
	"bytes"
	"errors"
	"io"
	"sync"

	"github.com/tlsflags/tlsflags/capture"
)

// With several workers, rows are formatted in several goroutines, because that may take longer
// than to find them. A goroutine has an inspection of its own, which counts and prints what it is
// given; the inspection of the run writes what that has printed, in the order of the rows, and
// adds up the counts.

// apartPrinter is a printer whose rows others may format, since no row depends on others. Text
// is not: it has headings between rows.
type apartPrinter interface {
	printer
	// apart returns a printer that formats rows for put.
	apart(w io.Writer) printer
	// put writes rows of one source that a printer of apart has formatted.
	put(source string, rows []byte) error
}

func (p *jsonlPrinter) apart(w io.Writer) printer { return &jsonlPrinter{w: w, append: p.append} }

func (p *jsonlPrinter) put(_ string, rows []byte) error {
	_, err := p.w.Write(rows)
	return err
}

func (p *jsonPrinter) apart(w io.Writer) printer {
	return &jsonPrinter{w: w, append: p.append, printed: true}
}

func (p *jsonPrinter) put(_ string, rows []byte) error {
	if !p.printed {
		rows[0] = '['
	}
	p.printed = true
	_, err := p.w.Write(rows)
	return err
}

func (p *csvPrinter) apart(w io.Writer) printer {
	return &csvPrinter{w: w, bytes: p.bytes, headed: true}
}

func (p *csvPrinter) put(_ string, rows []byte) error {
	p.header()
	_, err := p.w.Write(rows)
	return err
}

func (p *fieldsCSV) apart(w io.Writer) printer {
	own := newFieldsCSV(w, p.fields)
	own.headed = true
	return own
}

func (p *fieldsCSV) put(_ string, rows []byte) error {
	p.header()
	_, err := p.w.Write(rows)
	return err
}

// mayFormatApart reports whether all that is done for a row may be done in any goroutine. A
// condition is of one goroutine; what counts values or writes files needs the order of the rows.
func (in *inspection) mayFormatApart() bool {
	if in.number() < 2 || in.keys != nil || len(in.conditions) > 0 || in.written.dir != "" || in.written.pcap != nil ||
		in.tally != nil || in.report.page != nil {
		return false
	}
	_, ok := in.printer.(apartPrinter)
	return ok || in.printer == nil
}

// ofItsOwn returns an inspection with counts of its own, which prints to w.
func (in *inspection) ofItsOwn(w io.Writer) *inspection {
	own := &inspection{inspectOptions: in.inspectOptions, cmd: in.cmd, parts: in.parts}
	if p, ok := in.printer.(apartPrinter); ok {
		own.printer = p.apart(w)
	}
	return own
}

// add adds the counts of an inspection of ofItsOwn, and sets them to 0.
func (in *inspection) add(own *inspection) {
	in.summary.helloCounts.add(&own.summary.helloCounts)
	own.summary.helloCounts = helloCounts{}
	if in.printer == nil {
		in.stats.merge(&own.stats)
		own.stats = flagStats{}
	}
}

// groups formats the rows of a capture in groups.
type groups struct {
	in     *inspection
	source string
	out    apartPrinter
	jobs   chan *group // to be formatted
	busy   []*group    // that are handed over and not written, in their order
	free   []*group
	now    *group // that is being filled, or nil
	all    sync.WaitGroup
}

// groupRows is how many rows a group has at most.
const groupRows = 64

// newGroups begins the formatting of rows.
func newGroups(in *inspection, source string, out apartPrinter) *groups {
	n := in.number()
	g := &groups{in: in, source: source, out: out, jobs: make(chan *group, 2*n)}
	for range cap(g.jobs) {
		g.free = append(g.free, newGroup(in))
	}
	for range n {
		g.all.Go(func() {
			for group := range g.jobs {
				group.format(source)
			}
		})
	}
	return g
}

// add adds a row. An error is one of the output.
func (g *groups) add(h *capture.Hello) error {
	if g.now == nil {
		if len(g.free) == 0 {
			if err := g.write(); err != nil {
				return err
			}
		}
		last := len(g.free) - 1
		g.now, g.free = g.free[last], g.free[:last]
	}
	number := g.in.counter.next(g.source, false)
	if len(g.now.rows) == 0 {
		g.now.first = number
	}
	if g.now.add(h); len(g.now.rows) == groupRows || len(g.now.bytes) >= handedAt {
		g.hand()
	}
	return nil
}

func (g *groups) hand() {
	g.jobs <- g.now
	g.busy = append(g.busy, g.now)
	g.now = nil
}

// write writes the oldest group.
func (g *groups) write() error {
	group := g.busy[0]
	<-group.done
	g.busy = g.busy[:copy(g.busy, g.busy[1:])]
	g.in.add(group.own)
	var err error
	if group.out.Len() > 0 {
		err = g.out.put(g.source, group.out.Bytes())
	}
	err = errors.Join(err, group.err)
	group.reset()
	g.free = append(g.free, group)
	return err
}

// end writes the rest, and ends the goroutines. After an error, nothing more is written.
func (g *groups) end(err error) error {
	if g.now != nil {
		g.hand()
	}
	for len(g.busy) > 0 && err == nil {
		err = g.write()
	}
	close(g.jobs)
	g.all.Wait()
	return err
}

// group is rows that follow each other, and how they are printed.
type group struct {
	first  int // number of the first row
	rows   []capture.Hello
	bytes  []byte // memory of rows, like the following
	ints   []int
	faults []capture.Fault

	own  *inspection
	out  bytes.Buffer
	err  error
	done chan struct{} // gets a value when they are printed
}

func newGroup(in *inspection) *group {
	g := &group{done: make(chan struct{}, 1)}
	g.own = in.ofItsOwn(&g.out)
	return g
}

func (g *group) add(h *capture.Hello) {
	c := *h
	c.Message = keepIn(&g.bytes, h.Message)
	c.QUIC.DCID, c.QUIC.SCID = keepIn(&g.bytes, h.QUIC.DCID), keepIn(&g.bytes, h.QUIC.SCID)
	c.Frames, c.Contradicts = keepIn(&g.ints, h.Frames), keepIn(&g.ints, h.Contradicts)
	c.Faults = keepIn(&g.faults, h.Faults)
	g.rows = append(g.rows, c)
}

// keepIn appends v to memory, and returns the copy.
func keepIn[T any](memory *[]T, v []T) []T {
	n := len(*memory)
	*memory = append(*memory, v...)
	return (*memory)[n:len(*memory):len(*memory)]
}

// format prints the rows.
func (g *group) format(source string) {
	g.own.counter = counter{source, g.first - 1}
	for i := range g.rows {
		if g.err = g.own.found(source, &g.rows[i]); g.err != nil {
			break
		}
	}
	g.done <- struct{}{}
}

func (g *group) reset() {
	clear(g.rows)
	g.rows, g.bytes, g.ints, g.faults = g.rows[:0], g.bytes[:0], g.ints[:0], g.faults[:0]
	if g.out.Reset(); g.out.Cap() > 1<<20 || cap(g.bytes) > 1<<20 { // of long messages
		g.out, g.bytes = bytes.Buffer{}, nil
	}
}
