package paste

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"
)

// first returns the first reading of a text that is not unlikely, or the error.
func first(text string) (Reading, error) {
	for r, err := range Read([]byte(text)) {
		if err != nil || !r.Unlikely {
			return r, err
		}
	}
	return Reading{}, errors.New("no error")
}

func TestRead(t *testing.T) {
	for _, tt := range []struct{ text, data, form string }{
		{"0102ff", "\x01\x02\xff", Hexadecimal},
		{"0X01 02\n0A", "\x01\x02\x0a", Hexadecimal},
		{"01:02:Ff", "\x01\x02\xff", Hexadecimal},
		{"01-02-Ff", "\x01\x02\xff", Hexadecimal},
		{`"0102"`, "\x01\x02", Hexadecimal},
		{"\ufeff01 02", "\x01\x02", Hexadecimal},
		{"16030\n10005\n", "\x16\x03\x01\x00\x05", Hexadecimal},
		{`\x160301`, "\x16\x03\x01", Hexadecimal},
		{"AQL/", "\x01\x02\xff", Base64},
		{"AQL_", "\x01\x02\xff", Base64},
		{"A-==", "\x03", Base64},
		{"+w==", "\xfb", Base64},
		{"-w", "\xfb", Base64},
		{`"AQL/"`, "\x01\x02\xff", Base64},
		{"data:x;base64,AQL/", "\x01\x02\xff", Base64},
		{"0x1, 0x2", "\x01\x02", Array},
		{"{ 0x1, 2, 0xffu8 } // 0x5", "\x01\x02\xff", Array},
		{"0x7ff0: 0x01 0x02", "\x01\x02", Array},
		{"0x5580 <hello>:\t0x01\t0x02\n0x5588 <hello+8>:\t0x03\n", "\x01\x02\x03", Array},
		{"{0x01, (byte)0xff, 2}", "\x01\xff\x02", Array},
		{"<<0x01, 0x02>>", "\x01\x02", Array},
		{"<<1,2>>", "\x01\x02", Decimal},
		{"[1 2 255]", "\x01\x02\xff", Decimal},
		{"1, -2", "\x01\xfe", Decimal},
		{`\x01\n\"\u0002\003\0\`, "\x01\n\"\x02\x03\x00", Escaped},
		{`'\x01g' + "h"`, "\x01gh", Escaped},
		{"(b'\\x01\"'\n b\"\\x02g'\") # b'", "\x01\"\x02g'", Escaped},
		{"d = b''\nd += b'\\x01a' # it's\nd += b'\\x02'", "\x01a\x02", Escaped},
		{"b''.join([b'\\x01', b'\\x02', b'g'])", "\x01\x02g", Escaped},
		{`{"it's": "\x01", "x": "\n"}`, "\x01", Escaped},
		{`5, "\x01\x02","g"`, "\x01\x02", Escaped},
		{"\"\\x01\\\n  \\x02\"", "\x01\x02", Escaped},
		{"#define x \\\n\"\\x01\" \\\n\"\\x02\"", "\x01\x02", Escaped},
		{`"\x01" . /* x */ '\x02'`, "\x01\x02", Escaped},
		{`"\x01\x02`, "\x01\x02", Escaped},
		{`h = "01" + "02"`, "\x01\x02", Hexadecimal},
		{`['01', '02', "03"]`, "\x01\x02\x03", Hexadecimal},
		{`"AQ" "L/"`, "\x01\x02\xff", Base64},
		{`['0x1', '0x02', '0x3']`, "\x01\x02\x03", Array},
		{"{(byte)0x1, (unsigned char) 2, 0x3.toByte(), 0x4_u8}", "\x01\x02\x03\x04", Array},
		{"<<0x1,0x2>>", "\x01\x02", Array},
		{"[22u8, (byte)3]", "\x16\x03", Decimal},
		{"<<22,3,25>>", "\x16\x03\x19", Decimal},
		{"01\u00a002\u200b \u206003", "\x01\x02\x03", Hexadecimal},
		{"'\\x01g\u00a0'", "\x01g\u00a0", Escaped},
		{`b"\x01" b"a" 400`, "\x01a", Escaped},
		{"00000000  01 02  |..|", "\x01\x02", Dump},
		{"0000  16 03 01", "\x16\x03\x01", Dump},
		{"0000: 0102\n0002: 03\n", "\x01\x02\x03", Dump},
		{"0000: 0102\n*\n0006: 03\n", "\x01\x02\x01\x02\x01\x02\x03", Dump},
		{"0010: 0102\n0012: 03\n0000: 04\n", "\x01\x02\x03", Dump},
		{"|00000000| 01 02 |..|\n|00000002| 03 |.|\n", "\x01\x02\x03", Dump},
		{"ssl_msg.c:1: dumping 'x' (3 bytes)\nssl_msg.c:1: 0000:  01 02  ..\nssl_msg.c:1: 0002:  03  .\n", "\x01\x02\x03", Dump},
		{"[   12.3] buf: 00000000: 01 02  ..\n[   12.3] buf: 00000002: 03  .\n", "\x01\x02\x03", Dump},
		{"> 01 02\nx\n> 03", "\x01\x02", HexLines},
	} {
		r, err := first(tt.text)
		if err != nil || string(r.Data) != tt.data || r.Form != tt.form {
			t.Errorf("%q: %q as %q, %v; want %q as %q", tt.text, r.Data, r.Form, err, tt.data, tt.form)
		}
	}
}

func TestErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                                  "character 1: there are no digits",
		"no code!":                          `character 1: "n" is not a hexadecimal digit`,
		"01 02\n*\n01 03":                   "line 2, character 1: * stands for lines left out; use od -A x -t x1 -v",
		"<Buffer 16 03 ... 467 more bytes>": "character 15: ... stands for bytes left out; the dump is cut",
		"[22, 3, ... 2 more items]":         "character 9: ... stands for bytes left out; the dump is cut",
		"160301…":                           "character 7: … stands for bytes left out; the dump is cut",
		`"\x01g" 4 "\x02"`:                  "character 12: " + secondString,
		`"\x01g" 4 "\x02" "\x"`:             "character 12: " + secondString,
		`f("0102030405060708") + f("0102030405060708")`:                            "character 27: " + secondString,
		"0000000 001426 003001 000742 003000 001736 055003 170007 127453\n0000020": "line 1, character 8: " + noOctets,
		"0000000  22   3   1   6\n0000004 155 236  85 173\n":                       "line 1, character 8: " + noOctets,
		"0000000 022 003 001  \\0\n0000004":                                        "line 1, character 8: " + noOctets,
		"00000000: 00010110 00000011  ..\n00000002: 00000001 00000110  ..":         "line 1, character 10: " + noOctets,
		"001426 003001 000742 003000":                                              "character 1: " + noOctets,
		"026 003 001 000":                                                          "character 1: " + noOctets,
		"0":                                                                        `character 1: the digit "0" is left over: 1 digits are an odd number, and an octet has two`,
		"0x0":                                                                      `character 3: the digit "0" is left over: 1 digits are an odd number, and an octet has two`,
		"01 02\n0 03":                                                              `line 2, character 1: "0" is a single digit; an octet has two`,
		"0123456789abcdef é":                                                       `character 18: "é" is not a hexadecimal digit`,
		"1, 2, 256":                                                                `character 7: "256" is not a number from 0 to 255`,
		"{0x1, 0x,}":                                                               `character 7: "0x" is not an octet; it has one or two digits after 0x`,
		`\x01\xg`:                                                                  `character 5: "\xg" is not an octet; two digits come after the x`,
		`\u0001\u12`:                                                               `character 7: "\u12" is not a character; four digits come after the u`,
		"0000: 0102\n0002: 03zz\n0004: 05":                                         "line 2, character 7: two hexadecimal digits are missing: the line has 0 bytes, and those before it have 2",
		"0000: 0102\n0002: 0304\n0006: 07":                                         `line 3, character 1: the offset "0006" does not follow the line before, which has 2 bytes from 0002; is a line missing?`,
		"0000: 01\n0001: 02\n*\nffffff: 03":                                        `line 4, character 1: the offset "ffffff" does not follow the lines left out before it`,
		strings.Repeat("AQLz", 11) + "A":                                           "character 45: base64 cannot end here: 45 characters are not a whole number of bytes",
		strings.Repeat("AQLz", 11) + "!":                                           `character 45: "!" is not a character of base64, or comes after its end`,
		strings.Repeat("0000: 00\n", 70000):                                        "line 65537, character 1: a dump may have at most 65536 lines",
	} {
		var err error
		for _, err = range Read([]byte(text)) {
		}
		if err == nil || err.Error() != want {
			t.Errorf("%.40q: %v, want %s", text, err, want)
		}
	}
}

// TestSeveral has texts with more than one reading.
func TestSeveral(t *testing.T) {
	for text, want := range map[string]string{
		"16 03 10":                  `["hexadecimal" "\x16\x03\x10" "decimal numbers" "\x10\x03\n" "base64" "\u05ed7\xd7"]`,
		"3 1 16":                    `["hexadecimal" "\x03\x01\x16" "decimal numbers" "\x03\x01\x10" "base64" "\xdf]z"]`,
		"0000000 06010316\n0000004": `["a dump" "\x06\x01\x03\x16" "a dump of little-endian words" "\x16\x03\x01\x06" "hexadecimal" "\x00\x00\x00\x00` + "`" + `\x101` + "`" + `\x00\x00\x04" "base64" "\xd3M4\xd3M4\xebMt\xdf^\xb4\xd3M4\xd3"]`,
		"00: 0316 0601":             `["hexadecimal" "\x00\x03\x16\x06\x01"]`,
		"0316 0601":                 `["hexadecimal" "\x03\x16\x06\x01" "a dump of little-endian words" "\x16\x03\x01\x06" "base64" "\xd3}zӭ5"]`,
		`a="\x01g"; b="\x02"`:       `["an escaped string" "\x01g" "an escaped string" "\x02"]`,
		"a\n01\nb\n":                `["lines of hexadecimal" "\x01" "base64" "kM["]`,
	} {
		var got []string
		for r, err := range Read([]byte(text)) {
			if err == nil {
				got = append(got, r.Form, string(r.Data))
			}
		}
		if s := fmt.Sprintf("%q", got); s != want {
			t.Errorf("%q: %s, want %s", text, s, want)
		}
	}
}

func TestUTF16(t *testing.T) {
	const text = "16 03 01\r\n"
	for name, order := range map[string]binary.AppendByteOrder{"little": binary.LittleEndian, "big": binary.BigEndian} {
		for _, mark := range []string{"", "\ufeff"} {
			var b []byte
			for _, u := range utf16.Encode([]rune(mark + text)) {
				b = order.AppendUint16(b, u)
			}
			if r, err := first(string(b)); err != nil || string(r.Data) != "\x16\x03\x01" || !IsText(b) {
				t.Errorf("%s endian, mark %q: %q, %v", name, mark, r.Data, err)
			}
		}
	}
}

func TestIsText(t *testing.T) {
	for text, want := range map[string]bool{
		"": false, "a\tb\r\n": true, "é": true, "a\xc3": true, "\xc3a": false, "a\x00": false, "a\x1b": false, "\xff\xfe": false, "\xff\xfea\x00\n\x00b\x00": true,
	} {
		if IsText([]byte(text)) != want {
			t.Errorf("%q: not %v", text, want)
		}
	}
}
