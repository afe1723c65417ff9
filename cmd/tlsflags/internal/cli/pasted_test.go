package cli

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/paste"
	"github.com/tlsflags/tlsflags/internal/oracle/assembletest"
)

// TestPasted has a hello in every form in which people paste one. Explain and inspect find
// the same message in all of them.
func TestPasted(t *testing.T) {
	sizes := []int{0, 1, 5, 6, 7, 14, 300} // lengths of the last line
	if testing.Short() {
		sizes = sizes[2:4]
	}
	for _, size := range sizes {
		data := make([]byte, size)
		for i := range data {
			data[i] = byte(i*i*37 + 11)
		}
		msg := helloOf(0x0303, []uint16{0x1301, 0xc02b}, ext(0, withLength(append([]byte{0}, withLength([]byte("paste.test"))...))...), ext(0x4a4a), flagsOf(80), ext(65000, data...))
		for name, text := range formsOf(msg) {
			file := filepath.Join(t.TempDir(), "pasted")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			out, code := runCLI(t, "explain", "--format", "json", file)
			var d explainDocument
			if err := json.Unmarshal([]byte(out), &d); err != nil || code != 0 {
				t.Errorf("%d bytes, %s: explain: exit %d, %.300s\n%.500s", size, name, code, out, text)
				continue
			}
			var read string
			for _, f := range d.Fields {
				read += f.Bytes
			}
			if read != hex.EncodeToString(msg) || d.Error != nil {
				t.Errorf("%d bytes, %s: explained %s\nwant %x\n%.500s", size, name, read, msg, text)
			}
			if out, code := runCLI(t, "inspect", "--quiet", file); code != 0 || !strings.Contains(out, "paste.test") || strings.Count(out, "paste.test") != 1 {
				t.Errorf("%d bytes, %s: inspect: exit %d, %s", size, name, code, out)
			}
		}
	}
}

// formsOf returns texts for a message, named by what they are.
func formsOf(msg []byte) map[string]string {
	record := assembletest.InRecords(msg, nil)
	all := make(map[string]string)
	for what, data := range map[string][]byte{"record": record, "message": msg, "body": msg[4:]} {
		for name, text := range textsOf(data) {
			all[what+", "+name] = text
		}
	}
	octets := func(data []byte) string { return dumpOf(data, dumpStyle{prefix: "    "}) }
	all["openssl -msg"] = fmt.Sprintf(">>> TLS 1.3, Handshake [length %04x], ClientHello\n%s", len(msg), octets(msg))
	all["openssl s_client -msg"] = "CONNECTED(00000003)\n>>> TLS 1.0, RecordHeader [length 0005]\n" + octets(record[:5]) + all["openssl -msg"] +
		"<<< TLS 1.2, RecordHeader [length 0005]\n    16 03 03 00 7a\n<<< TLS 1.3, Handshake [length 0004], ServerHello\n    02 00 00 00\n---\n"
	ip := packetOf(record)
	style := dumpStyle{prefix: "\t0x", offset: "%04x", after: ":  ", group: 2, characters: "  ", width: 16}
	all["tcpdump -X"] = "10:00:00.123456 IP 10.0.0.1.40000 > 10.0.0.2.443: Flags [P.], length 218\n" + dumpOf(ip, style)
	all["tcpdump -XX"] = dumpOf(slices.Concat(make([]byte, 12), []byte{8, 0}, ip), style)
	style = dumpStyle{offset: "%04x", after: "   ", group: 1, characters: "   ", width: 16}
	all["a frame of Wireshark"] = dumpOf(slices.Concat(make([]byte, 12), []byte{8, 0}, ip), style)
	return all
}

// packetOf puts what a client sends into a segment and an IPv4 packet.
func packetOf(payload []byte) []byte {
	b := []byte{0x45, 0, 0, 0, 0, 1, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2}
	b = append(b, 0x9c, 0x40, 1, 0xbb, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x18, 4, 0, 0, 0, 0, 0)
	b = append(b, payload...)
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	return b
}

// textsOf returns texts that say data.
func textsOf(data []byte) map[string]string {
	digits := hex.EncodeToString(data)
	encoded := base64.StdEncoding.EncodeToString(data)
	each := func(format, separator string) string {
		var list []string
		for _, b := range data {
			list = append(list, fmt.Sprintf(format, b))
		}
		return strings.Join(list, separator)
	}
	xxd := dumpStyle{offset: "%08x", after: ": ", group: 2, characters: "  ", width: 16}
	hexdump := dumpStyle{offset: "%08x", after: "  ", group: 1, half: " ", characters: "  |", end: "|", width: 16, last: true}
	wireshark := dumpStyle{offset: "%04x", after: "   ", group: 1, characters: "   ", width: 16}
	java := dumpStyle{offset: "%04X", after: ": ", group: 1, half: "  ", characters: "  ", width: 16}
	powershell := dumpStyle{offset: "%08X", after: "   ", group: 1, characters: "  ", width: 16}
	od := dumpStyle{offset: "%07o", after: " ", group: 1, width: 16, last: true}
	debug := dumpStyle{offset: "%04x", after: " - ", group: 1, characters: "   ", width: 16}
	wide := xxd
	wide.width = 256
	collapsed := strings.NewReplacer("          ", " ", "        ", " ", "    ", " ", "   ", " ", "  ", " ")
	texts := map[string]string{
		"hexadecimal":           digits,
		"hexadecimal, 0x":       "0x" + strings.ToUpper(digits),
		"hexadecimal, quoted":   `bytes.fromhex("` + digits + `")`,
		"hexadecimal, BOM":      "\ufeff" + digits,
		"xxd -p":                lines(digits, 60, "\n"),
		"lines of 79 digits":    lines(digits, 79, "\n"),
		"dashes":                each("%02X", "-"),
		"colons":                each("%02x", ":"),
		"colons, lines":         lines(each("%02x", ":")+":", 45, "\n    "),
		"commas":                each("%02x", ","),
		"xxd":                   dumpOf(data, xxd),
		"xxd, of CR LF":         strings.ReplaceAll(dumpOf(data, xxd), "\n", "\r\n"),
		"xxd, UTF-16":           inUTF16(dumpOf(data, xxd)),
		"xxd, quoted":           "> " + strings.ReplaceAll(dumpOf(data, xxd), "\n", "\n> "),
		"xxd -c 256":            dumpOf(data, wide),
		"xxd -i":                "unsigned char hello_bin[] = {\n  " + lines(each("0x%02x", ", "), 72, "\n  ") + "\n};\nunsigned int hello_bin_len = 218;\n",
		"hexdump -C":            dumpOf(data, hexdump),
		"hexdump -C, collapsed": collapsed.Replace(dumpOf(data, hexdump)),
		"od -t x1":              dumpOf(data, od),
		"hexdump":               wordsOf(data, 2),
		"Wireshark":             dumpOf(data, wireshark),
		"Java":                  dumpOf(data, java),
		"Format-Hex":            inUTF16("\r\n           00 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E 0F\r\n\r\n" + dumpOf(data, powershell)),
		"C array":               "{" + each("0x%02X", ",") + "}",
		"C array of Wireshark":  "static const unsigned char pkt1[] = {\n" + lines(each("0x%02x", ", "), 48, "/* |}{.. */\n") + " };",
		"Go %#v":                "[]byte{" + each("%#x", ", ") + "}",
		"Go %v":                 "[" + each("%d", " ") + "]",
		"Go []byte of decimals": "[]byte{" + each("%d", ", ") + "}",
		"decimals, lines":       each("%d", "\n"),
		"decimals, commas":      each("%d", ","),
		"JSON":                  `{"type":"Buffer","data":[` + each("%d", ",") + "]}",
		"escapes":               each(`\x%02x`, ""),
		"octal escapes":         each(`\%03o`, ""),
		"escapes, lines":        `"` + lines(each(`\x%02x`, ""), 64, "\" \\\n\"") + `"`,
		"nginx":                 `192.0.2.1 - - [24/Nov/2026:10:00:00 +0000] "` + logged(data) + `" 400 157 "-" "-"`,
		"nginx, bare":           logged(data),
		"nginx, JSON":           `{"request":"` + strings.ReplaceAll(logged(data), `\`, `\\`) + `"}`,
		"Go %q":                 strconv.Quote(string(data)),
		"Python":                "b'" + strings.ReplaceAll(logged(data), `\x0A`, `\n`) + "'",
		"Python list":           "[" + each("%d", ", ") + "]",
		"JSON string":           inJSON(data),
		"hexadecimal, labelled": "ClientHello: " + each("%02x", " "),
		"Node":                  "<Buffer " + each("%02x", " ") + ">",
		"openssl -debug":        "write to 0x5581 [0x5592] (218 bytes => 218 (0xDA))\n" + dumpOf(data, debug),
		"base64":                encoded,
		"base64, URL":           base64.RawURLEncoding.EncodeToString(data),
		"base64, lines":         lines(encoded, 76, "\n"),
		"base64, quoted":        `"` + encoded + `"`,
		"base64, Python":        "b'" + encoded + "'",
		"base64, mail":          "> " + lines(encoded, 76, "\n> "),
		"base64, UTF-16":        inUTF16(encoded),
		"base64, PEM":           "-----BEGIN HELLO-----\n" + lines(encoded, 64, "\n") + "\n-----END HELLO-----\n",
	}
	signed := make([]string, len(data))
	for i, b := range data {
		signed[i] = strconv.Itoa(int(int8(b)))
	}
	texts["Java array"] = "{" + strings.Join(signed, ", ") + "}"
	maps.Copy(texts, inSourceOf(data, each))
	texts["hexdump -C, no-break spaces"] = strings.ReplaceAll(texts["hexdump -C"], " ", "\u00a0")
	return texts
}

// inSourceOf returns texts that say data in pieces, with types of numbers, in words, and with
// spaces of web pages.
func inSourceOf(data []byte, each func(format, separator string) string) map[string]string {
	texts := make(map[string]string)
	for name, separator := range map[string]string{"lines": "\n ", "plus": " + \\\n\t", "plus =": "; \nx +=", "list": ",\n", "dot, comments": " . // it's\n /* \" */ "} {
		texts["pieces, Python, "+name] = piecesOf(data, separator, python)
		texts["pieces, C, "+name] = piecesOf(data, separator, func(b []byte) string { return `"` + logged(b) + `"` })
		texts["pieces, hexadecimal, "+name] = piecesOf(data, separator, func(b []byte) string { return "'" + hex.EncodeToString(b) + "'" })
	}
	texts["pieces, base64"] = `"` + lines(base64.StdEncoding.EncodeToString(data), 40, "\"\n+ \"") + `"`
	texts["C string, indented"] = `"` + lines(each(`\x%02x`, ""), 64, "\\\n    ") + `"`
	texts["od -t x4"] = wordsOf(data, 4)
	if len(data)%2 == 0 { // otherwise a byte follows that is no part of a body
		texts["od -A n -t x2"] = regexp.MustCompile(`(?m)^\w+`).ReplaceAllString(wordsOf(data, 2), "")
	}
	texts["casts"] = each("(byte) 0x%02x", ", ")
	texts["casts, decimal"] = "{" + each("(byte)%d", ", ") + "}"
	texts["Rust"] = "&[" + each("%du8", ", ") + "]"
	texts["Kotlin"] = "byteArrayOf(" + each("0x%02x.toByte()", ", ") + ")"
	texts["Erlang"] = "<<" + each("%d", ",") + ">>"
	texts["Python, hex()"] = "['" + each("%#x", "', '") + "']"
	texts["no-break spaces"] = each("%02x", "\u00a0")
	texts["zero-width spaces"] = each("%02x", " \u200b")
	return texts
}

// piecesOf writes data as string literals.
func piecesOf(data []byte, separator string, literal func([]byte) string) string {
	const length = 18 // of one
	var list []string
	for part := range slices.Chunk(data, length) {
		list = append(list, literal(part))
	}
	return "x = (" + strings.Join(list, separator) + ")"
}

// python writes bytes as Python does, in ' or, if that is in them and " is not, in ".
func python(data []byte) string {
	text := strings.ReplaceAll(logged(data), `\x22`, `"`)
	if strings.Contains(text, `\x27`) && !strings.Contains(text, `"`) {
		return `b"` + strings.ReplaceAll(text, `\x27`, "'") + `"`
	}
	return "b'" + strings.ReplaceAll(text, `\x27`, `\'`) + "'"
}

// lines breaks a text into lines.
func lines(text string, width int, separator string) string {
	var list []string
	for part := range slices.Chunk([]byte(text), width) {
		list = append(list, string(part))
	}
	return strings.Join(list, separator)
}

// logged escapes data as nginx does in logs.
func logged(data []byte) string {
	var b strings.Builder
	for _, c := range data {
		if c < ' ' || c > '~' || c == '"' || c == '\\' || c == '\'' {
			fmt.Fprintf(&b, `\x%02X`, c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func inJSON(data []byte) string {
	runes := make([]rune, len(data))
	for i, b := range data {
		runes[i] = rune(b)
	}
	b, _ := json.Marshal(string(runes))
	return string(b)
}

func inUTF16(text string) string {
	b := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(text)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return string(b)
}

// wordsOf is a dump of little-endian words, as hexdump prints them without options.
func wordsOf(data []byte, size int) string {
	var b strings.Builder
	for i := 0; i < len(data); i += 16 {
		fmt.Fprintf(&b, "%07x", i)
		row := slices.Clone(data[i:min(i+16, len(data))])
		for word := range slices.Chunk(append(row, make([]byte, -len(row)&(size-1))...), size) {
			slices.Reverse(word)
			fmt.Fprintf(&b, " %x", word)
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "%07x\n", len(data))
	return b.String()
}

// dumpStyle is how a program prints a dump.
type dumpStyle struct {
	prefix, offset, after string
	group                 int    // bytes without a blank between them
	half                  string // after 8 bytes
	characters, end       string // around the characters, if not empty
	width                 int
	last                  bool // the offset of the end is printed
}

func dumpOf(data []byte, s dumpStyle) string {
	var b strings.Builder
	width, group := max(s.width, 0), max(s.group, 1)
	if width == 0 {
		width = 16
	}
	offset := func(at int) {
		b.WriteString(s.prefix)
		if s.offset != "" {
			fmt.Fprintf(&b, s.offset, at)
		}
	}
	for at := 0; at < len(data); at += width {
		offset(at)
		b.WriteString(s.after)
		row := data[at:min(at+width, len(data))]
		for i := range width {
			switch {
			case i > 0 && i%8 == 0 && s.half != "":
				b.WriteString(" " + s.half)
			case i > 0 && i%group == 0:
				b.WriteByte(' ')
			}
			if i < len(row) {
				fmt.Fprintf(&b, "%02x", row[i])
			} else {
				b.WriteString("  ")
			}
		}
		if s.characters != "" {
			b.WriteString(s.characters)
			for _, c := range row {
				if c < ' ' || c > '~' {
					c = '.'
				}
				b.WriteByte(c)
			}
			b.WriteString(s.end)
		}
		b.WriteByte('\n')
	}
	if s.last {
		offset(len(data))
		b.WriteByte('\n')
	}
	return b.String()
}

// TestDumpOfPackets checks that the packets of a dump have no time.
func TestDumpOfPackets(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pasted")
	text := formsOf(helloOf(0x0303, []uint16{0x1301}))["tcpdump -X"]
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, code := runCLI(t, "explain", file); code != 0 || !strings.Contains(out, "10.0.0.1") || strings.Contains(out, "1970-") {
		t.Errorf("explain: exit %d, %s", code, out)
	}
	if out, code := runCLI(t, "inspect", "--format", "jsonl", file); code != 0 || !strings.Contains(out, `"time":null`) {
		t.Errorf("inspect: exit %d, %s", code, out)
	}
}

// TestForeign names what is no ClientHello, in explain and in inspect.
func TestForeign(t *testing.T) {
	server := build(2, slices.Concat([]byte{3, 3}, make([]byte, 33), []byte{0x13, 1, 0, 0, 6, 0, 43, 0, 2, 3, 4}))
	hello := assembletest.InRecords(helloOf(0x0303, []uint16{0x1301}), nil)
	eap := slices.Concat([]byte{2, 5, 0, byte(10 + len(hello)), 13, 0x80, 0, 0, 0, byte(len(hello))}, hello)
	der := append([]byte{0x30, 0x82, 1, 0}, make([]byte, 256)...)
	for _, tt := range []struct {
		name             string
		data             []byte
		explain, inspect string
	}{
		{"ServerHello", server, "pasted: ServerHello, 50 bytes", "it is a ServerHello message, not a ClientHello"},
		{"ServerHello in a record", assembletest.InRecords(server, nil), "pasted: ServerHello, 50 bytes from 1 TLS record", "warning: it is a ServerHello message"},
		{"body of a ServerHello", server[4:], "it is a ServerHello without its handshake header", "it is a ServerHello without its handshake header"},
		{"ServerKeyExchange", []byte{12, 0, 0, 2, 3, 0}, "it is a ServerKeyExchange message", "it is a ServerKeyExchange message"},
		{"EAP", eap, "it is an EAP packet (Response, EAP-TLS), whose TLS record begins at byte 10", "it is an EAP packet (Response, EAP-TLS)"},
		{"EAPOL", slices.Concat([]byte{1, 0, 0, byte(len(eap))}, eap), "it is an EAPOL frame with an EAP packet", "it is an EAPOL frame"},
		{"EAP request", []byte{1, 5, 0, 6, 13, 0x20}, "it is an EAP packet (Request, EAP-TLS)", "it is an EAP packet"},
		{"DER", der, "it is DER", "it is DER"},
		{"alert", []byte{21, 3, 3, 0, 2, 2, 40}, "it is an alert record", "it is an alert record"},
		{"what begins with 02", append([]byte{2}, make([]byte, 60)...), "it is neither a handshake message nor", "neither a capture"},
		{"what begins with 01", append([]byte{1}, make([]byte, 60)...), "it is neither a handshake message nor", "neither a capture"},
		{"a body and one more byte", append(helloOf(0x0303, []uint16{0x1301})[4:], 0), "it is neither a handshake message nor", "neither a capture"},
	} {
		t.Chdir(t.TempDir())
		if err := os.WriteFile("pasted", []byte(hex.EncodeToString(tt.data)), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, _ := runCLI(t, "explain", "pasted"); !strings.Contains(out, tt.explain) {
			t.Errorf("%s: explain: %s", tt.name, out)
		}
		if out, code := runCLI(t, "inspect", "pasted"); (Exit(code) == ExitInput) == strings.HasPrefix(tt.inspect, "warning") || !strings.Contains(out, "tlsflags: pasted: "+tt.inspect) {
			t.Errorf("%s: inspect: exit %d, %s", tt.name, code, out)
		}
	}
}

// TestSeveralReadings has texts with more than one whole ClientHello.
func TestSeveralReadings(t *testing.T) {
	a, b := helloOf(0x0303, []uint16{0x1301}), helloOf(0x0303, []uint16{0x1302})
	text := fmt.Sprintf("first\n% x\nsecond\n% x\n", a, b)
	p, err := readText([]byte(text))
	if err != nil || string(p.data) != string(a) || p.also != paste.HexLines || p.ambiguous() != "there are several ClientHellos; only the first is read" {
		t.Errorf("%+v, %v", p, err)
	}
	p = pasted{form: paste.Hexadecimal, also: paste.Decimal}
	if got := p.ambiguous(); got != "read as hexadecimal; as decimal numbers it is another ClientHello" {
		t.Error(got)
	}
}

// TestHostileText has hostile texts, of which none takes long.
func TestHostileText(t *testing.T) {
	size := 1 << 20
	if testing.Short() {
		size = 1 << 17
	}
	for _, part := range []string{
		"0000: 16 03 01\n", "*\n", "16 03 01 00 05\nx\n", `\x16\x03`, `"\x16" `, "/*", "{", "22,", ">", "00000000: 16\n*\nffffffff\n",
		"16 0", "----", `"a" /* "b" `, `"\x16" 1 `, `"\x16"+`, "'a", "\"'`", `"1603010203040506"4`, "16 ...", "(b", "\\", "0x16,", "0000: 4500 0034\n0002: 0000\n", "0000: 160301000501\n", "030300\nx\n",
	} {
		for _, command := range []string{"explain", "inspect"} {
			file := filepath.Join(t.TempDir(), "pasted")
			if err := os.WriteFile(file, []byte(strings.Repeat(part, size/len(part))), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, code := runCLI(t, command, file); Exit(code) != ExitInput && code != 0 {
				t.Errorf("%s, %q: exit %d", command, part, code)
			}
		}
	}
}
