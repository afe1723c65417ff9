package paste

import (
	"fmt"
	"hash/fnv"
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/golden"
)

// samples are texts of each form.
var samples = []string{
	"0102ff", "0X01 02\n0A", "01:02:Ff", "01-02-Ff", "16030\n10005\n", "01,02;03", "\ufeff01 02", `"0102"`, "0x160301", `\x160301`,
	"AQL/", "AQL_", "A-==", "+w==", "data:x;base64,AQL/", "-----BEGIN X-----\nAQL/AQL/\n-----END X-----\n",
	"0x1, 0x2", "{ 0x1, 2, 0xffu8 } // 0x5", "0x7ff0: 0x01 0x02\n0x7ff2: 0x03 0x04\n", "byte b[] = {0x16, 0x03,\n 0x01 /* x */ };", "[1 2 255]", "1, -2, 100", "[]byte{0x16, 3, 1}",
	`\x01\n\"\u0002\003\0\`, `'\x01a' + "b"`, `b"\x01" b"a" 400`, `"\u{1f}\U0000001f\a\b\f\r\t\v\e\\\'\?"`, "$'\\x16\\x03\\x01'",
	"00000000  01 02 03 04 05 06 07 08  09 0a 0b 0c 0d 0e 0f 10  |................|\n00000010  41 42                                             |AB|\n00000012\n",
	"00000000: 1603 0100 4142 4344 4546 4748 494a 4b4c  ....ABCDEFGHIJKL\n00000010: 4d4e 0a                                  MN.\n",
	"0000000 0316 0001 4241\n0000006\n", "0000000 026 003 001\n0000003\n", "0000000    16  03  01  41\n0000004\n",
	"\t0x0000:  4500 0028 0000 4000 4006 0000 7f00 0001  E..(..@.@.......\n\t0x0010:  7f00 0001                                ....\n",
	"0000   16 03 01 02 00 01 00 01  fc 03 03   ...........\n", "0000: 0102\n*\n0006: 03\n", "0010: 0102\n0012: 03\n0000: 04\n", "0000: 01 02\n\n0000: 03 04\n",
	"> 01 02\nx\n> 03", ">> 16 03\n>> 01", "a\n01\nb\n", "16 03 10", "3 1 16", "", "0", "0x0", "01 02\n0 03", "{0x1, 0x,}", `\u0001\u12`,
	"0000: 0102\n0002: 03zz\n0004: 05", "0000: 0102\n0002: 0304\n0006: 07", "0000: 01\n0001: 02\n*\nffffff: 03", "1\x006\x00 \x000\x003\x00\n\x00",
	"x = (b'\\x16\"'\n b\"\\x03'g\") # it's", "x += '\\x16g'; x += '\\x03'\ny = '\\x01'", "['\\x16g', \"\\x03\"]", `{"a": "\x16", "b": "c"}`, "\"\\x16\\\n  \\x03\"",
	`"1603" + "01"`, "['0x16', '0x3']", "f('0102030405060708') + f('0102030405060708')", "(byte)0x16, 3, 0x1_u8, 0x2.toByte()", "<<22u8,3>>",
	"16 03\n*\n01 02\n", "<Buffer 16 03 ... 4 more bytes>", "16\u00a003\u200b01", "0000000 026 003 001  \\0\n0000004\n", "0000000 06010316 00020001\n0000006\n", "0316 0601", "\x001\x006\x00 \x000\x003",
}

// readings writes all readings of a text, and the error.
func readings(text string) string {
	var b strings.Builder
	for r, err := range Read([]byte(text)) {
		fmt.Fprintf(&b, "%s %x %t", r.Form, r.Data, r.Unlikely)
		for _, block := range r.Blocks {
			fmt.Fprintf(&b, " %x", block)
		}
		if err != nil {
			fmt.Fprint(&b, err, err.(*Error).Form)
		}
		b.WriteString("; ")
	}
	return b.String()
}

// TestChanged compares the readings of texts, and sums over those of texts in which one character
// is another one, is missing or comes twice, with testdata/changed.txt.
func TestChanged(t *testing.T) {
	var b strings.Builder
	for _, text := range samples {
		fmt.Fprintf(&b, "%q\n\t%s\n", text, readings(text))
		changed, shorter, longer, cut := fnv.New32a(), fnv.New32a(), fnv.New32a(), fnv.New32a()
		for i := range len(text) {
			for _, c := range "0199afAFgGxX \n\r\t,:;'\"\\|*+-/=_.{}[]~<>u\x1f\x7f" {
				fmt.Fprint(changed, readings(text[:i]+string(c)+text[i+1:]))
			}
			fmt.Fprint(shorter, readings(text[:i]+text[i+1:]))
			fmt.Fprint(longer, readings(text[:i+1]+text[i:]))
			fmt.Fprint(cut, readings(text[:i]), readings(text[i:]))
		}
		fmt.Fprintf(&b, "\t%08x %08x %08x %08x\n", changed.Sum32(), shorter.Sum32(), longer.Sum32(), cut.Sum32())
	}
	sum := fnv.New32a()
	for i, one := range samples {
		fmt.Fprint(sum, readings(one+samples[(i+1)%len(samples)]), readings(one+"\n"+samples[(i+2)%len(samples)]), IsText([]byte(one)))
	}
	for c := range 256 {
		fmt.Fprint(sum, isSpace(byte(c)), digit(byte(c)), octet([]byte{byte(c), '1'}), octet([]byte{'1', byte(c)}), octet([]byte{'1', '2', byte(c)}), readings(string([]byte{byte(c)})), IsText([]byte{'a', byte(c), 'b'}))
	}
	for n := range 40 {
		fmt.Fprint(sum, quote(make([]byte, n)), readings(strings.Repeat("1", n)), readings(strings.Repeat("A", n)), readings(strings.Repeat("10 ", n)), readings(strings.Repeat("z", n)))
	}
	fmt.Fprintf(&b, "%08x\n", sum.Sum32())
	golden.Compare(t, "changed.txt", b.String())
}
