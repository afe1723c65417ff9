package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/vectors"
)

// TestReleased compares released.tsv with the published files.
func TestReleased(t *testing.T) {
	dir := filepath.Join("..", "..")
	published, err := os.ReadFile(filepath.Join(dir, "released.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := openRegister(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range vectors.Kinds() {
		f, err := vectors.Load(k)
		if err != nil {
			t.Fatal(err)
		}
		if f.Version != r.version {
			t.Errorf("%s has version %s, VERSION is %s", k, f.Version, r.version)
		}
		for _, test := range f.All() {
			id, err := r.add(test)
			if err != nil {
				t.Fatal(err)
			}
			if id != test.ID {
				t.Errorf("%s is the id of another test in a release", test.ID)
			}
			if reason, _, ok := vectors.Withdrawn(test.ID); ok {
				t.Errorf("%s is withdrawn: %s", test.ID, reason)
			}
		}
	}
	want, err := r.close()
	if err != nil {
		t.Fatal(err)
	}
	if string(published) != string(want) {
		t.Error("released.tsv differs from the tests; run go generate ./vectors")
	}
}

func TestRegister(t *testing.T) {
	v := func(id string, input ...byte) *vectors.Test {
		return &vectors.Test{ID: id, Comment: "of " + id, Input: input, Result: vectors.Valid}
	}
	hash, err := hashOf(v("", 1))
	if err != nil {
		t.Fatal(err)
	}
	old := releasedHeader +
		"x/a\t" + hash + "\t0.1.0\t\t\t\n" +
		"x/b\t" + hash + "\t0.1.0\t0.2.0\tIt was wrong.\tx/b-2\n" +
		"x/b-2\t" + hash + "\t0.2.0\t\t\t\n" +
		"x/new\t" + hash + "\t0.3.0\t\t\t\n" +
		"x/undone\t" + hash + "\t0.1.0\t0.3.0\tA reason.\t\n"
	reasons := func(rows ...string) (list [][]string) {
		for _, r := range rows {
			list = append(list, strings.Split(r, " | "))
		}
		return list
	}
	for _, c := range []struct {
		name    string
		reasons [][]string
		tests   []*vectors.Test
		want    string // part of the text of released.tsv, or of the error
	}{
		{"keeps ids, and forgets those of the version in the making", nil,
			[]*vectors.Test{v("x/a", 1), v("x/b-2", 1), v("x/undone", 1), v("x/c", 2)}, "x/a\t" + hash + "\t0.1.0\t\t\t\nx/b\t" + hash + "\t0.1.0\t0.2.0\tIt was wrong.\tx/b-2\nx/b-2\t" + hash + "\t0.2.0\t\t\t\nx/c\t"},
		{"refuses a changed input without a reason", nil,
			[]*vectors.Test{v("x/a", 2), v("x/b-2", 1), v("x/undone", 1)}, "x/a is gone, or its input or verdict is not that of version 0.1.0"},
		{"gives a changed input a new id", reasons("x/a | Why."),
			[]*vectors.Test{v("x/a", 2), v("x/b", 1), v("x/undone", 1)}, "x/a\t" + hash + "\t0.1.0\t0.3.0\tWhy.\tx/a-2\nx/a-2\t"},
		{"counts on from -2", reasons("x/b-* | Why."),
			[]*vectors.Test{v("x/a", 1), v("x/b", 2), v("x/undone", 1)}, "x/b-2\t" + hash + "\t0.2.0\t0.3.0\tWhy.\tx/b-3\nx/b-3\t"},
		{"refuses that an id vanishes", nil,
			[]*vectors.Test{v("x/a", 1), v("x/b-2", 1)}, "x/undone is gone"},
		{"names another successor", reasons("x/undone | Why. | x/a"),
			[]*vectors.Test{v("x/a", 1), v("x/b-2", 1)}, "x/undone\t" + hash + "\t0.1.0\t0.3.0\tWhy.\tx/a\n"},
		{"refuses a successor that is not there", reasons("x/undone | Why. | x/q"),
			[]*vectors.Test{v("x/a", 1), v("x/b-2", 1)}, "no test is x/q, the successor of x/undone"},
		{"refuses a reason for nothing", reasons("x/z | Why."),
			[]*vectors.Test{v("x/a", 1), v("x/b-2", 1), v("x/undone", 1)}, "no id that matches x/z"},
		{"refuses two tests of one id", nil, []*vectors.Test{v("x/a", 1), v("x/a", 1)}, "two tests are x/a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := registered(t, old, c.reasons, c.tests); !strings.Contains(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// registered returns what is written in version 0.3.0 after the text old, or the error.
func registered(t *testing.T, old string, reasons [][]string, tests []*vectors.Test) string {
	r, err := readRegister([]byte(old), "0.3.0", reasons)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range tests {
		if _, err := r.add(test); err != nil {
			return err.Error()
		}
	}
	out, err := r.close()
	if err != nil {
		return err.Error()
	}
	return string(out)
}

// TestHash checks that the hash covers input and verdict, and nothing else.
func TestHash(t *testing.T) {
	test := func() vectors.Test { return refuse("x/a", []byte{1}, "truncated", 1, "A comment.") }
	hash := func(change func(*vectors.Test)) string {
		v := test()
		change(&v)
		h, err := hashOf(&v)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	base := hash(func(*vectors.Test) {})
	same := map[string]func(*vectors.Test){
		"comment":      func(v *vectors.Test) { v.Comment = "Another." },
		"clause":       func(v *vectors.Test) { v.Alert = &vectors.Alert{Value: v.Alert.Value, Name: v.Alert.Name, Clause: "x"} },
		"alternatives": func(v *vectors.Test) { v.Alternatives = append(v.Alternatives, otherAlert("decode_error", "", "")) },
		"observed":     func(v *vectors.Test) { v.Observed = map[string]string{"x": "accept"} },
	}
	other := map[string]func(*vectors.Test){
		"input":    func(v *vectors.Test) { v.Input = []byte{2} },
		"prefixes": func(v *vectors.Test) { v.Prefixes = &vectors.Range{To: 1} },
		"pieces":   func(v *vectors.Test) { v.Pieces = []vectors.Bytes{{1}} },
		"memory":   func(v *vectors.Test) { v.Memory = 1 },
		"before":   func(v *vectors.Test) { v.Before = []vectors.Bytes{{1}} },
		"steps":    func(v *vectors.Test) { v.Steps = []vectors.Step{{From: "client"}} },
		"state":    func(v *vectors.Test) { v.State = &vectors.State{} },
		"result":   func(v *vectors.Test) { v.Result = vectors.Valid },
		"outcome":  func(v *vectors.Test) { v.Outcome = vectors.Refused },
		"code":     func(v *vectors.Test) { v.Code = "stray_bytes" },
		"offset":   func(v *vectors.Test) { v.Offset = new(2) },
		"alert":    func(v *vectors.Test) { v.Alert = &vectors.Alert{Name: "illegal_parameter"} },
		"action":   func(v *vectors.Test) { v.Action = vectors.Abort },
	}
	for name, change := range same {
		if hash(change) != base {
			t.Errorf("another %s changes the hash", name)
		}
	}
	for name, change := range other {
		if hash(change) == base {
			t.Errorf("another %s does not change the hash", name)
		}
	}
}
