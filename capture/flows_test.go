package capture

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
)

// TestAccounts sends random parts of hellos over a few connections to scanners with low
// limits, and checks after each packet that every flow is in one queue, that the bytes of
// all flows add up to those charged, and that neither limit is exceeded.
func TestAccounts(t *testing.T) {
	packets := 20_000
	if testing.Short() {
		packets = 3000
	}
	for _, o := range []Options{
		{},
		{MaxFlows: 1},
		{MaxFlows: 3, MaxMemory: 1},
		{MaxMemory: flowCost + streamCost + pageCost},
		{MaxFlows: 5, MaxMemory: flowCost + streamCost + pageCost},
		{MaxMemory: flowCost + streamCost + pageCost + 5*useCost},
		{MaxMemory: 4000},
		{MaxFlows: 4, MaxMemory: 2*flowCost + dtlsCost},
		{MaxMemory: 3*(flowCost+dtlsCost) - 1},
		{MaxFlows: -1, MaxMemory: -1},
	} {
		t.Run(fmt.Sprintf("%+v", o), func(t *testing.T) {
			s := NewScanner(o)
			traffic := traffic{rand.New(rand.NewPCG(1, 2))}
			found := 0
			for range packets {
				p := traffic.packet()
				s.Scan(Packet{Data: p, Link: LinkTypeRaw}, func(*Hello) bool { found++; return true })
				checkAccounts(t, s)
				if t.Failed() {
					t.Fatalf("after packet %x", p)
				}
			}
			if found == 0 && o.MaxMemory != 1 {
				t.Error("no hello was found")
			}
			for _, f := range slices.Collect(s.flows.flows.all()) {
				s.flows.remove(f)
			}
			if s.flows.memory != 0 {
				t.Errorf("%d bytes are held by nobody", s.flows.memory)
			}
		})
	}
}

// holder is a Follower that holds what it is told to, more or less.
type holder struct {
	*rand.Rand
	lost *int
}

func (h holder) Data(bool, []byte) (held int, more bool) { return h.IntN(1500), h.IntN(20) > 0 }

func (h holder) Lost() { *h.lost++ }

// TestFollowAccounts does the same for connections that are followed.
func TestFollowAccounts(t *testing.T) {
	for _, o := range []Options{
		{},
		{MaxFlows: 1},
		{MaxFlows: 3, MaxMemory: 1},
		{MaxMemory: flowCost + followedCost + streamCost},
		{MaxFlows: 5, MaxMemory: 5*flowCost + followedCost + streamCost + pageCost},
		{MaxMemory: 4000},
	} {
		t.Run(fmt.Sprintf("%+v", o), func(t *testing.T) {
			s, lost, opened := NewScanner(o), 0, 0
			random := rand.New(rand.NewPCG(1, 2))
			s.flows.open = func(src, dst netip.AddrPort) Follower {
				opened++
				return holder{random, &lost}
			}
			traffic := traffic{random}
			for range 3000 {
				p := traffic.packet()
				if s.decode(Packet{Data: p, Link: LinkTypeRaw}) == isSegment && !s.decoder.seg.udp {
					s.segment(&s.decoder.seg)
				}
				checkAccounts(t, s)
				if t.Failed() {
					t.Fatalf("after packet %x", p)
				}
			}
			if opened == 0 && o.MaxMemory != 1 || s.flows.evicted < lost {
				t.Errorf("%d connections, %d lost, %d evicted", opened, lost, s.flows.evicted)
			}
			for _, f := range slices.Collect(s.flows.flows.all()) {
				s.flows.remove(f)
			}
			if s.flows.memory != 0 {
				t.Errorf("%d bytes are held by nobody", s.flows.memory)
			}
		})
	}
}

func checkAccounts(t *testing.T, s *Scanner) {
	t.Helper()
	table := &s.flows
	count, memory := 0, 0
	for _, q := range []*queue{&table.decided, &table.finished, &table.waiting, &table.holding} {
		for f := q.oldest; f != nil; f = f.newer {
			count++
			if f.queue != q || table.flows.get(f.key) != f || f.newer == nil && q.newest != f || f.newer != nil && f.newer.older != f {
				t.Fatal("a queue is broken")
			}
			charged := 0
			for i := range f.halves {
				if st := f.halves[i].stream; st != nil {
					charged += st.charged
					held := streamCost + pageCost*len(st.ahead) + useCost*max(0, len(st.uses)-1) + len(st.before) +
						cap(st.raw) + spanCost*max(0, cap(st.spans)-pooledSpans)
					for _, c := range st.copies {
						held += copyCost + len(c.data)
					}
					if st.page != nil {
						held += pageCost
					}
					if len(st.memory) > pageSize {
						held += len(st.memory)
					}
					if st.charged < held {
						t.Errorf("a stream holds %d bytes, for %d", held, st.charged)
					}
				}
			}
			if f.doubt != nil {
				charged += f.doubt.charged
				if r := f.doubt.rival; r != nil && r.stream != nil {
					charged += r.stream.charged
				}
			}
			for ss := f.session; ss != nil; ss = ss.shadow {
				charged += ss.charged
				if cost := ss.cost(); ss.charged != cost {
					t.Errorf("a session holds %d bytes, %d are charged", cost, ss.charged)
				}
			}
			if f.packet != nil {
				charged += f.packet.charged
				if held := ipPacketCost + pageCost*len(f.packet.pages) + (fragmentFrameCost+runCost)*len(f.packet.frames); f.packet.charged != held {
					t.Errorf("an IP packet holds %d bytes, %d are charged", held, f.packet.charged)
				}
			}
			if f.followed != nil {
				charged += f.followed.charged
				if f.followed.charged != followedCost+f.followed.held {
					t.Errorf("a follower holds %d bytes, %d are charged", f.followed.held, f.followed.charged)
				}
			}
			if (charged > 0) != (q == &table.holding || q == &table.finished) || f.finished() != (q == &table.decided || q == &table.finished) {
				t.Errorf("a flow that holds %d bytes is in the wrong queue", charged)
			}
			if charged += flowCost; f.cost() != charged {
				t.Errorf("a flow holds %d bytes, not %d", charged, f.cost())
			}
			memory += charged
		}
	}
	if count != table.flows.n || count > table.maxFlows() {
		t.Errorf("%d flows are in queues, %d in the table; the limit is %d", count, table.flows.n, table.maxFlows())
	}
	if memory != table.held() || memory > table.maxMemory() && (count > 1 || table.memory > 0) {
		t.Errorf("flows hold %d bytes, %d are charged; the limit is %d", memory, table.held(), table.maxMemory())
	}
}

// traffic makes random packets.
type traffic struct{ *rand.Rand }

func (r traffic) packet() []byte {
	var header [20]byte
	header[0], header[9] = 0x45, protoTCP
	header[12], header[16] = 10, 192
	header[15] = byte(r.IntN(6)) // the client
	var payload []byte
	if r.IntN(4) == 0 {
		header[9] = protoUDP
		payload = r.datagram()
	} else {
		payload = r.segment()
	}
	if r.IntN(8) == 0 { // a fragment
		from := 8 * r.IntN(len(payload)/8+1)
		to := min(from+8*(1+r.IntN(20)), len(payload))
		field := uint16(from / 8)
		if to < len(payload) {
			field |= 0x2000
		}
		binary.BigEndian.PutUint16(header[6:], field)
		payload = payload[from:to]
	}
	binary.BigEndian.PutUint16(header[2:], uint16(20+len(payload)))
	return append(header[:], payload...)
}

// segment is a part of one of a few streams.
func (r traffic) segment() []byte {
	which := r.IntN(5)
	body := make([]byte, []int{60, 1800, 3000, 60, 0}[which])
	msg := append([]byte{1, 0, byte(len(body) >> 8), byte(len(body))}, body...)
	var stream []byte
	begins := 0
	switch which {
	case 3:
		stream = []byte("CONNECT x:1 HTTP/1.0\r\n\r\n")
	case 4:
		stream = append([]byte("EHLO x\r\nSTARTTLS\r\n"), smallHello(80)...)
		begins = r.IntN(2) * 18 // of the hello, perhaps
	}
	for len(msg) > 0 {
		n := min(len(msg), 500)
		stream = append(append(stream, 22, 3, 1, byte(n>>8), byte(n)), msg[:n]...)
		msg = msg[n:]
	}
	stream = append(stream, 23, 3, 3)

	from := r.IntN(len(stream))
	if r.IntN(2) == 0 {
		from = begins
	}
	part := stream[from:min(len(stream), from+1+r.IntN(1400))]
	b := make([]byte, 20, 20+len(part))
	start := uint32(which * 100_000)
	binary.BigEndian.PutUint16(b, 1000)
	binary.BigEndian.PutUint32(b[4:], start+uint32(from))
	b[12], b[13] = 5<<4, tcpACK
	switch r.IntN(8) {
	case 0:
		b[13] = tcpSYN
		binary.BigEndian.PutUint32(b[4:], start-1)
		part = nil
	case 1:
		b[13] = tcpFIN
	case 2:
		b[13] = tcpRST
	}
	return append(b, part...)
}

// datagram is a fragment of a DTLS hello.
func (r traffic) datagram() []byte {
	const length = 100
	from := r.IntN(length)
	n := 1 + r.IntN(length-from)
	if r.IntN(3) == 0 {
		from, n = 0, length
	}
	fragment := append([]byte{1, 0, 0, length, 0, byte(r.IntN(2)), 0, 0, byte(from), 0, 0, byte(n)}, make([]byte, n)...)
	record := append([]byte{22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, byte(len(fragment))}, fragment...)
	b := binary.BigEndian.AppendUint16(nil, uint16(2000+r.IntN(2)))
	b = append(b, 0, 50, 0, byte(8+len(record)), 0, 0)
	return append(b, record...)
}
