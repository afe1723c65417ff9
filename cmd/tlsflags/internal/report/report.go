// Package report writes a page about ClientHellos: one file of HTML without scripts, which
// loads nothing. It also has the piece of such a page that explains a message byte by byte.
//
// All text comes from the network or from names of files: it is made printable, cut, and
// escaped by html/template.
package report

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/annotate"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/terminal"
	"github.com/tlsflags/tlsflags/extension"
)

// The limits of a page.
const (
	MaxRows     = 10_000    // hellos that are listed
	MaxSize     = 3_000_000 // bytes of the page without the annotated bytes
	MaxMessages = 200       // hellos with annotated bytes
	MaxMessage  = 20_000    // bytes that each of them takes at most

	maxKept   = 16 << 10 // bytes of a message that is kept until the page is written
	maxText   = 64       // runes of a name
	maxKinds  = 100      // oddities that are told apart
	maxLabels = 10       // bars of a chart
)

// Hello is what the page says about one row of inspect.
type Hello struct {
	Number    int  // of the row
	Found     bool // false for a doubt that belongs to no hello
	Source    string
	Frame     int       // 0 for none
	Time      time.Time // zero for none
	Transport string
	Src, Dst  string
	Name      string // server name
	Version   string
	JA4       string
	Flags     []string
	Groups    string // what it has of post-quantum key exchange
	ECH       string
	Odd       []string // doubts and oddities

	RequestMTLS bool
	PostQuantum bool // it has such a key share

	id int // of the row, from 1

	Code    extension.Code // why what carried the message is refused, or 0
	Offset  int            // of the code
	Kind    annotate.Kind
	Message []byte // nil if it is not to be shown; Add copies what it needs
}

// Report collects what a page says. Its memory is bounded, whatever is added.
type Report struct {
	rows, found, odd int
	source           string // of the first row
	several          bool   // there are others
	first, last      time.Time
	timeline         timeline
	oddities         []*oddity
	counters         [counterCount]counter

	// Hellos with what the first lines of the page count.
	flagged, requestMTLS, postQuantum, ech int

	oddRows, otherRows ring[Hello]

	ofKind, ofJA4, moreOdd []Hello
	newest                 ring[Hello]
	seenJA4                map[string]bool
}

// oddity counts the hellos with one.
type oddity struct {
	label string
	count int
	first Hello // without its message
}

// New returns an empty report.
func New() *Report {
	r := &Report{seenJA4: make(map[string]bool)}
	r.oddRows.size, r.otherRows.size, r.newest.size = MaxRows, MaxRows, MaxMessages
	return r
}

// Add counts a hello, and keeps what the page may show of it.
func (r *Report) Add(h Hello) {
	h.clean()
	if r.rows++; r.rows == 1 {
		r.source = h.Source
	}
	h.id = r.rows
	r.several = r.several || h.Source != r.source
	if len(h.Odd) > 0 {
		r.odd++
	}
	fresh := r.addOddities(&h)
	if h.Found {
		r.count(&h)
	}
	message := h.Message
	h.Message = nil
	if len(h.Odd) > 0 {
		r.oddRows.add(h)
	} else {
		r.otherRows.add(h)
	}
	if len(message) > 0 && len(message) <= maxKept {
		h.Message = message
		r.keep(h, fresh)
	}
}

// clean makes the text of a hello fit for the page.
func (h *Hello) clean() {
	for _, s := range []*string{&h.Source, &h.Transport, &h.Src, &h.Dst, &h.Name, &h.Version, &h.JA4, &h.Groups, &h.ECH} {
		*s = clip(*s)
	}
	h.Flags, h.Odd = clipAll(h.Flags), clipAll(h.Odd)
}

func clipAll(list []string) []string {
	const most = 8
	var clean []string
	for _, s := range list[:min(most, len(list))] {
		clean = append(clean, clip(s))
	}
	if more := len(list) - most; more > 0 {
		clean = append(clean, "and more")
	}
	return clean
}

// clip makes text printable and cuts it.
func clip(s string) string { return clipTo(s, maxText) }

func clipTo(s string, runes int) string {
	cut := len(s) > runes*utf8.UTFMax
	s = strings.Clone(s[:min(len(s), runes*utf8.UTFMax)]) // which may be part of much more memory
	s = terminal.Printable(s)
	if utf8.RuneCountInString(s) > runes {
		s, cut = string([]rune(s)[:runes]), true
	}
	if cut {
		s += "…"
	}
	return s
}

// addOddities counts the oddities of a hello, and reports whether one is the first of its
// kind.
func (r *Report) addOddities(h *Hello) (fresh bool) {
	for _, label := range h.Odd {
		i := slices.IndexFunc(r.oddities, func(o *oddity) bool { return o.label == label })
		if i < 0 && len(r.oddities) < maxKinds {
			i = len(r.oddities)
			r.oddities = append(r.oddities, &oddity{label: label, first: Hello{id: h.id, Number: h.Number, Source: h.Source}})
			fresh = true
		}
		if i >= 0 {
			r.oddities[i].count++
		}
	}
	return fresh
}

func (r *Report) count(h *Hello) {
	r.found++
	for _, c := range []struct {
		of  *int
		has bool
	}{
		{&r.flagged, len(h.Flags) > 0}, {&r.requestMTLS, h.RequestMTLS}, {&r.postQuantum, h.PostQuantum}, {&r.ech, h.ECH != ""},
	} {
		if c.has {
			*c.of++
		}
	}
	if !h.Time.IsZero() {
		if r.first.IsZero() || h.Time.Before(r.first) {
			r.first = h.Time
		}
		if h.Time.After(r.last) {
			r.last = h.Time
		}
		r.timeline.add(h.Time)
	}
	for i := range r.counters {
		r.counters[i].add(values[i](h))
	}
}

// keep copies the message if the hello may be one of those with annotated bytes.
func (r *Report) keep(h Hello, fresh bool) {
	firstJA4 := h.JA4 != "" && !r.seenJA4[h.JA4] && len(r.seenJA4) < MaxMessages
	h.Message = slices.Clone(h.Message)
	switch {
	case fresh:
		r.ofKind = append(r.ofKind, h) // at most maxKinds
	case firstJA4:
		r.ofJA4 = append(r.ofJA4, h)
	case len(h.Odd) > 0 && len(r.moreOdd) < MaxMessages:
		r.moreOdd = append(r.moreOdd, h)
	default:
		r.newest.add(h)
	}
	if firstJA4 {
		r.seenJA4[h.JA4] = true
	}
}

// chosen returns the hellos whose bytes are shown.
func (r *Report) chosen() []Hello {
	list := slices.Concat(r.ofKind, r.ofJA4, r.moreOdd, r.newest.latest())
	return list[:min(len(list), MaxMessages)]
}

// ring keeps the last elements.
type ring[T any] struct {
	size int
	list []T
	next int // the oldest, when the ring is full
}

func (r *ring[T]) add(v T) {
	if len(r.list) < r.size {
		r.list = append(r.list, v)
		return
	}
	r.list[r.next] = v
	r.next = (r.next + 1) % r.size
}

// latest returns the elements, the last one first.
func (r *ring[T]) latest() []T {
	list := slices.Concat(r.list[r.next:], r.list[:r.next])
	slices.Reverse(list)
	return list
}
