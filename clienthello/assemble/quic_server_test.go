package assemble_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/quicseal"
)

// numbered is an Initial of one client.
func numbered(number uint64, change func(*quicseal.Packet), frames ...[]byte) []byte {
	p := quicseal.Packet{Version: quicseal.V1, DCID: []byte("original"), SCID: []byte("client"), Number: number, Payload: slices.Concat(frames...)}
	p.Payload = append(p.Payload, make([]byte, 20)...)
	if change != nil {
		change(&p)
	}
	return p.Seal()
}

func TestFeedServer(t *testing.T) {
	msg := handshake(96)
	first, rest := crypto(0, msg[:50]), crypto(50, msg[50:])
	const (
		opened    = assemble.QUICOpened
		fixed     = assemble.QUICFixedBit
		reserved  = assemble.QUICReservedBits
		duplicate = assemble.QUICDuplicate
		source    = assemble.QUICSource
		closes    = assemble.QUICClose
		overlap   = assemble.QUICOverlap
		old       = assemble.QUICOldNumber
	)
	const more, complete, unrecognized, refused = assemble.NeedMore, assemble.Complete, assemble.Unrecognized, assemble.Refused
	type step struct {
		datagram        []byte
		strict, lenient assemble.Outcome
		faults          assemble.QUICFaults // in both
	}
	greased := func(p *quicseal.Packet) { p.Greased = true }
	bits := func(p *quicseal.Packet) { p.Reserved = 2 }
	from := func(scid string) func(*quicseal.Packet) { return func(p *quicseal.Packet) { p.SCID = []byte(scid) } }
	to := func(dcid string) func(*quicseal.Packet) {
		return func(p *quicseal.Packet) { p.KeyDCID, p.DCID = p.DCID, []byte(dcid) }
	}
	other := func(p *quicseal.Packet) { p.DCID = []byte("another one") }
	version2 := func(p *quicseal.Packet) { p.Version = quicseal.V2; p.KeyDCID, p.DCID = p.DCID, []byte("of the server") }
	again := func(p *quicseal.Packet) { p.Version = quicseal.V2 }
	long := func(p *quicseal.Packet) { p.Payload = append(p.Payload, make([]byte, 3000)...) }
	one := numbered(0, nil, first)
	for name, steps := range map[string][]step{
		"in two":                     {{one, more, more, opened}, {numbered(1, nil, rest), complete, complete, opened}},
		"the second is longer":       {{one, more, more, opened}, {numbered(1, long, rest), complete, complete, opened}},
		"garbage":                    {{[]byte("no QUIC at all, but text"), unrecognized, unrecognized, 0}, {one, more, more, opened}, {[]byte{0x40, 1, 2}, more, more, 0}},
		"keys that do not fit":       {{numbered(0, to("whatever else"), first), unrecognized, unrecognized, 0}, {one, more, more, opened}, {numbered(1, other, rest), more, more, 0}},
		"a number twice":             {{one, more, more, opened}, {numbered(0, nil, rest), more, complete, opened | duplicate}},
		"a number again later":       {{one, more, more, opened}, {numbered(5, nil, []byte{1}), more, more, opened}, {numbered(63, nil, []byte{1}), more, more, opened}, {numbered(5, nil, []byte{1}), more, more, opened | duplicate}, {numbered(0, nil, rest), more, complete, opened | duplicate}},
		"an old number":              {{numbered(100, nil, first), more, more, opened}, {numbered(36, nil, rest), complete, complete, opened | old}},
		"the oldest number":          {{numbered(100, nil, first), more, more, opened}, {numbered(37, nil, rest), complete, complete, opened}},
		"numbers out of order":       {{numbered(9, nil, []byte{1}), more, more, opened}, {numbered(3, nil, first), more, more, opened}, {numbered(200, nil, rest), complete, complete, opened}},
		"fixed bit first":            {{numbered(0, greased, first), unrecognized, more, fixed}, {one, more, more, opened}},
		"fixed bit later":            {{one, more, more, opened}, {numbered(1, greased, rest), more, complete, opened | fixed}, {numbered(1, nil, rest), complete, complete, opened}},
		"reserved bits":              {{one, more, more, opened}, {numbered(1, bits, rest), more, complete, opened | reserved}},
		"reserved bits first":        {{one, more, more, opened}, {slices.Concat(numbered(1, bits, []byte{1}), numbered(2, nil, rest)), more, complete, opened | reserved}},
		"another source":             {{one, more, more, opened}, {numbered(1, from("other"), rest), more, more, opened | source}, {numbered(1, nil, rest), complete, complete, opened}},
		"another number by source":   {{one, more, more, opened}, {numbered(0xfffffff0, from("other"), rest), more, more, opened | source}, {numbered(1, nil, rest), complete, complete, opened}},
		"close":                      {{one, more, more, opened}, {numbered(1, nil, []byte{0x1c, 0, 0, 0}, rest), more, complete, opened | closes}},
		"close, then a packet":       {{one, more, more, opened}, {slices.Concat(numbered(1, nil, []byte{0x1c, 0, 0, 0}), numbered(2, nil, rest)), more, complete, opened | closes}},
		"close cut short":            {{one, more, more, opened}, {numbered(1, func(p *quicseal.Packet) { p.Payload = []byte{1, 1, 1, 0x1c, 0, 0, 9} }), refused, refused, opened}},
		"a frame of another kind":    {{one, more, more, opened}, {numbered(1, nil, []byte{8}), refused, refused, opened}},
		"two packets":                {{slices.Concat(one, numbered(1, nil, rest)), complete, complete, opened}},
		"two packets, another DCID":  {{slices.Concat(one, numbered(1, to("server"), rest)), more, more, opened}, {numbered(1, nil, rest), complete, complete, opened}},
		"the server's ID":            {{one, more, more, opened}, {numbered(1, to("server"), rest), complete, complete, opened}},
		"version 2 by the server":    {{one, more, more, opened}, {numbered(1, version2, rest), complete, complete, opened}},
		"version 2 with the same ID": {{one, more, more, opened}, {numbered(1, again, rest), more, more, 0}},
		"other bytes":                {{one, more, more, opened}, {numbered(1, nil, crypto(40, bytes.Repeat([]byte{9}, 60))), complete, complete, opened | overlap}},
		"other bytes, then all":      {{one, more, more, opened}, {numbered(1, nil, crypto(0, append(handshake(96)[:40], make([]byte, 60)...))), complete, complete, opened | overlap}},
	} {
		for _, lenient := range []bool{false, true} {
			var q assemble.QUIC
			q.Reset(usedMemory(assemble.BufferSize(200)))
			for i, s := range steps {
				result, faults := q.FeedServer(s.datagram, lenient)
				want := s.strict
				if lenient {
					want = s.lenient
				}
				if name == "fixed bit first" && lenient {
					s.faults |= []assemble.QUICFaults{opened, duplicate}[i]
				}
				if name == "fixed bit later" && lenient && i == 2 {
					s.faults = 0 // the outcome is final
				}
				if result.Outcome != want || faults != s.faults {
					t.Errorf("%s, lenient %v, step %d: %v %v, faults %b, want %v, %b", name, lenient, i+1, result.Outcome, result.Code, faults, want, s.faults)
				}
			}
		}
	}
}

// TestFeedServerIgnores checks that Handshake packets and those of another version than the first
// one of their datagram change nothing.
func TestFeedServerIgnores(t *testing.T) {
	var q assemble.QUIC
	q.Reset(make([]byte, assemble.BufferSize(200)))
	p := quicseal.Packet{Version: quicseal.V1, Type: quicseal.Handshake, DCID: []byte("server"), SCID: []byte("client"), Payload: make([]byte, 50)}
	q.FeedServer(numbered(0, nil, crypto(0, handshake(96)[:50])), false)
	other := numbered(2, func(p *quicseal.Packet) { p.Version = quicseal.V2 }, crypto(50, handshake(96)[50:]))
	for _, b := range [][]byte{p.Seal(), slices.Concat(numbered(1, nil), other)} {
		if result, _ := q.FeedServer(b, false); result.Outcome != assemble.NeedMore {
			t.Error("before the message", result)
		}
	}
	q.FeedServer(numbered(3, nil, crypto(50, handshake(96)[50:])), false)
	q.Next()
	if result, _ := q.FeedServer(p.Seal(), false); result.Outcome != assemble.NeedMore {
		t.Error(result)
	}
	if result, _ := q.FeedServer(numbered(4, nil, crypto(100, handshake(96))), false); result.Outcome != assemble.Complete {
		t.Error("then", result)
	}
}

// TestFeedServerOverlaps compares what comes out of frames that contradict each other with
// bytes that are put in their place one by one.
func TestFeedServerOverlaps(t *testing.T) {
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 9000))
		msg := handshake(2 + r.IntN(300))
		frames := anyPieces(r, len(msg))
		lenient := seed%2 == 0
		var q assemble.QUIC
		q.Reset(usedMemory(assemble.BufferSize(len(msg))))
		want, has, differs := bytes.Clone(msg), make([]bool, len(msg)), false
		for number, f := range frames {
			data := bytes.Clone(msg[f[0]:f[1]])
			if i := r.IntN(len(data)); f[0]+i >= 4 {
				data[i] = byte(r.IntN(3)) // of few values, so that it may be the same
			}
			whole := len(data) == len(msg)
			for i, b := range data {
				if at := f[0] + i; has[at] && want[at] != b {
					if differs = true; lenient || whole {
						want[at] = b
					}
				} else {
					want[at], has[at] = b, true
				}
			}
			result, faults := q.FeedServer(numbered(uint64(number), nil, crypto(uint64(f[0]), data)), lenient)
			if overlap := faults&assemble.QUICOverlap != 0; overlap && !differs {
				t.Fatalf("seed %d: overlap %v", seed, overlap)
			}
			if complete := !slices.Contains(has, false); complete != (result.Outcome == assemble.Complete) || complete && !bytes.Equal(result.Message, want) {
				t.Fatalf("seed %d: %v, complete %v\n%x, want\n%x", seed, result.Outcome, complete, result.Message, want)
			} else if complete {
				break
			}
		}
	}
}

func TestQUICCopyFrom(t *testing.T) {
	msg := handshake(300)
	var a, b assemble.QUIC
	a.Reset(usedMemory(assemble.BufferSize(400)))
	b.Reset(usedMemory(assemble.BufferSize(400)))
	a.FeedServer(numbered(0, nil, crypto(0, msg[:20]), crypto(100, msg[100:250])), false)
	b.CopyFrom(&a)
	a.FeedServer(numbered(1, nil, crypto(20, make([]byte, 80)), crypto(250, make([]byte, 54))), false)
	if result, faults := b.FeedServer(numbered(1, nil, crypto(20, msg[20:100]), crypto(250, msg[250:])), false); !bytes.Equal(result.Message, msg) || faults != assemble.QUICOpened {
		t.Error(result.Outcome, faults)
	}
}

func TestQUICFollow(t *testing.T) {
	msg := handshake(96)
	var a, b assemble.QUIC
	a.FeedServer(numbered(0, nil, crypto(0, msg)), false)
	b.Follow(&a)
	retry := numbered(1, func(p *quicseal.Packet) { p.DCID, p.Token = []byte("of a Retry"), []byte("token") }, crypto(0, msg))
	result, _ := b.FeedServer(retry, false)
	if info := b.Info(); result.Outcome != assemble.NeedMore || !info.Retry || info.Attempt != 2 || info.Hello != 2 {
		t.Errorf("%v, %+v", result, fmt.Sprint(info.Retry, info.Attempt, info.Hello))
	}
	var changed assemble.QUIC
	changed.Reset(usedMemory(assemble.BufferSize(400)))
	changed.Follow(&a)
	differing := numbered(1, func(p *quicseal.Packet) { p.DCID, p.Token = []byte("of a Retry"), []byte("token") }, crypto(50, msg[50:]), crypto(50, make([]byte, 20)), crypto(0, msg[:50]))
	if result, faults := changed.FeedServer(differing, false); result.Outcome != assemble.Complete || !bytes.Equal(result.Message, msg) || faults&assemble.QUICOverlap == 0 {
		t.Errorf("with data of another message: %v, %v", result.Outcome, faults)
	}
	var c assemble.QUIC
	c.Follow(new(assemble.QUIC))
	if result, _ := c.FeedServer(retry, false); result.Outcome != assemble.Complete || c.Info().Retry || c.Info().Attempt != 1 {
		t.Errorf("%v, %+v", result, c.Info())
	}
}

func TestFeedServerRefusesWithoutMemory(t *testing.T) {
	var q assemble.QUIC
	result, _ := q.FeedServer(numbered(0, nil, crypto(0, handshake(96)[:50])), false)
	if result.Code != extension.ErrOverLimit {
		t.Error(result)
	}
}

func TestUnmasksInitial(t *testing.T) {
	keys := assemble.NewQUICKeys(2)
	unmasked := 0
	for n := range uint64(1000) {
		client := numbered(n, nil, crypto(0, handshake(96)))
		if !keys.UnmasksInitial(client) || !keys.UnmasksInitial(slices.Concat(numbered(n, func(p *quicseal.Packet) { p.Type = quicseal.ZeroRTT }), client)) {
			t.Error("client's packet", n)
		}
		if keys.UnmasksInitial(numbered(n, func(p *quicseal.Packet) { p.Server = true }, crypto(0, handshake(96)))) {
			unmasked++
		}
	}
	if unmasked < 200 || unmasked > 300 {
		t.Errorf("%d of 1000 packets of a server", unmasked)
	}
	client := numbered(0, nil, crypto(0, handshake(96)))
	short := numbered(0, func(p *quicseal.Packet) { p.Reserved, p.NumberLen, p.LengthLen, p.Payload = 3, 1, 1, []byte{1, 1, 1} })
	short = short[:len(short)-1]
	short[len(short)-20] = 19 // the length
	for name, before := range map[string][]byte{
		"0-RTT":                      numbered(0, func(p *quicseal.Packet) { p.Reserved, p.Type = 3, quicseal.ZeroRTT }),
		"an Initial that is short":   short,
		"an Initial from the server": numbered(0, func(p *quicseal.Packet) { p.Reserved, p.DCID = 3, []byte("server") }),
	} {
		if !keys.UnmasksInitial(slices.Concat(before, client)) {
			t.Error(name, "is not passed over")
		}
	}
	if keys.UnmasksInitial(nil) || keys.UnmasksInitial(numbered(0, func(p *quicseal.Packet) { p.Reserved = 1 })) {
		t.Error("no packet, or reserved bits")
	}
}

// TestOpensAnswer has datagrams of the server, between packets of the client.
func TestOpensAnswer(t *testing.T) {
	answer := func(change func(*quicseal.Packet)) []byte {
		p := quicseal.Packet{Version: quicseal.V1, DCID: []byte("client"), SCID: []byte("server"), KeyDCID: []byte("original"), Server: true, Payload: make([]byte, 30)}
		if change != nil {
			change(&p)
		}
		return p.Seal()
	}
	var q assemble.QUIC
	q.Reset(make([]byte, assemble.BufferSize(100)))
	if q.OpensAnswer(answer(nil)) {
		t.Error("opens before the keys are known")
	}
	msg := handshake(96)
	q.FeedServer(numbered(0, nil, crypto(0, msg[:50])), false)
	for name, row := range map[string]struct {
		datagram []byte
		want     bool
	}{
		"an Initial":             {answer(nil), true},
		"with more after it":     {append(answer(nil), 1, 2, 3), true},
		"of version 2":           {answer(func(p *quicseal.Packet) { p.Version = quicseal.V2 }), true},
		"longer than Scratch":    {answer(func(p *quicseal.Packet) { p.Payload = make([]byte, 3000) }), true},
		"of another connection":  {answer(func(p *quicseal.Packet) { p.KeyDCID = []byte("another!") }), false},
		"of the client":          {answer(func(p *quicseal.Packet) { p.Server = false }), false},
		"a Handshake packet":     {answer(func(p *quicseal.Packet) { p.Type = quicseal.Handshake }), false},
		"a packet without a tag": {answer(nil)[:30], false},
		"no packet":              {[]byte("no QUIC at all"), false},
	} {
		if got := q.OpensAnswer(row.datagram); got != row.want {
			t.Errorf("%s: %v, want %v", name, got, row.want)
		}
	}
	if result, _ := q.FeedServer(numbered(1, nil, crypto(50, msg[50:])), false); result.Outcome != assemble.Complete {
		t.Errorf("after them, the hello is %v", result.Outcome)
	}
}
