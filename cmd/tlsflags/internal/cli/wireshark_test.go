package cli

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/testenv"
	"github.com/tlsflags/tlsflags/vectors"
)

// A node is an element of PDML, the XML of tshark: a packet, a protocol or a field.
type node struct {
	Name  string `xml:"name,attr"`
	Show  string `xml:"show,attr"`
	Nodes []node `xml:",any"`
}

// walk calls f for the nodes below n, in order.
func (n node) walk(f func(node)) {
	for _, below := range n.Nodes {
		f(below)
		below.walk(f)
	}
}

// wiresharkHome returns a home directory in which the dissector is installed, as its README
// says, and which has no other configuration.
func wiresharkHome(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("runs tshark ten times")
	}
	testenv.Program(t, "tshark", "tshark")
	script, err := os.ReadFile(filepath.Join(testenv.Root(t), "integrations", "wireshark", "tlsflags.lua"))
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	plugins := filepath.Join(home, ".local", "lib", "wireshark", "plugins")
	if err := os.MkdirAll(plugins, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(plugins, "tlsflags.lua"), script, 0o666); err != nil {
		t.Fatal(err)
	}
	return home
}

// tshark returns what tshark prints about a capture.
func tshark(t *testing.T, home, file string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command("tshark", append([]string{"-n", "-r", file, "-o", "tcp.reassemble_out_of_order:TRUE"}, args...)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || strings.Contains(stderr.String(), "Lua") {
		t.Fatalf("tshark: %v\n%s", err, &stderr)
	}
	return out
}

// A seen frame is what one program sees in a frame.
type seen struct {
	Randoms []string // of the ClientHellos that the frame completes
	Flags   []string // of their tls_flags: code point, flags, error
}

// messageFlags are the tls_flags of a message.
type messageFlags struct{ message, flags string }

// flagsIn returns what the dissector shows below n, its protocol.
func flagsIn(n node) messageFlags {
	var message, codePoint, code string
	flags := []string{}
	n.walk(func(field node) {
		switch field.Name {
		case "tlsflags.message":
			message = field.Show
		case "tlsflags.type":
			codePoint = field.Show
		case "tlsflags.flag":
			flags = append(flags, field.Show)
		case "tlsflags.error":
			code = field.Show
		}
	})
	return messageFlags{message, fmt.Sprint(codePoint, " ", flags, code)}
}

// seenByTshark returns what tshark sees in the frames of a capture that have hellos.
func seenByTshark(t *testing.T, home, file string, args ...string) map[int]seen {
	t.Helper()
	out := tshark(t, home, file, append([]string{"-T", "pdml", "-Y", "tls.handshake.type == 1 || dtls.handshake.type == 1 || tlsflags"}, args...)...)
	var document struct {
		Packets []node `xml:"packet"`
	}
	if err := xml.Unmarshal(out, &document); err != nil {
		t.Fatal(err)
	}
	frames := make(map[int]seen)
	for _, packet := range document.Packets {
		var number int
		var kind string
		var frame seen
		packet.walk(func(n node) {
			switch n.Name {
			case "frame.number":
				number, _ = strconv.Atoi(n.Show)
			case "tls.handshake.type", "dtls.handshake.type":
				kind = n.Show
			case "tls.handshake.random", "dtls.handshake.random":
				if kind == "1" {
					frame.Randoms = append(frame.Randoms, strings.ReplaceAll(n.Show, ":", ""))
				}
			case "tlsflags":
				// inspect judges the place of a flag only with a key log.
				if f := flagsIn(n); f.message == "ClientHello" {
					frame.Flags = append(frame.Flags, strings.Replace(f.flags, "flag_misplaced", "", 1))
				}
			}
		})
		if len(frame.Randoms) > 0 || len(frame.Flags) > 0 {
			frames[number] = frame
		}
	}
	return frames
}

// seenByInspect returns what inspect sees in the frames of a capture that have hellos.
func seenByInspect(t *testing.T, file string) map[int]seen {
	t.Helper()
	frames := make(map[int]seen)
	out, stderr, code := run(t, "inspect", "--format", "jsonl", file)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	for text := range strings.Lines(out) {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatal(err)
		}
		if l.Error != nil {
			continue
		}
		number := slices.Max(l.Frames)
		frame := frames[number]
		frame.Randoms = append(frame.Randoms, *l.ClientHello.Random)
		code := ""
		if l.TLSFlagsChanged != nil && *l.TLSFlagsChanged {
			code = "second_hello_changed"
		}
		if l.TLSFlags != nil || code != "" {
			frame.Flags = append(frame.Flags, flagsText(l.TLSFlags, code))
		}
		frames[number] = frame
	}
	return frames
}

// flagsText returns what inspect says about the tls_flags of a message, as flagsIn does.
func flagsText(f *flagsInfo, code string) string {
	if f == nil {
		return fmt.Sprint(" ", []string{}, code)
	}
	flags := []string{}
	for _, flag := range f.Flags {
		flags = append(flags, fmt.Sprint(flag.Value))
	}
	if f.Error != nil && code == "" {
		code = f.Error.Code
	}
	return fmt.Sprint(f.Extension.Value, " ", flags, code)
}

// TestWireshark compares what tshark with the dissector sees in all captures, one after the
// other, with what inspect sees. In each frame both find the same hellos, with the same flags
// and errors: there is no hello that one finds alone.
func TestWireshark(t *testing.T) {
	home, root := wiresharkHome(t), testenv.Root(t)
	mergecap := testenv.Program(t, "mergecap", "wireshark-common")
	files, err := filepath.Glob(filepath.Join(root, "corpus", "captures", "*"))
	if err != nil {
		t.Fatal(err)
	}
	odd, all := filepath.Join(t.TempDir(), "odd.pcap"), filepath.Join(t.TempDir(), "all.pcapng")
	writeConnections(t, odd, oddHellos(t)...)
	files = append(files, filepath.Join(root, "vectors", "flagged.pcap"), odd)
	if out, err := exec.Command(mergecap, append([]string{"-a", "-F", "pcapng", "-w", all}, files...)...).CombinedOutput(); err != nil {
		t.Fatalf("mergecap: %v\n%s", err, out)
	}
	inspected := seenByInspect(t, all)
	if diff := cmp.Diff(inspected, seenByTshark(t, home, all)); diff != "" {
		t.Errorf("frames (-inspect +tshark):\n%s", diff)
	}
	if len(inspected) < 150 {
		t.Errorf("hellos in %d frames, want at least 150", len(inspected))
	}
}

// testHello returns a ClientHello with these extensions.
func testHello(extensions ...[]byte) []byte {
	return helloOf(0x0303, []uint16{0x1301}, extensions...)
}

// plainRecord returns a record that is not encrypted.
func plainRecord(messages ...[]byte) []byte {
	return append([]byte{22, 3, 3}, withLength(bytes.Join(messages, nil))...)
}

// oddHellos returns connections with test vectors of tls_flags, ten of each error, one with
// both code points, and some in which the flags change after a HelloRetryRequest.
func oddHellos(t *testing.T) [][]tlsRecord {
	t.Helper()
	file, err := vectors.Load(vectors.TLSFlags)
	if err != nil {
		t.Fatal(err)
	}
	var connections [][]tlsRecord
	tried := make(map[string]int)
	for _, test := range file.All() {
		if tried[test.Code]++; tried[test.Code] > 10 {
			continue
		}
		connections = append(connections, []tlsRecord{{byClient, plainRecord(testHello(ext(62, test.Input...)))}})
	}
	flag, experiment, bad := ext(62, 1, 2), ext(0xfe01, 1, 2), ext(62, 1, 0)
	connections = append(connections, []tlsRecord{{byClient, plainRecord(testHello(experiment, bad))}})

	random := sha256.Sum256([]byte("HelloRetryRequest")) // RFC 9846, Section 4.2.3
	retry := plainRecord(build(2, []byte{3, 3}, random[:], []byte{0, 0x13, 1, 0}, withLength([]byte{0, 43, 0, 2, 3, 4, 0, 51, 0, 2, 0, 23})))
	for _, hellos := range [][2][]byte{{flag, flag}, {flag, nil}, {nil, flag}, {flag, experiment}, {bad, bad}} {
		first, second := testHello(ext(43, 2, 3, 4), hellos[0]), testHello(ext(43, 2, 3, 4), hellos[1], ext(44, 0, 1, 1))
		connections = append(connections, []tlsRecord{{byClient, plainRecord(first)}, {byServer, retry}, {byClient, plainRecord(second)}})
	}
	return connections
}

// TestWiresharkMessages compares what tshark shows of encrypted messages, given the key log,
// with what inspect says about them.
func TestWiresharkMessages(t *testing.T) {
	home := wiresharkHome(t)
	dir := t.TempDir()
	file, keyLog := filepath.Join(dir, "a.pcap"), filepath.Join(dir, "keys")
	random := func(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }
	bad := map[string][]extension.Flag{"SH": {100}, "EE": {3, 4}, "CR": {80}, "CT": {80}, "client CT": {5}, "NST": {80}}
	writeConnections(t, file,
		connectionRecords(random(0xa1), []extension.Flag{80}, map[string][]extension.Flag{"CR": {5, 80}, "client CT": {5}, "NST": {8}}),
		connectionRecords(random(0xa2), []extension.Flag{3}, bad),
		connectionRecords(random(0xa3), nil, map[string][]extension.Flag{"EE": {3}}),
	)
	writeKeyLog(t, keyLog, random(0xa1), random(0xa2), random(0xa3))
	var want []string
	for text := range strings.Lines(runChecked(t, "inspect", "--format", "jsonl", "--keylog", keyLog, file)) {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatal(err)
		}
		for _, f := range slices.Concat(l.ClientFlags, l.ServerFlags) {
			code := ""
			if f.Verdict != nil {
				code = f.Verdict.Code
			}
			want = append(want, f.Message+" "+flagsText(&f.flagsInfo, code))
		}
	}
	slices.Sort(want)
	// Wireshark, like tshark -2, dissects frames again that it has seen.
	for _, passes := range [][]string{nil, {"-2"}} {
		var document node
		args := append([]string{"-o", "tls.keylog_file:" + keyLog, "-T", "pdml", "-Y", "tlsflags"}, passes...)
		if err := xml.Unmarshal(tshark(t, home, file, args...), &document); err != nil {
			t.Fatal(err)
		}
		var got []string
		document.walk(func(n node) {
			if n.Name == "tlsflags" {
				f := flagsIn(n)
				got = append(got, f.message+" "+f.flags)
			}
		})
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("tshark %v (-inspect +tshark):\n%s", passes, diff)
		}
	}
}

// TestWiresharkReadme tries the filters and the coloring rules of the dissector's README.
func TestWiresharkReadme(t *testing.T) {
	home := wiresharkHome(t)
	data, err := os.ReadFile(filepath.Join(testenv.Root(t), "integrations", "wireshark", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	readme := string(data)
	_, rules, _ := strings.Cut(readme, "```text\n")
	rules, _, _ = strings.Cut(rules, "```")
	config := filepath.Join(home, ".config", "wireshark")
	if err := os.MkdirAll(config, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(config, "colorfilters"), []byte(rules), 0o666); err != nil {
		t.Fatal(err)
	}

	file, keyLog := filepath.Join(t.TempDir(), "a.pcap"), filepath.Join(t.TempDir(), "keys")
	random := bytes.Repeat([]byte{0xa1}, 32)
	connection := connectionRecords(random, []extension.Flag{80}, map[string][]extension.Flag{"EE": {4}, "CR": {80}, "NST": {8}})
	writeConnections(t, file, append(oddHellos(t), connection)...)
	writeKeyLog(t, keyLog, random)
	show := func(filter string) string {
		return string(tshark(t, home, file, "-o", "tls.keylog_file:"+keyLog, "--color", "-T", "fields", "-e", "frame.coloring_rule.name", "-Y", filter))
	}
	filters := regexp.MustCompile("(?m)^\\| `(.*)` \\| [^`]").FindAllStringSubmatch(readme, -1)
	if len(filters) != 5 {
		t.Errorf("%d filters, want 5", len(filters))
	}
	for _, filter := range filters {
		if text := strings.ReplaceAll(filter[1], `\|`, "|"); show(text) == "" {
			t.Errorf("%s finds nothing", text)
		}
	}
	colors := show("tlsflags")
	for _, want := range []string{"TLS flags\n", "TLS flags in error\n"} {
		if !strings.Contains("\n"+colors, "\n"+want) {
			t.Errorf("no frame is colored as %q", want)
		}
	}
}

// TestWiresharkPairs checks that messages in one frame are told apart, also if the extension
// of one is empty, and that those of other connections are not compared.
func TestWiresharkPairs(t *testing.T) {
	home := wiresharkHome(t)
	file := filepath.Join(t.TempDir(), "a.pcap")
	writeConnections(t, file,
		[]tlsRecord{{byClient, plainRecord(testHello(), testHello(ext(62)), testHello(ext(62, 1, 1), ext(0xfe01, 1, 0)))}},
		[]tlsRecord{{byClient, plainRecord(testHello())}},
		// An answer whose question is not in the capture.
		connectionRecords(make([]byte, 32), nil, map[string][]extension.Flag{"SH": {100}})[1:2],
	)
	got := string(tshark(t, home, file, "-Y", "tlsflags", "-T", "fields", "-e", "tlsflags.message", "-e", "tlsflags.flag", "-e", "tlsflags.error"))
	if want := "ClientHello,ClientHello\t0\tempty_data\nServerHello\t100\t\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
