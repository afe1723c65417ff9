package capture_test

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"net/netip"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/corpus"
)

// readWith returns the rows and the counts of a capture.
func readWith(t *testing.T, data []byte, o capture.Options) (rows []capture.Hello, stats capture.Stats, failure string) {
	t.Helper()
	r, err := capture.Open(bytes.NewReader(data), o)
	if err != nil {
		t.Fatal(err)
	}
	for h := range r.Hellos() {
		rows = append(rows, *h.Clone())
	}
	return rows, r.Stats(), fmt.Sprint(r.Err())
}

var sameHellos = cmp.Options{
	cmpopts.EquateEmpty(), cmpopts.IgnoreUnexported(capture.Hello{}), cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b }),
}

// checkWorkers checks that several workers find the same as one.
func checkWorkers(t *testing.T, data []byte, o capture.Options) {
	t.Helper()
	rows, stats, failure := readWith(t, data, o)
	for _, o.Workers = range []int{2, 3, 7} {
		got, gotStats, gotFailure := readWith(t, data, o)
		if diff := cmp.Diff(rows, got, sameHellos...); diff != "" {
			t.Errorf("%d workers: (-one +several)\n%.2000s", o.Workers, diff)
		}
		if diff := cmp.Diff(stats, gotStats); diff != "" || failure != gotFailure {
			t.Errorf("%d workers: %s, not %s; (-one +several)\n%s", o.Workers, gotFailure, failure, diff)
		}
	}
}

func TestWorkersCorpus(t *testing.T) {
	for e := range corpus.OfKind(corpus.Captures) {
		t.Run(e.File, func(t *testing.T) { checkWorkers(t, e.Data(), capture.Options{}) })
	}
}

var several = flag.Bool("several", false, "compare what three workers find wherever a test scans packets; see make test-hostile")

// checkPackets checks that three workers find the same in IP packets.
func checkPackets(want []capture.Hello, wantStats capture.Stats, o capture.Options, packets [][]byte) {
	file := rawPcap(packets...)
	at := 24
	for _, p := range packets {
		binary.LittleEndian.PutUint64(file[at:], 1) // second, as in raw
		at += 16 + len(p)
	}
	o.Workers = 3
	r, err := capture.Open(bytes.NewReader(file), o)
	if err != nil {
		panic(err)
	}
	var got []capture.Hello
	for h := range r.Hellos() {
		c := *h.Clone()
		if len(got) < len(want) && c.Time.Equal(want[len(got)].Time) {
			c.Time = want[len(got)].Time
		}
		got = append(got, c)
	}
	if diff := cmp.Diff(want, got, sameHellos...) + cmp.Diff(wantStats, r.Stats()); diff != "" {
		panic("(-one +several)\n" + diff)
	}
}

// TestWorkersFindAll checks that several workers find what comes in fragments, and what a client
// sends from several addresses.
func TestWorkersFindAll(t *testing.T) {
	const n = 12
	stream := records(helloOf(halfHello), 1<<14)
	tests := map[string]func(i int) [][]byte{
		"VXLAN in fragments": func(i int) (packets [][]byte) {
			for half := range 2 {
				part := stream[half*1000 : half*1000+1000+half*(len(stream)-2000)]
				inner := ipv4(peer(1<<21+i), server, 6, tcp(1, 443, 1+half*1000, ack, part))
				outer := udp(50_000, 4789, join([]byte{8, 0, 0, 0, 0, 0, 1, 0}, ethernet(0x0800, inner)))
				for at := 0; at < len(outer); at += 512 {
					end := min(at+512, len(outer))
					packets = append(packets, ipv4Fragment(client, server, 17, 2*i+half, at, end < len(outer), outer[at:end]))
				}
			}
			return packets
		},
		"QUIC from a second port": func(i int) [][]byte {
			second := quicHalf(i, 1, 1000, 1000)
			second[20] ^= 1
			return [][]byte{quicHalf(i, 0, 0, 1000), second}
		},
		"QUIC from a second address": func(i int) [][]byte {
			second := quicHalf(i, 1, 1000, 1000)
			copy(second[12:], peer(1<<22+i).AsSlice())
			return [][]byte{quicHalf(i, 0, 0, 1000), second}
		},
		"QUIC on both sides of a NAT": func(i int) (packets [][]byte) {
			for half := range 2 {
				inside := quicHalf(i, uint64(half), half*1000, 1000)
				outside := bytes.Clone(inside)
				copy(outside[12:], client.AsSlice())
				packets = append(packets, inside, outside)
			}
			return packets
		},
		"packets in one frame": func(i int) [][]byte {
			first := ipv4(peer(1<<21+i), server, 6, tcp(1, 443, 1, ack, stream[:500]))
			second := ipv4(peer(1<<21+i+1), server, 6, tcp(2, 443, 1, ack, stream[:500]))
			frame := join([]byte{0, 0x10, 3, 0}, zeros(4), aggregated(first, second))
			return [][]byte{
				ipv4(client, server, 17, udp(5247, 5247, frame)),
				ipv4(peer(1<<21+i), server, 6, tcp(1, 443, 501, ack, stream[500:])),
				ipv4(peer(1<<21+i+1), server, 6, tcp(2, 443, 501, ack, stream[500:])),
			}
		},
	}
	for name, packets := range tests {
		t.Run(name, func(t *testing.T) {
			var all [][]byte
			for i := range n {
				all = append(all, packets(i)...)
			}
			file := rawPcap(all...)
			checkWorkers(t, file, capture.Options{MergePaths: true})
			rows, _, _ := readWith(t, file, capture.Options{Workers: 3, MergePaths: true})
			if len(rows) < n {
				t.Errorf("%d hellos of %d", len(rows), n)
			}
		})
	}
}

// TestWorkersAtTheEnd checks the time of a row that comes when the capture has ended.
func TestWorkersAtTheEnd(t *testing.T) {
	var packets [][]byte
	for _, g := range with(opened, seg{flags: ack, data: real1[:30], mend: damaged}) {
		packets = append(packets, g.packet(false))
	}
	file := rawPcap(packets...)
	if rows, _, _ := readWith(t, file, capture.Options{}); len(rows) != 1 || rows[0].Ambiguous == 0 {
		t.Errorf("got %+v", rows)
	}
	checkWorkers(t, file, capture.Options{})
}

// TestWorkersStop checks that a loop that ends early loses nothing, does not read on, and leaves no
// goroutine.
func TestWorkersStop(t *testing.T) {
	const n = 300
	file := halvesFile(n, true)
	before := runtime.NumGoroutine()
	reader := &pausing{Reader: bytes.NewReader(file), before: func(int) {}}
	r, err := capture.Open(reader, capture.Options{Workers: 3})
	if err != nil {
		t.Fatal(err)
	}
	found, read := 0, 0
	for found < n {
		was := found
		for range r.Hellos() {
			if found++; found%7 == 0 {
				break
			}
		}
		if found == was {
			break
		}
		if read == 0 {
			read = reader.n
		}
	}
	if rest := countHellos(r); found+rest != n || r.Stats().Hellos != n || r.Err() != nil {
		t.Errorf("%d hellos and %d more of %d; %+v, %v", found, rest, n, r.Stats(), r.Err())
	}
	if read == reader.n {
		t.Error("the first loop that ended early has read all of the capture")
	}
	for i := 0; runtime.NumGoroutine() > before; i++ { // they may have their last step to go
		if runtime.Gosched(); i == 1_000_000 {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
	}
}

// TestWorkersShare checks that one worker may hold all that the limits allow.
func TestWorkersShare(t *testing.T) {
	const n = 1000
	o := capture.Options{Workers: 4, MaxMemory: capture.DefaultMaxMemory / 100_000 * n, MaxFlows: n}
	rows, stats, _ := readWith(t, halvesFile(n, false), o)
	if len(rows) != n || stats.Evicted > 0 {
		t.Errorf("%d hellos of %d; %+v", len(rows), n, stats)
	}
	o.MaxMemory /= 2
	if rows, stats, _ = readWith(t, halvesFile(n, true), o); len(rows)+stats.Evicted != n || stats.Evicted == 0 {
		t.Errorf("%d hellos of %d with half of the memory; %+v", len(rows), n, stats)
	}
}

// TestWorkersTap checks that a Reader with a Tap sees all packets, before the hellos in them.
func TestWorkersTap(t *testing.T) {
	const n = 10
	r, err := capture.Open(bytes.NewReader(halvesFile(n, true)), capture.Options{Workers: 3})
	if err != nil {
		t.Fatal(err)
	}
	seen, found := 0, 0
	r.Tap(func(frame int, _ capture.Packet, _ []capture.FlowPart) { seen = frame })
	for h := range r.Hellos() {
		if found++; h.Frames[1] != seen || h.Flow == 0 {
			t.Errorf("hello %d in packets %d after packet %d, of flow %d", found, h.Frames, seen, h.Flow)
		}
	}
	if seen != 2*n || found != n {
		t.Errorf("%d packets, %d hellos", seen, found)
	}
}
