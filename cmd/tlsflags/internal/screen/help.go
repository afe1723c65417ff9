package screen

import "strings"

// Wrap breaks the lines of a text of paragraphs and lists at spaces. An item of a list begins
// with a -, and goes on with its indent. Other lines that are indented stay as they are.
func Wrap(text string, width int) string {
	var lines []string
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		if len(lines) > 0 {
			lines = append(lines, "")
		}
		var words []string
		indent, first := "", ""
		flush := func() {
			if len(words) > 0 {
				lines = append(lines, fillWords(words, first, indent, width)...)
			}
			words = nil
		}
		for line := range strings.Lines(paragraph) {
			line = strings.TrimRight(line, "\n")
			text := strings.TrimLeft(line, " ")
			if item, ok := strings.CutPrefix(text, "- "); ok {
				flush()
				first = line[:len(line)-len(item)]
				indent = strings.Repeat(" ", len(first))
				text = item
			} else if len(words) == 0 {
				first = line[:len(line)-len(text)]
				indent = first
			}
			words = append(words, strings.Fields(text)...)
		}
		flush()
	}
	return strings.Join(lines, "\n")
}

// Words breaks a sentence at spaces, if it is too wide. Lines after the first begin with indent.
func Words(sentence, indent string, width int) string {
	if width <= 0 || Width(sentence) <= width {
		return sentence
	}
	return strings.Join(fillWords(strings.Fields(sentence), "", indent, width), "\n")
}

// fillWords returns lines of words; first is before the first one, indent before the others.
func fillWords(words []string, first, indent string, width int) (lines []string) {
	line, begun := first, false
	for _, word := range words {
		if begun && width > 0 && Width(line)+1+Width(word) > width {
			lines = append(lines, line)
			line, begun = indent, false
		}
		if begun {
			line += " "
		}
		line += word
		begun = true
	}
	return append(lines, line)
}

// WrapCommands breaks long lines of a shell script between words, with a backslash.
func WrapCommands(script string, width int) string {
	const more = "      "
	var b strings.Builder
	for line := range strings.Lines(script) {
		for width > 0 && Width(strings.TrimRight(line, "\n")) > width {
			at := breakAt(line, width-len(" \\"))
			if at < 0 {
				break
			}
			b.WriteString(line[:at] + " \\\n")
			line = more + line[at+1:]
		}
		b.WriteString(line)
	}
	return b.String()
}

// breakAt returns the position of the last space up to width that is outside quotes and after
// a word, before an option if there is one, or -1.
func breakAt(line string, width int) int {
	at, option, quote, word := -1, -1, byte(0), false
	for i := 0; i < len(line) && i <= width; i++ {
		switch c := line[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote, word = c, true
		case c != ' ':
			word = true
		case word:
			at = i
			if next := line[i+1:]; next != "" && (next[0] == '-' || next[0] == '|') {
				option = i
			}
		}
	}
	if option >= 0 {
		return option
	}
	return at
}
