package capture_test

import (
	"slices"
	"testing"

	"github.com/tlsflags/tlsflags/capture"
)

// TestUrgentData checks what is left out of the stream, and what is said when a second byte becomes
// urgent. See seg.
func TestUrgentData(t *testing.T) {
	urgent := func(n int) []capture.Fault { return []capture.Fault{{Code: "urgent", Offset: n}} }
	inside := join(real1[:30], []byte("G"), real1[30:])
	padded := records(withExtension(messageWith(1), 21, zeros(20)), 1<<14)
	at := len(padded) - 10 // in the padding
	insidePadding := join(padded[:at], []byte("G"), padded[at:])
	for name, c := range map[string]connection{
		"before the hello":                {with(opened, seg{flags: ack | urg, urgent: 1, data: []byte("G")}, seg{seq: 1, flags: ack, data: real1}), []reading{{N: 1, Faults: urgent(0)}}},
		"far outside the window, before":  {[]seg{synSent, {flags: ack}, {seq: 500_000, flags: ack | urg, urgent: 1, data: []byte("G")}, {flags: ack | urg, urgent: 1, data: []byte("G")}, {seq: 1, flags: ack, data: real1}}, []reading{{N: 1, Faults: urgent(0)}}},
		"in one segment":                  {with(opened, seg{flags: ack | urg, urgent: 1, data: join([]byte("G"), real1)}), []reading{{N: 1, Faults: urgent(0)}}},
		"inside the hello":                {with(opened, seg{flags: ack | urg, urgent: 31, data: inside}), []reading{{N: 1, Faults: urgent(30)}}},
		"in a later one":                  {with(opened, seg{flags: ack | urg, urgent: 31, data: inside[:20]}, seg{seq: 20, flags: ack, data: inside[20:]}), []reading{{N: 1, Faults: urgent(30)}}},
		"what has arrived":                {with(opened, seg{flags: ack, data: real1[:30]}, seg{seq: 20, flags: ack | urg, urgent: 1, data: real1[20:]}), []reading{{N: 1}}},
		"what has arrived, after another": {with(opened, seg{flags: ack | urg, urgent: 31, data: inside[:40]}, seg{seq: 39, flags: ack | urg, urgent: 1, data: inside[39:]}), []reading{{N: 1, Faults: urgent(30)}}},
		"two of them":                     {with(opened, seg{flags: ack | urg, urgent: 31, data: inside[:40]}, seg{seq: 40, flags: ack | urg, urgent: len(inside) - 39, data: join(inside[40:], []byte("G"))}), []reading{{N: 1, Ambiguous: "segment", Faults: urgent(30)}, {Ambiguous: "segment", Faults: urgent(30)}}},
		"two after the hello":             {with(opened, seg{flags: ack | urg, urgent: 31, data: inside}, seg{seq: len(inside), flags: ack | urg, urgent: 1, data: []byte("G")}), []reading{{N: 1, Faults: urgent(30)}, {Ambiguous: "segment", Faults: []capture.Fault{}, Contradicts: []int{4}}}},
		"two of them, never whole":        {with(opened, seg{flags: ack | urg, urgent: 31, data: inside[:40]}, seg{seq: 40, flags: ack | urg, urgent: 1, data: inside[40:50]}), []reading{{Ambiguous: "segment"}}},
		"two, the first in the padding":   {with(opened, seg{flags: ack | urg, urgent: at + 1, data: insidePadding}, seg{seq: len(insidePadding), flags: ack | urg, urgent: 1, data: []byte("G")}), []reading{{N: 1, Faults: urgent(at)}, {N: 1, Ambiguous: "segment", Faults: []capture.Fault{}, Contradicts: []int{4}}}},
		"in an empty segment":             {with(opened, seg{flags: ack | urg, urgent: 31}, whole(inside, nil)), []reading{{N: 1, Faults: urgent(30)}}},
		"two, the first at the beginning": {with(opened, seg{flags: ack | urg, urgent: 1, data: []byte("G")}, seg{seq: 1, flags: ack | urg, urgent: 31, data: inside}), []reading{{N: 1, Faults: slices.Concat(urgent(0), urgent(30))}}},
		"two, before the first arrives":   {with(opened, seg{flags: ack | urg, urgent: 3, data: real1[:2]}, seg{seq: 2, flags: ack | urg, urgent: 29, data: inside[2:]}), []reading{{N: 1, Faults: urgent(30)}}},
		"in a segment that was set aside": {with(opened, seg{flags: ack | urg, urgent: 31, data: inside, options: join([]byte{29, 16}, make([]byte, 14))}, seg{ack: len(inside), flags: ack, fromServer: true}), []reading{{N: 1, Faults: urgent(30)}}},
		"no urgent pointer":               {with(opened, seg{flags: ack | urg, data: join([]byte("G"), real1)}), []reading{{N: 1, Faults: urgent(0)}}},
	} {
		t.Run(name, c.run)
	}
}
