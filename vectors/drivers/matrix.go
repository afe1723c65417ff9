package main

import "slices"

func writeMatrix(stored, docs string) error { return nil }

// merge replaces the results of the stacks in now, and keeps the order of the stacks.
func merge(old, now []result) []result {
	for _, r := range now {
		i := slices.IndexFunc(old, func(o result) bool { return o.Version == r.Version })
		if i < 0 {
			old = append(old, r)
		} else {
			old[i] = r
		}
	}
	return old
}
