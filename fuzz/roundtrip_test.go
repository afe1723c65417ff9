package fuzz

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/oracle/clienthellotest"
	"github.com/tlsflags/tlsflags/internal/oracle/extensiontest"
	"golang.org/x/crypto/cryptobyte"
)

// checkFlagSet checks that the parsers read what extension.FlagSet encodes, and that it is
// the shortest form. It compares the set with the plain list
// of its flags.
func checkFlagSet(flags []extension.Flag) error {
	var set extension.FlagSet
	want := make(map[extension.Flag]bool)
	for _, f := range flags {
		before := set
		err := set.Add(f)
		if tooLarge := f > extension.MaxFlag; tooLarge != (err == extension.ErrFlagTooLarge) || tooLarge && set != before {
			return fmt.Errorf("adding %d: %v", f, err)
		}
		if err == nil {
			want[f] = true
		}
	}
	all := slices.Collect(set.All())
	if len(all) != len(want) || set.Len() != len(want) || !slices.IsSorted(all) {
		return fmt.Errorf("%d flags were added, All yields %v and Len is %d", len(want), all, set.Len())
	}
	for _, f := range all {
		if !want[f] || !set.Has(f) {
			return fmt.Errorf("a set yields %d, which was added: %t, Has: %t", f, want[f], set.Has(f))
		}
	}

	neighbour := []byte{0xa5, 0xa5}
	data, err := set.AppendTo(bytes.Clone(neighbour))
	if len(want) == 0 {
		if err != extension.ErrNoFlags || !bytes.Equal(data, neighbour) {
			return fmt.Errorf("the empty set encodes to %x, %v", data, err)
		}
		return nil
	}
	if err != nil || !bytes.HasPrefix(data, neighbour) {
		return fmt.Errorf("encoding gives %x, %v", data, err)
	}
	data = data[len(neighbour):]
	if shortest := 2 + int(all[len(all)-1]/8); len(data) != shortest {
		return fmt.Errorf("the encoding has %d bytes, the shortest %d", len(data), shortest)
	}
	if read, _, code := extensiontest.ReferenceFlags(data); code != 0 || !slices.Equal(read, all) {
		return fmt.Errorf("the reference parser reads %v, %q", read, code.Name())
	}
	if err := extensiontest.CheckFlags(data); err != nil {
		return err
	}
	if err := checkFlagsInHello(set, all); err != nil {
		return err
	}
	for _, f := range flags {
		set.Remove(f)
	}
	if set != (extension.FlagSet{}) {
		return errors.New("after Remove of all flags the set is not the empty one")
	}
	return nil
}

// checkFlagsInHello sends the set in a ClientHello under both types.
func checkFlagsInHello(set extension.FlagSet, all []extension.Flag) error {
	for _, t := range []extension.Type{extension.TLSFlags, extension.TLSFlagsExperimental} {
		whole, err := set.AppendExtension(nil, t)
		if err != nil {
			return err
		}
		s := cryptobyte.String(whole)
		var typ uint16
		var body cryptobyte.String
		if !s.ReadUint16(&typ) || !s.ReadUint16LengthPrefixed(&body) || !s.Empty() || extension.Type(typ) != t {
			return fmt.Errorf("appending the extension gives %x", whole)
		}
		h := clienthellotest.Hello{Version: 0x0303, Random: make([]byte, 32), CipherSuites: []uint16{0x1301}, CompressionMethods: []byte{0},
			HasExtensionBlock: true, Extensions: []extension.Extension{{Type: t, Data: body}}}
		msg, err := h.Append(nil, false)
		if err != nil {
			return err
		}
		hello, _, err := clienthello.Parse(msg)
		if err != nil {
			return err
		}
		flags, under, err := hello.Flags()
		if err != nil || under != t || flags.Set() != set {
			return fmt.Errorf("in a ClientHello the flags %v of %v read as %v, %v", all, t, slices.Collect(flags.All()), err)
		}
		for f := range extension.MaxFlag + 2 {
			if hello.HasFlag(f) != set.Has(f) {
				return fmt.Errorf("has flag %d: %t", f, hello.HasFlag(f))
			}
		}
	}
	return nil
}

// checkRoundTripInput reads flag numbers, of two bytes each.
func checkRoundTripInput(data []byte) error {
	var flags []extension.Flag
	s := cryptobyte.String(data)
	var number uint16
	for s.ReadUint16(&number) {
		flags = append(flags, extension.Flag(number))
	}
	return checkFlagSet(flags)
}

func roundTripSeeds(yield func([]byte) bool) {
	g := newGenerator(5)
	for range 16 {
		var input []byte
		for f := range g.randomFlagSet().All() {
			input = append(input, byte(f>>8), byte(f))
		}
		if !yield(input) {
			return
		}
	}
	yield([]byte{0x07, 0xf7, 0x07, 0xf8, 0xff, 0xff}) // 2039, 2040, 65535
}
