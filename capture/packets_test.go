package capture_test

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/corpus"
)

// tapped reads a capture and returns the frames of each flow, and those of the hellos.
func tapped(t *testing.T, r *capture.Reader) (flows map[uint64][]int, hellos map[uint64][]int, syns int) {
	t.Helper()
	flows, hellos = make(map[uint64][]int), make(map[uint64][]int)
	packets := 0
	r.Tap(func(frame int, _ capture.Packet, parts []capture.FlowPart) {
		if packets++; frame != packets {
			t.Errorf("packet %d is frame %d", packets, frame)
		}
		for _, part := range parts {
			flows[part.Flow] = append(flows[part.Flow], part.Frames...)
			if part.SYN {
				syns++
			}
			if !slices.Contains(part.Frames, packets) {
				t.Errorf("packet %d completes a part of %v", packets, part.Frames)
			}
		}
	})
	for h := range r.Hellos() {
		hellos[h.Flow] = append(hellos[h.Flow], h.Frames...)
		for _, f := range h.Frames {
			if !slices.Contains(flows[h.Flow], f) {
				t.Errorf("hello of %v to %v: frame %d is not in its flow %v", h.Src, h.Dst, f, flows[h.Flow])
			}
		}
	}
	if n := r.Stats().Packets; n != packets {
		t.Errorf("%d packets were seen of %d", packets, n)
	}
	return flows, hellos, syns
}

func open(t *testing.T, data []byte, o capture.Options) *capture.Reader {
	t.Helper()
	r, err := capture.Open(bytes.NewReader(data), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestTap checks for all captures of the corpus that the packets of a hello are of its flow.
func TestTap(t *testing.T) {
	n := 0
	for entry := range corpus.OfKind(corpus.Captures) {
		r, err := capture.Open(bytes.NewReader(entry.Data()), capture.Options{})
		if err != nil {
			continue // an entry that is refused
		}
		t.Run(entry.File, func(t *testing.T) {
			_, hellos, _ := tapped(t, r)
			n += len(hellos)
		})
	}
	if n < 30 {
		t.Errorf("%d flows with hellos are too few", n)
	}
}

// TestTapTunnels checks that both directions of a flow have one number, and flows with the same
// addresses in different VLANs do not, unless paths are merged.
func TestTapTunnels(t *testing.T) {
	inVLAN := func(vlan int, packet []byte) []byte {
		return ethernet(0x8100, join(be16(vlan), be16(0x800), packet))
	}
	begin, answer, segment := up(0, syn, nil), down(0, syn|ack, nil), up(1, ack, hello())
	data := pcap(binary.BigEndian, false,
		inVLAN(7, begin), inVLAN(7, answer), inVLAN(8, begin), inVLAN(7, segment))
	data[23] = linkEthernet
	for _, test := range []struct {
		merge bool
		flows int
	}{{false, 2}, {true, 1}} {
		flows, hellos, syns := tapped(t, open(t, data, capture.Options{MergePaths: test.merge}))
		if len(flows) != test.flows || len(hellos) != 1 || syns != 2 {
			t.Errorf("merge %v: %d flows, %d with hellos, %d SYN; want %d flows", test.merge, len(flows), len(hellos), syns, test.flows)
		}
	}
}

// TestTapFragments checks that a hello in fragments has the packets of all of them.
func TestTapFragments(t *testing.T) {
	whole := tcp(clientPort, serverPort, 1, ack, hello())
	half := len(whole) / 2 &^ 7
	data := pcap(binary.BigEndian, false,
		ipv4Fragment(client, server, 6, 5, half, false, whole[half:]),
		ipv4Fragment(client, server, 6, 5, 0, true, whole[:half]))
	_, hellos, _ := tapped(t, open(t, data, capture.Options{}))
	for _, frames := range hellos {
		if slices.Sort(frames); !slices.Equal(frames, []int{1, 2}) {
			t.Errorf("frames %v", frames)
		}
	}
	if len(hellos) != 1 {
		t.Errorf("%d hellos", len(hellos))
	}
}

// TestPackets checks that all packets of a capture are read.
func TestPackets(t *testing.T) {
	entry, ok := corpus.Lookup("captures/demo.pcapng")
	if !ok {
		t.Fatal("no demo")
	}
	data := entry.Data()
	want, r := split(t, data), open(t, data, capture.Options{})
	n := 0
	for p := range r.Packets() {
		if n >= len(want) || !bytes.Equal(p.Data, want[n].data) || p.Length != want[n].info.Length {
			t.Errorf("packet %d differs", n+1)
		}
		n++
	}
	if n != len(want) || r.Err() != nil {
		t.Errorf("%d packets of %d, %v", n, len(want), r.Err())
	}
}
