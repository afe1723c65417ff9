package main

import (
	"fmt"
	"slices"

	"github.com/tlsflags/tlsflags/vectors"
)

// accept makes a test of a valid input.
func accept(id string, input []byte, parsed vectors.Parsed, comment string, flags ...string) vectors.Test {
	return vectors.Test{
		ID:      id,
		Comment: comment,
		Flags:   append([]string{}, flags...),
		Input:   nonNil(input),
		Result:  vectors.Valid,
		Parsed:  &parsed,
	}
}

// refuse makes a test of an invalid input. Code is the reason, and offset the position of
// the field at fault.
func refuse(id string, input []byte, code string, offset int, comment string, flags ...string) vectors.Test {
	v := verdictOf(code)
	return vectors.Test{
		ID:           id,
		Comment:      comment,
		Flags:        append([]string{}, flags...),
		Input:        nonNil(input),
		Result:       vectors.Invalid,
		Code:         code,
		Offset:       &offset,
		Alert:        &v.alert,
		Alternatives: v.alternatives,
	}
}

// byteCount formats a number of bytes.
func byteCount(n int) string {
	if n == 1 {
		return "1 byte"
	}
	return fmt.Sprintf("%d bytes", n)
}

// nonNil makes an empty input appear in the JSON file.
func nonNil(b []byte) vectors.Bytes {
	if b == nil {
		return vectors.Bytes{}
	}
	return b
}

// setsFlags is what is parsed of extension_data.
func setsFlags(flags ...uint16) vectors.Parsed { return setsIn(0, flags...) }

// setsIn is what is parsed of a message with an extension of the given type.
func setsIn(typ uint16, flags ...uint16) vectors.Parsed {
	return vectors.Parsed{Flags: append([]uint16{}, flags...), FlagsExtension: typ}
}

// A fault is a row of a table of malformed inputs.
type fault struct {
	name, code string
	offset     int
	data       []byte
	helloOnly  bool // for a ClientHello, not for other messages
}

// reads adds the result of another version of a document.
func reads(t vectors.Test, document string, result vectors.Result, flags ...uint16) vectors.Test {
	t.Readings = append(t.Readings, vectors.Reading{
		Document: document, Result: result, Flags: append([]uint16{}, flags...),
	})
	return t
}

// or adds other answers to a test.
func or(t vectors.Test, others ...vectors.Alternative) vectors.Test {
	verdict := vectors.Alternative{Result: t.Result, Outcome: t.Outcome}
	if t.Alert != nil {
		verdict.Alert = t.Alert.Name
	}
	if t.QUICError != nil {
		verdict.QUICError = t.QUICError.Name
	}
	for _, other := range others {
		same := func(a vectors.Alternative) bool {
			errors := a.Alert == other.Alert && a.QUICError == other.QUICError
			return a.Result == other.Result && errors && (a.Outcome == other.Outcome || a.Alert != "")
		}
		if same(verdict) || slices.ContainsFunc(t.Alternatives, same) {
			panic(fmt.Sprintf("%s: the answer %s %s is there already", t.ID, other.Result, other.Alert))
		}
		t.Alternatives = append(slices.Clip(t.Alternatives), other)
	}
	return t
}

// verdictOf returns the verdict of a code.
func verdictOf(code string) verdict {
	v, ok := verdicts[code]
	if !ok {
		panic(fmt.Sprintf("codes.txt has no %s", code))
	}
	return v
}

const (
	flagsSection2 = "draft-ietf-tls-tlsflags-16, Section 2"
	flagsSection3 = "draft-ietf-tls-tlsflags-16, Section 3"
)
