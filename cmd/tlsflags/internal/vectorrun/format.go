package vectorrun

import (
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/screen"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/terminal"
)

// WriteText writes the differences and, unless quiet, a table with a row for each
// group; the last line sums up. It fits width columns, if that is not 0.
func (r Report) WriteText(w io.Writer, quiet bool, width int) error {
	for _, g := range r.Groups {
		for _, o := range g.Outcomes {
			if r.differs(o) {
				parts := append([]string{fmt.Sprintf("%-9s %s:", o.Status, o.ID)}, o.parts()...)
				fmt.Fprintln(w, screen.Fill(parts, " ", "          ", width))
			}
		}
	}
	if !quiet {
		if err := r.writeTable(w, width); err != nil {
			return err
		}
	}
	for _, pattern := range r.Stale {
		fmt.Fprintln(w, screen.Cut("expected, but not seen: "+terminal.Printable(pattern)+withdrawn(pattern), width))
	}
	for _, key := range r.Unknown {
		fmt.Fprintln(w, screen.Cut("ignored: answers have the unknown key "+terminal.Printable(key), width))
	}
	all := count(r.Groups...)
	if len(all.keys) > 0 {
		fmt.Fprintln(w, fillCounts("unchecked keys: ", slices.Sorted(maps.Keys(all.keys)), all.keys, width))
	}
	_, err := fmt.Fprintln(w, fillCounts("vectors "+r.Version+": ", statuses, all.statuses, width))
	return err
}

func (r Report) writeTable(w io.Writer, width int) error {
	t := screen.Table{Columns: []screen.Column{{Name: "KIND"}, {Name: "GROUP", Least: 14}}}
	for _, s := range statuses {
		t.Columns = append(t.Columns, screen.Column{Name: strings.ToUpper(string(s)), Right: true})
	}
	t.Columns = append(t.Columns, screen.Column{Name: "UNCHECKED KEYS", Right: true, Rank: 2}, screen.Column{Name: "CLAUSE", Least: 16, Rank: 1})
	for _, g := range r.Groups {
		cells := []string{g.Kind, g.Name}
		c := count(g)
		for _, s := range statuses {
			cells = append(cells, strconv.Itoa(c.statuses[s]))
		}
		keys := 0
		for _, n := range c.keys {
			keys += n
		}
		t.Row(append(cells, strconv.Itoa(keys), g.Source)...)
	}
	return t.Write(w, width)
}

func fillCounts[K ~string](what string, names []K, counts map[K]int, width int) string {
	var list []string
	for _, name := range names {
		list = append(list, fmt.Sprintf("%s%d %s", what, counts[name], name))
		what = ""
	}
	return screen.Fill(list, ", ", "  ", width)
}

// message says what an answer says and what it should say.
func (o Outcome) message() string { return strings.Join(o.parts(), " ") }

func (o Outcome) parts() []string {
	return []string{"got " + terminal.Printable(o.Got) + ",", "want " + o.Want, "(" + o.Clause + ")"}
}

type jsonReport struct {
	Schema        string         `json:"schema"`
	Version       string         `json:"version"`
	Strict        bool           `json:"strict"`
	OK            bool           `json:"ok"`
	Counts        map[Status]int `json:"counts"`
	UncheckedKeys map[string]int `json:"unchecked_keys"`
	Groups        []jsonGroup    `json:"groups"`
	Stale         []string       `json:"stale"`
	UnknownKeys   []string       `json:"unknown_keys"`
}

type jsonGroup struct {
	Kind          string         `json:"kind"`
	Name          string         `json:"name"`
	Clause        string         `json:"clause"`
	Counts        map[Status]int `json:"counts"`
	UncheckedKeys map[string]int `json:"unchecked_keys"`
	// Outcomes has every outcome but those that pass or are skipped.
	Outcomes []Outcome `json:"outcomes"`
}

// WriteJSON writes the report as one object.
func (r Report) WriteJSON(w io.Writer) error {
	all := count(r.Groups...)
	report := jsonReport{"tlsflags.vectors.run/2", r.Version, r.Strict, r.OK(), all.statuses, all.keys, []jsonGroup{}, append([]string{}, r.Stale...), append([]string{}, r.Unknown...)}
	for _, g := range r.Groups {
		c := count(g)
		group := jsonGroup{g.Kind, g.Name, g.Source, c.statuses, c.keys, []Outcome{}}
		for _, o := range g.Outcomes {
			if o.Status != Pass && o.Status != Skip {
				group.Outcomes = append(group.Outcomes, o)
			}
		}
		report.Groups = append(report.Groups, group)
	}
	return terminal.WriteJSON(w, report, " ")
}

type junitSuites struct {
	XMLName xml.Name     `xml:"testsuites"`
	Name    string       `xml:"name,attr"`
	Suites  []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Failure *junitMessage `xml:"failure"`
	Skipped *junitMessage `xml:"skipped"`
}

type junitMessage struct {
	Message string `xml:"message,attr"`
}

// WriteJUnit writes the report as JUnit reads it: a suite for each group. Known
// differences and what is unchecked are skipped tests.
func (r Report) WriteJUnit(w io.Writer) error {
	suites := junitSuites{Name: "tlsflags vectors " + r.Version}
	for _, g := range r.Groups {
		suite := junitSuite{Name: g.Kind + "/" + g.Name, Tests: len(g.Outcomes)}
		for _, o := range g.Outcomes {
			c := junitCase{Class: suite.Name, Name: o.ID}
			switch {
			case r.differs(o):
				suite.Failures++
				c.Failure = &junitMessage{o.message()}
			case o.Status != Pass:
				suite.Skipped++
				c.Skipped = &junitMessage{o.skipped()}
			}
			suite.Cases = append(suite.Cases, c)
		}
		suites.Suites = append(suites.Suites, suite)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", " ")
	if err := e.Encode(suites); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// skipped says why JUnit counts a test as skipped.
func (o Outcome) skipped() string {
	switch o.Status {
	case Known:
		return o.Reason
	case Unchecked:
		return "unchecked: " + o.message()
	}
	return "not implemented"
}
