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

// TestPathOfVXLANGPE names the network of a VXLAN header with a protocol field.
func TestPathOfVXLANGPE(t *testing.T) {
	p := ipv4(client, server, 17, udp(9999, 4790, join([]byte{0x0c, 0, 0, 1}, be32(42<<8), up(1, ack, hello()))))
	hellos, stats := inEthernet(capture.Options{}, p)
	if want := "eth ipv4:192.0.2.1>198.51.100.1 udp vxlan:42 ipv4 tcp"; len(hellos) != 1 || strings.Join(hellos[0].Path, " ") != want {
		t.Errorf("got %+v, %+v", hellos, stats)
	}
}
