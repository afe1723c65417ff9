package filter_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
)

func address(text string) []byte { return netip.MustParseAddr(text).AsSlice() }

// expression returns a random expression, up to depth joins deep.
func expression(r *rand.Rand, vlans bool, depth int) string {
	pick := func(words ...string) string { return words[r.IntN(len(words))] }
	if depth > 0 && r.IntN(3) > 0 {
		x, y := expression(r, vlans, depth-1), expression(r, vlans, depth-1)
		switch r.IntN(5) {
		case 0:
			return "not (" + x + ")"
		case 1:
			return "(" + x + ") " + pick("and", "&&") + " (" + y + ")"
		case 2:
			return x + " or not " + y
		case 3:
			return "!(" + x + ")||" + y
		}
		return x + " " + pick("and", "or") + " " + y
	}
	direction := pick("", "", "src ", "dst ", "src or dst ", "src and dst ", "dst and src ")
	port := func() string { return pick("443", "50000", "53", "8080", "8443", fmt.Sprint(r.IntN(1<<16))) }
	switch r.IntN(8) {
	case 0:
		if vlans {
			return pick("vlan", "vlan 7", "vlan 9", "vlan 0", "vlan 100")
		}
		return pick("ip", "ip6")
	case 1:
		return pick("", "ip ", "") + direction + "host " + pick("192.0.2.1", "198.51.100.2", "127.0.0.1", "10.1.2.3")
	case 2:
		return pick("", "ip6 ") + direction + "host " + pick("2001:db8::1", "2001:db8:1::2", "::1")
	case 3:
		return direction + "net " + pick("10", "192.0.2", "192.0.0.0/9", "127.0.0.0/8", "0.0.0.0/0", "2001:db8::/47", "2001:db8:1::/48", "::/0", "::1/128")
	case 4:
		return pick("", "tcp ", "udp ") + direction + "port " + port() + pick("", " or "+port(), " and "+port())
	case 5:
		first := r.IntN(1 << 16)
		return pick("", "tcp ", "udp ") + direction + fmt.Sprintf("portrange %d-%d", first, first+r.IntN(1<<16-first))
	case 6:
		return pick("", "ip ", "ip6 ") + fmt.Sprintf("proto %d", r.IntN(20)) + pick("", " or 6", " or not 17")
	}
	return pick("tcp", "udp", "icmp", "ip", "ip6", "arp")
}
