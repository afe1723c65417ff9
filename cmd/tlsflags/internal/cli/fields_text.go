package cli

import (
	"io"
	"math"
	"reflect"
	"strings"

	"github.com/fatih/color"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/paths"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/screen"
)

// fieldsText writes the fields of a hello in columns. A column gets wider as longer values
// come, as far as the screen has room.
type fieldsText struct {
	w      io.Writer
	fields fieldList
	style  textStyle
	widths []int // nil before the first line
	b      []byte
}

func (p *fieldsText) print(l *line) error {
	p.b = p.b[:0]
	cells := make([]string, len(p.fields))
	for i, f := range p.fields {
		if cells[i] = textCells.of(f.In(reflect.ValueOf(l).Elem()), f.Type()); cells[i] == "" {
			cells[i] = "-"
		}
	}
	if p.widths == nil {
		names := make([]string, len(p.fields))
		p.plan()
		p.widen(cells)
		for i, f := range p.fields {
			if names[i] = f.String(); p.style.width > 0 && len(names[i]) > p.widths[i] {
				names[i] = f[len(f)-1].Name
			}
		}
		p.row(names)
		p.b = []byte(p.style.paint(strings.TrimSuffix(string(p.b), "\n"), color.Bold) + "\n")
	}
	p.row(cells)
	_, err := p.w.Write(p.b)
	return err
}

// plan gives the columns the widths that their values usually have. On a screen that is too
// narrow, free text gets less, then times lose their fractions, and in the end the widest
// columns get less.
func (p *fieldsText) plan() {
	p.widths = make([]int, len(p.fields))
	if p.style.width <= 0 {
		return
	}
	total := -columnGap
	for i, f := range p.fields {
		p.widths[i], _ = usualWidth(f)
		total += p.widths[i] + columnGap
	}
	shrink := func(least func(paths.Path) int) {
		for total > p.style.width {
			widest := -1
			for i, f := range p.fields {
				if p.widths[i] > least(f) && (widest < 0 || p.widths[i] >= p.widths[widest]) {
					widest = i
				}
			}
			if widest < 0 {
				return
			}
			p.widths[widest]--
			total--
		}
	}
	shrink(leastWidth{text: 8, moment: whole, address: whole}.of)
	shrink(leastWidth{text: 8, moment: len(wholeSeconds), address: whole}.of)
	shrink(leastWidth{text: 3, moment: len(wholeSeconds), address: whole}.of)
	shrink(leastWidth{text: 3, moment: len(wholeSeconds), address: len("192.168.10.20")}.of)
	shrink(func(paths.Path) int { return 1 })
}

// widen gives columns the widths of cells, as far as there is room.
func (p *fieldsText) widen(cells []string) {
	room := p.style.width + columnGap
	for _, w := range p.widths {
		room -= w + columnGap
	}
	for i, cell := range cells {
		more := screen.Width(cell) - p.widths[i]
		if p.style.width > 0 {
			more = min(more, room)
		}
		if more > 0 {
			p.widths[i] += more
			room -= more
		}
	}
}

// wholeSeconds is the shortest form of a time.
const wholeSeconds = "2006-01-02T15:04:05Z"

// leastWidth says how narrow columns may get.
type leastWidth struct{ text, moment, address int }

const whole = math.MaxInt

func (w leastWidth) of(p paths.Path) int {
	switch _, free := usualWidth(p); {
	case free:
		return w.text
	case p.Type().Kind == paths.Moment:
		return w.moment
	case strings.HasSuffix(p.String(), "_ip"):
		return w.address
	}
	return whole
}

const columnGap = 2

// usualWidth returns the width of most values, and whether they are free text, of any length.
func usualWidth(p paths.Path) (width int, free bool) {
	switch name := p.String(); {
	case p.Type().Kind == paths.Moment:
		return len("2006-01-02T15:04:05.000000Z"), false
	case p.Type().Kind == paths.Number || p.Type().Kind == paths.Truth:
		return len("00000"), false
	case name == "ja4":
		return len("t13d0000h2_000000000000_000000000000"), false
	case strings.HasSuffix(name, "_ip"):
		return len("192.168.100.100"), false
	case name == "src" || name == "dst":
		return len("192.168.100.100:50000"), false
	case name == "transport":
		return len("quic"), false
	}
	return 24, true
}

// shortTime leaves as many digits of the fraction of a time out as it takes to fit.
func shortTime(t string, width int) string {
	if len(t) <= width || width < len(wholeSeconds) {
		return t
	}
	whole, fraction, _ := strings.Cut(strings.TrimSuffix(t, "Z"), ".")
	if digits := width - len(wholeSeconds) - 1; digits > 0 {
		return whole + "." + fraction[:digits] + "Z"
	}
	return whole + "Z"
}

// row appends a line. What does not fit is cut, first in the last columns.
func (p *fieldsText) row(cells []string) {
	var line strings.Builder
	used := 0
	for i, cell := range cells {
		width := screen.Width(cell)
		if p.style.width > 0 {
			least := 0 // of the columns that follow
			for _, w := range p.widths[i+1:] {
				least += columnGap + max(w, 1)
			}
			if room := max(p.style.width-used-least, 1); width > room {
				if p.fields[i].Type().Kind == paths.Moment {
					cell = shortTime(cell, room)
				}
				cell = screen.Cut(cell, room)
				width = screen.Width(cell)
			}
		}
		p.widths[i] = max(p.widths[i], width)
		if i < len(cells)-1 {
			cell = screen.Pad(cell, p.widths[i]+columnGap)
		}
		line.WriteString(cell)
		used += p.widths[i] + columnGap
	}
	p.b = append(append(p.b, screen.Cut(line.String(), p.style.width)...), '\n')
}

func (p *fieldsText) close() error { return nil }
