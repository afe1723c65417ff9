package paths

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/codepoint"
)

type (
	base struct {
		Length int `json:"length"`
	}
	inner struct {
		base
		Name  codepoint.Optional `json:"name"`
		SNI   codepoint.Optional `json:"server_name"`
		Alone *int               `json:"alone"`
	}
	outer struct {
		Inner  *inner            `json:"inner"`
		Points []codepoint.Point `json:"points"`
		Odd    []string          `json:"odd,omitempty"`
		Sure   bool              `json:"sure"`
		hidden int
	}
)

func TestPlain(t *testing.T) {
	row := outer{
		Inner:  &inner{base{3}, "x", "", nil},
		Points: []codepoint.Point{{Value: 80}},
		Odd:    []string{},
		hidden: 1,
	}
	root := Of(reflect.TypeFor[outer]())
	for name, want := range map[string][2]any{
		"inner":        {map[string]any{"length": 3, "name": "x", "server_name": nil, "alone": nil}, nil},
		"inner.length": {3, nil},
		"inner.name":   {"x", nil},
		"inner.alone":  {nil, nil},
		"points":       {[]any{map[string]any{"value": 80, "name": nil}}, nil},
		"odd":          {nil, nil},
		"sure":         {false, false},
	} {
		p, err := root.Find(name)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range []outer{row, {}} {
			if diff := cmp.Diff(want[i], Plain(p.In(reflect.ValueOf(r)), p.Type())); diff != "" {
				t.Errorf("%s of row %d (-want +got):\n%s", name, i, diff)
			}
		}
	}
}

func TestUnknownNames(t *testing.T) {
	root := Of(reflect.TypeFor[outer]())
	for name, want := range map[string]string{
		"innre":        `unknown name "innre" (did you mean inner?)`,
		"inner.lenght": `unknown name "inner.lenght" (did you mean inner.length?)`,
		"length":       `unknown name "length" (did you mean inner.length?)`,
		"sni":          `unknown name "sni" (did you mean inner.server_name?)`,
		"iner.sni":     `unknown name "iner.sni" (did you mean inner.server_name?)`,
		"zzz":          `unknown name "zzz"`,
		"hidden":       `unknown name "hidden"`,
		"":             `unknown name ""`,
		"sure.x":       `sure is a boolean, which has no "x"`,
		"points.value": `points is a list, which has no "value"; its elements have it: any(points, .value ...)`,
		"points.x":     `points is a list, which has no "x"`,
	} {
		if p, err := root.Find(name); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, %v, want %s", name, p, err, want)
		}
	}
}
