package capture_test

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsflags/tlsflags/capture"
)

// The tests in this file are connections of a client that wants the reader to see another
// hello than the server. Each runs over IPv4 and IPv6, with right checksums.

const (
	isn       = 1000 // of the client
	serverISN = 5000
	urg       = 32
)

// seg is a segment; seq and ack count from the first byte after the SYN. The server's
// window is 64 kB.
type seg struct {
	seq, ack   int
	flags      byte
	data       []byte
	options    []byte
	urgent     int
	ttl        byte
	fromServer bool
	mend       func([]byte) []byte // changes the packet; the default is summed
}

// packet builds the IP packet of a segment.
func (g seg) packet(v6 bool) []byte {
	src, dst := clientPort, serverPort
	from, to := isn+1, serverISN+1
	if g.fromServer {
		src, dst, from, to = dst, src, to, from
	}
	ackNumber := to + g.ack
	if g.flags&ack == 0 {
		ackNumber = 0
	}
	for len(g.options)%4 != 0 {
		g.options = append(g.options, 1)
	}
	b := join(be16(src), be16(dst), be32(from+g.seq), be32(ackNumber), []byte{byte(5+len(g.options)/4) << 4, g.flags},
		be16(65535), be16(0), be16(g.urgent), g.options, g.data)
	one, two, hops := client, server, 7
	if v6 {
		one, two = client6, server6
	}
	if g.fromServer {
		one, two = two, one
	}
	p := ipv4(one, two, 6, b)
	if hops = 8; v6 {
		p, hops = ipv6(one, two, 6, b), 7
	}
	if g.ttl != 0 {
		p[hops] = g.ttl
	}
	if g.mend != nil {
		return g.mend(p)
	}
	return summed(p)
}

func stamp(value uint32) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32([]byte{1, 1, 8, 10}, value), 0)[:12]
}

var (
	synSent  = seg{seq: -1, flags: syn}
	synAcked = seg{seq: -1, flags: syn | ack, fromServer: true}
	opened   = []seg{synSent, synAcked, {flags: ack}}
)

// reading is what is compared of a row: N of messageWith, or 0 if there is no hello.
type reading struct {
	N           uint32
	Ambiguous   string
	Faults      []capture.Fault
	Contradicts []int
}

func readings(hellos []capture.Hello) []reading {
	var all []reading
	for _, h := range hellos {
		r := reading{Ambiguous: h.Ambiguous.String(), Faults: h.Faults, Contradicts: h.Contradicts}
		if c, _, err := h.Parse(); err == nil && h.Found() {
			r.N = binary.BigEndian.Uint32(c.Random())
		}
		all = append(all, r)
	}
	return all
}

type connection struct {
	segments []seg
	want     []reading
}

func (c connection) run(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		var packets [][]byte
		for _, g := range c.segments {
			packets = append(packets, g.packet(v6))
		}
		hellos, stats := scan(capture.Options{}, append(packets, synSent.packet(!v6))...) // of another path, before rows at the end
		for _, h := range hellos {
			if want := map[bool]string{false: "ipv4", true: "ipv6"}[v6]; !slices.Equal(h.Path, []string{want, "tcp"}) {
				t.Errorf("IPv6 %t, path %v", v6, h.Path)
			}
		}
		if diff := cmp.Diff(c.want, readings(hellos)); diff != "" {
			t.Errorf("IPv6 %t, readings (-want +got):\n%s%+v", v6, diff, stats)
		}
		doubts := 0
		for _, r := range c.want {
			if r.Ambiguous != "" {
				doubts++
			}
		}
		if stats.Ambiguous != doubts {
			t.Errorf("stats: %+v", stats)
		}
	}
}

var (
	real1  = records(messageWith(1), 1<<14)
	decoy  = records(messageWith(2), 1<<14)
	length = len(real1)
	acked  = seg{ack: length, flags: ack, fromServer: true}
	// overlap is a fault in the random, from its first byte on that differs.
	overlap = []capture.Fault{{Code: "overlap", Offset: 14}}
)

func with(before []seg, segments ...seg) []seg { return slices.Concat(before, segments) }

// whole is the hello in a segment that changes says.
func whole(b []byte, change func(*seg)) seg {
	g := seg{flags: ack, data: b}
	if change != nil {
		change(&g)
	}
	return g
}

func TestDroppedSegments(t *testing.T) {
	sure := []reading{{N: 1, Faults: overlap}}
	both := []reading{{N: 1, Ambiguous: "segment"}, {N: 2, Ambiguous: "segment"}}
	timed := []seg{{seq: -1, flags: syn, options: stamp(5000)}, {seq: -1, flags: syn | ack, options: stamp(1), fromServer: true}, {flags: ack, options: stamp(5001)}}
	echo := join(stamp(5002)[:8], be32(77))
	md5, ao := join([]byte{19, 18}, make([]byte, 16)), join([]byte{29, 16}, make([]byte, 14))
	narrow := synAcked // its window has 20 bytes
	narrow.mend = func(p []byte) []byte {
		copy(p[len(p)-6:], be16(20))
		return summed(p)
	}
	signed := []seg{{seq: -1, flags: syn, options: md5}, {seq: -1, flags: syn | ack, options: md5, fromServer: true}, {flags: ack, options: md5}}
	for name, c := range map[string]connection{
		"nothing odd":                              {with(opened, whole(real1, nil), acked), []reading{{N: 1}}},
		"no ACK flag":                              {with(opened, whole(decoy, func(g *seg) { g.flags = 8 }), whole(real1, nil), acked), sure},
		"no flags":                                 {with(opened, whole(decoy, func(g *seg) { g.flags = 0 }), whole(real1, nil), acked), sure},
		"ACK of unsent data":                       {with(opened, whole(decoy, func(g *seg) { g.ack = 1000000 }), whole(real1, nil), acked), sure},
		"old ACK":                                  {with(opened, whole(decoy, func(g *seg) { g.ack = -1000 }), whole(real1, nil), acked), sure},
		"old timestamp":                            {with(timed, whole(decoy, func(g *seg) { g.options = stamp(4000) }), whole(real1, func(g *seg) { g.options = stamp(5002) }), acked), sure},
		"newer timestamp":                          {with(timed, whole(real1, func(g *seg) { g.options = stamp(6000) }), acked), []reading{{N: 1}}},
		"MD5 signature":                            {with(opened, whole(decoy, func(g *seg) { g.options = md5 }), whole(real1, nil), acked), sure},
		"MD5 signatures in both SYNs":              {with(signed, whole(decoy, nil), whole(real1, func(g *seg) { g.options = md5 }), acked), sure},
		"MD5 signature in a SYN":                   {with(signed[:1:1], synSent, synAcked, whole(decoy, func(g *seg) { g.options = md5 }), whole(real1, nil), acked), sure},
		"TCP-AO":                                   {with(opened, whole(decoy, func(g *seg) { g.options = ao }), whole(real1, nil), acked), both},
		"TCP-AO, and before it with MD5":           {with(opened, whole(decoy, func(g *seg) { g.options = md5 }), whole(decoy, func(g *seg) { g.options = ao }), whole(real1, nil), acked), both},
		"TCP-AO, acknowledged":                     {with(opened, whole(real1, func(g *seg) { g.options = ao }), acked, whole(decoy, nil)), []reading{{N: 1}}},
		"wrong echo in the third segment":          {with(timed[:2:2], whole(decoy, func(g *seg) { g.options = echo }), whole(real1, func(g *seg) { g.options = stamp(5002) }), acked), both},
		"echo of what came after the SYN":          {with(timed[:2:2], seg{flags: fin | ack, options: stamp(3), fromServer: true}, whole(real1, func(g *seg) { g.options = join(stamp(5002)[:8], be32(3)) })), []reading{{N: 1}}},
		"echo of an ACK before the third segment":  {with(timed[:2:2], seg{flags: ack, options: stamp(3), fromServer: true}, whole(real1, func(g *seg) { g.options = join(stamp(5002)[:8], be32(3)) })), []reading{{N: 1, Ambiguous: "segment"}}},
		"wrong echo later":                         {with(timed, whole(real1, func(g *seg) { g.options = echo }), acked), []reading{{N: 1}}},
		"timestamp far ahead":                      {with(timed, seg{flags: ack, options: stamp(1 << 29)}, whole(real1, func(g *seg) { g.options = stamp(5002) })), []reading{{N: 1, Ambiguous: "segment"}}},
		"timestamp far ahead, old segment":         {with(timed, seg{flags: ack, data: real1[:30], options: stamp(5002)}, seg{ack: 30, flags: ack, fromServer: true}, seg{seq: 10, flags: ack, options: stamp(1 << 29)}, seg{seq: 30, flags: ack, data: real1[30:], options: stamp(5003)}), []reading{{N: 1}}},
		"SYN again without timestamps":             {with(timed, synSent, whole(decoy, func(g *seg) { g.options = stamp(4000) }), whole(real1, func(g *seg) { g.options = stamp(5002) }), acked), sure},
		"wrong checksum":                           {with(opened, whole(decoy, func(g *seg) { g.mend = damaged }), whole(real1, nil), acked), sure},
		"SYN flag":                                 {with(opened, seg{seq: -1, flags: syn | ack, data: decoy}, whole(real1, nil), acked), sure},
		"RST with data":                            {with(opened, seg{seq: 1, flags: rst | ack, data: decoy[1:]}, whole(real1, nil), acked), sure},
		"RST with data, acknowledged":              {with(opened, seg{seq: 1, flags: rst | ack, data: real1[1:]}, seg{flags: ack, data: real1[:1]}, acked), []reading{{N: 1, Ambiguous: "segment"}}},
		"RST out of the window":                    {with(opened, seg{seq: 900000, flags: rst}, whole(real1, nil), acked), []reading{{N: 1}}},
		"RST after what is ahead":                  {with(opened, seg{seq: 10, flags: ack, data: real1[10:30]}, seg{seq: 30, flags: rst | ack}, whole(real1, nil), acked), []reading{{N: 1}}},
		"FIN ahead, another SYN":                   {with(opened, seg{seq: 500, flags: fin | ack}, seg{seq: 70000, flags: syn}, whole(real1, nil), acked), []reading{{N: 1}}},
		"beyond the window":                        {with(opened, seg{seq: 70000, flags: ack, data: decoy}, whole(real1, nil), acked), []reading{{N: 1}}},
		"beyond a small window":                    {[]seg{synSent, narrow, {flags: ack}, {seq: 30, flags: ack, data: real1[30:]}, {flags: ack, data: real1[:30]}}, []reading{{N: 1, Ambiguous: "segment"}}},
		"after a FIN":                              {with(opened, seg{flags: ack, data: real1[:30]}, seg{seq: 30, flags: fin | ack}, seg{seq: 30, flags: ack, data: real1[30:]}), []reading{{N: 1, Ambiguous: "segment"}}},
		"after a FIN ahead":                        {with(opened, seg{seq: 20, flags: fin | ack, data: real1[20:40]}, seg{flags: ack, data: real1[:30]}, seg{seq: 30, flags: ack, data: real1[30:]}), []reading{{N: 1, Ambiguous: "segment"}}},
		"after a FIN, answered":                    {with(opened, seg{seq: 30, flags: fin | ack}, seg{flags: ack, data: real1[:30]}, seg{seq: 30, flags: ack, data: real1[30:]}, seg{ack: 31, flags: ack | fin, fromServer: true}), nil},
		"after a FIN that was acknowledged":        {with(opened, seg{flags: fin | ack}, seg{ack: 1, flags: ack, fromServer: true}, whole(decoy, nil)), nil},
		"after a RST, answered with one":           {with(opened, seg{flags: rst}, whole(decoy, nil), seg{flags: rst, fromServer: true}), nil},
		"after a RST":                              {with(opened, seg{flags: rst}, whole(decoy, nil)), []reading{{N: 2, Ambiguous: "segment"}}},
		"after a RST that the server did not take": {with(opened, seg{flags: rst}, whole(real1, nil), acked), []reading{{N: 1}}},
	} {
		t.Run(name, c.run)
	}
}

// TestDroppedInOneDirection checks what is said of segments of which only a packet of the
// server could show that they were dropped.
func TestDroppedInOneDirection(t *testing.T) {
	both := func(first, second uint32) []reading {
		return []reading{{N: first, Ambiguous: "segment"}, {N: second, Ambiguous: "segment"}}
	}
	start := []seg{synSent, {flags: ack}}
	timed := []seg{{seq: -1, flags: syn, options: stamp(5000)}, {flags: ack, options: stamp(5001)}}
	for name, c := range map[string]connection{
		"nothing odd":        {with(start, whole(real1, nil)), []reading{{N: 1}}},
		"ACK of unsent data": {with(start, whole(decoy, func(g *seg) { g.ack = 1000000 }), whole(real1, nil)), both(1, 2)},
		"old ACK":            {with(start, whole(decoy, func(g *seg) { g.ack = -1000 }), whole(real1, nil)), both(1, 2)},
		"old timestamp":      {with(timed, whole(decoy, func(g *seg) { g.options = stamp(4000) }), whole(real1, func(g *seg) { g.options = stamp(5002) })), both(1, 2)},
		"no ACK flag":        {with(start, whole(decoy, func(g *seg) { g.flags = 8 }), whole(real1, nil)), []reading{{N: 1, Faults: overlap}}},
		"other bytes":        {with(start, whole(decoy, func(g *seg) { g.ack = 1000000 }), whole(real1, nil))[1:], []reading{{N: 2}, {N: 1, Ambiguous: "overlap", Contradicts: []int{2}}}},
		"no pure ACK":        {with(start[:1:1], whole(decoy[:30], func(g *seg) { g.ack = 1000000 }), whole(real1, nil)), []reading{{N: 2, Ambiguous: "overlap", Faults: overlap}, {N: 1, Ambiguous: "overlap", Faults: overlap}}},
		"far timestamp":      {with(timed, seg{flags: ack, data: real1[:30], options: stamp(5002)}, seg{seq: 30, flags: ack, options: stamp(1 << 29)}, seg{seq: 30, flags: ack, data: real1[30:], options: stamp(5003)}), []reading{{N: 1, Ambiguous: "segment"}}},
		"far timestamp, two readings": {with(timed, seg{flags: ack, data: real1[:30], options: stamp(5002)}, seg{flags: ack, data: decoy[:30], options: stamp(5002)}, seg{seq: 30, flags: ack, options: stamp(1 << 29)}, seg{seq: 30, flags: ack, data: real1[30:], options: stamp(5003)}),
			[]reading{{N: 1, Ambiguous: "overlap,segment", Faults: overlap}, {N: 2, Ambiguous: "overlap,segment", Faults: overlap}}},
		"the server sends": {with(start, seg{ack: 4000, flags: ack}, whole(real1, func(g *seg) { g.ack = 9000 })), []reading{{N: 1}}},
		"SYN and ACK":      {with(start, seg{seq: 3, flags: syn | ack, data: decoy}, whole(real1, nil)), []reading{{N: 1, Ambiguous: "syn"}}},
	} {
		t.Run(name, c.run)
	}
}

// TestTakenSegments checks that what the server acknowledges was read, whatever is wrong
// with it.
func TestTakenSegments(t *testing.T) {
	answer := seg{ack: length, flags: ack, fromServer: true, data: []byte{22, 3, 3, 0, 40, 2}}
	for name, c := range map[string]connection{
		"ACK of what was not captured": {with(opened, whole(real1, func(g *seg) { g.ack = 500 }), seg{seq: 500, ack: length, flags: ack, fromServer: true}), []reading{{N: 1}}},
		"a wrong checksum":             {with(opened, whole(real1, func(g *seg) { g.mend = damaged }), acked), []reading{{N: 1}}},
		"not acknowledged":             {with(opened, whole(real1, func(g *seg) { g.mend = damaged })), []reading{{N: 1, Ambiguous: "checksum"}}},
		"in part":                      {with(opened, seg{flags: ack, data: real1[:30], mend: damaged}, seg{seq: 30, flags: ack, data: real1[30:]}, answer), []reading{{N: 1}}},
		"no ACK flag":                  {with(opened, whole(real1, func(g *seg) { g.flags = 8 }), acked), []reading{{N: 1, Ambiguous: "segment"}}},
		"in doubt, and not whole":      {with(opened, seg{flags: ack, data: real1[:30], mend: damaged}), []reading{{Ambiguous: "checksum"}}},
	} {
		t.Run(name, c.run)
	}
}

func TestChecksumEvidence(t *testing.T) {
	sum := func(f func([]byte) []byte, list ...seg) []seg {
		list = slices.Clone(list)
		for i := range list {
			if list[i].mend == nil && !list[i].fromServer {
				list[i].mend = f
			}
		}
		return list
	}
	none := func(p []byte) []byte { return p }
	both := []reading{{N: 2, Ambiguous: "checksum", Faults: overlap}, {N: 1, Ambiguous: "checksum", Faults: overlap}}
	for name, c := range map[string]connection{
		"one is wrong":                             {sum(offloaded, with(opened, seg{flags: ack, data: decoy[:30], mend: damaged}, seg{flags: ack, data: real1[:30]}, seg{seq: 30, flags: ack, data: real1[30:]})...), both},
		"one is wrong, and wins":                   {sum(offloaded, with(opened, seg{seq: 20, flags: ack, data: real1[20:40]}, seg{seq: 10, flags: ack, data: decoy[10:30], mend: damaged}, seg{flags: ack, data: real1[:10]}, seg{seq: 10, flags: ack, data: real1[10:30]}, seg{seq: 40, flags: ack, data: real1[40:]})...), []reading{{N: 2, Ambiguous: "checksum", Faults: overlap}, {N: 1, Ambiguous: "checksum", Faults: overlap}}},
		"one has no length":                        {sum(offloaded, with(opened, seg{flags: ack, data: decoy[:30], mend: lengthless}, seg{flags: ack, data: real1[:30]}, seg{seq: 30, flags: ack, data: real1[30:]})...), both},
		"a RST is wrong":                           {sum(offloaded, with(opened, seg{flags: rst, mend: damaged}, whole(real1, nil))...), []reading{{N: 1}}},
		"a FIN is wrong":                           {sum(offloaded, with(opened, seg{flags: fin | ack, mend: damaged}, whole(real1, nil))...), []reading{{N: 1}}},
		"a FIN with data is wrong":                 {sum(offloaded, with(opened, seg{flags: ack, data: real1[:30]}, seg{seq: 20, flags: fin | ack, data: real1[20:40], mend: damaged}, seg{seq: 40, flags: ack, data: real1[40:]})...), []reading{{N: 1, Ambiguous: "checksum"}}},
		"a SYN is wrong":                           {sum(offloaded, synSent, seg{seq: 70000, flags: syn, mend: damaged}, whole(real1, nil)), []reading{{N: 1}}},
		"a whole hello is wrong":                   {sum(offloaded, with(opened, whole(real1, func(g *seg) { g.mend = damaged }))...), []reading{{N: 1, Ambiguous: "checksum"}}},
		"other bytes are wrong":                    {sum(offloaded, with(opened, whole(bytes.Repeat([]byte("G"), length), func(g *seg) { g.mend = damaged }), whole(real1, nil))...), []reading{{N: 1, Ambiguous: "checksum"}}},
		"right in the connection before":           {with(opened, whole([]byte("GET / HTTP/1.1\r\n"), nil), seg{seq: 16, flags: rst}, seg{seq: 1_000_000, flags: ack, data: decoy, mend: damaged}, seg{seq: 1_000_000, flags: ack, data: real1}), []reading{{N: 1}}},
		"all are wrong":                            {sum(damaged, with(opened, whole(real1, nil), acked)...), []reading{{N: 1}}},
		"there are none":                           {sum(none, with(opened, whole(real1, nil), acked)...), []reading{{N: 1}}},
		"all are left to the card":                 {sum(offloaded, with(opened, whole(real1, nil), acked)...), []reading{{N: 1}}},
		"one is left to the card to cut":           {sum(offloaded, with(opened, whole(real1, func(g *seg) { g.mend = toCut }))...), []reading{{N: 1}}},
		"one is left to the card":                  {with(opened, whole(real1, func(g *seg) { g.mend = offloaded }), acked), []reading{{N: 1}}},
		"left to the card, and contradicted":       {with(opened, seg{flags: ack, data: decoy[:30], mend: offloaded}, seg{flags: ack, data: real1[:30]}, seg{seq: 30, flags: ack, data: real1[30:]}), both},
		"left to the card, whole and contradicted": {with(opened, whole(decoy, func(g *seg) { g.mend = offloaded }), whole(real1, nil)), []reading{{N: 2}, {N: 1, Ambiguous: "checksum", Contradicts: []int{4}}}},
		"left to the card, acknowledged before":    {with(opened, whole(decoy, func(g *seg) { g.mend = offloaded }), acked, whole(real1, nil)), []reading{{N: 2}}},
		"other bytes left to the card, and a hello": {with(opened, whole(bytes.Repeat([]byte("G"), length), func(g *seg) { g.mend = offloaded }), whole(real1, nil), acked),
			[]reading{{N: 1, Ambiguous: "checksum"}}},
		"the SYN was not captured": {[]seg{whole(decoy, func(g *seg) { g.mend = damaged }), whole(real1, nil)},
			[]reading{{N: 2}, {N: 1, Ambiguous: "checksum", Contradicts: []int{1}}}},
	} {
		t.Run(name, c.run)
	}
	packets := [][]byte{}
	for _, g := range with(opened, whole(decoy, func(g *seg) { g.mend = damaged }), whole(real1, nil), acked) {
		packets = append(packets, g.packet(false))
	}
	for mode, want := range map[capture.Checksums]uint32{capture.ChecksumsAuto: 1, capture.ChecksumsVerify: 1, capture.ChecksumsIgnore: 2} {
		hellos, _ := scan(capture.Options{Checksums: mode}, packets...)
		if got := readings(hellos); len(got) != 1 || got[0].N != want || got[0].Ambiguous != "" {
			t.Errorf("checksums %d: got %+v", mode, got)
		}
	}
}

func TestSYNInsideConnection(t *testing.T) {
	other := seg{seq: 499_999, flags: syn}
	one := func(list ...seg) []seg { // what is captured if the server is not
		return slices.DeleteFunc(slices.Clone(list), func(g seg) bool { return g.fromServer })
	}
	again := seg{seq: 500_000, flags: ack, data: decoy}
	next := seg{seq: 499_999, flags: syn}
	server2 := seg{seq: 8999, ack: 500_000, flags: syn | ack, fromServer: true}
	again2 := seg{seq: 500_000, ack: 9000, flags: ack, data: decoy}
	rest := seg{seq: 30, flags: ack, data: real1[30:]}
	for name, c := range map[string]connection{
		"before the hello":               {with(opened, other, acked, whole(real1, nil), acked), []reading{{N: 1}}},
		"in the middle of it":            {with(opened, seg{flags: ack, data: real1[:30]}, other, rest, acked), []reading{{N: 1}}},
		"another hello follows":          {with(opened, other, again, whole(real1, nil), acked), []reading{{N: 1}}},
		"answered":                       {with(opened, other, server2, again2), []reading{{N: 2}}},
		"answered after the first hello": {with(opened, whole(real1, nil), acked, next, server2, again2), []reading{{N: 1}, {N: 2}}},
		"one direction":                  {one(with(opened, other, again, whole(real1, nil))...), []reading{{N: 1, Ambiguous: "syn"}, {N: 2, Ambiguous: "syn"}}},
		"one direction, after the first hello": {one(with(opened, whole(real1, nil), other, again)...),
			[]reading{{N: 1}, {N: 2, Ambiguous: "syn"}}},
		"the same number after a RST": {with(opened, whole(real1, nil), acked, seg{seq: length, ack: 0, flags: rst}, synSent, synAcked, whole(decoy, nil)),
			[]reading{{N: 1}, {N: 2, Ambiguous: "syn"}}},
		"another number after a RST": {with(opened, seg{flags: ack, data: []byte("GET / HTTP/1.1\r\n")}, seg{seq: 16, flags: rst}, next, server2, again2),
			[]reading{{N: 2}}},
	} {
		t.Run(name, c.run)
	}
}

func TestDataInSYN(t *testing.T) {
	with20 := func(b []byte) seg { return seg{seq: -1, flags: syn, data: b} }
	ackTo := func(n int) seg { return seg{seq: -1, ack: n, flags: syn | ack, fromServer: true} }
	rest := seg{seq: 20, flags: ack, data: real1[20:]}
	inDoubt := []reading{{N: 1, Ambiguous: "syn_data"}}
	broken := records(withExtension(messageWith(1), 43, []byte{4, 3, 4}), 1<<14) // its supported_versions
	for name, c := range map[string]connection{
		"acknowledged":                {[]seg{with20(real1[:20]), ackTo(20), rest}, []reading{{N: 1}}},
		"a whole hello":               {[]seg{with20(real1), ackTo(length)}, []reading{{N: 1}}},
		"ignored, and again":          {[]seg{with20(real1[:20]), ackTo(0), whole(real1, nil), acked}, []reading{{N: 1}}},
		"ignored, other bytes":        {[]seg{with20(decoy[:20]), ackTo(0), whole(real1, nil), acked}, []reading{{N: 1, Faults: overlap}}},
		"ignored, and a gap":          {[]seg{with20(real1[:20]), ackTo(0), rest}, nil},
		"one byte":                    {[]seg{with20([]byte("G")), ackTo(0), whole(real1, nil), acked}, []reading{{N: 1, Faults: []capture.Fault{{Code: "overlap"}}}}},
		"one direction":               {[]seg{with20(real1[:20]), rest}, []reading{{N: 1, Ambiguous: "syn_data"}}},
		"acknowledged, and malformed": {[]seg{with20(broken[:20]), ackTo(20), {seq: 20, flags: ack, data: broken[20:]}}, []reading{{N: 1, Ambiguous: "hello", Faults: []capture.Fault{{Code: "field_overrun", Offset: len(broken) - 8}}}}},
		"one direction, no hello":     {[]seg{with20(real1), {flags: ack, data: bytes.Repeat([]byte{7}, length)}}, inDoubt},
		"one direction, a prologue":   {[]seg{with20(real1), {flags: ack, data: []byte("EHLO a\r\n")}}, inDoubt},
		"one direction, urgent":       {[]seg{with20(real1[:20]), {flags: ack | urg, data: decoy[:30]}, {seq: 30, flags: ack, data: real1[30:]}}, inDoubt},
		"one direction, and a part":   {[]seg{with20(real1), {flags: ack, data: decoy[:20]}}, []reading{{N: 1, Ambiguous: "syn_data"}, {Ambiguous: "syn_data"}}},
		"one direction, neither":      {[]seg{with20([]byte("7")), {flags: ack, data: bytes.Repeat([]byte{7}, length)}}, nil},
		"one direction, ignored":      {[]seg{with20(decoy[:20]), whole(real1, nil)}, []reading{{N: 1, Ambiguous: "syn_data"}, {N: 2, Ambiguous: "syn_data"}}},
	} {
		t.Run(name, c.run)
	}
}

func TestOverlaps(t *testing.T) {
	at := func(from, to int, b []byte) seg { return seg{seq: from, flags: ack, data: b[from:to]} }
	one := []reading{{N: 1, Faults: overlap}}
	two := []reading{{N: 2, Faults: overlap}}
	for name, c := range map[string]connection{
		"ahead, then in its turn":               {with(opened, at(10, 30, decoy), at(0, 50, real1), at(50, length, real1)), one},
		"ahead twice, the same range":           {with(opened, at(10, 30, decoy), at(10, 30, real1), at(0, 10, real1), at(30, length, real1)), two},
		"covered by a longer one":               {with(opened, at(12, 30, decoy), at(10, length, real1), at(0, 10, real1)), one},
		"covered from the same byte on":         {with(opened, at(10, 30, decoy), at(10, length, real1), at(0, 10, real1)), one},
		"overlapped from the left":              {with(opened, at(12, 30, decoy), at(8, 20, real1), at(0, 8, real1), at(30, length, real1)), one},
		"overlapped from the right":             {with(opened, at(10, 20, decoy), at(12, 30, real1), at(0, 10, real1), at(30, length, real1)), two},
		"joined first, and then covered":        {with(opened, at(8, 12, decoy), at(12, 20, decoy), at(12, 30, real1), at(0, 8, real1), at(30, length, real1)), two},
		"in its turn, then again":               {with(opened, at(0, 30, real1), at(10, 30, decoy), at(30, length, real1)), one},
		"acknowledged, then again":              {with(opened, at(0, 30, real1), seg{ack: 30, flags: ack, fromServer: true}, at(10, 30, decoy), at(30, length, real1)), []reading{{N: 1}}},
		"another hop limit":                     {with(opened, seg{flags: ack, data: decoy[:30], ttl: 3}, at(0, 30, real1), at(30, length, real1)), []reading{{N: 2, Ambiguous: "overlap", Faults: overlap}, {N: 1, Ambiguous: "overlap", Faults: overlap}}},
		"another hop limit, ahead":              {with(opened, at(0, 5, real1), seg{seq: 10, flags: ack, data: decoy[10:], ttl: 3}, at(10, length, real1), at(5, 10, real1)), []reading{{N: 2, Ambiguous: "overlap", Faults: overlap}, {N: 1, Ambiguous: "overlap", Faults: overlap}}},
		"another hop limit, then in its turn":   {with(opened, at(0, 5, real1), seg{seq: 5, flags: ack, data: decoy[5:30], ttl: 3}, at(5, length, real1)), []reading{{N: 2, Ambiguous: "overlap", Faults: overlap}, {N: 1, Ambiguous: "overlap", Faults: overlap}}},
		"another hop limit, after bytes behind": {with(opened, seg{seq: 30, flags: ack, data: join(real1[30:], []byte("GG"))}, seg{flags: ack, data: decoy[:30], ttl: 3}, at(0, 30, real1)), []reading{{N: 2}, {N: 1, Ambiguous: "overlap", Contradicts: []int{5, 4}}}},
		"another hop limit, after a whole one":  {with(opened, seg{flags: ack, data: decoy, ttl: 3}, at(0, length, real1)), []reading{{N: 2}, {N: 1, Ambiguous: "overlap", Contradicts: []int{4}}}},
		"no SYN, and nothing was acknowledged":  {[]seg{at(0, 30, decoy), at(0, 30, real1), at(30, length, real1)}, []reading{{N: 2, Ambiguous: "overlap", Faults: overlap}, {N: 1, Ambiguous: "overlap", Faults: overlap}}},
		"the same bytes, whatever the overlaps": {with(opened, at(10, 30, real1), at(5, 20, real1), at(10, 40, real1), at(0, 12, real1), at(3, length, real1)), []reading{{N: 1}}},
	} {
		t.Run(name, c.run)
	}
}

// TestAnswerDecides checks that a ServerHello decides between two readings.
func TestAnswerDecides(t *testing.T) {
	suite := bytes.Clone(messageWith(2))
	suite[4+2+32+1+2+1] = 2 // TLS_AES_256_GCM_SHA384
	second := records(suite, 1<<14)
	answer := func(last byte) seg {
		hello := join([]byte{2, 0, 0, 38, 3, 3}, make([]byte, 32), []byte{0, 0x13, last, 0})
		return seg{ack: length, flags: ack, fromServer: true, data: records(hello, 1<<14)}
	}
	sent := with(opened, seg{flags: ack, data: second[:60], ttl: 3}, seg{flags: ack, data: real1[:60]}, seg{seq: 60, flags: ack, data: real1[60:]})
	both := []reading{{N: 2, Ambiguous: "overlap", Faults: overlap}, {N: 1, Ambiguous: "overlap", Faults: overlap}}
	for name, c := range map[string]connection{
		"the first":  {with(sent, answer(2)), both[:1]},
		"the second": {with(sent, answer(1)), both[1:]},
		"neither":    {with(sent, answer(3)), both},
		"none":       {sent, both},
		"no hello":   {with(sent, seg{ack: length, flags: ack, fromServer: true, data: []byte{21, 3, 3, 0, 2, 2, 40}}), both},
	} {
		c.want = slices.Clone(c.want)
		if len(c.want) == 1 {
			c.want[0].Ambiguous = ""
		}
		t.Run(name, c.run)
	}
}

// TestDoubtWaits checks how long a row in doubt waits.
func TestDoubtWaits(t *testing.T) {
	var packets [][]byte
	for _, g := range with(opened, seg{flags: ack, data: decoy[:30], ttl: 3}, seg{flags: ack, data: real1[:30]}, seg{seq: 30, flags: ack, data: real1[30:]}) {
		packets = append(packets, g.packet(false))
	}
	for after, want := range map[time.Duration]int{3*time.Second - 1: 0, 3 * time.Second: 2} {
		s, found := capture.NewScanner(capture.Options{}), 0
		take := func(*capture.Hello) bool { found++; return true }
		for _, p := range packets {
			s.Scan(raw(p), take)
		}
		if found != 0 {
			t.Errorf("%d rows at once", found)
		}
		later := raw(packets[0])
		later.Time = later.Time.Add(after)
		if s.Scan(later, take); found != want {
			t.Errorf("%d rows after %v, want %d", found, after, want)
		}
		if s.Flush(take); found != 2 {
			t.Errorf("%d rows at the end, want 2", found)
		}
	}
}
