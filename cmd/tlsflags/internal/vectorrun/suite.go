package vectorrun

import (
	"fmt"
	"io"
	"slices"

	"github.com/tlsflags/tlsflags/vectors"
)

// Suite is the tests to ask.
type Suite struct {
	Version string // of the vectors
	Groups  []vectors.Group
}

// Select returns the tests of the given kinds and groups, with the given ids, in which *
// matches any characters. An empty list selects all. A group or an id that selects
// nothing is an error.
func Select(kinds []vectors.Kind, groups, ids []string) (Suite, error) {
	var patterns []*pattern
	for _, id := range ids {
		patterns = append(patterns, newPattern(id))
	}
	var s Suite
	seen := map[string]bool{}
	for _, k := range vectors.Kinds() {
		if len(kinds) > 0 && !slices.Contains(kinds, k) {
			continue
		}
		f, err := vectors.Load(k)
		if err != nil {
			return Suite{}, err
		}
		s.Version = f.Version
		for _, g := range f.Groups {
			if len(groups) > 0 && !slices.Contains(groups, g.Name) {
				continue
			}
			seen[g.Name] = true
			if len(patterns) > 0 {
				g.Tests = slices.DeleteFunc(g.Tests, func(t vectors.Test) bool { return !matchAny(patterns, t.ID) })
			}
			if len(g.Tests) > 0 {
				s.Groups = append(s.Groups, g)
			}
		}
	}
	for _, name := range groups {
		if !seen[name] {
			return Suite{}, fmt.Errorf("no group %q to choose from; --list lists the tests", name)
		}
	}
	for _, p := range patterns {
		if !p.used {
			return Suite{}, fmt.Errorf("no test with the id %q to choose from%s; --list lists the tests", p.text, withdrawn(p.text))
		}
	}
	return s, nil
}

// withdrawn says in parentheses why an id of an earlier version names no test, if it is one.
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
