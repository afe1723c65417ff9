package paste

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

// readEscaped reads a string with escapes such as \x16 or \u0016, as logs and programming
// languages write them. Quotes end it if it begins with one; adjacent strings are one.
func readEscaped(text []byte, yield func(Reading) bool) *fault {
	e := escaped{text: text, slash: `\`}
	e.at = bytes.IndexByte(text, '\\')
	if e.at < 0 || len(text)-e.at < 4 {
		return nil
	}
	if text[e.at+1] == '\\' { // escaped twice, as in JSON
		e.slash = `\\`
	}
	if c := text[e.at+len(e.slash)]; c != 'x' && c != 'X' && c != 'u' && (c < '0' || c > '3') {
		return nil
	}
	if e.at > 0 {
		if q := text[e.at-1]; q == '"' || q == '\'' || q == '`' {
			e.quote = q
		}
	}
	if f := e.read(); f != nil {
		return f
	}
	first, second := e.data, e.latin1
	if e.unicode {
		first, second = second, first
	}
	if yield(Reading{Form: Escaped, Data: first}) && e.wide {
		yield(Reading{Form: Escaped, Data: second, Unlikely: true})
	}
	return nil
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
			if e.at++; !e.next() {
				return nil
			}
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

// next goes to the string after the one that has ended, if there is one.
func (e *escaped) next() bool {
	for e.at < len(e.text) {
		switch c := e.text[e.at]; {
		case c == e.quote:
			e.at++
			return true
		case isSpace(c), c == '\\', c == '+', c == 'b':
			e.at++
		default:
			return false
		}
	}
	return false
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
			return faultf(begin, Escaped, "%s is no octet; two digits come after the x", quote(e.text[begin:min(e.at+3, len(e.text))]))
		}
		e.add(byte(v))
		e.at += 3
	case c == 'u':
		v, err := strconv.ParseUint(string(rest[1:min(5, len(rest))]), 16, 16)
		if err != nil || len(rest) < 5 {
			return faultf(begin, Escaped, "%s is no character; four digits come after the u", quote(e.text[begin:min(e.at+5, len(e.text))]))
		}
		e.addRune(rune(v))
		e.unicode = e.unicode || v < utf8.RuneSelf
		e.at += 5
	case '0' <= c && c <= '7':
		e.octal(rest)
	case c == '\r' || c == '\n':
		e.at++
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
