package paste

import (
	"bytes"
	"cmp"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"
)

// start is the first escape of a string, with one backslash or, as in JSON, with two.
var start = pattern(`(\\\\?)[xXu0-3]`)

// readEscaped reads strings with escapes such as \x16 or \u0016, as logs and programming
// languages write them, each to the end of its literal or else of the text. If there are
// several, those count that make sense as a whole.
func readEscaped(text []byte, literals []window, yield func(Reading) bool) (f *fault) {
	const shortest = 4
	var all []Reading
	n, at := 0, 0
	for ; bytes.IndexByte(text[at:], '\\') >= 0; n++ {
		found := start().FindSubmatchIndex(text[at:])
		if found == nil || len(text)-at-found[0] < shortest {
			break
		}
		e := escaped{text: text, at: at + found[0], slash: string(text[at+found[2] : at+found[3]])}
		e.delimit(literals)
		if n == 1 {
			f = faultf(e.at, Escaped, secondString)
		}
		if wrong := e.read(); wrong != nil {
			f = cmp.Or(f, wrong)
			break
		}
		all = append(all, e.readings()...)
		at = e.at
	}
	for _, r := range all {
		r.Unlikely = r.Unlikely || n > 1
		if !yield(r) {
			break
		}
	}
	return f
}

// escaped is a string that is being read.
type escaped struct {
	text  []byte
	slash string // \ or \\
	quote byte   // that ends it, or 0
	at    int
	// data has characters beyond ASCII in UTF-8, latin1 as one byte each.
	data, latin1 []byte
	wide         bool // the two differ
	unicode      bool // even ASCII is escaped as characters, as in JSON
}

// delimit finds out where the string ends: with the literal that it is in, or before that at
// the quote that it begins with.
func (e *escaped) delimit(literals []window) {
	i := sort.Search(len(literals), func(i int) bool { return literals[i].end() > e.at })
	inside := i < len(literals) && literals[i].at <= e.at
	if inside {
		e.text = e.text[:literals[i].end()]
	}
	if e.at > 0 && strings.IndexByte(quotes, e.text[e.at-1]) >= 0 && !(inside && literals[i].at == e.at) {
		e.quote = e.text[e.at-1]
	}
}

func (e *escaped) readings() []Reading {
	first, second := e.data, e.latin1
	if e.unicode {
		first, second = second, first
	}
	all := []Reading{{Form: Escaped, Data: first}}
	if e.wide {
		all = append(all, Reading{Form: Escaped, Data: second, Unlikely: true})
	}
	return all
}

func (e *escaped) add(b byte) {
	e.data, e.latin1 = append(e.data, b), append(e.latin1, b)
}

func (e *escaped) addRune(r rune) {
	if r < utf8.RuneSelf {
		e.add(byte(r))
		return
	}
	e.wide = true
	e.data = utf8.AppendRune(e.data, r)
	e.latin1 = append(e.latin1, byte(r))
}

func (e *escaped) read() *fault {
	for e.at < len(e.text) {
		c := e.text[e.at]
		switch {
		case bytes.HasPrefix(e.text[e.at:], []byte(e.slash)):
			if f := e.escape(); f != nil {
				return f
			}
		case e.quote != 0 && c == e.quote:
			return nil
		case c == '\n' || c == '\r':
			e.at++
		default:
			r, n := utf8.DecodeRune(e.text[e.at:])
			e.addRune(r)
			e.at += n
		}
	}
	return nil
}

var controls = map[byte]byte{'a': 7, 'b': 8, 't': 9, 'n': 10, 'v': 11, 'f': 12, 'r': 13, 'e': 27}

// escape reads one escape.
func (e *escaped) escape() *fault {
	begin := e.at
	e.at += len(e.slash)
	if e.at >= len(e.text) {
		return nil // a backslash at the end continues the line
	}
	rest := e.text[e.at:]
	c := rest[0]
	switch {
	case c == 'x' || c == 'X':
		v := octet(rest[1:])
		if v < 0 {
			return faultf(begin, Escaped, "%s is not an octet; two digits come after the x", quote(e.text[begin:min(e.at+3, len(e.text))]))
		}
		e.add(byte(v))
		e.at += 3
	case c == 'u':
		v, err := strconv.ParseUint(string(rest[1:min(5, len(rest))]), 16, 16)
		if err != nil || len(rest) < 5 {
			return faultf(begin, Escaped, "%s is not a character; four digits come after the u", quote(e.text[begin:min(e.at+5, len(e.text))]))
		}
		e.addRune(rune(v))
		e.unicode = e.unicode || v < utf8.RuneSelf
		e.at += 5
	case '0' <= c && c <= '7':
		e.octal(rest)
	case c == '\r' || c == '\n': // the line goes on in the next one, which may be indented
		e.at = len(e.text) - len(bytes.TrimLeft(rest, " \t\r\n"))
	default:
		if v, ok := controls[c]; ok {
			c = v
		}
		e.add(c)
		e.at++
	}
	return nil
}

// octal reads three digits, or one.
func (e *escaped) octal(rest []byte) {
	if len(rest) >= 3 && rest[0] <= '3' {
		if v, err := strconv.ParseUint(string(rest[:3]), 8, 8); err == nil {
			e.add(byte(v))
			e.at += 3
			return
		}
	}
	e.add(rest[0] - '0')
	e.at++
}
