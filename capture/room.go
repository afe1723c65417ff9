package capture

import (
	"cmp"
	"hash/maphash"
	"math"
	"math/bits"
	"slices"
)

const (
	// flowCost is what a flow takes of the memory: itself, its places in the table and in
	// room.
	flowCost = 448
	// placeCost is what a flow in a place takes besides, without the key of the place.
	placeCost = 256
	// decidedFlows and finishedFlows limit the flows in these queues, over all workers of a Reader.
	decidedFlows  = 1 << 15
	finishedFlows = 1 << 12

	// sweepPart is the part of the limits that a sweep frees, so that sweeps are rare.
	sweepPart = 16
	// manyCandidates is the number from which on the memory of candidates is freed after a sweep.
	manyCandidates = 1 << 12
	// recentPart is the part of the flows that a sweep spares because they were active last.
	recentPart = 8
	// smallBytes is the most that a small account holds: more than a hello of 2 kB takes, with
	// any carrier.
	smallBytes = 8 << 10
)

// room decides which flows are evicted when memory or flows are at their limit. Those in
// which no hello is expected go first, the oldest before others. If that is not enough, a
// sweep adds up what each address pair and each outer path (the addresses of the outermost
// header of a tunnel) holds. The one that holds most loses flows until it no longer holds most.
// If all hold little, the flows with the least progress are evicted, the oldest before others.
type room struct {
	candidates []candidate
	accounts   []account // by hash, or in the next place that was free
	seed       maphash.Seed
}

// account is what an address pair or an outer path holds.
type account struct {
	hash uint64 // 0 if the place is free
	held int    // bytes
}

// level returns how much an account holds, in steps of a quarter or less; 0 is little.
func (a *account) level() int {
	if a == nil || a.held <= smallBytes {
		return 0
	}
	size := bits.Len(uint(a.held))
	return size<<2 | a.held>>(size-3)&3
}

// candidate is a flow that may be evicted.
type candidate struct {
	flow       *flow
	pair, path *account // path is nil outside of tunnels
	recent     bool
	evicted    bool
	progress   uint8
	key        uint16 // those with the lowest are evicted first
}

// spared is the key of a candidate that is not to be evicted.
const spared = math.MaxUint16

// held returns the bytes that all flows hold.
func (t *table) held() int { return t.memory + t.flows.n*flowCost + t.placeMemory }

// cost returns the bytes that a flow holds.
func (f *flow) cost() int {
	n := flowCost + f.place.cost()
	for i := range f.halves {
		if st := f.halves[i].stream; st != nil {
			n += st.charged
		}
	}
	for ss := f.session; ss != nil; ss = ss.shadow {
		n += ss.charged
	}
	if d := f.doubt; d != nil {
		if n += d.charged; d.rival != nil && d.rival.stream != nil {
			n += d.rival.stream.charged
		}
	}
	if f.packet != nil {
		n += f.packet.charged
	}
	if f.followed != nil {
		n += f.followed.charged
	}
	return n
}

// makeRoom evicts flows, but not keep, until a number of flows and of bytes fit in. It
// reports whether they do.
func (t *table) makeRoom(keep *flow, flows, bytes int) bool {
	for t.lack(flows, bytes) {
		if t.share != nil && t.share.borrow(flows, bytes) {
			continue
		}
		if oldest := cmp.Or(t.decided.oldestBut(keep), t.finished.oldestBut(keep)); oldest != nil {
			t.evict(oldest)
			continue
		}
		if t.share != nil && t.share.ask(flows, bytes) {
			continue
		}
		before, most := t.flows.n, t.maxMemory()
		freeFlows, freeBytes := flows, bytes
		if before+flows > t.maxFlows() {
			freeFlows = max(flows, t.maxFlows()/sweepPart)
		}
		if t.held()+bytes > most {
			freeBytes = max(bytes, most/sweepPart)
		}
		if t.sweep(keep, freeFlows, freeBytes); t.flows.n == before {
			return false
		}
	}
	return true
}

// oldestBut returns the oldest flow but keep.
func (q *queue) oldestBut(keep *flow) *flow {
	if q.oldest == keep && keep != nil {
		return keep.newer
	}
	return q.oldest
}

// lack reports whether a number of flows and of bytes do not fit in.
func (t *table) lack(flows, bytes int) bool {
	return t.flows.n+flows > t.maxFlows() || t.held()+bytes > t.maxMemory()
}

// sweep evicts flows, but not keep, until a number of flows and of bytes fit in, if that is
// possible.
func (t *table) sweep(keep *flow, flows, bytes int) {
	t.refillPools(math.MaxInt)
	t.addUp(keep)
	for t.lack(flows, bytes) {
		if top := t.markLargest(); top > 0 {
			t.evictMarked(top, flows, bytes)
			continue
		}
		for i := range t.candidates {
			c := &t.candidates[i]
			c.key = uint16(c.progress)
			if c.recent {
				c.key += 1 << 8
			}
		}
		t.evictMarked(0, flows, bytes)
		break
	}
	t.refillPools(0)
	clear(t.candidates)
	if t.candidates = t.candidates[:0]; cap(t.candidates) > manyCandidates {
		t.candidates, t.accounts = nil, nil
	}
}

// addUp lists the candidates, from the oldest of each queue on, and adds up what accounts
// hold.
func (t *table) addUp(keep *flow) {
	size := 1 << bits.Len(uint(t.flows.n+len(t.places))*4/3)
	if len(t.accounts) != size {
		t.accounts = make([]account, size)
	}
	clear(t.accounts)
	t.candidates = slices.Grow(t.candidates, t.flows.n)
	t.seed = maphash.MakeSeed()
	for _, q := range [...]*queue{&t.decided, &t.finished, &t.waiting, &t.holding} {
		first := len(t.candidates)
		for f := q.oldest; f != nil; f = f.newer {
			c := candidate{flow: f, evicted: f == keep, progress: f.progress()}
			c.pair = t.account(outerIP{f.key.lo.ip, f.key.hi.ip}.ordered(), 1)
			if f.place != nil && f.place.outer != (outerIP{}) {
				c.path = t.account(f.place.outer, 2)
			}
			c.add(f.cost())
			t.candidates = append(t.candidates, c)
		}
		last := t.candidates[first:]
		last = last[len(last)-len(last)/recentPart:]
		for i := range last {
			last[i].recent = true
		}
	}
}

// account returns the account of a pair of addresses; kind tells a path from others.
func (t *table) account(pair outerIP, kind uint64) *account {
	hash := max(maphash.Comparable(t.seed, pair)^kind, 1)
	for i := hash; ; i++ {
		a := &t.accounts[i&uint64(len(t.accounts)-1)]
		if a.hash == hash || a.hash == 0 {
			a.hash = hash
			return a
		}
	}
}

// add adds n bytes to the accounts of a candidate.
func (c *candidate) add(n int) {
	c.pair.held += n
	if c.path != nil {
		c.path.held += n
	}
}

// level returns that of the account that holds most.
func (c *candidate) level() int { return max(c.pair.level(), c.path.level()) }

// markLargest sets the keys of the candidates of the accounts that hold most, and returns
// their level. The flows of an outer path go in the order of their address pairs.
func (t *table) markLargest() (top int) {
	for i := range t.candidates {
		if c := &t.candidates[i]; !c.evicted {
			top = max(top, c.level())
		}
	}
	for i := range t.candidates {
		c := &t.candidates[i]
		if c.key = spared; c.level() == top {
			c.key = uint16(math.MaxUint8-c.pair.level())<<8 | uint16(c.progress)
		}
	}
	return top
}

// evictMarked evicts candidates in the order of their keys until a number of flows and of
// bytes fit in, as long as their accounts are at a level.
func (t *table) evictMarked(level, flows, bytes int) {
	for key, next := 0, spared; key < spared; key, next = next, spared {
		for i := range t.candidates {
			c := &t.candidates[i]
			switch {
			case c.evicted || int(c.key) < key:
			case int(c.key) > key:
				next = min(next, int(c.key))
			case !t.lack(flows, bytes):
				return
			case level == 0 || c.level() == level:
				c.evicted = true
				c.add(-c.flow.cost())
				t.evict(c.flow)
			}
		}
	}
}

// progress says how much of a hello a flow has: 0 if it holds nothing, 1 if no hello has
// begun, and more for more bytes.
func (f *flow) progress() uint8 {
	switch {
	case f.followed != nil:
		return 2
	case f.session != nil:
		return 2 + uint8(bits.Len(uint(min(f.session.used, 1<<8)/2)))
	}
	n := 0
	for i := range f.halves {
		switch h := &f.halves[i]; {
		case h.begun():
			n = max(n, int(begunBytes(int(h.next-h.start))))
		case h.stream != nil:
			n = max(n, 1)
		}
	}
	if f.packet != nil || f.doubt != nil {
		n = max(n, 1)
	}
	return uint8(n)
}

// begunBytes is the progress of a hello of which n bytes have come.
func begunBytes(n int) uint8 { return 2 + uint8(bits.Len(uint(max(n, 0))>>8)) }

// cost returns what a flow in the place takes besides.
func (p *place) cost() int {
	if p == nil {
		return 0
	}
	return placeCost + len(p.key)
}

// parts returns among how many tables the flows of a Reader are divided.
func (t *table) parts() int { return max(t.limits.Workers, 1) }

func (t *table) maxFlows() int {
	if t.share != nil {
		return t.share.flows
	}
	return cmp.Or(max(t.limits.MaxFlows, 0), DefaultMaxFlows)
}

func (t *table) maxMemory() int {
	if t.share != nil {
		return t.share.bytes
	}
	return cmp.Or(max(t.limits.MaxMemory, 0), DefaultMaxMemory)
}

// goneFlows has hashes of flows that were evicted, so that those which are seen again count
// once.
type goneFlows []uint64 // each in its slot, until another one takes it

// goneSize is how many evicted flows all workers of a Reader remember at most.
const goneSize = 1 << 17

// add adds a flow to the part of a worker.
func (g *goneFlows) add(hash uint64, parts int) {
	if *g == nil {
		*g = make(goneFlows, goneSize/parts)
		clear(*g) //mutation:equivalent they are zero; see table.create
	}
	(*g)[hash%uint64(len(*g))] = hash
}

func (g goneFlows) has(hash uint64) bool { return g != nil && g[hash%uint64(len(g))] == hash }
