package capture

import (
	"io"
	"sync"
	"sync/atomic"
)

// Budget is shared by several Readers, which together hold no more connections and bytes than
// its limits. Each Reader belongs to one goroutine at a time; all of them may use the Budget at
// once.
//
// A Reader borrows from the Budget in small parts. At the limit it evicts flows of its own in
// which no hello is expected. Then it asks the Reader that holds most, if that is another one,
// to evict flows; that Reader does so between two packets. If it is waiting for input, the
// Reader that asks evicts those flows itself. A Reader whose loop is busy with a hello is not
// asked; if all others are, the Reader that asks evicts flows of its own.
//
// The loop over a Reader's hellos may therefore wait for other Readers.
type Budget struct {
	limits Options // of all together

	mu     sync.Mutex
	moved  sync.Cond // a share has given, or is not running any more
	flows  int       // that are not lent
	bytes  int       // likewise
	shares []*share
}

// lentPart says how much a table borrows at a time: a 256th of the limit, or more if it needs more.
const lentPart = 256

// NewBudget returns a budget with the limits MaxFlows and MaxMemory of o.
func NewBudget(o Options) *Budget {
	t := table{limits: o}
	b := &Budget{limits: o, flows: t.maxFlows(), bytes: t.maxMemory()}
	b.limits.MaxFlows, b.limits.MaxMemory = b.flows, b.bytes
	b.moved.L = &b.mu
	return b
}

// Open is as the function [Open], for a Reader that shares the budget. Its own limits do not
// count. After its last hello, the Reader holds nothing.
func (b *Budget) Open(r io.Reader, o Options) (*Reader, error) {
	s := NewScanner(o)
	sh := b.join(&s.flows)
	source, err := open(sharedReader{r, sh})
	if err != nil {
		sh.end()
		return nil, err
	}
	c := newReader(source, s, o)
	c.share = sh
	if o.Workers > 1 {
		c.workers = newWorkers(b, o, c, source.buffered())
	}
	return c, nil
}

// shareState says who may evict the flows of a table.
type shareState uint8

const (
	shareIdle    shareState = iota // anybody, under the lock of the budget
	shareRunning                   // its goroutine, between two packets
	shareAway                      // nobody for now
)

// share is the part of a budget that a table has borrowed. The lock of the budget guards its
// fields; the goroutine of a running table reads them without it.
type share struct {
	budget *Budget
	table  *table
	state  shareState
	giving bool        // it does not borrow
	flows  int         // lent
	bytes  int         // lent
	asked  atomic.Bool // another share needs some of it
}

func (b *Budget) join(t *table) *share {
	b.mu.Lock()
	defer b.mu.Unlock()
	t.share = &share{budget: b, table: t}
	b.shares = append(b.shares, t.share)
	return t.share
}

// set changes the state of a share, and gives some of it back if another share needs it.
func (sh *share) set(state shareState) {
	b := sh.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	sh.state = state
	if sh.asked.Load() && state != shareAway {
		sh.give()
	}
	b.moved.Broadcast()
}

// give returns what the table does not need, and evicts flows for that.
func (sh *share) give() {
	t := sh.table
	sh.giving = true
	t.makeRoom(nil, sh.flows/sweepPart, sh.bytes/sweepPart)
	sh.giving = false
	sh.shrink(t.flows.n, t.held())
	sh.asked.Store(false)
}

// shrink gives back what is lent beyond a number of flows and bytes.
func (sh *share) shrink(flows, bytes int) {
	sh.budget.flows += sh.flows - flows
	sh.budget.bytes += sh.bytes - bytes
	sh.flows, sh.bytes = flows, bytes
}

// end gives back all. The table is empty then.
func (sh *share) end() {
	b := sh.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	sh.shrink(0, 0)
	sh.state = shareAway
	for i := range b.shares {
		if b.shares[i] == sh {
			b.shares[i] = b.shares[len(b.shares)-1]
			b.shares = b.shares[:len(b.shares)-1]
			break
		}
	}
	b.moved.Broadcast()
}

// borrow reports whether the budget has what a table lacks for a number of flows and bytes.
func (sh *share) borrow(flows, bytes int) bool {
	if sh.giving {
		return false
	}
	sh.budget.mu.Lock()
	defer sh.budget.mu.Unlock()
	return sh.lend(flows, bytes)
}

func (sh *share) lend(flows, bytes int) bool {
	b := sh.budget
	flows += sh.table.flows.n - sh.flows
	bytes += sh.table.held() - sh.bytes
	if flows > b.flows || bytes > b.bytes {
		return false
	}
	if flows > 0 {
		flows = min(max(flows, b.limits.MaxFlows/lentPart), b.flows)
		b.flows, sh.flows = b.flows-flows, sh.flows+flows
	}
	if bytes > 0 {
		bytes = min(max(bytes, b.limits.MaxMemory/lentPart), b.bytes)
		b.bytes, sh.bytes = b.bytes-bytes, sh.bytes+bytes
	}
	return true
}

// ask is borrow that makes shares which hold more give some back first.
func (sh *share) ask(flows, bytes int) bool {
	if sh.giving {
		return false
	}
	b := sh.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	state := sh.state
	sh.state = shareAway // so that two that ask do not wait for each other
	b.moved.Broadcast()
	defer func() { sh.state = state }()
	for !sh.lend(flows, bytes) {
		richest := sh
		byFlows := flows+sh.table.flows.n-sh.flows > b.flows
		for _, other := range b.shares {
			if other.state != shareAway && other.amount(byFlows) > richest.amount(byFlows) {
				richest = other
			}
		}
		if richest == sh {
			return false
		}
		before := richest.amount(byFlows)
		richest.asked.Store(true)
		if richest.state == shareIdle {
			richest.give()
		}
		for richest.state == shareRunning && richest.asked.Load() {
			b.moved.Wait()
		}
		if richest.state != shareAway && richest.amount(byFlows) >= before {
			return false
		}
	}
	return true
}

// amount returns what is lent: flows or bytes.
func (sh *share) amount(flows bool) int {
	if flows {
		return sh.flows
	}
	return sh.bytes
}

// pause gives what another share needs. It is called between two packets.
func (sh *share) pause() {
	if sh != nil && sh.asked.Load() {
		sh.set(shareRunning)
	}
}

// sharedReader reads the input of a Reader, during which its flows may be evicted.
type sharedReader struct {
	io.Reader
	*share
}

func (r sharedReader) Read(b []byte) (int, error) {
	if r.state == shareRunning {
		r.set(shareIdle)
		defer r.set(shareRunning)
	}
	return r.Reader.Read(b)
}

// bracket returns yield for the Hellos of a Reader, which is running but while yield is called.
func (sh *share) bracket(yield func(*Hello) bool) func(*Hello) bool {
	sh.set(shareRunning)
	return func(h *Hello) bool {
		sh.set(shareAway)
		defer sh.set(shareRunning)
		return yield(h)
	}
}

// settle lets go of all that the Reader holds but its counts.
func (r *Reader) settle() {
	total := r.scanner.Stats()
	r.share.end()
	if r.workers != nil {
		for _, each := range r.workers.each {
			total.add(each.scanner.Stats())
			each.share.end()
		}
		r.workers.each = nil
	}
	r.source.(fileSource).buffered().release()
	r.scanner = &Scanner{stats: total, flows: table{evicted: total.Evicted}}
}
