package main

import (
	"fmt"

	"github.com/tlsflags/tlsflags/vectors"
)

// The functions below are the vocabulary in which groups are written.

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

// refuse makes a test of an invalid input: code says why, and offset is where the
// field begins that cannot be accepted.
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

// byteCount is a number of bytes for a comment.
func byteCount(n int) string {
	if n == 1 {
		return "1 byte"
	}
	return fmt.Sprintf("%d bytes", n)
}

// nonNil makes sure that an empty input is written, and not left out.
func nonNil(b []byte) vectors.Bytes {
	if b == nil {
		return vectors.Bytes{}
	}
	return b
}

// setsFlags is what is parsed of extension_data.
func setsFlags(flags ...uint16) vectors.Parsed {
	return vectors.Parsed{Flags: append([]uint16{}, flags...)}
}

// reads adds what another version of a document says about the input.
func reads(t vectors.Test, document string, result vectors.Result, flags ...uint16) vectors.Test {
	t.Readings = append(t.Readings, vectors.Reading{
		Document: document, Result: result, Flags: append([]uint16{}, flags...),
	})
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
