package capture_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/capture"
)

// TestPlaceInVLAN has a tunnel in a VLAN, and the same flow in that VLAN outside of the tunnel.
func TestPlaceInVLAN(t *testing.T) {
	first, rest := up(1, ack, hello()[:40]), up(41, ack, hello()[40:])
	inside := func(p []byte) []byte { return vlan(7, ipv4(client, server, 4, p)) }
	for name, packets := range map[string][][]byte{
		"inside, outside": {inside(first), inside(first), vlan(7, rest)},
		"outside, inside": {vlan(7, first), vlan(7, first), inside(rest)},
	} {
		if hellos, stats := inEthernet(capture.Options{}, packets...); len(hellos) != 0 || stats.Flows != 2 {
			t.Errorf("%s: %d hellos, %+v", name, len(hellos), stats)
		}
		if hellos, stats := inEthernet(capture.Options{}, slices.Concat(packets, packets[:1], [][]byte{inside(rest), vlan(7, first), vlan(7, rest)})...); len(hellos) != 1 {
			t.Errorf("%s, then all: %d hellos, %+v", name, len(hellos), stats)
		}
	}
}

// TestPlaceInTunnel has the first half of a hello in IP in IP, and the second outside.
func TestPlaceInTunnel(t *testing.T) {
	first, rest := up(1, ack, hello()[:40]), up(41, ack, hello()[40:])
	if hellos, stats := scan(capture.Options{}, ipv4(client, server, 4, first), rest); len(hellos) != 0 || stats.Flows != 2 {
		t.Errorf("%d hellos, %+v", len(hellos), stats)
	}
}

// TestPathOfTunnels names the layers of tunnels that have several forms.
func TestPathOfTunnels(t *testing.T) {
	const outer = "eth ipv4:192.0.2.1>198.51.100.1 "
	one := up(1, ack, hello())
	for want, p := range map[string][]byte{
		"udp vxlan:42 ipv4 tcp":      ipv4(client, server, 17, udp(9999, 4790, join([]byte{0x0c, 0, 0, 1}, be32(42<<8), one))),
		"udp vxlan:42 eth ipv4 tcp":  ipv4(client, server, 17, udp(9999, 4790, join([]byte{0x08, 0, 0, 0}, be32(42<<8), ethernet(0x0800, one)))),
		"gre erspan eth ipv4 tcp":    ipv4(client, server, 47, join(be16(0x1000), be16(0x88be), make([]byte, 4+8), ethernet(0x0800, one))),
		"gre eth vlan:3 ipv4 tcp":    ipv4(client, server, 47, join(be16(0), be16(0x6558), vlan(3, one))),
		"gre ipv6 tcp":               ipv4(client, server, 47, join(be16(0), be16(0x86dd), ip6())),
		"etherip eth ipv4 tcp":       ipv4(client, server, 97, join([]byte{0x30, 0}, ethernet(0x0800, one))),
		"udp teredo ipv6 tcp":        ipv4(client, server, 17, udp(3544, 9999, ip6())),
		"udp geneve:42 eth ipv4 tcp": ipv4(client, server, 17, udp(1, 6081, join([]byte{0, 0, 0x65, 0x58}, be32(42<<8), ethernet(0x0800, one)))),
	} {
		hellos, stats := inEthernet(capture.Options{}, p)
		if len(hellos) != 1 || strings.Join(hellos[0].Path, " ") != outer+want {
			t.Errorf("%s: got %+v, %+v", want, hellos, stats)
		}
	}
}

// TestFramesAreThoseOfTheHello has packets that bring bytes before and after the hello, and
// some of them first.
func TestFramesAreThoseOfTheHello(t *testing.T) {
	stream := join([]byte("EHLO x\r\nSTARTTLS\r\n"), hello())
	const before = 18
	start := [][]byte{up(0, syn, nil), down(-1, syn|ack, nil)}
	for name, row := range map[string]struct {
		packets [][]byte
		want    []int
	}{
		"what follows comes first": {[][]byte{up(1+len(stream), ack, []byte("more")), up(1+before, ack, hello()), up(1, ack, stream[:before])}, []int{4}},
		"in the same packet":       {[][]byte{up(1+before+20, ack, join(hello()[20:], []byte("more"))), up(1, ack, stream[:before+20])}, []int{4, 3}},
		"in turn":                  {[][]byte{up(1, ack, stream[:before]), up(1+before, ack, hello()), up(1+len(stream), ack, []byte("more"))}, []int{4}},
	} {
		hellos, stats := scan(capture.Options{}, slices.Concat(start, row.packets)...)
		if len(hellos) != 1 || !slices.Equal(hellos[0].Frames, row.want) {
			t.Errorf("%s: got %+v, want frames %v; %+v", name, hellos, row.want, stats)
		}
	}
}
