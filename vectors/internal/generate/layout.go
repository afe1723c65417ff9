package main

import (
	"bytes"
	"iter"
	"regexp"
	"slices"
)

const lineWidth = 100

// layOut writes a compact JSON value so that it is easy to read and to compare: what fits
// on a line stays on one, and everything else gets a line for each member. A row is on one
// line without spaces, for there are thousands.
func layOut(out *bytes.Buffer, value []byte, indent string) {
	switch {
	case row.Match(value):
		out.Write(value)
		return
	case !needsLines(value, indent):
		out.Write(spaced(value))
		return
	}
	out.WriteByte(value[0])
	for i, member := range split(value) {
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteString("\n " + indent)
		if value[0] == '{' {
			colon := bytes.Index(member, []byte(`":`)) + 2
			out.Write(member[:colon])
			out.WriteByte(' ')
			member = member[colon:]
		}
		layOut(out, member, indent+" ")
	}
	out.WriteString("\n" + indent)
	out.WriteByte(value[len(value)-1])
}

// row matches the beginning of a test in the groups that have a row for each number.
var row = regexp.MustCompile(`^{"id":"flags/(every|octet|length)/`)

// needsLines reports whether an object or array is too wide for one line. Lists of
// numbers stay on one line however wide they are.
func needsLines(value []byte, indent string) bool {
	list := value[0] == '[' && bytes.ContainsAny(value[1:], `"[{`)
	return (list || value[0] == '{') && len(indent)+len(value) > lineWidth
}

// outsideStrings yields each byte of a JSON text that is not part of a string.
func outsideStrings(text []byte) iter.Seq2[int, byte] {
	return func(yield func(int, byte) bool) {
		for i := 0; i < len(text); i++ {
			if text[i] == '"' {
				for i++; text[i] != '"'; i++ {
					if text[i] == '\\' {
						i++
					}
				}
			} else if !yield(i, text[i]) {
				return
			}
		}
	}
}

// split returns the members of an object or array.
func split(value []byte) (list [][]byte) {
	depth, start := 0, 1
	for i, c := range outsideStrings(value) {
		switch c {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		if depth == 0 || depth == 1 && c == ',' {
			list = append(list, value[start:i])
			start = i + 1
		}
	}
	return list
}

// spaced puts a space after every comma and colon outside of strings.
func spaced(value []byte) []byte {
	out := bytes.Clone(value)
	inserted := 0
	for i, c := range outsideStrings(value) {
		if c == ',' || c == ':' {
			inserted++
			out = slices.Insert(out, i+inserted, ' ')
		}
	}
	return out
}
