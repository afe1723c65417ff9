package vectorrun

import (
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/terminal"
	"github.com/tlsflags/tlsflags/vectors"
)

// WriteText writes the differences and, unless quiet, a table with a row for each
// group; the last line sums up.
func (r Report) WriteText(w io.Writer, quiet bool) error {
	for _, g := range r.Groups {
		for _, o := range g.Outcomes {
			if r.differs(o) {
				fmt.Fprintf(w, "%-9s %s: %s\n", o.Status, o.ID, o.message())
			}
		}
	}
	if !quiet {
		if err := r.writeTable(w); err != nil {
			return err
		}
	}
	for _, pattern := range r.Stale {
		fmt.Fprintf(w, "expected, but not seen: %s%s\n", terminal.Printable(pattern), withdrawn(pattern))
	}
	all := count(r.Groups...)
	if len(all.keys) > 0 {
		fmt.Fprintf(w, "unchecked keys: %s\n", joinCounts(slices.Sorted(maps.Keys(all.keys)), all.keys))
	}
	_, err := fmt.Fprintf(w, "vectors %s: %s\n", r.Version, joinCounts(statuses, all.statuses))
	return err
}

func (r Report) writeTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(t, "kind\tgroup")
	for _, s := range statuses {
		fmt.Fprintf(t, "\t%s", s)
	}
	fmt.Fprintln(t, "\tunchecked keys\tclause")
	for _, g := range r.Groups {
		fmt.Fprintf(t, "%s\t%s", g.Kind, g.Name)
		c := count(g)
		for _, s := range statuses {
			fmt.Fprintf(t, "\t%d", c.statuses[s])
		}
		keys := 0
		for _, n := range c.keys {
			keys += n
		}
		fmt.Fprintf(t, "\t%d\t%s\n", keys, g.Source)
	}
	return t.Flush()
}

func joinCounts[K ~string](names []K, counts map[K]int) string {
	var list []string
	for _, name := range names {
		list = append(list, fmt.Sprintf("%d %s", counts[name], name))
	}
	return strings.Join(list, ", ")
}

// message says what an answer says and what it should say.
func (o Outcome) message() string {
	return fmt.Sprintf("got %s, want %s (%s)", terminal.Printable(o.Got), o.Want, o.Clause)
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
}

type jsonGroup struct {
	Kind          vectors.Kind   `json:"kind"`
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
	report := jsonReport{"tlsflags.vectors.run/2", r.Version, r.Strict, r.OK(), all.statuses, all.keys, []jsonGroup{}, append([]string{}, r.Stale...)}
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
		suite := junitSuite{Name: string(g.Kind) + "/" + g.Name, Tests: len(g.Outcomes)}
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
