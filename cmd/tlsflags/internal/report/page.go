package report

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/annotate"
)

//go:embed style.css
var style string

//go:embed page.html
var page string

// templates are parsed when they are needed, not at the start of every command.
var templates = sync.OnceValue(func() *template.Template { return template.Must(template.New("").Parse(page)) })

// Style is the style sheet of the page.
func Style() template.CSS { return template.CSS(style) }

// Policy returns the Content-Security-Policy of a page whose only content besides HTML is
// the style sheet.
func Policy() string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"
}

// execute appends a part of the page.
func execute(b *strings.Builder, name string, data any) {
	if err := templates().ExecuteTemplate(b, name, data); err != nil {
		panic(err) // a fault in a template: strings.Builder has no errors
	}
}

// About is what the page says besides the hellos.
type About struct {
	Sources []string // inputs
	Counts  []string // what was read and passed over
}

// Write writes the page.
func (r *Report) Write(w io.Writer, about About) error {
	var head, rest strings.Builder
	chosen := r.chosen()
	shown := make(map[int]bool)
	for i := range chosen {
		shown[chosen[i].id] = true
	}
	execute(&head, "head", r.head(about, shown))
	execute(&rest, "rest", struct{ Shown int }{len(chosen)})
	rows, listed, noBytes := r.table(shown, MaxSize-head.Len()-rest.Len()-tableSize)
	execute(&head, "table", struct {
		Listed, Rows, NoBytes int
		Several               bool
	}{listed, r.rows, noBytes, r.several})
	for _, part := range []string{head.String(), rows, rest.String()} {
		if _, err := io.WriteString(w, part); err != nil {
			return err
		}
	}
	slices.SortFunc(chosen, func(a, b Hello) int { return a.id - b.id })
	for _, h := range chosen {
		var around, b strings.Builder
		data := messageData{rowData: r.row(h, shown)}
		execute(&around, "message", data)
		data.Bytes = bytesIn(MaxMessage-around.Len(), annotate.ExplainCarried(h.Kind, h.Message, h.Code, h.Offset))
		execute(&b, "message", data)
		if _, err := io.WriteString(w, b.String()); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, "</html>\n")
	return err
}

// tableSize is room for the head of the table.
const tableSize = 2000

// table returns the rows that fit, their number, and how many of them have no bytes.
func (r *Report) table(shown map[int]bool, room int) (rows string, listed, noBytes int) {
	var all strings.Builder
	for _, h := range slices.Concat(r.oddRows.latest(), r.otherRows.latest()) {
		if listed == MaxRows {
			break
		}
		var b strings.Builder
		data := r.row(h, shown)
		execute(&b, "row", data)
		if all.Len()+b.Len() > room {
			break
		}
		all.WriteString(b.String())
		listed++
		if !data.Link {
			noBytes++
		}
	}
	return all.String(), listed, noBytes
}

type rowData struct {
	Hello
	Anchor            string
	Link              bool // to the bytes
	Several           bool
	When              string
	FlagText, OddText string
	Frame             string
}

func (r *Report) row(h Hello, shown map[int]bool) rowData {
	d := rowData{Hello: h, Anchor: r.anchor(h), Link: shown[h.id], Several: r.several,
		FlagText: strings.Join(h.Flags, ", "), OddText: strings.Join(h.Odd, ", ")}
	if !h.Time.IsZero() {
		d.When = h.Time.UTC().Format("2006-01-02 15:04:05.000")
	}
	if h.Frame > 0 {
		d.Frame = fmt.Sprint(h.Frame)
	}
	return d
}

// anchor names the bytes of a hello in a link.
func (r *Report) anchor(h Hello) string {
	if r.several { // and so numbers are not unique
		return fmt.Sprintf("row-%d", h.id)
	}
	return fmt.Sprintf("hello-%d", h.Number)
}

type messageData struct {
	rowData
	Bytes template.HTML
}

// tile is one of the numbers at the top.
type tile struct {
	Label string
	Count int
	Share string
}

type oddityData struct {
	Label string
	Count int
	First int // the number of the first hello

	Source string // its capture, if there are several
	Link   string // its anchor, if its bytes are shown
}

type chart struct {
	Title string
	Whole bool // labels are not wrapped
	Bars  []bar
}

type headData struct {
	Policy      string
	Style       template.CSS
	Sources     []string
	MoreSources int
	Period      string
	Tiles       []tile
	Oddities    []oddityData
	Counts      []string
	Timeline    *timeChart
	Charts      []chart
}

func (r *Report) head(about About, shown map[int]bool) headData {
	const mostSources, mostCounts = 20, 40
	d := headData{Policy: Policy(), Style: Style(), Timeline: r.timeline.chart()}
	for _, s := range about.Sources[:min(mostSources, len(about.Sources))] {
		d.Sources = append(d.Sources, clip(s))
	}
	d.MoreSources = len(about.Sources) - len(d.Sources)
	for _, s := range about.Counts[:min(mostCounts, len(about.Counts))] {
		d.Counts = append(d.Counts, clipTo(s, 500))
	}
	if !r.first.IsZero() {
		d.Period = r.first.UTC().Format(time.DateTime) + " to " + r.last.UTC().Format(time.DateTime) + " UTC"
	}
	d.Tiles = []tile{{"hellos", r.found, ""}, {"rows with doubts or oddities", r.odd, share(r.odd, r.rows)}}
	for _, t := range []tile{
		{"with TLS flags", r.flagged, ""}, {"with request_mtls", r.requestMTLS, ""},
		{"with a post-quantum key share", r.postQuantum, ""}, {"with Encrypted Client Hello", r.ech, ""},
	} {
		t.Share = share(t.Count, r.found)
		d.Tiles = append(d.Tiles, t)
	}
	slices.SortStableFunc(r.oddities, func(a, b *oddity) int { return b.count - a.count })
	for _, o := range r.oddities {
		data := oddityData{Label: o.label, Count: o.count, First: o.first.Number}
		if r.several && o.first.Number > 0 {
			data.Source = o.first.Source
		}
		if shown[o.first.id] {
			data.Link = r.anchor(o.first)
		}
		d.Oddities = append(d.Oddities, data)
	}
	for i := range r.counters {
		if bars := r.counters[i].bars(); len(bars) > 0 {
			d.Charts = append(d.Charts, chart{titles[i], i == byJA4, bars})
		}
	}
	return d
}
