package cli

import (
	"bytes"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/tlsflags/tlsflags/corpus"
)

// TestRowsOnlyGrow checks that rows follow their schema, and that programs which read the
// first rows of tlsflags.inspect/1 read today's: without the keys that were added since,
// each follows the schema of then.
func TestRowsOnlyGrow(t *testing.T) {
	path := filepath.Join("testdata", "inspect-first.schema.json")
	schema, err := jsonschema.NewCompiler().Compile(path)
	if err != nil {
		t.Fatal(err)
	}
	today, err := jsonschema.NewCompiler().Compile(document(t, "inspect.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	rows := refusedRows(t)
	for seed := range inspectSeeds {
		var out bytes.Buffer
		Run(t.Context(), []string{"inspect", "-q", "-f", "jsonl", "-"}, bytes.NewReader(seed[1:]), &out, io.Discard)
		rows = slices.AppendSeq(rows, strings.Lines(out.String()))
	}
	for entry := range corpus.OfKind(corpus.Captures) {
		out, _ := runInput(t, entry.Data(), "inspect", "-q", "-f", "jsonl", "-")
		rows = slices.AppendSeq(rows, strings.Lines(out))
	}
	if len(rows) < 300 {
		t.Errorf("%d rows are too few", len(rows))
	}
	for _, text := range rows {
		row, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := today.Validate(row); err != nil {
			t.Errorf("%v in %s", err, text)
		}
		removeAdded(schema, row)
		if err := schema.Validate(row); err != nil {
			t.Errorf("%v in %s", err, text)
		}
	}
}

// refusedRows returns rows that have a partial hello.
func refusedRows(t *testing.T) []string {
	t.Helper()
	msg := helloOf(0x0303, []uint16{0x1301}, ext(0, 0, 4, 0, 0, 1, 'a'), ext(62, 2, 0, 0x81), ext(62, 1, 1))
	var rows []string
	for n := range len(msg) {
		out, _ := runInput(t, msg[:len(msg)-n], "inspect", "-q", "-f", "jsonl", "-")
		if strings.Contains(out, `"partial":{`) {
			rows = append(rows, strings.TrimSpace(out))
		}
	}
	if want := len(msg) - (4 + 2 + 32) + 1; len(rows) != want {
		t.Errorf("%d rows with a partial hello, want %d", len(rows), want)
	}
	return rows
}

// runInput is runCLI with standard input.
func runInput(t *testing.T, input []byte, args ...string) (string, int) {
	t.Helper()
	var out bytes.Buffer
	code := Run(t.Context(), args, bytes.NewReader(input), &out, &out)
	return out.String(), code
}

// removeAdded removes the keys of objects that their schema does not list.
func removeAdded(schema *jsonschema.Schema, v any) {
	for schema.Ref != nil {
		schema = schema.Ref
	}
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if property := schema.Properties[key]; property != nil {
				removeAdded(property, value)
			} else if schema.Properties != nil {
				delete(v, key)
			}
		}
	case []any:
		if items := schema.Items2020; items != nil {
			for _, x := range v {
				removeAdded(items, x)
			}
		}
	}
}
