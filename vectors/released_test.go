package vectors

import (
	"strings"
	"testing"
)

func TestWithdrawn(t *testing.T) {
	defer func(text string) { released = text }(released)
	released = "id\thash\tsince\twithdrawn\treason\tsuccessor\n" +
		"x/a\t01234567\t0.1.0\t0.2.0\tWhy.\tx/a-2\n" +
		"x/a-2\t01234567\t0.2.0\t\t\t\n" +
		"x/b\t01234567\t0.1.0\t0.2.0\tWhy not.\t\n"
	for id, want := range map[string]string{"x/a": "Why. x/a-2 true", "x/a-2": "  false", "x/b": "Why not.  true", "x": "  false", "": "  false", "x/c": "  false"} {
		reason, successor, ok := Withdrawn(id)
		got := strings.Join([]string{reason, successor, map[bool]string{true: "true", false: "false"}[ok]}, " ")
		if got != want {
			t.Errorf("Withdrawn(%q) is %q, want %q", id, got, want)
		}
	}
}
