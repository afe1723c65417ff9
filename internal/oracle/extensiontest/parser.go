package extensiontest

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/tlsflags/tlsflags/extension"
)

// A Parser is the parser of a message or of a field, as CheckParser sees it.
type Parser[T any] struct {
	Parse func(input []byte) (T, int, error)
	// Bytes returns what was consumed, nil for the zero value.
	Bytes func(T) []byte
	// Field says that the parser takes all of its input for one field, so that nothing
	// is truncated and nothing can follow.
	Field bool
}

// Check checks what every parser promises, on one input: the outcome is that of the
// reference, the input is not written to, and bytes outside of the message change
// nothing. It returns what was parsed. Allocations and time have tests of their own.
func (p Parser[T]) Check(input []byte, wantN int, wantCode extension.Code) (v T, err error) {
	before := bytes.Clone(input)
	v, n, parseErr := p.Parse(input)
	code := CodeOf(parseErr)
	if !bytes.Equal(before, input) {
		return v, errors.New("the input was written to")
	}
	if n != wantN || code != wantCode {
		return v, fmt.Errorf("got position %d and %q, the reference parser has %d and %q", n, code.Name(), wantN, wantCode.Name())
	}
	raw := p.Bytes(v)
	same := func(what string, other []byte) error {
		w, m, err := p.Parse(other)
		if m != n || CodeOf(err) != code || !bytes.Equal(p.Bytes(w), raw) {
			return fmt.Errorf("%s: %v at %d instead of %q at %d", what, err, m, code.Name(), n)
		}
		return nil
	}
	clipped := make([]byte, len(input))
	copy(clipped, input)
	poisoned := append(bytes.Clone(input), bytes.Repeat([]byte{0xff}, 64)...)[:len(input)]
	if err := errors.Join(same("without capacity", clipped), same("with other capacity", poisoned)); err != nil {
		return v, err
	}
	if code != 0 {
		return v, p.checkRefused(input, raw, n, code, same)
	}
	if p.Field {
		n = len(input)
	}
	if !bytes.Equal(raw, input[:n]) {
		return v, errors.New("the parser does not give back the bytes consumed")
	}
	if p.Field {
		return v, nil
	}
	if err := same("with bytes after the message", append(bytes.Clone(input[:n]), 0xa5, 0xa5, 0xa5)); err != nil {
		return v, err
	}
	for i := range prefixes(n) {
		if _, m, err := p.Parse(input[:i]); err != extension.ErrTruncated || m != i {
			return v, fmt.Errorf("the prefix of %d bytes gives %v at %d, not truncated", i, err, m)
		}
	}
	return v, nil
}

func (p Parser[T]) checkRefused(input, raw []byte, n int, code extension.Code, same func(what string, other []byte) error) error {
	if raw != nil {
		return errors.New("what is refused gives a value that is not zero")
	}
	if code.Name() == "" || code.Clause() == "" {
		return fmt.Errorf("code %d has no row", code)
	}
	switch code.Alert() {
	case extension.AlertDecodeError, extension.AlertIllegalParameter, extension.AlertUnexpectedMessage:
	default:
		return fmt.Errorf("%s has the alert %v", code.Name(), code.Alert())
	}
	if p.Field || code == extension.ErrTruncated || code == extension.ErrMessageTooLarge {
		return nil // concern all of the message
	}
	// Bytes after the refused field change nothing. A length has at most three bytes, random 32.
	const widest = 32
	if n+widest >= len(input) {
		return nil
	}
	changed := bytes.Clone(input)
	for i := n + widest; i < len(changed); i++ {
		changed[i] ^= 0xff
	}
	return same("with other bytes after the fault", changed)
}

// prefixes yields the lengths of proper prefixes to try of a message of n bytes: all
// of a short one, and the first and last of a long one.
func prefixes(n int) func(func(int) bool) {
	const each = 512
	return func(yield func(int) bool) {
		for i := 0; i < n; i++ {
			if i == each && n > 2*each {
				i = n - each
			}
			if !yield(i) {
				return
			}
		}
	}
}
