package capture

import (
	"bytes"
	"encoding/binary"
	"slices"
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

// TestPlainPackets checks that the packets that need no decoder fall to the worker that it would find,
// and that all others need it.
func TestPlainPackets(t *testing.T) {
	d := dispatcher{to: &schedule{each: make([]*worker, maxWorkers)}, secret: 1 << 60}
	for i := range byte(20) {
		v4 := etherPacket(0x0800, tcpPacket(1, 0x10, []byte{i, 6, 6, 6}))
		v4[14+12], v4[14+17] = 10+i, 3*i
		v6 := slices.Concat(make([]byte, 12), []byte{0x86, 0xdd, 0x60, 0, 0, 0, 0, 24, 6, 64}, bytes.Repeat([]byte{i}, 16), bytes.Repeat([]byte{99}, 16), v4[14+20:])
		for name, b := range map[string][]byte{"IPv4": v4, "IPv6": v6} {
			var dec decoder
			v := dec.decode(LinkTypeEthernet, b, len(b))
			if got := d.plain(LinkTypeEthernet, b); v != isSegment || got != d.workerOf(&dec.seg) {
				t.Errorf("%s, %d: worker %d, the decoder says %d", name, i, got, d.workerOf(&dec.seg))
			}
			if d.plain(LinkTypeRaw, b) != nobody {
				t.Errorf("%s: on another link", name)
			}
			least := map[string]int{"IPv4": 14 + 20, "IPv6": 14 + 40}[name]
			for n := range b {
				if got := d.plain(LinkTypeEthernet, b[:n:n]); (got != nobody) != (n >= least) {
					t.Errorf("%s: worker %d for %d bytes", name, got, n)
				}
			}
			// EtherType, version, and of IPv4 a fragment's fields and the protocol, or that of IPv6
			for at, bits := range map[string]map[int]byte{"IPv4": {12: 0xff, 13: 0xff, 14: 0xf0, 20: 0x3f, 21: 0xff, 23: 0xff}, "IPv6": {12: 0xff, 13: 0xff, 14: 0xf0, 20: 0xff}}[name] {
				for bit := range 8 {
					changed := bytes.Clone(b)
					if changed[at] ^= 1 << bit; (d.plain(LinkTypeEthernet, changed) == nobody) != (bits>>bit&1 != 0) {
						t.Errorf("%s: bit %d of byte %d", name, bit, at)
					}
				}
			}
		}
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
