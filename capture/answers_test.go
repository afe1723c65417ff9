package capture_test

import (
	"testing"

	"github.com/tlsflags/tlsflags/capture"
)

// withExtension returns a hello of messageWith with one more extension.
func withExtension(msg []byte, typ int, body []byte) []byte {
	const extensionsAt = 4 + 2 + 32 + 1 + 2 + 2 + 1 + 1
	msg = join(msg, be16(typ), be16(len(body)), body)
	n := len(msg) - 4
	copy(msg[1:], []byte{byte(n >> 16), byte(n >> 8), byte(n)})
	copy(msg[extensionsAt:], be16(len(msg)-extensionsAt-2))
	return msg
}

// TestAnswersDecide checks what the first bytes of a server say about readings of what its
// client sent.
func TestAnswersDecide(t *testing.T) {
	const supportedVersions = 43
	accepts := join([]byte{22, 3, 3, 0, 44, 2, 0, 0, 40, 3, 3}, make([]byte, 32), []byte{0, 0x13, 1, 0, 0, 0})
	refuses := []byte{21, 3, 3, 0, 2, 2, 50} // decode_error
	other := []byte{21, 3, 3, 0, 2, 2, 40}   // handshake_failure
	fault := func(code string, offset int) capture.Fault { return capture.Fault{Code: code, Offset: offset} }

	broken := withExtension(messageWith(1), supportedVersions, []byte{4, 3, 4})
	malformed := fault("field_overrun", len(broken)-3)
	odd := records(broken, 1<<14)
	urgent := seg{flags: ack | urg, urgent: 1, data: join([]byte("G"), odd)}
	brokenRow := []capture.Fault{fault("urgent", 0), malformed}

	inside := join(real1[:30], []byte("G"), real1[30:])
	twice := []seg{{flags: ack | urg, urgent: 31, data: inside[:40]}, {seq: 40, flags: ack | urg, urgent: len(inside) - 39, data: join(inside[40:], []byte("H"))}}
	left := []capture.Fault{fault("urgent", 30)}

	flagless := whole(real1, func(g *seg) { g.flags = 8 }) // dropped, but acknowledged
	sound := records(withExtension(messageWith(2), supportedVersions, []byte{2, 3, 4}), 1<<14)
	rivals := []seg{whole(sound[:len(sound)-1], nil), whole(odd[:len(odd)-1], func(g *seg) { g.ttl = 3 }), {seq: len(odd) - 1, flags: ack, data: odd[len(odd)-1:]}}
	n := len(odd) - 1
	mixed := []seg{{seq: 5, flags: ack, data: sound[5:12]}, {seq: 10, flags: ack, data: sound[10:n], ttl: 3}, {seq: 10, flags: ack, data: odd[10:n]}, {flags: ack, data: sound[:5]}, {seq: n, flags: ack, data: odd[n:]}}
	one, two := reading{N: 1, Ambiguous: "overlap,hello", Faults: []capture.Fault{overlap[0], malformed}}, reading{N: 2, Ambiguous: "overlap", Faults: overlap}
	refused := one
	refused.Ambiguous = "hello"
	for name, row := range map[string]struct {
		segments                         []seg
		open, accepted, refused, neither []reading
	}{
		"a malformed extension after an urgent byte": {[]seg{urgent},
			[]reading{{N: 1, Ambiguous: "hello", Faults: brokenRow}}, []reading{{N: 1, Faults: brokenRow}},
			[]reading{{N: 1, Ambiguous: "hello", Faults: brokenRow}}, []reading{{N: 1, Ambiguous: "hello", Faults: brokenRow}}},
		"two urgent bytes": {twice,
			[]reading{{N: 1, Ambiguous: "segment", Faults: left}, {Ambiguous: "segment", Faults: left}}, []reading{{N: 1, Faults: left}},
			[]reading{{}}, []reading{{N: 1, Ambiguous: "segment", Faults: left}, {Ambiguous: "segment", Faults: left}}},
		"no ACK flag, acknowledged": {[]seg{flagless, acked},
			[]reading{{N: 1, Ambiguous: "segment"}}, []reading{{N: 1}}, []reading{{N: 1, Ambiguous: "segment"}}, []reading{{N: 1, Ambiguous: "segment"}}},
		"one of two is malformed, and mixtures": {mixed, []reading{two, one}, []reading{two, one}, []reading{two, one}, []reading{two, one}},
		"one of two is malformed":               {rivals, []reading{two, one}, []reading{two, one}, []reading{refused}, []reading{two, one}},
	} {
		end := 0
		for _, g := range row.segments {
			end = max(end, g.seq+len(g.data))
		}
		for _, answer := range []struct {
			data []byte
			want []reading
		}{{nil, row.open}, {accepts, row.accepted}, {refuses, row.refused}, {other, row.neither}} {
			segments := with(opened, row.segments...)
			if answer.data != nil {
				again := row.segments[0] // what the client sends again decides nothing
				segments = append(segments, again, seg{ack: end, flags: ack, fromServer: true, data: answer.data})
			}
			t.Run(name, connection{segments, answer.want}.run)
		}
	}
}
