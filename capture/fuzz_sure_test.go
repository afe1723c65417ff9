package capture

import (
	"bytes"
	"encoding/binary"
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
// what networks do, and no doubt.
func checkOrderInput(data []byte) error {
	if len(data) < 5 {
		return nil
	}
	isn := binary.BigEndian.Uint32(data)
	cuts, rest, ok := assembletest.SplitCuts(data[4:])
	if !ok {
		return nil
	}
	body, pieces := assembletest.Schedule(rest)
	if len(body) < 2 || len(body) > 1<<16 {
		return nil
	}
	n := len(body)
	stream := assembletest.InRecords(append([]byte{1, byte(n >> 16), byte(n >> 8), byte(n)}, body...), cuts)
	const syn, ack = 0x02, 0x10
	packets := [][]byte{tcpPacket(isn, syn, nil)}
	for _, p := range append(scalePieces(pieces, body, stream), assembletest.Piece{Offset: 0, Data: stream}) {
		end := p.Offset + len(p.Data)
		for part := range slices.Chunk(stream[p.Offset:end:end], maxSegment) {
			packets = append(packets, tcpPacket(isn+1+uint32(p.Offset), ack, part))
			p.Offset += len(part)
		}
	}
	for _, h := range readAll(LinkTypeRaw, packets) {
		if h.Ambiguous != 0 || len(h.Contradicts) > 0 || slices.ContainsFunc(h.Faults, func(f Fault) bool { return f.Code == FaultOverlap }) {
			return fmt.Errorf("no copy differs, and the hello in packets %d has the doubts %q, the faults %v", h.Frames, h.Ambiguous, h.Faults)
		}
	}
	return nil
}

// sureConnection has a hello that nothing puts in doubt: in two segments, one of which is in
// fragments. Its packets have an Ethernet header.
func sureConnection() [][]byte {
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
	packets := [][]byte{
		tcpPacket(0, syn, nil),
		answer(100, 1, syn|ack),
		with(tcpPacket(1, ack, one[:cut]), 101),
		answer(101, 1+uint32(cut), ack),
		head,
		tail,
		answer(101, 1+uint32(len(one)), ack),
	}
	for i := range packets {
		packets[i] = inFrame(packets[i])
	}
	return packets
}

func inFrame(p []byte) []byte {
	return slices.Concat([]byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0}, p)
}

// foreign returns a frame that cannot be of the connection of sureConnection, whatever is in
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
// two of length. They come between those of a connection of other hosts, whose hello stays
// as it is and sure.
func checkIsolationInput(data []byte) error {
	connection := sureConnection()
	want := smallHello(80)[5:]
	between := make([][][]byte, len(connection)+1)
	for len(data) >= 3 {
		when, n := data[0], int(binary.BigEndian.Uint16(data[1:]))
		data = data[3:]
		n = min(n, len(data), maxSegment)
		at := int(when>>1) % len(between)
		between[at] = append(between[at], foreign(data[:n], when&1 == 1))
		data = data[n:]
	}
	var packets [][]byte
	for i, p := range connection {
		packets = append(append(packets, between[i]...), p)
	}
	packets = append(packets, between[len(connection)]...)
	sure := false
	for _, h := range readAll(LinkTypeEthernet, packets) {
		if h.Src.String() != "192.0.2.1:50000" || h.Dst.String() != "192.0.2.2:443" || h.Transport != TCP {
			continue
		}
		if len(h.Message) == 0 && len(h.Contradicts) > 0 && h.Ambiguous == Reasons(0).With(Tunnel) {
			continue // what a tunnel had before was wrong
		}
		same := bytes.Equal(h.Message, want)
		sure = sure || same && h.Ambiguous == 0
		if slices.Equal(h.Path, []string{"eth", "ipv4", "tcp"}) && (!same || h.Ambiguous != 0 || h.Code != 0 || len(h.Faults) > 0) {
			return fmt.Errorf("the connection's row: %d bytes, same: %t, doubts %q, faults %v, %v", len(h.Message), same, h.Ambiguous, h.Faults, h.Code)
		}
	}
	if !sure {
		return fmt.Errorf("the hello of the connection is not found, or in doubt")
	}
	return nil
}

// isolationSeeds have packets of the connection itself, changed or not, and all ways in
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
	all := append(connections(), sureConnection())
	for _, c := range carriers() {
		all = append(all, [][]byte{append([]byte(c.headers), tcpPacket(1, 0x10, smallHello(81))[20:]...)})
	}
	for _, packets := range all {
		if len(packets[0]) > 0 && packets[0][0]>>4 == 4 {
			packets = slices.Clone(packets)
			for i := range packets {
				packets[i] = inFrame(packets[i])
			}
		}
		for i := range 4 {
			if !yield(random(packets, i > 0)) {
				return
			}
		}
	}
}
