package capture

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// TestWorkersParts checks that the queues of several workers are together as long as those of one.
func TestWorkersParts(t *testing.T) {
	o := Options{Workers: 4}
	if n := NewScanner(o).flows.parts(); n != 1 {
		t.Errorf("a Scanner has a table of %d parts", n)
	}
	b, front := NewBudget(o), NewScanner(o)
	w := newWorkers(b, o, &Reader{scanner: front, share: b.join(&front.flows)}, newBuffer(bytes.NewReader(nil)))
	for _, each := range w.each {
		if n := each.scanner.flows.parts(); n != 4 {
			t.Errorf("a worker of 4 has a table of %d parts", n)
		}
	}
	w.dispatcher.hand(nil)
	fragment := tcpPacket(1, 0x10, smallHello(80))
	fragment[6] = 0x20 // more follow
	if w.dispatcher.add(&Packet{Data: fragment, Link: LinkTypeRaw}); w.front.Stats().Fragments != 1 || w.share.state != shareIdle {
		t.Errorf("after a fragment, others may have no memory of the dispatcher: %+v", w.front.Stats())
	}
	var g goneFlows
	if g.add(1, 4); len(g) != goneSize/4 {
		t.Errorf("a worker of 4 remembers %d flows", len(g))
	}
}

// TestRoutesMoved checks that many clients that use one destination connection ID fall to one
// worker.
func TestRoutesMoved(t *testing.T) {
	var r routes
	seg := segment{payload: make([]byte, 23)}
	seg.payload[0], seg.payload[5], seg.payload[14] = 0xc0, 8, 8
	for i := range uint32(4 * routeSlots) {
		binary.BigEndian.PutUint32(seg.src.ip[:], i)
		if w := r.worker(&seg, min(int(i), 1)); w != 0 {
			t.Fatalf("client %d falls to worker %d", i, w)
		}
	}
}
