package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gopacket/gopacket/layers"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/codepoint"
	"github.com/tlsflags/tlsflags/internal/testenv"
)

// TestCSVColumns has what each column of csv holds, for a hello and for one that is refused.
func TestCSVColumns(t *testing.T) {
	point := codepoint.Of[uint32]
	refusal := &refuseInfo{Code: "trailing_zero", Offset: 130}
	l := &line{
		Source: "a b.pcap", Time: "2026-11-24T10:00:00Z", Transport: "tcp", Src: "127.0.0.1:1", Dst: "[::1]:443",
		Frames: []int{4, 16}, HelloIndex: 2,
		ClientHello: &helloInfo{
			Length: 1749, LegacyVersion: point(771, "TLS 1.2"), Random: new("00ff"), SessionID: new("01"),
			CipherSuites: []codePoint{point(4865, ""), point(65535, "")}, Extensions: []extensionInfo{{codePoint: point(0, "")}, {codePoint: point(16, "")}},
			ServerName: "a.example", ALPN: []string{"h2", "a b"}, SupportedVersions: []codePoint{point(772, ""), point(771, "")},
			ECH: &echInfo{Type: point(1, "inner")},
		},
		TLSFlags:    &flagsInfo{Extension: point(62, "tls_flags"), Data: "0100", Flags: []codePoint{point(80, ""), point(81, "")}, Error: refusal},
		RequestMTLS: true, JA4: "t13d", Error: refusal, SrcIP: "127.0.0.1", SrcPort: new(1), DstIP: "::1", DstPort: new(443),
		Hello: 12, TLSFlagsChanged: new(false), Acknowledged: new(true), Prologue: &prologueInfo{"smtp", 9},
		Ambiguous: []string{"overlap", "syn"}, Faults: []oddInfo{{Code: "urgent"}, {Code: "overlap"}}, Contradicts: []int{3, 24}, Path: []string{"eth", "ipv4"},
	}
	full := map[string]string{
		"source": "a b.pcap", "time": "2026-11-24T10:00:00Z", "transport": "tcp", "src": "127.0.0.1:1", "dst": "[::1]:443",
		"frames": "4 16", "hello_index": "2", "length": "1749", "legacy_version": "771", "supported_versions": "772 771",
		"server_name": "a.example", "alpn": `h2 a\x20b`, "cipher_suites": "4865 65535", "extensions": "0 16", "random": "00ff", "session_id": "01",
		"tls_flags_extension": "62", "tls_flags_data": "0100", "tls_flags": "80 81", "tls_flags_error": "trailing_zero", "request_mtls": "true",
		"error": "trailing_zero", "error_offset": "130", "ja4": "t13d",
		"ambiguous": "overlap syn", "faults": "urgent overlap", "contradicts": "3 24", "path": "eth ipv4",
		"src_ip": "127.0.0.1", "src_port": "1", "dst_ip": "::1", "dst_port": "443", "ech_type": "1", "tls_flags_changed": "false",
		"request_mtls_acknowledged": "true", "prologue_protocol": "smtp", "prologue_length": "9", "hello": "12",
	}
	empty := map[string]string{"hello": "0", "hello_index": "0", "request_mtls": "false"}
	for _, c := range csvColumns {
		if want, ok := full[c.name]; ok && string(c.append(nil, l)) != want {
			t.Errorf("%s is %q, want %q", c.name, string(c.append(nil, l)), want)
		}
		if _, ok := full[c.name]; ok && string(c.append(nil, new(line))) != empty[c.name] {
			t.Errorf("%s is %q without a hello, want %q", c.name, string(c.append(nil, new(line))), empty[c.name])
		}
	}
	for _, c := range csvColumns { // --fields takes them instead of reading the keys
		key := c.name
		if c.ofHello {
			key = "client_hello." + key
		}
		path, err := lineType().Find(key)
		if err != nil || !fitsCell(path.Type()) {
			continue
		}
		for _, l := range []*line{l, new(line)} {
			if want := noFormula(csvCells.of(path.In(reflect.ValueOf(l).Elem()), path.Type())); string(c.append(nil, l)) != want {
				t.Errorf("%s is %q, and %q as a field", c.name, c.append(nil, l), want)
			}
		}
	}
}

// TestExplainDocument checks the message of explain's document, which flags and extensions do
// not have, and the fields that are wrong.
func TestExplainDocument(t *testing.T) {
	for hex, want := range map[string]string{"003e00020101": `"message": null`, "080000020000": `"message": "EncryptedExtensions"`} {
		if out, code := runCLI(t, "explain", "-f", "json", hex); code != 0 || !strings.Contains(out, want) {
			t.Errorf("%s: exit %d, no %s in %s", hex, code, want, out)
		}
	}
	for hex, want := range map[string]int{"003e00020101": 0, "003e0003020100": 1} {
		if out, _ := runCLI(t, "explain", "-f", "json", hex); strings.Count(out, `"offending": true`) != want {
			t.Errorf("%s: want %d offending fields in %s", hex, want, out)
		}
	}
}

// TestTree checks the depth and the names of fields: those of a list, those whose node has no
// line of its own, and a node whose name begins like another.
func TestTree(t *testing.T) {
	var tree tree
	for _, tt := range []struct{ path, meaning, want string }{
		{"length", "9 bytes", "length: 9 bytes"},
		{"list.length", "4 bytes", "list: 4 bytes"},
		{"list[0]", "a", "  [0] a"},
		{"list[1].name.length", "1 byte", "  [1].name: 1 byte"},
		{"list[1].name", `"b"`, `    "b"`},
		{"list[1].rest", "", "  [1].rest"},
		{"listing", "x", "listing: x"},
		{"extensions.length", "8 bytes", "extensions: 8 bytes"},
		{"extensions[0].extension_type", "tls_flags", "  [0] tls_flags"},
		{"extensions[0].extension_data.length", "2 bytes", "    extension_data: 2 bytes"},
		{"extensions[0].extension_data.flags.length", "1 byte", "      flags: 1 byte"},
		{"extensions[0].extension_data.flags[0]", "flag 0", "        [0] flag 0"},
		{"extensions[1].extension_type", "42", "  [1] 42"},
	} {
		if got := tree.add(tt.path, tt.meaning); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.path, got, tt.want)
		}
	}
}

// TestProgressCounts reads half of an input that has taken an hour.
func TestProgressCounts(t *testing.T) {
	var b bytes.Buffer
	p := progress{w: &b}
	p.begin("input", 100)
	p.start = p.start.Add(-time.Hour)
	p.add(50)
	if !strings.Contains(b.String(), " 50% ") {
		t.Errorf("%q", &b)
	}
}

// TestInspectStopsWithoutOutput checks that inputs after a fault are not read if the output
// cannot be written.
func TestInspectStopsWithoutOutput(t *testing.T) {
	dir := t.TempDir()
	none := filepath.Join(dir, "none")
	good := filepath.Join(testenv.Root(t), "corpus", "records", "curl-7.88.1.bin")
	if err := os.Mkdir(none, 0o700); err != nil {
		t.Fatal(err)
	}
	inputs := []string{none, filepath.Join(dir, "missing")}
	for name, data := range map[string]string{
		"empty": "", "text": "no hello", "capture": "\xa1\xb2\xc3\xd4", "records": "\x80\x05\x01\x03\x01\x00\x01\x00\x00\x00\x10",
		"dtls":   "\x16\xfe\xfd\x00\x01\x00\x00\x00\x00\x00\x00\x00\x04\x00\x00\x00\x00",
		"nested": "a1b2c3d4",
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		inputs = append(inputs, path)
	}
	for _, input := range inputs {
		var stderr bytes.Buffer
		code := Run(t.Context(), []string{"inspect", good, input, filepath.Join(dir, "another")}, nil, failing{syscall.ENOSPC}, &stderr)
		if want := "tlsflags: standard output: no space left on device\n"; Exit(code) != ExitInput || stderr.String() != want {
			t.Errorf("%s: exit %d, %s", filepath.Base(input), code, &stderr)
		}
	}
}

// TestFaultsOfRows has a hello that some servers pass over what is odd about: each format
// names the fault.
func TestFaultsOfRows(t *testing.T) {
	msg := helloOf(0x0303, []uint16{0xc02f})
	stream := slices.Concat([]byte{22, 3, 1, 0, byte(len(msg) + 1)}, msg, []byte{9})
	file := filepath.Join(t.TempDir(), "trailing.pcap")
	writeSegments(t, file, layers.TCP{SYN: true, Seq: 99}, layers.TCP{ACK: true, Seq: 100, BaseLayer: layers.BaseLayer{Payload: stream}})
	for format, want := range map[string]string{
		"jsonl": fmt.Sprintf(`"faults":[{"code":"record_trailing","offset":%d}]`, 5+len(msg)),
		"csv":   ",record_trailing,",
	} {
		if out, code := runCLI(t, "inspect", "-q", "-f", format, file); code != 0 || !strings.Contains(out, want) {
			t.Errorf("%s: exit %d, no %s in %s", format, code, want, out)
		}
	}
}

// TestExplainFile names a file whose content is nothing that explain knows.
func TestExplainFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file.bin")
	if err := os.WriteFile(file, []byte{0x99, 0x98}, 0o600); err != nil {
		t.Fatal(err)
	}
	want := "tlsflags: " + file + ": it is neither a handshake message nor a tls_flags extension;"
	if out, code := runCLI(t, "explain", file); Exit(code) != ExitInput || !strings.HasPrefix(out, want) {
		t.Errorf("exit %d, %s", code, out)
	}
}

// TestSentSize checks the estimate of memory, which bounds what --keylog keeps.
func TestSentSize(t *testing.T) {
	if got := sentSize(&flagsInfo{Data: "0102", Flags: make([]codePoint, 3)}); got != 400+4+3*24 {
		t.Errorf("%d bytes", got)
	}
}

// TestVerdictNamesTheFlag has a flag that answers none, in explain's document.
func TestVerdictNamesTheFlag(t *testing.T) {
	hello := filepath.Join(testenv.Root(t), "corpus", "records", "utls-chrome-133-ext62-80.bin")
	out, code := runCLI(t, "explain", "-f", "json", "--hello", hello, "0800000a0008003e000403000001")
	var document struct {
		Verdict struct {
			Code string
			Flag *codePoint
		}
	}
	if err := json.Unmarshal([]byte(out), &document); err != nil || code != 0 {
		t.Fatalf("exit %d, %v: %s", code, err, out)
	}
	if v := document.Verdict; v.Code != "flag_unsolicited" || v.Flag == nil || v.Flag.Value != 16 {
		t.Errorf("%+v", v)
	}
}
