package cli

import (
	"slices"
	"strconv"
	"time"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
)

// grouping is something by which --by counts hellos.
type grouping struct {
	name    string
	private bool                     // --redact hides the values
	doubts  bool                     // doubts that leave no hello count, too
	names   func(uint16) string      // of code points, which the values are then; nil for text
	values  func(*row, func(string)) // calls back with those of a hello, each time one occurs
}

// groupings are the words of --by. GREASE is not counted.
var groupings = []grouping{
	{name: "ja4", values: func(r *row, add func(string)) { add(r.ja4()) }},
	{name: "sni", private: true, values: func(r *row, add func(string)) {
		name, _ := r.msg.ServerName()
		add(string(name))
	}},
	{name: "src_ip", private: true, values: func(r *row, add func(string)) {
		if r.hello.Src.IsValid() {
			add(r.hello.Src.Addr().String())
		}
	}},
	{name: "version", names: nameOf[clienthello.Version], values: func(r *row, add func(string)) {
		versions, _ := r.msg.SupportedVersions()
		for v := range versions.All() {
			if v.Name() != grease {
				addPoint(v, add)
				return // the one that the client prefers
			}
		}
		if r.msg.Raw() != nil {
			addPoint(r.msg.LegacyVersion(), add)
		}
	}},
	{name: "extension", names: nameOf[extension.Type], values: func(r *row, add func(string)) {
		for e := range r.msg.Extensions().All() {
			addPoint(e.Type, add)
		}
	}},
	{name: "unknown-extension", names: nameOf[extension.Type], values: func(r *row, add func(string)) {
		for e := range r.msg.Extensions().All() {
			if e.Type.Name() == "" {
				addPoint(e.Type, add)
			}
		}
	}},
	{name: "cipher", names: nameOf[clienthello.CipherSuite], values: func(r *row, add func(string)) {
		if r.msg.Raw() != nil {
			addPoints(r.msg.CipherSuites(), add)
		}
	}},
	{name: "group", names: nameOf[clienthello.Group], values: func(r *row, add func(string)) {
		groups, _ := r.msg.SupportedGroups()
		addPoints(groups, add)
	}},
	{name: "flag", names: nameOf[extension.Flag], values: func(r *row, add func(string)) {
		flags, _, _ := r.msg.Flags()
		for f := range flags.All() {
			addPoint(f, add)
		}
	}},
	{name: "odd", doubts: true, values: func(r *row, add func(string)) {
		msg := r.msg
		if r.code != 0 {
			msg, _ = readable(r.hello)
		}
		for _, what := range oddities(r, msg) {
			add(what)
		}
	}},
	{name: "day", values: timeValue(time.DateOnly, 24*time.Hour)},
	{name: "hour", values: timeValue(time.RFC3339, time.Hour)},
}

const grease = "GREASE"

type point interface {
	~uint16
	Name() string
}

func nameOf[T point](n uint16) string { return T(n).Name() }

func addPoint[T point](v T, add func(string)) {
	if v.Name() != grease {
		add(strconv.Itoa(int(v)))
	}
}

func addPoints[T point](list clienthello.Vector[T], add func(string)) {
	for v := range list.All() {
		addPoint(v, add)
	}
}

// timeValue returns when an hour or day began, in UTC.
func timeValue(layout string, unit time.Duration) func(*row, func(string)) {
	return func(r *row, add func(string)) {
		if hasTime(r.hello.Time) {
			add(r.hello.Time.UTC().Truncate(unit).Format(layout))
		}
	}
}

// groupingChoices are the words of --by.
func groupingChoices() []choice[grouping] {
	list := make([]choice[grouping], len(groupings))
	for i, g := range groupings {
		list[i] = choice[grouping]{g.name, g}
	}
	return list
}

// tally counts hellos by one or two groupings.
type tally struct {
	by     []grouping
	redact bool
	counts map[tallyKey]tallied
	room   int // bytes of values that may still be kept
	other  int // hellos with values for which there was no room

	joined  bool // hellos are numbered over all sources
	source  string
	several bool // rows are of other sources than source, the first one

	found [2][]string // the values of the hello at hand
}

// tallied is what is known of a value.
type tallied struct {
	hellos int
	number int    // of the first hello
	source string // of the first hello
}

// tallyKey has a value of each grouping, "" for none.
type tallyKey [2]string

// The limits of a tally. Values that come later are counted as other.
const (
	maxTally      = 100_000
	maxTallyBytes = 32 << 20
)

func newTally(by []grouping, redact bool) *tally {
	return &tally{by: by, redact: redact, counts: map[tallyKey]tallied{}, room: maxTallyBytes}
}

// add counts a hello once for each of its values, or once for none.
func (t *tally) add(r *row) {
	if !r.hello.Found() && !slices.ContainsFunc(t.by, func(g grouping) bool { return g.doubts }) {
		return
	}
	if t.source == "" {
		t.source = r.source
	}
	t.several = t.several || r.source != t.source
	first := tallied{number: r.number, source: r.source}
	for i := range t.found {
		t.found[i] = t.found[i][:0]
		if i < len(t.by) && !(t.redact && t.by[i].private) {
			t.by[i].values(r, func(v string) { t.found[i] = append(t.found[i], v) })
		}
		if slices.Sort(t.found[i]); len(t.found[i]) == 0 {
			t.found[i] = append(t.found[i], "")
		}
		t.found[i] = slices.Compact(t.found[i])
	}
	for _, a := range t.found[0] {
		for _, b := range t.found[1] {
			t.count(tallyKey{a, b}, first)
		}
	}
}

// count counts a hello, which may be the first with these values.
func (t *tally) count(k tallyKey, first tallied) {
	n, known := t.counts[k]
	if size := len(k[0]) + len(k[1]); !known {
		if len(t.counts) == maxTally || size > t.room {
			t.other++
			return
		}
		t.room -= size
		n = first
	}
	n.hellos++
	t.counts[k] = n
}
