package assemble_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsflags/tlsflags/clienthello/assemble"
)

// TestDTLSTolerant compares what comes out of fragments that contradict each other with
// bytes that are put in their place one by one, the last ones on top.
func TestDTLSTolerant(t *testing.T) {
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 6347))
		msg := dtlsHandshake(1+r.IntN(300), 0)
		body := msg[12:]
		d := assemble.DTLS{Tolerant: true}
		d.Reset(usedMemory(assemble.BufferSize(len(msg))))
		if seed%3 == 0 {
			d.Await(0, len(body))
		}
		want, has, differs := bytes.Clone(msg), make([]bool, len(body)), false
		for i, p := range anyPieces(r, len(body)) {
			sent := bytes.Clone(msg)
			sent[12+p[0]+r.IntN(p[1]-p[0])] = byte(r.IntN(3))
			for at := p[0]; at < p[1]; at++ {
				differs = differs || has[at] && want[12+at] != sent[12+at]
				want[12+at], has[at] = sent[12+at], true
			}
			others := [][]byte{fragment(sent, p[0], p[1])}
			if i > 0 { // of other messages
				others = append(others, fragment(dtlsHandshake(len(body)+1, 0), p[0], p[1]), fragment(dtlsHandshake(len(body), 1), p[0], p[1]))
			}
			result := d.Feed(dtlsDatagram(others...))
			complete := !slices.Contains(has, false)
			if complete != (result.Outcome == assemble.Complete) || complete && !bytes.Equal(result.Message, want) || d.Overlap() != differs {
				t.Fatalf("seed %d: %v %v, complete %v, overlap %v of %v\n%x, want\n%x", seed, result.Outcome, result.Code, complete, d.Overlap(), differs, result.Message, want)
			}
			if complete {
				break
			}
		}
	}
}

// TestDTLSAwait checks that what is not awaited is skipped, also its faults and what follows
// a handshake.
func TestDTLSAwait(t *testing.T) {
	msg := dtlsHandshake(100, 2)
	d := assemble.DTLS{Tolerant: true}
	d.Reset(make([]byte, assemble.BufferSize(200)))
	d.Feed(dtlsDatagram(dtlsHandshake(50, 0)))
	d.Next()
	d.Await(2, 100)
	other := dtlsHandshake(100, 2)
	other[0] = 11
	for _, datagram := range [][]byte{
		dtlsRecord(20, dtls12, 0, []byte{1}), dtlsRecord(22, dtls12, 1, make([]byte, 40)), dtlsDatagram(other),
		dtlsDatagram(dtlsHandshake(1<<24-1-1<<23, 2)[:12]), dtlsDatagram(dtlsHandshake(100, 1)),
	} {
		if result := d.Feed(datagram); result.Outcome == assemble.Complete || result.Outcome == assemble.Unrecognized {
			t.Fatal(result)
		}
		d.Reset(make([]byte, assemble.BufferSize(200)))
		d.Await(2, 100)
	}
	if result := d.Feed(dtlsDatagram(msg)); result.Outcome != assemble.Complete || !bytes.Equal(result.Message, msg) {
		t.Error(result)
	}
}

// TestDTLSWhole checks that a message in one fragment counts, whatever came before.
func TestDTLSWhole(t *testing.T) {
	msg := dtlsHandshake(100, 0)
	changed := bytes.Clone(msg)
	changed[30]++
	for _, before := range [][]byte{msg, changed} {
		d := assemble.DTLS{Tolerant: true}
		d.Reset(make([]byte, assemble.BufferSize(200)))
		d.Feed(dtlsDatagram(fragment(before, 0, 60)))
		if result := d.Feed(dtlsDatagram(msg)); !bytes.Equal(result.Message, msg) || d.Overlap() != bytes.Equal(before, changed) {
			t.Error(result, d.Overlap())
		}
	}
}

// TestDTLSWholeAfterFarFragment checks that a message in one fragment counts, and is compared
// with what came before it, also if that was kept elsewhere.
func TestDTLSWholeAfterFarFragment(t *testing.T) {
	msg := dtlsHandshake(15_000, 0)
	changed := bytes.Clone(msg)
	changed[14_000]++
	for _, before := range [][]byte{msg, changed} {
		d := assemble.DTLS{Tolerant: true}
		d.ResetGrowing(assemble.MaxMessageDTLS)
		d.Feed(dtlsDatagram(fragment(before, 13_900, 14_000)))
		if result := d.Feed(dtlsDatagram(msg)); !bytes.Equal(result.Message, msg) || d.Overlap() != bytes.Equal(before, changed) {
			t.Error(result.Outcome, d.Overlap())
		}
	}
}

func TestDTLSFragments(t *testing.T) {
	one, two := dtlsHandshake(50, 0), dtlsHandshake(300, 3)
	other := bytes.Clone(one)
	other[0] = 2
	type f = assemble.DTLSFragment
	const record = 13 + 12
	size := record + 50
	long, filler := dtlsHandshake(300, 0), dtlsHandshake(1<<14-62-12, 1)
	copy(long[1:], []byte{3, 2, 1, 5, 4}) // length, message_seq
	large := dtlsRecord(22, dtls12, 0, make([]byte, 1<<14+1))
	for name, test := range map[string]struct {
		datagram []byte
		want     []f
	}{
		"nothing":               {nil, nil},
		"one":                   {dtlsDatagram(one), []f{{0, 50, size, false}}},
		"two in a record":       {dtlsDatagram(fragment(two, 0, 10), fragment(one, 0, 5)), []f{{3, 300, record + 10 + 12 + 5, false}, {0, 50, record + 10 + 12 + 5, false}}},
		"two records":           {slices.Concat(dtlsDatagram(one), dtlsDatagram(fragment(two, 9, 10))), []f{{0, 50, size, false}, {3, 300, size + record + 1, false}}},
		"another type":          {dtlsDatagram(other, one), []f{{0, 50, size + 12 + 50, false}}},
		"encrypted":             {slices.Concat(dtlsRecord(23, dtls12, 1, []byte{1}), dtlsDatagram(one)), []f{{0, 50, 14 + size, false}}},
		"epoch 256":             {slices.Concat(dtlsRecord(22, dtls12, 256, two), dtlsDatagram(one)), []f{{0, 50, 13 + len(two) + size, false}}},
		"change_cipher_spec":    {slices.Concat(dtlsRecord(20, dtls12, 0, []byte{1}), dtlsDatagram(one)), []f{{0, 50, 14 + size, true}}},
		"alert":                 {slices.Concat(dtlsRecord(21, dtls12, 0, []byte{1, 0}), dtlsDatagram(one)), nil},
		"too large":             {slices.Concat(large, dtlsDatagram(one)), []f{{0, 50, len(large) + size, false}}},
		"largest":               {dtlsDatagram(one, filler), []f{{0, 50, 13 + 1<<14, false}, {1, len(filler) - 12, 13 + 1<<14, false}}},
		"long numbers":          {dtlsDatagram(fragment(long, 0, 50)), []f{{5<<8 | 4, 3<<16 | 2<<8 | 1, size, false}}},
		"of 65,536 bytes":       {dtlsDatagram([]byte{1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0}), nil},
		"cut record header":     {dtlsDatagram(one)[:12], nil},
		"another version":       {dtlsRecord(22, 0x0303, 0, one), nil},
		"cut record":            {dtlsDatagram(one)[:70], nil},
		"an empty one":          {dtlsDatagram(fragment(one, 0, 0)), []f{{0, 50, record, false}}},
		"cut fragment header":   {slices.Concat(dtlsDatagram(one, one[:11]), dtlsDatagram(one)), []f{{0, 50, size + 11, false}}},
		"one byte of a header":  {slices.Concat(dtlsDatagram(one, one[:1]), dtlsDatagram(one)), []f{{0, 50, size + 1, false}}},
		"fragment cut short":    {slices.Concat(dtlsDatagram(one[:40]), dtlsDatagram(one)), nil},
		"stopped by the caller": {slices.Concat(dtlsDatagram(one, one), dtlsDatagram(one)), []f{{0, 50, size + 62, false}}},
	} {
		var got []f
		for fragment := range assemble.DTLSFragments(test.datagram) {
			if got = append(got, fragment); name == "stopped by the caller" {
				break
			}
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: want (-), got (+)\n%s", name, diff)
		}
	}
}
