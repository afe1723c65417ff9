package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
)

// The counters of a report, each with a chart.
const (
	byJA4 = iota
	byName
	byVersion
	byFlag
	byGroups
	byECH
	byTransport
	counterCount
)

var titles = [counterCount]string{
	byJA4:       "JA4 fingerprints",
	byName:      "Server names",
	byVersion:   "Version that the client prefers",
	byFlag:      "TLS flags",
	byGroups:    "Post-quantum key exchange",
	byECH:       "Encrypted Client Hello",
	byTransport: "Transport",
}

// values returns what each counter counts of a hello.
var values = [counterCount]func(*Hello) []string{
	byJA4:       func(h *Hello) []string { return []string{h.JA4} },
	byName:      func(h *Hello) []string { return []string{h.Name} },
	byVersion:   func(h *Hello) []string { return []string{h.Version} },
	byFlag:      func(h *Hello) []string { return h.Flags },
	byGroups:    func(h *Hello) []string { return []string{h.Groups} },
	byECH:       func(h *Hello) []string { return []string{h.ECH} },
	byTransport: func(h *Hello) []string { return []string{h.Transport} },
}

// counter counts hellos by a value. Values beyond a bound are counted together.
type counter struct {
	counts map[string]int
	total  int
	other  int
}

const maxValues = 20_000

func (c *counter) add(list []string) {
	if c.counts == nil {
		c.counts = make(map[string]int)
	}
	c.total++
	if len(list) == 0 {
		list = []string{""}
	}
	for _, v := range list {
		if _, known := c.counts[v]; !known && len(c.counts) == maxValues {
			c.other++
			continue
		}
		c.counts[v]++
	}
}

// bar is a line of a chart.
type bar struct {
	Label   string
	Count   int
	Percent string // of all hellos
	Share   string // the same, for people
}

// bars returns the values with the most hellos, and one bar for all others.
func (c *counter) bars() []bar {
	keys := slices.Collect(maps.Keys(c.counts))
	slices.SortFunc(keys, func(a, b string) int { return cmp.Or(c.counts[b]-c.counts[a], cmp.Compare(a, b)) })
	var list []bar
	other, more := c.other, 0
	for i, k := range keys {
		if i >= maxLabels {
			other, more = other+c.counts[k], more+1
			continue
		}
		label := k
		if label == "" {
			label = "none"
		}
		list = append(list, c.bar(label, c.counts[k]))
	}
	if other > 0 {
		label := "others"
		switch {
		case c.other > 0:
		case more == 1:
			label = "1 other"
		default:
			label = strconv.Itoa(more) + " others"
		}
		list = append(list, c.bar(label, other))
	}
	return list
}

func (c *counter) bar(label string, n int) bar {
	return bar{label, n, fmt.Sprintf("%.1f", min(100, 100*float64(n)/float64(c.total))), share(n, c.total)}
}

// share is a part in percent. What is there is never 0 %, and what is missing never 100 %.
func share(n, total int) string {
	percent := 100 * float64(n) / float64(max(1, total))
	switch {
	case n > 0 && percent < 0.1:
		return "<0.1%"
	case n < total && percent > 99.9:
		return ">99.9%"
	}
	return strconv.FormatFloat(percent, 'f', 1, 64) + "%"
}

// timeline counts hellos in steps of time. The step grows with the time between the first
// and the last.
type timeline struct {
	counts      map[int64]int // by the number of the step, from 1970
	first, last int64         // number
	step        int           // index in steps
}

const maxSteps = 120

var steps = []struct {
	seconds int64
	name    string
	layout  string
}{
	{1, "second", time.DateTime},
	{10, "10 seconds", time.DateTime},
	{60, "minute", "2006-01-02 15:04"},
	{600, "10 minutes", "2006-01-02 15:04"},
	{3600, "hour", "2006-01-02 15:04"},
	{6 * 3600, "6 hours", "2006-01-02 15:04"},
	{86400, "day", time.DateOnly},
	{10 * 86400, "10 days", time.DateOnly},
	{100 * 86400, "100 days", time.DateOnly},
	{1000 * 86400, "1,000 days", time.DateOnly},
	{10_000 * 86400, "10,000 days", time.DateOnly},
	{100_000 * 86400, "100,000 days", time.DateOnly}, // 37 of them are 10,000 years
}

func (t *timeline) add(at time.Time) {
	n := t.number(at.Unix())
	if t.counts == nil {
		t.counts = make(map[int64]int)
		t.first, t.last = n, n
	}
	t.counts[n]++
	t.first, t.last = min(t.first, n), max(t.last, n)
	for t.last-t.first >= maxSteps && t.step < len(steps)-1 {
		t.coarsen()
	}
}

func (t *timeline) number(unix int64) int64 {
	step := steps[t.step].seconds
	n := unix / step
	if unix%step < 0 {
		n--
	}
	return n
}

// coarsen takes the next step.
func (t *timeline) coarsen() {
	old, was := t.counts, steps[t.step].seconds
	t.counts = make(map[int64]int)
	t.step++
	for n, count := range old {
		t.counts[t.number(n*was)] += count
	}
	t.first, t.last = t.number(t.first*was), t.number(t.last*was)
}

// timeChart is what the page shows of a timeline.
type timeChart struct {
	Unit     string
	Most     int
	Width    int64
	From, To string
	Bars     []timeBar
}

type timeBar struct {
	Label     string
	Count     int
	X         int64
	Y, Height string
}

// chart returns nil if no hello had a time.
func (t *timeline) chart() *timeChart {
	if len(t.counts) == 0 {
		return nil
	}
	step := steps[t.step]
	when := func(n int64) string { return time.Unix(n*step.seconds, 0).UTC().Format(step.layout) }
	c := &timeChart{Unit: step.name, Width: t.last - t.first + 1, From: when(t.first), To: when(t.last)}
	for _, n := range t.counts {
		c.Most = max(c.Most, n)
	}
	for _, n := range slices.Sorted(maps.Keys(t.counts)) {
		height := max(1, 100*float64(t.counts[n])/float64(c.Most))
		c.Bars = append(c.Bars, timeBar{when(n), t.counts[n], n - t.first, fmt.Sprintf("%.1f", 100-height), fmt.Sprintf("%.1f", height)})
	}
	return c
}
