package screen

import (
	"strings"
	"testing"
)

func TestWidth(t *testing.T) {
	for s, want := range map[string]int{
		"": 0, "abc": 3, "é": 1, "e\u0301": 1, "日本": 4, "👍🏽": 2, "\x1b[31mred\x1b[0;22m": 3, `\u009b`: 6, "\x1b[31": 0,
	} {
		if got := Width(s); got != want {
			t.Errorf("%q: %d, want %d", s, got, want)
		}
	}
}

func TestCut(t *testing.T) {
	for _, test := range []struct {
		s     string
		width int
		want  string
	}{
		{"abcdef", 0, "abcdef"}, {"abcdef", 6, "abcdef"}, {"abcdef", 5, "abcd…"}, {"abc", 1, "…"},
		{"日本語", 5, "日本…"}, {"日本語", 4, "日…"}, {"日本", 4, "日本"}, {"e\u0301e\u0301e\u0301", 2, "e\u0301…"},
		{"\x1b[31mabcdef\x1b[0m", 4, "\x1b[31mabc…\x1b[0m"}, {"\x1b[31mab\x1b[0;22mcdef", 4, "\x1b[31mab\x1b[0;22mc…"},
	} {
		if got := Cut(test.s, test.width); got != test.want {
			t.Errorf("%q in %d: %q, want %q", test.s, test.width, got, test.want)
		}
	}
}

func TestCutStart(t *testing.T) {
	for _, test := range []struct {
		s     string
		width int
		want  string
	}{
		{"abcdef", 0, "abcdef"}, {"abcdef", 6, "abcdef"}, {"abcdef", 5, "…cdef"}, {"abc", 1, "…"},
		{"日本語", 5, "…本語"}, {"日本語", 4, "…語"}, {"日本", 4, "日本"}, {"e\u0301e\u0301e\u0301", 2, "…e\u0301"},
	} {
		table := Table{Columns: []Column{{Tail: true, Least: 1}}}
		table.Row(test.s)
		var b strings.Builder
		if err := table.Write(&b, test.width); err != nil || b.String() != test.want+"\n" {
			t.Errorf("%q in %d: %q, want %q", test.s, test.width, b.String(), test.want)
		}
	}
}

func TestFill(t *testing.T) {
	for _, test := range []struct {
		width int
		want  string
	}{
		{0, "one, two, three, a part that is long"},
		{40, "one, two, three, a part that is long"},
		{14, "one, two,\n  three,\n  a part that…"},
	} {
		if got := Fill([]string{"one", "two", "three", "a part that is long"}, ", ", "  ", test.width); got != test.want {
			t.Errorf("in %d:\n%s", test.width, got)
		}
	}
}

func TestTable(t *testing.T) {
	table := Table{Columns: []Column{
		{Name: "N", Right: true}, {Name: "NAME", Least: 6}, {Name: "RARE", Rank: 2}, {Name: "NOTE", Rank: 1, Least: 4},
	}}
	table.Row("1", "a long name", "x", "something")
	table.Row("10", "日本", "yy")
	for _, test := range []struct {
		width int
		want  string
	}{
		{0, " N  NAME         RARE  NOTE\n 1  a long name  x     something\n10  日本         yy\n"},
		{32, " N  NAME         RARE  NOTE\n 1  a long name  x     something\n10  日本         yy\n"},
		{28, " N  NAME         RARE  NOTE\n 1  a long name  x     some…\n10  日本         yy\n"},
		{24, " N  NAME      RARE  NOTE\n 1  a long …  x     som…\n10  日本      yy\n"},
		{19, " N  NAME       NOTE\n 1  a long n…  som…\n10  日本\n"},
		{11, " N  NAME\n 1  a long…\n10  日本\n"},
		{3, " N  NAME\n 1  a lon…\n10  日本\n"},
	} {
		var b strings.Builder
		if err := table.Write(&b, test.width); err != nil || b.String() != test.want {
			t.Errorf("in %d: %v\n%s", test.width, err, b.String())
		}
	}
}

func TestWrap(t *testing.T) {
	text := "A paragraph that is\nlonger than a line.\n\n  - an item that goes on\n    and on\n  - another"
	want := "A paragraph that\nis longer than a\nline.\n\n  - an item that\n    goes on and\n    on\n  - another"
	if got := Wrap(text, 16); got != want {
		t.Errorf("got:\n%s", got)
	}
	if got := Wrap("one\ntwo", 0); got != "one two" {
		t.Errorf("without a limit: %q", got)
	}
}

func TestWords(t *testing.T) {
	const sentence = "a sentence with  averyveryverylongword in it"
	for width, want := range map[int]string{0: sentence, 44: sentence, 12: "a sentence\n  with\n  averyveryverylongword\n  in it"} {
		if got := Words(sentence, "  ", width); got != want {
			t.Errorf("in %d:\n%s", width, got)
		}
	}
}

func TestWrapCommands(t *testing.T) {
	script := "  short\n  command --where 'a and b' --long option\n  verylongword"
	want := "  short\n  command \\\n      --where 'a and b' \\\n      --long option\n  verylongword"
	if got := WrapCommands(script, 26); got != want {
		t.Errorf("got:\n%s", got)
	}
	if got := WrapCommands("  aaaaaaaaaaaaaaaaaaaa b", 10); !strings.HasPrefix(got, "  aaaa") {
		t.Errorf("a word that is too long: %q", got)
	}
}
