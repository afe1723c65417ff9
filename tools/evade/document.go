package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
)

// The lines of a document between which the tables are.
const (
	beginTables = "<!-- Written by make evasion-table. -->\n"
	endTables   = "<!-- End of what is written by make evasion-table. -->\n"
)

// writeDocument writes the tables into a Markdown file.
func writeDocument(file string, games []*game, receivers []*receiver) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(b), beginTables)
	_, after, ok2 := strings.Cut(rest, endTables)
	if !ok || !ok2 {
		return fmt.Errorf("%s does not have the lines between which the tables are:\n%s%s", file, beginTables, endTables)
	}
	return os.WriteFile(file, []byte(before+beginTables+tables(games, receivers)+endTables+after), 0o644)
}

// tables returns a table of each kind of tricks.
func tables(games []*game, receivers []*receiver) string {
	var b strings.Builder
	b.WriteString("\nMeasured with " + versions() + ".\n")
	for k, name := range kindNames {
		var tricks []trick
		for _, t := range all() {
			if t.kind == kind(k) && !t.honest {
				tricks = append(tricks, t)
			}
		}
		if tricks == nil {
			continue
		}
		heads := []string{"receiver", "ours"}
		if kind(k) <= inRecords {
			heads = nil
			for _, r := range receivers {
				if r.carrier == tcpCarrier && r.name != fastOpenName {
					heads = append(heads, r.name)
				}
			}
		}
		fmt.Fprintf(&b, "\n### Tricks: %s\n\n| trick | what is sent | clause | %s | tshark |\n", name, strings.Join(heads, " | "))
		b.WriteString("| --- | --- | --- |" + strings.Repeat(" --- |", len(heads)+1) + "\n")
		for _, t := range tricks {
			b.WriteString(line(t, games, heads))
		}
	}
	b.WriteString("\n")
	return b.String()
}

// line returns the line of a trick. If there is a column for each receiver, it has our
// answer too.
func line(t trick, games []*game, heads []string) string {
	cells := make(map[string][]string)
	add := func(head, text string) {
		if !slices.Contains(cells[head], text) {
			cells[head] = append(cells[head], text)
		}
	}
	for _, g := range games {
		if g.tricks[0].name != t.name {
			continue
		}
		answer := g.verdict.String()
		if reasons := reasonsOf(g.rows); reasons != "" {
			answer += " (" + reasons + ")"
		}
		if slices.Contains(heads, "ours") {
			add("receiver", brief(g.read))
			add("ours", answer)
		} else {
			add(g.receiver.name, brief(g.read)+": "+answer)
		}
		add("tshark", brief(g.tshark))
	}
	row := []string{t.name, t.about, t.clause}
	for _, head := range append(slices.Clone(heads), "tshark") {
		row = append(row, strings.Join(cells[head], " / "))
	}
	return "| " + strings.Join(row, " | ") + " |\n"
}

// brief returns which of the two hellos was read.
func brief(read []reading) string {
	var names []string
	for _, r := range read {
		switch r {
		case newReading(true, realName):
			names = append(names, "hello")
		case newReading(false, decoyName):
			names = append(names, "decoy")
		default:
			names = append(names, "mix")
		}
	}
	if names == nil {
		return "nothing"
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), " and ")
}

func reasonsOf(rows []row) string {
	var reasons []string
	for _, r := range rows {
		reasons = append(reasons, r.Ambiguous...)
	}
	slices.Sort(reasons)
	return strings.Join(slices.Compact(reasons), ", ")
}

// versions names the programs that were measured.
func versions() string {
	list := []string{"Linux " + output("uname", "-r"), "crypto/tls of " + strings.Replace(runtime.Version(), "go", "Go ", 1)}
	for _, c := range [][]string{{"openssl", "version"}, {"gnutls-serv", "--version"}, {"node", "--version"}, {"tshark", "--version"}} {
		if v := output(c[0], c[1:]...); v != "" {
			list = append(list, v)
		}
	}
	return strings.Join(list, ", ")
}

// output returns the first line that a program prints, without what is in parentheses.
func output(name string, args ...string) string {
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		return ""
	}
	first, _, _ := strings.Cut(string(out), "\n")
	first, _, _ = strings.Cut(strings.Replace(first, " (Wireshark)", "", 1), " (")
	if strings.HasPrefix(first, "v") {
		first = name + " " + first[1:]
	}
	return strings.TrimSuffix(first, ".")
}
