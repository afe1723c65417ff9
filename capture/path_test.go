package capture_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/capture"
)

// vxlanFrom is an IP packet in a VXLAN datagram of a host.
func vxlanFrom(host string, vni int, inner []byte) []byte {
	etherType := 0x0800
	if inner[0]>>4 == 6 {
		etherType = 0x86dd
	}
	return ipv4(netip.MustParseAddr(host), server, 17, udp(9999, 4789, join([]byte{8, 0, 0, 0}, be32(vni<<8), ethernet(etherType, inner))))
}

func vlan(id int, p []byte) []byte {
	return join(make([]byte, 12), be16(0x8100), be16(id), be16(0x0800), p)
}

// inEthernet gives packets, which begin with an Ethernet header or with one of IP, to a
// Scanner.
func inEthernet(o capture.Options, packets ...[]byte) ([]capture.Hello, capture.Stats) {
	s := capture.NewScanner(o)
	var hellos []capture.Hello
	keep := func(h *capture.Hello) bool {
		hellos = append(hellos, *h.Clone())
		return true
	}
	for _, p := range packets {
		if p[0] != 0 {
			p = ethernet(0x0800, p)
		}
		packet := raw(p)
		packet.Link = capture.LinkTypeEthernet
		s.Scan(packet, keep)
	}
	s.Flush(keep)
	return hellos, s.Stats()
}

func TestPath(t *testing.T) {
	one := up(1, ack, hello())
	for want, p := range map[string][]byte{
		"eth ipv4 tcp":        one,
		"eth vlan:7 ipv4 tcp": vlan(7, one),
		"eth ipv4:192.0.2.9>198.51.100.1 udp vxlan:42 eth ipv4 tcp":             vxlanFrom("192.0.2.9", 42, one),
		"eth vlan:7 ipv4:192.0.2.9>198.51.100.1 udp vxlan:42 eth ipv6 tcp":      vlan(7, vxlanFrom("192.0.2.9", 42, ip6())),
		"eth ipv4:192.0.2.1>198.51.100.1 gre ipv4 tcp":                          ipv4(client, server, 47, join([]byte{0, 0, 8, 0}, one)),
		"eth ipv6:2001:db8::1>2001:db8::2 ipv4:192.0.2.1>198.51.100.1 ipv4 tcp": ethernet(0x86dd, ipv6(client6, server6, 4, ipv4(client, server, 4, one))),
		"eth ipv4:192.0.2.1>198.51.100.1 udp geneve:9 ipv4 tcp":                 ipv4(client, server, 17, udp(1, 6081, join([]byte{0, 0, 8, 0}, be32(9<<8), one))),
		"eth ipv4:192.0.2.1>198.51.100.1 udp gtpu ipv4 tcp":                     ipv4(client, server, 17, udp(1, 2152, join([]byte{0x30, 255}, be16(len(one)), be32(5), one))),
		"eth ipv6 tcp": ethernet(0x86dd, ip6()),
	} {
		hellos, stats := inEthernet(capture.Options{}, p)
		if len(hellos) != 1 || strings.Join(hellos[0].Path, " ") != want {
			t.Errorf("%s: got %+v, %+v", want, hellos, stats)
		}
	}
	hellos, _ := scan(capture.Options{}, one)
	if len(hellos) != 1 || !slices.Equal(hellos[0].Path, []string{"ipv4", "tcp"}) {
		t.Errorf("raw IP: got %+v", hellos)
	}
}

// TestPlaces checks that packets in different VLANs and tunnels are of different flows, and
// those of both directions of a tunnel are of one.
func TestPlaces(t *testing.T) {
	first, rest := up(1, ack, hello()[:40]), up(41, ack, hello()[40:])
	back := ipv4(server, netip.MustParseAddr("192.0.2.9"), 17, udp(1, 4789, join([]byte{8, 0, 0, 0}, be32(42<<8), ethernet(0x0800, rest))))
	label := func(n int, p []byte) []byte { return ethernet(0x8847, join(be32(n<<12|0x100), p)) }
	for name, row := range map[string]struct {
		packets [][]byte
		want    int
	}{
		"one VLAN":                       {[][]byte{vlan(7, first), vlan(7, rest)}, 1},
		"two VLANs":                      {[][]byte{vlan(7, first), vlan(8, rest)}, 0},
		"a VLAN and none":                {[][]byte{vlan(7, first), rest}, 0},
		"two priorities":                 {[][]byte{vlan(7, first), vlan(7|0x2000, rest)}, 1},
		"one VNI":                        {[][]byte{vxlanFrom("192.0.2.9", 42, first), vxlanFrom("192.0.2.9", 42, rest)}, 1},
		"two VNIs":                       {[][]byte{vxlanFrom("192.0.2.9", 42, first), vxlanFrom("192.0.2.9", 43, rest)}, 0},
		"two outer addresses":            {[][]byte{vxlanFrom("192.0.2.9", 42, first), vxlanFrom("192.0.2.8", 42, rest)}, 0},
		"outer addresses the other way":  {[][]byte{vxlanFrom("192.0.2.9", 42, first), back}, 1},
		"a tunnel and none":              {[][]byte{vxlanFrom("192.0.2.9", 42, first), rest}, 0},
		"two MPLS labels":                {[][]byte{label(1, first), label(2, rest)}, 1},
		"a VLAN that was gone meanwhile": {[][]byte{vlan(7, up(1, ack, hello())), vlan(8, first), vlan(8, rest)}, 1},
	} {
		hellos, stats := inEthernet(capture.Options{}, row.packets...)
		if len(hellos) != row.want {
			t.Errorf("%s: got %d hellos, want %d; %+v", name, len(hellos), row.want, stats)
		}
		hellos, stats = inEthernet(capture.Options{MergePaths: true}, row.packets...)
		if len(hellos) != 1 {
			t.Errorf("%s, merged: got %d hellos; %+v", name, len(hellos), stats)
		}
	}
}

// TestTwins checks what is said of a flow that is seen in a tunnel and outside.
func TestTwins(t *testing.T) {
	inside := func(p []byte) []byte { return vxlanFrom("192.0.2.9", 42, p) }
	start := [][]byte{up(0, syn, nil), down(-1, syn|ack, nil)}
	one, two := up(1, ack, records(messageWith(1), 1<<14)), up(1, ack, records(messageWith(2), 1<<14))
	for name, row := range map[string]struct {
		packets [][]byte
		want    []reading
	}{
		"the same, outside first":                 {[][]byte{one, inside(one)}, []reading{{N: 1}}},
		"the same, inside first":                  {[][]byte{inside(one), one}, []reading{{N: 1}}},
		"each packet inside first":                {[][]byte{inside(start[0]), start[0], inside(start[1]), start[1], inside(one), one}, []reading{{N: 1}}},
		"the same in two VLANs":                   {[][]byte{vlan(7, one), vlan(8, one)}, []reading{{N: 1}}},
		"others, in two VLANs":                    {[][]byte{vlan(7, one), vlan(8, two)}, []reading{{N: 1}, {N: 2, Ambiguous: "tunnel"}}},
		"another one inside, later":               {[][]byte{start[0], start[1], one, inside(two)}, []reading{{N: 1}, {N: 2, Ambiguous: "tunnel"}}},
		"another one inside, before":              {[][]byte{start[0], start[1], inside(two), one}, []reading{{N: 2, Ambiguous: "tunnel"}, {N: 1}}},
		"another one inside, before all":          {[][]byte{inside(two), start[0], start[1], one}, []reading{{N: 2}, {Ambiguous: "tunnel", Contradicts: []int{1}}, {N: 1}}},
		"inside, and outside never whole":         {[][]byte{start[0], start[1], inside(two)}, []reading{{N: 2, Ambiguous: "tunnel"}}},
		"one direction inside, the other outside": {[][]byte{inside(start[0]), start[1], inside(one)}, []reading{{N: 1}}},
		"from the server's side inside":           {[][]byte{start[0], start[1], inside(down(1, ack, records(messageWith(2), 1<<14))), one}, []reading{{N: 2, Ambiguous: "tunnel"}, {N: 1}}},
		"a hello of its own inside alone":         {[][]byte{inside(one)}, []reading{{N: 1}}},
		"a tunnel in a tunnel, the same":          {[][]byte{inside(inside(one)), inside(one)}, []reading{{N: 1}}},
		"two tunnels, one of them differs":        {[][]byte{inside(one), vxlanFrom("192.0.2.8", 42, two)}, []reading{{N: 1}, {N: 2, Ambiguous: "tunnel"}}},
	} {
		hellos, _ := inEthernet(capture.Options{}, row.packets...)
		got := readings(hellos)
		if !slices.EqualFunc(got, row.want, func(a, b reading) bool {
			return a.N == b.N && a.Ambiguous == b.Ambiguous && slices.Equal(a.Contradicts, b.Contradicts)
		}) {
			t.Errorf("%s: got %+v, want %+v", name, got, row.want)
		}
	}
}

// TestTwinEndsTheDoubt checks that nothing is open after the hello that one inside a tunnel has waited
// for.
func TestTwinEndsTheDoubt(t *testing.T) {
	s := capture.NewScanner(capture.Options{})
	for i, p := range [][]byte{up(0, syn, nil), down(-1, syn|ack, nil), vxlanFrom("192.0.2.9", 42, ip4()), ip4()} {
		found := 0
		s.Scan(raw(p), func(*capture.Hello) bool { found++; return true })
		if doubts := s.Doubts(); found != i/3 || (doubts > 0) != (i == 2) {
			t.Errorf("packet %d: %d rows, %d doubts", i+1, found, doubts)
		}
	}
}

// TestTwinsOverUDP does the same for hellos over UDP.
func TestTwinsOverUDP(t *testing.T) {
	hello := func(last byte) []byte {
		b := dtlsFragment(100, 0, 100)
		b[len(b)-1] = last
		return ipv4(client, server, 17, udp(1, 443, b))
	}
	refused := ipv4(client, server, 17, udp(1, 443, dtlsFragment(200_000, 0, 100)))
	for name, row := range map[string]struct {
		packets [][]byte
		want    []string // reasons
	}{
		"the same":               {[][]byte{hello(1), vxlanFrom("192.0.2.9", 42, hello(1))}, []string{""}},
		"another one inside":     {[][]byte{hello(1), vxlanFrom("192.0.2.9", 42, hello(2))}, []string{"", "tunnel"}},
		"another one before":     {[][]byte{vxlanFrom("192.0.2.9", 42, hello(2)), hello(1)}, []string{"", "tunnel", ""}},
		"a refused one before":   {[][]byte{vxlanFrom("192.0.2.9", 42, refused), hello(1)}, []string{"", ""}},
		"in a tunnel alone":      {[][]byte{vxlanFrom("192.0.2.9", 42, hello(2))}, []string{""}},
		"the same in two VLANs":  {[][]byte{vlan(7, hello(1)), vlan(8, hello(1))}, []string{""}},
		"others, in two VLANs":   {[][]byte{vlan(7, hello(1)), vlan(8, hello(2))}, []string{"", "tunnel"}},
		"again in the same VLAN": {[][]byte{vlan(7, hello(1)), vlan(7, hello(1))}, []string{""}},
	} {
		hellos, stats := inEthernet(capture.Options{}, row.packets...)
		var got []string
		for _, h := range hellos {
			got = append(got, h.Ambiguous.String())
		}
		if !slices.Equal(got, row.want) {
			t.Errorf("%s: got %q, want %q; %+v", name, got, row.want, stats)
		}
	}
}

// TestPathOfLateRow checks that a row has the path of its flow if another packet, or the end
// of the capture, brings it about.
func TestPathOfLateRow(t *testing.T) {
	unacknowledged := seg{flags: 8, data: real1}.packet(false)
	hellos, _ := inEthernet(capture.Options{}, vlan(7, synSent.packet(false)), vlan(7, unacknowledged), up(1, syn, nil))
	if len(hellos) != 1 || strings.Join(hellos[0].Path, " ") != "eth vlan:7 ipv4 tcp" {
		t.Errorf("got %+v", hellos)
	}
}

// TestTwinFromTheServer checks that a hello in the name of the server, inside a tunnel, does
// not take the place of the one that the client sends outside.
func TestTwinFromTheServer(t *testing.T) {
	forged := seg{flags: ack, data: real1, fromServer: true}.packet(false)
	hellos, _ := inEthernet(capture.Options{}, synSent.packet(false), seg{flags: ack}.packet(false), vxlanFrom("192.0.2.9", 42, forged), seg{flags: ack, data: real1}.packet(false))
	if !slices.ContainsFunc(hellos, func(h capture.Hello) bool { return h.Src.Port() == clientPort && h.Ambiguous == 0 && h.Found() }) {
		t.Errorf("got %+v", hellos)
	}
}
