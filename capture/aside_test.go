package capture_test

import (
	"bytes"
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
