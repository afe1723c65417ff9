package capture_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/capture"
)

// TestReasonsAreDocumented checks that the documents list the reasons, in their order.
func TestReasonsAreDocumented(t *testing.T) {
	document, err := os.ReadFile("../docs/capture.md")
	if err != nil {
		t.Fatal(err)
	}
	var names, documented []string
	for r := range capture.Reason(capture.ReasonCount) {
		names = append(names, r.String())
	}
	_, section, _ := strings.Cut(string(document), "## Doubt")
	section, _, _ = strings.Cut(section, "\n## ")
	for line := range strings.Lines(section) {
		if name, ok := strings.CutPrefix(line, "| `"); ok {
			name, _, _ = strings.Cut(name, "`")
			documented = append(documented, name)
		}
	}
	if !slices.Equal(names, documented) {
		t.Errorf("docs/capture.md has %q, want %q", documented, names)
	}
	var schema struct {
		Properties struct {
			Ambiguous struct{ Items struct{ Enum []string } }
		}
	}
	data, err := os.ReadFile("../docs/inspect.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &schema); err != nil || !slices.Equal(names, schema.Properties.Ambiguous.Items.Enum) {
		t.Errorf("docs/inspect.schema.json has %q, want %q (%v)", schema.Properties.Ambiguous.Items.Enum, names, err)
	}
}

func TestReasons(t *testing.T) {
	s := capture.Reasons(0).With(capture.SYNData).With(capture.Overlap).With(capture.SYNData)
	if s.String() != "overlap,syn_data" || s.Len() != 2 || !s.Has(capture.Overlap) || s.Has(capture.SYN) {
		t.Errorf("got %v, %d reasons", s, s.Len())
	}
	if got := slices.Collect(s.All()); !slices.Equal(got, []capture.Reason{capture.Overlap, capture.SYNData}) {
		t.Errorf("got %v", got)
	}
	for range s.All() {
		break
	}
	if got := capture.Reason(capture.ReasonCount).String(); got != "unknown" {
		t.Errorf("got %q", got)
	}
}
