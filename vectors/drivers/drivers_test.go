package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/internal/testenv"
)

func docs(t *testing.T) string { return filepath.Join(testenv.Root(t), "docs") }

func stored(t *testing.T) []result {
	t.Helper()
	results, err := readResults(filepath.Join(docs(t), "matrix.json"))
	if err != nil {
		t.Fatal(err)
	}
	return results
}

func loaded(t *testing.T) []*vector {
	t.Helper()
	list, err := load(".")
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestMatrix checks that the matrix is that of the results and of the vectors.
func TestMatrix(t *testing.T) {
	dir := t.TempDir()
	if err := writeMatrix(dir, stored(t), loaded(t)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"matrix.json", "matrix.md"} {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(filepath.Join(docs(t), name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("docs/%s is not up to date: run make matrix", name)
		}
	}
}

// TestEveryStackAsked checks that each test was put to all stacks that can be asked, or to
// none yet: a new vector has no verdicts until make vectors-observed runs.
func TestEveryStackAsked(t *testing.T) {
	results := stored(t)
	bodies := 0
	for _, v := range loaded(t) {
		if v.Kind == tlsFlags {
			bodies++
		}
		over, _ := v.asked()
		var yes, no []string
		for _, r := range results {
			_, ok := r.Verdicts[v.ID]
			switch {
			case ok && !r.stack().takes(over):
				t.Errorf("%s has a verdict of %s, which cannot be asked", v.ID, r.Version)
			case ok:
				yes = append(yes, r.Version)
			case r.stack().takes(over):
				no = append(no, r.Version)
			}
		}
		if yes != nil && no != nil {
			t.Errorf("%s: %v were asked, %v were not", v.ID, yes, no)
		}
	}
	for _, r := range results {
		if r.stack().takes(message) && r.Flags.Asked != bodies {
			t.Errorf("%s was given %d bodies of tls_flags, of %d; run make vectors-observed", r.Version, r.Flags.Asked, bodies)
		}
	}
}

// TestObserved asks the stacks that every change is checked with. crypto/tls is that of the
// Go release that runs the test.
func TestObserved(t *testing.T) {
	for _, name := range []string{"openssl", "gnutls", "crypto/tls"} {
		t.Run(name, func(t *testing.T) {
			list, err := chosen([]string{name})
			if err != nil {
				t.Fatal(err)
			}
			s := list[0]
			if name == "crypto/tls" {
				s.build = goBuild("cryptotls", "local")
			} else if lacks := s.missing(); lacks != "" {
				testenv.Skip(t, lacks)
			}
			err = with(".", s, func(p *process) error {
				now, err := p.askAll(loaded(t))
				if err != nil {
					return err
				}
				for _, line := range now.differences(find(stored(t), now)) {
					t.Error(line)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// TestDifferences checks that changed behaviour is listed, and another version alone not.
func TestDifferences(t *testing.T) {
	old := result{Version: "x@1", Verdicts: map[string]verdict{"a": accept, "b": "50"}}
	old.flags("f", accept)
	old.flags("g", "47")
	same := result{Version: "x@2", Verdicts: old.Verdicts, Flags: old.Flags}
	if d := same.differences(old); d != nil {
		t.Errorf("the same behaviour differs: %q", d)
	}
	now := result{Version: "x@2", Verdicts: map[string]verdict{"a": waits, "b": "50", "new": accept}}
	now.flags("f", "50")
	now.flags("g", accept)
	want := "x@2: a: waits, was accept (x@1)\nx@2: f: decode_error, was accept (x@1)\nx@2: g: accept, was illegal_parameter (x@1)"
	if got := strings.Join(now.differences(old), "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestRead checks which verdicts say that a ClientHello was read.
func TestRead(t *testing.T) {
	hello := stockHello([]byte{1, 1})
	none := append(append([]byte{}, hello[:39]...), 0, 0, 1, 0)
	tests := []struct {
		name  string
		v     verdict
		kind  string
		input []byte
		want  bool
	}{
		{"accepted", accept, clientHello, hello, true},
		{"no common suite", "40", clientHello, hello, true},
		{"malformed", "50", clientHello, hello, false},
		{"no version of the hello", "70", clientHello, hello, true},
		{"no version of the record", "70", tlsRecords, records(hello), false},
		{"no suites at all", "40", clientHello, none, false},
		{"SSLv2", "40", tlsRecords, []byte{0x80, 46, 1, 3, 1}, false},
		{"waits", waits, clientHello, hello[:9], false},
	}
	for _, tt := range tests {
		if got := (stack{}).read(tt.v, tt.kind, tt.input); got != tt.want {
			t.Errorf("%s: %t, want %t", tt.name, got, tt.want)
		}
	}
}

func TestVerdictOf(t *testing.T) {
	tests := []struct {
		name    string
		over    transport
		written []byte
		want    verdict
	}{
		{"handshake", tls, []byte{22, 3, 3, 0, 4, 2, 0, 0, 0}, accept},
		{"alert", tls, []byte{21, 3, 3, 0, 2, 2, 50}, "50"},
		{"alert in DTLS", dtls, []byte{21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 47}, "47"},
		{"close_notify", tls, []byte{21, 3, 3, 0, 2, 1, 0}, closes},
		{"plain text", tls, []byte("HTTP/1.1 400"), closes},
	}
	for _, tt := range tests {
		if got := verdictOf(tt.over, tt.written); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestDriverEnds names the test at which a driver ends.
func TestDriverEnds(t *testing.T) {
	s := stack{name: "x", transports: []transport{tls}, build: func(string, string) ([]string, error) {
		return []string{testenv.Program(t, "sh", "dash"), "-c", "echo x@1; read a; echo waits; read a"}, nil
	}}
	err := with(".", s, func(p *process) error {
		_, err := p.askAll(loaded(t))
		return err
	})
	if second := loaded(t)[1].ID; err == nil || !strings.Contains(err.Error(), second) {
		t.Errorf("the error %v does not name %s", err, second)
	}
}

// TestStandard checks that docs/standard.md names vectors that exist.
func TestStandard(t *testing.T) {
	var ids []string
	for _, v := range loaded(t) {
		ids = append(ids, v.ID)
	}
	text, err := os.ReadFile(filepath.Join(docs(t), "standard.md"))
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`([a-z-]+(?:/[a-z0-9*-]+)+)`").FindAllStringSubmatch(string(text), -1)
	if len(named) == 0 {
		t.Error("it names no vector")
	}
	for _, m := range named {
		pattern := regexp.MustCompile("^" + strings.ReplaceAll(m[1], "*", ".*") + "$")
		if !slices.ContainsFunc(ids, pattern.MatchString) {
			t.Errorf("%s matches no vector", m[1])
		}
	}
}

// TestShort keeps each driver under 150 lines.
func TestShort(t *testing.T) {
	err := filepath.WalkDir("stacks", func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if n := bytes.Count(text, []byte("\n")); n >= 150 {
			t.Errorf("%s has %d lines", path, n)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestAnswer asks as tlsflags vectors run does.
func TestAnswer(t *testing.T) {
	s := stacks[0]
	s.build = goBuild("cryptotls", "local")
	hello := stockHello([]byte{1, 1})
	var in, out bytes.Buffer
	for _, q := range []vector{
		{ID: "whole", Kind: clientHello, Entry: "handshake", Input: hello},
		{ID: "begun", Kind: clientHello, Entry: "handshake", Input: hello[:9]},
		{ID: "malformed", Kind: clientHello, Entry: "handshake", Input: append([]byte{1, 0, 0, 1}, 3)},
		{ID: "records", Kind: tlsRecords, Entry: "records", Pieces: []hexBytes{records(hello)[:7], records(hello)[7:]}},
		{ID: "half", Kind: tlsRecords, Entry: "records", Pieces: []hexBytes{records(hello)[:7]}},
		{ID: "memory", Kind: tlsRecords, Entry: "records", Pieces: []hexBytes{records(hello)}, Memory: 100},
		{ID: "dtls", Kind: dtlsKind, Entry: "datagrams", Pieces: []hexBytes{{22}}},
		{ID: "flags", Kind: tlsFlags, Entry: "extension_data", Input: []byte{1, 1}},
	} {
		if err := json.NewEncoder(&in).Encode(q); err != nil {
			t.Fatal(err)
		}
	}
	if err := answer(".", s, &in, &out); err != nil {
		t.Fatal(err)
	}
	want := `{"id":"whole","result":"valid"}
{"id":"begun","result":"invalid","code":"truncated"}
{"id":"malformed","result":"invalid","alert":50}
{"id":"records","result":"valid","outcome":"complete"}
{"id":"half","result":"invalid","outcome":"need_more"}
{"id":"memory","result":"skipped"}
{"id":"dtls","result":"skipped"}
{"id":"flags","result":"skipped"}
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}
