package vectorrun

import (
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/vectors"
)

// everything is all vectors, asked of an implementation.
func everything(t *testing.T, name string) Config {
	t.Helper()
	c := config(t, name)
	var err error
	if c.Suite, err = Select(nil, nil, nil); err != nil {
		t.Fatal(err)
	}
	return c
}

// Who gives one answer to everything passes nothing.
func TestOneResultPassesNothing(t *testing.T) {
	for _, name := range []string{"valid", "invalid"} {
		r := run(t, everything(t, name))
		if r.Count(Pass) != 0 || r.Count(Unchecked) == 0 || r.Count(Fail) == 0 || r.OK() {
			t.Errorf("%s: %v", name, count(r.Groups...).statuses)
		}
	}
}

// Who takes everything for truncated passes the groups of that name, and nothing else.
func TestAlwaysTruncated(t *testing.T) {
	n := 0
	for _, g := range run(t, everything(t, "truncated")).Groups {
		for _, o := range g.Outcomes {
			if passes := o.Status == Pass; passes != (g.Name == "truncated") {
				t.Errorf("%s, in the group %s: passes is %t", o.ID, g.Name, passes)
			}
			n++
		}
	}
	if n == 0 {
		t.Error("no test was asked")
	}
}

// The prefixes of a published test end before the whole message, whose content is known.
func TestPrefixesAreProper(t *testing.T) {
	n := 0
	for _, g := range everything(t, "valid").Suite.Groups {
		for _, test := range g.Tests {
			if test.Prefixes == nil {
				continue
			}
			n++
			if test.Prefixes.To != len(test.Input)-1 || test.want.Code != "truncated" || test.want.Parsed == nil {
				t.Errorf("%s: prefixes up to %d of %d bytes, %+v", test.ID, test.Prefixes.To, len(test.Input), test.want)
			}
		}
	}
	if n == 0 {
		t.Error("no test has prefixes")
	}
}

// With Strict, what is unchecked can be expected.
func TestStrict(t *testing.T) {
	c := config(t, "valid")
	var err error
	if c.Suite, err = Select(nil, nil, []string{"flags/example/8"}); err != nil {
		t.Fatal(err)
	}
	if r := run(t, c); !r.OK() || r.Count(Unchecked) != 1 {
		t.Errorf("%+v", r)
	}
	c.Strict = true
	if r := run(t, c); r.OK() || r.Count(Unchecked) != 1 || !r.Strict {
		t.Errorf("%+v", r)
	}
	if c.Known, err = ReadExpected(strings.NewReader("flags/example/* no flags yet")); err != nil {
		t.Fatal(err)
	}
	if r := run(t, c); !r.OK() || r.Count(Known) != 1 || r.Stale != nil {
		t.Errorf("%+v", r)
	}
}

func TestSelect(t *testing.T) {
	for _, tt := range []struct {
		name   string
		kinds  []string
		groups []string
		ids    []string
		want   string // of WriteList
		err    string
	}{
		{name: "an id", ids: []string{"flags/example/8"}, want: "flags/example/8\ttls_flags\texamples\n"},
		{name: "two patterns for one id", ids: []string{"flags/empty-d*", "flags*/empty-data"}, want: "flags/empty-data\ttls_flags\tempty\nflags/draft-01/empty-data\ttls_flags\tdraft\n"},
		{
			name: "groups and ids", groups: []string{"faults", "examples"}, ids: []string{"*s/faults/too-large"},
			want: "records/faults/too-large\ttls_records\tfaults\ndtls/faults/too-large\tdtls\tfaults\n",
		},
		{name: "a kind and a group", kinds: []string{string(vectors.TLSRecords)}, groups: []string{"limits"}, want: "records/limits/memory-fits\ttls_records\tlimits\nrecords/limits/memory-one-less\ttls_records\tlimits\nrecords/limits/memory-one-less-header\ttls_records\tlimits\n"},
		{name: "a group of another kind", kinds: []string{string(vectors.TLSFlags)}, groups: []string{"limits"}, err: `--group: unknown group "limits"; --list lists those there are`},
		{name: "no group", groups: []string{"examples", "limit"}, err: `--group: unknown group "limit" (did you mean limits?); --list lists those there are`},
		{name: "no id", ids: []string{"flags/example/8", "flags/example"}, err: `--id: unknown id "flags/example"; --list lists those there are`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := Select(tt.kinds, tt.groups, tt.ids)
			var list strings.Builder
			if err == nil {
				err = s.WriteList(&list)
			}
			if err != nil && err.Error() != tt.err || err == nil && tt.err != "" {
				t.Errorf("error is %v, want %s", err, tt.err)
			}
			if list.String() != tt.want {
				t.Errorf("got %s, want %s", list.String(), tt.want)
			}
		})
	}
}

func TestSelectAll(t *testing.T) {
	s, err := Select(nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	tests, want := 0, 0
	for _, g := range s.Groups {
		tests += len(g.Tests)
	}
	for _, k := range vectors.Kinds() {
		f, err := vectors.Load(k)
		if err != nil {
			t.Fatal(err)
		}
		want += f.NumberOfTests
	}
	if tests != want {
		t.Errorf("%d tests, want %d", tests, want)
	}
	if err := s.WriteList(&limited{0}); err == nil {
		t.Error("an error of the writer is not returned")
	}
}
