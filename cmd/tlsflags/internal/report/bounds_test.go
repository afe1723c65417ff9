package report

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/annotate"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/golden"
)

// randomHello returns a hello of n.
func randomHello(rnd *rand.Rand, i, n int) Hello {
	h := hello(i+1, []byte{1, 0, 0, byte(i)})
	h.Time = start.Add(time.Duration(rnd.IntN(1+n*n)) * time.Second)
	h.JA4, h.Name, h.Version = fmt.Sprint("ja4-", rnd.IntN(1+n/3)), fmt.Sprint("name-", rnd.IntN(15)), fmt.Sprint("TLS 1.", rnd.IntN(4))
	for range rnd.IntN(3) {
		h.Flags = append(h.Flags, fmt.Sprint("flag ", rnd.IntN(12)))
	}
	for range rnd.IntN(6) / 4 {
		h.Odd = append(h.Odd, fmt.Sprint("odd ", rnd.IntN(120)))
	}
	h.RequestMTLS, h.PostQuantum = rnd.IntN(5) == 0, rnd.IntN(3) == 0
	switch rnd.IntN(8) {
	case 0:
		h.ECH = "outer"
	case 1:
		h.Found = false
	case 2:
		h.Time, h.Frame, h.JA4 = time.Time{}, 0, ""
	case 3:
		h.Source, h.Message = "b.pcap", nil
	case 4:
		h.Groups = "X25519MLKEM768"
	}
	return h
}

// TestReports compares what the pages about some reports say with testdata/reports.txt.
func TestReports(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 0))
	var b strings.Builder
	for _, n := range []int{0, 1, 3, 10, 40, 250} {
		r := New()
		for i := range n {
			r.Add(randomHello(rnd, i, n))
		}
		shown := make(map[int]bool)
		fmt.Fprintf(&b, "%d hellos\n\tbytes of:", n)
		for _, h := range r.chosen() {
			shown[h.id] = true
			fmt.Fprint(&b, " ", h.id)
		}
		head := r.head(About{Sources: make([]string, n/12), Counts: make([]string, n/5)}, shown)
		fmt.Fprintf(&b, "\n\t%d sources and %d more, %d counts, %s\n", len(head.Sources), head.MoreSources, len(head.Counts), head.Period)
		for _, x := range head.Tiles {
			fmt.Fprintf(&b, "\t%+v\n", x)
		}
		fmt.Fprintf(&b, "\t%+v\n", head.Oddities)
		if head.Timeline != nil {
			fmt.Fprintf(&b, "\t%+v\n", *head.Timeline)
		}
		for _, c := range head.Charts {
			fmt.Fprintf(&b, "\t%+v\n", c)
		}
		fmt.Fprint(&b, "\trows:")
		for _, h := range slices.Concat(r.oddRows.latest(), r.otherRows.latest())[:min(n, 60)] {
			d := r.row(h, shown)
			fmt.Fprint(&b, " ", d.Anchor, d.Link, d.Several, d.When, d.Frame, d.FlagText, d.OddText, ";")
		}
		_, listed, noBytes := r.table(shown, MaxSize)
		fmt.Fprintf(&b, "\n\t%d are listed, %d without bytes\n", listed, noBytes)
	}
	golden.Compare(t, "reports.txt", b.String())
}

// TestRoom checks that as many rows are listed as fit.
func TestRoom(t *testing.T) {
	r := New()
	for n := range 20 {
		r.Add(hello(n+1, nil))
	}
	all, listed, noBytes := r.table(nil, 1<<20)
	if listed != 20 || noBytes != 20 {
		t.Errorf("%d rows, %d without bytes", listed, noBytes)
	}
	for room, want := range map[int]int{len(all): 20, len(all) - 1: 19, 0: 0} {
		if rows, listed, _ := r.table(nil, room); listed != want || len(rows) > room {
			t.Errorf("in %d bytes: %d rows, want %d", room, listed, want)
		}
	}
	table := annotate.Explain(annotate.ClientHello, chrome(t))
	whole := string(bytesIn(1<<20, table))
	least := len(whole) - len("</table>") + cutSize
	if got := string(bytesIn(least, table)); got != whole {
		t.Errorf("%d bytes are cut to %d in %d", len(whole), len(got), least)
	}
	for limit := 600; limit < least; limit += 97 {
		got := string(bytesIn(limit, table))
		if len(got) > limit || len(got) < limit-cutSize-500 || !strings.Contains(got, "fields are left out") {
			t.Errorf("%d bytes in %d", len(got), limit)
		}
	}
	if got := string(bytesIn(least-1, table)); !strings.Contains(got, ">1 of ") {
		t.Errorf("a byte less: %s", got[len(got)-200:])
	}
}

// TestClip checks the lengths of texts and lists.
func TestClip(t *testing.T) {
	for _, letter := range []string{"a", "é", "日", "👍"} {
		for n, cut := range map[int]bool{0: false, 1: false, 63: false, 64: false, 65: true, 256: true, 257: true, 1000: true} {
			want := strings.Repeat(letter, min(n, 64))
			if cut {
				want += "…"
			}
			if got := clip(strings.Repeat(letter, n)); got != want {
				t.Errorf("%d times %s: %q", n, letter, got)
			}
		}
	}
	for n := range 12 {
		want := slices.Repeat([]string{"x"}, min(n, 8))
		if n > 8 {
			want = append(want, "and more")
		}
		if got := clipAll(slices.Repeat([]string{"x"}, n)); !slices.Equal(got, want) {
			t.Errorf("%d: %q", n, got)
		}
	}
	r := New()
	h := hello(1, nil)
	h.Found = false
	for _, s := range []*string{&h.Source, &h.Transport, &h.Src, &h.Dst, &h.Name, &h.Version, &h.JA4, &h.Groups, &h.ECH} {
		*s = "\x00" + strings.Repeat("x", 100)
	}
	h.Flags, h.Odd = []string{"\x00"}, []string{"\x00"}
	r.Add(h)
	if row := fmt.Sprintf("%+v", r.oddRows.latest()[0]); strings.Contains(row, "\x00") || strings.Contains(row, strings.Repeat("x", 65)) {
		t.Errorf("not clean: %s", row)
	}
}

// TestKept checks how much is kept.
func TestKept(t *testing.T) {
	r := New()
	for i := range 101 {
		h := hello(i+1, []byte{1})
		h.Odd = []string{fmt.Sprint(i)}
		r.Add(h)
		h.Odd = []string{fmt.Sprint(i)}
		r.Add(h)
	}
	if len(r.oddities) != 100 || len(r.ofKind) != 100 || r.oddities[99].count != 2 || r.odd != 202 || r.rows != 202 {
		t.Errorf("%d kinds, %d messages, %+v", len(r.oddities), len(r.ofKind), r.oddities[99])
	}
	for n, want := range map[int]int{16<<10 - 1: 1, 16 << 10: 1, 16<<10 + 1: 0, 1: 1, 0: 0} {
		r := New()
		r.Add(hello(1, make([]byte, n)))
		if got := len(r.chosen()); got != want {
			t.Errorf("%d bytes: %d are kept", n, got)
		}
	}
	r = New()
	for i := range 500 {
		h := hello(i+1, []byte{1})
		h.JA4 = fmt.Sprint(i)
		if i >= 300 {
			h.JA4, h.Odd = "", []string{"the same"}
		}
		r.Add(h)
	}
	if len(r.ofJA4) != 200 || len(r.seenJA4) != 200 || len(r.ofKind) != 1 || len(r.moreOdd) != 199 || len(r.newest.list) != 100 {
		t.Errorf("%d by JA4 of %d, %d of a kind, %d more, %d of the newest", len(r.ofJA4), len(r.seenJA4), len(r.ofKind), len(r.moreOdd), len(r.newest.list))
	}
	var c counter
	for i := range 20_001 {
		c.add([]string{fmt.Sprint(i), fmt.Sprint(i)})
	}
	if len(c.counts) != 20_000 || c.other != 2 || c.total != 20_001 {
		t.Errorf("%d values, %d others, %d in all", len(c.counts), c.other, c.total)
	}
	for size := 1; size < 4; size++ {
		ring := ring[int]{size: size}
		for i := range 10 {
			ring.add(i)
			var want []int
			for k := i; k > max(-1, i-size); k-- {
				want = append(want, k)
			}
			if got := ring.latest(); !slices.Equal(got, want) {
				t.Errorf("a ring of %d after %d: %v", size, i, got)
			}
		}
	}
}

// TestSteps checks how many steps of time each unit has at most, and how they are named.
func TestSteps(t *testing.T) {
	for i, s := range steps {
		for _, from := range []time.Time{time.Unix(0, 0), time.Unix(-1, 0)} {
			for add, next := range map[int64]int{119: 0, 120: 1} {
				var line timeline
				line.add(from)
				line.add(time.Unix(s.seconds*(add+from.Unix()), 0))
				want := min(i+next, len(steps)-1)
				if c := line.chart(); line.step != want || c.Unit != steps[want].name {
					t.Errorf("%d times %s from %v: %d of %s, %s to %s", add, s.name, from.Unix(), c.Width, c.Unit, c.From, c.To)
				}
			}
		}
	}
	want := "[{1 second 2006-01-02 15:04:05} {10 10 seconds 2006-01-02 15:04:05} {60 minute 2006-01-02 15:04} {600 10 minutes 2006-01-02 15:04} {3600 hour 2006-01-02 15:04} " +
		"{21600 6 hours 2006-01-02 15:04} {86400 day 2006-01-02} {864000 10 days 2006-01-02} {8640000 100 days 2006-01-02} {86400000 1,000 days 2006-01-02} {864000000 10,000 days 2006-01-02} {8640000000 100,000 days 2006-01-02}]"
	if got := fmt.Sprint(steps); got != want {
		t.Errorf("steps: %s", got)
	}
}

// TestShares checks parts in percent around those that are rounded.
func TestShares(t *testing.T) {
	for _, test := range []struct {
		n, total int
		want     string
	}{
		{0, 1000, "0.0%"}, {1, 1000, "0.1%"}, {1, 1001, "<0.1%"}, {2, 1000, "0.2%"}, {999, 1000, "99.9%"}, {1000, 1001, ">99.9%"}, {1000, 1000, "100.0%"}, {1, 3, "33.3%"}, {5, 0, "500.0%"},
	} {
		if got := share(test.n, test.total); got != test.want {
			t.Errorf("%d of %d: %s, want %s", test.n, test.total, got, test.want)
		}
	}
	c := counter{total: 4}
	for n, want := range map[int]string{0: "0.0", 1: "25.0", 4: "100.0", 9: "100.0"} {
		if got := c.bar("x", n); got.Percent != want || got.Count != n || got.Label != "x" {
			t.Errorf("%d of 4: %+v", n, got)
		}
	}
}

// TestFields checks the rows of fields by their length and depth.
func TestFields(t *testing.T) {
	for n, want := range map[int]string{0: "", 1: "00", 31: strings.Repeat(" 00", 31)[1:], 32: strings.Repeat(" 00", 32)[1:], 33: strings.Repeat(" 00", 32)[1:] + " … and 1 more"} {
		if row, _ := describe(annotate.Field{Bytes: make([]byte, n), Meaning: strings.Repeat("m", 161)}, nil); row.Hex != want || row.Meaning != strings.Repeat("m", 160)+"…" {
			t.Errorf("%d bytes: %+v", n, row)
		}
	}
	for _, test := range []struct {
		path, above, field string
		depth              int
	}{
		{"a", "", "a", 0}, {"a", "a", "a", 0}, {"a.b", "a", "b", 1}, {"a.b", "a.b", "b", 1}, {"a.b", "a.c.d", "b", 1}, {"b.a", "a.a", "b.a", 0},
		{"a.b.c", "a.b", "c", 2}, {"a.b.c", "a", "b.c", 1}, {"a.b.c.d.e.f", "a.b.c.d.e", "f", 4}, {"a.b.c.d.e", "a.b.c.d", "e", 4}, {"a.b.c.d", "a.b.c", "d", 3},
	} {
		if row, path := describe(annotate.Field{Path: test.path}, strings.Split(test.above, ".")); row.Field != test.field || row.Depth != test.depth || strings.Join(path, ".") != test.path {
			t.Errorf("%s after %s: %+v, %v", test.path, test.above, row, path)
		}
	}
}
