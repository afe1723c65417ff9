package vectorrun

import "github.com/tlsflags/tlsflags/vectors"

// Outcome is how the answers to one test compare.
type Outcome struct {
	ID     string `json:"id"`
	Status Status `json:"status"`
	Got    string `json:"got"`
	Want   string `json:"want"`
	Clause string `json:"clause"`
	Reason string `json:"reason,omitzero"` // of a known difference
	// Unchecked are the keys of the test that the answer does not have.
	Unchecked []string `json:"-"`
}

// GroupReport has the outcomes of one group, in the order of the tests.
type GroupReport struct {
	Kind     vectors.Kind
	Name     string
	Source   string
	Outcomes []Outcome
}

// Report is what a run has found.
type Report struct {
	Version string // of the vectors
	Strict  bool   // what is unchecked is a difference too
	Groups  []GroupReport
	Stale   []string // expected differences that were not seen
}

// Statuses are all statuses, in the order of a report.
var statuses = []Status{Pass, Fail, Disagree, Unchecked, Known, Skip}

// counts are how many outcomes have each status, and how many answers lack each key.
type counts struct {
	statuses map[Status]int
	keys     map[string]int
}

func count(groups ...GroupReport) counts {
	c := counts{map[Status]int{}, map[string]int{}}
	for _, s := range statuses {
		c.statuses[s] = 0
	}
	for _, g := range groups {
		for _, o := range g.Outcomes {
			c.statuses[o.Status]++
			for _, name := range o.Unchecked {
				c.keys[name]++
			}
		}
	}
	return c
}

// Count returns how many outcomes have the status.
func (r Report) Count(s Status) int { return count(r.Groups...).statuses[s] }

// OK reports whether there is no difference but for known ones.
func (r Report) OK() bool {
	for _, g := range r.Groups {
		for _, o := range g.Outcomes {
			if r.differs(o) {
				return false
			}
		}
	}
	return true
}

func (r Report) differs(o Outcome) bool {
	return o.Status == Fail || o.Status == Disagree || o.Status == Unchecked && r.Strict
}
