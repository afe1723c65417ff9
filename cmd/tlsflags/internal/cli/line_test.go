package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/internal/testenv"
)

func TestQUICName(t *testing.T) {
	for version, want := range map[uint32]string{
		1: "QUIC v1", 0x6b3343cf: "QUIC v2", 0xff00001d: "draft-29", 0xff000009: "draft-09", 0xff010000: "",
		0xfaceb001: "mvfst 01", 0xfaceb002: "mvfst 02", 0xfaceb100: "", 0x54303531: "Google T051", 0x54303631: "", 2: "", 0: "",
	} {
		if got := quicName(version); got != want {
			t.Errorf("%#x: %q, want %q", version, got, want)
		}
	}
}

func TestSummary(t *testing.T) {
	s := summary{inputs: 1, skipped: 2, helloCounts: helloCounts{hellos: 3, withFlags: 4, mtls: 5, refused: 6}}
	addStats(&s.captures, capture.Stats{Packets: 1, Flows: 7, Evicted: 8, Incomplete: 9, Other: 3, Truncated: 1})
	addStats(&s.captures, capture.Stats{Packets: 1, Flows: 1, Evicted: 1, Incomplete: 1, Damaged: 2, Skipped: 10, Cut: 1, Dropped: 4})
	want := "1 input, 2 packets, 8 flows, 3 hellos, 4 with tls_flags, 5 with request_mtls, 6 refused, 10 incomplete, 9 evicted, " +
		"4 packets dropped by the kernel, 1 truncated packet, 1 cut file, 2 damaged places, 10 skipped bytes, 2 other files skipped"
	if got := s.text(0); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestUseColor(t *testing.T) {
	for mode, want := range map[string]painter{"always": true, "never": false, "auto": false} {
		if got := useColor(mode, nil); got != want {
			t.Errorf("%s: %t", mode, got)
		}
	}
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil || !isTerminal(terminal) {
		testenv.Skip(t, "no terminal to be had from /dev/ptmx")
	}
	defer terminal.Close()
	for _, tt := range []struct {
		mode, noColor, term string
		want                painter
	}{
		{"auto", "", "xterm", true},
		{"auto", "1", "xterm", false},
		{"auto", "", "dumb", false},
		{"always", "1", "dumb", true},
		{"never", "", "xterm", false},
	} {
		t.Setenv("NO_COLOR", tt.noColor)
		t.Setenv("TERM", tt.term)
		if got := useColor(tt.mode, &output{Writer: terminal}); got != tt.want {
			t.Errorf("%+v: %t", tt, got)
		}
	}
	for w, want := range map[io.Writer]bool{terminal: true, new(strings.Builder): false} {
		if newProgress(w, true).w != nil != want || newProgress(w, false).w != nil {
			t.Errorf("%T: a progress bar is shown, or not", w)
		}
	}
}

func TestClock(t *testing.T) {
	for rfc3339, want := range map[string]string{
		"2026-01-02T03:04:05Z": "03:04:05.000000", "2026-01-02T03:04:05.1Z": "03:04:05.100000",
		"2026-01-02T03:04:05.123456789Z": "03:04:05.123456",
	} {
		if got := clock(rfc3339); got != want {
			t.Errorf("%s: %s, want %s", rfc3339, got, want)
		}
	}
}

// TestEveryKey checks a line with all that a hello can have.
func TestEveryKey(t *testing.T) {
	msg := helloOf(0x0303, []uint16{0x1301, 0x0a0a, 0x9999},
		ext(0, 0, 4, 0, 0, 1, 'a'), ext(16, 0, 5, 2, 'h', '2', 1, 'x'), ext(43, 4, 3, 4, 0x1a, 0x1a), ext(62, 2, 0, 0x81))
	file := filepath.Join(t.TempDir(), "hello")
	if err := os.WriteFile(file, msg, 0o600); err != nil {
		t.Fatal(err)
	}
	out, code := runCLI(t, "inspect", "--quiet", "--redact", "-f", "jsonl", file)
	want := `{"schema":"tlsflags.inspect/1","source":"hello","hello":1,"time":null,"transport":"raw","src":null,"dst":null,` +
		`"src_ip":null,"src_port":null,"dst_ip":null,"dst_port":null,"frames":null,` +
		`"pieces":{"segments":0,"records":0,"packets":0,"datagrams":0},"hello_index":1,"quic":null,"dtls":null,` +
		`"client_hello":{"length":` + strconv.Itoa(len(msg)) + `,"legacy_version":{"value":771,"name":"TLS 1.2"},"random":null,"session_id":null,` +
		`"cipher_suites":[{"value":4865,"name":"TLS_AES_128_GCM_SHA256"},{"value":2570,"name":"GREASE"},{"value":39321,"name":null}],` +
		`"compression_methods":[0],"extensions":[{"value":0,"name":"server_name","offset":55,"length":6},` +
		`{"value":16,"name":"application_layer_protocol_negotiation","offset":65,"length":7},` +
		`{"value":43,"name":"supported_versions","offset":76,"length":5},{"value":62,"name":"tls_flags","offset":85,"length":3}],` +
		`"server_name":null,"alpn":["h2","x"],"supported_versions":[{"value":772,"name":"TLS 1.3"},{"value":6682,"name":"GREASE"}],` +
		`"supported_groups":null,"key_share_groups":null,"signature_algorithms":null,"ech":null},` +
		`"tls_flags":{"extension":{"value":62,"name":"tls_flags"},"data":"020081","flags":[{"value":8,"name":"resumption_across_names"},{"value":15,"name":null}],"error":null},` +
		`"tls_flags_changed":null,"request_mtls":false,"ja4":"t13d0204h2_`
	if code != 0 || !strings.HasPrefix(out, want) {
		t.Errorf("exit %d\ngot  %s\nwant %s", code, out, want)
	}
	csv, _ := runCLI(t, "inspect", "--quiet", "-f", "csv", file)
	row := fmt.Sprintf("%s,,raw,,,,1,%d,771,772 6682,a,h2 x,4865 2570 39321,0 16 43 62,%064d,,62,020081,8 15,,false,,,t13d0204h2_", file, len(msg), 0)
	if _, got, _ := strings.Cut(csv, "\n"); !strings.HasPrefix(got, row) {
		t.Errorf("got  %s\nwant %s", got, row)
	}
}

// TestTransportWithoutAddresses checks that a hello of a capture has its transport, also if its
// packet has no IP header, and that one of another input has none.
func TestTransportWithoutAddresses(t *testing.T) {
	for want, h := range map[string]capture.Hello{"dtls": {Transport: capture.DTLS, Frames: []int{1}}, "raw": {Transport: capture.DTLS}} {
		if got := transportOf(&h); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
