package cli

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// printable returns s with everything that could change what a terminal shows
// escaped as in a Go string: control and format characters, line ends, invalid UTF-8,
// and the backslash, so that escapes cannot be forged.
func printable(s string) string {
	if !strings.ContainsFunc(s, needsEscape) {
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

func needsEscape(r rune) bool {
	return r == '\\' || r == utf8.RuneError || r != ' ' && !unicode.IsPrint(r)
}
