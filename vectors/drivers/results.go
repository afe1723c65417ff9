package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// A result is what one stack did.
type result struct {
	Stack   string   // its name in stacks
	Version string   // name@version
	Same    []string // other versions that did the same
	Flags   flagsResult
	// Verdicts has the tests that it was asked, by id.
	Verdicts map[string]verdict
}

// A flagsResult is what a stack did with each body of tls_flags in a ClientHello that it
// accepts otherwise.
type flagsResult struct {
	Asked    int                  `json:"asked"`
	Accepted int                  `json:"accepted"`
	Others   map[verdict][]string `json:"others,omitzero"` // ids
}

func (r *result) flags(id string, v verdict) {
	r.Flags.Asked++
	if v == accept {
		r.Flags.Accepted++
		return
	}
	if r.Flags.Others == nil {
		r.Flags.Others = map[verdict][]string{}
	}
	r.Flags.Others[v] = append(r.Flags.Others[v], id)
}

// name is the stack without its version.
func (r result) name() string {
	name, _, _ := strings.Cut(r.Version, "@")
	return name
}

// A document is matrix.json.
type document struct {
	Stacks []documentStack `json:"stacks"`
	Tests  []documentTest  `json:"tests"`
}

type documentStack struct {
	Stack    string       `json:"stack"`
	Version  string       `json:"version"`
	Same     []string     `json:"same,omitzero"`
	TLSFlags *flagsResult `json:"tls_flags,omitzero"`
}

type documentTest struct {
	ID     string `json:"id"`
	Kind   string `json:"kind"`
	Group  string `json:"group"`
	Code   string `json:"code"` // or "valid", or an outcome
	Clause string `json:"clause"`
	// Seen has the verdicts in the order of the stacks, or "-" for those that were not
	// asked.
	Seen string `json:"seen"`
	// Differs has the stacks that accept what the vectors refuse, or the reverse, or do not
	// wait for the rest of what is correct so far.
	Differs []string `json:"differs,omitzero"`
}

func readResults(name string) ([]result, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var d document
	if err := json.Unmarshal(data, &d); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var results []result
	for i, s := range d.Stacks {
		r := result{Stack: s.Stack, Version: s.Version, Same: s.Same, Verdicts: map[string]verdict{}}
		if s.TLSFlags != nil {
			r.Flags = *s.TLSFlags
		}
		for _, t := range d.Tests {
			seen := strings.Fields(t.Seen)
			if len(seen) != len(d.Stacks) {
				return nil, fmt.Errorf("%s: %s has %d verdicts for %d stacks", name, t.ID, len(seen), len(d.Stacks))
			}
			if seen[i] != "-" {
				r.Verdicts[t.ID] = verdict(seen[i])
			}
		}
		results = append(results, r)
	}
	return results, nil
}

// merge replaces the results of the stacks that were asked again. A stack that does what
// another of the same name does becomes one of its versions.
func merge(old, now []result) []result {
	var merged []result
	for _, s := range stacks {
		i := slices.IndexFunc(now, func(r result) bool { return r.Stack == s.name })
		if i >= 0 {
			merged = append(merged, now[i])
		} else if i = slices.IndexFunc(old, func(r result) bool { return r.Stack == s.name }); i >= 0 {
			merged = append(merged, old[i])
		}
	}
	var folded []result
	for _, r := range merged {
		i := slices.IndexFunc(folded, func(f result) bool {
			return f.name() == r.name() && len(f.Verdicts) == len(r.Verdicts) && len(r.differences(f)) == 0
		})
		if i < 0 {
			folded = append(folded, r)
		} else if !slices.Contains(folded[i].Same, r.Version) {
			folded[i].Same = append(folded[i].Same, r.Version)
		}
	}
	return folded
}

// differences lists the tests in which a stack does not do what it did.
func (r result) differences(old result) []string {
	var list []string
	differ := func(id string, now, was verdict) {
		list = append(list, fmt.Sprintf("%s: %s: %s, was %s (%s)", r.Version, id, now.name(), was.name(), old.Version))
	}
	for _, id := range slices.Sorted(maps.Keys(r.Verdicts)) {
		if was, ok := old.Verdicts[id]; ok && was != r.Verdicts[id] {
			differ(id, r.Verdicts[id], was)
		}
	}
	now, was := r.Flags.byID(), old.Flags.byID()
	for _, id := range slices.Sorted(maps.Keys(now)) {
		if was[id] != now[id] {
			differ(id, now[id], cmp.Or(was[id], accept))
		}
		delete(was, id)
	}
	for _, id := range slices.Sorted(maps.Keys(was)) {
		differ(id, accept, was[id])
	}
	return list
}

func (f flagsResult) byID() map[string]verdict {
	m := map[string]verdict{}
	for v, ids := range f.Others {
		for _, id := range ids {
			m[id] = v
		}
	}
	return m
}
