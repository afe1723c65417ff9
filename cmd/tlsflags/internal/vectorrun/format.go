package vectorrun

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/terminal"
	"github.com/tlsflags/tlsflags/vectors"
)

// statuses are the columns of the table.
var statuses = []Status{Pass, Fail, Disagree, Known, Skip}

// WriteText writes the differences and, unless quiet, a table with a row for each
// group; the last line sums up.
func (r Report) WriteText(w io.Writer, quiet bool) error {
	for _, g := range r.Groups {
		for _, o := range g.Outcomes {
			if o.Status == Fail || o.Status == Disagree {
				fmt.Fprintf(w, "%-8s %s: got %s, want %s (%s)\n", o.Status, o.ID, terminal.Printable(o.Got), o.Want, o.Clause)
			}
		}
	}
	if !quiet {
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "kind\tgroup\tpass\tfail\tdisagree\tknown\tskip\tclause")
		for _, g := range r.Groups {
			fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%s\n", g.Kind, g.Name,
				g.Count(Pass), g.Count(Fail), g.Count(Disagree), g.Count(Known), g.Count(Skip), g.Source)
		}
		if err := t.Flush(); err != nil {
			return err
		}
	}
	for _, pattern := range r.Stale {
		fmt.Fprintf(w, "expected, but not seen: %s\n", terminal.Printable(pattern))
	}
	var counts []string
	for _, s := range statuses {
		counts = append(counts, fmt.Sprintf("%d %s", r.Count(s), s))
	}
	_, err := fmt.Fprintf(w, "vectors %s: %s\n", r.Version, strings.Join(counts, ", "))
	return err
}

type jsonReport struct {
	Schema  string         `json:"schema"`
	Version string         `json:"version"`
	OK      bool           `json:"ok"`
	Counts  map[Status]int `json:"counts"`
	Groups  []jsonGroup    `json:"groups"`
	Stale   []string       `json:"stale"`
}

type jsonGroup struct {
	Kind   vectors.Kind   `json:"kind"`
	Name   string         `json:"name"`
	Clause string         `json:"clause"`
	Counts map[Status]int `json:"counts"`
	// Differences has every outcome but those that pass or are skipped.
	Differences []Outcome `json:"differences"`
}

// WriteJSON writes the report as one object.
func (r Report) WriteJSON(w io.Writer) error {
	report := jsonReport{"tlsflags.vectors.run/1", r.Version, r.OK(), map[Status]int{}, []jsonGroup{}, append([]string{}, r.Stale...)}
	for _, s := range statuses {
		report.Counts[s] = r.Count(s)
	}
	for _, g := range r.Groups {
		group := jsonGroup{g.Kind, g.Name, g.Source, map[Status]int{}, []Outcome{}}
		for _, s := range statuses {
			group.Counts[s] = g.Count(s)
		}
		for _, o := range g.Outcomes {
			if o.Status != Pass && o.Status != Skip {
				group.Differences = append(group.Differences, o)
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
// differences are skipped tests with their reason.
func (r Report) WriteJUnit(w io.Writer) error {
	suites := junitSuites{Name: "tlsflags vectors " + r.Version}
	for _, g := range r.Groups {
		suite := junitSuite{Name: string(g.Kind) + "/" + g.Name, Tests: len(g.Outcomes), Failures: g.Count(Fail) + g.Count(Disagree), Skipped: g.Count(Known) + g.Count(Skip)}
		for _, o := range g.Outcomes {
			c := junitCase{Class: suite.Name, Name: o.ID}
			message := &junitMessage{fmt.Sprintf("got %s, want %s (%s)", terminal.Printable(o.Got), o.Want, o.Clause)}
			switch o.Status {
			case Fail, Disagree:
				c.Failure = message
			case Known:
				c.Skipped = &junitMessage{o.Reason}
			case Skip:
				c.Skipped = &junitMessage{"not implemented"}
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
