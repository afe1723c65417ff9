// Package terminal writes text from untrusted sources so that it cannot control the
// terminal on which it is read.
package terminal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Printable returns s with everything that could change what a terminal shows escaped
// as in a Go string: control and format characters, line ends, invalid UTF-8, and the
// backslash, so that escapes cannot be forged.
func Printable(s string) string {
	if PlainPrefix(s) == len(s) || !strings.ContainsFunc(s, needsEscape) {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		if !needsEscape(r) {
			b.WriteRune(r)
			continue
		}
		_, size := utf8.DecodeRuneInString(s[i:])
		quoted := strconv.QuoteToGraphic(s[i : i+size])
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}

// PlainPrefix returns how many bytes at the beginning of s are printable ASCII, but neither
// quotes nor backslashes, so that neither Printable nor AppendJSON changes them.
func PlainPrefix(s string) int {
	const each, high = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; i+8 <= len(s); i += 8 {
		w := uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24 |
			uint64(s[i+4])<<32 | uint64(s[i+5])<<40 | uint64(s[i+6])<<48 | uint64(s[i+7])<<56
		quote, backslash := w^'"'*each, w^'\\'*each
		// A subtraction sets the high bit of a byte that was less, unless the byte has it.
		if ((w-' '*each)|(w+(0x80-'~'-1)*each)|w|(quote-each)&^quote|(backslash-each)&^backslash)&high != 0 {
			break
		}
	}
	for ; i < len(s) && isPlain(s[i]); i++ {
	}
	return i
}

func isPlain(c byte) bool { return ' ' <= c && c <= '~' && c != '"' && c != '\\' }

func needsEscape(r rune) bool {
	return r == '\\' || r == utf8.RuneError || !unicode.IsPrint(r)
}

// AppendJSON appends r as part of a JSON string (RFC 8259, Section 7). It escapes what
// a terminal would act on, and U+FFFD, which replaces a byte that is not UTF-8.
func AppendJSON(b []byte, r rune) []byte {
	switch {
	case r == '"' || r == '\\':
		return append(b, '\\', byte(r))
	case r != utf8.RuneError && unicode.IsPrint(r):
		return utf8.AppendRune(b, r)
	case r > 0xffff: //mutation:equivalent U+10000 is printable
		high, low := utf16.EncodeRune(r)
		return fmt.Appendf(b, `\u%04x\u%04x`, high, low)
	}
	return fmt.Appendf(b, `\u%04x`, r)
}

// WriteJSON writes a document as package json does, followed by a line end. Strings are
// escaped as by AppendJSON, not for HTML. Without an indent the document is one line.
func WriteJSON(w io.Writer, document any, indent string) error {
	var plain bytes.Buffer
	e := json.NewEncoder(&plain)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	if err := e.Encode(document); err != nil {
		return err
	}
	_, err := w.Write(escapeJSON(plain.Bytes()))
	return err
}

// escapeJSON escapes what package json leaves as it is. Outside strings there is only
// printable ASCII and the line ends of the layout; in strings, line ends are escaped
// already. Go 1.26 escapes the U+FFFD of an invalid byte, Go 1.27 does not.
func escapeJSON(text []byte) []byte {
	//mutation:equivalent '~' is printable
	raw := func(r rune) bool { return r == utf8.RuneError || r >= 0x7f && !unicode.IsPrint(r) }
	var b []byte
	for _, r := range string(text) {
		if raw(r) {
			b = AppendJSON(b, r)
		} else {
			b = utf8.AppendRune(b, r)
		}
	}
	return b
}
