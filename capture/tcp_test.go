package capture_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/corpus"
	"github.com/tlsflags/tlsflags/extension"
)

// segments cuts a stream whose first byte has sequence number seq.
func segments(seq int, stream []byte, size int) [][]byte {
	var packets [][]byte
	for part := range slices.Chunk(stream, size) {
		packets = append(packets, up(seq, ack, part))
		seq += len(part)
	}
	return packets
}

// overlapping cuts a stream into segments that each repeat the end of the one before.
func overlapping(seq int, stream []byte, size int) [][]byte {
	var packets [][]byte
	for i := 0; i < len(stream); i += size {
		begin := max(0, i-size/2-1)
		packets = append(packets, up(seq+begin, ack, stream[begin:min(i+size, len(stream))]))
	}
	return packets
}

func reversed(packets [][]byte) [][]byte {
	packets = slices.Clone(packets)
	slices.Reverse(packets)
	return packets
}

func shuffled(packets [][]byte) [][]byte {
	packets = slices.Clone(packets)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(packets), func(i, j int) { packets[i], packets[j] = packets[j], packets[i] })
	return packets
}

func doubled(packets [][]byte) [][]byte {
	var twice [][]byte
	for _, p := range packets {
		twice = append(twice, p, p)
	}
	return twice
}

// TestCorpusHoweverCut cuts each hello of the corpus into records and segments, which
// arrive in many orders, after a SYN and without one.
func TestCorpusHoweverCut(t *testing.T) {
	recordSizes, segmentSizes := []int{1, 3, 100, 1 << 14}, []int{1, 7, 536, 1400}
	if testing.Short() {
		recordSizes, segmentSizes = []int{1 << 14}, []int{1, 1400}
	}
	const seq = -256 // 0xffffff00 in 32 bits, which wraps around
	for e := range corpus.OfKind(corpus.Records) {
		var r assemble.Records
		r.Reset(make([]byte, assemble.MaxMessage))
		result := r.Feed(e.Data())
		if result.Outcome != assemble.Complete {
			t.Fatalf("%s: %v", e.File, result.Outcome)
		}
		for _, recordSize := range recordSizes {
			if recordSize < 3 && len(result.Message) > 600 {
				continue
			}
			stream := records(result.Message, recordSize)
			for _, segmentSize := range segmentSizes {
				inOrder := segments(seq, stream, segmentSize)
				for name, packets := range map[string][][]byte{
					"in order":           inOrder,
					"reversed":           reversed(inOrder),
					"shuffled":           shuffled(inOrder),
					"each twice":         doubled(inOrder),
					"all twice":          slices.Concat(inOrder, inOrder),
					"twice, reversed":    slices.Concat(reversed(inOrder), inOrder),
					"overlapping":        overlapping(seq, stream, segmentSize),
					"reversed, overlaps": reversed(overlapping(seq, stream, segmentSize)),
				} {
					name = fmt.Sprintf("%s: records of %d, segments of %d, %s", e.File, recordSize, segmentSize, name)
					first := [][]byte{up(seq-1, syn, nil), downAck(-1, seq, syn|ack, nil)}
					hellos, stats := scan(capture.Options{}, slices.Concat(first, packets)...)
					check(t, name, result.Message, len(packets), hellos, stats)
					if recordSize < 100 {
						continue // such records look like a beginning everywhere
					}
					hellos, stats = scan(capture.Options{}, packets...)
					if len(hellos) == 0 && len(stream) > 8<<10 {
						continue // more than is kept in hope of a beginning
					}
					check(t, name+", no SYN", result.Message, len(packets), hellos, stats)
				}
			}
		}
	}
}

func check(t *testing.T, name string, want []byte, packets int, hellos []capture.Hello, stats capture.Stats) {
	t.Helper()
	if len(hellos) != 1 {
		t.Fatalf("%s: %d hellos, %+v", name, len(hellos), stats)
	}
	h := hellos[0]
	if !bytes.Equal(h.Message, want) || h.Code != 0 || h.Index != 1 || h.Src.Addr() != client || h.Trailing != 0 {
		t.Fatalf("%s: code %v, index %d, from %v, %d of %d bytes", name, h.Code, h.Index, h.Src, len(h.Message), len(want))
	}
	if len(h.Frames) == 0 || len(h.Frames) > packets || h.Pieces.Segments != len(h.Frames) {
		t.Fatalf("%s: %d frames, %+v of %d packets", name, len(h.Frames), h.Pieces, packets)
	}
}

// brief is what the tests below compare of a hello.
type brief struct {
	N       uint32 // see messageWith
	Code    extension.Code
	Frames  []int
	Index   int
	Changed bool
	Before  int
}

func summarize(hellos []capture.Hello) []brief {
	var all []brief
	for _, h := range hellos {
		b := brief{Code: h.Code, Frames: h.Frames, Index: h.Index, Changed: h.FlagsChanged, Before: h.Prologue}
		if c, _, err := h.Parse(); err == nil {
			r := c.Random()
			b.N = uint32(r[0])<<24 | uint32(r[1])<<16 | uint32(r[2])<<8 | uint32(r[3])
		}
		all = append(all, b)
	}
	return all
}

func TestTCP(t *testing.T) {
	one, two, three := records(messageWith(1), 1<<14), records(messageWith(2), 1<<14), records(messageWith(3), 1<<14)
	ccs := []byte{20, 3, 3, 0, 1, 1}
	appData := []byte{23, 3, 3, 0, 2, 9, 9}
	serverHello := []byte{22, 3, 3, 0, 6, 2, 0, 0, 2, 3, 3}
	other := bytes.Clone(messageWith(2))
	other[len(other)-1] = 2 // flag 81 instead of 80
	changed := records(other, 1<<14)
	early := join(messageWith(1), []byte{0, 42, 0, 0})
	early[3] += 4
	early[len(early)-4-17] += 4 // the extension block
	earlyHello := records(early, 1<<14)
	experimental := func(record []byte) []byte {
		return bytes.Replace(record, []byte{0, 62, 0, 12}, []byte{0xfe, 1, 0, 12}, 1)
	}
	otherPort := func(seq int, payload []byte) []byte {
		return ipv4(client, server, 6, tcp(clientPort+1, serverPort, seq, ack, payload))
	}
	sslv2 := join([]byte{0x80, 9 + 6 + 16, 1, 3, 1, 0, 6, 0, 0, 0, 16, 0, 0, 0x2f, 0, 0, 0x35}, make([]byte, 16))

	for name, row := range map[string]struct {
		packets [][]byte
		want    []brief
	}{
		"whole connection": {
			[][]byte{up(0, syn, nil), down(-1, syn|ack, nil), up(1, ack, nil), up(1, ack, one), down(0, ack, serverHello), up(1+len(one), ack, appData)},
			[]brief{{N: 1, Frames: []int{4}, Index: 1}},
		},
		"server speaks first in the capture": {
			[][]byte{down(1, ack, serverHello), up(1, ack, one)},
			[]brief{{N: 1, Frames: []int{2}, Index: 1}},
		},
		"data in the SYN": {
			[][]byte{up(0, syn, one[:20]), up(21, ack, one[20:])},
			[]brief{{N: 1, Frames: []int{1, 2}, Index: 1}},
		},
		"SYN after the data": {
			[][]byte{up(21, ack, one[20:]), up(0, syn, nil), up(1, ack, one[:20])},
			[]brief{{N: 1, Frames: []int{3, 1}, Index: 1}},
		},
		"SYN retransmitted": {
			[][]byte{up(0, syn, nil), up(1, ack, one[:20]), up(0, syn, nil), up(21, ack, one[20:])},
			[]brief{{N: 1, Frames: []int{2, 4}, Index: 1}},
		},
		"retransmitted": {
			[][]byte{up(0, syn, nil), up(1, ack, one), up(1, ack, one), up(1, ack, one[:9])},
			[]brief{{N: 1, Frames: []int{2}, Index: 1}},
		},
		"keep-alive before it": {
			[][]byte{up(0, syn, nil), up(0, ack, []byte{0}), up(1, ack, one)},
			[]brief{{N: 1, Frames: []int{3}, Index: 1}},
		},
		"changed overlap, first bytes stay": {
			[][]byte{up(0, syn, nil), up(31, ack, one[30:]), up(21, ack, join(one[20:30], []byte("changed"))), up(1, ack, one[:20])},
			[]brief{{N: 1, Frames: []int{4, 3, 2}, Index: 1}},
		},
		"changed overlap of what is ahead, bytes in their turn win": {
			[][]byte{up(0, syn, nil), up(11, ack, []byte("ten others")), up(31, ack, one[30:]), up(1, ack, one[:30])},
			[]brief{{N: 1, Frames: []int{4, 2, 3}, Index: 1}},
		},
		"interleaved connections": {
			[][]byte{up(1, ack, one[:20]), otherPort(1, two[:30]), up(21, ack, one[20:]), otherPort(31, two[30:])},
			[]brief{{N: 1, Frames: []int{1, 3}, Index: 1}, {N: 2, Frames: []int{2, 4}, Index: 1}},
		},
		"ports used again": {
			[][]byte{up(0, syn, nil), up(1, ack, one), up(7000, syn, nil), up(7001, ack, two), up(9000, syn, nil), up(9001, ack, three[:9])},
			[]brief{{N: 1, Frames: []int{2}, Index: 1}, {N: 2, Frames: []int{4}, Index: 1}},
		},
		"ports used again in the middle of a hello": {
			[][]byte{up(0, syn, nil), up(1, ack, one[:20]), up(7000, syn, nil), up(7001, ack, two)},
			[]brief{{N: 2, Frames: []int{4}, Index: 1}},
		},
		"ports used again after a reset, without a SYN": {
			[][]byte{up(1, ack, one), up(1+len(one), ack, appData), down(1, rst, nil), up(9000000, ack, two)},
			[]brief{{N: 1, Frames: []int{1}, Index: 1}, {N: 2, Frames: []int{4}, Index: 1}},
		},
		"retransmitted after a FIN": {
			[][]byte{up(1, ack, one), up(1+len(one), fin|ack, appData), up(1, ack, one)},
			[]brief{{N: 1, Frames: []int{1}, Index: 1}},
		},
		"FIN in the segment of the hello": {
			[][]byte{up(1, fin|ack, one)},
			[]brief{{N: 1, Frames: []int{1}, Index: 1}},
		},
		"looks like one in the middle of a connection": {
			[][]byte{up(0, syn, nil), up(1, ack, []byte("GET / HTTP/1.1\r\n\r\n")), up(19, ack, one)},
			[]brief{{N: 1, Frames: []int{3}, Index: 1, Before: 18}}, // nothing shows that it is none
		},
		"second hello": {
			[][]byte{up(0, syn, nil), up(1, ack, one), down(1, ack, serverHello), up(1+len(one), ack, two)},
			[]brief{{N: 1, Frames: []int{2}, Index: 1}, {N: 2, Frames: []int{4}, Index: 2}},
		},
		"second hello after change_cipher_spec": {
			[][]byte{up(1, ack, one), up(1+len(one), ack, ccs[:2]), up(3+len(one), ack, join(ccs[2:], two[:9])), up(1+len(one)+len(ccs)+9, ack, two[9:])},
			[]brief{{N: 1, Frames: []int{1}, Index: 1}, {N: 2, Frames: []int{3, 4}, Index: 2}},
		},
		"second hello with other flags": {
			[][]byte{up(1, ack, one), up(1+len(one), ack, join(ccs, changed))},
			[]brief{{N: 1, Frames: []int{1}, Index: 1}, {N: 2, Frames: []int{2}, Index: 2, Changed: true}},
		},
		"second hello after early data": {
			[][]byte{up(1, ack, earlyHello), up(1+len(earlyHello), ack, join(ccs, appData, appData)), up(1+len(earlyHello)+len(ccs)+2*len(appData), ack, two)},
			[]brief{{N: 1, Frames: []int{1}, Index: 1}, {N: 2, Frames: []int{3}, Index: 2}},
		},
		"application data, but no early data offered": {
			[][]byte{up(1, ack, one), up(1+len(one), ack, join(ccs, appData, two))},
			[]brief{{N: 1, Frames: []int{1}, Index: 1}},
		},
		"no third hello": {
			[][]byte{up(1, ack, join(one, two, three))},
			[]brief{{N: 1, Frames: []int{1}, Index: 1}, {N: 2, Frames: []int{1}, Index: 2}},
		},
		"refused: record overflow": {
			[][]byte{up(0, syn, nil), up(1, ack, []byte{22, 3, 1, 0x40, 1, 1})},
			[]brief{{Code: extension.ErrRecordOverflow, Frames: []int{2}, Index: 1}},
		},
		"record overflow without a SYN": {
			[][]byte{up(1, ack, join([]byte{22, 3, 1, 0xff, 0xff, 1, 0, 0, 50, 3, 3}, make([]byte, 20)))},
			nil,
		},
		"second hello in the same segment, high sequence numbers": {
			[][]byte{up(1<<20-1, syn, nil), up(1<<20, ack, join(one, two))},
			[]brief{{N: 1, Frames: []int{2}, Index: 1}, {N: 2, Frames: []int{2}, Index: 2}},
		},
		"refused: too large": {
			[][]byte{up(1, ack, []byte{22, 3, 1, 0x40, 0, 1, 0xff, 0xff, 0xff, 3, 3})},
			[]brief{{Code: extension.ErrMessageTooLarge, Frames: []int{1}, Index: 1}},
		},
		"encrypted message in the middle of a connection": {
			[][]byte{up(1, ack, []byte{22, 3, 3, 0, 40, 1, 0xff, 0xff, 0xff, 7, 7})},
			nil,
		},
		"refused: SSLv2": {
			[][]byte{up(0, syn, nil), up(1, ack, sslv2)},
			[]brief{{Code: extension.ErrSSLv2Hello, Frames: []int{2}, Index: 1}},
		},
		"refused: SSLv2 without a SYN": {
			[][]byte{up(1, ack, sslv2)},
			[]brief{{Code: extension.ErrSSLv2Hello, Frames: []int{1}, Index: 1}},
		},
		"second hello with other flags under 0xfe01": {
			[][]byte{up(1, ack, experimental(one)), up(1+len(one), ack, join(ccs, experimental(changed)))},
			[]brief{{N: 1, Frames: []int{1}, Index: 1}, {N: 2, Frames: []int{2}, Index: 2, Changed: true}},
		},
		"second hello with the same flags under 0xfe01": {
			[][]byte{up(1, ack, experimental(one)), up(1+len(one), ack, join(ccs, experimental(two)))},
			[]brief{{N: 1, Frames: []int{1}, Index: 1}, {N: 2, Frames: []int{2}, Index: 2}},
		},
		"second hello with the flags under 0xfe01": {
			[][]byte{up(1, ack, one), up(1+len(one), ack, join(ccs, experimental(two)))},
			[]brief{{N: 1, Frames: []int{1}, Index: 1}, {N: 2, Frames: []int{2}, Index: 2, Changed: true}},
		},
		"far away in a connection that is open": {
			[][]byte{up(1, ack, one), up(1+len(one), ack, appData), up(9000000, ack, two)},
			[]brief{{N: 1, Frames: []int{1}, Index: 1}, {N: 2, Frames: []int{3}, Index: 1}},
		},
		"no server's SSLv2 hello": {
			[][]byte{up(0, syn, nil), up(1, ack, join([]byte{0x80, 31, 4}, sslv2[3:]))},
			nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			hellos, stats := scan(capture.Options{}, row.packets...)
			if diff := cmp.Diff(row.want, summarize(hellos)); diff != "" {
				t.Errorf("hellos (-want +got):\n%s\n%+v", diff, stats)
			}
			refused := 0
			for _, w := range row.want {
				if w.Code != 0 {
					refused++
				}
			}
			if stats.Refused != refused || stats.Hellos != len(row.want)-refused || stats.Evicted != 0 {
				t.Errorf("stats: %+v", stats)
			}
		})
	}
}

// TestPortsUsedAgain checks how many connections are counted when a SYN begins another one.
func TestPortsUsedAgain(t *testing.T) {
	first := [][]byte{up(0, syn, nil), down(-1, syn|ack, nil), up(1, ack, hello()), down(0, ack, []byte{23, 3, 3, 0, 0})}
	again := records(messageWith(2), 1<<14)
	next := 1 + len(hello())
	done := up(next, fin|ack, []byte{23, 3, 3, 0, 0})
	for name, row := range map[string]struct {
		packets     [][]byte
		flows, want int
	}{
		"not":                              {nil, 1, 1},
		"both SYNs":                        {[][]byte{up(7000, syn, nil), downAck(8000, 7001, syn|ack, nil), upAck(7001, 8001, ack, again)}, 2, 2},
		"both SYNs, the server's first":    {[][]byte{downAck(8000, 7001, syn|ack, nil), up(7000, syn, nil), upAck(7001, 8001, ack, again)}, 2, 2},
		"both SYNs twice":                  {[][]byte{up(7000, syn, nil), downAck(8000, 7001, syn|ack, nil), up(7000, syn, nil), downAck(8000, 7001, syn|ack, nil), upAck(7001, 8001, ack, again)}, 2, 2},
		"the client's SYN alone":           {[][]byte{up(7000, syn, nil), up(7001, ack, again)}, 1, 1},
		"the client's SYN after a FIN":     {[][]byte{done, up(7000, syn, nil), up(7001, ack, again)}, 2, 2},
		"the client's SYN after a RST":     {[][]byte{up(next, rst, nil), up(7000, syn, nil), up(7001, ack, again)}, 2, 2},
		"a RST that is out of the window":  {[][]byte{up(next+1, rst, nil), up(7000, syn, nil), up(7001, ack, again)}, 1, 1},
		"the server's SYN alone":           {[][]byte{downAck(8000, 7001, syn|ack, nil), upAck(7001, 8001, ack, again)}, 2, 2},
		"data of the server answers":       {[][]byte{up(7000, syn, nil), upAck(7001, 8001, ack, again), downAck(8001, 7001+len(again), ack, []byte{22, 3})}, 2, 2},
		"a SYN after bytes of the server":  {[][]byte{up(7000, syn, nil), downAck(8000, 7001, syn|ack, nil), downAck(8001, 7001, ack, []byte{22, 3}), up(6000, syn, nil), upAck(6001, 8001, ack, again)}, 2, 1},
		"after a FIN, without SYNs":        {[][]byte{done, up(9000000, ack, again)}, 2, 2},
		"the server is not seen":           {nil, 2, 2},
		"after a FIN, and far from it":     {[][]byte{done, up(7000, syn, nil), up(7001, ack, join(again, again)), up(9000000, ack, records(messageWith(3), 1<<14))}, 3, 4},
		"after a FIN, with the next bytes": {[][]byte{up(200, fin|ack, nil), up(next, ack, again)}, 1, 2},
	} {
		packets := slices.Concat(first, row.packets)
		if name == "the server is not seen" {
			packets = [][]byte{first[0], first[2], up(7000, syn, nil), up(7001, ack, again)} // in doubt
		}
		hellos, stats := scan(capture.Options{}, packets...)
		if stats.Flows != row.flows || len(hellos) != row.want {
			t.Errorf("%s: %d connections, %d hellos; want %d, %d", name, stats.Flows, len(hellos), row.flows, row.want)
		}
	}
}

// TestSSLv2Message checks that the message of a refused SSLv2 hello is that hello.
func TestSSLv2Message(t *testing.T) {
	sslv2 := join([]byte{0x80, 9 + 6 + 16, 1, 3, 1, 0, 6, 0, 0, 0, 16, 0, 0, 0x2f, 0, 0, 0x35}, make([]byte, 16))
	long := join([]byte{0x81, 2 + 9 + 16, 1, 3, 1, 1, 2, 0, 0, 0, 16}, make([]byte, 256+2+16))
	for name, row := range map[string]struct{ stream, want []byte }{
		"alone":          {sslv2, sslv2},
		"with more":      {join(sslv2, []byte{1, 2, 3}), sslv2},
		"long":           {long, long},
		"long with more": {join(long, []byte{1, 2, 3}), long},
		"long and cut":   {long[:100], long[:100]},
	} {
		hellos, _ := scan(capture.Options{}, up(0, syn, nil), up(1, ack, row.stream))
		if len(hellos) != 1 || !bytes.Equal(hellos[0].Message, row.want) {
			t.Errorf("%s: got %+v", name, hellos)
		}
	}
}

func TestErr(t *testing.T) {
	hellos, _ := scan(capture.Options{}, up(1, ack, hello()))
	if len(hellos) != 1 || hellos[0].Err() != nil {
		t.Errorf("got %+v", hellos)
	}
	hellos, _ = scan(capture.Options{}, up(0, syn, nil), up(1, ack, []byte{22, 3, 1, 0xff, 0xff}))
	if len(hellos) != 1 || hellos[0].Err() != extension.ErrRecordOverflow {
		t.Errorf("got %+v", hellos)
	}
}

func TestPieces(t *testing.T) {
	stream := records(message(), 20)
	hellos, _ := scan(capture.Options{}, append([][]byte{up(0, syn, nil)}, segments(1, stream, 30)...)...)
	want := capture.Pieces{Records: (len(message()) + 19) / 20, Segments: (len(stream) + 29) / 30}
	if len(hellos) != 1 || hellos[0].Pieces != want {
		t.Errorf("got %+v, want %+v", hellos, want)
	}
}

func TestTrailingBytesAreReported(t *testing.T) {
	stream := join([]byte{22, 3, 1}, be16(len(message())+3), message(), []byte{9, 9, 9})
	hellos, _ := scan(capture.Options{}, up(1, ack, stream))
	if len(hellos) != 1 || hellos[0].Trailing != 3 {
		t.Errorf("got %+v", hellos)
	}
}

func TestIncompleteHellosAreCounted(t *testing.T) {
	_, stats := scan(capture.Options{}, up(1, ack, hello()[:20]))
	if stats.Incomplete != 1 || stats.Hellos != 0 || stats.Flows != 1 {
		t.Errorf("got %+v", stats)
	}
	_, stats = scan(capture.Options{}, up(1, ack, hello()))
	if stats.Incomplete != 0 || stats.Hellos != 1 {
		t.Errorf("got %+v", stats)
	}
}

// TestFarthestSegment checks that a segment or a RST half of all sequence numbers away, from
// which the distance does not fit into 32 bits, is not read.
func TestFarthestSegment(t *testing.T) {
	for _, at := range []int{-1<<31 + 31, -1<<31 + 30, -1<<31 + 32} {
		for name, segment := range map[string][]byte{"data": up(at, ack, make([]byte, 60)), "RST": up(at, ack|rst, nil)} {
			hellos, _ := scan(capture.Options{}, up(1, ack, hello()[:30]), segment, up(31, ack, hello()[30:]))
			if len(hellos) != 1 || !bytes.Equal(hellos[0].Message, message()) {
				t.Errorf("%s at %d: %+v", name, at, summarize(hellos))
			}
		}
	}
}
