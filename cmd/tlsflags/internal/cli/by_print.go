package cli

import (
	"bufio"
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/screen"
)

// tallyRow is a line of what --by prints.
type tallyRow struct {
	key tallyKey
	tallied
	other bool // all values that have no row
	left  int  // how many of these more rows would show; 0 if nothing would show all
}

// rows returns the rows with the most hellos, or all if top is 0. They are in the order of
// their counts, or of time if it is the first grouping.
func (t *tally) rows(top int) []tallyRow {
	list := make([]tallyRow, 0, len(t.counts))
	for k, n := range t.counts {
		list = append(list, tallyRow{key: k, tallied: n})
	}
	slices.SortFunc(list, func(a, b tallyRow) int { return cmp.Or(b.hellos-a.hellos, t.compare(a.key, b.key)) })
	other, left := t.other, 0
	if top > 0 && len(list) > top {
		if other == 0 {
			left = len(list) - top
		}
		for _, r := range list[top:] {
			other += r.hellos
		}
		list = list[:top]
	}
	if first := t.by[0].name; first == "day" || first == "hour" {
		slices.SortStableFunc(list, func(a, b tallyRow) int { return cmp.Compare(a.key[0], b.key[0]) })
	}
	if other > 0 {
		list = append(list, tallyRow{tallied: tallied{hellos: other}, other: true, left: left})
	}
	return list
}

// compare orders values as text, and code points as numbers.
func (t *tally) compare(a, b tallyKey) int {
	for i, g := range t.by {
		order := cmp.Compare(a[i], b[i])
		if g.names != nil {
			order = cmp.Or(len(a[i])-len(b[i]), order)
		}
		if order != 0 {
			return order
		}
	}
	return 0
}

func (t *tally) print(w *bufio.Writer, format string, top, width int) {
	rows := t.rows(top)
	switch format {
	case "json", "jsonl":
		t.printJSON(w, format == "json", rows)
	case "csv":
		t.printCSV(w, rows)
	default:
		t.printTable(w, rows, width)
	}
}

func (t *tally) printJSON(w io.Writer, array bool, rows []tallyRow) {
	var b []byte
	separator, end := "\n", "\n"
	switch {
	case len(rows) == 0 && !array:
		return
	case len(rows) == 0:
		b, end = append(b, '['), "]\n"
	case array:
		b, separator, end = append(b, "[\n"...), ",\n", "\n]\n"
	}
	for i, r := range rows {
		if i > 0 {
			b = append(b, separator...)
		}
		b = append(b, '{')
		for i, g := range t.by {
			b = append(appendString(b, g.name), ':')
			switch v := r.key[i]; {
			case v == "":
				b = append(b, "null"...)
			case g.names != nil:
				b = appendPoint(b, g.point(v))
			default:
				b = appendString(b, v)
			}
			b = append(b, ',')
		}
		b = appendInt(append(b, `"hellos":`...), r.hellos)
		b = appendBool(append(b, `,"other":`...), r.other)
		if r.other {
			b = append(b, `,"first_source":null,"first_hello":null}`...)
			continue
		}
		b = appendString(append(b, `,"first_source":`...), r.source)
		b = append(appendInt(append(b, `,"first_hello":`...), r.number), '}')
	}
	_, _ = w.Write(append(b, end...)) // the next flush has the error
}

// point returns the code point that a value has.
func (g grouping) point(v string) codePoint {
	n, err := strconv.ParseUint(v, 10, 16)
	if err != nil {
		panic(err) // addPoint wrote it
	}
	return codePoint{Value: uint32(n), Name: optional(g.names(uint16(n)))}
}

func (t *tally) printCSV(w io.Writer, rows []tallyRow) {
	c := csv.NewWriter(w)
	var cells []string
	for _, g := range t.by {
		cells = append(cells, g.name)
	}
	_ = c.Write(append(cells, "hellos", "other"))
	for _, r := range rows {
		cells = cells[:0]
		for i := range t.by {
			cells = append(cells, csvText(r.key[i]))
		}
		_ = c.Write(append(cells, strconv.Itoa(r.hellos), strconv.FormatBool(r.other)))
	}
	c.Flush()
}

func (t *tally) printTable(w io.Writer, rows []tallyRow, width int) {
	const least = 12
	table := screen.Table{Columns: []screen.Column{{Name: "HELLOS", Right: true}}}
	for _, g := range t.by {
		table.Columns = append(table.Columns, screen.Column{Name: strings.ToUpper(g.name), Least: least})
	}
	table.Columns = append(table.Columns, screen.Column{Name: "FIRST", Rank: 1})
	captures := t.several && !t.joined
	if captures {
		table.Columns = append(table.Columns, screen.Column{Name: "CAPTURE", Least: least, Tail: true})
	}
	folder := ""
	if width > 0 {
		folder = commonFolder(rows)
	}
	for _, r := range rows {
		cells := []string{strconv.Itoa(r.hellos)}
		if r.other {
			table.Remark(r.others(), cells...)
			continue
		}
		for i, g := range t.by {
			cells = append(cells, g.cell(r.key[i]))
		}
		cells = append(cells, fmt.Sprintf("#%d", r.number)) // as explain takes it
		if captures {
			cells = append(cells, printable(r.source[len(folder):]))
		}
		table.Row(cells...)
	}
	_ = table.Write(w, width) // the next flush has the error
}

// commonFolder returns the folder that all captures of rows are in, with its separator, or "".
func commonFolder(rows []tallyRow) string {
	common := ""
	for i, r := range rows {
		if r.other {
			continue
		}
		folder := r.source[:strings.LastIndexAny(r.source, `/\`)+1]
		if i == 0 {
			common = folder
		}
		n := 0
		for n < min(len(common), len(folder)) && common[n] == folder[n] {
			n++
		}
		common = common[:strings.LastIndexAny(common[:n], `/\`)+1]
	}
	return common
}

// others says how many values the last row adds up, if that is known.
func (r tallyRow) others() string {
	if r.left > 0 {
		return fmt.Sprintf("(%s; --top 0 lists all)", count(r.left, "other"))
	}
	return "(other)"
}

// cell is a value for people.
func (g grouping) cell(v string) string {
	switch {
	case v == "":
		return "-"
	case g.names == nil:
		return printable(v)
	default:
		p := g.point(v)
		if p.Name == "" {
			return v
		}
		return fmt.Sprintf("%s(%d)", p.Name, p.Value)
	}
}
