package screen

import (
	"io"
	"strings"
)

// Column is a column of a Table.
type Column struct {
	Name  string
	Right bool // numbers
	Tail  bool // if it is cut, its end stays; it has no colors
	// Least is the width to which the column may be cut; 0: it is not cut.
	Least int
	// Rank orders the columns by importance. If there is too little room, those with the
	// highest are left out. Columns with rank 0 stay.
	Rank int
}

// Table is a table that is known as a whole before it is printed.
type Table struct {
	Columns []Column
	rows    []tableRow
}

type tableRow struct {
	cells  []string
	remark string
}

// Row adds a row. Cells that are not given are empty.
func (t *Table) Row(cells ...string) { t.rows = append(t.rows, tableRow{cells: cells}) }

// Remark adds a row with a remark after its cells, over all columns that follow.
func (t *Table) Remark(remark string, cells ...string) {
	t.rows = append(t.rows, tableRow{cells, remark})
}

// Write prints the table, with the names of the columns above it, unless all are empty.
func (t *Table) Write(w io.Writer, width int) error {
	widths := t.plan(width)
	var b strings.Builder
	named := false
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
		named = named || c.Name != ""
	}
	if named {
		b.WriteString(t.line(names, widths))
	}
	for _, row := range t.rows {
		if row.remark == "" {
			b.WriteString(t.line(row.cells, widths))
			continue
		}
		cells := strings.TrimSuffix(t.line(row.cells, widths), "\n")
		b.WriteString(Cut(cells+strings.Repeat(" ", gap)+row.remark, width) + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

const gap = 2 // between columns

// plan returns the widths of the columns; -1 for those that are left out.
func (t *Table) plan(width int) []int {
	natural := make([]int, len(t.Columns))
	for i, c := range t.Columns {
		natural[i] = Width(c.Name)
		for _, row := range t.rows {
			if i < len(row.cells) {
				natural[i] = max(natural[i], Width(row.cells[i]))
			}
		}
	}
	for {
		widths := append([]int(nil), natural...)
		over := total(widths) - width
		if width <= 0 || over <= 0 || t.shrink(widths, over) {
			return widths
		}
		last := -1
		for i, c := range t.Columns {
			if natural[i] >= 0 && c.Rank > 0 && (last < 0 || c.Rank > t.Columns[last].Rank) {
				last = i
			}
		}
		if last < 0 {
			return widths
		}
		natural[last] = -1
	}
}

// shrink makes columns narrower, the least important ones first. It reports whether that was
// enough.
func (t *Table) shrink(widths []int, over int) bool {
	done := make([]bool, len(widths))
	for over > 0 {
		next := -1
		for i, c := range t.Columns {
			if !done[i] && c.Least > 0 && widths[i] > c.Least && (next < 0 || c.Rank >= t.Columns[next].Rank) {
				next = i
			}
		}
		if next < 0 {
			return false
		}
		done[next] = true
		cut := min(over, widths[next]-t.Columns[next].Least)
		widths[next] -= cut
		over -= cut
	}
	return true
}

func total(widths []int) int {
	n := -gap
	for _, w := range widths {
		if w >= 0 {
			n += w + gap
		}
	}
	return n
}

func (t *Table) line(cells []string, widths []int) string {
	var line strings.Builder
	for i, c := range t.Columns {
		if widths[i] < 0 {
			continue
		}
		cell := ""
		if i < len(cells) {
			cut := Cut
			if c.Tail {
				cut = cutStart
			}
			cell = cut(cells[i], widths[i])
		}
		if line.Len() > 0 {
			line.WriteString(strings.Repeat(" ", gap))
		}
		if c.Right {
			line.WriteString(strings.Repeat(" ", max(widths[i]-Width(cell), 0)))
			line.WriteString(cell)
		} else {
			line.WriteString(Pad(cell, widths[i]))
		}
	}
	return strings.TrimRight(line.String(), " ") + "\n"
}
