package vectorrun

import (
	"strings"
	"testing"
)

func TestReadExpected(t *testing.T) {
	e, err := ReadExpected(strings.NewReader("# ours\n\n  flags/a  one  reason \nflags/b*\ttwo\nflags/* three\n"))
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]string{"flags/a": "one  reason", "flags/b/c": "two", "flags/c": "three", "hello/a": "", "x/flags/a": ""} {
		if got, ok := e.reason(id); got != want || ok != (want != "") {
			t.Errorf("%s: %q, %t, want %q", id, got, ok, want)
		}
	}
	if _, err := ReadExpected(strings.NewReader("flags/a reason\n\nflags/b \n")); err == nil || !strings.HasPrefix(err.Error(), "line 3: flags/b has no reason") {
		t.Errorf("got %v", err)
	}
}
