package capture

import (
	"runtime"
	"slices"
	"strconv"
	"testing"
	"unsafe"

	"github.com/tlsflags/tlsflags/internal/quicseal"
)

// TestCosts checks that flows and what they hold take no more memory than they are charged
// with, and little less.
func TestCosts(t *testing.T) {
	const n = 1 << 13
	live := func() int {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int(m.HeapAlloc)
	}
	client := func(i int) endpoint { return endpoint{ip: [16]byte{byte(i), byte(i >> 8)}} }
	flow := func(s *Scanner, i int) *flow { return s.flows.create(flowKey{lo: client(i)}, 1) }
	const bare = flowCost - int(unsafe.Sizeof(candidate{}))
	for name, row := range map[string]struct {
		cost int
		add  func(s *Scanner, i int)
	}{
		"flow":   {bare, func(s *Scanner, i int) { flow(s, i) }},
		"stream": {bare + streamCost - useCost, func(s *Scanner, i int) { flow(s, i).halves[0].stream = new(stream) }},
		"DTLS":   {bare + dtlsCost, func(s *Scanner, i int) { flow(s, i).session = s.flows.newSession(DTLS) }},
		"QUIC": {bare + quicCost + 8 + frameCost, func(s *Scanner, i int) {
			datagram := quicseal.Packet{
				Version: quicseal.V1, DCID: []byte{byte(i), byte(i >> 8), 0, 0, 0, 0, 0, 0}, SCID: []byte{byte(i), byte(i >> 8)},
				Payload: append(quicseal.AppendCrypto(nil, 0, []byte{1, 0, 4, 0, 3, 3}), make([]byte, 1200)...),
			}.Seal()
			s.frames = []int{1}
			s.decoder.path.layers[0], s.decoder.path.n = layer{kind: layerIPv4}, 1
			s.quicDatagram(flowKey{lo: client(i), kind: kindUDP}, datagram)
		}},
	} {
		s := NewScanner(Options{})
		for i := range n {
			row.add(s, i)
		}
		before := live() // with what they share
		for i := range n {
			row.add(s, n+i)
		}
		each := (live() - before) / n
		if s.flows.flows.n != 2*n {
			t.Errorf("%s: %d flows", name, s.flows.flows.n)
		}
		if t.Logf("%s: %d bytes", name, each); each > row.cost*103/100 || // the race detector takes 1 %
			strconv.IntSize == 64 && each < row.cost*3/4 {
			t.Errorf("%s: %d bytes, charged with %d", name, each, row.cost)
		}
	}
}

// TestDecidedHalvesAreFreed checks that connections in which no hello is expected any more
// hold nothing, and are evicted before all others.
func TestDecidedHalvesAreFreed(t *testing.T) {
	client, server := endpoint{port: 1000}, endpoint{port: 443}
	up := func(seq uint32, b string) *segment {
		return &segment{src: client, dst: server, seq: seq, ack: 1, flags: tcpACK, payload: []byte(b)}
	}
	down := func(seq uint32, b string) *segment {
		return &segment{src: server, dst: client, seq: seq, ack: 1, flags: tcpACK, payload: []byte(b)}
	}
	hello := "\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x03" + string(make([]byte, 33)) + "\x00\x02\x13\x01\x01\x00"
	serverHello := "\x16\x03\x03\x00\x06\x02\x00\x00\x02\x03\x03"
	appData := "\x17\x03\x03\x00\x01\x00"
	end := uint32(1 + len(hello))
	for name, row := range map[string]struct {
		segments []*segment
		decided  [2]bool // client, server
	}{
		"another protocol":           {[]*segment{{src: client, dst: server, flags: tcpSYN}, up(1, "GET / HTTP/1.1\r\n")}, [2]bool{true, false}},
		"both directions":            {[]*segment{{src: client, dst: server, flags: tcpSYN}, {src: server, dst: client, flags: tcpSYN}, up(1, "GET / HTTP/1.1\r\n"), down(1, "HTTP/1.1 200 OK\r\n")}, [2]bool{true, true}},
		"answer of a server":         {[]*segment{{src: server, dst: client, flags: tcpSYN}, down(1, serverHello)}, [2]bool{false, true}},
		"hello, and no second one":   {[]*segment{{src: server, dst: client, flags: tcpSYN}, up(1, hello), up(end, appData), down(1, serverHello)}, [2]bool{true, true}},
		"two hellos":                 {[]*segment{down(1, serverHello), up(1, hello+hello)}, [2]bool{true, true}},
		"hello decides on the other": {[]*segment{down(1, "\x16\x03\x03"), down(9, "x"), up(1, hello+appData)}, [2]bool{true, true}},
		"a refused hello":            {[]*segment{{src: client, dst: server, flags: tcpSYN}, up(1, "\x16\x03\x01\xff\xff")}, [2]bool{true, false}},
		"bytes out of order":         {[]*segment{{src: client, dst: server, flags: tcpSYN}, up(3000, "x"), up(9000, "x"), up(1, "GET / HTTP/1.1\r\n")}, [2]bool{true, false}},
		"a prologue without TLS":     {[]*segment{{src: client, dst: server, flags: tcpSYN}, up(1, "EHLO x\r\n"), up(9, "MAIL\x00")}, [2]bool{true, false}},
		"the middle of a connection": {[]*segment{up(1, string(make([]byte, 10<<10)))}, [2]bool{true, false}},
	} {
		s := NewScanner(Options{})
		s.yield = func(*Hello) bool { return true }
		s.frames = []int{1}
		for _, seg := range row.segments {
			s.segment(seg)
		}
		key, direction := tcpKey(up(0, ""), 0)
		f := s.flows.flows.get(key)
		for i, want := range row.decided {
			h := f.halves[direction^i]
			if (h.phase == decided) != want || want && h.stream != nil {
				t.Errorf("%s: half %d is %+v, want decided %t", name, i, h, want)
			}
		}
		if s.flows.memory != 0 {
			t.Errorf("%s: %d bytes held", name, s.flows.memory)
		}
		if want := row.decided[0] || row.decided[1]; want && !f.undecided() != (f.queue == &s.flows.decided) {
			t.Errorf("%s: in the wrong queue", name)
		}
		// Further segments are ignored, unless a hello begins with them.
		for i, seg := range []*segment{up(end+100, "x"+hello), down(100, "x"+hello)} {
			before := s.flows.memory
			if s.segment(seg); row.decided[i] && s.flows.memory != before {
				t.Errorf("%s: %d bytes held of a further segment", name, s.flows.memory-before)
			}
		}
	}
}

// TestFragmentsAreFreed checks that nothing is held of an IP packet that was reassembled, or
// whose fragments contradict each other.
func TestFragmentsAreFreed(t *testing.T) {
	s := NewScanner(Options{})
	s.decoder.seg.src, s.decoder.seg.dst = endpoint{port: 1}, endpoint{port: 2}
	s.frames = []int{1}
	part := func(offset, n int, last bool) *fragment {
		return &fragment{id: 1, offset: offset, last: last, payload: make([]byte, n)}
	}
	for name, row := range map[string]struct {
		fragments []*fragment
		whole     bool
		flows     int
	}{
		"whole":                      {[]*fragment{part(0, 8, false), part(8, 8, true)}, true, 0},
		"beyond the last":            {[]*fragment{part(8, 8, true), part(16, 8, false)}, false, 0},
		"one is missing":             {[]*fragment{part(0, 8, false), part(16, 8, true)}, false, 1},
		"as long as a packet can be": {[]*fragment{part(1<<16-8, 7, true)}, false, 1},
		"a byte longer":              {[]*fragment{part(1<<16-8, 8, true)}, false, 1},
		"cut":                        {[]*fragment{{id: 1, payload: make([]byte, 8), cut: true}}, false, 0},
		"empty":                      {[]*fragment{part(0, 0, false)}, false, 0},
		"then an empty one":          {[]*fragment{part(0, 8, false), part(8, 0, true)}, false, 0},
	} {
		whole := false
		for _, fr := range row.fragments {
			_, whole = s.reassemble(fr)
		}
		if whole != row.whole || s.flows.flows.n != row.flows || (s.flows.memory == 0) != (row.flows == 0) {
			t.Errorf("%s: whole %t, %d flows, %d bytes held", name, whole, s.flows.flows.n, s.flows.memory)
		}
		for _, f := range slices.Collect(s.flows.flows.all()) {
			s.flows.remove(f)
		}
	}
}
