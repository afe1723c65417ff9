package capture_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsflags/tlsflags/capture"
)

// transcript is a Follower that records what it is given.
type transcript struct {
	Src, Dst string
	First    string // what the end that spoke first sent
	Other    string // what the other end sent
	Gone     bool   // Lost was called

	held int // what Data returns
	most int // bytes after which no more is wanted; 0: all
}

func (c *transcript) Data(first bool, b []byte) (held int, more bool) {
	if first {
		c.First += string(b)
	} else {
		c.Other += string(b)
	}
	return c.held, c.most == 0 || len(c.First)+len(c.Other) < c.most
}

func (c *transcript) Lost() { c.Gone = true }

// follow gives IP packets to a Reader and returns the connections that it follows. make
// makes their followers.
func follow(t *testing.T, o capture.Options, make func() *transcript, packets ...[]byte) ([]transcript, capture.Stats) {
	t.Helper()
	r, err := capture.Open(bytes.NewReader(pcap(binary.LittleEndian, false, packets...)), o)
	if err != nil {
		t.Fatal(err)
	}
	var all []*transcript
	err = r.Follow(func(src, dst netip.AddrPort) capture.Follower {
		c := make()
		if c == nil {
			return nil
		}
		c.Src, c.Dst = src.String(), dst.String()
		all = append(all, c)
		return c
	})
	if err != nil {
		t.Fatal(err)
	}
	var list []transcript
	for _, c := range all {
		list = append(list, transcript{Src: c.Src, Dst: c.Dst, First: c.First, Other: c.Other, Gone: c.Gone})
	}
	return list, r.Stats()
}

func newTranscript() *transcript { return new(transcript) }

func TestFollow(t *testing.T) {
	const far = 256 << 10 // how far ahead a segment may be
	data := func(s string) []byte { return []byte(s) }
	long := bytes.Repeat([]byte("0123456789abcdef"), (far+1)/16+1)
	c, s := netip.AddrPortFrom(client, clientPort).String(), netip.AddrPortFrom(server, serverPort).String()
	tests := []struct {
		name    string
		packets [][]byte
		want    []transcript
	}{
		{"both directions", [][]byte{up(0, syn, nil), down(-1, syn|ack, nil), up(1, ack, data("ask")), down(0, ack, data("answer")), up(4, ack, data(" more"))},
			[]transcript{{Src: c, Dst: s, First: "ask more", Other: "answer"}}},
		{"the server speaks first", [][]byte{up(0, syn, nil), down(-1, syn|ack, nil), down(0, ack, data("220 hello")), up(1, ack, data("EHLO"))},
			[]transcript{{Src: s, Dst: c, First: "220 hello", Other: "EHLO"}}},
		{"no SYN", [][]byte{up(50, ack, data("ask")), down(7, ack, data("answer")), up(53, ack, data("!"))},
			[]transcript{{Src: c, Dst: s, First: "ask!", Other: "answer"}}},
		{"out of order, repeated and overlapping", [][]byte{up(0, syn, nil), up(4, ack, data("def")), up(4, ack, data("def")), up(1, ack, data("abcxy")), up(1, ack, data("abc")), up(7, ack, data("g"))},
			[]transcript{{Src: c, Dst: s, First: "abcxyfg"}}},
		{"bytes in their turn win, some kB further on", [][]byte{up(0, syn, nil), up(3001, ack, data("X")), up(1, ack, bytes.Repeat(data("a"), 4000))},
			[]transcript{{Src: c, Dst: s, First: strings.Repeat("a", 4000)}}},
		{"a gap", [][]byte{up(0, syn, nil), up(1, ack, data("abc")), up(5, ack, data("ef"))},
			[]transcript{{Src: c, Dst: s, First: "abc"}}},
		{"as far ahead as allowed", slices.Concat([][]byte{up(0, syn, nil), up(1+far, ack, data("!"))}, segments(1, long[:far], 32<<10)),
			[]transcript{{Src: c, Dst: s, First: string(long[:far]) + "!"}}},
		{"a byte farther ahead", slices.Concat([][]byte{up(0, syn, nil), up(2+far, ack, data("!"))}, segments(1, long[:far+1], 32<<10)),
			[]transcript{{Src: c, Dst: s, First: string(long[:far+1])}}},
		{"data after a FIN", [][]byte{up(0, syn, nil), up(4, fin|ack, data("d")), up(1, ack, data("abc"))},
			[]transcript{{Src: c, Dst: s, First: "abcd"}}},
		{"segments that are dropped", [][]byte{up(0, syn, nil), down(-1, syn|ack, nil), upAck(1, 99, ack, data("xxx")), up(1, 0, data("yyy")), up(1, ack, data("abc"))},
			[]transcript{{Src: c, Dst: s, First: "abc"}}},
		{"segments that were taken all the same", [][]byte{up(0, syn, nil), down(-1, syn|ack, nil), upAck(1, 99, ack, data("abc")), downAck(0, 4, ack, data("x"))},
			[]transcript{{Src: c, Dst: s, First: "abc", Other: "x"}}},
		{"data after a RST", [][]byte{up(0, syn, nil), down(9, rst, nil), up(1, ack, data("abc"))}, nil},
		{"ports used again", [][]byte{up(0, syn, nil), down(-1, syn|ack, nil), up(1, ack, data("one")), down(0, ack, data("1")), up(70, syn, nil), downAck(-1, 71, syn|ack, nil), downAck(0, 71, ack, data("2")), up(71, ack, data("two"))},
			[]transcript{{Src: c, Dst: s, First: "one", Other: "1"}, {Src: s, Dst: c, First: "2", Other: "two"}}},
		{"ports used again, data before the SYN of the server", [][]byte{up(0, syn, nil), down(-1, syn|ack, nil), up(1, ack, data("one")), down(0, ack, data("1")), up(70, syn, nil), up(71, ack, data("two")), downAck(-1, 71, syn|ack, nil), downAck(0, 71, ack, data("2"))},
			[]transcript{{Src: c, Dst: s, First: "one", Other: "1"}, {Src: c, Dst: s, First: "two", Other: "2"}}},
		{"no data", [][]byte{up(0, syn, nil), down(-1, syn|ack, nil), up(1, ack|fin, nil)}, nil},
		{"no TCP", [][]byte{ipv4(client, server, 17, udp(1, 2, data("x")))}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, stats := follow(t, capture.Options{}, newTranscript, tt.packets...)
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(transcript{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if stats.Packets != len(tt.packets) || stats.Evicted != 0 || stats.Hellos != 0 {
				t.Errorf("stats: %+v", stats)
			}
		})
	}
}

// TestFollowHoweverCut cuts a text into segments that arrive in random orders, some of
// them twice.
func TestFollowHoweverCut(t *testing.T) {
	const text = "the quick brown fox jumps over the lazy dog"
	for _, isn := range []int{0, -1 << 31, -10} {
		rng := rand.New(rand.NewPCG(3, uint64(isn)))
		for range 50 {
			var packets [][]byte
			for i := 0; i < len(text); {
				n := 1 + rng.IntN(len(text)-i)
				begin := max(i-3, 0)
				packets = append(packets, up(isn+1+i, ack, []byte(text[i:i+n])), up(isn+1+begin, ack, []byte(text[begin:i+n])))
				i += n
			}
			got, _ := follow(t, capture.Options{}, newTranscript, slices.Concat([][]byte{up(isn, syn, nil)}, shuffled(packets))...)
			if len(got) != 1 || got[0].First != text {
				t.Fatalf("isn %d: got %+v", isn, got)
			}
		}
	}
}

// TestFollowEnough checks that a Follower which wants no more gets no more, until the
// ports are used again.
func TestFollowEnough(t *testing.T) {
	packets := [][]byte{
		up(0, syn, nil), up(5, ack, []byte("efgh")), up(1, ack, []byte("abcd")), down(1, ack, []byte("1")), up(9, ack, []byte("ij")),
		up(500, syn, nil), downAck(700, 501, syn|ack, nil), upAck(501, 701, ack, []byte("new")),
	}
	want := []string{"abcd", "new"}
	got, stats := follow(t, capture.Options{}, func() *transcript { return &transcript{most: 4} }, packets...)
	if len(got) != 2 || got[0].First != want[0] || got[0].Other != "" || got[1].First != want[1] || stats.Evicted != 0 {
		t.Errorf("got %+v, want %q", got, want)
	}
	opened := 0
	follow(t, capture.Options{}, func() *transcript { opened++; return nil }, packets...)
	if opened != 2 {
		t.Errorf("%d connections opened, want 2", opened)
	}
}

// TestFollowLimits checks which connections are lost at the limits.
func TestFollowLimits(t *testing.T) {
	connection := func(n int, seq int, flags byte, data string) []byte {
		return ipv4(peer(n), server, 6, tcp(1000, 443, seq, flags, []byte(data)))
	}
	answer := func(n int, flags byte) []byte { return ipv4(server, peer(n), 6, tcp(443, 1000, 1, flags, nil)) }
	tests := []struct {
		name    string
		options capture.Options
		held    int
		packets [][]byte
		lost    []bool
	}{
		{"flows", capture.Options{MaxFlows: 2}, 0, [][]byte{connection(1, 1, ack, "a"), connection(2, 1, ack, "b"), connection(3, 1, ack, "c"), connection(2, 2, ack, "b"), connection(4, 1, ack, "d")},
			[]bool{true, false, true, false}},
		{"flows without data go first", capture.Options{MaxFlows: 2}, 0, [][]byte{connection(1, 1, ack, "a"), connection(2, 0, syn, ""), connection(3, 0, syn, ""), connection(4, 1, ack, "d")},
			[]bool{false, false}},
		{"memory of followers", capture.Options{MaxMemory: 5000}, 1200, [][]byte{connection(1, 1, ack, "a"), connection(2, 1, ack, "b"), connection(3, 1, ack, "c")},
			[]bool{true, false, false}},
		{"more than all memory", capture.Options{MaxMemory: 4000}, 5000, [][]byte{connection(1, 1, ack, "a"), connection(2, 1, ack, "b")},
			[]bool{true, true}},
		{"no memory for a follower", capture.Options{MaxMemory: 1200}, 0, [][]byte{connection(1, 1, ack, "a")}, []bool{true}},
		{"bytes out of order", capture.Options{MaxMemory: 4000}, 0, [][]byte{connection(1, 1, ack, "a"), connection(1, 3, ack, "c"), connection(2, 1, ack, "b"), connection(2, 2000, ack, "c"), connection(2, 4000, ack, "c")},
			[]bool{true, false}},
		{"bytes in order take nothing", capture.Options{MaxMemory: 4200}, 0, [][]byte{connection(1, 1, ack, "a"), connection(2, 1, ack, "a"), connection(3, 1, ack, "a"), connection(4, 1, ack, "a"), connection(5, 1, ack, "a")},
			[]bool{false, false, false, false, false}},
		{"both ends have finished", capture.Options{MaxFlows: 1}, 0, [][]byte{connection(1, 1, ack, "a"), connection(1, 2, fin|ack, ""), answer(1, fin|ack), connection(2, 1, ack, "b")},
			[]bool{false, false}},
		{"one end has finished", capture.Options{MaxFlows: 1}, 0, [][]byte{connection(1, 1, ack, "a"), connection(1, 2, fin|ack, ""), connection(2, 1, ack, "b")},
			[]bool{true, false}},
		{"no more is wanted", capture.Options{MaxFlows: 1}, -1, [][]byte{connection(1, 1, ack, "a"), connection(2, 1, ack, "b")},
			[]bool{false, false}},
		{"reset", capture.Options{MaxFlows: 1}, 0, [][]byte{connection(1, 1, ack, "a"), answer(1, rst), connection(2, 1, ack, "b")},
			[]bool{false, false}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, stats := follow(t, tt.options, func() *transcript {
				if tt.held < 0 {
					return &transcript{most: 1}
				}
				return &transcript{held: tt.held}
			}, tt.packets...)
			var lost []bool
			n := 0
			for _, c := range got {
				if lost = append(lost, c.Gone); c.Gone {
					n++
				}
			}
			if diff := cmp.Diff(tt.lost, lost); diff != "" || stats.Evicted != n {
				t.Errorf("%d evicted, lost (-want +got):\n%s", stats.Evicted, diff)
			}
		})
	}
}

// TestFollowFragments checks that fragments are reassembled, and counted when they are
// evicted.
func TestFollowFragments(t *testing.T) {
	whole := tcp(clientPort, serverPort, 1, ack, []byte("fragmented"))
	first := ipv4Fragment(client, server, 6, 1, 0, true, whole[:24])
	got, _ := follow(t, capture.Options{}, newTranscript, first, ipv4Fragment(client, server, 6, 1, 24, false, whole[24:]))
	if len(got) != 1 || got[0].First != "fragmented" {
		t.Errorf("got %+v", got)
	}
	_, stats := follow(t, capture.Options{MaxFlows: 1}, newTranscript, first, up(1, ack, []byte("x")))
	if stats.Evicted != 1 {
		t.Errorf("got %+v", stats)
	}
}

func ExampleReader_Follow() {
	packets := [][]byte{
		up(0, syn, nil), down(-1, syn|ack, nil), up(5, ack, []byte("world")), up(1, ack, []byte("the ")), down(0, ack, []byte("hello")),
	}
	r, err := capture.Open(bytes.NewReader(pcap(binary.LittleEndian, false, packets...)), capture.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	err = r.Follow(func(src, dst netip.AddrPort) capture.Follower { return printer{src, dst} })
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// 192.0.2.1:40000 > 198.51.100.1:443: "the "
	// 192.0.2.1:40000 > 198.51.100.1:443: "world"
	// 198.51.100.1:443 > 192.0.2.1:40000: "hello"
}

type printer struct{ src, dst netip.AddrPort }

func (p printer) Data(first bool, b []byte) (held int, more bool) {
	src, dst := p.src, p.dst
	if !first {
		src, dst = dst, src
	}
	fmt.Printf("%v > %v: %q\n", src, dst, b)
	return 0, true
}

func (p printer) Lost() {}
