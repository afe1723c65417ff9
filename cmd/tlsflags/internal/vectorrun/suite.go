package vectorrun

import (
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/paths"
	"github.com/tlsflags/tlsflags/vectors"
)

// Suite is the tests to ask.
type Suite struct {
	Version string // of the vectors
	Groups  []group
}

// A group is a group of the vectors, or the part of it that was selected.
type group struct {
	Kind, Name, Source string
	Tests              []test
}

// A test is a question, also one with prefixes, and its verdict.
type test struct {
	question
	want verdict
}

// A verdict is what an answer is compared with.
type verdict struct {
	vectors.Common
	Outcome   vectors.Outcome
	Action    vectors.Action
	Joined    vectors.Bytes
	QUICError *vectors.QUICError
	Parsed    *vectors.Parsed
}

func newTest(g *vectors.Group[vectors.Test], t vectors.Test) test {
	c := t.Shared()
	q := question{ID: c.ID, Kind: string(g.Kind), Entry: g.Entry}
	v := verdict{Common: *c}
	switch t := t.(type) {
	case *vectors.FlagsTest:
		q.Input, v.Parsed = t.Input, t.Parsed
	case *vectors.HelloTest:
		q.Input, q.Prefixes, v.Parsed = t.Input, t.Prefixes, t.Parsed
	case *vectors.MessageTest:
		q.Before, q.Sender, q.Message, q.Input = t.Before, t.Sender, t.Message, t.Input
		v.Parsed = t.Parsed
	case *vectors.PiecesTest:
		q.Pieces, q.Memory = t.Pieces, t.Memory
		v.Outcome, v.Joined, v.QUICError, v.Parsed = t.Outcome, t.Joined, t.QUICError, t.Parsed
	case *vectors.ExchangeTest:
		q.Text, q.State, q.Steps = t.Text, &t.State, t.Steps
		v.Action = t.Action
	}
	return test{q, v}
}

// Select returns the tests of the given kinds and groups, with the given ids, in which *
// matches any characters. An empty list selects all. A group or an id that selects
// nothing is an error.
func Select(kinds, groups, ids []string) (Suite, error) {
	var patterns []*pattern
	for _, id := range ids {
		patterns = append(patterns, newPattern(id))
	}
	var s Suite
	seen := map[string]bool{}
	for _, k := range vectors.Kinds() {
		if len(kinds) > 0 && !slices.Contains(kinds, string(k)) {
			continue
		}
		f, err := vectors.Load(k)
		if err != nil {
			return Suite{}, err
		}
		s.Version = f.Version
		for _, g := range f.Groups {
			seen[g.Name] = true
			if len(groups) > 0 && !slices.Contains(groups, g.Name) {
				continue
			}
			selected := group{Kind: string(g.Kind), Name: g.Name, Source: g.Source}
			for _, t := range g.Tests {
				if len(patterns) == 0 || matchAny(patterns, t.Shared().ID) {
					selected.Tests = append(selected.Tests, newTest(&g, t))
				}
			}
			if len(selected.Tests) > 0 {
				s.Groups = append(s.Groups, selected)
			}
		}
	}
	for _, name := range groups {
		if !seen[name] {
			return Suite{}, fmt.Errorf("--group: unknown group %q%s; --list lists those there are", name, paths.Hint(name, slices.Sorted(maps.Keys(seen))))
		}
	}
	for _, p := range patterns {
		if !p.used {
			return Suite{}, fmt.Errorf("--id: unknown id %q%s; --list lists those there are", p.text, withdrawn(p.text))
		}
	}
	return s, nil
}

// withdrawn returns a note in parentheses if an id is one of an earlier version: why it was
// withdrawn, and its successor. Otherwise it returns "".
func withdrawn(id string) string {
	reason, successor, ok := vectors.Withdrawn(id)
	switch {
	case !ok:
		return ""
	case successor != "":
		return fmt.Sprintf(" (withdrawn for %s: %s)", successor, reason)
	}
	return fmt.Sprintf(" (withdrawn: %s)", reason)
}

// matchAny asks all patterns, so that each knows whether it is used.
func matchAny(patterns []*pattern, id string) bool {
	any := false
	for _, p := range patterns {
		any = p.match(id) || any
	}
	return any
}

// has reports whether a test matches a pattern.
func (s Suite) has(p *pattern) bool {
	return slices.ContainsFunc(s.Groups, func(g group) bool {
		return slices.ContainsFunc(g.Tests, func(t test) bool { return p.expr.MatchString(t.ID) })
	})
}

// WriteList writes a line for each test: its id, kind and group, separated by tabs.
func (s Suite) WriteList(w io.Writer) error {
	for _, g := range s.Groups {
		for _, t := range g.Tests {
			if _, err := fmt.Fprintf(w, "%s\t%s\t%s\n", t.ID, g.Kind, g.Name); err != nil {
				return err
			}
		}
	}
	return nil
}
