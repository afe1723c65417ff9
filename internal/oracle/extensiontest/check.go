// Package extensiontest has reference parsers and checks of lists of extensions and of TLS Flags.
package extensiontest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/tlsflags/tlsflags/extension"
)

// lookups is how many extensions of a list are looked up: each time costs a walk over
// the list, and all of the longest list would cost minutes.
const lookups = 64

// CheckList checks what extension.ParseList promises, on one extension block.
func CheckList(m extension.MessageKind, block []byte) error {
	const offset = 77
	want, wantN, wantCode := ReferenceList(m, block, offset)
	list, err := Parser[extension.List]{
		Parse: func(b []byte) (extension.List, int, error) { return extension.ParseList(m, b, offset) },
		Bytes: func(l extension.List) []byte { return l.AppendTo(nil) },
		Field: true,
	}.Check(block, wantN, wantCode)
	if err != nil {
		return err
	}
	if got := slices.Collect(list.All()); !slices.EqualFunc(got, want, SameExtension) {
		return fmt.Errorf("reference parser (-) and parser (+) differ:\n%s", cmp.Diff(want, got, cmpopts.EquateEmpty()))
	}
	return CheckParsed(list)
}

// CheckParsed checks that Lookup gives the first of All, and checks the flags.
func CheckParsed(l extension.List) error {
	count := 0
	for e := range l.All() {
		if count < lookups {
			if found, ok := l.Lookup(e.Type); !ok || found.Offset != e.Offset {
				return fmt.Errorf("the result of Lookup(%v) is not what All yields", e.Type)
			}
		}
		count++
	}
	if count != l.Len() {
		return fmt.Errorf("the list yields %d extensions, Len is %d", count, l.Len())
	}
	holder, ok := l.Lookup(extension.TLSFlags)
	if !ok {
		holder, ok = l.Lookup(extension.TLSFlagsExperimental)
	}
	flags, t, err := l.Flags()
	if !ok {
		if t != 0 || err != nil || flags.Len() != 0 {
			return errors.New("an extension is found by Flags and not by Lookup")
		}
		return nil
	}
	if t != holder.Type {
		return fmt.Errorf("the flags are from %v, not from %v", t, holder.Type)
	}
	for f := range extension.Flag(extension.MaxFlag + 10) {
		if l.HasFlag(f) != (err == nil && flags.Has(f)) {
			return fmt.Errorf("about flag %d HasFlag and Flags disagree", f)
		}
	}
	return CheckFlags(holder.Data)
}

// CheckFlags checks what extension.ParseFlags promises, on one input.
func CheckFlags(data []byte) error {
	want, wantN, wantCode := ReferenceFlags(data)
	flags, err := Parser[extension.Flags]{
		Parse: extension.ParseFlags,
		Bytes: func(f extension.Flags) []byte { return f.AppendTo(nil) },
		Field: true,
	}.Check(data, wantN, wantCode)
	if err != nil {
		return fmt.Errorf("flags: %w", err)
	}
	all := slices.Collect(flags.All())
	if !slices.Equal(want, all) {
		return fmt.Errorf("flags of reference parser (-) and parser (+) differ:\n%s", cmp.Diff(want, all))
	}
	if flags.Len() != len(all) {
		return fmt.Errorf("flags: All yields %d, Len is %d", len(all), flags.Len())
	}
	if wantCode != 0 {
		return nil
	}
	set, err := extension.NewFlagSet(all...)
	if err != nil {
		return err
	}
	encoded, err := set.AppendTo(nil)
	if err != nil || !bytes.Equal(encoded, data) {
		return errors.New("flags: encoding them again does not give the same bytes")
	}
	if set != flags.Set() {
		return errors.New("flags: Set is not the set of All")
	}
	if text := flags.String(); text != set.String() || strings.Count(text, ", ") != len(all)-1 || !strings.HasPrefix(text, all[0].String()) {
		return fmt.Errorf("flags: %d of them are listed as %q, and as a set as %q", len(all), text, set)
	}
	return nil
}

// SameExtension reports whether a and b are equal.
func SameExtension(a, b extension.Extension) bool {
	return a.Type == b.Type && a.Offset == b.Offset && bytes.Equal(a.Data, b.Data)
}

// Inside checks that view is the part of msg at offset, with no room to append.
func Inside(name string, view, msg []byte, offset int) error {
	if len(view) == 0 {
		return nil
	}
	if cap(view) != len(view) {
		return fmt.Errorf("%s has room behind it", name)
	}
	if unsafe.SliceData(view) != unsafe.SliceData(msg[offset:]) || offset+len(view) > len(msg) {
		return fmt.Errorf("%s is not at offset %d of the message", name, offset)
	}
	return nil
}

// CodeOf returns the code in err, 0 if there is none.
func CodeOf(err error) extension.Code {
	code, _ := err.(extension.Code)
	return code
}
