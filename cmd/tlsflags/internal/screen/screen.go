// Package screen lays text out for a number of columns: it measures, cuts and fills lines, and
// prints tables. A width of 0 is no limit: nothing is cut or left out.
//
// Text must be safe for a terminal: see package terminal. The only escape sequences in it are
// those for colours, which take no column.
package screen

import (
	"strings"

	"github.com/rivo/uniseg"
)

// Ellipsis is in the place of what was cut off.
const Ellipsis = "…"

const escape = '\x1b'

// Width returns how many columns s takes.
func Width(s string) int {
	width := 0
	for s != "" {
		plain := s
		if i := strings.IndexByte(s, escape); i >= 0 {
			plain = s[:i]
		}
		width += plainWidth(plain)
		s = s[len(plain):]
		s = s[sequence(s):]
	}
	return width
}

func plainWidth(s string) int {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return uniseg.StringWidth(s)
		}
	}
	return len(s)
}

// sequence returns the length of the escape sequence that s begins with, or 0.
func sequence(s string) int {
	if s == "" || s[0] != escape {
		return 0
	}
	if i := strings.IndexByte(s, 'm'); i > 0 {
		return i + 1
	}
	return len(s)
}

// Cut returns s if it takes no more than width columns, and else as much of it as fits with an
// ellipsis. A character that takes two columns is not cut in half.
func Cut(s string, width int) string {
	if width <= 0 || Width(s) <= width {
		return s
	}
	room := width - 1
	var b strings.Builder
	colored, state := false, -1
	for s != "" {
		if n := sequence(s); n > 0 {
			b.WriteString(s[:n])
			colored = !strings.HasPrefix(s[:n], "\x1b[0")
			s, state = s[n:], -1
			continue
		}
		cluster, rest, w, next := uniseg.FirstGraphemeClusterInString(s, state)
		if room -= w; room < 0 {
			break
		}
		b.WriteString(cluster)
		s, state = rest, next
	}
	b.WriteString(Ellipsis)
	if colored {
		b.WriteString(reset)
	}
	return b.String()
}

// cutStart returns the end of s, with an ellipsis before it, if s is wider than width columns.
// There is no color in s.
func cutStart(s string, width int) string {
	over := Width(s) - width
	if width <= 0 || over <= 0 {
		return s
	}
	over += Width(Ellipsis)
	for state := -1; over > 0 && s != ""; {
		var w int
		_, s, w, state = uniseg.FirstGraphemeClusterInString(s, state)
		over -= w
	}
	return Ellipsis + s
}

const reset = "\x1b[0m"

// Pad appends spaces to s up to width columns.
func Pad(s string, width int) string {
	return s + strings.Repeat(" ", max(width-Width(s), 0))
}

// Fill puts parts after each other, with a separator, into as few lines as their width allows.
// Lines after the first begin with indent. A part that is longer than a line is cut.
func Fill(parts []string, separator, indent string, width int) string {
	if width <= 0 {
		return strings.Join(parts, separator)
	}
	var b strings.Builder
	end := strings.TrimRight(separator, " ")
	used := 0
	for i, part := range parts {
		last := i == len(parts)-1
		room := width
		if !last {
			room -= Width(end)
		}
		switch {
		case i == 0:
		case used+Width(separator)+Width(part) <= room:
			b.WriteString(separator)
			used += Width(separator)
		default:
			b.WriteString(end + "\n" + indent)
			used = Width(indent)
		}
		part = Cut(part, max(room-used, 1))
		b.WriteString(part)
		used += Width(part)
	}
	return b.String()
}
