package capture

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/gopacket/gopacket"
	"golang.org/x/net/bpf"

	"github.com/tlsflags/tlsflags/corpus"
	"github.com/tlsflags/tlsflags/internal/testenv"
)

// openLive captures on the loopback interface.
func openLive(t *testing.T, ctx context.Context) *Reader {
	t.Helper()
	r, err := Live(ctx, []string{"lo"}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func TestLive(t *testing.T) {
	if !testenv.Network(t) {
		return
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r := openLive(t, ctx)

	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			conn.Close()
		}
	}()
	names := []string{"one.example", "two.example"}
	for _, name := range names {
		conn, err := net.Dial("tcp4", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		tls.Client(conn, &tls.Config{ServerName: name}).Handshake() // fails when the server closes
		conn.Close()
	}

	var found []string
	for h := range r.Hellos() {
		hello, _, err := h.Parse()
		if err != nil {
			t.Fatal(err)
		}
		name, err := hello.ServerName()
		if err != nil {
			t.Fatal(err)
		}
		if found = append(found, string(name)); string(name) == names[len(names)-1] {
			cancel()
		}
	}
	if strings.Join(found, " ") != strings.Join(names, " ") {
		t.Errorf("found %q, want %q, each once", found, names)
	}
	if r.Err() != nil {
		t.Error(r.Err())
	}
	if stats := r.Stats(); stats.Hellos != len(names) || stats.Dropped != 0 {
		t.Errorf("stats: %+v", stats)
	}
}

func TestLiveStops(t *testing.T) {
	if !testenv.Network(t) {
		return
	}
	ctx, cancel := context.WithCancel(t.Context())
	r := openLive(t, ctx)
	cancel()
	for range r.Hellos() {
	}
	if r.Err() != nil {
		t.Errorf("by the context: %v", r.Err())
	}
	r = openLive(t, t.Context())
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	for range r.Hellos() {
	}
	if r.Err() != nil {
		t.Errorf("by Close: %v", r.Err())
	}
}

func TestLiveRefuses(t *testing.T) {
	if !testenv.Network(t) {
		return
	}
	_, err := Live(t.Context(), []string{"nothing0"}, Options{})
	if err == nil || err.Error() != `no interface "nothing0"; there are lo` {
		t.Errorf("got %v", err)
	}
}

// TestFilterPassesHellos runs the filter over the recorded captures, and checks that the
// packets which it drops make no difference.
func TestFilterPassesHellos(t *testing.T) {
	program, left := newFilter(t, LinkTypeEthernet), 0
	for e := range corpus.OfKind(corpus.Captures) {
		open := func() *Reader {
			r, err := Open(bytes.NewReader(e.Data()), Options{})
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		want := 0
		for range open().Hellos() {
			want++
		}
		r, s, got := open(), NewScanner(Options{}), 0
		for p, err := r.source.next(); err == nil; p, err = r.source.next() {
			if p.Link == LinkTypeEthernet {
				n, err := program.Run(p.Data)
				if err != nil {
					t.Fatal(err)
				}
				if n == 0 {
					left++
					continue
				}
			}
			s.Scan(p, func(*Hello) bool { got++; return true })
		}
		if got != want {
			t.Errorf("%s: %d hellos after the filter, want %d", e.File, got, want)
		}
	}
	if left == 0 {
		t.Error("the filter passes everything on")
	}
}

func newFilter(t *testing.T, link LinkType) *bpf.VM {
	t.Helper()
	vm, err := bpf.NewVM(liveFilter(link, false))
	if err != nil {
		t.Fatal(err)
	}
	return vm
}

func TestFilter(t *testing.T) {
	ip := func(protocol, length int, rest ...byte) []byte {
		b := []byte{0x45, 0, byte(length >> 8), byte(length), 0, 0, 0, 0, 64, byte(protocol), 19: 0}
		return append(b, rest...)
	}
	options := func(b []byte) []byte { // an IP header with 4 bytes of options
		b[0] = 0x46
		return append(b[:20:20], append(make([]byte, 4), b[20:]...)...)
	}
	tcp := func(flags byte, payload ...byte) []byte {
		return append([]byte{12: 5 << 4, 13: flags, 19: 0}, payload...)
	}
	fragment := func(b []byte) []byte { b[7] = 1; return b }
	frame := func(etherType int, payload []byte) []byte {
		return append([]byte{12: byte(etherType >> 8), 13: byte(etherType)}, payload...)
	}
	raw, ether := newFilter(t, LinkTypeRaw), newFilter(t, LinkTypeEthernet)
	for name, row := range map[string]struct {
		ip   []byte
		pass bool
	}{
		"SYN":                     {ip(6, 40, tcp(tcpSYN)...), true},
		"FIN":                     {ip(6, 40, tcp(tcpFIN|16)...), true},
		"RST":                     {ip(6, 40, tcp(tcpRST)...), true},
		"ACK":                     {ip(6, 40, tcp(16)...), false},
		"ACK, padded":             {ip(6, 40, tcp(16, 0, 0, 0, 0, 0, 0)...), false},
		"ACK, options":            {options(ip(6, 44, tcp(16)...)), false},
		"data":                    {ip(6, 41, tcp(16, 22)...), true},
		"data, options":           {options(ip(6, 45, tcp(16, 22)...)), true},
		"length left to the card": {ip(6, 0, tcp(16, 22)...), true},
		"fragment":                {fragment(ip(6, 28, make([]byte, 8)...)), true},
		"UDP":                     {ip(17, 28, make([]byte, 8)...), true},
		"GRE":                     {ip(47, 28, make([]byte, 8)...), true},
		"ICMP":                    {ip(1, 28, make([]byte, 8)...), false},
		"IPv6":                    {append([]byte{0x60}, make([]byte, 60)...), true},
	} {
		if name != "IPv6" {
			checkFilter(t, name, ether, frame(etherIPv4, row.ip), row.pass)
			checkFilter(t, name+", VLAN", ether, frame(etherVLAN, row.ip), true)
		}
		checkFilter(t, name+", raw", raw, row.ip, row.pass)
	}
	var d decoder
	for typ := etherMaxLength + 1; typ < 1<<16; typ++ {
		if d.depth = 0; typ != etherIPv4 {
			follows := d.etherType(uint16(typ), nil) != isUnknownEtherType
			checkFilter(t, fmt.Sprintf("EtherType %#x", typ), ether, frame(typ, make([]byte, 60)), follows)
		}
	}
	for protocol := range 256 {
		if v := d.protocol(uint8(protocol), nil); protocol != protoTCP {
			follows := v != isOther && v != isEncrypted
			checkFilter(t, fmt.Sprintf("protocol %d", protocol), raw, ip(protocol, 28, make([]byte, 8)...), follows)
		}
	}
	checkFilter(t, "IPv6", ether, frame(etherIPv6, make([]byte, 60)), true)
	checkFilter(t, "ARP", ether, frame(0x0806, make([]byte, 28)), false)
	checkFilter(t, "802.2", ether, frame(60, make([]byte, 60)), true)
}

func checkFilter(t *testing.T, name string, vm *bpf.VM, packet []byte, pass bool) {
	t.Helper()
	want := 0
	if pass {
		want = 256 << 10 // at most
	}
	if n, err := vm.Run(packet); err != nil || n != want {
		t.Errorf("%s: %d bytes pass, %v; want %d", name, n, err, want)
	}
}

// TestLoopbackFilter checks that outgoing packets are dropped on the loopback interface, and
// that the rest of the filter is as it is elsewhere.
func TestLoopbackFilter(t *testing.T) {
	code, rest := liveFilter(LinkTypeEthernet, true), liveFilter(LinkTypeEthernet, false)
	const packetOutgoing = 4
	jump, ok := code[1].(bpf.JumpIf)
	if code[0] != (bpf.LoadExtension{Num: bpf.ExtType}) || !ok || jump.Cond != bpf.JumpEqual || jump.Val != packetOutgoing || jump.SkipFalse != 0 {
		t.Fatalf("the filter begins with %v, %v", code[0], code[1])
	}
	if to := code[2+int(jump.SkipTrue)]; to != (bpf.RetConstant{Val: 0}) {
		t.Errorf("outgoing packets end at %v", to)
	}
	if !slices.Equal(code[2:], rest) {
		t.Errorf("the rest is\n%v\nand elsewhere\n%v", code[2:], rest)
	}
}

// TestNameOf checks that the interface of a frame is known for as long as it is kept.
func TestNameOf(t *testing.T) {
	s := &liveSource{nics: map[int]nic{3: {Interface: Interface{Name: "eth0"}}, 5: {Interface: Interface{Name: "eth1"}}}, seen: make([]int32, 4)}
	for _, index := range []int{3, 5, 5, 3, 5} {
		s.packet(nil, gopacket.CaptureInfo{InterfaceIndex: index})
	}
	for frame, want := range []string{"", "", "eth1", "eth1", "eth0", "eth1", ""} {
		if name := s.nameOf(frame); name != want {
			t.Errorf("frame %d: %q, want %q", frame, name, want)
		}
	}
}
