package capture

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/tlsflags/tlsflags/corpus"
)

// TestNoHelloIsLostWithoutItsBeginning drops all SYNs of each recorded capture, and then, for
// each hello, all that its connection has before it. No hello whose own segments are there is
// lost, and none is refused instead.
func TestNoHelloIsLostWithoutItsBeginning(t *testing.T) {
	tried := 0
	for e := range corpus.OfKind(corpus.Captures) {
		packets := packetsOf(t, e.Data())
		all := hellosOf(packets, func(int, *segment) bool { return true })
		lost := func(what string, h Hello, keep func(frame int, seg *segment) bool) {
			tried++
			found := hellosOf(packets, keep)
			same := func(f Hello) bool { return f.Src == h.Src && f.Code == h.Code && bytes.Equal(f.Message, h.Message) }
			if !slices.ContainsFunc(found, same) {
				t.Errorf("%s, %s: the hello in packets %d is lost", e.File, what, h.Frames)
			}
			if refused := func(f Hello) bool { return f.Code != 0 }; slices.ContainsFunc(found, refused) && !slices.ContainsFunc(all, refused) {
				t.Errorf("%s, %s: a hello is refused", e.File, what)
			}
		}
		for _, h := range all {
			if h.Transport != TCP {
				continue
			}
			lost("without SYNs", h, func(frame int, seg *segment) bool {
				return slices.Contains(h.Frames, frame) || seg.flags&tcpSYN == 0
			})
			first := slices.Min(h.Frames)
			lost("without what is before", h, func(frame int, seg *segment) bool {
				src, dst := addrPort(seg.src, seg.ipv6), addrPort(seg.dst, seg.ipv6)
				return frame >= first || (src != h.Src || dst != h.Dst) && (src != h.Dst || dst != h.Src)
			})
		}
	}
	if tried < 50 {
		t.Errorf("%d captures were tried", tried)
	}
}

// packetsOf returns the packets of a capture.
func packetsOf(t *testing.T, file []byte) (packets []Packet) {
	r, err := Open(bytes.NewReader(file), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for p, err := r.source.next(); err == nil; p, err = r.source.next() {
		p.Data = bytes.Clone(p.Data)
		packets = append(packets, p)
	}
	return packets
}

// hellosOf returns the hellos in those packets that are kept. Packets without TCP always are.
func hellosOf(packets []Packet, kept func(frame int, seg *segment) bool) (hellos []Hello) {
	s, headers := NewScanner(Options{}), NewScanner(Options{})
	yield := func(h *Hello) bool {
		hellos = append(hellos, keep(h))
		return true
	}
	for i, p := range packets {
		if headers.decode(p) == isSegment && !headers.decoder.seg.udp && !kept(i+1, &headers.decoder.seg) {
			continue
		}
		s.Scan(p, yield)
	}
	s.Flush(yield)
	return hellos
}

// TestSYNAfterLateHello checks that nothing is lost of the memory if a SYN begins a connection
// again whose late hello has not arrived.
func TestSYNAfterLateHello(t *testing.T) {
	const syn, ack = 0x02, 0x10
	with := func(p []byte, acked uint32) []byte {
		binary.BigEndian.PutUint32(p[28:], acked)
		return p
	}
	other := tcpPacket(500, syn, nil)
	copy(other[12:], []byte{192, 0, 2, 2, 192, 0, 2, 1, 0x01, 0xbb, 0xc3, 0x50})
	s := NewScanner(Options{})
	for _, p := range [][]byte{
		other,
		with(tcpPacket(0, syn|ack, nil), 501),
		with(tcpPacket(1, ack, []byte("unknown!")), 501),
		with(tcpPacket(1, ack, smallHello(80)[:20]), 9000), // it acknowledges what was not sent
		with(tcpPacket(9000, syn|ack, nil), 501),
	} {
		s.Scan(Packet{Data: p, Link: LinkTypeRaw}, func(*Hello) bool { return true })
		checkAccounts(t, s)
	}
}
