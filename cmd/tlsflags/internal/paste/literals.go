package paste

import (
	"bytes"
	"strings"
)

const quotes = "\"'`"

// glue is what source code has between the pieces of one string, up to the next quote: white
// space, operators, brackets, comments, a name before += or .= or <<, and the prefix of a literal.
var glue = pattern(`^(?:[\s\p{Z}\p{Cf}\\+.,;&()\[\]{}]|(?:#|//)[^\n]*|/\*(?s:.*?)\*/|[\w$]+\s*(?:[+.]=|<<))*(?:u8|[bBuULR@$])?[` + quotes + `]`)

// maxGlue is the greatest length of what is between two pieces.
const maxGlue = 200

const secondString = "a second string begins here, which is not joined to the first; give one"

// joined returns a text in which pieces of a string, such as "ab" + "cd", are one literal, and
// what the literals contain. What was between the pieces is \r, which no reader reads, or \n.
func joined(text []byte) ([]byte, []window) {
	var all []window
	unclosed := ""
	closing := func(open int) int { // returns the offset of the quote that ends a literal, or -1
		for i := open + 1; i < len(text) && strings.IndexByte(unclosed, text[open]) < 0; i++ {
			switch text[i] {
			case '\\':
				i++
			case text[open]:
				return i
			}
		}
		unclosed += string(text[open])
		return -1
	}
	text = bytes.Clone(text)
	for at := 0; at < len(text); at++ {
		if strings.IndexByte(quotes, text[at]) < 0 || !mayOpen(text[:at]) {
			continue
		}
		end := closing(at)
		if end < 0 {
			continue
		}
		listed := isListed(text[:at])
		literal := window{at: at + 1}
		for {
			between := glue().Find(text[end+1 : min(end+1+maxGlue, len(text))])
			open := end + len(between)
			if between == nil || !listed && bytes.IndexByte(between, ',') >= 0 {
				break
			}
			next := closing(open)
			if next < 0 {
				break
			}
			for i := end; i <= open; i++ {
				if text[i] != '\n' {
					text[i] = '\r'
				}
			}
			end = next
		}
		literal.text = text[literal.at:end]
		all = append(all, literal)
		at = end
	}
	return text, all
}

// mayOpen reports whether a quote after a text may begin a literal: it is no apostrophe.
func mayOpen(before []byte) bool {
	isLetter := func(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' }
	n := len(before)
	for n > 0 && isLetter(before[n-1]) {
		n--
	}
	prefix := before[n:]
	return len(prefix) < 2 && !bytes.ContainsAny(prefix, "0123456789") || string(prefix) == "u8" || string(prefix) == "rb"
}

// isListed reports whether a comma after a literal goes on with its next piece: the literal is
// the first one in brackets or in the text, and no value in JSON or in a row of CSV.
func isListed(before []byte) bool {
	before = bytes.TrimRight(before, "bBuULR@$ \t\r\n")
	return len(before) == 0 || bytes.IndexByte([]byte("[({"), before[len(before)-1]) >= 0
}
