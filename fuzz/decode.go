package fuzz

import (
	"bytes"
	"errors"
	"strconv"
)

// Decode returns the input in a file of testdata/fuzz or of Go's fuzz cache, and any
// other data as it is.
func Decode(data []byte) ([]byte, error) {
	literal, ok := bytes.CutPrefix(data, []byte("go test fuzz v1\n[]byte("))
	if !ok {
		return data, nil
	}
	literal, ok = bytes.CutSuffix(bytes.TrimSpace(literal), []byte(")"))
	if !ok {
		return nil, errors.New("not an input of one []byte")
	}
	s, err := strconv.Unquote(string(literal))
	return []byte(s), err
}
