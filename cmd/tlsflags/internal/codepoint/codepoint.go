// Package codepoint writes numbers of registries as the JSON of the command has them:
// {"value":80,"name":"request_mtls"}, with null for a number without a name.
package codepoint

import "encoding/json"

// Point is a number of a registry with its name, "" if it has none.
type Point struct {
	Value uint32   `json:"value"`
	Name  Optional `json:"name"`
}

// Of returns the Point of a value.
func Of[T ~uint8 | ~uint16 | ~uint32](value T, name string) Point {
	return Point{uint32(value), Optional(name)}
}

// Optional is a string that is null in JSON if it is "".
type Optional string

// MarshalJSON returns null or a string.
func (s Optional) MarshalJSON() ([]byte, error) {
	if s == "" {
		return []byte("null"), nil
	}
	return json.Marshal(string(s))
}
