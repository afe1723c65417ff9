package cli

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/tlsflags/tlsflags/capture/columns"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/golden"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/paths"
	"github.com/tlsflags/tlsflags/internal/testenv"
)

// TestParquetDocument checks the table of docs/parquet.md. With -update it writes it.
func TestParquetDocument(t *testing.T) {
	var table strings.Builder
	for _, c := range columns.All() {
		key := ""
		if c.Key != "" {
			key = "`" + c.Key + "`"
			if _, err := lineType().Find(c.Key); err != nil {
				t.Error(err)
			}
		}
		fmt.Fprintf(&table, "| `%s` | %s | %s |\n", c.Name, c.Type(), key)
	}
	text := readDocument(t, "parquet.md")
	before, rest, ok := strings.Cut(text, "| --- | --- | --- |\n")
	_, after, _ := strings.Cut(rest, "\n\n")
	want := before + "| --- | --- | --- |\n" + table.String() + "\n" + after
	if *golden.Update && ok {
		if err := os.WriteFile(document(t, "parquet.md"), []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if text != want {
		t.Error("the columns of docs/parquet.md are wrong; run go test -run TestParquetDocument -update in this folder")
	}
}

// inspectParquet returns the rows that inspect writes to standard output.
func inspectParquet(t *testing.T, args ...string) []columns.Row {
	t.Helper()
	var out, errs bytes.Buffer
	if code := Run(t.Context(), append([]string{"inspect", "-f", "parquet"}, args...), strings.NewReader(""), &out, &errs); code != 0 {
		t.Fatalf("exit %d: %s", code, &errs)
	}
	rows, err := parquet.Read[columns.Row](bytes.NewReader(out.Bytes()), int64(out.Len()))
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestParquetIsJSON compares each column that has a key with the value of the key.
func TestParquetIsJSON(t *testing.T) {
	for _, args := range [][]string{
		{"corpus/captures"}, {"--redact", "corpus/captures"}, {"--join", "corpus/captures"}, {"corpus/records/curl-7.88.1.bin"},
		{"--where", "ja4 == nil or request_mtls", "corpus/captures"},
	} {
		args[len(args)-1] = filepath.Join(testenv.Root(t), args[len(args)-1])
		rows := inspectParquet(t, args...)
		if args[0] != "--redact" {
			args = append(args, "--bytes")
		}
		out, code := runCLI(t, append([]string{"inspect", "-q", "-f", "jsonl"}, args...)...)
		if lines := strings.Count(out, "\n"); code != 0 || lines != len(rows) || lines == 0 {
			t.Fatalf("%s: %d rows, %d lines", args, len(rows), lines)
		}
		i := 0
		for text := range strings.Lines(out) {
			var l line
			if err := json.Unmarshal([]byte(text), &l); err != nil {
				t.Fatal(err)
			}
			compareRow(t, &rows[i], &l)
			i++
		}
	}
}

func compareRow(t *testing.T, row *columns.Row, l *line) {
	t.Helper()
	v := reflect.ValueOf(row).Elem()
	for i, c := range columns.All() {
		if c.Key == "" {
			continue
		}
		p, err := lineType().Find(c.Key)
		if err != nil {
			t.Fatal(err)
		}
		want := cellOf(paths.Plain(p.In(reflect.ValueOf(l).Elem()), p.Type()))
		if c.Name == "time" && want != "" {
			at, err := time.Parse(time.RFC3339Nano, want)
			if err != nil {
				t.Fatal(err)
			}
			want = plainOf(reflect.ValueOf(at.Truncate(time.Microsecond)))
		}
		if got := plainOf(v.Field(i)); got != want {
			t.Errorf("%s frames %v: %s is %v, %s of the JSON %v", l.Source, l.Frames, c.Name, got, c.Key, want)
		}
	}
}

// cellOf returns a value of the JSON as a column has it.
func cellOf(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case map[string]any:
		if code, ok := v["code"]; ok && v["value"] == nil {
			return cellOf(code)
		}
		return cellOf(v["value"])
	case []any:
		cells := make([]string, len(v))
		for i, x := range v {
			cells[i] = cellOf(x)
		}
		return strings.Join(cells, " ")
	}
	return fmt.Sprint(v)
}

func plainOf(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case time.Time:
		if x.IsZero() {
			return ""
		}
		return x.UTC().Format(time.RFC3339Nano)
	case []byte:
		return hex.EncodeToString(x)
	}
	switch {
	case v.Kind() == reflect.Pointer && v.IsNil():
		return ""
	case v.Kind() == reflect.Pointer:
		v = v.Elem()
	case v.Kind() == reflect.Slice:
		return strings.Trim(fmt.Sprint(v.Interface()), "[]")
	}
	return fmt.Sprint(v.Interface())
}

// TestParquetFields chooses columns by the keys of the JSON.
func TestParquetFields(t *testing.T) {
	file := filepath.Join(testenv.Root(t), "corpus/captures/demo.pcapng")
	out, _ := runCLI(t, "inspect", "-q", "-f", "parquet", "--fields", "ja4,client_hello.server_name,tls_flags.flags", file)
	f, err := parquet.OpenFile(strings.NewReader(out), int64(len(out)))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, path := range f.Schema().Columns() {
		names = append(names, path[0])
	}
	if want := "ja4 server_name flags"; strings.Join(names, " ") != want || f.NumRows() == 0 {
		t.Errorf("columns %q, %d rows", names, f.NumRows())
	}
	for args, want := range map[string]string{
		"--fields partial.length":    "has no column for partial.length",
		"--fields ja4,ja4":           "ja4 is named twice",
		"--fields client_hello":      "has no column for client_hello",
		"--stats":                    "parquet has hellos",
		"--by ja4":                   "parquet has hellos",
		"--fields ja4 --format text": "",
	} {
		out, code := runCLI(t, append(strings.Fields("inspect -q -f parquet "+args), file)...)
		if code != 0 != (want != "") || !strings.Contains(out, want) {
			t.Errorf("%s: exit %d, %q", args, code, out)
		}
	}
}
