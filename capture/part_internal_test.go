package capture

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"io"
	"math/rand"
	"slices"
	"strings"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/tlsflags/tlsflags/corpus"
)

var partRounds = flag.Int("parts", 20, "how often TestPart cuts the corpus")

// corpusPackets returns the packets of all captures of the corpus, in order of time.
func corpusPackets(t *testing.T) (packets []Packet) {
	t.Helper()
	for entry := range corpus.All() {
		if !strings.HasPrefix(entry.File, "captures/") {
			continue
		}
		s, err := open(bytes.NewReader(entry.Data()))
		if err != nil {
			t.Fatal(err)
		}
		for {
			p, err := s.next()
			if err != nil {
				break
			}
			p.Data = slices.Clone(p.Data)
			packets = append(packets, p)
		}
	}
	slices.SortStableFunc(packets, func(a, b Packet) int { return a.Time.Compare(b.Time) })
	return packets
}

// pcapngOf returns a file with packets of any link types.
func pcapngOf(t *testing.T, packets []Packet) []byte {
	t.Helper()
	var b bytes.Buffer
	links := make(map[LinkType]int)
	var w *pcapgo.NgWriter
	for _, p := range packets {
		intf := pcapgo.NgInterface{LinkType: layers.LinkType(p.Link), SnapLength: 1 << 18}
		var err error
		if w == nil {
			if w, err = pcapgo.NewNgWriterInterface(&b, intf, pcapgo.NgWriterOptions{}); err != nil {
				t.Fatal(err)
			}
			links[p.Link] = 0
		}
		id, ok := links[p.Link]
		if !ok {
			if id, err = w.AddInterface(intf); err != nil {
				t.Fatal(err)
			}
			links[p.Link] = id
		}
		info := gopacket.CaptureInfo{Timestamp: p.Time, CaptureLength: len(p.Data), Length: max(p.Length, len(p.Data)), InterfaceIndex: id}
		if err := w.WritePacket(info, p.Data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// cut returns the files of a capture that was cut at random packets.
func cut(t *testing.T, packets []Packet, n int, r *rand.Rand) (files []File) {
	t.Helper()
	cuts := []int{0, len(packets)}
	for len(cuts) < n+1 {
		if at := 1 + r.Intn(len(packets)-1); !slices.Contains(cuts, at) {
			cuts = append(cuts, at)
		}
	}
	slices.Sort(cuts)
	for i := range n {
		data := pcapngOf(t, packets[cuts[i]:cuts[i+1]])
		files = append(files, File{fmt.Sprintf("part-%d.pcapng", i), func() (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(data)), nil
		}})
	}
	return files
}

// rowOf returns all of a hello but its frames, which are counted in another way.
func rowOf(h *Hello) string {
	c := *h
	c.Frames, c.Contradicts = make([]int, len(h.Frames)), make([]int, len(h.Contradicts))
	var o outcome
	o.add(&c)
	return fmt.Sprintf("%s %s %x", o.rows, h.Code.Name(), h.Message)
}

func joinedRows(files []File) (rows []string) {
	for h := range Join(Options{}, files...).Hellos() {
		rows = append(rows, rowOf(h))
	}
	slices.Sort(rows)
	return rows
}

// partRows returns the rows of files that are read apart.
func partRows(t *testing.T, files []File) (rows []string, given int) {
	t.Helper()
	type packet struct {
		PartPacket
		part *Part
		file string
	}
	pairs := make(map[string][]packet)
	for _, f := range files {
		p, err := ReadPart(Options{}, f)
		if err != nil {
			t.Fatal(err)
		}
		err = p.Read(func(h *Hello) error {
			rows = append(rows, rowOf(h))
			return nil
		}, func(x PartPacket) error {
			x.Data = slices.Clone(x.Data)
			pairs[x.Pair] = append(pairs[x.Pair], packet{x, p, f.Name})
			given++
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, packets := range pairs {
		slices.SortFunc(packets, func(a, b packet) int {
			return cmp.Or(a.part.Began.Compare(b.part.Began), CompareNames(a.file, b.file), cmp.Compare(a.Frame, b.Frame))
		})
		s := NewScanner(Options{})
		add := func(h *Hello) bool {
			rows = append(rows, rowOf(h))
			return true
		}
		for _, p := range packets {
			s.Scan(p.Packet, add)
		}
		s.Flush(add)
	}
	slices.Sort(rows)
	return rows, given
}

// TestPart cuts the corpus at random packets, and compares the hellos of the parts with those
// of Join.
func TestPart(t *testing.T) {
	packets := corpusPackets(t)
	r := rand.New(rand.NewSource(1))
	for range *partRounds {
		for _, n := range []int{1, 2, 8, 40} {
			files := cut(t, packets, n, r)
			want := joinedRows(files)
			got, given := partRows(t, files)
			if !slices.Equal(want, got) {
				t.Errorf("%d files, %d packets given:\n%s", n, given, difference(want, got))
			}
		}
	}
}

func difference(want, got []string) string {
	var b strings.Builder
	for _, row := range want {
		if !slices.Contains(got, row) {
			fmt.Fprintf(&b, "- %.500s\n", row)
		}
	}
	for _, row := range got {
		if !slices.Contains(want, row) {
			fmt.Fprintf(&b, "+ %.500s\n", row)
		}
	}
	return b.String()
}
