package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// readers read every message in datagrams that is complete, but for listed alternatives.
var readers = []string{"openssl", "quic-go", "pion"}

// TestListed checks that each verdict of a stack is one that its test lists, or is in the
// matrix as a difference, with its clause. That is no excuse for readers.
func TestListed(t *testing.T) {
	m := newMatrix(stored(t), loaded(t))
	tests := map[string]test{}
	for _, row := range m.rows {
		for _, test := range row.tests {
			tests[test.ID] = test
		}
	}
	for _, v := range loaded(t) {
		for _, r := range m.results {
			did, ok := r.Verdicts[v.ID]
			if !ok || lists(v, did, r.stack()) || slices.Contains(unknownFlags, v.Code) {
				continue
			}
			datagrams := v.Kind == quicKind || v.Kind == dtlsKind
			if in := tests[v.ID]; datagrams && slices.Contains(readers, r.Stack) || !slices.Contains(in.Differs, r.Version) || in.Clause == "" {
				t.Errorf("%s: %s of %s is no alternative; add it to vectors/internal/generate/alternatives.txt", v.ID, did.name(), r.Version)
			}
		}
	}
}

func TestLists(t *testing.T) {
	refused := vector{Kind: tlsRecords, Entry: "records", Result: "invalid", Outcome: "refused", Code: "record_overflow", Alert: &fault{Name: "record_overflow"}}
	refused.Alternatives = []alternative{{Result: "invalid", Outcome: "need_more"}, {Result: "invalid", Outcome: "refused", Alert: "decode_error"}}
	complete := vector{Kind: tlsRecords, Entry: "records", Result: "valid", Outcome: "complete"}
	for _, tt := range []struct {
		name string
		v    vector
		did  verdict
		want bool
	}{
		{"the alert of the test", refused, "22", true},
		{"an alternative alert", refused, "50", true},
		{"another alert", refused, "47", false},
		{"no alert", refused, closes, true},
		{"an alternative outcome", refused, waits, true},
		{"another result", refused, accept, false},
		{"the result", complete, accept, true},
		{"an alert about what is supported", complete, "40", true},
		{"another outcome", complete, waits, false},
	} {
		if got := lists(&tt.v, tt.did, stacks[0]); got != tt.want {
			t.Errorf("%s: %t, want %t", tt.name, got, tt.want)
		}
	}
}

// lists reports whether a verdict is the answer of a test or one of its alternatives.
func lists(v *vector, did verdict, s stack) bool {
	own := alternative{Result: v.Result, Outcome: v.Outcome}
	if v.Alert != nil {
		own.Alert = v.Alert.Name
	} else if v.QUICError != nil {
		own.QUICError = v.QUICError.Name
	}
	return slices.ContainsFunc(append(slices.Clip(v.Alternatives), own), func(a alternative) bool { return gives(v, did, s, a) })
}

// gives reports whether a verdict is an answer. Who closes may have meant any alert.
func gives(v *vector, did verdict, s stack, a alternative) bool {
	if a.Alert != "" && did.name() == a.Alert {
		return true
	}
	over, _ := v.asked()
	got := s.replyTo(did, over, v)
	sent := ""
	if got.Alert != nil || got.QUICError != nil {
		sent = did.name()
	}
	return got.Result == a.Result && (got.Outcome == "" || got.Outcome == a.Outcome) &&
		(sent == "" || sent == a.Alert+a.QUICError)
}

// TestWho checks that the stacks that alternatives name give these answers: in the test, or
// if it has a code in one with this code.
func TestWho(t *testing.T) {
	results := stored(t)
	given := map[string]bool{}
	for _, v := range loaded(t) {
		for _, a := range v.Alternatives {
			for who := range strings.SplitSeq(a.Who, ", ") {
				for _, r := range results {
					did, ok := r.Verdicts[v.ID]
					if !ok || !isNamed(r, who) {
						continue
					}
					claim := fmt.Sprintf("%s: %s %s by %s", cmp.Or(v.Code, v.ID), a.Result, cmp.Or(a.Alert+a.QUICError, a.Outcome), who)
					given[claim] = given[claim] || gives(v, did, r.stack(), a)
				}
			}
		}
	}
	for claim, ok := range given {
		if !ok {
			t.Errorf("%s: docs/matrix.json has no such answer", claim)
		}
	}
}

// isNamed reports whether a stack is the one of an alternative, such as "GnuTLS 3.7" or
// "Go 1.26 crypto/tls".
func isNamed(r result, who string) bool {
	who = strings.ToLower(strings.TrimPrefix(who, "Go 1.26 "))
	name, _, _ := strings.Cut(who, " ")
	return name == r.name()
}
