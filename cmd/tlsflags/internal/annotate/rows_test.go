package annotate_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/annotate"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/golden"
)

// vector returns parts after their length in size bytes.
func vector(size int, parts ...string) string {
	body := strings.Join(parts, "")
	var b []byte
	for i := size - 1; i >= 0; i-- {
		b = append(b, byte(len(body)>>(8*i)))
	}
	return string(b) + body
}

func ext(t int, data string) string { return string([]byte{byte(t >> 8), byte(t)}) + vector(2, data) }

// hello returns a ClientHello, or with msgType 2 a ServerHello, with extensions.
func hello(msgType byte, random string, extensions ...string) string {
	suites := vector(2, "\x13\x01\xda\xda") + vector(1, "\x00\x01")
	if msgType == 2 {
		suites = "\x13\x01\x00"
	}
	return string(msgType) + vector(3, "\x03\x03", random, vector(1, "id"), suites, vector(2, extensions...))
}

// rowInputs are messages with every field and every extension that is explained, and
// refused ones.
func rowInputs() []struct {
	name string
	kind annotate.Kind
	data string
} {
	random := strings.Repeat("r", 32)
	retry := sha256.Sum256([]byte("HelloRetryRequest"))
	flags := ext(62, "\x02\x00\x81")
	all := []string{
		ext(0, vector(2, "\x00", vector(2, "a.b"), "\x07", vector(2, "x"))),
		ext(10, vector(2, "\x00\x1d\x99\x98")), ext(13, vector(2, "\x08\x04\x04\x03")), ext(50, vector(2, "\x08\x04")),
		ext(16, vector(2, vector(1, "h2"), vector(1, "\x00"))), ext(43, vector(1, "\x03\x04\x1a\x1a")),
		ext(51, vector(2, "\x00\x1d", vector(2, "key"), "\x00\x17", vector(2, "k"))), ext(44, vector(2, "cookie")),
		ext(47, vector(2, vector(2, "name"))), ext(0xff01, vector(1, "")), ext(0xfe0d, "\x01"), ext(57, "\x01\x00"),
		ext(0x2a2a, ""), ext(0x1234, "?"), ext(0xfe01, "\x01\x01"), flags,
	}
	clientHello, server := hello(1, random, all...), "\x03\x04"
	type input = struct {
		name string
		kind annotate.Kind
		data string
	}
	inputs := []input{
		{"a ClientHello", annotate.ClientHello, clientHello},
		{"a ClientHello, followed by a byte", annotate.ClientHello, hello(1, random, flags) + "!"},
		{"a ClientHello without extensions", annotate.ClientHello, "\x01" + vector(3, "\x03\x01", random, vector(1), vector(2, "\x00\x05"), vector(1, "\x00"))},
		{"a ClientHello with a byte after the compression methods", annotate.ClientHello, "\x01" + vector(3, "\x03\x01", random, vector(1), vector(2, "\x00\x05"), vector(1, "\x00"), "!")},
		{"a ClientHello with a byte after the extensions", annotate.ClientHello, "\x01" + vector(3, "\x03\x01", random, vector(1), vector(2, "\x00\x05"), vector(1, "\x00"), vector(2, flags), "!")},
		{"a ClientHello with malformed bodies", annotate.ClientHello, hello(1, random,
			ext(0, "\x00\x09\x00"), ext(16, vector(2, vector(1, ""))), ext(43, vector(1, "\x03")), ext(51, vector(2, "\x00\x1d\x00\x09")), ext(62, "\x01\x01!"))},
		{"a ClientHello with an extension twice", annotate.ClientHello, hello(1, random, flags, flags)},
		{"a ServerHello", annotate.ServerHello, hello(2, random, ext(43, server), ext(51, "\x00\x1d"+vector(2, "key")), ext(41, "\x00\x00"))},
		{"a HelloRetryRequest", annotate.ServerHello, hello(2, string(retry[:]), ext(43, server), ext(51, "\x00\x1d"), flags)},
		{"a ServerHello with malformed bodies", annotate.ServerHello, hello(2, random, ext(43, "\x03"), ext(51, "\x00\x1d\x00\x09k"), ext(0, "!"))},
		{"a NewSessionTicket for a second", annotate.NewSessionTicket, "\x04" + vector(3, "\x00\x00\x00\x01", "age!", vector(1, "n"), vector(2, "ticket"), vector(2, ext(42, "\x00\x00\x40\x00"), flags))},
		{"a Certificate", annotate.Certificate, "\x0b" + vector(3, vector(1, "ctx"), vector(3, vector(3, "one"), vector(2, flags), vector(3, "two"), vector(2)))},
		{"another message", annotate.CertificateRequest, "\x08" + vector(3, vector(2))},
		{"a cut extension", annotate.Extension, "\x00\x3e\x00"},
		{"an extension with an overrun", annotate.Extension, "\x00\x3e\x00\x05\x01"},
		{"an extension without data", annotate.Extension, "\x12\x34\x00\x00"},
		{"an extension, followed by a byte", annotate.Extension, flags + "!"},
		{"the data of an extension", annotate.Flags, "\x02\x81\x80"},
		{"no data", annotate.Flags, ""},
	}
	for _, n := range []int{0, 3, 4, 5, 20, 39, 41, 45, 60} {
		inputs = append(inputs, input{fmt.Sprintf("the first %d bytes of a ClientHello", n), annotate.ClientHello, clientHello[:n]})
	}
	for kind := range annotate.Kinds() {
		if msg := messages()[kind]; kind != annotate.ClientHello && kind != annotate.Flags {
			inputs = append(inputs, input{"the message of " + kind.String(), kind, string(fix(kind, msg))})
		}
	}
	return inputs
}

// TestRows compares all rows with testdata/rows.txt.
func TestRows(t *testing.T) {
	var b bytes.Buffer
	for _, in := range rowInputs() {
		table := annotate.Explain(in.kind, []byte(in.data))
		fmt.Fprintf(&b, "# %s: %v, %d malformed, refused %t, block of %d\n", in.name, table.Message, len(table.Bodies), table.Refused != nil, table.Block.Len())
		for _, f := range table.Fields {
			fmt.Fprintf(&b, "%s|%s\n", row(f), f.Clause)
		}
		for _, f := range table.Bodies {
			fmt.Fprintf(&b, "malformed: %s at %d in %s\n", f.Code.Name(), f.Offset, f.Path)
		}
		if f := table.Refused; f != nil {
			fmt.Fprintf(&b, "refused: %s at %d in %s, of a body %t\n", f.Code.Name(), f.Offset, f.Path, f.Extension)
		}
	}
	golden.Compare(t, "rows.txt", b.String())
}
