package vectorrun

import (
	"strings"
	"testing"
)

// Who asks for an id of an earlier version, or expects a difference in it, is told why it
// is gone and what replaces it.
func TestWithdrawn(t *testing.T) {
	const id = "messages/answer/server-hello/all"
	const note = " (withdrawn for " + id + "-2: The messages before now offer what the message answers"
	_, err := Select(nil, nil, []string{id})
	if err == nil || !strings.Contains(err.Error(), `unknown id "`+id+`"`+note) {
		t.Errorf("error is %v", err)
	}
	var text strings.Builder
	if err := (Report{Stale: []string{id}}).WriteText(&text, true, 0); err != nil || !strings.Contains(text.String(), "not seen: "+id+note) {
		t.Errorf("%v, %s", err, text.String())
	}
	for _, never := range []string{"messages/answer", "messages/*", id + "-2"} {
		if got := withdrawn(never); got != "" {
			t.Errorf("%s: %s", never, got)
		}
	}
}
