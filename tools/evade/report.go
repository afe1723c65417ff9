package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// printTable prints what each receiver read of each trick, and what ours says.
func printTable(games []*game, receivers []*receiver) {
	fmt.Printf("%-40s %-4s %-22s %-28s %-7s %s\n", "trick", "IP", "receiver", "it read", "ours", "rows")
	for _, g := range games {
		version := "4"
		if g.v6 {
			version = "6"
		}
		fmt.Printf("%-40s %-4s %-22s %-28s %-7v %s\n", g.tricks[0].name, version, g.receiver.name, list(g.read), g.verdict, rowList(g.rows))
	}
}

// list returns readings, or "nothing".
func list(read []reading) string {
	if len(read) == 0 {
		return "nothing"
	}
	var texts []string
	for _, r := range read {
		texts = append(texts, string(r))
	}
	return strings.Join(texts, ", ")
}

func rowList(rows []row) string {
	var texts []string
	for _, r := range rows {
		texts = append(texts, r.String())
	}
	return strings.Join(texts, "; ")
}

// printTotals counts the verdicts, and prints what is wrong.
func printTotals(games, mixed []*game, o options) error {
	wrong := false
	for _, g := range games {
		bad := g.verdict == silent || g.honest() && g.verdict != sure
		if bad || o.verbose && g.verdict != sure {
			fmt.Printf("%v: %v\n\tthe server read %s; inspect: %s\n", g.verdict, g, list(g.read), rowList(g.rows))
		}
		wrong = wrong || bad
	}
	printBlame(mixed)
	total("alone", games[:len(games)-len(mixed)])
	if len(mixed) > 0 {
		total("combinations", mixed)
		for _, v := range []view{{}, {oneWay: true}, {offloaded: true}} {
			var part []*game
			for _, g := range mixed {
				if g.view == v {
					part = append(part, g)
				}
			}
			total("  captured "+v.String(), part)
		}
		wrong = !enough(mixed) || wrong
	}
	if wrong {
		return errWrong
	}
	return nil
}

// enough reports whether 90 % of many combinations are sure or right, and 60 % sure.
func enough(games []*game) bool {
	var n [silent + 1]int
	for _, g := range games {
		n[g.verdict]++
	}
	return len(games) < 100 || 10*(n[sure]+n[right]) >= 9*len(games) && 10*n[sure] >= 6*len(games)
}

// printBlame prints which tricks are in the silent combinations.
func printBlame(games []*game) {
	type count struct{ silent, all int }
	counts := make(map[string]*count)
	for _, g := range games {
		for _, t := range g.tricks {
			if counts[t.name] == nil {
				counts[t.name] = new(count)
			}
			counts[t.name].all++
			if g.verdict == silent {
				counts[t.name].silent++
			}
		}
	}
	names := slices.Sorted(maps.Keys(counts))
	slices.SortStableFunc(names, func(a, b string) int {
		return counts[b].silent*counts[a].all - counts[a].silent*counts[b].all
	})
	for _, name := range names {
		if c := counts[name]; c.silent > 0 {
			fmt.Printf("%4d of %4d combinations with %q are wrong in silence\n", c.silent, c.all, name)
		}
	}
}

// total prints one line of counts.
func total(what string, games []*game) {
	var n [silent + 1]int
	honest, certain := 0, 0
	for _, g := range games {
		n[g.verdict]++
		if g.honest() {
			honest++
			if g.verdict == sure {
				certain++
			}
		}
	}
	fmt.Printf("%s: %d of %d as the receiver read them (%d surely), %d more named as doubtful, %d wrong in silence; %d of %d without a trick are sure\n",
		what, n[sure]+n[right], len(games), n[sure], n[named], n[silent], certain, honest)
}
