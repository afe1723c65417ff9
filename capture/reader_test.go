package capture_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"runtime"
	"slices"
	"testing"
	"testing/iotest"
	"time"

	"github.com/tlsflags/tlsflags/capture"
)

const (
	linkEthernet = 1
	linkRaw      = 101
)

// pcap is a pcap file of raw IP packets.
func pcap(order binary.AppendByteOrder, nano bool, packets ...[]byte) []byte {
	magic := uint32(0xa1b2c3d4)
	if nano {
		magic = 0xa1b23c4d
	}
	b := order.AppendUint32(nil, magic)
	b = order.AppendUint16(b, 2)
	b = order.AppendUint16(b, 4)
	for _, v := range []uint32{0, 0, 65535, linkRaw} {
		b = order.AppendUint32(b, v)
	}
	for _, p := range packets {
		b = append(b, pcapPacket(order, len(p), len(p), p)...)
	}
	return b
}

func pcapPacket(order binary.AppendByteOrder, captured, original int, data []byte) []byte {
	var b []byte
	for _, v := range []int{1700000000, 123456, captured, original} {
		b = order.AppendUint32(b, uint32(v))
	}
	return append(b, data...)
}

// block is a pcapng block; parts are padded to 4 bytes each.
func block(order binary.AppendByteOrder, typ uint32, parts ...[]byte) []byte {
	var body []byte
	for _, p := range parts {
		body = append(body, p...)
		body = append(body, make([]byte, -len(p)&3)...)
	}
	b := order.AppendUint32(nil, typ)
	b = order.AppendUint32(b, uint32(12+len(body)))
	b = append(b, body...)
	return order.AppendUint32(b, uint32(12+len(body)))
}

func words(order binary.AppendByteOrder, values ...uint32) []byte {
	var b []byte
	for _, v := range values {
		b = order.AppendUint32(b, v)
	}
	return b
}

func section(order binary.AppendByteOrder) []byte {
	version := order.AppendUint16(order.AppendUint16(nil, 1), 0)
	return block(order, 0x0a0d0d0a, words(order, 0x1a2b3c4d), version, words(order, math.MaxUint32, math.MaxUint32))
}

func iface(order binary.AppendByteOrder, link uint16, snaplen uint32, options ...[]byte) []byte {
	head := order.AppendUint16(order.AppendUint16(nil, link), 0)
	return block(order, 1, slices.Concat([][]byte{head, words(order, snaplen)}, options)...)
}

func option(order binary.AppendByteOrder, code uint16, value []byte) []byte {
	return append(order.AppendUint16(order.AppendUint16(nil, code), uint16(len(value))), value...)
}

func enhanced(order binary.AppendByteOrder, id, captured, original int, data []byte, options ...[]byte) []byte {
	const micros = 1700000000123456
	head := words(order, uint32(id), uint32(micros>>32), uint32(micros&math.MaxUint32), uint32(captured), uint32(original))
	return block(order, 6, slices.Concat([][]byte{head, data}, options)...)
}

func packetBlock(order binary.AppendByteOrder, data []byte, options ...[]byte) []byte {
	return enhanced(order, 0, len(data), len(data), data, options...)
}

func zipped(data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(data)
	w.Close()
	return b.Bytes()
}

// read opens a capture and reads it to its end.
func read(r io.Reader) (hellos []capture.Hello, stats capture.Stats, err error) {
	c, err := capture.Open(r, capture.Options{})
	if err != nil {
		return nil, stats, err
	}
	for h := range c.Hellos() {
		hellos = append(hellos, *h.Clone())
	}
	return hellos, c.Stats(), c.Err()
}

func TestReadsEveryFormat(t *testing.T) {
	le, be := binary.LittleEndian, binary.BigEndian
	one, two := up(1, ack, hello()[:30]), up(31, ack, hello()[30:])
	cut := up(1, ack, hello()[:30])[:60] // of which the capture lacks the end
	comment := func(o binary.AppendByteOrder) []byte { return option(o, 1, []byte("a comment")) }
	ng := func(o binary.AppendByteOrder, blocks ...[]byte) []byte {
		return slices.Concat(append([][]byte{section(o), iface(o, linkRaw, 0)}, blocks...)...)
	}
	when := time.Unix(1700000000, 123456000).UTC()
	for name, row := range map[string]struct {
		data   []byte
		frames []int // of the only hello; nil: none
		time   time.Time
		stats  capture.Stats // packets and what is wrong
	}{
		"pcap":                      {pcap(le, false, one, two), []int{1, 2}, when, capture.Stats{Packets: 2}},
		"pcap, big-endian":          {pcap(be, false, one, two), []int{1, 2}, when, capture.Stats{Packets: 2}},
		"pcap, nanoseconds":         {pcap(le, true, one, two), []int{1, 2}, time.Unix(1700000000, 123456).UTC(), capture.Stats{Packets: 2}},
		"pcap, nanoseconds, BE":     {pcap(be, true, one, two), []int{1, 2}, time.Unix(1700000000, 123456).UTC(), capture.Stats{Packets: 2}},
		"pcap without packets":      {pcap(le, false), nil, when, capture.Stats{}},
		"pcap, longer than on wire": {join(pcap(le, false, one), pcapPacket(le, len(two), 10, two)), []int{1, 2}, when, capture.Stats{Packets: 2}},
		"pcap, packet of 300 kB":    {join(pcap(le, false, one), pcapPacket(le, 300<<10, 300<<10, make([]byte, 300<<10)), pcapPacket(le, len(two), len(two), two)), []int{1, 3}, when, capture.Stats{Packets: 3, Truncated: 1}},
		"pcap, cut packet":          {join(pcap(le, false, one), pcapPacket(le, len(cut), 500, cut), pcapPacket(le, len(two), len(two), two)), []int{1, 3}, when, capture.Stats{Packets: 3, Truncated: 1}},

		"pcapng":             {ng(le, packetBlock(le, one), packetBlock(le, two)), []int{1, 2}, when, capture.Stats{Packets: 2}},
		"pcapng, big-endian": {ng(be, packetBlock(be, one), packetBlock(be, two)), []int{1, 2}, when, capture.Stats{Packets: 2}},
		"pcapng, options": {ng(le, packetBlock(le, one, comment(le), option(le, 0, nil)), packetBlock(le, two, option(le, 2, make([]byte, 4)))),
			[]int{1, 2}, when, capture.Stats{Packets: 2}},
		"pcapng, option longer than its block": {ng(le, packetBlock(le, one, []byte{1, 0, 0xff, 0xff}), packetBlock(le, two)), []int{1, 2}, when, capture.Stats{Packets: 2}},
		"pcapng, other blocks": {ng(le, block(le, 4, make([]byte, 40)), packetBlock(le, one), block(le, 5, make([]byte, 12)), block(le, 0xbad, make([]byte, 100<<10)), packetBlock(le, two)),
			[]int{1, 2}, when, capture.Stats{Packets: 2}},
		"pcapng, secrets": {ng(le, packetBlock(le, one), block(le, 10, words(le, 0x544c534b, 40), make([]byte, 40)), packetBlock(le, two)), []int{1, 2}, when, capture.Stats{Packets: 2}},
		"pcapng, two sections": {join(ng(le, packetBlock(le, one)), section(be), block(be, 4, make([]byte, 8)), iface(be, linkRaw, 0), packetBlock(be, two)),
			[]int{1, 2}, when, capture.Stats{Packets: 2}},
		"pcapng, two link types": {ng(le, packetBlock(le, one), iface(le, linkEthernet, 0), enhanced(le, 1, 14+len(two), 14+len(two), ethernet(0x0800, two))),
			[]int{1, 2}, when, capture.Stats{Packets: 2}},
		"pcapng, nanoseconds": {join(section(le), iface(le, linkRaw, 0, option(le, 9, []byte{9})), packetBlock(le, one), packetBlock(le, two)),
			[]int{1, 2}, time.Unix(1700000, 123456).UTC(), capture.Stats{Packets: 2}},
		"pcapng, obsolete packets": {ng(le, block(le, 2, words(le, 0, 0x60a24, 0x181b7e40, uint32(len(one)), uint32(len(one))), one), packetBlock(le, two)),
			[]int{1, 2}, when, capture.Stats{Packets: 2}},
		"pcapng, simple packets": {ng(le, block(le, 3, words(le, uint32(len(one))), one), packetBlock(le, two)), []int{1, 2}, when, capture.Stats{Packets: 2}},
		"pcapng, simple packets, snaplen": {join(section(le), iface(le, linkRaw, uint32(len(cut))), block(le, 3, words(le, 500), cut), iface(le, linkRaw, 0),
			enhanced(le, 1, len(one), len(one), one), enhanced(le, 1, len(two), len(two), two)), []int{1, 2, 3}, when, capture.Stats{Packets: 3, Truncated: 1}},
		"pcapng, simple packet longer than its block": {ng(le, packetBlock(le, one), block(le, 3, words(le, math.MaxUint32), cut), packetBlock(le, two)),
			[]int{1, 3}, when, capture.Stats{Packets: 3, Truncated: 1}},
		"pcapng, packet of 300 kB": {ng(le, packetBlock(le, one), packetBlock(le, make([]byte, 300<<10)), packetBlock(le, two)), []int{1, 3}, when, capture.Stats{Packets: 3, Truncated: 1}},
		"pcapng without interface": {section(le), nil, when, capture.Stats{}},
	} {
		for how, r := range map[string]io.Reader{
			"":             bytes.NewReader(row.data),
			", gzipped":    bytes.NewReader(zipped(row.data)),
			", byte-wise":  iotest.OneByteReader(bytes.NewReader(row.data)),
			", data + EOF": iotest.DataErrReader(bytes.NewReader(row.data)),
		} {
			hellos, stats, err := read(r)
			if err != nil {
				t.Errorf("%s%s: %v", name, how, err)
			}
			switch {
			case row.frames == nil && len(hellos) == 0:
			case len(hellos) != 1 || !slices.Equal(hellos[0].Frames, row.frames) || !hellos[0].Time.Equal(row.time):
				t.Errorf("%s%s: hellos %+v, want one in %v at %v", name, how, hellos, row.frames, row.time)
			}
			got := capture.Stats{Packets: stats.Packets, Truncated: stats.Truncated, Broken: stats.Broken}
			if got != row.stats {
				t.Errorf("%s%s: got %+v, want %+v", name, how, got, row.stats)
			}
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	for name, data := range map[string][]byte{
		"nothing":      nil,
		"one byte":     {0xd4},
		"text":         []byte("no capture\n"),
		"TLS records":  hello(),
		"gzipped text": zipped([]byte("no capture\n")),
	} {
		if _, err := capture.Open(bytes.NewReader(data), capture.Options{}); !errors.Is(err, capture.ErrFormat) {
			t.Errorf("%s: error is %v, want ErrFormat", name, err)
		}
	}
	for name, data := range map[string][]byte{
		"half a pcap header": pcap(binary.LittleEndian, false)[:20],
		"half a section":     section(binary.LittleEndian)[:20],
		"broken gzip":        {0x1f, 0x8b, 0, 0},
	} {
		if _, err := capture.Open(bytes.NewReader(data), capture.Options{}); err == nil || errors.Is(err, capture.ErrFormat) {
			t.Errorf("%s: error is %v, want another one", name, err)
		}
	}
	broken := errors.New("broken")
	if _, err := capture.Open(iotest.ErrReader(broken), capture.Options{}); !errors.Is(err, broken) {
		t.Errorf("error is %v, want %v", err, broken)
	}
}

// TestBombs checks that a small compressed file cannot make the reader allocate much.
func TestBombs(t *testing.T) {
	le := binary.LittleEndian
	zeros := make([]byte, 16<<20)
	ng := join(section(le), iface(le, linkRaw, 0))
	for name, data := range map[string][]byte{
		"pcap packet of 2 GB":        join(pcap(le, false), pcapPacket(le, 0x7fffffff, 0x7fffffff, zeros)),
		"pcapng packet of 16 MB":     join(ng, enhanced(le, 0, len(zeros), len(zeros), zeros)),
		"pcapng names of 16 MB":      join(ng, block(le, 4, zeros)),
		"pcapng section of 16 MB":    block(le, 0x0a0d0d0a, words(le, 0x1a2b3c4d, 1, 0, 0), zeros),
		"pcapng, 500,000 interfaces": join(section(le), bytes.Repeat(iface(le, linkRaw, 0), 500000)),
	} {
		packed := zipped(data)
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		read(bytes.NewReader(packed))
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 12<<20 {
			t.Errorf("%s: %d bytes allocated", name, n)
		}
	}
}

func TestHellosGoesOnWhereItStopped(t *testing.T) {
	other := ipv4(client, server, 6, tcp(clientPort+1, serverPort, 1, ack, hello()))
	r, err := capture.Open(bytes.NewReader(pcap(binary.LittleEndian, false, up(1, ack, hello()), other)), capture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for want := 1; want <= 2; want++ {
		for h := range r.Hellos() {
			if h.Frames[0] != want {
				t.Errorf("frame %d, want %d", h.Frames[0], want)
			}
			break
		}
	}
	for range r.Hellos() {
		t.Error("a third hello")
	}
	if r.Err() != nil {
		t.Error(r.Err())
	}
}

// TestKeyLog checks that the secrets of TLS are found among other blocks, and that a file
// which ends in the middle of a block gives an error.
func TestKeyLog(t *testing.T) {
	const tls, ssh = 0x544c534b, 0x5353484b
	one, two := "CLIENT_RANDOM 01 02\nCLIENT_RANDOM 03 04", "CLIENT_RANDOM 05 06\n"
	for name, order := range map[string]binary.AppendByteOrder{"little-endian": binary.LittleEndian, "big-endian": binary.BigEndian} {
		secrets := func(typ uint32, text string) []byte {
			return block(order, 10, words(order, typ, uint32(len(text))), []byte(text))
		}
		blocks := [][]byte{
			section(order), secrets(tls, one), iface(order, linkRaw, 0), secrets(ssh, "another protocol"),
			packetBlock(order, up(1, ack, hello())), block(order, 10), block(order, 10, words(order, tls, 0)), secrets(tls, two),
			enhanced(order, 0, math.MaxInt32, math.MaxInt32, nil),
		}
		want := "\n" + one + "\n\n" + two
		whole := slices.Concat(blocks...)
		got, err := io.ReadAll(capture.KeyLog(iotest.OneByteReader(bytes.NewReader(whole))))
		if string(got) != want || err != nil {
			t.Errorf("%s: got %q, %v; want %q", name, got, err, want)
		}
		ends := make(map[int]bool)
		for i := range blocks {
			ends[len(slices.Concat(blocks[:i]...))] = true
		}
		for n := 1; n < len(whole); n++ {
			if _, err := io.ReadAll(capture.KeyLog(bytes.NewReader(whole[:n]))); (err == nil) != ends[n] {
				t.Errorf("%s: the first %d bytes: %v", name, n, err)
			}
		}
		long := block(order, 10, words(order, tls, 5), []byte("four"))
		got, err = io.ReadAll(capture.KeyLog(bytes.NewReader(join(section(order), long))))
		if len(got) > 0 || err == nil || !errors.Is(err, capture.ErrDamaged) {
			t.Errorf("%s: secrets longer than their block: got %q, %v", name, got, err)
		}
	}
	if _, err := io.ReadAll(capture.KeyLog(bytes.NewReader(pcap(binary.LittleEndian, false)))); !errors.Is(err, capture.ErrFormat) {
		t.Errorf("pcap: got %v, want ErrFormat", err)
	}
}

// growing is a file to which nothing is added before what it has was used.
type growing struct {
	data  []byte
	asked bool // for more
}

func (g *growing) Read(b []byte) (int, error) {
	if len(g.data) == 0 {
		g.asked = true
		return 0, io.EOF
	}
	n := copy(b, g.data)
	g.data = g.data[n:]
	return n, nil
}

// TestReadsNotAhead checks that the hello in a file that still grows is found before more of
// the file is asked for.
func TestReadsNotAhead(t *testing.T) {
	le, packet := binary.LittleEndian, up(1, ack, hello())
	for name, data := range map[string][]byte{
		"pcap":                     pcap(le, false, packet),
		"pcapng":                   join(section(le), iface(le, linkRaw, 0), packetBlock(le, packet)),
		"pcapng, an option":        join(section(le), iface(le, linkRaw, 0), packetBlock(le, packet, option(le, 1, []byte("a comment")))),
		"pcapng, and half a block": join(section(le), iface(le, linkRaw, 0), packetBlock(le, packet), []byte{6, 0, 0}),
	} {
		file := &growing{data: data}
		r, err := capture.Open(file, capture.Options{})
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for range r.Hellos() {
			if found++; file.asked {
				t.Errorf("%s: more was asked for", name)
			}
		}
		if found != 1 {
			t.Errorf("%s: %d hellos", name, found)
		}
	}
}
