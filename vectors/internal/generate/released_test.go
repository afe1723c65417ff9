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
			id := test.Shared().ID
			got, err := r.add(id, test)
			if err != nil {
				t.Fatal(err)
			}
			if got != id {
				t.Errorf("%s is the id of another test in a release", id)
			}
			if reason, _, ok := vectors.Withdrawn(id); ok {
				t.Errorf("%s is withdrawn: %s", id, reason)
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
	v := func(id string, input ...byte) *row {
		return &row{ID: id, Comment: "of " + id, Input: input, Result: vectors.Valid}
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
		tests   []*row
		want    string // part of the text of released.tsv, or of the error
	}{
		{"keeps ids, and forgets those of the version in the making", nil,
			[]*row{v("x/a", 1), v("x/b-2", 1), v("x/undone", 1), v("x/c", 2)}, "x/a\t" + hash + "\t0.1.0\t\t\t\nx/b\t" + hash + "\t0.1.0\t0.2.0\tIt was wrong.\tx/b-2\nx/b-2\t" + hash + "\t0.2.0\t\t\t\nx/c\t"},
		{"refuses a changed input without a reason", nil,
			[]*row{v("x/a", 2), v("x/b-2", 1), v("x/undone", 1)}, "x/a is gone, or its input or verdict is not that of version 0.1.0"},
		{"gives a changed input a new id", reasons("x/a | Why."),
			[]*row{v("x/a", 2), v("x/b", 1), v("x/undone", 1)}, "x/a\t" + hash + "\t0.1.0\t0.3.0\tWhy.\tx/a-2\nx/a-2\t"},
		{"counts on from -2", reasons("x/b-* | Why."),
			[]*row{v("x/a", 1), v("x/b", 2), v("x/undone", 1)}, "x/b-2\t" + hash + "\t0.2.0\t0.3.0\tWhy.\tx/b-3\nx/b-3\t"},
		{"refuses that an id vanishes", nil,
			[]*row{v("x/a", 1), v("x/b-2", 1)}, "x/undone is gone"},
		{"names another successor", reasons("x/undone | Why. | x/a"),
			[]*row{v("x/a", 1), v("x/b-2", 1)}, "x/undone\t" + hash + "\t0.1.0\t0.3.0\tWhy.\tx/a\n"},
		{"refuses a successor that is not there", reasons("x/undone | Why. | x/q"),
			[]*row{v("x/a", 1), v("x/b-2", 1)}, "no test is x/q, the successor of x/undone"},
		{"refuses a reason for nothing", reasons("x/z | Why."),
			[]*row{v("x/a", 1), v("x/b-2", 1), v("x/undone", 1)}, "no id that matches x/z"},
		{"has one row for a series", nil,
			[]*row{v("x/a", 1), v("x/b-2", 1), v("x/undone", 1), v("flags/octet/01", 1), v("flags/octet/02", 2)}, releasedHeader + "flags/octet/*\t"},
		{"refuses two tests of one id in a series", nil, []*row{v("flags/octet/01", 1), v("flags/octet/01", 1)}, "two tests are flags/octet/01"},
		{"refuses two tests of one id", nil, []*row{v("x/a", 1), v("x/a", 1)}, "two tests are x/a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := registered(t, old, c.reasons, c.tests); !strings.Contains(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// TestRegisterSeries checks that a series of a release stays as it was.
func TestRegisterSeries(t *testing.T) {
	octet := func(input byte) *row {
		return &row{ID: "flags/octet/01", Input: []byte{input}, Result: vectors.Valid}
	}
	first := registered(t, "", nil, []*row{octet(1)})
	old := strings.ReplaceAll(first, "0.3.0", "0.1.0")
	if got := registered(t, old, nil, []*row{octet(1)}); got != old {
		t.Errorf("got\n%s\nwant\n%s", got, old)
	}
	if got, want := registered(t, old, nil, []*row{octet(2)}), "flags/octet/*: an input or verdict is not that of version 0.1.0"; !strings.Contains(got, want) {
		t.Errorf("got\n%s\nwant %s", got, want)
	}
}

// registered returns what is written in version 0.3.0 after the text old, or the error.
func registered(t *testing.T, old string, reasons [][]string, tests []*row) string {
	r, err := readRegister([]byte(old), "0.3.0", reasons)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range tests {
		if _, err := r.add(test.ID, test); err != nil {
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
	test := func() row { return refuse("x/a", []byte{1}, "truncated", 1, "A comment.") }
	hash := func(change func(*row)) string {
		v := test()
		change(&v)
		h, err := hashOf(&v)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	base := hash(func(*row) {})
	same := map[string]func(*row){
		"comment":      func(v *row) { v.Comment = "Another." },
		"clause":       func(v *row) { v.Alert = &vectors.Alert{Value: v.Alert.Value, Name: v.Alert.Name, Clause: "x"} },
		"alternatives": func(v *row) { v.Alternatives = append(v.Alternatives, otherAlert("decode_error", "", "")) },
		"observed":     func(v *row) { v.Observed = map[string]string{"x": "accept"} },
	}
	other := map[string]func(*row){
		"input":    func(v *row) { v.Input = []byte{2} },
		"prefixes": func(v *row) { v.Prefixes = &vectors.Range{To: 1} },
		"pieces":   func(v *row) { v.Pieces = []vectors.Bytes{{1}} },
		"memory":   func(v *row) { v.Memory = 1 },
		"before":   func(v *row) { v.Before = []vectors.Bytes{{1}} },
		"steps":    func(v *row) { v.Steps = []vectors.Step{{From: "client"}} },
		"state":    func(v *row) { v.State = &vectors.State{} },
		"result":   func(v *row) { v.Result = vectors.Valid },
		"outcome":  func(v *row) { v.Outcome = vectors.Refused },
		"code":     func(v *row) { v.Code = "stray_bytes" },
		"offset":   func(v *row) { v.Offset = new(2) },
		"alert":    func(v *row) { v.Alert = &vectors.Alert{Name: "illegal_parameter"} },
		"action":   func(v *row) { v.Action = vectors.Abort },
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
