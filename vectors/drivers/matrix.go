package main

import (
	"cmp"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A matrix is what all stacks did, beside what the vectors say.
type matrix struct {
	results []result
	rows    []row
}

// A row has the tests with one code, or with one code in one group.
type row struct {
	kind  string
	code  string
	group string // if the code has several rows
	tests []test
}

// A test is one of matrix.json, with what each stack did as matrix.md has it: an alert of
// readAlerts is "accept"; "" if the stack was not asked.
type test struct {
	documentTest
	shown []string
}

// unknownFlags are the codes of tls_flags. Stacks that do not know the extension ignore it.
var unknownFlags = []string{"empty_data", "empty_vector", "inner_too_long", "trailing_bytes", "all_zero", "trailing_zero"}

// writeMatrix writes matrix.json and matrix.md.
func writeMatrix(docs string, results []result, list []*vector) error {
	m := newMatrix(results, list)
	d := document{}
	for _, r := range results {
		s := documentStack{Stack: r.Stack, Version: r.Version, Same: r.Same}
		if r.Flags.Asked > 0 {
			s.TLSFlags = &r.Flags
		}
		d.Stacks = append(d.Stacks, s)
	}
	for _, row := range m.rows {
		for _, t := range row.tests {
			d.Tests = append(d.Tests, t.documentTest)
		}
	}
	text, err := json.Marshal(d)
	if err != nil {
		return err
	}
	// A line for each stack and each test.
	lines := strings.NewReplacer(`{"id"`, "\n"+`{"id"`, `{"stack"`, "\n"+`{"stack"`).Replace(string(text)) + "\n"
	if err := os.WriteFile(filepath.Join(docs, "matrix.json"), []byte(lines), 0o666); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(docs, "matrix.md"), m.markdown(), 0o666)
}

func newMatrix(results []result, list []*vector) *matrix {
	m := &matrix{results: results}
	for _, k := range kinds {
		var codes []string
		tests := map[string][]test{}
		for _, v := range list {
			t, ok := m.test(v)
			if v.Kind != k || !ok {
				continue
			}
			if !slices.Contains(codes, t.Code) {
				codes = append(codes, t.Code)
			}
			tests[t.Code] = append(tests[t.Code], t)
		}
		for _, code := range codes {
			m.addRows(tests[code])
		}
	}
	return m
}

// test says what the stacks did in a test. It reports false if none was asked.
func (m *matrix) test(v *vector) (test, bool) {
	t := test{documentTest: documentTest{ID: v.ID, Kind: v.Kind, Group: v.Group, Code: cmp.Or(v.Code, v.Outcome, v.Result), Clause: v.Source}}
	if v.Alert != nil {
		t.Clause = v.Alert.Clause
	} else if v.QUICError != nil {
		t.Clause = v.QUICError.Clause
	}
	asked := false
	var seen []string
	for _, r := range m.results {
		did, ok := r.Verdicts[v.ID]
		asked = asked || ok
		seen = append(seen, cmp.Or(string(did), "-"))
		shown := string(did)
		if r.stack().read(did, v.Kind, slices.Concat(v.pieces()...)) {
			shown = string(accept)
			if did != accept && r.stack().noTLS13 && onlyTLS13(v) {
				shown = version
			}
		} else if _, err := strconv.Atoi(shown); err == nil {
			shown = "alert " + shown
		}
		t.shown = append(t.shown, shown)
		if ok && differs(v, shown) {
			t.Differs = append(t.Differs, r.Version)
		}
	}
	t.Seen = strings.Join(seen, " ")
	return t, asked
}

// version is shown for a server without TLS 1.3 that refuses a hello for TLS 1.3 alone.
const version = "version"

func onlyTLS13(v *vector) bool {
	if v.Parsed == nil || v.Parsed.ClientHello == nil {
		return false
	}
	suites, versions := v.Parsed.ClientHello.CipherSuites, v.Parsed.ClientHello.SupportedVersions
	return suites.First>>8 == 0x13 && suites.Last>>8 == 0x13 ||
		len(versions) > 0 && !slices.ContainsFunc(versions, func(n uint16) bool { return n>>8 == 3 && n < 0x0304 })
}

// differs reports whether a stack accepts what a test refuses, or the reverse, or does not
// wait for the rest of what is correct so far.
func differs(v *vector, seen string) bool {
	accepted := seen == string(accept) || seen == version
	switch {
	case v.Result == "valid" || slices.Contains(unknownFlags, v.Code):
		return !accepted
	case v.Outcome == "need_more" || v.Code == "truncated":
		return seen != string(waits)
	}
	return accepted
}

// stack is the stack that gave the result.
func (r result) stack() stack {
	i := slices.IndexFunc(stacks, func(s stack) bool { return s.name == r.Stack })
	if i < 0 {
		return stack{}
	}
	return stacks[i]
}

// addRows adds the tests of one code: in one row if each stack did one thing, else in a row
// for each group.
func (m *matrix) addRows(tests []test) {
	whole := row{kind: tests[0].Kind, code: tests[0].Code, tests: tests}
	if !slices.ContainsFunc(whole.counts(), func(count map[string]int) bool { return len(count) > 1 }) {
		m.rows = append(m.rows, whole)
		return
	}
	var rows []row
	for _, t := range tests {
		if i := len(rows) - 1; i < 0 || rows[i].group != t.Group {
			rows = append(rows, row{kind: t.Kind, code: t.Code, group: t.Group})
		}
		last := &rows[len(rows)-1]
		last.tests = append(last.tests, t)
	}
	if len(rows) == 1 {
		rows[0].group = ""
	}
	m.rows = append(m.rows, rows...)
}

// counts returns for each stack how often it did what.
func (r row) counts() []map[string]int {
	list := make([]map[string]int, len(r.tests[0].shown))
	for i := range list {
		list[i] = map[string]int{}
		for _, t := range r.tests {
			if t.shown[i] != "" {
				list[i][t.shown[i]]++
			}
		}
	}
	return list
}

// clause returns the clauses of the tests.
func (r row) clause() string {
	var clauses []string
	for _, t := range r.tests {
		if !slices.Contains(clauses, t.Clause) {
			clauses = append(clauses, t.Clause)
		}
	}
	return strings.Join(clauses, "; ")
}
