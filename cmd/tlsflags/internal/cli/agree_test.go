package cli

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gopacket/gopacket/layers"

	"github.com/tlsflags/tlsflags/internal/testenv"
	"github.com/tlsflags/tlsflags/vectors"
)

// TestSameFault checks that explain names the fault for which inspect refuses a hello, for the
// inputs of the vectors and for others.
func TestSameFault(t *testing.T) {
	inputs := map[string][]byte{"an SSLv2 hello": sslv2Hello}
	for _, kind := range []vectors.Kind[*vectors.PiecesTest]{vectors.TLSRecords, vectors.QUIC, vectors.DTLS} {
		file, err := vectors.Load(kind)
		if err != nil {
			t.Fatal(err)
		}
		for _, test := range file.All() {
			if test.Memory < 1<<17 {
				continue // the commands have memory for any message
			}
			var all []byte
			for _, p := range test.Pieces {
				all = append(all, p...)
			}
			inputs[test.ID] = all
		}
	}
	compared := make(map[string]bool)
	for name, data := range inputs {
		rows, _ := runInput(t, data, "inspect", "-q", "-f", "jsonl", "-")
		row, _, _ := strings.Cut(rows, "\n")
		document, code := runInput(t, data, "explain", "-f", "json", "-")
		var want, got struct{ Error *struct{ Code string } }
		if json.Unmarshal([]byte(row), &want) != nil || code != 0 {
			continue // no hello
		}
		if err := json.NewDecoder(strings.NewReader(document)).Decode(&got); err != nil {
			continue // a warning comes first
		}
		switch {
		case want.Error == nil && got.Error == nil:
		case want.Error != nil && want.Error.Code == "wrong_message_type": // explain explains other messages
		case want.Error == nil || got.Error == nil || *want.Error != *got.Error:
			t.Errorf("%s: inspect says %v, explain %v", name, want.Error, got.Error)
		default:
			compared[want.Error.Code] = true
		}
	}
	for _, code := range []string{"record_empty", "record_interleaved", "record_overflow", "sslv2_hello", "truncated"} {
		if !compared[code] {
			t.Errorf("no input is refused as %s", code)
		}
	}
}

// sslv2Hello is an SSLv2-compatible hello (RFC 5246, Appendix E.2).
var sslv2Hello = append([]byte{0x80, 0x1c, 1, 3, 1, 0, 3, 0, 0, 0, 16, 0, 0, 47}, make([]byte, 16)...)

// TestSameFaultInCapture is TestSameFault for captures, and checks that the text says it, too.
func TestSameFaultInCapture(t *testing.T) {
	msg := helloOf(0x0303, []uint16{0x1301})
	record := func(b []byte) []byte { return append([]byte{22, 3, 1, byte(len(b) >> 8), byte(len(b))}, b...) }
	file := filepath.Join(t.TempDir(), "a.pcap")
	for want, stream := range map[string][]byte{
		"sslv2_hello at byte 0 of the stream":  sslv2Hello,
		"record_empty at byte 3 of the stream": append(bytes.Repeat(record(nil), 40), record(msg)...),
	} {
		writeSegments(t, file, layers.TCP{SYN: true, Seq: 99}, segmentOf(100, stream))
		code, _, _ := strings.Cut(want, " ")
		row, _ := runCLI(t, "inspect", "-q", "-f", "csv", "--fields", "error.code", file)
		if row != "error.code\n"+code+"\n" {
			t.Errorf("inspect says %s, want %s", row, code)
		}
		if out, exit := runCLI(t, "explain", "--hello", "1", file); exit != 0 || !strings.Contains(out, "\nrefused: "+want+": ") || strings.Contains(out, "wrong_message_type") {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

func segmentOf(seq uint32, data []byte) layers.TCP {
	tcp := layers.TCP{ACK: true, Seq: seq}
	tcp.Payload = data
	return tcp
}

// TestFlagMisplaced checks that inspect says what explain says about a flag that a ClientHello
// may not have, in each format, and once only.
func TestFlagMisplaced(t *testing.T) {
	msg := hex.EncodeToString(helloOf(0x0303, []uint16{0x1301}, ext(62, 2, 0, 1)))
	page := filepath.Join(t.TempDir(), "page.html")
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"-f", "jsonl"}, `"error":null,"faults":[{"code":"flag_misplaced","offset":53}]}`},
		{[]string{"-f", "csv", "--fields", "hello,faults"}, "hello,faults\n1,flag_misplaced\n"},
		{[]string{"--where", "any(faults, .code == 'flag_misplaced')"}, "tls_flags(62) resumption_across_names(8); flag_misplaced at byte 53\n"},
		{[]string{"--width", "80"}, "       flag_misplaced at byte 53\n"},
	} {
		out, code := runInput(t, []byte(msg), append([]string{"inspect", "-q", "-"}, tt.args...)...)
		if code != 0 || strings.Count(out, "flag_misplaced") != 1 || !strings.Contains(out, tt.want) {
			t.Errorf("%q: exit %d, %s", tt.args, code, out)
		}
	}
	if out, code := runInput(t, []byte(msg), "inspect", "-q", "--report", page, "-"); code != 0 || !strings.Contains(readPage(t, page), "<tr><td>fault: flag_misplaced<td>1<td>") {
		t.Errorf("exit %d, %s", code, out)
	}
}

// TestExplainDoubts checks that explain says what inspect says besides the faults of a message.
func TestExplainDoubts(t *testing.T) {
	file := filepath.Join(testenv.Root(t), "corpus", "captures", "tcp-hrr-openssl-flags-change.pcapng")
	if out, code := runCLI(t, "explain", "--hello", "2", file); code != 0 || !strings.Contains(out, "\ntls_flags changed after a HelloRetryRequest\n") {
		t.Errorf("exit %d, %s", code, out)
	}
}

// TestExplainWithout checks what explain says about hellos that it cannot explain.
func TestExplainWithout(t *testing.T) {
	demo := filepath.Join(testenv.Root(t), "corpus", "captures", "demo.pcapng")
	msg := helloOf(0x0303, []uint16{0x1301})
	stream := append([]byte{22, 3, 1, 0, byte(len(msg))}, msg...)
	doubt, half := filepath.Join(t.TempDir(), "doubt.pcap"), filepath.Join(t.TempDir(), "half.pcap")
	syn := layers.TCP{SYN: true, Seq: 99}
	syn.Payload = stream[:20]
	writeSegments(t, doubt, syn, segmentOf(120, stream[20:40]))
	writeSegments(t, half, layers.TCP{SYN: true, Seq: 99}, segmentOf(100, stream[:40]))
	for _, tt := range []struct {
		args []string
		exit Exit
		want string
	}{
		{[]string{"--hello", "13", demo}, ExitUnmet, "there is no hello 13; the capture has 12 hellos"},
		{[]string{"--hello", "3", "--sni", "bot.demo.example", demo}, ExitUnmet, "hello 3 is not one that --frame, --sni and --ja4 select"},
		{[]string{"--sni", "nosuch.example", demo}, ExitUnmet, "none of 12 hellos is one that --frame, --sni and --ja4 select"},
		{[]string{"--hello", "1", doubt}, ExitUnmet, "hello 1 cannot be explained: no reading of its packets is a whole ClientHello (ambiguous: syn_data); look at frames 1 2"},
		{[]string{"--hello", "1", half}, ExitInput, "no ClientHello in this capture, and the beginning of 1 hello whose other packets are missing"},
	} {
		out, code := runCLI(t, append([]string{"explain"}, tt.args...)...)
		if Exit(code) != tt.exit || !strings.Contains(strings.ReplaceAll(out, "\n  ", " "), tt.want) {
			t.Errorf("%q: exit %d, %s", tt.args, code, out)
		}
	}
}

// TestPastedDatagrams explains a ClientHello in two QUIC datagrams, pasted as blocks of a dump.
func TestPastedDatagrams(t *testing.T) {
	file, err := vectors.Load(vectors.QUIC)
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, test := range file.All() {
		if strings.Contains(test.ID, "retry") { // which needs other keys
			continue
		}
		if len(test.Pieces) != 2 || test.Outcome != vectors.Complete || test.Memory < 1<<17 {
			continue
		}
		tried++
		var dump strings.Builder
		for _, p := range test.Pieces {
			dump.WriteString(hex.Dump(p) + "\n")
		}
		text := filepath.Join(t.TempDir(), "dump.txt")
		if err := os.WriteFile(text, []byte(dump.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		out, code := runCLI(t, "explain", text)
		if want := fmt.Sprintf(": ClientHello, %d bytes from ", len(test.Joined)); code != 0 || !strings.Contains(out, want) || strings.Contains(out, "warning") {
			t.Errorf("%s: exit %d, no %q in\n%.300s", test.ID, code, want, out)
		}
		first, _ := runInput(t, test.Pieces[0], "explain", "-")
		if strings.Contains(first, "refused: truncated") != strings.Contains(first, "text2pcap -u 50000,443 dump.txt out.pcap") {
			t.Errorf("%s: %s", test.ID, first)
		}
	}
	if tried == 0 {
		t.Error("no vector has two datagrams")
	}
}
