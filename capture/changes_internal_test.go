package capture

import (
	"bytes"
	"flag"
	"fmt"
	"hash"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gopacket/gopacket/layers"
)

var update = flag.Bool("update", false, "write the files of testdata")

// CompareFile compares what a test has found with a file of testdata, or writes it there.
func CompareFile(t *testing.T, name, got string) {
	path := "testdata/" + name
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(want), "\n")
	if testing.Short() { // as in ChangesOf
		lines = slices.DeleteFunc(lines, func(line string) bool { return strings.HasPrefix(line, "\tvalues\t") })
	}
	if diff := cmp.Diff(lines, strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s differs; go test -update writes it (-want +got):\n%s", path, diff)
	}
}

// changes are what is done to a byte, one at a time.
var changes = []struct {
	name  string
	apply func(p []byte, i int) []byte
}{
	{"+1", func(p []byte, i int) []byte { p[i]++; return p }},
	{"-1", func(p []byte, i int) []byte { p[i]--; return p }},
	{"^40", func(p []byte, i int) []byte { p[i] ^= 0x40; return p }},
	{"cut", func(p []byte, i int) []byte { return p[:i] }},
}

// outcome is what is compared of a capture that was changed.
type outcome struct {
	messages string
	rows     string
	stats    Stats
}

func outcomeOf(packets []Packet) outcome { return outcomeWith(Options{}, packets) }

func outcomeWith(options Options, packets []Packet) (o outcome) {
	s := NewScanner(options)
	keep := func(h *Hello) bool {
		o.add(h)
		return true
	}
	for i, p := range packets {
		if p.Time.IsZero() {
			p.Time = time.Unix(int64(1+i), 0)
		}
		s.Scan(p, keep)
	}
	s.Flush(keep)
	o.stats = s.Stats()
	return o
}

func (o *outcome) add(h *Hello) {
	o.messages += string(h.Message) + h.Code.Name() + ";"
	o.rows += fmt.Sprint(h.Transport, h.Src, h.Dst, h.Path, h.Frames, h.Index, h.Prologue, h.PrologueProtocol, h.Ambiguous, h.Faults, h.Offset,
		h.Pieces, h.Trailing, h.FlagsChanged, h.Contradicts, h.QUIC, h.DTLS, h.Time.Unix(), ";")
}

// digest goes on with a sum over all of the outcome.
func (o outcome) digest(sum hash.Hash32) {
	fmt.Fprint(sum, o.messages, o.rows, o.stats)
}

// letter says how an outcome differs from that of the capture as it was: a dot if it does not, s in
// the counts, r in the rows, m in the messages, or the count that says why there is no row.
func (o outcome) letter(was outcome) byte {
	o.stats.Bytes = was.stats.Bytes
	switch {
	case o == was:
		return '.'
	case o.messages == "": // the counts say more
	case o.messages != was.messages:
		return 'm'
	case o.rows != was.rows:
		return 'r'
	default:
		return 's'
	}
	now, before := o.stats, was.stats
	for _, count := range []struct {
		letter      byte
		now, before int
	}{
		{'o', now.Other, before.Other},
		{'e', now.Encrypted, before.Encrypted},
		{'b', now.Broken, before.Broken},
		{'d', now.Dropped, before.Dropped},
		{'c', now.Truncated, before.Truncated},
		{'f', now.Fragments, before.Fragments},
		{'t', now.TooDeep, before.TooDeep},
		{'u', now.UnknownLink, before.UnknownLink},
		{'i', now.Incomplete, before.Incomplete},
		{'g', now.Damaged + now.Skipped, before.Damaged + before.Skipped},
		{'n', len(o.rows), 0}, // why the file is not read
	} {
		if count.now > count.before {
			return count.letter
		}
	}
	return '-'
}

// ChangesOf says, for each change and each byte of the headers in packets, what it does, with a
// sum over all that was found. The headers end where the message begins, and some bytes at the
// end of a packet count, too. So it does for changes to the order of the packets.
func ChangesOf(packets []Packet) string {
	parts := make([][]byte, len(packets))
	for i := range packets {
		parts[i] = packets[i].Data
	}
	values := ""
	if !testing.Short() { // in an emulator it takes a minute
		values = valuesOf(packets)
	}
	return changesOf(parts, 120, func(parts [][]byte) outcome {
		changed := slices.Clone(packets)
		for i := range changed {
			changed[i].Data = parts[i]
		}
		return outcomeOf(changed)
	}) + ordersOf(packets) + values
}

// valuesOf changes up to three bytes of a packet to values that headers have, chosen at random. It
// says how often something else is found, with a sum over all of it and over what some values of
// each byte do.
func valuesOf(packets []Packet) string {
	values := []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 17, 20, 22, 32, 40, 64, 127, 128, 129, 254, 255}
	rnd := rand.New(rand.NewPCG(11, 0))
	was, sum := outcomeOf(packets), fnv.New32a()
	counts := make(map[byte]int)
	for range 100 {
		changed := slices.Clone(packets)
		p := &changed[rnd.IntN(len(changed))]
		p.Data = slices.Clone(p.Data)
		for range 1 + rnd.IntN(3) {
			p.Data[rnd.IntN(min(len(p.Data), 120))] = values[rnd.IntN(len(values))]
		}
		if rnd.IntN(4) == 0 {
			p.Data = append(p.Data, make([]byte, rnd.IntN(8))...)
		}
		o := outcomeOf(changed)
		o.digest(sum)
		counts[o.letter(was)]++
	}
	for k := range packets { // and each byte to some values
		for i := range min(len(packets[k].Data), 120) {
			old := packets[k].Data[i]
			for _, v := range []byte{0, old ^ 0x80, old ^ 2} {
				changed := slices.Clone(packets)
				changed[k].Data = slices.Clone(packets[k].Data)
				changed[k].Data[i] = v
				if o := outcomeOf(changed); o != was {
					fmt.Fprint(sum, k, i, v)
					o.digest(sum)
				}
			}
		}
	}
	var letters []string
	for _, letter := range slices.Sorted(maps.Keys(counts)) {
		letters = append(letters, fmt.Sprintf("%d%c", counts[letter], letter))
	}
	return fmt.Sprintf("\tvalues\t%s\t%08x\n", strings.Join(letters, " "), sum.Sum32())
}

// orders are what is done to a packet among others.
var orders = []struct {
	name  string
	apply func(packets []Packet, i int) []Packet
}{
	{"left out", func(packets []Packet, i int) []Packet { return slices.Delete(packets, i, i+1) }},
	{"twice", func(packets []Packet, i int) []Packet { return slices.Insert(packets, i, packets[i]) }},
	{"again at the end", func(packets []Packet, i int) []Packet { return append(packets, packets[i]) }},
	{"first", func(packets []Packet, i int) []Packet {
		return slices.Concat(packets[i:i+1], packets[:i], packets[i+1:])
	}},
	{"last", func(packets []Packet, i int) []Packet {
		return slices.Concat(packets[:i], packets[i+1:], packets[i:i+1])
	}},
	{"half", func(packets []Packet, i int) []Packet {
		p := &packets[i]
		p.Length, p.Data = len(p.Data), p.Data[:len(p.Data)/2]
		return packets
	}},
}

// ordersOf says, for each change to the order and each packet, what it does.
func ordersOf(packets []Packet) string {
	if len(packets) < 2 {
		return ""
	}
	was := outcomeOf(packets)
	var b strings.Builder
	for _, order := range orders {
		letters, sum := make([]byte, 0, len(packets)), fnv.New32a()
		for i := range packets {
			o := outcomeOf(order.apply(slices.Clone(packets), i))
			o.digest(sum)
			letters = append(letters, o.letter(was))
		}
		fmt.Fprintf(&b, "\t%s\t%s\t%08x\n", order.name, runs(letters), sum.Sum32())
	}
	return b.String()
}

// FileChangesOf is ChangesOf for the first bytes of a capture. If it is compressed, other packages
// read what is in its blocks, and their errors differ between processors.
func FileChangesOf(file []byte, compressed bool) string {
	most, text := 600, error.Error
	if compressed {
		most, text = 64, func(error) string { return "an error" }
	}
	return changesOf([][]byte{file}, most, func(parts [][]byte) (o outcome) {
		reader, err := Open(bytes.NewReader(parts[0]), Options{})
		if err != nil {
			return outcome{rows: text(err)}
		}
		for h := range reader.Hellos() {
			o.add(h)
			o.rows += fmt.Sprint(h.Time.Unix(), h.Time.Nanosecond()) // String cuts years to an int
		}
		o.stats = reader.Stats()
		if err := reader.Err(); err != nil {
			o.rows += text(err)
		}
		return o
	})
}

// changesOf changes up to most bytes at the beginning of each part.
func changesOf(parts [][]byte, most int, run func(parts [][]byte) outcome) string {
	const trailer = 12
	was := run(parts)
	var b strings.Builder
	for k, p := range parts {
		n := len(p)
		if i := bytes.Index(p, []byte{22, 3}); i >= 0 {
			n = min(n, i+9)
		}
		var places []int
		for i := range len(p) {
			if i < min(n, most) || i >= len(p)-trailer {
				places = append(places, i)
			}
		}
		for _, c := range changes {
			letters, sum := make([]byte, 0, len(places)), fnv.New32a()
			for _, i := range places {
				changed := slices.Clone(parts)
				changed[k] = c.apply(slices.Clone(p), i)
				o := run(changed)
				o.digest(sum)
				letters = append(letters, o.letter(was))
			}
			fmt.Fprintf(&b, "\t%d %s\t%s\t%08x\n", k+1, c.name, runs(letters), sum.Sum32())
		}
	}
	return b.String()
}

// runs writes a letter that comes n times in turn as n and the letter.
func runs(letters []byte) string {
	var words []string
	for len(letters) > 0 {
		n := 1
		for n < len(letters) && letters[n] == letters[0] {
			n++
		}
		words = append(words, fmt.Sprintf("%d%c", n, letters[0]))
		letters = letters[n:]
	}
	return strings.Join(words, " ")
}

// TestChangedCarriers compares what each byte of the carriers' headers does with
// testdata/changed-carriers.txt.
func TestChangedCarriers(t *testing.T) {
	var b strings.Builder
	for _, c := range carriedCases(messages{22, 1}) {
		if len(c.packets) > 6 {
			continue
		}
		var packets []Packet
		for _, p := range c.packets {
			packets = append(packets, Packet{Data: p, Link: LinkType(c.link)})
		}
		fmt.Fprintf(&b, "%s\n%s", c.name, ChangesOf(packets))
	}
	for _, c := range numberedCases() {
		if strings.Contains(c.name, ",") {
			continue
		}
		var packets []Packet
		for _, p := range c.packets {
			packets = append(packets, Packet{Data: p, Link: LinkType(c.link), Time: time.Unix(1, 0)})
		}
		fmt.Fprintf(&b, "%s\n%s", c.name, ChangesOf(packets))
	}
	segment := tcpPacket(1, 0x10, smallHello(80))[20:]
	common, rare := carriers()
	for _, c := range append(common, rare...) {
		packet := Packet{Data: append([]byte(c.headers), segment...), Link: LinkType(c.link)}
		fmt.Fprintf(&b, "%v\n%s", c.link, ChangesOf([]Packet{packet}))
	}
	CompareFile(t, "changed-carriers.txt", b.String())
}

// TestChangedConnections compares what each byte of the headers of IP and TCP, and of what comes
// before TLS, does with testdata/changed-connections.txt.
func TestChangedConnections(t *testing.T) {
	var b strings.Builder
	for i, c := range connections() {
		if len(c) > 6 {
			continue
		}
		var packets []Packet
		for _, p := range c {
			packets = append(packets, Packet{Data: p, Link: LinkType(layers.LinkTypeRaw)})
		}
		fmt.Fprintf(&b, "%d\n%s", i, ChangesOf(packets))
	}
	CompareFile(t, "changed-connections.txt", b.String())
}
