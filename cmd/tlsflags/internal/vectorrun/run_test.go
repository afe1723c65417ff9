package vectorrun

import (
	"bufio"
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/vectors"
)

// The test binary is also the implementation that is run: the environment says which.
const implementation = "VECTORRUN_IMPLEMENTATION"

// orphanage names the address to which "orphaned" stays connected.
const orphanage = "VECTORRUN_ORPHANAGE"

func TestMain(m *testing.M) {
	if name := os.Getenv(implementation); name != "" {
		implementations[name](os.Stdin, os.Stdout)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

var implementations = map[string]func(io.Reader, io.Writer){
	"right":  func(r io.Reader, w io.Writer) { answerAll(r, w, right) },
	"strict": func(r io.Reader, w io.Writer) { answerAll(r, w, decodeError) },
	"lax":    func(r io.Reader, w io.Writer) { answerAll(r, w, lax) },
	"tsv":    answerTSV,
	"silent": func(r io.Reader, w io.Writer) { io.Copy(io.Discard, r) },
	"dies":   func(io.Reader, io.Writer) { os.Exit(7) },
	"chatty": func(r io.Reader, w io.Writer) { answerAll(r, w, right); fmt.Fprintln(w, "bye") },
	// ahead gives its first answer twice.
	"ahead": func(r io.Reader, w io.Writer) {
		fmt.Fprintln(w, `{"id":"flags/example/0","result":"valid"}`)
		answerAll(r, w, right)
	},
	// mutters ends in the middle of a line.
	"mutters": func(r io.Reader, w io.Writer) { answerAll(r, w, right); fmt.Fprint(w, "bye") },
	// These give one answer to every question.
	"valid":     always(Answer{Result: vectors.Valid}),
	"invalid":   always(Answer{Result: vectors.Invalid}),
	"skipped":   always(Answer{Result: Skipped}),
	"truncated": always(Answer{Result: vectors.Invalid, Code: "truncated", Alert: new(50)}),
	"whole":     func(r io.Reader, w io.Writer) { answerAll(r, w, whole(8)) },
	// These see other flags in a whole message, or do not say.
	"other flags": func(r io.Reader, w io.Writer) { answerAll(r, w, whole(9)) },
	"no flags":    func(r io.Reader, w io.Writer) { answerAll(r, w, whole()) },
	"unsure":      func(r io.Reader, w io.Writer) { answerAll(r, w, unsure) },
	"misspells": func(r io.Reader, w io.Writer) {
		for lines := bufio.NewScanner(r); lines.Scan(); {
			fmt.Fprintln(w, strings.Replace(lines.Text(), `"kind"`, `"result":"valid","flag"`, 1))
		}
	},
	"noise": func(r io.Reader, w io.Writer) { fmt.Fprintln(w, "Loading ..."); io.Copy(io.Discard, r) },
	// lingers does not end with its input.
	"lingers": func(r io.Reader, w io.Writer) { answerAll(r, w, right); time.Sleep(time.Minute) },
	// orphan leaves a process running that has its output.
	"orphan": func(r io.Reader, w io.Writer) { answerAll(r, w, right); startOrphan() },
	// deaf answers the first question, which is longer than a pipe holds, and reads nothing.
	"deaf": func(_ io.Reader, w io.Writer) {
		fmt.Fprintln(w, `{"id":"x","result":"valid"}`)
		time.Sleep(time.Minute)
	},
	"endless": func(_ io.Reader, w io.Writer) { io.Copy(w, zeroes{}) },
	// orphaned runs until the test that has started its parent ends.
	"orphaned": func(io.Reader, io.Writer) {
		if c, err := net.Dial("tcp", os.Getenv(orphanage)); err == nil {
			io.Copy(io.Discard, c)
		}
	},
}

// startOrphan starts a process that inherits the output.
func startOrphan() {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), implementation+"=orphaned")
	cmd.Stdout = os.Stdout
	if err := cmd.Start(); err != nil {
		panic(err)
	}
}

type zeroes struct{}

func (zeroes) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func answerAll(r io.Reader, w io.Writer, answer func(question) Answer) {
	lines := bufio.NewReader(r)
	for {
		text, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var q question
		if err := json.Unmarshal(text, &q); err != nil {
			panic(err)
		}
		reply, err := json.Marshal(answer(q))
		if err != nil {
			panic(err)
		}
		fmt.Fprintf(w, "%s\n", reply)
	}
}

func always(a Answer) func(io.Reader, io.Writer) {
	return func(r io.Reader, w io.Writer) {
		answerAll(r, w, func(q question) Answer { a.ID = q.ID; return a })
	}
}

func right(q question) Answer {
	flags, n, err := extension.ParseFlags(q.Input)
	if code, bad := err.(extension.Code); bad {
		return Answer{ID: q.ID, Result: vectors.Invalid, Code: code.Name(), Offset: &n, Alert: new(int(code.Alert()))}
	}
	a := Answer{ID: q.ID, Result: vectors.Valid, Flags: []uint16{}, FlagsExtension: new(uint16(0))}
	for f := range flags.All() {
		a.Flags = append(a.Flags, uint16(f))
	}
	return a
}

// decodeError answers with the alert of RFC 9846 for everything.
func decodeError(q question) Answer {
	a := right(q)
	if a.Result == vectors.Invalid {
		a.Alert = new(50)
	}
	return a
}

// lax accepts zero octets at the end.
func lax(q question) Answer {
	a := right(q)
	if a.Code == "trailing_zero" {
		return Answer{ID: q.ID, Result: vectors.Valid}
	}
	return a
}

func unsure(q question) Answer { return Answer{ID: q.ID, Result: "acceptable"} }

func answerTSV(r io.Reader, w io.Writer) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		columns := strings.Split(lines.Text(), "\t")
		var input vectors.Bytes
		if err := input.UnmarshalText([]byte(columns[3])); err != nil {
			panic(err)
		}
		a := right(question{ID: columns[0], Input: input})
		if a.Result == vectors.Invalid {
			fmt.Fprintf(w, "%s\tinvalid\t%s\t%d\t%d\n", a.ID, a.Code, *a.Offset, *a.Alert)
			continue
		}
		flags := strings.Trim(strings.ReplaceAll(fmt.Sprint(a.Flags), " ", ","), "[]")
		if flags == "" {
			flags = "-"
		}
		fmt.Fprintf(w, "%s\tvalid\t\t\t\t0\t%s\n", a.ID, flags)
	}
}

func config(t *testing.T, name string) Config {
	t.Helper()
	t.Setenv(implementation, name)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	suite, err := Select([]string{string(vectors.TLSFlags)}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return Config{Command: []string{self}, Suite: suite, Protocol: JSON, Timeout: 30 * time.Second, Stderr: io.Discard}
}

func run(t *testing.T, c Config) Report {
	t.Helper()
	r, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestPasses(t *testing.T) {
	for name, protocol := range map[string]Protocol{"right": JSON, "tsv": TSV} {
		t.Run(name, func(t *testing.T) {
			c := config(t, name)
			c.Protocol = protocol
			r := run(t, c)
			if !r.OK() || r.Count(Pass) < 2500 {
				t.Errorf("%d pass, %d fail, %d disagree", r.Count(Pass), r.Count(Fail), r.Count(Disagree))
			}
			if f, err := vectors.Load(vectors.TLSFlags); err != nil || r.Version != f.Version {
				t.Errorf("version %q, %v", r.Version, err)
			}
		})
	}
}

func TestAlternativeIsDisagreement(t *testing.T) {
	r := run(t, config(t, "strict"))
	for _, g := range r.Groups {
		statuses := count(g).statuses
		switch {
		case slices.Contains([]string{"empty", "inner-too-long", "trailing-bytes"}, g.Name) && statuses[Disagree] != len(g.Outcomes):
			t.Errorf("%s: %d of %d disagree", g.Name, statuses[Disagree], len(g.Outcomes))
		case slices.Contains([]string{"all-zero", "trailing-zero"}, g.Name) && statuses[Fail] != len(g.Outcomes):
			t.Errorf("%s: %d of %d fail", g.Name, statuses[Fail], len(g.Outcomes))
		}
	}
	if r.OK() {
		t.Error("a disagreement is no difference")
	}
}

func TestKnownDifferences(t *testing.T) {
	c := config(t, "lax")
	if r := run(t, c); r.Count(Fail) != 19+2 {
		t.Errorf("%d fail, want those of trailing-zero and two of draft", r.Count(Fail))
	}
	var err error
	c.Known, err = ReadExpected(strings.NewReader("# ours\n\nflags/trailing-zero/* no check yet\nflags/draft-0*/trailing-zero\tno check yet\nflags/empty-data never seen\n"))
	if err != nil {
		t.Fatal(err)
	}
	r := run(t, c)
	if !r.OK() || r.Count(Known) != 21 {
		t.Errorf("%d fail, %d known", r.Count(Fail), r.Count(Known))
	}
	if !slices.Equal(r.Stale, []string{"flags/empty-data"}) {
		t.Errorf("stale: %v", r.Stale)
	}
	// A difference in a test that was not asked is not missed, one in no test is.
	c.Suite, err = Select([]string{"client_hello"}, []string{"truncated"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Known, err = ReadExpected(strings.NewReader("flags/trailing-zero/* no check yet\nflags/never no such test\n"))
	if err != nil {
		t.Fatal(err)
	}
	if stale := run(t, c).Stale; !slices.Equal(stale, []string{"flags/never"}) {
		t.Errorf("stale: %v", stale)
	}
	var junit bytes.Buffer
	if err := r.WriteJUnit(&junit); err != nil {
		t.Fatal(err)
	}
	var suites junitSuites
	if err := xml.Unmarshal(junit.Bytes(), &suites); err != nil {
		t.Fatal(err)
	}
	skipped, tests := 0, 0
	for _, s := range suites.Suites {
		skipped += s.Skipped
		tests += len(s.Cases)
	}
	if skipped != 21 || tests < 2500 {
		t.Errorf("%d of %d tests skipped", skipped, tests)
	}
}

func TestFailureNamesClause(t *testing.T) {
	var text bytes.Buffer
	if err := run(t, config(t, "lax")).WriteText(&text, true, 0); err != nil {
		t.Fatal(err)
	}
	want := "fail      flags/trailing-zero/one-octet: got valid, want invalid, trailing_zero (draft-ietf-tls-tlsflags-16, Section 2)\n"
	if !strings.Contains(text.String(), want) {
		t.Errorf("no line %q in:\n%s", want, text.String())
	}
}

// A misspelt key is no secret.
func TestUnknownKeyIsReported(t *testing.T) {
	c := config(t, "misspells")
	c.Suite.Groups = c.Suite.Groups[:1]
	var text bytes.Buffer
	if err := run(t, c).WriteText(&text, true, 0); err != nil {
		t.Fatal(err)
	}
	if want := "ignored: answers have the unknown key flag\n"; !strings.HasPrefix(text.String(), want) {
		t.Errorf("no line %q in:\n%s", want, text.String())
	}
}

// What a command answers cannot steer the terminal, in any form of the report.
func TestReportIsPrintable(t *testing.T) {
	r := Report{
		Groups: []GroupReport{{Outcomes: []Outcome{{ID: "x", Status: Fail, Got: "a\x1b[31m\u009b1m\u202e"}}}},
		Stale:  []string{"\x1b"}, Unknown: []string{"\x1b"},
	}
	for name, write := range map[string]func(io.Writer) error{
		"text":  func(w io.Writer) error { return r.WriteText(w, true, 0) },
		"json":  r.WriteJSON,
		"junit": r.WriteJUnit,
	} {
		var out bytes.Buffer
		if err := write(&out); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(out.String(), "\x1b\u009b\u202e") {
			t.Errorf("%s: %q", name, out.String())
		}
	}
}

func TestJSONReport(t *testing.T) {
	var text bytes.Buffer
	if err := run(t, config(t, "lax")).WriteJSON(&text); err != nil {
		t.Fatal(err)
	}
	var report jsonReport
	if err := json.Unmarshal(text.Bytes(), &report); err != nil {
		t.Fatal(err)
	}
	differences := 0
	for _, g := range report.Groups {
		for _, o := range g.Outcomes {
			if o.Status == Fail {
				differences++
			}
		}
	}
	if report.OK || report.Counts[Fail] != 21 || differences != 21 {
		t.Errorf("ok is %t, %d fail, %d differences", report.OK, report.Counts[Fail], differences)
	}
}
