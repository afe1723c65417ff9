// Package paste reads bytes that people paste as text: hexadecimal, dumps, arrays of a
// programming language, escaped strings and base64.
package paste

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"iter"
	"regexp"
	"strings"
	"sync"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Reading is one way to read a text as bytes.
type Reading struct {
	Form string // such as "hexadecimal"
	Data []byte
	// Unlikely says that the reading counts only if what it gives makes sense as a whole.
	Unlikely bool
	// Blocks are all blocks of a dump, such as packets, of which Data is the first. The others
	// are Readings of their own, without Blocks.
	Blocks [][]byte
}

// The forms of a Reading.
const (
	Hexadecimal = "hexadecimal"
	Base64      = "base64"
	Dump        = "a dump"
	SwappedDump = "a dump of little-endian words"
	HexLines    = "lines of hexadecimal"
	Array       = "an array"
	Decimal     = "decimal numbers"
	Escaped     = "an escaped string"
)

// Error says why a text has no reading.
type Error struct {
	Line, Char int // from 1; Line is 0 if there is only one
	Text       string
	Form       string // that the text seems to have; empty if it seems to have none
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("character %d: %s", e.Char, e.Text)
	}
	return fmt.Sprintf("line %d, character %d: %s", e.Line, e.Char, e.Text)
}

// fault is an Error at a byte of the text.
type fault struct {
	at   int
	form string
	text string
}

func faultf(at int, form, format string, args ...any) *fault {
	return &fault{at, form, fmt.Sprintf(format, args...)}
}

// in returns the fault as an error of the text.
func (f *fault) in(text []byte) *Error {
	before := text[:min(f.at, len(text))]
	begin := bytes.LastIndexByte(before, '\n') + 1
	e := &Error{Char: utf8.RuneCount(before[begin:]) + 1, Text: f.text, Form: f.form}
	if bytes.IndexByte(bytes.TrimRight(text, "\r\n"), '\n') >= 0 {
		e.Line = bytes.Count(before, []byte("\n")) + 1
	}
	return e
}

// reader reads a text of one form. It does not call yield if the text is of another form;
// if the text is of its form but faulty, it says what is wrong.
type reader func(text []byte, yield func(Reading) bool) *fault

// Read returns the readings of a text, the likeliest first, and in the end an *Error that
// says why the text has no other.
func Read(text []byte) iter.Seq2[Reading, error] {
	return func(yield func(Reading, error) bool) {
		text := plain(text)
		whole, literals := joined(text)
		escapes := func(text []byte, yield func(Reading) bool) *fault { return readEscaped(text, literals, yield) }
		lines, words := spaced(text), spaced(whole)
		var first *Error
		cut, stopped := leftOut(lines), false
		for _, try := range []struct {
			read reader
			text []byte
		}{
			{readDump, lines}, {readHex, words}, {readLines, words}, {readArray, words}, {escapes, whole}, {readDecimal, words}, {readBase64, words},
		} {
			f := try.read(try.text, func(r Reading) bool {
				if r.Form == Dump {
					cut = nil // its offsets tell how many bytes an asterisk is for
				}
				r.Unlikely = r.Unlikely || cut != nil
				stopped = !yield(r, nil)
				return !stopped
			})
			if stopped {
				return
			}
			if first == nil && f != nil {
				first = f.in(try.text)
			}
		}
		switch {
		case cut != nil && (first == nil || first.Form != Dump):
			first = cut.in(lines)
		case first == nil:
			first = notHex(words).in(words)
		}
		yield(Reading{}, first)
	}
}

// spaced returns a text with blanks for characters such as no-break spaces.
func spaced(text []byte) []byte {
	if !bytes.ContainsFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return text
	}
	return bytes.Map(func(r rune) rune {
		if unicode.In(r, unicode.Z, unicode.Cf) {
			return ' '
		}
		return r
	}, text)
}

// pattern returns a function that compiles a pattern once, when it is first needed: not at the
// start of a command that reads no text.
func pattern(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}

// gap is what programs print for bytes that they leave out.
var gap = pattern(`(?m)^[ \t]*(\*)[ \t\r]*$|\b[0-9a-fA-Fx]+,?\s*(\.\.\.|…)(?:[^.\w]|$)`)

// leftOut finds a gap in a text.
func leftOut(text []byte) *fault {
	if !bytes.ContainsAny(text, "*…") && !bytes.Contains(text, []byte("...")) {
		return nil // as the pattern would say, more slowly
	}
	switch at := gap().FindSubmatchIndex(text); {
	case at == nil:
		return nil
	case at[2] >= 0:
		return faultf(at[2], Dump, "* stands for lines left out; use od -A x -t x1 -v")
	default:
		return faultf(at[4], Dump, "%s stands for bytes left out; the dump is cut", text[at[4]:at[5]])
	}
}

// IsText reports whether what begins with b is text, in ASCII, UTF-8 or UTF-16.
func IsText(b []byte) bool {
	if order := utf16Order(b); order != nil {
		return true
	}
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		switch {
		case r == utf8.RuneError && n <= 1:
			return i > 0 && !utf8.FullRune(b[i:]) // cut in a character
		case r < ' ' && !strings.ContainsRune("\t\r\n\f\v", r):
			return false
		}
		i += n
	}
	return len(b) > 0
}

// utf16Order returns the byte order of UTF-16, or nil if b is not.
func utf16Order(b []byte) binary.ByteOrder {
	const enough = 8
	switch {
	case len(b) < enough:
		return nil
	case b[0] == 0xff && b[1] == 0xfe, isASCII16(b, 0):
		return binary.LittleEndian
	case b[0] == 0xfe && b[1] == 0xff && isASCII16(b[2:], 1), isASCII16(b, 1):
		return binary.BigEndian
	}
	return nil
}

// isASCII16 reports whether b begins with printable ASCII, each of two bytes.
func isASCII16(b []byte, low int) bool {
	for i := 0; i+1 < min(len(b), 8); i += 2 {
		if c := b[i+low]; b[i+1-low] != 0 || c > '~' || c < ' ' && c != '\t' && c != '\r' && c != '\n' {
			return false
		}
	}
	return len(b) >= 2
}

// plain returns the text in UTF-8, without a byte order mark, and with blanks for the marks
// of quoted mail.
func plain(text []byte) []byte {
	if order := utf16Order(text); order != nil {
		units := make([]uint16, len(text)/2)
		for i := range units {
			units[i] = order.Uint16(text[2*i:])
		}
		text = []byte(string(utf16.Decode(units)))
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if bytes.HasPrefix(text, []byte(">")) && !bytes.HasPrefix(text, []byte(">>>")) {
		text = bytes.Clone(text)
		for line := range bytes.Lines(text) {
			for i := 0; i < len(line) && (line[i] == '>' || line[i] == ' '); i++ {
				line[i] = ' '
			}
		}
	}
	return text
}

// isSpace reports whether c is white space.
func isSpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

// digit returns the value of a hexadecimal digit, or -1.
func digit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// octet reads two hexadecimal digits, or returns -1.
func octet(s []byte) int {
	if len(s) < 2 || digit(s[0]) < 0 || digit(s[1]) < 0 {
		return -1
	}
	return digit(s[0])<<4 | digit(s[1])
}

// quote shows a piece of the text in an error.
func quote(b []byte) string {
	const longest = 20
	if len(b) > longest {
		return `"` + string(b[:longest]) + `"...`
	}
	return `"` + string(b) + `"`
}

// window is a part of a text.
type window struct {
	at   int
	text []byte
}

func (w window) end() int { return w.at + len(w.text) }

// enclosed returns the longest part after one of the marks and before the next, or all of
// text if it has none.
func enclosed(text []byte, marks string) window {
	best, begin := window{0, text}, -1
	for i := 0; i <= len(text); i++ {
		if i < len(text) && strings.IndexByte(marks, text[i]) < 0 {
			continue
		}
		if begin > 0 && (best.at == 0 || i-begin > len(best.text)) {
			best = window{begin, text[begin:i]}
		}
		begin = i + 1
	}
	return best
}

// tokens splits a part of a text at white space and the separators.
func (w window) tokens(separators string) iter.Seq[window] {
	return func(yield func(window) bool) {
		begin := -1
		for i, c := range w.text {
			apart := isSpace(c) || strings.IndexByte(separators, c) >= 0
			switch {
			case apart && begin >= 0:
				if !yield(window{w.at + begin, w.text[begin:i]}) {
					return
				}
				begin = -1
			case !apart && begin < 0:
				begin = i
			}
		}
		if begin >= 0 {
			yield(window{w.at + begin, w.text[begin:]})
		}
	}
}
