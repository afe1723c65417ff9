package packets

import (
	"bytes"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/tlsflags/tlsflags/capture"
)

// step is a packet of a flow, or a hello in it.
type step struct {
	flow  uint64
	syn   bool
	hello []int // frames
}

func run(k *Keeper, steps []step) {
	frame := 0
	for _, s := range steps {
		if s.hello != nil {
			k.Select(&capture.Hello{Flow: s.flow, Frames: s.hello})
			continue
		}
		frame++
		k.Add([]capture.FlowPart{{Flow: s.flow, Frames: []int{frame}, SYN: s.syn}})
	}
}

func packetsOf(flow uint64, n int) []step { return slices.Repeat([]step{{flow: flow}}, n) }

func span(first, last int) (list []int) {
	for i := first; i <= last; i++ {
		list = append(list, i)
	}
	return list
}

func TestKeeper(t *testing.T) {
	hello := func(flow uint64, frames ...int) []step { return []step{{flow: flow, hello: frames}} }
	syn := []step{{flow: 1, syn: true}}
	for _, test := range []struct {
		name  string
		steps []step
		want  []int
	}{
		{"from the SYN on", slices.Concat(syn, packetsOf(1, 3), hello(1, 4), packetsOf(1, 2)), span(1, 6)},
		{"a SYN that is sent again", slices.Concat(syn, syn, packetsOf(1, 2), hello(1, 4)), span(1, 4)},
		{"not the connection before", slices.Concat(syn, packetsOf(1, 4), syn, packetsOf(1, 2), hello(1, 8)), span(6, 8)},
		{"not the connection after", slices.Concat(syn, packetsOf(1, 1), hello(1, 2), packetsOf(1, 2), syn, packetsOf(1, 2)), span(1, 4)},
		{"not other connections", slices.Concat(syn, packetsOf(2, 2), packetsOf(1, 1), hello(1, 4), packetsOf(2, 2), packetsOf(1, 1)), []int{1, 4, 7}},
		{"as many before and after it", slices.Concat(packetsOf(1, 200), hello(1, 200), packetsOf(1, 200)), span(200-Around, 200+Around)},
		{"a hello that is found late", slices.Concat(packetsOf(1, 100), packetsOf(1, 5), hello(1, 99, 100), packetsOf(1, 200)), span(99-Around, 100+Around)},
		{"each packet once", slices.Concat(syn, packetsOf(1, 1), hello(1, 2), hello(1, 2), packetsOf(1, 1), hello(1, 3)), span(1, 3)},
		{"a hello of an unknown flow", slices.Concat(packetsOf(2, 3), hello(1, 3, 2)), span(2, 3)},
		{"a hello without packets", hello(1), nil},
	} {
		var got []int
		k := NewKeeper(func(frame int) { got = append(got, frame) })
		run(k, test.steps)
		if diff := cmp.Diff(test.want, got); diff != "" || k.Cut != 0 {
			t.Errorf("%s: %d cut (-want +got):\n%s", test.name, k.Cut, diff)
		}
	}
}

// TestKeeperForgets checks that a connection whose beginning is forgotten is counted.
func TestKeeperForgets(t *testing.T) {
	var got []int
	k := NewKeeper(func(frame int) { got = append(got, frame) })
	run(k, []step{{flow: 1, syn: true}})
	for flow := range uint64(3 * maxFlows) {
		k.Add([]capture.FlowPart{{Flow: 2 + flow, Frames: []int{2 + int(flow)}}})
	}
	k.Add([]capture.FlowPart{{Flow: 1, Frames: []int{1 << 20}}})
	k.Select(&capture.Hello{Flow: 1, Frames: []int{1 << 20}})
	if k.Cut != 1 || !slices.Equal(got, []int{1 << 20}) {
		t.Errorf("kept %v, %d cut", got, k.Cut)
	}
	if n := len(k.flows.young) + len(k.flows.old); n > 2*maxFlows {
		t.Errorf("%d flows are remembered", n)
	}
}

func TestBuffer(t *testing.T) {
	b := NewBuffer(3 * (packetCost + 10))
	data := make([]byte, 10)
	for i := range 10 {
		data[0] = byte(i + 1)
		b.Add(i+1, capture.Packet{Data: data})
	}
	for frame := range 12 {
		p, ok := b.Packet(frame)
		if want := 8 <= frame && frame <= 10; ok != want || ok && int(p.Data[0]) != frame {
			t.Errorf("packet %d: %v, %v", frame, ok, p.Data)
		}
	}
	b.Add(15, capture.Packet{Data: make([]byte, 1000)})
	if _, ok := b.Packet(15); !ok || len(b.packets) != 1 {
		t.Errorf("the latest packet is always there; there are %d", len(b.packets))
	}
}

func TestSet(t *testing.T) {
	var s Set
	for _, frame := range []int{1, 63, 64, 1000} {
		s.Add(frame)
	}
	var got []int
	for frame := range 2000 {
		if s.Has(frame) {
			got = append(got, frame)
		}
	}
	if !slices.Equal(got, []int{1, 63, 64, 1000}) {
		t.Errorf("the set has %v", got)
	}
}

// TestWriter reads what was written with package capture and with gopacket.
func TestWriter(t *testing.T) {
	packets := []capture.Packet{
		{Data: []byte{1, 2, 3}, Length: 99, Link: capture.LinkTypeEthernet, Time: time.Unix(1700000000, 123456789)},
		{Data: []byte{4, 5, 6, 7}, Link: capture.LinkTypeLinuxSLL2, Time: time.Unix(1, 0)},
		{Data: []byte{}, Link: capture.LinkTypeEthernet, Time: time.Date(9000, 1, 1, 0, 0, 0, 0, time.UTC)},
	}
	var b bytes.Buffer
	w := NewWriter(&b)
	for _, p := range packets {
		if err := w.Write(p); err != nil {
			t.Fatal(err)
		}
	}
	packets[1].Length, packets[2].Time = 4, time.Unix(0, 0)
	r, err := capture.Open(bytes.NewReader(b.Bytes()), capture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []capture.Packet
	for p := range r.Packets() {
		p.Data, p.Time = append([]byte{}, p.Data...), p.Time.Local()
		got = append(got, p)
	}
	if diff := cmp.Diff(packets, got); diff != "" || r.Err() != nil {
		t.Errorf("%v (-want +got):\n%s", r.Err(), diff)
	}
	ng, err := pcapgo.NewNgReader(&b, pcapgo.NgReaderOptions{WantMixedLinkType: true})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for ; err == nil; n++ {
		_, _, err = ng.ReadPacketData()
	}
	if n != len(packets)+1 || err != io.EOF {
		t.Errorf("gopacket reads %d packets, %v", n-1, err)
	}
}

func TestWriterOfNothing(t *testing.T) {
	var b bytes.Buffer
	if err := NewWriter(&b).Begin(); err != nil {
		t.Fatal(err)
	}
	if _, err := capture.Open(&b, capture.Options{}); err != nil {
		t.Error(err)
	}
}
