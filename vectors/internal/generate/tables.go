package main

import (
	"cmp"
	"embed"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/vectors"
)

// The tables have a row on each line, with cells separated by " | ".
//
//go:embed alternatives.txt codes.txt notes.txt rules.txt withdrawn.txt
var tables embed.FS

// table returns the rows of a table. A line that begins with # is a comment.
func table(name string) [][]string {
	text, err := tables.ReadFile(name)
	if err != nil {
		panic(err)
	}
	var rows [][]string
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "#") {
			rows = append(rows, strings.Split(strings.TrimSpace(line), " | "))
		}
	}
	return rows
}

// notes explain the flags of tests.
var notes = func() map[string]vectors.Note {
	notes := map[string]vectors.Note{}
	for _, r := range table("notes.txt") {
		n := vectors.Note{Description: r[1], Effect: r[2]}
		for document := range strings.FieldsSeq(r[3]) {
			link := "https://datatracker.ietf.org/doc/" + document + "/"
			if strings.HasPrefix(document, "rfc") {
				link = "https://www.rfc-editor.org/info/" + document
			}
			n.Links = append(n.Links, link)
		}
		notes[r[0]] = n
	}
	return notes
}()

// A verdict is what follows from a code.
type verdict struct {
	offset       string // the field at the offset
	alert        vectors.Alert
	alternatives []vectors.Alternative
}

// verdicts has the verdict of each code.
var verdicts = func() map[string]verdict {
	verdicts := map[string]verdict{}
	for _, r := range table("codes.txt") {
		v := verdict{r[1], alert(r[2], r[3]), []vectors.Alternative{}}
		for _, other := range r[4:] {
			cells := append(strings.Split(other, "; "), "", "")
			v.alternatives = append(v.alternatives, otherAlert(cells[0], cells[1], cells[2]))
		}
		verdicts[r[0]] = v
	}
	return verdicts
}()

// alerts are the alerts of RFC 9846, Section 6 that verdicts name.
var alerts = map[string]uint8{
	"unexpected_message": 10, "record_overflow": 22, "handshake_failure": 40, "bad_certificate": 42, "illegal_parameter": 47, "decode_error": 50,
	"protocol_version": 70, "internal_error": 80, "missing_extension": 109, "unsupported_extension": 110, "certificate_required": 116,
}

func alert(name, clause string) vectors.Alert {
	value, ok := alerts[name]
	if !ok {
		panic(fmt.Sprintf("no alert is %s", name))
	}
	return vectors.Alert{Value: value, Name: name, Clause: clause}
}

// otherAlert is another alert for a refused input.
func otherAlert(name, clause, who string) vectors.Alternative {
	return vectors.Alternative{Result: vectors.Invalid, Alert: name, Clause: cmp.Or(clause, vectors.NoClause), Who: who}
}

// addAlternatives adds the answers of alternatives.txt to the tests.
func addAlternatives(all []vectors.File) error {
	for _, r := range table("alternatives.txt") {
		r = append(r, "")
		other := vectors.Alternative{Result: vectors.Valid, Clause: r[2], Who: r[3]}
		if r[1] != string(vectors.Valid) {
			other = otherAlert(r[1], r[2], r[3])
		}
		for pattern := range strings.FieldsSeq(r[0]) {
			n := 0
			for _, f := range all {
				for _, t := range f.All() {
					if matches(pattern, t.ID) {
						n++
						*t = or(*t, other)
					}
				}
			}
			if n == 0 {
				return fmt.Errorf("alternatives.txt: no test matches %s", pattern)
			}
		}
	}
	return nil
}

// markdown returns a Markdown table.
func markdown(rows ...[]string) string {
	var b strings.Builder
	for i, row := range rows {
		b.WriteString("| " + strings.Join(row, " | ") + " |\n")
		if i == 0 {
			b.WriteString(strings.Repeat("| --- ", len(row)) + "|\n")
		}
	}
	return b.String()
}

// codeTable explains the codes of the tests, in the order of package extension.
func codeTable(all []vectors.File) (string, error) {
	used := map[string]bool{}
	alerted := map[string]bool{}       // codes with an alert
	transport := map[string][]string{} // errors of QUIC that are no alerts, by code
	for _, f := range all {
		for _, t := range f.All() {
			used[t.Code] = true
			if t.Alert != nil {
				alerted[t.Code] = true
			} else if t.QUICError != nil && !slices.Contains(transport[t.Code], t.QUICError.Name) {
				transport[t.Code] = append(transport[t.Code], t.QUICError.Name)
			}
		}
	}
	delete(used, "")
	rows := [][]string{{"code", "what is wrong", "the offset is that of", "alert, or an alternative"}}
	for i := range 256 {
		code := extension.Code(i)
		if !used[code.Name()] {
			continue
		}
		delete(used, code.Name())
		v := verdicts[code.Name()]
		var sent []string
		if alerted[code.Name()] {
			sent = append(sent, fmt.Sprintf("%s (%d)", v.alert.Name, v.alert.Value))
			for _, other := range v.alternatives {
				sent = append(sent, other.Alert)
			}
		}
		for _, name := range transport[code.Name()] {
			sent = append(sent, fmt.Sprintf("in QUIC %s (%#02x)", name, quicErrors[name]))
		}
		rows = append(rows, []string{"`" + code.Name() + "`", strings.TrimPrefix(code.Error(), "tlsflags: "), v.offset, strings.Join(sent, ", ")})
	}
	for name := range used {
		return "", fmt.Errorf("package extension has no code %s", name)
	}
	return markdown(rows...), nil
}

func groupTable(all []vectors.File) string {
	rows := [][]string{{"kind", "group", "tests", "about"}}
	for _, f := range all {
		for _, g := range f.Groups {
			rows = append(rows, []string{string(f.Kind), g.Name, fmt.Sprint(len(g.Tests)), g.Comment})
		}
	}
	return markdown(rows...)
}

// ruleTable lists the rules with the tests of each. A pattern without a test is an error.
func ruleTable(all []vectors.File) (string, error) {
	rows := [][]string{{"document", "section", "rule", "tests"}}
	for _, r := range table("rules.txt") {
		tests := r[3]
		if !strings.HasPrefix(tests, "none: ") {
			var cells []string
			for pattern := range strings.FieldsSeq(tests) {
				n := count(all, pattern)
				if n == 0 {
					return "", fmt.Errorf("%s, Section %s: no test matches %s", r[0], r[1], pattern)
				}
				cells = append(cells, fmt.Sprintf("`%s` (%d)", pattern, n))
			}
			tests = strings.Join(cells, ", ")
		}
		rows = append(rows, []string{r[0], r[1], r[2], tests})
	}
	return markdown(rows...), nil
}

func count(all []vectors.File, pattern string) int {
	n := 0
	for _, f := range all {
		for _, t := range f.All() {
			if matches(pattern, t.ID) {
				n++
			}
		}
	}
	return n
}

// matches reports whether an id matches the pattern. A * at the end matches several parts.
func matches(pattern, id string) bool {
	for {
		if ok, err := path.Match(pattern, id); ok || err != nil {
			return ok
		}
		i := strings.LastIndexByte(id, '/')
		if i < 0 || !strings.HasSuffix(pattern, "*") {
			return false
		}
		id = id[:i]
	}
}
