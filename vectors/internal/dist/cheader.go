package main

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/tlsflags/tlsflags/vectors"
)

// arraysHere is the line of packages/c/tlsflags_vectors.h.in that the arrays replace.
const arraysHere = "/* The arrays. */\n"

// cHeader returns the header for C with all tests.
func cHeader(text []byte, version string, files []vectors.File[vectors.Test]) ([]byte, error) {
	before, after, ok := bytes.Cut(text, []byte(arraysHere))
	if !ok {
		return nil, fmt.Errorf("tlsflags_vectors.h.in has no line %q", strings.TrimSpace(arraysHere))
	}
	a := arrays{placed: map[string]int{}}
	for _, f := range files {
		for g, t := range f.All() {
			a.addTest(g, t)
		}
	}
	out := bytes.NewBuffer(bytes.Clone(before))
	fmt.Fprintf(out, "#define TLSFLAGS_VECTORS_VERSION %q\n#define TLSFLAGS_VECTORS_COUNT %d\n", version, len(a.tests))
	writeArray(out, "uint8_t tlsflags_data", 32, a.data)
	writeArray(out, "struct tlsflags_bytes tlsflags_strings", 1, a.strings)
	writeArray(out, "uint16_t tlsflags_numbers", 32, a.flags)
	writeArray(out, "struct tlsflags_alternative tlsflags_answers", 1, a.alternatives)
	writeArray(out, "struct tlsflags_vector tlsflags_vectors", 1, a.tests)
	out.Write(after)
	return out.Bytes(), nil
}

// arrays are the elements of the arrays of the header. An element of one has pointers into
// those before it.
type arrays struct {
	data                         []byte
	placed                       map[string]int // where data has a string of bytes
	flags                        []uint16
	strings, alternatives, tests []string
}

func writeArray[T any](out *bytes.Buffer, declaration string, perLine int, elements []T) {
	fmt.Fprintf(out, "\nstatic const %s[] = {", declaration)
	for i, e := range elements {
		if i%perLine == 0 {
			out.WriteString("\n")
		}
		fmt.Fprintf(out, "%v,", e)
	}
	out.WriteString("\n};\n")
}

// bytes returns the initializer of a string of bytes.
func (a *arrays) bytes(b []byte) string {
	at, ok := a.placed[string(b)]
	if !ok {
		at = len(a.data)
		a.placed[string(b)] = at
		a.data = append(a.data, b...)
	}
	return fmt.Sprintf("{tlsflags_data + %d, %d}", at, len(b))
}

// list returns the initializers of a pointer to strings of bytes and of their number.
func (a *arrays) list(list []vectors.Bytes) string {
	at := len(a.strings)
	for _, b := range list {
		a.strings = append(a.strings, a.bytes(b))
	}
	return fmt.Sprintf("tlsflags_strings + %d, %d", at, len(list))
}

func (a *arrays) answers(list []vectors.Alternative) string {
	at := len(a.alternatives)
	for _, other := range list {
		alert, quicError := -1, -1
		if other.Alert != "" {
			alert = alertNumber(other.Alert)
		}
		if other.QUICError != "" {
			quicError = quicErrors[other.QUICError]
		}
		a.alternatives = append(a.alternatives, fmt.Sprintf("{%d, %s, %d, %d}", number(other.Result == vectors.Valid), text(other.Outcome), alert, quicError))
	}
	return fmt.Sprintf("tlsflags_answers + %d, %d", at, len(list))
}

// addTest adds the initializer of a test, in the order of the members.
func (a *arrays) addTest(g *vectors.Group[vectors.Test], t vectors.Test) {
	c, v := t.Shared(), verdictOf(t)
	var before []vectors.Bytes
	var sender, message string
	var memory int
	prefixes := &vectors.Range{}
	switch t := t.(type) {
	case *vectors.HelloTest:
		if t.Prefixes != nil {
			prefixes = t.Prefixes
		}
	case *vectors.MessageTest:
		before, sender, message = t.Before, t.Sender, t.Message
	case *vectors.PiecesTest:
		memory = t.Memory
	}
	clause, offset, alert, quicError := g.Source, -1, -1, -1
	if c.Offset != nil {
		offset = *c.Offset
	}
	if c.Alert != nil {
		alert, clause = int(c.Alert.Value), c.Alert.Clause
	}
	if v.quicError != nil {
		quicError = int(v.quicError.Value)
	}
	joined := "{NULL, 0}"
	if v.joined != nil {
		joined = a.bytes(v.joined)
	}
	parsed := v.parsed
	if parsed == nil {
		parsed = &vectors.Parsed{}
	}
	flags := len(a.flags)
	a.flags = append(a.flags, parsed.Flags...)
	a.tests = append(a.tests, fmt.Sprintf("{%s, %s, %s, %s, %s, %s, %s, %d, %d, %d, %s, %s, %s, %d, %s, %s, %s, %d, %d, %d, %s, %s, %d, tlsflags_numbers + %d, %d}",
		text(c.ID), text(g.Kind), text(g.Name), text(g.Entry), text(c.Comment), text(clause),
		a.list(piecesOf(t)), prefixes.From, prefixes.To, memory, a.list(before), text(sender), text(message),
		number(c.Result == vectors.Valid), text(v.outcome), text(v.action), text(c.Code), offset, alert, quicError, a.answers(c.Alternatives),
		joined, parsed.FlagsExtension, flags, len(parsed.Flags)))
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

// text returns a string literal, or NULL for "".
func text[T ~string](s T) string {
	if s == "" {
		return "NULL"
	}
	return strconv.Quote(string(s))
}
