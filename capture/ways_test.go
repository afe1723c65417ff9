package capture_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsflags/tlsflags/capture"
)

// readingsOn returns the readings of packets of one link type.
func readingsOn(link capture.LinkType, packets ...[]byte) []reading {
	s := capture.NewScanner(capture.Options{})
	var hellos []capture.Hello
	keep := func(h *capture.Hello) bool {
		hellos = append(hellos, *h.Clone())
		return true
	}
	for _, p := range packets {
		q := raw(p)
		q.Link = link
		s.Scan(q, keep)
	}
	s.Flush(keep)
	return readings(hellos)
}

// TestWays checks what a row says if the decoy came with other headers before IP than the rest
// of the connection: the server may not have got it.
func TestWays(t *testing.T) {
	second := []reading{{N: 2}, {N: 1, Ambiguous: "overlap", Contradicts: []int{4}}}
	plain := func(p []byte) []byte { return ethernet(0x0800, p) }
	to := func(address byte) func([]byte) []byte {
		return func(p []byte) []byte { return join([]byte{address}, plain(p)[1:]) }
	}
	cooked := func(typ byte) func([]byte) []byte {
		return func(p []byte) []byte { return join([]byte{0, typ}, make([]byte, 12), be16(0x0800), p) }
	}
	cooked2 := func(typ byte) func([]byte) []byte {
		return func(p []byte) []byte { return join(be16(0x0800), make([]byte, 8), []byte{typ}, make([]byte, 9), p) }
	}
	for name, row := range map[string]struct {
		link       capture.LinkType
		usual, odd func([]byte) []byte
		want       []reading
	}{
		"the same": {capture.LinkTypeEthernet, plain, plain, []reading{{N: 2}}},
		"MPLS":     {capture.LinkTypeEthernet, plain, func(p []byte) []byte { return ethernet(0x8847, join([]byte{0, 1, 1, 64}, p)) }, second},
		"PPPoE": {capture.LinkTypeEthernet, plain, func(p []byte) []byte {
			return ethernet(0x8864, join([]byte{0x11, 0, 0, 1}, be16(len(p)+2), be16(0x21), p))
		}, second},
		"SNAP":                    {capture.LinkTypeEthernet, plain, func(p []byte) []byte { return ethernet(len(p)+8, join([]byte{0xaa, 0xaa, 3, 0, 0, 0, 8, 0}, p)) }, second},
		"LLC":                     {capture.LinkTypeEthernet, plain, func(p []byte) []byte { return ethernet(len(p)+3, join([]byte{6, 6, 3}, p)) }, second},
		"VN-Tag":                  {capture.LinkTypeEthernet, plain, func(p []byte) []byte { return ethernet(0x8926, tag(4, 0x0800, p)) }, second},
		"another destination":     {capture.LinkTypeEthernet, plain, to(2), second},
		"broadcast":               {capture.LinkTypeEthernet, plain, to(0xff), second},
		"to another host, cooked": {capture.LinkTypeLinuxSLL, cooked(0), cooked(3), second},
		"to another host, SLL2":   {capture.LinkTypeLinuxSLL2, cooked2(0), cooked2(3), second},
		"authentication header": {capture.LinkTypeEthernet, plain, func(p []byte) []byte {
			return ethernet(0x0800, ipv4(client, server, 51, join([]byte{6, 1}, make([]byte, 10), p[20:])))
		}, second},
	} {
		var packets [][]byte
		for _, g := range with(opened, whole(decoy, nil), whole(real1, nil)) {
			p := row.usual
			if slices.Equal(g.data, decoy) {
				p = row.odd
			}
			packets = append(packets, p(g.packet(false)))
		}
		if name == "the same" {
			packets = packets[:4]
		}
		if diff := cmp.Diff(row.want, readingsOn(row.link, packets...)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestWaysIPv6 does the same with extension headers that not every host knows.
func TestWaysIPv6(t *testing.T) {
	second := []reading{{N: 2}, {N: 1, Ambiguous: "overlap", Contradicts: []int{4}}}
	for name, row := range map[string]struct {
		kind   int
		header []byte
	}{
		"authentication header":  {51, join([]byte{6, 4}, make([]byte, 22))},
		"mobility":               {135, []byte{6, 0, 0, 0, 0, 0, 0, 0}},
		"home address":           {60, join([]byte{6, 2, 1, 2, 0, 0, 0xc9, 16}, make([]byte, 16))},
		"routing header, type 2": {43, []byte{6, 0, 2, 0, 0, 0, 0, 0}},
	} {
		packets := [][]byte{synSent.packet(true), synAcked.packet(true), seg{flags: ack}.packet(true)}
		odd := whole(decoy, nil).packet(true)
		packets = append(packets, ipv6(client6, server6, row.kind, join(row.header, odd[40:])), whole(real1, nil).packet(true))
		if diff := cmp.Diff(second, readingsOn(capture.LinkTypeRaw, packets...)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestWaysOfFragments checks a decoy whose two fragments did not come in the same way, or of which
// Linux forgets the first.
func TestWaysOfFragments(t *testing.T) {
	sure, both := []reading{{N: 1}}, []reading{{N: 2}, {N: 1, Ambiguous: "overlap", Contradicts: []int{4, 5}}}
	p := whole(decoy, nil).packet(false)
	cut := func(change func(first, last []byte)) [][]byte {
		first, last := ipv4Fragment(client, server, 6, 7, 0, true, p[20:60]), ipv4Fragment(client, server, 6, 7, 40, false, p[60:])
		change(first, last)
		return [][]byte{headerSummed(first), headerSummed(last)}
	}
	next := func(first, last byte) [][]byte {
		q := whole(decoy, nil).packet(true)
		at := len(q) &^ 7 / 2 &^ 7
		fragment := func(next byte, field int, b []byte) []byte {
			return ipv6(client6, server6, 44, join([]byte{next, 0}, be16(field), be32(99), b))
		}
		return [][]byte{fragment(first, 1, q[40:40+at]), fragment(last, at, q[40+at:])}
	}
	far := cut(func(_, _ []byte) {})
	other := make([][]byte, 64)
	for i := range other {
		other[i] = headerSummed(ipv4Fragment(client, server, 17, 100+i, 800, true, make([]byte, 8)))
	}
	late := []reading{{N: 2}, {N: 1, Ambiguous: "overlap", Contradicts: []int{4, 69}}}
	for name, row := range map[string]struct {
		v6      bool
		packets [][]byte
		want    []reading
	}{
		"the same":                         {false, cut(func(_, _ []byte) {}), []reading{{N: 2, Faults: nil}}},
		"another hop limit":                {false, cut(func(_, last []byte) { last[8] = 2 }), both},
		"Not-ECT and CE":                   {false, cut(func(_, last []byte) { last[1] = 3 }), sure},
		"ECT(0) and Not-ECT":               {false, cut(func(first, _ []byte) { first[1] = 2 }), sure},
		"ECT(0) and CE":                    {false, cut(func(first, last []byte) { first[1], last[1] = 2, 3 }), []reading{{N: 2}}},
		"after 63 packets":                 {false, slices.Concat(far[:1], other[:63], far[1:]), []reading{{N: 2}}},
		"after 64 packets":                 {false, slices.Concat(far[:1], other, far[1:]), late},
		"IPv6, another next header":        {true, next(6, 17), []reading{{N: 2}}},
		"IPv6, another next header, first": {true, next(17, 6), sure},
	} {
		packets := [][]byte{synSent.packet(row.v6), synAcked.packet(row.v6), seg{flags: ack}.packet(row.v6)}
		packets = append(append(packets, row.packets...), whole(real1, nil).packet(row.v6), acked.packet(row.v6))
		if diff := cmp.Diff(row.want, readingsOn(capture.LinkTypeRaw, packets...)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
