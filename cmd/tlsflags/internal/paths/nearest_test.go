package paths

import (
	"reflect"
	"slices"
	"testing"
)

// TestDistance compares distances with those of an obvious definition.
func TestDistance(t *testing.T) {
	var slow func(a, b string) int
	slow = func(a, b string) int {
		if a == "" || b == "" {
			return len(a) + len(b)
		}
		d := slow(a[1:], b[1:])
		if a[0] != b[0] {
			d++
		}
		return min(d, 1+slow(a[1:], b), 1+slow(a, b[1:]))
	}
	words := []string{"", "a", "b", "ab", "ba", "aa", "abc", "acb", "bca", "abab", "cab", "kitten", "sitting"}
	for _, a := range words {
		for _, b := range words {
			if got, want := distance(a, b), slow(a, b); got != want {
				t.Errorf("%q and %q: %d, want %d", a, b, got, want)
			}
		}
	}
}

// TestNearest checks how many bytes of a name may be wrong: a third of them, rounded to the nearest number, and one of short ones.
func TestNearest(t *testing.T) {
	for _, test := range []struct {
		name       string
		candidates []string
		want       string
	}{
		{"", []string{"a", "ab"}, "a"},
		{"a", []string{"b", "bc"}, "b"},
		{"a", []string{"bc"}, ""},
		{"ab", []string{"xy", "ay"}, "ay"},
		{"ab", []string{"xy"}, ""},
		{"abc", []string{"xbc"}, "xbc"},
		{"abc", []string{"xyc"}, ""},
		{"abcd", []string{"xycd", "xbcd"}, "xbcd"},
		{"abcd", []string{"xycd"}, ""},
		{"abcde", []string{"xycde"}, "xycde"},
		{"abcdef", []string{"xycdef"}, "xycdef"},
		{"abcdef", []string{"xyzdef"}, ""},
		{"abcdefg", []string{"xyzdefg"}, ""},
		{"abcdefgh", []string{"xyzdefgh"}, "xyzdefgh"},
		{"abc", []string{"abx", "aby"}, "abx"}, // the first one
		{"abc", []string{"abx", "abc"}, "abc"},
		{"key", []string{"kez", "long.prefix.key"}, "kez"},
		{"key", []string{"long.prefix.key", "kez"}, "long.prefix.key"},
		{"key", []string{"long.prefix.key", "key"}, "key"},
		{"other.key", []string{"long.prefix.key"}, "long.prefix.key"},
		{"key", []string{"long.prefix.kez"}, ""},
		{"sni", []string{"server_name", "snj"}, "server_name"},
		{"sni", []string{"hello.server_name", "snj"}, "hello.server_name"},
		{"hello.sni", []string{"other.server_name", "hello.server_name"}, "hello.server_name"},
		{"hello.sni", []string{"hello.server_name", "other.server_name"}, "hello.server_name"},
		{"x.y.sni", []string{"x.z.server_name", "x.y.server_name"}, "x.y.server_name"},
		{".sni", []string{"server_name", ".server_name"}, ".server_name"},
		{"name", nil, ""},
	} {
		if got := Nearest(test.name, test.candidates); got != test.want {
			t.Errorf("%q in %q: %q, want %q", test.name, test.candidates, got, test.want)
		}
	}
	for name, want := range map[string]string{"abd": " (did you mean abc?)", "xyz": ""} {
		if got := Hint(name, []string{"abc"}); got != want {
			t.Errorf("hint for %q: %q", name, got)
		}
	}
}

// TestTypes checks what is known about values of each kind.
func TestTypes(t *testing.T) {
	type deep struct {
		List []struct {
			Value uint16 `json:"value"`
			Name  string `json:"name"`
			Other bool   `json:"other,string"`
		} `json:"list"`
		Value  int8     `json:"value"`
		Text   string   `json:"text"`
		Empty  []string `json:"empty,omitempty"`
		NoName int
	}
	root := Of(reflect.TypeFor[*deep]())
	want := []string{"list", "value", "text", "empty"}
	if got := root.Names(); !slices.Equal(got, want) {
		t.Errorf("names %q, want %q", got, want)
	}
	if root.IsPoint() || !root.Field("list").Type.Elem.IsPoint() {
		t.Error("an object with a value and a name is a code point, and no other one")
	}
	if (&Type{Fields: []Field{{Name: "name"}}}).IsPoint() {
		t.Error("an object with a name is no code point")
	}
	if root.Field("text").OmitEmpty || !root.Field("empty").OmitEmpty || root.Field("NoName") != nil {
		t.Errorf("fields: %+v", root.Fields)
	}
	kinds := []string{"an object", "a string", "a number", "a boolean", "a time", "a list"}
	for k, want := range kinds {
		if got := Kind(k).String(); got != want {
			t.Errorf("kind %d: %q", k, got)
		}
	}
	for name, want := range map[string]string{
		"value.x":  `value is a number, which has no "x"`,
		"text.x":   `text is a string, which has no "x"`,
		"list.x":   `list is a list, which has no "x"`,
		"text.x.y": `text is a string, which has no "x"`,
		"nope.x":   `unknown name "nope.x"`,
		"txt.x":    `unknown name "txt.x"`,
	} {
		if _, err := root.Find(name); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", name, err, want)
		}
	}
}

// TestEmptyLists checks that an empty list is absent only if its tag says so.
func TestEmptyLists(t *testing.T) {
	type lists struct {
		A []int `json:"a"`
		B []int `json:"b,omitempty"`
	}
	row := reflect.ValueOf(lists{[]int{}, []int{}})
	for name, want := range map[string]bool{"a": true, "b": false} {
		p, err := Of(row.Type()).Find(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.In(row).IsValid(); got != want {
			t.Errorf("%s is there: %t", name, got)
		}
	}
	if p, err := Of(row.Type()).Find("b"); err != nil || !p.In(reflect.ValueOf(lists{nil, []int{1}})).IsValid() {
		t.Errorf("a list with an element is absent: %v", err)
	}
}
