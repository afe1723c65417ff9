package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsflags/tlsflags/internal/testenv"
)

// duckDB returns a function that runs SQL on DuckDB and returns the rows.
func duckDB(t *testing.T) func(sql string) [][]any {
	t.Helper()
	node := testenv.Program(t, "node", "nodejs")
	folder := filepath.Join(testenv.Root(t), "tools", "duckdb")
	if _, err := os.Stat(filepath.Join(folder, "node_modules")); err != nil {
		testenv.Skip(t, "no DuckDB; run npm ci --prefix tools/duckdb")
	}
	return func(sql string) (rows [][]any) {
		t.Helper()
		query := exec.CommandContext(t.Context(), node, "query.mjs", sql)
		query.Dir, query.Stderr = folder, os.Stderr
		out, err := query.Output()
		if err == nil {
			err = json.Unmarshal(out, &rows)
		}
		if err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		return rows
	}
}

// TestDuckDB asks the questions of docs/parquet.md, and compares the answers with those that
// the JSON gives.
func TestDuckDB(t *testing.T) {
	query := duckDB(t)
	file := filepath.Join(t.TempDir(), "hellos.parquet")
	captures := filepath.Join(testenv.Root(t), "corpus", "captures")
	if out, code := runCLI(t, "inspect", "-q", "-f", "parquet", "-o", file, captures); code != 0 || out != "" {
		t.Fatalf("exit %d: %s", code, out)
	}
	mtls, prints, hours := make(map[string]int), make(map[string]int), make(map[string]int)
	flag8 := 0
	out, _ := runCLI(t, "inspect", "-q", "-f", "jsonl", captures)
	for text := range strings.Lines(out) {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatal(err)
		}
		var name any
		if l.ClientHello != nil && l.ClientHello.ServerName != "" {
			name = l.ClientHello.ServerName
		}
		if l.RequestMTLS {
			mtls[fmt.Sprint([]any{name, l.SrcIP})]++
		}
		if l.JA4 != "" {
			prints[fmt.Sprint([]any{l.JA4})]++
		}
		hour := strings.Replace(string(l.Time[:13]), "T", " ", 1) + ":00:00+00"
		hours[fmt.Sprint([]any{hour, name})]++
		if l.TLSFlags != nil {
			for _, f := range l.TLSFlags.Flags {
				if f.Value == 8 {
					flag8++
				}
			}
		}
	}
	var questions []string
	for text := range strings.Lines(readDocument(t, "parquet.md")) {
		if strings.HasPrefix(text, "SELECT ") {
			questions = append(questions, strings.ReplaceAll(strings.TrimSuffix(text, ";\n"), "hellos.parquet", file))
		}
	}
	for i, want := range []map[string]int{mtls, prints, hours} {
		got := make(map[string]int)
		for _, row := range query(questions[i]) {
			n := 0
			fmt.Sscan(row[len(row)-1].(string), &n)
			got[fmt.Sprint(row[:len(row)-1])] = n
		}
		if diff := cmp.Diff(want, got); diff != "" || len(want) == 0 {
			t.Errorf("%s\n-want +got:\n%s", questions[i], diff)
		}
	}
	if got := len(query(questions[3])); got != flag8 || flag8 == 0 {
		t.Errorf("%d hellos with flag 8, want %d", got, flag8)
	}
}
