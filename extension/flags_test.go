package extension_test

import (
	"bytes"
	"encoding/hex"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/oracle/extensiontest"
)

func TestParseFlags(t *testing.T) {
	zeros := func(n int) []byte { return make([]byte, n) }
	for _, test := range []struct {
		name  string
		data  []byte
		flags []extension.Flag
		code  extension.Code
		at    int
	}{
		{"flag 0", []byte{1, 1}, []extension.Flag{0}, 0, 2},
		{"flags 1 and 5", []byte{1, 0x22}, []extension.Flag{1, 5}, 0, 2},
		{"flag 7", []byte{1, 0x80}, []extension.Flag{7}, 0, 2},
		{"flags 3, 5 and 23", []byte{3, 0x28, 0, 0x80}, []extension.Flag{3, 5, 23}, 0, 4},
		{"flag 8", []byte{2, 0, 1}, []extension.Flag{8}, 0, 3},
		{"flag 15", []byte{2, 0, 0x80}, []extension.Flag{15}, 0, 3},
		{"flag 80", flag80, []extension.Flag{80}, 0, 12},
		{"flags 0 and 2039", slices.Concat([]byte{255, 1}, zeros(253), []byte{0x80}), []extension.Flag{0, 2039}, 0, 256},
		{"all 2040 flags", append([]byte{255}, bytes.Repeat([]byte{255}, 255)...), slices.Collect(upTo(2040)), 0, 256},

		{"no byte", nil, nil, extension.ErrFlagsEmptyData, 0},
		{"an empty vector", []byte{0}, nil, extension.ErrFlagsEmptyVector, 0},
		{"an empty vector and a byte", []byte{0, 1}, nil, extension.ErrFlagsEmptyVector, 0},
		{"a vector without octets", []byte{1}, nil, extension.ErrFlagsInnerTooLong, 0},
		{"a vector of 5 with 1 octet", []byte{5, 1}, nil, extension.ErrFlagsInnerTooLong, 0},
		{"a vector of 255 with 254 octets", append([]byte{255}, bytes.Repeat([]byte{1}, 254)...), nil, extension.ErrFlagsInnerTooLong, 0},
		{"one byte after the vector", []byte{1, 1, 255}, nil, extension.ErrFlagsTrailingBytes, 2},
		{"a byte after a vector of zeros", []byte{1, 0, 1}, nil, extension.ErrFlagsTrailingBytes, 2},
		{"256 octets", append([]byte{255}, bytes.Repeat([]byte{1}, 256)...), nil, extension.ErrFlagsTrailingBytes, 256},
		{"one zero octet", []byte{1, 0}, nil, extension.ErrFlagsAllZero, 1},
		{"255 zero octets", append([]byte{255}, zeros(255)...), nil, extension.ErrFlagsAllZero, 255},
		{"one octet and a zero octet", []byte{2, 1, 0}, nil, extension.ErrFlagsTrailingZero, 2},
		{"one octet and 254 zero octets", append([]byte{255, 1}, zeros(254)...), nil, extension.ErrFlagsTrailingZero, 255},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := extensiontest.CheckFlags(test.data); err != nil {
				t.Error(err)
			}
			flags, at, err := extension.ParseFlags(test.data)
			if code, _ := err.(extension.Code); code != test.code || at != test.at {
				t.Errorf("got %v at %d, want %v at %d", err, at, test.code, test.at)
			}
			if diff := cmp.Diff(test.flags, slices.Collect(flags.All())); diff != "" {
				t.Error(diff)
			}
			if err == nil {
				return
			}
			code := err.(extension.Code)
			if code.Alert() != extension.AlertIllegalParameter {
				t.Errorf("the alert is %v", code.Alert())
			}
			framing := code != extension.ErrFlagsAllZero && code != extension.ErrFlagsTrailingZero
			if other, ok := code.AlternativeAlert(); ok != framing || ok && other != extension.AlertDecodeError {
				t.Errorf("the alternative is %v, %t", other, ok)
			}
		})
	}
}

// extension_data with flag 80 alone.
var flag80 = []byte{11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}

func upTo(n extension.Flag) func(func(extension.Flag) bool) {
	return func(yield func(extension.Flag) bool) {
		for f := range n {
			if !yield(f) {
				return
			}
		}
	}
}

// Every extension_data of up to two bytes, and every length of the vector around every
// length of the data.
func TestParseFlagsExhaustive(t *testing.T) {
	check := func(data []byte) {
		if err := extensiontest.CheckFlags(data); err != nil {
			t.Fatalf("%x: %v", data, err)
		}
	}
	step := 1
	if testing.Short() {
		step = 15
	}
	check(nil)
	for a := range 256 {
		check([]byte{byte(a)})
		for b := 0; b < 256; b += step {
			check([]byte{byte(a), byte(b)})
			check([]byte{2, byte(a), byte(b)})
		}
		for _, size := range []int{a - 1, a, a + 1} {
			if size < 0 {
				continue
			}
			data := bytes.Repeat([]byte{1}, 1+size)
			data[0] = byte(a)
			check(data)
		}
	}
}

func TestEveryFlag(t *testing.T) {
	for f := range extension.MaxFlag + 1 {
		set, err := extension.NewFlagSet(f)
		if err != nil || !set.Has(f) {
			t.Fatalf("flag %d: %v, in the set: %t", f, err, set.Has(f))
		}
		data, err := set.AppendTo(nil)
		if err != nil || len(data) != int(f)/8+2 {
			t.Fatalf("flag %d is encoded as %x, %v", f, data, err)
		}
		flags, _, err := extension.ParseFlags(data)
		if flags.Has(f^1) || flags.Has(f^7) || set.Has(f^1) || set.Has(f^7) {
			t.Fatalf("flag %d sets its neighbours", f)
		}
		if err != nil || !flags.Has(f) || flags.Len() != 1 || flags.Set() != set {
			t.Fatalf("flag %d: parsed again: %v, %v", f, slices.Collect(flags.All()), err)
		}
	}
}

func TestFlagSet(t *testing.T) {
	var s extension.FlagSet
	if s != (extension.FlagSet{}) || s.Len() != 0 || s.Has(0) || s.Has(2040) || s.Has(65535) {
		t.Error("the zero value is not the empty set")
	}
	if b, err := s.AppendTo([]byte{9}); err != extension.ErrNoFlags || !bytes.Equal(b, []byte{9}) {
		t.Errorf("the empty set is encoded as %x, %v", b, err)
	}
	if b, err := s.AppendExtension([]byte{9}, 62); err != extension.ErrNoFlags || !bytes.Equal(b, []byte{9}) {
		t.Errorf("the empty set is encoded as %x, %v", b, err)
	}
	for _, f := range []extension.Flag{2040, 2047, 2048, 65535} {
		if err := s.Add(f); err != extension.ErrFlagTooLarge || s.Len() != 0 {
			t.Errorf("Add(%d) gives %v", f, err)
		}
		s.Remove(f)
	}
	if _, err := extension.NewFlagSet(1, 2040); err != extension.ErrFlagTooLarge {
		t.Errorf("NewFlagSet gives %v", err)
	}

	for _, f := range []extension.Flag{80, 8, 2039, 80} {
		if err := s.Add(f); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]extension.Flag{8, 80, 2039}, slices.Collect(s.All())); diff != "" || s.Len() != 3 {
		t.Errorf("Len %d\n%s", s.Len(), diff)
	}
	s.Remove(2039)
	s.Remove(2039)
	got, err := s.AppendExtension(nil, extension.TLSFlags)
	if err != nil || hex.EncodeToString(got) != "003e000c0b0001000000000000000001" {
		t.Errorf("got %x, %v", got, err)
	}
	other, _ := extension.NewFlagSet(80, 8)
	if s != other || !maps.Equal(map[extension.FlagSet]bool{s: true}, map[extension.FlagSet]bool{other: true}) {
		t.Error("equal sets do not compare as equal")
	}
	longest, _ := extension.NewFlagSet(extension.MaxFlag)
	if got, err := longest.AppendExtension(nil, extension.TLSFlagsExperimental); err != nil || len(got) != 4+256 || hex.EncodeToString(got[:5]) != "fe010100ff" {
		t.Errorf("flag 2039 is encoded as %x, %v", got, err)
	}
	s.Remove(80)
	if got, _ := s.AppendTo(nil); hex.EncodeToString(got) != "020001" {
		t.Errorf("after Remove: %x", got)
	}
	for range s.All() {
		break
	}
}

func TestZeroFlags(t *testing.T) {
	var f extension.Flags
	if f.Len() != 0 || f.Has(0) || !bytes.Equal(f.AppendTo([]byte{9}), []byte{9}) || f.Set() != (extension.FlagSet{}) {
		t.Error("the zero value has flags")
	}
}

func TestFlagsString(t *testing.T) {
	var none extension.FlagSet
	if got := none.String(); got != "none" {
		t.Errorf("the empty set is %q", got)
	}
	set, err := extension.NewFlagSet(100, 80, 2039)
	if err != nil {
		t.Fatal(err)
	}
	data, err := set.AppendTo(nil)
	if err != nil {
		t.Fatal(err)
	}
	flags, _, err := extension.ParseFlags(data)
	const want = "request_mtls, flag(100), flag(2039)"
	if err != nil || set.String() != want || flags.String() != want {
		t.Errorf("got %q and %q, %v", set, flags, err)
	}
}

func TestFlagNames(t *testing.T) {
	for f, want := range map[extension.Flag]string{8: "resumption_across_names", 80: "request_mtls", 81: "flag(81)"} {
		if f.String() != want {
			t.Errorf("flag %d is %q, want %q", int(f), f, want)
		}
	}
}

func TestFlagSetIntersect(t *testing.T) {
	a, err := extension.NewFlagSet(0, 7, 80, extension.MaxFlag)
	if err != nil {
		t.Fatal(err)
	}
	b, err := extension.NewFlagSet(7, 8, 81, extension.MaxFlag)
	if err != nil {
		t.Fatal(err)
	}
	both, err := extension.NewFlagSet(7, extension.MaxFlag)
	if err != nil {
		t.Fatal(err)
	}
	if got := a.Intersect(b); got != both {
		t.Errorf("%v and %v have %v in common, want %v", a, b, got, both)
	}
	if a.Len() != 4 {
		t.Errorf("Intersect changed its receiver to %v", a)
	}
}
