package paste

import (
	"bytes"
	"slices"
	"strconv"
)

// maxRepeated is how many bytes the lines that a dump left out for an asterisk may have.
const maxRepeated = 1 << 17

// maxRows is the largest number of lines of a dump.
const maxRows = 1 << 16

// maxRow is the largest number of bytes in a line of a dump.
const maxRow = 1 << 10

// row is a line of a dump.
type row struct {
	at     int    // of the line in the text
	offset []byte // its digits; nil for an asterisk
	mark   bool   // a colon is after the offset, or bars are around the characters
	octets []byte // the rest of the line
	column int    // of octets in the line
}

// readDump reads the lines that begin with an offset, as hexdump -C, xxd, od, tcpdump -X and
// Wireshark print them. The offsets say how many bytes a line has; what comes after them is
// not read. An offset that is not greater than the last one begins another block.
func readDump(text []byte, yield func(Reading) bool) *fault {
	rows := dumpRows(text)
	if len(rows) > maxRows {
		return faultf(rows[maxRows].at, Dump, "a dump may have at most %d lines", maxRows)
	}
	if len(rows) == 0 || len(rows) == 1 && !rows[0].mark {
		return nil
	}
	var first *fault
	for _, radix := range []int{16, 8, 10} {
		d := dump{radix: radix}
		f := d.read(rows)
		if f == nil && len(d.blocks) > 0 && (d.follows > 0 || rows[0].mark) {
			d.yield(yield)
			return nil
		}
		if first == nil && (d.follows > 0 || d.words) {
			first = f
		}
	}
	return first
}

// dumpRows finds the lines of a dump.
func dumpRows(text []byte) []row {
	var rows []row
	at := 0
	for line := range bytes.Lines(text) {
		if r, ok := labelledRow(line); ok && (r.offset != nil || len(rows) > 0) {
			r.at = at
			if rows = append(rows, r); len(rows) > maxRows {
				break
			}
		}
		at += len(line)
	}
	return rows
}

// labelledRow reads a line of a dump, perhaps after what a log has before it, such as "file.c:1: ".
func labelledRow(line []byte) (r row, ok bool) {
	const longest = 100
	from := 0
	for r, ok = dumpRow(line); !ok; r, ok = dumpRow(line[from:]) {
		n := bytes.Index(line[from:], []byte(": "))
		if n < 0 || from+n > longest {
			return row{}, false
		}
		from += n + len(": ")
	}
	r.column += from
	return r, from == 0 || r.mark
}

func dumpRow(line []byte) (row, bool) {
	s := bytes.TrimPrefix(bytes.TrimLeft(line, " \t"), []byte("|")) // as Netty has
	if string(bytes.TrimSpace(s)) == "*" {
		return row{}, true
	}
	for _, prefix := range []string{"0x", "0X"} {
		s = bytes.TrimPrefix(s, []byte(prefix))
	}
	n := 0
	for n < len(s) && digit(s[n]) >= 0 {
		n++
	}
	const shortest, longest = 3, 16
	if n < shortest || n > longest {
		return row{}, false
	}
	r := row{offset: s[:n]}
	s = s[n:]
	if len(s) > 0 && (s[0] == ':' || s[0] == '|' || s[0] == 'h') {
		r.mark = true
		s = s[1:]
	}
	if len(s) > 0 && !isSpace(s[0]) {
		return row{}, false
	}
	if rest, ok := bytes.CutPrefix(s, []byte(" - ")); ok { // openssl s_client -debug
		s, r.mark = rest, true
	}
	r.mark = r.mark || bytes.Contains(s, []byte("  |")) || begins(r.offset, s)
	r.octets, r.column = s, len(line)-len(s)
	return r, true
}

// begins reports whether a line is surely the first of a dump, with bytes in hexadecimal: its
// offset, of four digits or more, is zero, and two digits follow it at a time.
func begins(offset, s []byte) bool {
	const shortest = 4
	octets := bytes.Fields(s)
	return len(offset) >= shortest && len(bytes.Trim(offset, "0")) == 0 && len(octets) > 1 && len(octets[0]) == 2 && len(octets[1]) == 2
}

// dump is a dump that is being read.
type dump struct {
	radix   int
	blocks  [][]byte
	pads    [][]byte // for each block, the padding of its last word
	pad     []byte   // of the block that is being read
	width   int      // of a line, in bytes; 0 if it is not known
	end     int      // column after the last byte of a line of that width
	follows int      // lines whose offset follows
	group   int      // bytes without a blank between them, in the first group
	uneven  bool     // there are other groups, not only short ones at the end of a line
	words   bool     // the lines have other numbers than octets in hexadecimal
	stop    int      // offset of the end of the last line read
	spare   int      // bytes that asterisks may still add
}

func (d *dump) value(r row) (int, bool) {
	v, err := strconv.ParseUint(string(r.offset), d.radix, 62)
	return int(v), err == nil
}

const noOctets = "these are not octets in hexadecimal; use od -A x -t x1 -v"

// read reads all blocks.
func (d *dump) read(rows []row) *fault {
	var block []byte
	d.spare = maxRepeated
	for i := 0; i < len(rows); i++ {
		r := rows[i]
		if r.offset == nil {
			continue
		}
		v, ok := d.value(r)
		if !ok {
			return faultf(r.at, Dump, "the offset %s is not a number", quote(r.offset))
		}
		next, squeezed := i+1, false
		for next < len(rows) && rows[next].offset == nil {
			next, squeezed = next+1, true
		}
		n, last := 0, true
		if next < len(rows) {
			w, ok := d.value(rows[next])
			n, last = w-v, !ok || w <= v
		}
		var octets []byte
		switch {
		case last:
			octets = d.lastRow(r)
		case squeezed:
			if octets = d.octets(r, d.width); len(octets) == 0 || n > d.spare || n%len(octets) != 0 {
				return faultf(rows[next].at, Dump, "the offset %s does not follow the lines left out before it", quote(rows[next].offset))
			}
			octets = bytes.Repeat(octets, n/len(octets))
			d.spare -= n
		default:
			width := d.width
			octets = d.octets(r, min(n, maxRow))
			d.words = d.follows == 0 && v == 0 && d.isWords(r, rows[next], n, len(octets))
			switch {
			case d.words:
				return faultf(r.at+r.column, Dump, noOctets)
			case len(octets) < min(n, width):
				return faultf(d.stop, Dump, "two hexadecimal digits are missing: the line has %d bytes, and those before it have %d", len(octets), width)
			case len(octets) < n:
				return faultf(rows[next].at, Dump, "the offset %s does not follow the line before, which has %d bytes from %s; is a line missing?",
					quote(rows[next].offset), len(octets), r.offset)
			}
			octets, d.pad = octets[:n], octets[n:]
			d.follows++
		}
		if block = append(block, octets...); last && len(block) > 0 {
			d.blocks, d.pads = append(d.blocks, block), append(d.pads, d.pad)
			block, d.width, d.pad = nil, 0, nil
		}
	}
	return nil
}

// isWords reports whether a line of n bytes, of which some were read as octets, has words of
// another kind, such as octal ones. Octets are more than n only in the last line, whose last
// word of 2, 4 or 8 is padded.
func (d *dump) isWords(r, next row, n, octets int) bool {
	if octets > n {
		return len(bytes.TrimSpace(next.octets)) > 0 || d.group&(d.group-1) != 0
	}
	words := len(bytes.Fields(r.octets))
	rest := bytes.TrimSpace(r.octets[d.stop-r.at-r.column:])
	return octets < n && len(rest) > 0 && (words == n || 2*words == n || 4*words == n || 8*words == n)
}

// octets reads n bytes of a line, and the rest of the group with the last one. If n is 0, it
// reads all up to the characters.
func (d *dump) octets(r row, n int) []byte {
	s := r.octets
	var data []byte
	i, short := 0, false
	for gap := 0; i < len(s) && (n == 0 || len(data) < n); gap = 0 {
		for i < len(s) && (isSpace(s[i]) || s[i] == '-' && len(data) > 0) {
			i++
			gap++
		}
		if n == 0 && gap > 1 && len(data) > 0 && len(data) != 8 {
			break // hexdump -C has two blanks after 8 bytes
		}
		end := i
		for end < len(s) && digit(s[end]) >= 0 {
			end++
		}
		if end == i || (end-i)%2 != 0 || end < len(s) && !isSpace(s[end]) && s[end] != '-' && s[end] != '|' {
			break
		}
		if d.group == 0 {
			d.group = (end - i) / 2
		}
		d.uneven = d.uneven || short || (end-i)/2 > d.group
		short = (end-i)/2 < d.group
		for ; i < end; i += 2 {
			data = append(data, byte(octet(s[i:])))
		}
	}
	d.stop = r.at + r.column + i
	if len(data) > 0 {
		if len(data) >= d.width {
			d.width, d.end = len(data), r.column+i
		}
	}
	return data
}

// lastRow reads the last line of a block, of which only the line before tells where the
// bytes end.
func (d *dump) lastRow(r row) []byte {
	if d.width > 0 && d.end > r.column {
		r.octets = r.octets[:min(d.end-r.column, len(r.octets))]
	}
	return d.octets(r, d.width)
}

// yield yields the blocks.
func (d *dump) yield(yield func(Reading) bool) {
	for i, b := range d.blocks {
		r := Reading{Form: Dump, Data: b}
		if i == 0 {
			r.Blocks = d.blocks
		}
		if !yield(r) {
			return
		}
	}
	if d.uneven || d.group < 2 {
		return
	}
	for i, b := range d.blocks {
		words := slices.Concat(b, d.pads[i])
		swap(words, d.group)
		if !yield(Reading{Form: SwappedDump, Data: words[:len(b)], Unlikely: true}) {
			return
		}
	}
}

// swap reverses the bytes of each word.
func swap(words []byte, size int) {
	for word := range slices.Chunk(words, size) {
		slices.Reverse(word)
	}
}
