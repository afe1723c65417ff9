package cli

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/golden"
)

// TestTakeOff removes the records around a message, also if the last one is cut.
func TestTakeOff(t *testing.T) {
	for _, tt := range []struct {
		name, data, want string
		count, bytes     int
	}{
		{"no record", "\x01\x00\x00\x00", "\x01\x00\x00\x00", 0, 0},
		{"a record", "\x16\x03\x01\x00\x02ab", "ab", 1, 7},
		{"two records", "\x16\x03\x01\x00\x02ab\x16\x03\x03\x00\x01c", "abc", 2, 13},
		{"a record of 256 bytes", "\x16\x03\x01\x01\x00" + strings.Repeat("x", 256), strings.Repeat("x", 256), 1, 261},
		{"a cut record", "\x16\x03\x01\x00\x09ab", "ab", 1, 7},
		{"a cut header after it", "\x16\x03\x01\x00\x02ab\x16\x03\x03\x00\x01", "ab", 1, 7},
		{"a record of another type after it", "\x16\x03\x01\x00\x02ab\x17\x03\x03\x00\x01c", "ab", 1, 7},
		{"a record of another version after it", "\x16\x03\x01\x00\x02ab\x16\x02\x03\x00\x01c", "ab", 1, 7},
		{"a header alone", "\x16\x03\x01\x00\x00", "\x16\x03\x01\x00\x00", 0, 0},
	} {
		var taken takenOff
		if got := string(taken.takeOff([]byte(tt.data))); got != tt.want || taken.count != tt.count || taken.bytes != tt.bytes {
			t.Errorf("%s: %q, %+v", tt.name, got, taken)
		}
	}
}

// TestExplainArgument checks how messages name an argument that is no file.
func TestExplainArgument(t *testing.T) {
	const hint = " it is neither a handshake message nor a tls_flags extension; say with --as what it is: clienthello, "
	long := strings.Repeat("99", longestName/2)
	for arg, want := range map[string]string{
		long:              "tlsflags: " + long + ": no such file; read as hexadecimal" + hint,
		long + ":":        "tlsflags: 99999999999999999999...: read as hexadecimal" + hint,
		"no\x00name":      `tlsflags: no\x00name: invalid argument`,
		long + "/9/9":     `tlsflags: 99999999999999999999...: no text of a message (hexadecimal, a dump, an array, an escaped string, base64): character 81: "/" is not a hexadecimal digit`,
		"/" + long + "/9": "tlsflags: /9999999999999999999...: read as base64" + hint,
	} {
		if out, code := runCLI(t, "explain", arg); Exit(code) != ExitInput || !strings.HasPrefix(out, want) {
			t.Errorf("exit %d, %swant %s", code, out, want)
		}
	}
}

// TestExplainLongArgument has what may be the name of a file that cannot be opened: up to
// a length it is one, and beyond it is base64.
func TestExplainLongArgument(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("file", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	path := "file/" + strings.Repeat("A", longestName-len("file/"))
	for arg, want := range map[string]string{
		path:        "tlsflags: " + path + ": not a directory\n",
		path + "A":  "tlsflags: file/AAAAAAAAAAAAAAA...: no text of a message (hexadecimal, a dump, an array, an escaped string, base64): character 81: base64 cannot end here",
		path + "AA": "tlsflags: file/AAAAAAAAAAAAAAA...: read as base64 it is neither",
	} {
		if out, code := runCLI(t, "explain", arg); Exit(code) != ExitInput || !strings.HasPrefix(out, want) {
			t.Errorf("%d characters: exit %d, %s", len(arg), code, out)
		}
	}
}

// TestExplainText compares a whole table, in colour: fields longer than a row and than four
// rows, a malformed extension, and what follows the message.
func TestExplainText(t *testing.T) {
	msg := helloOf(0x0303, []uint16{0x1301}, ext(21, make([]byte, 65)...), ext(42, make([]byte, 64)...), ext(62, 1, 0))
	file := filepath.Join(t.TempDir(), "hello")
	if err := os.WriteFile(file, append(msg, 0xff, 0xfe), 0o600); err != nil {
		t.Fatal(err)
	}
	colored, code := runCLI(t, "explain", "--color", "always", file)
	if code != 0 {
		t.Errorf("exit %d", code)
	}
	golden.Compare(t, "explain.txt", strings.ReplaceAll(colored, file, "hello"))
	plain, _ := runCLI(t, "explain", file)
	if got := regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(colored, ""); got != plain {
		t.Errorf("in colour\n%s\nand without\n%s", got, plain)
	}
}

// TestExplainRules has flags that no message of their kind may have, whatever was offered.
func TestExplainRules(t *testing.T) {
	for want, msg := range map[string][]byte{
		"flag resumption_across_names (8)": helloOf(0x0303, []uint16{0x1301}, ext(62, 2, 0, 1)),
		"flag request_mtls (80)":           build(4, make([]byte, 8), []byte{0, 0, 1, 7}, withLength(flagsOf(80))),
	} {
		if out, code := runCLI(t, "explain", hex.EncodeToString(msg)); code != 0 || !strings.Contains(out, "\nrules: flag_misplaced, "+want+": ") {
			t.Errorf("exit %d, no word of %s:\n%s", code, want, out)
		}
	}
}
