package main

import (
	"bytes"
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

// The file of results has the stacks, what each did with the bodies of tls_flags, and a
// line for each other test: the verdicts in the order of the stacks, or "-" for those that
// were not asked.
type file struct {
	Stacks   []fileStack       `json:"stacks"`
	Verdicts map[string]string `json:"verdicts"`
}

type fileStack struct {
	Stack    string       `json:"stack"`
	Version  string       `json:"version"`
	Same     []string     `json:"same,omitzero"`
	TLSFlags *flagsResult `json:"tls_flags,omitzero"`
}

func readResults(name string) ([]result, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var f file
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var results []result
	for i, s := range f.Stacks {
		r := result{Stack: s.Stack, Version: s.Version, Same: s.Same, Verdicts: map[string]verdict{}}
		if s.TLSFlags != nil {
			r.Flags = *s.TLSFlags
		}
		for id, line := range f.Verdicts {
			verdicts := strings.Fields(line)
			if len(verdicts) != len(f.Stacks) {
				return nil, fmt.Errorf("%s: %s has %d verdicts for %d stacks", name, id, len(verdicts), len(f.Stacks))
			}
			if verdicts[i] != "-" {
				r.Verdicts[id] = verdict(verdicts[i])
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

func writeResults(name string, results []result) error {
	f := file{Verdicts: map[string]string{}}
	ids := map[string]bool{}
	for _, r := range results {
		s := fileStack{Stack: r.Stack, Version: r.Version, Same: r.Same}
		if r.Flags.Asked > 0 {
			s.TLSFlags = &r.Flags
		}
		f.Stacks = append(f.Stacks, s)
		for id := range r.Verdicts {
			ids[id] = true
		}
	}
	for id := range ids {
		var line []string
		for _, r := range results {
			line = append(line, string(r.Verdicts[id]))
			if line[len(line)-1] == "" {
				line[len(line)-1] = "-"
			}
		}
		f.Verdicts[id] = strings.Join(line, " ")
	}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetIndent("", "")
	if err := e.Encode(f); err != nil {
		return err
	}
	return os.WriteFile(name, text.Bytes(), 0o666)
}

// differences lists where a stack does not do what it did.
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
