package capture_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsflags/tlsflags/capture"
)

// TestSetAside has segments that hosts drop, and servers that acknowledge all or a part of them:
// they were taken.
func TestSetAside(t *testing.T) {
	part := seg{ack: 30, flags: ack, fromServer: true}
	wrong := whole(real1, func(g *seg) { g.mend = damaged })
	for name, c := range map[string]connection{
		"SYN and FIN":                 {with(opened, seg{seq: -1, flags: syn | fin | ack, data: real1}, acked), []reading{{N: 1}}},
		"SYN with a wrong checksum":   {with(opened, seg{seq: -1, flags: syn | ack, data: real1, mend: damaged}, acked), []reading{{N: 1}}},
		"acknowledged in part":        {with(opened, wrong, part, seg{seq: 30, flags: ack, data: real1[30:]}, acked), []reading{{N: 1}}},
		"after bytes of the server":   {with(opened, wrong, seg{flags: ack, data: []byte("HTTP/1.1 200 OK\r\n"), fromServer: true}, seg{seq: 17, ack: length, flags: ack, fromServer: true}), []reading{{N: 1}}},
		"acknowledged in part, alone": {with(opened, wrong, part), []reading{{N: 1, Ambiguous: "checksum"}}},
	} {
		t.Run(name, c.run)
	}
}

// TestResets has a RST while bytes are missing, and a hello after it that nobody
// acknowledges: it is in doubt if the RST was taken.
func TestResets(t *testing.T) {
	ahead := seg{seq: 10, flags: ack, data: real1[10:30]}
	for name, c := range map[string]connection{
		"at the next byte":      {with(opened, ahead, seg{flags: rst}, whole(real1, nil)), []reading{{N: 1, Ambiguous: "segment"}}},
		"one byte before it":    {with(opened, ahead, seg{seq: -1, flags: rst}, whole(real1, nil)), []reading{{N: 1}}},
		"one byte after it":     {with(opened, ahead, seg{seq: 1, flags: rst}, whole(real1, nil)), []reading{{N: 1}}},
		"after what is ahead":   {with(opened, ahead, seg{seq: 30, flags: rst}, whole(real1, nil)), []reading{{N: 1}}},
		"in what has been read": {with(opened, seg{flags: ack, data: real1[:20]}, seg{ack: 20, flags: ack, fromServer: true}, seg{seq: 19, flags: rst}, seg{seq: 20, flags: ack, data: real1[20:]}), []reading{{N: 1}}},
		"in what the server has not acknowledged": {with(opened, seg{flags: ack, data: real1[:20]}, seg{seq: 10, flags: rst}, seg{seq: 20, flags: ack, data: real1[20:]}),
			[]reading{{N: 1, Ambiguous: "segment"}}},
	} {
		t.Run(name, c.run)
	}
}

// TestOuterHeaders has packets in a tunnel whose outer header has a wrong checksum: the end of
// the tunnel drops them.
func TestOuterHeaders(t *testing.T) {
	for name, protocol := range map[string]int{"IPv4": 4, "IPv6": 41} {
		var packets [][]byte
		for _, g := range with(opened, whole(decoy, nil), whole(real1, nil), acked) {
			p := headerSummed(ipv4(client, server, protocol, g.packet(protocol == 41)))
			if bytes.Equal(g.data, decoy) {
				p = headerDamaged(p)
			}
			packets = append(packets, p)
		}
		hellos, stats := scan(capture.Options{}, packets...)
		if diff := cmp.Diff([]reading{{N: 1, Faults: overlap}}, readings(hellos)); diff != "" {
			t.Errorf("%s in IPv4, readings (-want +got):\n%s%+v", name, diff, stats)
		}
	}
}

// TestTimestamps checks which timestamps are too old: those of more than one tick before the
// latest that came in its turn.
func TestTimestamps(t *testing.T) {
	timed := []seg{{seq: -1, flags: syn, options: stamp(5000)}, {seq: -1, flags: syn | ack, options: stamp(1), fromServer: true}, {flags: ack, options: stamp(5001)}}
	at := func(value uint32) func(*seg) { return func(g *seg) { g.options = stamp(value) } }
	dropped := []reading{{N: 1, Faults: overlap}}
	for name, c := range map[string]connection{
		"one tick before":             {with(timed, whole(real1, at(5000))), []reading{{N: 1}}},
		"two ticks before":            {with(timed, whole(decoy, at(4999)), whole(real1, at(5001)), acked), dropped},
		"two ticks before, after one": {with(timed, seg{flags: ack, options: stamp(5000)}, whole(decoy, at(4999)), whole(real1, at(5001)), acked), dropped},
		"before a later one":          {with(timed, seg{flags: ack, options: stamp(8000)}, whole(decoy, at(7998)), whole(real1, at(8000)), acked), dropped},
		"a later one ahead":           {with(timed, seg{seq: 10, flags: ack, data: real1[10:20], options: stamp(8000)}, whole(real1, at(5001))), []reading{{N: 1}}},
	} {
		t.Run(name, c.run)
	}
}

// TestSYNAgain retransmits the SYN of another connection, which nobody answers, after its
// hello.
func TestSYNAgain(t *testing.T) {
	other, again := seg{seq: 499_999, flags: syn}, seg{seq: 500_000, flags: ack, data: decoy}
	connection{[]seg{synSent, {flags: ack}, other, again, other, whole(real1, nil)},
		[]reading{{N: 1, Ambiguous: "syn"}, {N: 2, Ambiguous: "syn"}}}.run(t)
}

// TestSYNsThatAreDropped has SYNs of another connection that begin none: hosts drop them, or
// what the server sends does not answer them.
func TestSYNsThatAreDropped(t *testing.T) {
	again := seg{seq: 500_000, flags: ack, data: decoy}
	start := []seg{synSent, {flags: ack}}
	for name, c := range map[string]connection{
		"a wrong checksum":          {with(start, seg{seq: 499_999, flags: syn, mend: damaged}, again, whole(real1, nil)), []reading{{N: 1}}},
		"SYN and FIN":               {with(start, seg{seq: 499_999, flags: syn | fin}, again, whole(real1, nil)), []reading{{N: 1}}},
		"SYN and RST":               {with(start, seg{seq: 499_999, flags: syn | rst}, again, whole(real1, nil)), []reading{{N: 1}}},
		"answered with too much":    {with(opened, seg{seq: 499_999, flags: syn}, seg{ack: 2_000_000, flags: ack, fromServer: true}, again, whole(real1, nil), acked), []reading{{N: 1}}},
		"answered with one too few": {with(opened, seg{seq: 499_999, flags: syn}, seg{ack: 499_999, flags: ack, fromServer: true}, again, whole(real1, nil), acked), []reading{{N: 1}}},
	} {
		t.Run(name, c.run)
	}
}

// TestCopiesAreBounded has a hello with a wrong checksum that the server acknowledges, after
// other such segments: it is kept if these leave room among 32 segments and 32 KiB.
func TestCopiesAreBounded(t *testing.T) {
	hello := whole(real1, func(g *seg) { g.mend = damaged })
	others := func(n, size int) []seg {
		list := slices.Clone(opened)
		for i := range n {
			list = append(list, seg{seq: length + 1 + i, flags: ack, data: make([]byte, size), mend: damaged})
		}
		return list
	}
	for name, c := range map[string]connection{
		"31 segments before it":          {with(others(31, 1), hello, acked), []reading{{N: 1}}},
		"32 segments before it":          {with(others(32, 1), hello, acked), nil},
		"32 KiB with it":                 {with(others(1, 32<<10-length), hello, acked), []reading{{N: 1}}},
		"32 KiB with it, and a byte":     {with(others(1, 32<<10-length+1), hello, acked), nil},
		"the same segment over and over": {with(slices.Concat(opened, slices.Repeat([]seg{{seq: length + 1, flags: ack, data: []byte{0}, mend: damaged}}, 40)), hello, acked), []reading{{N: 1}}},
	} {
		t.Run(name, c.run)
	}
}

// TestFaultsAreBounded tells the first four places in which copies differ.
func TestFaultsAreBounded(t *testing.T) {
	list, want := slices.Clone(opened), []capture.Fault(nil)
	for i := range 6 {
		list = append(list, seg{seq: 5 * i, data: bytes.Repeat([]byte{0xff}, 5)})
		if i < 4 {
			want = append(want, capture.Fault{Code: "overlap", Offset: 5 * i})
		}
	}
	connection{with(list, whole(real1, nil), acked), []reading{{N: 1, Faults: want}}}.run(t)
}

// TestAckNumbers checks the first and the last acknowledgement number that the server takes.
func TestAckNumbers(t *testing.T) {
	banner := seg{flags: ack, data: []byte("hi"), fromServer: true}
	dropped, taken := []reading{{N: 1, Faults: overlap}}, []reading{{N: 2}}
	for name, row := range map[string]struct {
		before []seg
		ack    int
		want   []reading
	}{
		"of the SYN":              {opened, 0, taken},
		"one before":              {opened, -1, dropped},
		"one after":               {opened, 1, dropped},
		"of a part of the banner": {with(opened, banner), 1, taken},
		"of the banner":           {with(opened, banner), 2, taken},
		"beyond the banner":       {with(opened, banner), 3, dropped},
	} {
		t.Run(name, connection{with(row.before, whole(decoy, func(g *seg) { g.ack = row.ack }), whole(real1, nil), acked), row.want}.run)
	}
}

// TestEchoes checks which echo of a timestamp Linux takes in the segment that ends the
// handshake: that of the SYN, or none.
func TestEchoes(t *testing.T) {
	timed := []seg{{seq: -1, flags: syn, options: stamp(5000)}, {seq: -1, flags: syn | ack, options: stamp(100), fromServer: true}}
	again := seg{seq: -1, flags: syn | ack, options: stamp(110), fromServer: true}
	taken := []reading{{N: 2}}
	both := []reading{{N: 1, Ambiguous: "segment"}, {N: 2, Ambiguous: "segment"}}
	for name, row := range map[string]struct {
		before []seg
		echo   int
		want   []reading
	}{
		"of the SYN":               {timed, 100, taken},
		"none":                     {timed, 0, taken},
		"one before":               {timed, 99, both},
		"one after":                {timed, 101, both},
		"of a retransmission":      {with(timed, again), 110, taken},
		"of the first of two":      {with(timed, again), 100, taken},
		"before the first of two":  {with(timed, again), 99, both},
		"of what is between":       {with(timed, again), 105, taken},
		"after the retransmission": {with(timed, again), 111, both},
	} {
		options := join(stamp(5002)[:8], be32(row.echo))
		t.Run(name, connection{with(row.before, whole(decoy, func(g *seg) { g.options = options }), whole(real1, func(g *seg) { g.options = stamp(5002) }), acked), row.want}.run)
	}
}
