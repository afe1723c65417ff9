package vectorrun

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

// some is a report with an outcome of each status.
func some() Report {
	return Report{Version: "1.2.3", Stale: []string{"old/*"}, Unknown: []string{"flag"}, Groups: []GroupReport{
		{Kind: "tls_flags", Name: "group", Source: "RFC 1", Outcomes: []Outcome{
			{"a", Pass, "", "", "RFC 1", "", []string{"offset"}}, {"b", Fail, "x", "y", "RFC 2", "", nil}, {"c", Disagree, "x", "z", "RFC 3", "", nil},
			{"d", Known, "x", "y", "RFC 4", "ours", nil}, {"e", Skip, "", "", "RFC 5", "", nil}, {"f", Pass, "", "", "RFC 1", "", nil},
		}},
		{Kind: "quic", Name: "more", Source: "RFC 6", Outcomes: []Outcome{{"g", Unchecked, "no v", "v 1", "RFC 7", "", []string{"code", "offset"}}}},
	}}
}

func TestFormats(t *testing.T) {
	const differences = "fail      b: got x, want y (RFC 2)\ndisagree  c: got x, want z (RFC 3)\n"
	const unchecked = "unchecked g: got no v, want v 1 (RFC 7)\n"
	const table = "KIND       GROUP  PASS  FAIL  DISAGREE  UNCHECKED  KNOWN  SKIP  UNCHECKED KEYS  CLAUSE\n" +
		"tls_flags  group     2     1         1          0      1     1               1  RFC 1\n" +
		"quic       more      0     0         0          1      0     0               2  RFC 6\n"
	const end = "expected, but not seen: old/*\nignored: answers have the unknown key flag\nunchecked keys: 1 code, 2 offset\nvectors 1.2.3: 2 pass, 1 fail, 1 disagree, 1 unchecked, 1 known, 1 skip\n"
	strict := some()
	strict.Strict = true
	for name, tt := range map[string]struct {
		write func(*bytes.Buffer) error
		want  string
	}{
		"text":   {func(b *bytes.Buffer) error { return some().WriteText(b, false, 0) }, differences + table + end},
		"quiet":  {func(b *bytes.Buffer) error { return some().WriteText(b, true, 0) }, differences + end},
		"strict": {func(b *bytes.Buffer) error { return strict.WriteText(b, true, 0) }, differences + unchecked + end},
		"one key": {func(b *bytes.Buffer) error {
			return Report{Version: "1", Groups: some().Groups[:1]}.WriteText(b, true, 0)
		}, differences + "unchecked keys: 1 offset\nvectors 1: 2 pass, 1 fail, 1 disagree, 0 unchecked, 1 known, 1 skip\n"},
		"none":  {func(b *bytes.Buffer) error { return Report{Version: "1"}.WriteText(b, true, 0) }, "vectors 1: 0 pass, 0 fail, 0 disagree, 0 unchecked, 0 known, 0 skip\n"},
		"json":  {func(b *bytes.Buffer) error { return some().WriteJSON(b) }, jsonSome},
		"junit": {func(b *bytes.Buffer) error { return some().WriteJUnit(b) }, junitSome},
		"strict junit": {func(b *bytes.Buffer) error { return strict.WriteJUnit(b) }, strings.NewReplacer(
			`failures="0" skipped="1"`, `failures="1" skipped="0"`, `<skipped message="unchecked: got no v, want v 1 (RFC 7)"></skipped>`, `<failure message="got no v, want v 1 (RFC 7)"></failure>`,
		).Replace(junitSome)},
	} {
		var b bytes.Buffer
		if err := tt.write(&b); err != nil || b.String() != tt.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", name, err, b.String(), tt.want)
		}
	}
}

const jsonSome = `{
 "schema": "tlsflags.vectors.run/2",
 "version": "1.2.3",
 "strict": false,
 "ok": false,
 "counts": {
  "disagree": 1,
  "fail": 1,
  "known": 1,
  "pass": 2,
  "skip": 1,
  "unchecked": 1
 },
 "unchecked_keys": {
  "code": 1,
  "offset": 2
 },
 "groups": [
  {
   "kind": "tls_flags",
   "name": "group",
   "clause": "RFC 1",
   "counts": {
    "disagree": 1,
    "fail": 1,
    "known": 1,
    "pass": 2,
    "skip": 1,
    "unchecked": 0
   },
   "unchecked_keys": {
    "offset": 1
   },
   "outcomes": [
    {
     "id": "b",
     "status": "fail",
     "got": "x",
     "want": "y",
     "clause": "RFC 2"
    },
    {
     "id": "c",
     "status": "disagree",
     "got": "x",
     "want": "z",
     "clause": "RFC 3"
    },
    {
     "id": "d",
     "status": "known",
     "got": "x",
     "want": "y",
     "clause": "RFC 4",
     "reason": "ours"
    }
   ]
  },
  {
   "kind": "quic",
   "name": "more",
   "clause": "RFC 6",
   "counts": {
    "disagree": 0,
    "fail": 0,
    "known": 0,
    "pass": 0,
    "skip": 0,
    "unchecked": 1
   },
   "unchecked_keys": {
    "code": 1,
    "offset": 1
   },
   "outcomes": [
    {
     "id": "g",
     "status": "unchecked",
     "got": "no v",
     "want": "v 1",
     "clause": "RFC 7"
    }
   ]
  }
 ],
 "stale": [
  "old/*"
 ],
 "unknown_keys": [
  "flag"
 ]
}
`

const junitSome = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="tlsflags vectors 1.2.3">
 <testsuite name="tls_flags/group" tests="6" failures="2" skipped="2">
  <testcase classname="tls_flags/group" name="a"></testcase>
  <testcase classname="tls_flags/group" name="b">
   <failure message="got x, want y (RFC 2)"></failure>
  </testcase>
  <testcase classname="tls_flags/group" name="c">
   <failure message="got x, want z (RFC 3)"></failure>
  </testcase>
  <testcase classname="tls_flags/group" name="d">
   <skipped message="ours"></skipped>
  </testcase>
  <testcase classname="tls_flags/group" name="e">
   <skipped message="not implemented"></skipped>
  </testcase>
  <testcase classname="tls_flags/group" name="f"></testcase>
 </testsuite>
 <testsuite name="quic/more" tests="1" failures="0" skipped="1">
  <testcase classname="quic/more" name="g">
   <skipped message="unchecked: got no v, want v 1 (RFC 7)"></skipped>
  </testcase>
 </testsuite>
</testsuites>
`

func TestOK(t *testing.T) {
	for status, want := range map[Status][2]bool{
		Pass: {true, true}, Known: {true, true}, Skip: {true, true}, Unchecked: {true, false}, Fail: {}, Disagree: {},
	} {
		groups := []GroupReport{{Outcomes: []Outcome{{Status: status}}}}
		if got := [2]bool{Report{Groups: groups}.OK(), Report{Groups: groups, Strict: true}.OK()}; got != want {
			t.Errorf("%s: %t, want %t", status, got, want)
		}
	}
}

// limited fails when it has taken n bytes.
type limited struct{ n int }

func (l *limited) Write(b []byte) (int, error) {
	if l.n -= len(b); l.n < 0 {
		return 0, io.ErrShortWrite
	}
	return len(b), nil
}

// TestReportIsNotWritten checks that every format returns the error of its writer, however
// much was written before.
func TestReportIsNotWritten(t *testing.T) {
	for name, write := range map[string]func(io.Writer) error{
		"text":       func(w io.Writer) error { return some().WriteText(w, false, 0) },
		"quiet text": func(w io.Writer) error { return some().WriteText(w, true, 0) },
		"JSON":       func(w io.Writer) error { return some().WriteJSON(w) },
		"JUnit":      func(w io.Writer) error { return some().WriteJUnit(w) },
	} {
		var whole bytes.Buffer
		if err := write(&whole); err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{0, whole.Len() / 2, whole.Len() - 1} {
			if err := write(&limited{n}); !errors.Is(err, io.ErrShortWrite) {
				t.Errorf("%s, %d of %d bytes: %v", name, n, whole.Len(), err)
			}
		}
	}
}
