package main

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tlsflags/tlsflags/extension"
)

// notes say what there is to know about the table of a kind.
var notes = map[string]string{
	clientHello: `No stack here knows tls_flags, and all ignore it as RFC 9846, Section 4.2.2 says. So "accept" is right for the codes
of tls_flags: trailing_zero, empty_data, empty_vector, inner_too_long, trailing_bytes and all_zero.
`,
	extensionBodies: `A server that has no use for an extension does not look into it, and accepts a malformed one. That is allowed, and
differs from the tests.
`,
	firstBytes: `How to refuse what is no TLS is up to the server. A server of QUIC or DTLS may ignore any datagram.
`,
	dtlsKind: `A server may ignore any datagram, so "waits" is right for all that is refused.
`,
	quicKind: `A server discards a datagram of less than 1,200 bytes with an Initial packet (RFC 9000, Section 14.1), and may discard
packets that it cannot use.
`,
}

// markdown writes the matrix as a document.
func (m *matrix) markdown() []byte {
	var b bytes.Buffer
	b.WriteString(`# What implementations do with the vectors

Which stack accepts which ClientHello? This file counts the answers to the [test vectors](../vectors);
[matrix.json](matrix.json) has every test. The tests say what the standards require. They do not change because a stack
does something else. "make vectors-observed" asks the stacks, and "make matrix" writes both files.

## At a glance

`)
	m.glances(&b)
	m.legend(&b)
	for _, k := range kinds {
		m.table(&b, k)
	}
	m.flagsTable(&b)
	m.leftOut(&b)
	return b.Bytes()
}

// glances writes the answers to what is asked most.
func (m *matrix) glances(b *bytes.Buffer) {
	code := func(name string) func(test) bool { return func(t test) bool { return t.Code == name } }
	m.glance(b, "- Duplicate extensions", code("duplicate_extension"))
	m.glance(b, "- Session ids of 33 bytes and more", code("session_id_too_long"))
	m.glance(b, "- A pre_shared_key that is not last", code("pre_shared_key_not_last"))
	b.WriteString("- Odd records:\n")
	m.glance(b, "  - empty", code("record_empty"))
	m.glance(b, "  - of another type inside of the message", code("record_interleaved"))
	m.glance(b, "  - of any version", func(t test) bool { return t.Kind == tlsRecords && t.Group == "versions" })
}

// glance says who refuses and who accepts some tests, and by which clause.
func (m *matrix) glance(b *bytes.Buffer, about string, match func(test) bool) {
	var r row
	for _, other := range m.rows {
		for _, t := range other.tests {
			if match(t) {
				r.tests = append(r.tests, t)
			}
		}
	}
	if r.tests == nil {
		return
	}
	var refuse, take, some []string
	for i, count := range r.counts() {
		total := 0
		for _, n := range count {
			total += n
		}
		name, accepted := m.results[i].name(), count[string(accept)]+count[version]
		switch {
		case total == 0:
		case accepted == 0:
			refuse = append(refuse, name)
		case accepted == total:
			take = append(take, name)
		default:
			some = append(some, fmt.Sprintf("%s (%d of %d)", name, accepted, total))
		}
	}
	var parts []string
	for _, p := range []struct {
		what string
		who  []string
	}{{"refused by", refuse}, {"accepted by", take}, {"accepted in part by", some}} {
		if len(p.who) > 0 {
			parts = append(parts, p.what+" "+strings.Join(p.who, ", "))
		}
	}
	fmt.Fprintf(b, "%s (%s): %s.\n", about, r.clause(), strings.Join(parts, "; "))
}

func (m *matrix) legend(b *bytes.Buffer) {
	b.WriteString(`
## How to read the tables

A row has the tests of one [code](../vectors/README.md#codes), or of one result or outcome without a code. It is split
into [groups](../vectors/README.md#groups) if a stack treats them differently. "3 alert 50" means that the stack sent this
alert in three tests, "waits" that it sent nothing and wants more, "closes" that it ended without an alert, "version" that
a server without TLS 1.3 refuses a hello for TLS 1.3 alone. A cell in bold differs from the tests: it accepts what they
refuse, or the reverse, or does not wait for the rest of what is correct so far. The clause is that of the alert, or for
valid tests the one that the group is about. What is not in bold is the verdict of the test, or one of its alternatives.

A server that has read a ClientHello may refuse it for what it supports, which is not what the tests are about. So these
alerts count as "accept", but for an SSLv2-compatible hello and one without cipher suites:

`)
	for _, n := range readAlerts {
		fmt.Fprintf(b, "- %d, %s", n, extension.Alert(n))
		if n == protocolVersion {
			b.WriteString(", but not in tests of records")
		}
		b.WriteByte('\n')
	}
	for _, s := range stacks {
		for _, n := range s.alsoRead {
			fmt.Fprintf(b, "- %d, %s, of %s: it has no certificate that fits\n", n, extension.Alert(n), s.name)
		}
	}
	b.WriteString("\n| stack | version | other versions that do the same |\n| --- | --- | --- |\n")
	for _, r := range m.results {
		var same []string
		for _, v := range r.Same {
			same = append(same, strings.TrimPrefix(v, r.name()+"@"))
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", r.name(), strings.TrimPrefix(r.Version, r.name()+"@"), cmp.Or(strings.Join(same, ", "), "-"))
	}
}

// table writes the rows of a kind, with the stacks that were asked.
func (m *matrix) table(b *bytes.Buffer, k string) {
	var rows []row
	asked := make([]bool, len(m.results))
	for _, r := range m.rows {
		if r.kind != k {
			continue
		}
		rows = append(rows, r)
		for i, count := range r.counts() {
			asked[i] = asked[i] || len(count) > 0
		}
	}
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(b, "\n## %s\n\n", k)
	if notes[k] != "" {
		b.WriteString(notes[k] + "\n")
	}
	b.WriteString("| code | tests | clause |")
	line := "| --- | --- | --- |"
	for i, r := range m.results {
		if asked[i] {
			fmt.Fprintf(b, " %s |", r.name())
			line += " --- |"
		}
	}
	b.WriteString("\n" + line + "\n")
	for _, r := range rows {
		fmt.Fprintf(b, "| %s | %d | %s |", strings.TrimSuffix(r.code+", "+r.group, ", "), len(r.tests), r.clause())
		for i, count := range r.counts() {
			if asked[i] {
				fmt.Fprintf(b, " %s |", r.cell(count, m.results[i].Version))
			}
		}
		b.WriteByte('\n')
	}
}

// cell says how often a stack did what, the most frequent first.
func (r row) cell(count map[string]int, stack string) string {
	var parts []string
	for _, what := range slices.SortedFunc(maps.Keys(count), func(a, b string) int {
		return cmp.Or(count[b]-count[a], strings.Compare(a, b))
	}) {
		parts = append(parts, fmt.Sprintf("%d %s", count[what], what))
	}
	text := cmp.Or(strings.Join(parts, ", "), "-")
	if slices.ContainsFunc(r.tests, func(t test) bool { return slices.Contains(t.Differs, stack) }) {
		return "**" + text + "**"
	}
	return text
}

func (m *matrix) flagsTable(b *bytes.Buffer) {
	b.WriteString(`
## tls_flags

Each body of the kind tls_flags was put into one ClientHello that the stacks accept. They do not know the extension, so
they have to accept it with every body (RFC 9846, Section 4.2.2).

| stack | accepts | others |
| --- | --- | --- |
`)
	for _, r := range m.results {
		if r.Flags.Asked == 0 {
			continue
		}
		var others []string
		for _, v := range slices.Sorted(maps.Keys(r.Flags.Others)) {
			others = append(others, fmt.Sprintf("%s: %s", v.name(), strings.Join(r.Flags.Others[v], ", ")))
		}
		fmt.Fprintf(b, "| %s | %d of %d | %s |\n", r.name(), r.Flags.Accepted, r.Flags.Asked, cmp.Or(strings.Join(others, "; "), "none"))
	}
}

func (m *matrix) leftOut(b *bytes.Buffer) {
	b.WriteString("\n## What is not asked\n\n| what | why |\n| --- | --- |\n")
	for _, u := range unasked {
		fmt.Fprintf(b, "| %s | %s |\n", u.kind, u.reason)
	}
	fmt.Fprintf(b, "| tests with the code %s | No stack takes a limit of memory. |\n", overLimit)
	for _, s := range stacks {
		if s.lacks != "" {
			fmt.Fprintf(b, "| %s | %s |\n", s.name, s.lacks)
		}
	}
}
