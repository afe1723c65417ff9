package screen

import (
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/golden"
)

// widths prints a layout for each number of columns from 0 on, once if it is the same for
// several in turn.
func widths(b *strings.Builder, name string, most int, layout func(width int) string) {
	first, last := 0, ""
	flush := func(end int) {
		if end > 0 {
			fmt.Fprintf(b, "%s, %d to %d\n%s\n", name, first, end-1, last)
		}
	}
	for width := range most + 1 {
		if text := layout(width); width == 0 || text != last {
			flush(width)
			first, last = width, text
		}
	}
	flush(most + 1)
}

// randomTable returns a sum over a table in each number of columns.
func randomTable(t *testing.T, rnd *rand.Rand) uint32 {
	word := func() string { return strings.Repeat("w", rnd.IntN(6)) }
	var table Table
	for range 1 + rnd.IntN(5) {
		table.Columns = append(table.Columns, Column{word(), rnd.IntN(2) == 0, false, rnd.IntN(4), rnd.IntN(4)})
	}
	for range rnd.IntN(4) {
		var cells []string
		for range rnd.IntN(len(table.Columns) + 1) {
			cells = append(cells, word()+"\x1b[31m"+word())
		}
		table.Row(cells...)
	}
	sum := fnv.New32a()
	for width := range 60 {
		if err := table.Write(sum, width); err != nil {
			t.Fatal(err)
		}
	}
	return sum.Sum32()
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestWriteFails(t *testing.T) {
	if err := (&Table{Columns: []Column{{Name: "A"}}}).Write(failing{}, 0); err != io.ErrClosedPipe {
		t.Error(err)
	}
}

// TestEveryWidth compares the layouts for each number of columns with testdata/widths.txt.
func TestEveryWidth(t *testing.T) {
	var b strings.Builder
	tables := map[string]*Table{
		"ranks": {Columns: []Column{
			{Name: "N", Right: true}, {Name: "NAME", Least: 4}, {Name: "RARE", Rank: 2}, {Name: "NOTE", Rank: 1, Least: 3}, {Name: "SAME", Rank: 2, Least: 5}, {Name: "LAST", Rank: 1, Right: true},
		}},
		"no names": {Columns: []Column{{}, {Least: 2}, {Least: 3}}},
		"one name": {Columns: []Column{{}, {Name: "B"}}},
	}
	for _, row := range [][]string{{"1", "a long name", "x", "something", "the same", "7"}, {}, {"100", "日本", "yy"}, {"", "\x1b[31mred\x1b[0m", "", "", "end", "12345"}} {
		for _, table := range tables {
			table.Row(row[:min(len(row), len(table.Columns))]...)
		}
	}
	rnd := rand.New(rand.NewPCG(1, 0))
	for i := range 100 {
		fmt.Fprintf(&b, "random table %d: %08x\n", i, randomTable(t, rnd))
	}
	for _, name := range []string{"ranks", "no names", "one name"} {
		widths(&b, "table, "+name, 60, func(width int) string {
			var text strings.Builder
			if err := tables[name].Write(&text, width); err != nil {
				t.Fatal(err)
			}
			return text.String()
		})
	}
	parts := []string{"one", "two", "a part that is long", "日本", "x"}
	for _, separator := range []string{", ", " | ", ""} {
		widths(&b, fmt.Sprintf("fill with %q", separator), 45, func(width int) string { return Fill(parts, separator, "   ", width) + "\n" })
	}
	text := "A paragraph that is\nlonger than a line.\n\n  indented\n  lines\n\n- an item\n  goes on\n- another averyveryverylongword\nend\n\n\n  - x"
	widths(&b, "wrap", 40, func(width int) string { return Wrap(text, width) + "\n" })
	sentence := "some words, averyveryverylongword 日本 and \x1b[31mred\x1b[0m"
	widths(&b, "words", 50, func(width int) string { return Words(sentence, " ", width) + "\n" })
	script := "short\n\n'quoted first' and more of it\n\"a\" |\ncommand --option 'a b c' \"it's\" -x y | other --long\n   cmd  two   spaces and-more -\nveryverylongword x\n 'open a b c\nend of it"
	widths(&b, "script", 60, func(width int) string { return WrapCommands(script, width) + "\n" })
	for _, s := range []string{"abcdef", "日本語", "\x1b[31mab\x1b[0mcd\x1b[32mef\x1b[0m", "e\u0301e\u0301e\u0301", "~ \u007f é", "\x1b[31", "a\x1b", " ~", "\x1f", "\x7f", "a\tb", "\x1bm", "🇩🇪🇫🇷🇩🇪", "\x1b[31m🇩🇪\x1b[0m🇫🇷🇩🇪x"} {
		widths(&b, fmt.Sprintf("cut %q", s), 8, func(width int) string { return Cut(s, width) + "\n" })
		widths(&b, fmt.Sprintf("pad %q", s), 8, func(width int) string { return Pad(s, width) + "|\n" })
	}
	golden.Compare(t, "widths.txt", b.String())
}
