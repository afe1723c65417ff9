package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// layOut gives JSON text the form in which it is easy to read and to compare: what
// fits into a line stays on one, everything else gets a line for each member.
func layOut(compact []byte) ([]byte, error) {
	var out bytes.Buffer
	d := json.NewDecoder(bytes.NewReader(compact))
	if err := layOutValue(&out, d, compact, ""); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

const lineWidth = 100

// layOutValue writes the next value of d, whose text is in compact.
func layOutValue(out *bytes.Buffer, d *json.Decoder, compact []byte, indent string) error {
	start := skipSeparators(compact, int(d.InputOffset()))
	open := compact[start]
	if open != '{' && open != '[' {
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return err
		}
		out.Write(v)
		return nil
	}
	if end := start + valueLen(compact[start:]); !needsLines(compact[start:end], indent) {
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return err
		}
		out.WriteString(spaced(v))
		return nil
	}
	if _, err := d.Token(); err != nil {
		return err
	}
	out.WriteByte(open)
	inner := indent + " "
	for first := true; d.More(); first = false {
		if !first {
			out.WriteByte(',')
		}
		out.WriteString("\n" + inner)
		if open == '{' {
			key, err := d.Token()
			if err != nil {
				return err
			}
			fmt.Fprintf(out, "%q: ", key)
		}
		if err := layOutValue(out, d, compact, inner); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%s%c", indent, open+2) // '}' and ']' stand two after '{' and '['
	return nil
}

// row is the beginning of a test of a series that is more of a table.
var row = regexp.MustCompile(`^{"id":"flags/(every|octet|length)/`)

// needsLines reports whether a value is too wide for one line. Lists of numbers, and
// rows, stay on one however wide they are.
func needsLines(value []byte, indent string) bool {
	if value[0] == '[' && !bytes.ContainsAny(value[1:], `"[{`) || row.Match(value) {
		return false
	}
	return len(indent)+len(value) > lineWidth
}

func skipSeparators(b []byte, i int) int {
	for strings.IndexByte(",: \n", b[i]) >= 0 {
		i++
	}
	return i
}

// valueLen returns the length of the JSON value at the beginning of b.
func valueLen(b []byte) int {
	d := json.NewDecoder(bytes.NewReader(b))
	var v json.RawMessage
	if err := d.Decode(&v); err != nil {
		panic(err) // encoding/json has written it
	}
	return int(d.InputOffset())
}

// spaced puts a space after every comma and colon outside of strings.
func spaced(v []byte) string {
	var b strings.Builder
	quoted := false
	for i, c := range v {
		b.WriteByte(c)
		if c == '"' && (i == 0 || v[i-1] != '\\') {
			quoted = !quoted
		}
		if !quoted && (c == ',' || c == ':') {
			b.WriteByte(' ')
		}
	}
	return b.String()
}
