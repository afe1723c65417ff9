package ech_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/ech"
)

// Open is tested by handshakes with crypto/tls in package reqmtls.
func TestInnerExtensions(t *testing.T) {
	outer, _, err := extension.ParseList(extension.ClientHello, []byte("\x00\x10\x00\x01a\x00\x2b\x00\x01v\x00\x3e\x00\x02\x01\x01\x00\x29\x00\x00"), 0)
	if err != nil {
		t.Fatal(err)
	}
	fields := func(fields, block string) []byte {
		b := append([]byte{3, 3}, make([]byte, 32)...)
		b = append(append(b, fields...), byte(len(block)>>8), byte(len(block)))
		return append(b, block...)
	}
	inner := func(block string) []byte { return fields("\x00\x00\x02\x13\x01\x01\x00", block) }
	long := "\x12\x34\x01\x02" + strings.Repeat("l", 258)
	for _, tt := range []struct {
		name    string
		encoded []byte
		want    string
		ok      bool
	}{
		{"none", inner(""), "", true},
		{"its own", inner("\x00\x00\x00\x01s"), "\x00\x00\x00\x01s", true},
		{"two of the outer ones, in the place of the reference", inner("\x00\x00\x00\x01s\xfd\x00\x00\x05\x04\x00\x10\x00\x3e\xff\x01\x00\x00"),
			"\x00\x00\x00\x01s\x00\x10\x00\x01a\x00\x3e\x00\x02\x01\x01\xff\x01\x00\x00", true},
		{"one that the outer hello does not have", inner("\xfd\x00\x00\x03\x02\x12\x34"), "", true},
		{"a long one", inner(long), long, true},
		{"fields of one byte", fields("\x01i\x00\x01s\x01c", "\x00\x00\x00\x01s"), "\x00\x00\x00\x01s", true},
		{"empty fields", fields("\x00\x00\x00\x00", "\x00\x00\x00\x01s"), "\x00\x00\x00\x01s", true},
		{"pre_shared_key that is not last", inner("\x00\x29\x00\x00\x00\x00\x00\x01s"), "", false},
		{"pre_shared_key from outside that is not last", inner("\xfd\x00\x00\x05\x04\x00\x29\x00\x10"), "", false},
		{"a reference to none", inner("\xfd\x00\x00\x01\x00"), "", true},
		{"padding after it", append(inner("\x00\x00\x00\x01s"), 0, 0, 0), "\x00\x00\x00\x01s", true},
		{"one twice, of its own and from outside", inner("\x00\x10\x00\x01b\xfd\x00\x00\x03\x02\x00\x10"), "", false},
		{"a reference without types", inner("\xfd\x00\x00\x00"), "", false},
		{"a reference of three bytes", inner("\xfd\x00\x00\x04\x03\x00\x10\x00"), "", false},
		{"a block that overruns", inner("\x00\x00\x00\x02s"), "", false},
		{"a hello that is cut", inner("\x00\x00\x00\x01s")[:45], "", false},
		{"nothing", nil, "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := slices.Clone(tt.encoded)
			got, ok := ech.InnerExtensions(tt.encoded, outer)
			if string(got.AppendTo(nil)) != tt.want || ok != tt.ok {
				t.Errorf("got %x, %t", got.AppendTo(nil), ok)
			}
			if !slices.Equal(before, tt.encoded) {
				t.Error("the input was written to")
			}
		})
	}
}
