package assemble_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/extension"
)

const dtls12 = 0xfefd

// dtlsRecord returns a record that holds fragments.
func dtlsRecord(typ byte, version, epoch uint16, fragments ...[]byte) []byte {
	b := binary.BigEndian.AppendUint16([]byte{typ}, version)
	b = binary.BigEndian.AppendUint16(b, epoch)
	b = append(b, 0, 0, 0, 0, 0, 9)
	content := slices.Concat(fragments...)
	b = binary.BigEndian.AppendUint16(b, uint16(len(content)))
	return append(b, content...)
}

// dtlsHandshake returns a message of type 1 with a body of n bytes.
func dtlsHandshake(n int, seq byte) []byte {
	msg := handshake(n)
	return slices.Concat(msg[:4], []byte{0, seq, 0, 0, 0}, msg[1:4], msg[4:])
}

// fragment returns body bytes [from, to) of a message.
func fragment(msg []byte, from, to int) []byte {
	b := slices.Clone(msg[:12])
	b[6], b[7], b[8] = byte(from>>16), byte(from>>8), byte(from)
	n := to - from
	b[9], b[10], b[11] = byte(n>>16), byte(n>>8), byte(n)
	return append(b, msg[12+from:12+to]...)
}

func dtlsDatagram(fragments ...[]byte) []byte { return dtlsRecord(22, dtls12, 0, fragments...) }

func TestDTLS(t *testing.T) {
	msg := dtlsHandshake(300, 0)
	part1, part2, part3 := fragment(msg, 0, 100), fragment(msg, 100, 200), fragment(msg, 200, 300)
	later := fragment(dtlsHandshake(50, 1), 0, 50)
	muchLater := slices.Clone(later)
	muchLater[4], muchLater[5] = 1, 0 // message_seq 256
	encrypted := dtlsRecord(22, dtls12, 1, make([]byte, 40))
	unified := append([]byte{0x2e, 1, 2, 0, 30}, make([]byte, 30)...)
	alert := dtlsRecord(21, dtls12, 0, []byte{1, 0})
	filler := dtlsHandshake(1<<14-len(msg)-12, 1)
	tests := []struct {
		name      string
		datagrams [][]byte
		records   int
	}{
		{"in one fragment", [][]byte{dtlsDatagram(msg)}, 1},
		{"in a record of 16,384 bytes", [][]byte{dtlsDatagram(msg, filler)}, 1},
		{"in fragments, one a datagram", [][]byte{dtlsDatagram(part1), dtlsDatagram(part2), dtlsDatagram(part3)}, 3},
		{"backwards", [][]byte{dtlsDatagram(part3), dtlsDatagram(part2), dtlsDatagram(part1)}, 3},
		{"fragments in one record", [][]byte{dtlsDatagram(part2, part3, part1)}, 1},
		{"records in one datagram", [][]byte{slices.Concat(dtlsDatagram(part2), dtlsDatagram(part3), dtlsDatagram(part1))}, 3},
		{"overlapping", [][]byte{dtlsDatagram(fragment(msg, 0, 150)), dtlsDatagram(fragment(msg, 120, 220)), dtlsDatagram(part3)}, 3},
		{"retransmitted", [][]byte{dtlsDatagram(part1), dtlsDatagram(part3), dtlsDatagram(part1), dtlsDatagram(part3), dtlsDatagram(part2)}, 5},
		{"whole after a fragment", [][]byte{dtlsDatagram(part2), dtlsDatagram(msg)}, 2},
		{"fragments without bytes", [][]byte{dtlsDatagram(fragment(msg, 0, 0), fragment(msg, 300, 300)), dtlsDatagram(part1, part2, part3)}, 2},
		{"another message between", [][]byte{dtlsDatagram(part1), dtlsDatagram(later), dtlsDatagram(part2, later, part3)}, 2},
		{"a message with message_seq 256 between", [][]byte{dtlsDatagram(part1), dtlsDatagram(muchLater), dtlsDatagram(part2, part3)}, 2},
		{"records of other types between", [][]byte{slices.Concat(alert, dtlsDatagram(part1), alert), slices.Concat(encrypted, dtlsDatagram(part2)), dtlsDatagram(part3)}, 3},
		{"encrypted records between", [][]byte{dtlsDatagram(part1), unified, slices.Concat(dtlsDatagram(part2), unified), dtlsDatagram(part3)}, 3},
		{"DTLS 1.0", [][]byte{dtlsRecord(22, 0xfeff, 0, part1), dtlsDatagram(part2, part3)}, 2},
		{
			"what is no record between",
			[][]byte{dtlsDatagram(part1), {}, {22}, []byte("\x80STUN or RTP"), dtlsRecord(22, 0x0303, 0, part2), dtlsDatagram(part2)[:20], dtlsDatagram(part2, part3)},
			2,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var d assemble.DTLS
			d.Reset(make([]byte, assemble.BufferSize(len(msg))))
			feedDTLS(t, &d, msg, tt.datagrams...)
			if diff := cmp.Diff(assemble.DTLSInfo{Version: dtls12, Records: tt.records}, d.Info()); diff != "" {
				t.Error(diff)
			}
			if again := d.Feed(tt.datagrams[0]); again.Outcome != assemble.Complete || again.Used != 0 {
				t.Errorf("fed again: %+v", again)
			}
		})
	}
}

// feedDTLS feeds datagrams, the last of which has to complete msg.
func feedDTLS(t *testing.T, d *assemble.DTLS, msg []byte, datagrams ...[]byte) {
	t.Helper()
	for i, datagram := range datagrams {
		result := d.Feed(datagram)
		want := assemble.NeedMore
		if i == len(datagrams)-1 {
			want = assemble.Complete
		}
		if result.Outcome != want {
			t.Fatalf("datagram %d of %d: %v, code %v at %d; want %v", i+1, len(datagrams), result.Outcome, result.Code, result.Offset, want)
		}
		if want == assemble.Complete && !bytes.Equal(result.Message, msg) {
			t.Fatalf("message %x, want %x", result.Message, msg)
		}
	}
}

func TestDTLSReturnsInPlace(t *testing.T) {
	msg := dtlsHandshake(50, 3)
	msg[4] = 1
	datagram := slices.Concat(dtlsRecord(21, dtls12, 0, []byte{1, 0}), dtlsDatagram(msg), dtlsDatagram(msg))
	var d assemble.DTLS
	result := d.Feed(datagram)
	if result.Outcome != assemble.Complete || &result.Message[0] != &datagram[15+13] || cap(result.Message) != len(msg) {
		t.Errorf("%v, %d bytes with capacity %d", result.Outcome, len(result.Message), cap(result.Message))
	}
	if want := 15 + 13 + len(msg); result.Used != want {
		t.Errorf("%d bytes used, want %d", result.Used, want)
	}
	if info := d.Info(); info.MessageSeq != 1<<8|3 {
		t.Errorf("%+v", info)
	}
}

func TestDTLSNotProtocol(t *testing.T) {
	whole := dtlsDatagram(dtlsHandshake(100, 0))
	change := func(i int, b byte) []byte {
		c := slices.Clone(whole)
		c[i] = b
		return c
	}
	for name, datagram := range map[string][]byte{
		"nothing":              {},
		"zeros":                make([]byte, 100),
		"a header cut off":     whole[:12],
		"a record cut off":     whole[:len(whole)-1],
		"TLS":                  change(1, 3),
		"an alert":             change(0, 21),
		"application data":     change(0, 23),
		"a later epoch":        change(4, 1),
		"epoch 256":            change(3, 1),
		"after a wrong length": slices.Concat(change(11, 0xff)[:13], whole),
		"an empty record":      dtlsDatagram(),
		"an encrypted record":  append([]byte{0x2e, 1, 2, 0, 30}, make([]byte, 30)...),
		"too long a record":    dtlsDatagram(make([]byte, 1<<14+1)),
	} {
		t.Run(name, func(t *testing.T) {
			var d assemble.DTLS
			if result := d.Feed(datagram); result.Outcome != assemble.Unrecognized || result.Used != len(datagram) {
				t.Errorf("%+v", result)
			}
			if info := d.Info(); info != (assemble.DTLSInfo{}) {
				t.Errorf("%+v", info)
			}
			if again := d.Feed(whole); again.Outcome != assemble.Unrecognized {
				t.Errorf("then: %v", again.Outcome)
			}
		})
	}
}

func TestDTLSRefuses(t *testing.T) {
	msg := dtlsHandshake(300, 0)
	part1 := fragment(msg, 0, 100)
	change := func(b []byte, i int, v ...byte) []byte {
		b = slices.Clone(b)
		copy(b[i:], v)
		return b
	}
	tests := []struct {
		name      string
		fragments [][]byte
		code      extension.Code
		offset    int // from the start of the last fragment
	}{
		{"another message", [][]byte{change(msg, 0, 2)}, extension.ErrMessageType, 0},
		{"another type later", [][]byte{part1, change(msg, 0, 2)}, extension.ErrFragmentMismatch, 0},
		{"another length later", [][]byte{part1, change(part1, 3, 43)}, extension.ErrFragmentMismatch, 1},
		{"2^24-1 bytes announced", [][]byte{change(part1, 1, 0xff, 0xff, 0xff)}, extension.ErrMessageTooLarge, 1},
		{"131,653 bytes announced", [][]byte{change(part1, 1, 2, 2, 0x45)}, extension.ErrMessageTooLarge, 1},
		{"longer than the memory", [][]byte{change(part1, 3, 45)}, extension.ErrOverLimit, 1},
		{"beyond the message", [][]byte{change(part1, 6, 0, 0, 201)}, extension.ErrFragmentOverrun, 6},
		{"beyond the message, which is longer than the memory", [][]byte{change(change(part1, 3, 45), 6, 0, 0, 202)}, extension.ErrFragmentOverrun, 6},
		{"beyond the message by one, later", [][]byte{part1, change(part1, 6, 0, 0, 201)}, extension.ErrFragmentOverrun, 6},
		{"beyond the message, later", [][]byte{part1, change(part1, 6, 0xff, 0xff, 0xff)}, extension.ErrFragmentOverrun, 6},
		{"changed", [][]byte{part1, change(fragment(msg, 99, 200), 12, 0)}, extension.ErrOverlapChanged, 12},
		{"changed, out of order", [][]byte{fragment(msg, 100, 200), change(fragment(msg, 150, 300), 12, 0)}, extension.ErrOverlapChanged, 12},
		{"header cut off", [][]byte{part1, msg[:11]}, extension.ErrFieldOverrun, 0},
		{"of 65,536 bytes", [][]byte{change(part1, 9, 1, 0, 0)}, extension.ErrFieldOverrun, 0},
		{"longer than the record", [][]byte{part1, part1[:len(part1)-1]}, extension.ErrFieldOverrun, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var d assemble.DTLS
			d.Reset(make([]byte, assemble.BufferSize(len(msg))))
			for i, fragment := range tt.fragments {
				datagram := dtlsDatagram(fragment)
				want := assemble.Result{Used: len(datagram)}
				if i == len(tt.fragments)-1 {
					want.Outcome, want.Code, want.Offset = assemble.Refused, tt.code, 13+tt.offset
				}
				if diff := cmp.Diff(want, d.Feed(datagram)); diff != "" {
					t.Errorf("fragment %d: %s", i, diff)
				}
			}
		})
	}
}

func TestDTLSLargest(t *testing.T) {
	msg := dtlsHandshake(assemble.MaxMessageDTLS-12, 0)
	var d assemble.DTLS
	d.Reset(make([]byte, assemble.BufferSize(assemble.MaxMessageDTLS)))
	var datagrams [][]byte
	for from := 0; from < len(msg)-12; from += 1000 {
		datagrams = append(datagrams, dtlsDatagram(fragment(msg, from, min(from+1000, len(msg)-12))))
	}
	slices.Reverse(datagrams)
	feedDTLS(t, &d, msg, datagrams...)
}

func TestDTLSEmptyMessage(t *testing.T) {
	msg := dtlsHandshake(0, 0)
	var d assemble.DTLS
	feedDTLS(t, &d, msg, dtlsDatagram(msg))
}

func TestDTLSNext(t *testing.T) {
	first, second, third := dtlsHandshake(300, 0), dtlsHandshake(320, 1), dtlsHandshake(330, 2)
	start := func(t *testing.T) *assemble.DTLS {
		var d assemble.DTLS
		d.Reset(make([]byte, assemble.BufferSize(len(third))))
		feedDTLS(t, &d, first, dtlsDatagram(fragment(first, 0, 200)), dtlsDatagram(fragment(first, 200, 300)))
		d.Next()
		d.Next() // does nothing without a complete message
		return &d
	}
	t.Run("the hello with the cookie", func(t *testing.T) {
		d := start(t)
		feedDTLS(t, d, second, dtlsDatagram(first), dtlsDatagram(third), dtlsDatagram(fragment(second, 100, 320)), dtlsDatagram(fragment(second, 0, 150)))
		if diff := cmp.Diff(assemble.DTLSInfo{Version: dtls12, MessageSeq: 1, Records: 2}, d.Info()); diff != "" {
			t.Error(diff)
		}
		d.Next()
		feedDTLS(t, d, third, dtlsDatagram(second), dtlsDatagram(third))
	})
	t.Run("early data before it", func(t *testing.T) {
		feedDTLS(t, start(t), second, append([]byte{0x2d, 1, 2, 0, 30}, make([]byte, 30)...), dtlsDatagram(second))
	})
	t.Run("an alert before it", func(t *testing.T) {
		feedDTLS(t, start(t), second, dtlsRecord(21, dtls12, 0, []byte{1, 0}), dtlsDatagram(second))
	})
	certificate := slices.Clone(second)
	certificate[0] = 11
	for name, datagram := range map[string][]byte{
		"another message":      dtlsDatagram(certificate),
		"change_cipher_spec":   dtlsRecord(20, dtls12, 0, []byte{1}),
		"a later epoch":        dtlsRecord(22, dtls12, 1, make([]byte, 40)),
		"an encrypted record":  append([]byte{0x2e, 1, 2, 0, 30}, make([]byte, 30)...),
		"a later epoch, empty": dtlsRecord(22, dtls12, 1),
	} {
		t.Run(name, func(t *testing.T) {
			if result := start(t).Feed(datagram); result.Outcome != assemble.Unrecognized || result.Used != len(datagram) {
				t.Errorf("%v %v, %d bytes used of %d", result.Outcome, result.Code, result.Used, len(datagram))
			}
		})
	}
}

// TestDTLSAnyOrder cuts messages into fragments that overlap and come in any order, any
// number of times, some of them together.
func TestDTLSAnyOrder(t *testing.T) {
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 9147))
		msg := dtlsHandshake(1+r.IntN(400), byte(r.IntN(3)))
		pieces := anyPieces(r, len(msg)-12)
		if len(pieces) == 1 {
			continue
		}
		var d assemble.DTLS
		d.Reset(usedMemory(assemble.BufferSize(len(msg)) + r.IntN(30)))
		missing := make(map[int]bool)
		for i := range len(msg) - 12 {
			missing[i] = true
		}
		for len(pieces) > 0 {
			var datagram []byte
			for range 1 + r.IntN(2) {
				n := min(len(pieces), 1+r.IntN(3))
				var fragments [][]byte
				for _, p := range pieces[:n] {
					fragments = append(fragments, fragment(msg, p[0], p[1]))
					for i := p[0]; i < p[1]; i++ {
						delete(missing, i)
					}
				}
				pieces = pieces[n:]
				datagram = append(datagram, dtlsDatagram(fragments...)...)
			}
			want := assemble.NeedMore
			if len(missing) == 0 {
				want = assemble.Complete
			}
			result := d.Feed(datagram)
			if result.Outcome != want || want == assemble.Complete && !bytes.Equal(result.Message, msg) {
				t.Fatalf("seed %d: %v %v, want %v", seed, result.Outcome, result.Code, want)
			}
		}
	}
}

func TestDTLSRandomBytes(t *testing.T) {
	msg := dtlsHandshake(60, 0)
	for seed := range uint64(20000) {
		r := rand.New(rand.NewPCG(seed, 6347))
		var d assemble.DTLS
		d.Reset(make([]byte, r.IntN(120)))
		for range 3 {
			from := r.IntN(60)
			datagram := slices.Concat(dtlsDatagram(fragment(msg, from, from+r.IntN(60-from))), dtlsDatagram(msg))
			for range r.IntN(3) {
				datagram[r.IntN(len(datagram))] = byte(r.Uint32())
			}
			result := d.Feed(datagram[:r.IntN(len(datagram)+1)])
			if result.Used > len(datagram) || result.Offset > len(datagram) {
				t.Fatalf("seed %d: %+v", seed, result)
			}
		}
	}
}

func TestDTLSNoAllocs(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	msg := dtlsHandshake(1800, 0)
	datagrams := [][]byte{
		dtlsDatagram(fragment(msg, 900, 1800)), dtlsDatagram(fragment(msg, 500, 1000)), {1, 2, 3}, dtlsDatagram(fragment(msg, 0, 600)),
	}
	refused := dtlsDatagram(fragment(dtlsHandshake(1700, 1), 0, 5))
	memory := make([]byte, assemble.BufferSize(len(msg)))
	var d assemble.DTLS
	if n := testing.AllocsPerRun(100, func() {
		for _, datagram := range slices.Backward(datagrams) {
			d.Reset(memory)
			d.Feed(datagram)
		}
		d.Reset(memory)
		for _, datagram := range datagrams {
			d.Feed(datagram)
		}
		d.Next()
		d.Feed(refused)
		d.Info()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkDTLS(b *testing.B) {
	msg := dtlsHandshake(1800, 0)
	memory := make([]byte, assemble.BufferSize(len(msg)))
	for _, size := range []int{1800, 1200, 100} {
		var datagrams [][]byte
		total := 0
		for from := 0; from < 1800; from += size {
			datagrams = append(datagrams, dtlsDatagram(fragment(msg, from, min(from+size, 1800))))
			total += len(datagrams[len(datagrams)-1])
		}
		for _, order := range []string{"forwards", "backwards"} {
			b.Run(fmt.Sprintf("fragment=%d/%s", size, order), func(b *testing.B) {
				b.SetBytes(int64(total))
				b.ReportAllocs()
				var d assemble.DTLS
				for b.Loop() {
					d.Reset(memory)
					for _, datagram := range datagrams {
						d.Feed(datagram)
					}
				}
			})
			slices.Reverse(datagrams)
		}
	}
}
