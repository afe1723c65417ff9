package paste

import (
	"bytes"
	"encoding/base64"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	hexSeparators = ":-,;."
	brackets      = "()[]{}<>"
	maxStrings    = 100
)

// hexString is a literal of hexadecimal that is no mere number or word.
// Of one text no more than maxStrings are read.
var hexString = pattern(`[` + quotes + `](?:0x)?((?:[0-9a-fA-F]{2}[\s:-]*){8,})[` + quotes + `]`)

// readHex reads digits, in any groups and perhaps in quotes. Several literals count only if
// they make sense as a whole.
func readHex(text []byte, yield func(Reading) bool) *fault {
	if all := hexString().FindAllSubmatchIndex(text, maxStrings); len(all) > 1 {
		for _, at := range all {
			var data []byte
			for t := range (window{at[2], text[at[2]:at[3]]}).tokens(hexSeparators) {
				for i := 0; i < len(t.text); i += 2 {
					data = append(data, byte(octet(t.text[i:])))
				}
			}
			if !yield(Reading{Form: Hexadecimal, Data: data, Unlikely: true}) {
				return nil
			}
		}
		return faultf(all[1][0], Hexadecimal, secondString)
	}
	return readDigits(text, yield)
}

func readDigits(text []byte, yield func(Reading) bool) *fault {
	const enough = 16 // digits, after which anything else is a fault
	const longestLabel = 20
	w := enclosed(text, quotes+brackets)
	if w = w.trimPrefix("0x", "0X"); len(w.text) > 4 && bytes.Count(w.text, []byte("x")) == 1 { // a bytea of PostgreSQL
		w = w.trimPrefix(`\x`)
	}
	var data []byte
	var high int
	var groups groups
	digits := 0
	labelled := false
	for t := range w.tokens(hexSeparators) {
		if digits == 0 && len(t.text) < longestLabel && bytes.ContainsFunc(t.text, func(r rune) bool { return r >= utf8.RuneSelf || digit(byte(r)) < 0 }) {
			labelled = true // such as "ClientHello:"
			continue
		}
		for i, c := range t.text {
			v := digit(c)
			if v < 0 && digits < enough || v < 0 && labelled {
				return nil
			}
			if v < 0 {
				return faultf(t.at+i, Hexadecimal, "%s is not a hexadecimal digit", quoteRune(t.text[i:]))
			}
			if digits++; digits%2 == 0 {
				data = append(data, byte(high<<4|v))
			}
			high = v
		}
		groups.add(t)
	}
	switch {
	case digits == 0 || labelled && digits%2 != 0:
		return nil
	case labelled:
		yield(Reading{Form: Hexadecimal, Data: data, Unlikely: true})
		return nil
	case groups.areOctal():
		return faultf(w.at, Dump, noOctets)
	case groups.longest <= 2 && groups.single.text != nil && digits > 1: // perhaps numbers without leading zeros
		if !groups.zeros {
			yield(Reading{Form: Hexadecimal, Data: hexNumbers(w), Unlikely: true})
		}
		return faultf(groups.single.at, Hexadecimal, "%s is a single digit; an octet has two", quote(groups.single.text))
	case digits%2 != 0 && bytes.IndexByte(w.text, ',') >= 0:
		return nil // more likely decimals
	case digits%2 != 0:
		at := groups.odd.end() - 1
		return faultf(at, Hexadecimal, "the digit %s is left over: %d digits are an odd number, and an octet has two", quote(text[at:at+1]), digits)
	}
	if yield(Reading{Form: Hexadecimal, Data: data}) && groups.n > 1 && groups.areWords() {
		data = bytes.Clone(data)
		swap(data, groups.longest/2)
		yield(Reading{Form: SwappedDump, Data: data, Unlikely: true})
	}
	return nil
}

// groups tells what groups of digits a text has.
type groups struct {
	n, shortest, longest int
	zeros                bool   // some of two digits have a leading zero
	hex                  bool   // some digit is not octal
	odd, single          window // the last group with an odd number of digits, the first of one
}

func (g *groups) add(w window) {
	digits := w.text
	if len(digits)%2 != 0 {
		g.odd = w
	}
	if len(digits) == 1 && g.single.text == nil {
		g.single = w
	}
	if g.n++; g.n == 1 || len(digits) < g.shortest {
		g.shortest = len(digits)
	}
	g.longest = max(g.longest, len(digits))
	g.zeros = g.zeros || len(digits) == 2 && digits[0] == '0'
	g.hex = g.hex || bytes.ContainsFunc(digits, func(r rune) bool { return r > '7' })
}

// areWords reports whether the groups may be words of several bytes.
func (g *groups) areWords() bool {
	return g.shortest == g.longest && (g.longest == 4 || g.longest == 8 || g.longest == 16)
}

// areOctal reports whether the groups are what od prints if it is not told otherwise, or with -b.
func (g *groups) areOctal() bool {
	const surely = 4
	return g.n >= surely && !g.hex && g.shortest == g.longest && (g.longest == 3 || g.longest == 6)
}

func (w window) trimPrefix(prefixes ...string) window {
	trimmed := bytes.TrimLeft(w.text, " \t\r\n\f\v")
	for _, p := range prefixes {
		if rest, ok := bytes.CutPrefix(trimmed, []byte(p)); ok {
			return window{w.end() - len(rest), rest}
		}
	}
	return w
}

// hexNumbers reads tokens of one or two digits each.
func hexNumbers(w window) (data []byte) {
	for t := range w.tokens(hexSeparators) {
		v, _ := strconv.ParseUint(string(t.text), 16, 8)
		data = append(data, byte(v))
	}
	return data
}

// notHex returns the fault of the first character that is no part of hexadecimal, or nil.
func notHex(text []byte) *fault {
	for i, c := range text {
		if digit(c) < 0 && !isSpace(c) && strings.IndexByte(hexSeparators, c) < 0 {
			return faultf(i, "", "%s is not a hexadecimal digit", quoteRune(text[i:]))
		}
	}
	return faultf(0, "", "there are no digits")
}

// quoteRune shows the first character of a text in an error.
func quoteRune(text []byte) string {
	_, n := utf8.DecodeRune(text)
	return quote(text[:n])
}

// readLines reads the lines that have nothing but octets, such as those of openssl -msg.
// Each block of them is a reading.
func readLines(text []byte, yield func(Reading) bool) *fault {
	var block []byte
	at, blocks, others := 0, 0, false
	flush := func() bool {
		data := block
		block = nil
		if len(data) == 0 {
			return true
		}
		blocks++
		return yield(Reading{Form: HexLines, Data: data})
	}
	for line := range bytes.Lines(text) {
		from := len(block)
		pure := len(bytes.TrimSpace(line)) > 0
		for t := range (window{at, line}).tokens(":-") {
			pure = pure && len(t.text)%2 == 0
			for i := 0; pure && i < len(t.text); i += 2 {
				v := octet(t.text[i:])
				pure = v >= 0
				block = append(block, byte(v))
			}
		}
		at += len(line)
		if !pure {
			block = block[:from]
			others = true
			if !flush() {
				return nil
			}
		}
	}
	if others { // otherwise it is plain hexadecimal
		flush()
	}
	return nil
}

// readDecimal reads numbers from 0 to 255, or from -128 to 127.
func readDecimal(text []byte, yield func(Reading) bool) *fault {
	w := enclosed(withoutTypes(text), brackets)
	var data []byte
	var wrong *fault
	list := bytes.IndexByte(text, ',') >= 0 || w.at > 0
	for t := range w.tokens(",;") {
		v, err := strconv.Atoi(string(t.text))
		if err == nil && -128 <= v && v <= 255 {
			data = append(data, byte(v))
			continue
		}
		for _, c := range t.text {
			if err != nil && digit(c) >= 0 {
				return nil // perhaps hexadecimal
			}
		}
		wrong = faultf(t.at, Decimal, "%s is not a number from 0 to 255", quote(t.text))
		break
	}
	switch {
	case wrong != nil && list && len(data) > 1:
		return wrong
	case wrong == nil && len(data) > 1:
		yield(Reading{Form: Decimal, Data: data, Unlikely: !list})
	}
	return nil
}

// readArray reads numbers with 0x, such as an array of C or Go, and the output of a
// debugger, whose addresses end in a colon.
func readArray(text []byte, yield func(Reading) bool) *fault {
	if bytes.Count(text, []byte("0x"))+bytes.Count(text, []byte("0X")) < 2 {
		return nil
	}
	w := enclosed(withoutTypes(withoutComments(text)), brackets+quotes)
	var data []byte
	for t := range w.tokens(",;") {
		if last := t.text[len(t.text)-1]; last == ':' || last == '\\' {
			continue
		}
		digits, ok := bytes.CutPrefix(bytes.ToLower(t.text), []byte("0x"))
		if !ok {
			if len(data) == 0 {
				continue // a declaration
			}
			if v, err := strconv.ParseUint(string(t.text), 10, 8); err == nil {
				data = append(data, byte(v))
				continue
			}
		}
		if ok && len(digits) == 1 {
			digits = []byte{'0', digits[0]}
		}
		from := len(data)
		for i := 0; ok && i < len(digits); i += 2 {
			v := octet(digits[i:])
			ok = v >= 0
			data = append(data, byte(v))
		}
		if !ok || len(data) == from {
			return faultf(t.at, Array, "%s is not an octet; it has one or two digits after 0x", quote(t.text))
		}
	}
	if len(data) > 0 {
		yield(Reading{Form: Array, Data: data})
	}
	return nil
}

// types matches the type of a number: a cast such as (byte), u8 after it, or .toByte(); and the
// address with a symbol that gdb prints: 0x5580 <hello+8>:.
var types = pattern(`\(\s*[A-Za-z][\w ]*\)|_?u8\b|\.\w+\(\)|0x[0-9a-f]+ <[^>\n]*>:`)

// withoutTypes returns a text with blanks for the types of its numbers.
func withoutTypes(text []byte) []byte {
	if !bytes.ContainsAny(text, "(u<") {
		return text
	}
	return types().ReplaceAllFunc(text, func(m []byte) []byte { return bytes.Repeat([]byte(" "), len(m)) })
}

// withoutComments returns a text with blanks for its comments.
func withoutComments(text []byte) []byte {
	text = bytes.Clone(text)
	blank := func(at int, until string) int {
		n := bytes.Index(text[at+2:], []byte(until))
		end := len(text)
		if n >= 0 {
			end = at + 2 + n + len(until)
		}
		for i := at; i < end; i++ {
			if text[i] != '\n' {
				text[i] = ' '
			}
		}
		return end
	}
	for i := 0; i+1 < len(text); i++ {
		switch string(text[i : i+2]) {
		case "/*":
			i = blank(i, "*/") - 1
		case "//":
			i = blank(i, "\n") - 1
		}
	}
	return text
}

// readBase64 reads either alphabet, padded or not, also in quotes or in PEM.
func readBase64(text []byte, yield func(Reading) bool) *fault {
	w := enclosed(text, quotes)
	const enough = 40 // characters, after which anything else is a fault
	if bytes.Contains(text, []byte("-----BEGIN ")) {
		w = enclosed(text, "-")
	}
	if _, rest, ok := bytes.Cut(w.text, []byte(";base64,")); ok { // RFC 2397
		w = window{w.end() - len(rest), rest}
	}
	var s []byte
	padded, hex, blanks := false, true, false
	last := w.at
	for t := range w.tokens("") {
		blanks = blanks || t.at > last && len(s) > 0 && !bytes.ContainsAny(text[last:t.at], "\r\n")
		last = t.end()
		for i, c := range t.text {
			switch {
			case c == '=':
				padded = true
				continue
			case c == '-':
				c = '+'
			case c == '_':
				c = '/'
			}
			if padded || c != '+' && c != '/' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
				if len(s) < enough || hex || blanks {
					return nil
				}
				return faultf(t.at+i, Base64, "%s is not a character of base64, or comes after its end", quoteRune(t.text[i:]))
			}
			hex = hex && digit(c) >= 0
			s = append(s, c)
		}
	}
	data := make([]byte, base64.RawStdEncoding.DecodedLen(len(s)))
	if _, err := base64.RawStdEncoding.Decode(data, s); err != nil || len(data) == 0 {
		if len(s) < enough || hex || blanks {
			return nil
		}
		return faultf(last-1, Base64, "base64 cannot end here: %d characters are not a whole number of bytes", len(s))
	}
	yield(Reading{Form: Base64, Data: data, Unlikely: hex || blanks})
	return nil
}
