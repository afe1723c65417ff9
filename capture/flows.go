package capture

import (
	"cmp"
	"encoding/binary"
	"net/netip"

	"github.com/tlsflags/tlsflags/clienthello/assemble"
)

// flowKey names a flow. TCP has one for both directions, in which lo is the end that
// compares lower; UDP one for each, from lo to hi. It has no padding, so that it is hashed
// as one string of bytes.
type flowKey struct {
	lo, hi endpoint
	kind   keyKind
	id     uint64 // of a connection in QUIC or in a carrier, or of an IP packet
}

// keyKind has the bits below and, above them, the number of the flow's place.
type keyKind uint32

const (
	kindIPv6 keyKind = 1 << iota
	kindUDP
	kindLink // the addresses are those of the link, or there are none

	kindPlace = 3 // shift of the place
)

func (k keyKind) ipv6() bool    { return k&kindIPv6 != 0 }
func (k keyKind) udp() bool     { return k&kindUDP != 0 }
func (k keyKind) place() uint32 { return uint32(k >> kindPlace) }

// outside returns the key of the same flow in the place 0.
func (key flowKey) outside() flowKey {
	key.kind &= 1<<kindPlace - 1
	return key
}

// keyOf returns the key for packets like seg in a place.
func keyOf(seg *segment, place uint32) flowKey {
	return flowKey{lo: seg.src, hi: seg.dst, kind: kindOf(seg, place)}
}

func kindOf(seg *segment, place uint32) keyKind {
	kind := keyKind(place << kindPlace)
	if seg.ipv6 {
		kind |= kindIPv6
	}
	if seg.link {
		kind |= kindLink
	}
	if seg.udp {
		kind |= kindUDP
	}
	return kind
}

// tcpKey returns the key of a segment, and its direction: 0 from lo to hi, 1 from hi
// to lo.
func tcpKey(seg *segment, place uint32) (key flowKey, direction int) {
	kind := kindOf(seg, place)
	if seg.src.compare(&seg.dst) > 0 {
		return flowKey{lo: seg.dst, hi: seg.src, kind: kind}, 1
	}
	return flowKey{lo: seg.src, hi: seg.dst, kind: kind}, 0
}

func (e *endpoint) compare(other *endpoint) int {
	a, b := binary.BigEndian.Uint64(e.ip[:]), binary.BigEndian.Uint64(other.ip[:])
	if a == b {
		a, b = binary.BigEndian.Uint64(e.ip[8:]), binary.BigEndian.Uint64(other.ip[8:])
	}
	if a == b {
		return int(e.port) - int(other.port)
	}
	return cmp.Compare(a, b)
}

// flow is what is known of a connection. The fields that eviction needs come first, since a
// flow to be evicted is no longer in the processor's caches.
type flow struct {
	key  flowKey
	hash uint64 // of key

	queue        *queue
	older, newer *flow

	session *session // of UDP, while a hello is expected
	last    uint64   // hash of the last hello, or the name of a refused one over UDP

	packet   *ipPacket // if the flow is no connection, but the fragments of an IP packet
	place    *place    // or nil for the place 0
	twin     *flow     // with the same addresses and ports in another place
	doubt    *doubt    // what is open about a TCP connection, or nil
	followed *followed // of a TCP connection that Reader.Follow follows

	number  int     // of its latest packet
	closed  bool    // a FIN or RST was seen
	resumed bool    // it was evicted before, so that this is not its beginning
	outers  uint8   // IP headers, with that of the flow
	halves  [2]half // of TCP, by direction
}

// ends returns the addresses of a flow, from its sender to its receiver. Those of the link are
// left out.
func (f *flow) ends(direction int) (src, dst netip.AddrPort) {
	if f.key.kind&kindLink != 0 {
		return src, dst
	}
	src, dst = addrPort(f.key.lo, f.key.kind.ipv6()), addrPort(f.key.hi, f.key.kind.ipv6())
	if direction == 1 {
		src, dst = dst, src
	}
	return src, dst
}

// queue lists flows from the least recently active one to the most recently active one.
type queue struct {
	oldest, newest *flow
	n              int
}

func (q *queue) push(f *flow) {
	q.n++
	f.queue, f.older, f.newer = q, q.newest, nil
	if q.newest != nil {
		q.newest.newer = f
	} else {
		q.oldest = f
	}
	q.newest = f
}

func (q *queue) remove(f *flow) {
	q.n--
	if f.older != nil {
		f.older.newer = f.newer
	} else {
		q.oldest = f.newer
	}
	if f.newer != nil {
		f.newer.older = f.older
	} else {
		q.newest = f.older
	}
	f.queue, f.older, f.newer = nil, nil, nil
}

// table holds the flows, no more than MaxFlows of them, and counts the memory that
// they hold, no more than MaxMemory. A flow is in one of four queues:
//
//   - decided: no further hello is expected. It is kept to recognize retransmissions;
//   - finished: it had a hello, and holds memory in case of a second one;
//   - waiting: begun, but holds nothing;
//   - holding: holds memory.
//
// At the limits, room says which flows are evicted.
type table struct {
	limits            Options
	share             *share                                 // which sets other limits, or nil
	number            int                                    // of the current packet
	open              func(src, dst netip.AddrPort) Follower // of Reader.Follow, or nil
	flows             flowMap
	decided, finished queue
	waiting, holding  queue
	memory            int // bytes, besides flows and places
	placeMemory       int // bytes
	room                  // what to evict
	evicted           int
	connections       int
	gone              goneFlows
	overdue           []Hello // that waited in flows that were evicted
	places            map[string]*place
	placed            map[flowKey]*flow // newest flows in places, by their key outside
	severalPlaces     bool              // flows were in more than one place
	anyPlace          bool              // there was a flow
	firstPlace        uint32            // of the first flow
	placeKey          []byte            // of the current packet
	outer             outerIP           // likewise
	lastPlace         uint32
	tags              uint64 // of the last packet with VLANs and no tunnel
	tagged            *place // of it

	free    pool[flow]
	streams pool[stream]
	pages   pool[page]
	raws    rawPool
	rawMost int // as in pool
	quic    pool[session]
	dtls    pool[session]
	clients map[uint64]*flow // over QUIC, by other names; see quicNames
	keys    *assemble.QUICKeys
	carried [carrierEnd]pool[session]
	keep    *flow // whose frames are being read; create does not evict it
}

// create adds a flow inside a number of IP headers, and makes room for it.
func (t *table) create(key flowKey, ips int) *flow {
	cost := flowCost
	if key.kind.place() != 0 {
		cost += placeCost + len(t.placeKey)
	}
	t.makeRoom(t.keep, 1, cost)
	f := t.free.get()
	f.number = t.number // a page of new memory that is read before it is written costs two faults
	*f = flow{key: key, hash: t.flows.hash(&key), number: t.number}
	f.halves[1].direction = 1
	t.flows.add(f)
	t.settleIn(f)
	if f.outers = uint8(ips); f.isConnection() {
		t.findTwin(f)
		if f.resumed = t.gone.has(f.hash); !f.resumed {
			t.connections++
		}
	}
	t.waiting.push(f)
	return f
}

// settle puts a flow into the queue that it belongs to, as its newest.
func (t *table) settle(f *flow) {
	f.number = t.number
	q := &t.waiting
	switch holds, finished := f.holds(), f.finished(); {
	case holds && finished:
		q = &t.finished
	case finished:
		q = &t.decided
	case holds:
		q = &t.holding
	}
	if q.newest == f {
		return //mutation:equivalent it would come to the same place
	}
	f.queue.remove(f)
	if q.push(f); t.finished.n > finishedFlows/t.parts() {
		t.release(t.finished.oldest)
	}
	if t.decided.n > decidedFlows/t.parts() {
		t.evictDecided()
	}
}

// evictDecided evicts the oldest flow in which no hello is expected. Unless it is t.keep, it
// holds no memory that has to be freed.
func (t *table) evictDecided() {
	f := t.decided.oldest
	if f == t.keep {
		t.evict(f)
		return
	}
	if f.isConnection() {
		t.gone.add(f.hash, t.parts())
	}
	t.forget(f)
}

// holds reports whether f holds memory.
func (f *flow) holds() bool {
	return f.doubt != nil || f.session != nil || f.packet != nil || f.followed != nil || f.halves[0].stream != nil || f.halves[1].stream != nil
}

// release frees what a finished flow holds. A second hello in it is not found.
func (t *table) release(f *flow) {
	for i := range f.halves {
		if h := &f.halves[i]; h.stream != nil {
			t.drop(h)
			h.phase = decided
		}
	}
	t.dropSession(f)
	f.queue.remove(f)
	t.decided.push(f)
}

// evict removes a flow from the table because of a limit.
func (t *table) evict(f *flow) {
	switch {
	case t.open == nil && f.undecided(), f.packet != nil:
		t.evicted++
	case f.followed != nil && f.followed.ended != [2]bool{true, true}:
		t.evicted++
		f.followed.Lost()
	}
	if f.isConnection() {
		t.gone.add(f.hash, t.parts())
	}
	t.remove(f)
}

// remove takes a flow out of the table.
func (t *table) remove(f *flow) {
	t.dropDoubt(f)
	for i := range f.halves {
		t.drop(&f.halves[i])
	}
	t.dropSession(f)
	t.dropPacket(f)
	t.dropFollowed(f)
	t.forget(f)
}

// forget takes a flow that holds nothing out of the table.
func (t *table) forget(f *flow) {
	f.queue.remove(f)
	t.flows.remove(f)
	t.leave(f)
	t.forgetTwin(f)
	t.free.put(f)
}

// undecided reports whether a hello might have come that will now be missed.
func (f *flow) undecided() bool {
	for i := range f.halves {
		h := &f.halves[i]
		if h.phase == started && (h.stream == nil || h.stream.index == 1) || h.begun() {
			return true
		}
	}
	return f.packet != nil || f.session != nil && f.session.begun()
}

// finished reports whether no hello is expected in a flow, and nothing is open about it.
func (f *flow) finished() bool {
	return f.doubt == nil && f.followed == nil && f.halves[0].phase != floating && f.halves[1].phase != floating && !f.undecided()
}

// charge counts n more bytes as held by f, on the account of the part that holds them. At
// the limit it evicts other flows, and f itself if that is not enough. It reports whether f
// is still there.
func (t *table) charge(f *flow, account *int, n int) bool {
	if t.held()+n > t.maxMemory() && !t.makeRoom(f, 0, n) {
		evicted := t.evicted
		if t.evict(f); t.evicted == evicted && !f.resumed {
			t.evicted++ // what has just come may be of a hello
		}
		return false
	}
	t.memory += n
	*account += n
	return true
}

// refund is the reverse of charge.
func (t *table) refund(account *int, n int) {
	t.memory -= n
	*account -= n
}
