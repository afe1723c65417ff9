package extension_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/oracle/extensiontest"
)

// block encodes empty extensions of the given types.
func block(types ...extension.Type) []byte {
	var b []byte
	for _, t := range types {
		b = append(b, byte(t>>8), byte(t), 0, 0)
	}
	return b
}

func TestParseList(t *testing.T) {
	var seventy []extension.Type
	for i := range extension.Type(70) {
		seventy = append(seventy, 1000+i)
	}
	for name, data := range map[string][]byte{
		"nothing":                           nil,
		"one":                               block(5),
		"data":                              {0, 5, 0, 2, 9, 9},
		"unknown twice":                     block(500, 500),
		"known twice":                       block(5, 6, 5),
		"0xfe01":                            block(0xfe01),
		"0xfe01 after 0":                    block(0, 0xfe01),
		"0xfe01 after 61":                   block(61, 63, 0xfe01),
		"0xfe01 after 62":                   block(62, 0xfe01),
		"a stray byte":                      {0},
		"data cut short":                    {0, 5, 0, 2, 9},
		"data cut short after 70":           append(block(seventy...), 0, 5, 0, 1),
		"flags after 70":                    block(append(seventy, 62, 0xfe01)...),
		"0xfe01 after 70":                   block(append(slices.Clip(seventy), 0xfe00, 0xfe01, 0xfe02)...),
		"0xfe00 after 70":                   block(append(slices.Clip(seventy), 0xfe00)...),
		"pre_shared_key first":              block(41, 5),
		"pre_shared_key, then a stray byte": append(block(41), 0),
		"pre_shared_key twice":              block(41, 41),
		"pre_shared_key after 70, first":    block(append(seventy, 41, 5)...),
		"pre_shared_key after 70, last":     block(append(seventy, 41)...),
		"70, then a stray byte":             append(block(seventy...), 0),
		"65,535 bytes":                      append([]byte{0, 21, 0xff, 0xfb}, make([]byte, 65531)...),
	} {
		t.Run(name, func(t *testing.T) {
			for m := extension.ClientHello; m <= extension.NewSessionTicket; m++ {
				if err := extensiontest.CheckList(m, data); err != nil {
					t.Errorf("%v: %v", m, err)
				}
			}
		})
	}
}

// Random lists of few types collide in every way that the filter can.
func TestParseListRandom(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 20_000 {
		types := make([]extension.Type, random.IntN(140))
		limit := 1 << (1 + random.IntN(16))
		for i := range types {
			types[i] = extension.Type(random.IntN(limit))
		}
		if err := extensiontest.CheckList(extension.ClientHello, block(types...)); err != nil {
			t.Fatalf("%v: %v", types, err)
		}
	}
}

// Offsets are those in the message, at any place in the list.
func TestParseListOffsets(t *testing.T) {
	const start = 1000
	var seventy []byte
	for i := range extension.Type(70) {
		seventy = append(seventy, block(1000+i)...)
	}
	for _, before := range [][]byte{nil, block(5), block(500, 6), seventy} {
		for _, test := range []struct {
			data []byte
			code extension.Code
			at   int // after before
		}{
			{[]byte{0}, extension.ErrStrayBytes, 0},
			{[]byte{0, 7, 0, 1}, extension.ErrExtensionOverrun, 2},
			{block(7, 7), extension.ErrDuplicateExtension, 4},
			{block(700, 700), extension.ErrDuplicateExtension, 4},
			{block(41, 7), extension.ErrPreSharedKeyNotLast, 4},
		} {
			data := append(slices.Clip(before), test.data...)
			if _, n, err := extension.ParseList(extension.ClientHello, data, start); err != test.code || n != start+len(before)+test.at {
				t.Errorf("%x after %d bytes: %v at %d, want %v at %d", test.data, len(before), err, n, test.code, start+len(before)+test.at)
			}
		}
		list, n, err := extension.ParseList(extension.ClientHello, append(slices.Clip(before), 0, 7, 0, 1, 9), start)
		if e, _ := list.Lookup(7); err != nil || n != len(before)+5 || e.Offset != start+len(before)+4 {
			t.Errorf("after %d bytes: %v, %d, the data is at %d", len(before), err, n, e.Offset)
		}
	}
}

func TestListAllStops(t *testing.T) {
	list, _, err := extension.ParseList(extension.ServerHello, block(5, 6), 0)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for range list.All() {
		n++
		break
	}
	if n != 1 {
		t.Errorf("%d extensions after a break, want 1", n)
	}
}

func TestListFlags(t *testing.T) {
	parse := func(block ...byte) extension.List {
		list, _, err := extension.ParseList(extension.ServerHello, block, 0)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	flags, typ, err := parse(0, 5, 0, 0, 0, 62, 0, 2, 1, 5).Flags()
	if flags.String() != "flag(0), flag(2)" || typ != extension.TLSFlags || err != nil {
		t.Errorf("got %v of %v, %v", flags, typ, err)
	}
	flags, typ, err = parse(0xfe, 1, 0, 2, 1, 5, 0, 62, 0, 2, 1, 0).Flags()
	if flags.Len() != 0 || typ != extension.TLSFlags || err != extension.ErrFlagsAllZero {
		t.Errorf("malformed: got %v of %v, %v", flags, typ, err)
	}
	if flags, typ, err = parse(0, 5, 0, 0).Flags(); flags.Len() != 0 || typ != 0 || err != nil {
		t.Errorf("without the extension: got %v of %v, %v", flags, typ, err)
	}
}

func TestParseListTooLong(t *testing.T) {
	data := make([]byte, 1<<16)
	data[2], data[3] = 0xff, 0xfc
	if _, n, err := extension.ParseList(extension.ClientHello, data, 5); err != extension.ErrFieldOverrun || n != 5 {
		t.Errorf("a block of 65,536 bytes gives %v at %d", err, n)
	}
}

func TestZeroList(t *testing.T) {
	var l extension.List
	for range l.All() {
		t.Error("the zero value has an extension")
	}
	if _, ok := l.FlagsExtension(); ok || l.HasFlag(0) || l.Len() != 0 {
		t.Error("the zero value has flags")
	}
}

func TestParseListRepeated(t *testing.T) {
	b := block(500, 62, 500, 62, 501)
	var asked []extension.Type
	_, n, err := extension.ParseListRepeated(extension.ClientHello, b, 100, func(typ extension.Type, offset int) bool {
		asked = append(asked, typ)
		return offset != 112
	})
	if err != extension.ErrDuplicateExtension || n != 112 || !slices.Equal(asked, []extension.Type{500, 62}) {
		t.Errorf("asked %v, %v at %d", asked, err, n)
	}
	list, n, err := extension.ParseListRepeated(extension.ClientHello, b, 100, func(extension.Type, int) bool { return true })
	if e, ok := list.FlagsExtension(); err != nil || n != len(b) || list.Len() != 5 || !ok || e.Offset != 108 {
		t.Errorf("%d extensions, flags at %d, %v at %d", list.Len(), e.Offset, err, n)
	}
	if _, n, err := extension.ParseListRepeated(extension.ClientHello, make([]byte, 1<<16), 7, nil); err != extension.ErrFieldOverrun || n != 7 {
		t.Errorf("%v at %d", err, n)
	}
}
