// Package paths finds the values of a Go struct by the names that its JSON has, such as
// client_hello.server_name.
//
// Null in the JSON is a nil pointer, a nil slice or an empty [codepoint.Optional]. A value
// inside null is absent, too.
package paths

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/codepoint"
)

// A Kind is what a value in the JSON is.
type Kind int

// The kinds. Moment is text that has a time of RFC 3339.
const (
	Object Kind = iota
	Text
	Number
	Truth
	Moment
	List
)

// String returns the kind with an article.
func (k Kind) String() string {
	return [...]string{"an object", "a string", "a number", "a boolean", "a time", "a list"}[k]
}

// A Type is what is known about a value before there is one.
type Type struct {
	Kind   Kind
	Elem   *Type   // of a List
	Fields []Field // of an Object, in the order of the JSON
}

// A Field is a key of an object.
type Field struct {
	Name      string
	Type      *Type
	OmitEmpty bool // the key is absent if the value is empty
	index     []int
}

var optional = reflect.TypeFor[codepoint.Optional]()

// Of returns the type of the values of a Go type whose structs have tags for JSON.
func Of(t reflect.Type) *Type {
	switch t.Kind() {
	case reflect.Pointer:
		return Of(t.Elem())
	case reflect.Slice:
		return &Type{Kind: List, Elem: Of(t.Elem())}
	case reflect.String:
		return &Type{Kind: Text}
	case reflect.Bool:
		return &Type{Kind: Truth}
	case reflect.Struct:
		object := &Type{}
		for _, f := range reflect.VisibleFields(t) {
			name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name != "" {
				object.Fields = append(object.Fields, Field{name, Of(f.Type), options == "omitempty", f.Index})
			}
		}
		return object
	default:
		return &Type{Kind: Number}
	}
}

// Field returns a key of an object, or nil.
func (t *Type) Field(name string) *Field {
	for i := range t.Fields {
		if t.Fields[i].Name == name {
			return &t.Fields[i]
		}
	}
	return nil
}

// IsPoint reports whether values are code points, which have a number and a name.
func (t *Type) IsPoint() bool { return t.Field("value") != nil && t.Field("name") != nil }

// A Path is a series of keys, from the root.
type Path []Field

// Find returns the path of a name with dots. The error names the nearest key.
func (t *Type) Find(name string) (Path, error) {
	var p Path
	at := t
	for key := range strings.SplitSeq(name, ".") {
		f := at.Field(key)
		switch {
		case f == nil && len(p) > 0 && at.Kind == List:
			advice := ""
			if at.Elem.Field(key) != nil {
				advice = fmt.Sprintf("; its elements have it: any(%s, .%s ...)", p, key)
			}
			return nil, fmt.Errorf("%s is a list, which has no %q%s", p, key, advice)
		case f == nil && len(p) > 0 && at.Kind != Object:
			return nil, fmt.Errorf("%s is %s, which has no %q", p, at.Kind, key)
		case f == nil:
			return nil, t.unknown(name)
		}
		p, at = append(p, *f), f.Type
	}
	return p, nil
}

// unknown is the error for a name that is no path.
func (t *Type) unknown(name string) error {
	return fmt.Errorf("unknown name %q%s", name, Hint(name, t.Names()))
}

// Names lists all paths of an object.
func (t *Type) Names() []string { return t.names("", nil) }

func (t *Type) names(prefix string, list []string) []string {
	for _, f := range t.Fields {
		list = append(list, prefix+f.Name)
		list = f.Type.names(prefix+f.Name+".", list)
	}
	return list
}

func (p Path) String() string {
	keys := make([]string, len(p))
	for i, f := range p {
		keys[i] = f.Name
	}
	return strings.Join(keys, ".")
}

// Type returns the type at the end of p.
func (p Path) Type() *Type { return p[len(p)-1].Type }

// In returns the value of the path in a struct; it is not valid if the value is absent.
func (p Path) In(root reflect.Value) reflect.Value {
	v := root
	for _, f := range p {
		if v = f.In(v); !v.IsValid() {
			return v
		}
	}
	return v
}

// In returns the value of the key in a struct; it is not valid if the value is absent.
func (f *Field) In(object reflect.Value) reflect.Value {
	v := object.FieldByIndex(f.index)
	for v.Kind() == reflect.Pointer {
		v = v.Elem() // not valid if the pointer is nil
	}
	if v.IsValid() && (v.Kind() == reflect.Slice && (v.IsNil() || f.OmitEmpty && v.Len() == 0) || v.Type() == optional && v.Len() == 0) {
		return reflect.Value{}
	}
	return v
}

// Plain returns a value as a string, int, bool, []any or map[string]any; nil if it is absent.
func Plain(v reflect.Value, t *Type) any {
	if !v.IsValid() {
		return nil
	}
	switch t.Kind {
	case Text, Moment:
		return v.String()
	case Truth:
		return v.Bool()
	case List:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = Plain(v.Index(i), t.Elem)
		}
		return list
	case Object:
		object := make(map[string]any, len(t.Fields))
		for i := range t.Fields {
			f := &t.Fields[i]
			object[f.Name] = Plain(f.In(v), f.Type)
		}
		return object
	}
	if v.CanUint() {
		return int(v.Uint())
	}
	return int(v.Int())
}
