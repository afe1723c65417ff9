package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand"
	"slices"

	"github.com/tlsflags/tlsflags/internal/oracle/assembletest"
)

// readAll returns the hellos in packets, and those that wait at the end.
func readAll(link LinkType, packets [][]byte) (hellos []Hello) {
	s := NewScanner(Options{})
	keep := func(h *Hello) bool {
		kept := *h
		kept.Message, kept.Path = bytes.Clone(h.Message), slices.Clone(h.Path)
		hellos = append(hellos, kept)
		return true
	}
	for _, p := range packets {
		s.Scan(Packet{Data: p, Link: link}, keep)
	}
	s.Flush(keep)
	return hellos
}

// checkOrderInput reads an initial sequence number, sizes of records, and a Schedule. The
// segments come in any order, come again and overlap, always with the same bytes: that is
// what networks do, and no doubt. That the hello itself is odd may be one.
func checkOrderInput(data []byte) error {
	isn, stream, pieces, ok := readSchedule(data)
	if !ok {
		return nil
	}
	const syn, ack = 0x02, 0x10
	packets := [][]byte{tcpPacket(isn, syn, nil)}
	for _, p := range append(pieces, assembletest.Piece{Offset: 0, Data: stream}) {
		end := p.Offset + len(p.Data)
		for part := range slices.Chunk(stream[p.Offset:end:end], maxSegment) {
			packets = append(packets, tcpPacket(isn+1+uint32(p.Offset), ack, part))
			p.Offset += len(part)
		}
	}
	for _, h := range readAll(LinkTypeRaw, packets) {
		if h.Ambiguous&^(oddHello.With(Unconfirmed)) != 0 || len(h.Contradicts) > 0 || slices.ContainsFunc(h.Faults, func(f Fault) bool { return f.Code == FaultOverlap }) {
			return fmt.Errorf("no copy differs, and the hello in packets %d has the doubts %q, the faults %v", h.Frames, h.Ambiguous, h.Faults)
		}
	}
	return nil
}

// sureFlows has hellos that nothing puts in doubt: one over TCP in two segments, the second in
// fragments, and one over DTLS in two fragments. Its packets have an Ethernet header.
func sureFlows() [][]byte {
	const syn, ack = 0x02, 0x10
	one := smallHello(80)
	cut := len(one) / 2
	answer := func(seq, acked uint32, flags byte) []byte {
		p := tcpPacket(seq, flags, nil)
		copy(p[12:], []byte{192, 0, 2, 2, 192, 0, 2, 1, 1, 0xbb, 0xc3, 0x50})
		binary.BigEndian.PutUint32(p[28:], acked)
		return p
	}
	with := func(p []byte, acked uint32) []byte {
		binary.BigEndian.PutUint32(p[28:], acked)
		return p
	}
	whole := with(tcpPacket(1+uint32(cut), ack, one[cut:]), 101)
	const first = 40
	head := slices.Clone(whole[:20+first])
	tail := slices.Concat(whole[:20], whole[20+first:])
	head[3], head[6] = byte(len(head)), 0x20 // more fragments
	tail[3], tail[7] = byte(len(tail)), first/8
	body := slices.Concat(one[9:9+2+32+1], []byte{0}, one[9+2+32+1:]) // with an empty cookie
	packets := [][]byte{
		tcpPacket(0, syn, nil),
		answer(100, 1, syn|ack),
		with(tcpPacket(1, ack, one[:cut]), 101),
		dtlsDatagram(0, body, 0, 20),
		answer(101, 1+uint32(cut), ack),
		head,
		dtlsDatagram(1, body, 20, len(body)),
		tail,
		answer(101, 1+uint32(len(one)), ack),
	}
	for i := range packets {
		packets[i] = inFrame(packets[i])
	}
	return packets
}

// dtlsDatagram is an IPv4 packet from 192.0.2.3 to 192.0.2.4 with a fragment of a ClientHello.
func dtlsDatagram(number byte, body []byte, from, to int) []byte {
	n := to - from
	fragment := []byte{1, 0, 0, byte(len(body)), 0, 0, 0, 0, byte(from), 0, 0, byte(n)}
	record := append([]byte{22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, number, 0, byte(12 + n)}, append(fragment, body[from:to]...)...)
	const udp = 17
	p := []byte{0x45, 0, 0, 0, 0, 0, 0, 0, 64, udp, 0, 0, 192, 0, 2, 3, 192, 0, 2, 4, 0xc3, 0x51, 1, 0xbb, 0, 0, 0, 0}
	p = append(p, record...)
	p[3], p[25] = byte(len(p)), byte(len(p)-20)
	return p
}

func inFrame(p []byte) []byte {
	return slices.Concat([]byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0}, p)
}

// foreign returns a frame that cannot be of a flow of sureFlows, whatever is in
// it: b is a frame in a VXLAN datagram, or an IPv4 packet of other hosts.
func foreign(b []byte, inTunnel bool) []byte {
	const header = 20
	if !inTunnel {
		if len(b) < header {
			return inFrame(b)
		}
		b = bytes.Clone(b)
		b[0] = 4<<4 | b[0]&15
		copy(b[12:], []byte{198, 51, 100, 1, 198, 51, 100, 2})
		return inFrame(b)
	}
	const udp, vxlan = 17, 4789
	p := []byte{0x45, 0, 0, 0, 0, 0, 0, 0, 64, udp, 0, 0, 198, 51, 100, 1, 198, 51, 100, 2}
	p = append(p, 0xc3, 0x50, vxlan>>8, vxlan&0xff, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 7, 0)
	p = append(p, b...)
	binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
	binary.BigEndian.PutUint16(p[24:], uint16(len(p)-header))
	return inFrame(p)
}

// checkIsolationInput reads packets, each after a byte that says when it comes and how, and
// two of length. They come between those of sureFlows, whose hellos stay as they are.
func checkIsolationInput(data []byte) error {
	flows := sureFlows()
	between := make([][][]byte, len(flows)+1)
	for len(data) >= 3 {
		when, n := data[0], int(binary.BigEndian.Uint16(data[1:]))
		data = data[3:]
		n = min(n, len(data), maxSegment)
		at := int(when>>1) % len(between)
		between[at] = append(between[at], foreign(data[:n], when&1 == 1))
		data = data[n:]
	}
	var packets [][]byte
	for i, p := range flows {
		packets = append(append(packets, between[i]...), p)
	}
	packets = append(packets, between[len(flows)]...)
	want := readAll(LinkTypeEthernet, flows)
	if len(want) != 2 {
		return fmt.Errorf("%d hellos are found without other packets", len(want))
	}
	found := readAll(LinkTypeEthernet, packets)
	for _, w := range want {
		if err := w.staysAmong(found); err != nil {
			return fmt.Errorf("%v: %w", w.Transport, err)
		}
	}
	return nil
}

// staysAmong checks that h is among the hellos, sure, and that nothing else is said of its flow
// but that what a tunnel had before was wrong.
func (h *Hello) staysAmong(found []Hello) error {
	sure := false
	for _, f := range found {
		if f.Src != h.Src || f.Dst != h.Dst || f.Transport != h.Transport {
			continue
		}
		same := bytes.Equal(f.Message, h.Message)
		sure = sure || same && f.Ambiguous == 0
		contradicts := len(f.Message) == 0 && len(f.Contradicts) > 0 && f.Ambiguous == Reasons(0).With(Tunnel)
		if slices.Equal(f.Path, h.Path) && !contradicts && (!same || f.Ambiguous != 0 || len(f.Faults) > 0) {
			return fmt.Errorf("a row of %d bytes, same: %t, doubts %q, faults %v, %q", len(f.Message), same, f.Ambiguous, f.Faults, f.Code.Name())
		}
	}
	if !sure {
		return errors.New("the hello is not found, or in doubt")
	}
	return nil
}

// isolationSeeds have packets of the flows themselves, changed or not, and all ways in
// which hellos travel.
func isolationSeeds(yield func([]byte) bool) {
	r := rand.New(rand.NewSource(12))
	random := func(packets [][]byte, change bool) (seed []byte) {
		for _, p := range packets {
			p = bytes.Clone(p)
			if change && len(p) > 40 {
				p[20+r.Intn(len(p)-20)] ^= byte(1 + r.Intn(255))
			}
			seed = append(seed, byte(r.Intn(256))|1)
			seed = append(binary.BigEndian.AppendUint16(seed, uint16(len(p))), p...)
		}
		return seed
	}
	all := append(connections(), sureFlows())
	common, _ := carriers()
	for _, c := range common {
		all = append(all, [][]byte{append([]byte(c.headers), tcpPacket(1, 0x10, smallHello(81))[20:]...)})
	}
	for _, packets := range all {
		if len(packets[0]) > 0 && packets[0][0]>>4 == 4 {
			packets = slices.Clone(packets)
			for i := range packets {
				packets[i] = inFrame(packets[i])
			}
		}
		for i := range 3 {
			if !yield(random(packets, i > 0)) {
				return
			}
		}
	}
}
