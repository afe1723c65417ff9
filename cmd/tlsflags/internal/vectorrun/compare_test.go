package vectorrun

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/vectors"
)

func TestCompare(t *testing.T) {
	valid := &vectors.Test{Result: vectors.Valid, Parsed: &vectors.Parsed{Flags: []uint16{8, 80}, FlagsExtension: 62}}
	invalid := &vectors.Test{
		Result: vectors.Invalid, Code: "trailing_zero", Offset: new(2),
		Alert:        &vectors.Alert{Value: 47, Name: "illegal_parameter"},
		Alternatives: []vectors.Alternative{{Alert: "decode_error"}, {Alert: "handshake_failure"}},
	}
	action := &vectors.Test{Result: vectors.Valid, Action: "request", Outcome: "complete"}
	tests := []struct {
		name   string
		test   *vectors.Test
		answer Answer
		want   [3]string
	}{
		{"skipped", invalid, Answer{Result: Skipped}, [3]string{"skip"}},
		{"only the result", valid, Answer{Result: vectors.Valid}, [3]string{"pass"}},
		{"another result", invalid, Answer{Result: vectors.Valid}, [3]string{"fail", "valid", "invalid, trailing_zero"}},
		{"another result with a code", valid, Answer{Result: vectors.Invalid, Code: "x"}, [3]string{"fail", "invalid, x", "valid"}},
		{"another result than an action", action, Answer{Result: vectors.Invalid}, [3]string{"fail", "invalid", "valid, request"}},
		{"the flags", valid, Answer{Result: vectors.Valid, Flags: []uint16{8, 80}, FlagsExtension: new(uint16(62))}, [3]string{"pass"}},
		{"other flags", valid, Answer{Result: vectors.Valid, Flags: []uint16{8}}, [3]string{"fail", "flags [8]", "flags [8 80]"}},
		{"no flags", valid, Answer{Result: vectors.Valid, Flags: []uint16{}}, [3]string{"fail", "flags []", "flags [8 80]"}},
		{"another type", valid, Answer{Result: vectors.Valid, FlagsExtension: new(uint16(65025))}, [3]string{"fail", "flags in extension 65025", "flags in extension 62"}},
		{"everything", invalid, Answer{Result: vectors.Invalid, Code: "trailing_zero", Offset: new(2), Alert: new(47)}, [3]string{"pass"}},
		{"an alternative", invalid, Answer{Result: vectors.Invalid, Alert: new(50)}, [3]string{"disagree", "alert 50", "alert illegal_parameter(47)"}},
		{"another alert", invalid, Answer{Result: vectors.Invalid, Alert: new(10)}, [3]string{"fail", "alert 10", "alert illegal_parameter(47)"}},
		{"another code", invalid, Answer{Result: vectors.Invalid, Code: "all_zero"}, [3]string{"fail", "code all_zero", "code trailing_zero"}},
		{"another offset", invalid, Answer{Result: vectors.Invalid, Offset: new(1)}, [3]string{"fail", "offset 1", "offset 2"}},
		{"an offset of a test without", &vectors.Test{Result: vectors.Invalid, Alert: invalid.Alert}, Answer{Result: vectors.Invalid, Offset: new(1)}, [3]string{"pass"}},
		{"another action", action, Answer{Result: vectors.Valid, Action: "ignore"}, [3]string{"fail", "action ignore", "action request"}},
		{"the action and the outcome", action, Answer{Result: vectors.Valid, Action: "request", Outcome: "complete"}, [3]string{"pass"}},
		{"another outcome", action, Answer{Result: vectors.Valid, Outcome: "need_more"}, [3]string{"fail", "outcome need_more", "outcome complete"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, got, want := compare(tt.test, tt.answer)
			if found := [3]string{string(status), got, want}; found != tt.want {
				t.Errorf("got %q, want %q", found, tt.want)
			}
		})
	}
}

func TestEncodeTSV(t *testing.T) {
	for want, q := range map[string]question{
		"a\ttls_flags\textension_data\t0101\t\t\t\t\n": {ID: "a", Kind: "tls_flags", Entry: "extension_data", Input: vectors.Bytes{1, 1}},
		"b\tdtls\tdatagrams\t01,02\t1\tclient\tfinished\t03,04\n": {
			ID: "b", Kind: "dtls", Entry: "datagrams", Pieces: []vectors.Bytes{{1}, {2}}, Memory: 1,
			Sender: "client", Message: "finished", Before: []vectors.Bytes{{3}, {4}},
		},
	} {
		if got, err := TSV.encode(q); err != nil || string(got) != want {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	}
}

func TestDecodeTSV(t *testing.T) {
	a, err := TSV.decode([]byte("id\tinvalid\tcode\t2147483647\t255\t65535\t\tneed_more\n"))
	if err != nil || a.ID != "id" || a.Code != "code" || *a.Offset != 1<<31-1 || *a.Alert != 255 || *a.FlagsExtension != 65535 || a.Outcome != "need_more" || a.Flags != nil {
		t.Errorf("%+v, %v", a, err)
	}
	a, err = TSV.decode([]byte("id\tvalid\t\t\t\t\t0,65535\n"))
	if err != nil || !slices.Equal(a.Flags, []uint16{0, 65535}) || a.Offset != nil || a.Alert != nil || a.FlagsExtension != nil {
		t.Errorf("%+v, %v", a, err)
	}
	if a, err = TSV.decode([]byte("id\tvalid\n")); err != nil || a.Flags == nil || len(a.Flags) > 0 {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestQuote(t *testing.T) {
	for text, want := range map[string]string{
		"a\r\n": `"a"`, strings.Repeat("a", 80): `"` + strings.Repeat("a", 80) + `"`, strings.Repeat("a", 81): `"` + strings.Repeat("a", 80) + `"...`,
	} {
		if got := quote([]byte(text)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// some is a report with an outcome of each status.
func some() Report {
	return Report{Version: "1.2.3", Stale: []string{"old/*"}, Groups: []GroupReport{{
		Kind: "tls_flags", Name: "group", Source: "RFC 1", Outcomes: []Outcome{
			{"a", Pass, "", "", "RFC 1", ""}, {"b", Fail, "x", "y", "RFC 2", ""}, {"c", Disagree, "x", "z", "RFC 3", ""},
			{"d", Known, "x", "y", "RFC 4", "ours"}, {"e", Skip, "", "", "RFC 5", ""}, {"f", Pass, "", "", "RFC 1", ""},
		},
	}}}
}

func TestFormats(t *testing.T) {
	const differences = "fail     b: got x, want y (RFC 2)\ndisagree c: got x, want z (RFC 3)\n"
	const table = "kind       group  pass  fail  disagree  known  skip  clause\ntls_flags  group  2     1     1         1      1     RFC 1\n"
	const end = "expected, but not seen: old/*\nvectors 1.2.3: 2 pass, 1 fail, 1 disagree, 1 known, 1 skip\n"
	for name, tt := range map[string]struct {
		write func(*bytes.Buffer) error
		want  string
	}{
		"text":  {func(b *bytes.Buffer) error { return some().WriteText(b, false) }, differences + table + end},
		"quiet": {func(b *bytes.Buffer) error { return some().WriteText(b, true) }, differences + end},
		"json": {func(b *bytes.Buffer) error { return some().WriteJSON(b) }, `{
 "schema": "tlsflags.vectors.run/1",
 "version": "1.2.3",
 "ok": false,
 "counts": {
  "disagree": 1,
  "fail": 1,
  "known": 1,
  "pass": 2,
  "skip": 1
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
    "skip": 1
   },
   "differences": [
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
  }
 ],
 "stale": [
  "old/*"
 ]
}
`},
		"junit": {func(b *bytes.Buffer) error { return some().WriteJUnit(b) }, `<?xml version="1.0" encoding="UTF-8"?>
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
</testsuites>
`},
	} {
		var b bytes.Buffer
		if err := tt.write(&b); err != nil || b.String() != tt.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", name, err, b.String(), tt.want)
		}
	}
}

func TestOK(t *testing.T) {
	for status, want := range map[Status]bool{Pass: true, Known: true, Skip: true, Fail: false, Disagree: false} {
		if got := (Report{Groups: []GroupReport{{Outcomes: []Outcome{{Status: status}}}}}).OK(); got != want {
			t.Errorf("%s: %t", status, got)
		}
	}
}

func TestPrefixes(t *testing.T) {
	c := config(t, "right")
	p, err := start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	test := &vectors.Test{
		ID: "x", Input: vectors.Bytes{3, 1, 1, 1}, Prefixes: &vectors.Range{From: 1, To: 2}, Result: vectors.Invalid,
		Code: "inner_too_long", Alert: &vectors.Alert{Value: 47, Clause: "RFC 2"},
	}
	got, err := p.askTest(t.Context(), c, &vectors.Group{Source: "RFC 1"}, test)
	want := []Outcome{{"x#1", Fail, "offset 0", "offset 1", "RFC 2", ""}, {"x#2", Fail, "offset 0", "offset 2", "RFC 2", ""}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	c.Protocol = TSV
	got, err = p.askTest(t.Context(), c, &vectors.Group{Entry: vectors.Exchange}, test)
	if err != nil || len(got) != 1 || got[0] != (Outcome{ID: "x", Status: Skip}) {
		t.Errorf("an exchange in TSV: %+v, %v", got, err)
	}
	if err := p.stop(t.Context(), c.Timeout); err != nil {
		t.Error(err)
	}
}

// TestAlternativesAtTheEnds checks the lowest and the highest alert, and numbers that are
// no alert but would be one in 8 bits.
func TestAlternativesAtTheEnds(t *testing.T) {
	test := &vectors.Test{
		Result: vectors.Invalid, Alert: &vectors.Alert{Value: 47, Name: "illegal_parameter"},
		Alternatives: []vectors.Alternative{{Alert: extension.Alert(0).String()}, {Alert: extension.Alert(255).String()}},
	}
	for alert, want := range map[int]Status{0: Disagree, 255: Disagree, 1: Fail, 254: Fail, 256: Fail, -1: Fail, 511: Fail} {
		if got, _, _ := compareAlert(test, Answer{Alert: &alert}); got != want {
			t.Errorf("alert %d: %s, want %s", alert, got, want)
		}
	}
}

func TestDecodeColumns(t *testing.T) {
	offset, alert, typ := 7, 50, uint16(62)
	want := Answer{ID: "id", Result: vectors.Valid, Code: "code", Offset: &offset, Alert: &alert, FlagsExtension: &typ, Flags: []uint16{1, 2}, Outcome: "complete"}
	got, err := decodeTSV([]byte("id\tvalid\tcode\t7\t50\t62\t1,2\tcomplete\n"))
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for line, want := range map[string]string{
		"id\tinvalid\t\tx": "column 4 of the answer holds \"x\", not a number from 0 to 2147483647", "id\tinvalid\t\t1\tx": "column 5 of the answer holds \"x\", not a number from 0 to 255",
		"id\tinvalid\t\t1\t2\tx": "column 6 of the answer holds \"x\", not a number from 0 to 65535",
	} {
		if _, err := decodeTSV([]byte(line)); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", line, err, want)
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
		"text":       func(w io.Writer) error { return some().WriteText(w, false) },
		"quiet text": func(w io.Writer) error { return some().WriteText(w, true) },
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
