package cli

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
	"golang.org/x/crypto/cryptobyte"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/handshake"
	"github.com/tlsflags/tlsflags/internal/testenv"
	"github.com/tlsflags/tlsflags/reqmtls/client/tls13"
)

// A connection is made here whose server does what crypto/tls cannot: it sets flags.
const (
	testSuite = 0x1301
	byServer  = handshake.FromServer
	byClient  = handshake.FromClient
)

var testSecrets = tls13.Secrets{
	ClientHandshake: bytes.Repeat([]byte{1}, 32),
	ServerHandshake: bytes.Repeat([]byte{2}, 32),
	ServerTraffic:   bytes.Repeat([]byte{3}, 32),
}

type tlsRecord struct {
	from handshake.Sender
	data []byte
}

// flagsOf returns an extension block with its length and one tls_flags.
func flagsOf(flags ...extension.Flag) []byte {
	set, err := extension.NewFlagSet(flags...)
	if err != nil {
		panic(err)
	}
	b, _ := set.AppendExtension(nil, extension.TLSFlags) // none for no flag
	return b
}

func build(msgType byte, fields ...[]byte) []byte {
	var b cryptobyte.Builder
	b.AddUint8(msgType)
	b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(bytes.Join(fields, nil)) })
	return b.BytesOrPanic()
}

func withLength(b []byte) []byte { return append([]byte{byte(len(b) >> 8), byte(len(b))}, b...) }

// connectionRecords returns the records of a connection with TLS flags everywhere. The
// client's are given; the server sets those of every message, by name.
func connectionRecords(random []byte, offer []extension.Flag, set map[string][]extension.Flag) []tlsRecord {
	versions := []byte{0, 43, 0, 3, 2, 3, 4}
	selected := []byte{0, 43, 0, 2, 3, 4}
	hello := build(1, []byte{3, 3}, random, []byte{0, 0, 2, 0x13, 1, 1, 0}, withLength(append(versions, flagsOf(offer...)...)))
	serverHello := build(2, []byte{3, 3}, make([]byte, 32), []byte{0, 0x13, 1, 0}, withLength(append(selected, flagsOf(set["SH"]...)...)))
	entry := append([]byte{0, 0, 1, 0x30}, withLength(flagsOf(set["CT"]...))...)
	clientEntry := append([]byte{0, 0, 1, 0x30}, withLength(flagsOf(set["client CT"]...))...)
	flight := bytes.Join([][]byte{
		build(8, withLength(flagsOf(set["EE"]...))),
		build(13, []byte{0}, withLength(append([]byte{0, 13, 0, 4, 0, 2, 8, 4}, flagsOf(set["CR"]...)...))),
		build(11, []byte{0, 0, 0, byte(len(entry))}, entry),
		build(15, make([]byte, 8)),
		build(20, make([]byte, 32)),
	}, nil)
	ticket := build(4, make([]byte, 8), []byte{0, 0, 1, 7}, withLength(flagsOf(set["NST"]...)))

	keys := func(secret []byte) *tls13.Keys {
		k, err := tls13.NewKeys(testSuite, secret)
		if err != nil {
			panic(err)
		}
		return k
	}
	plain := func(msg []byte) []byte { return append([]byte{22, 3, 3}, withLength(msg)...) }
	serverKeys, clientKeys := keys(testSecrets.ServerHandshake), keys(testSecrets.ClientHandshake)
	return []tlsRecord{
		{byClient, plain(hello)},
		{byServer, plain(serverHello)},
		{byServer, []byte{20, 3, 3, 0, 1, 1}},
		{byServer, serverKeys.Seal(22, flight[:7])},
		{byServer, serverKeys.Seal(22, flight[7:])},
		{byClient, clientKeys.Seal(22, build(11, []byte{0, 0, 0, byte(len(clientEntry))}, clientEntry))},
		{byClient, clientKeys.Seal(22, build(20, make([]byte, 32)))},
		{byServer, keys(testSecrets.ServerTraffic).Seal(22, ticket)},
	}
}

// writeConnections writes a capture with a connection for each list of records, from
// ports 40000 and up, whose segments are swapped two by two.
func writeConnections(t *testing.T, path string, connections ...[]tlsRecord) {
	t.Helper()
	var file bytes.Buffer
	w := pcapgo.NewWriter(&file)
	if err := w.WriteFileHeader(1<<16, layers.LinkTypeRaw); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	packet := func(port layers.TCPPort, from handshake.Sender, tcp layers.TCP, payload []byte) {
		ip := &layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolTCP, SrcIP: []byte{192, 0, 2, 1}, DstIP: []byte{192, 0, 2, 2}}
		tcp.SrcPort, tcp.DstPort = port, 443
		if from == byServer {
			ip.SrcIP, ip.DstIP = ip.DstIP, ip.SrcIP
			tcp.SrcPort, tcp.DstPort = tcp.DstPort, tcp.SrcPort
		}
		b := gopacket.NewSerializeBuffer()
		if err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true}, ip, &tcp, gopacket.Payload(payload)); err != nil {
			t.Fatal(err)
		}
		at = at.Add(time.Millisecond)
		info := gopacket.CaptureInfo{Timestamp: at, CaptureLength: len(b.Bytes()), Length: len(b.Bytes())}
		if err := w.WritePacket(info, b.Bytes()); err != nil {
			t.Fatal(err)
		}
	}
	for i, records := range connections {
		port := layers.TCPPort(40000 + i)
		seq := [2]uint32{^uint32(0) - 20, 1000}
		packet(port, byClient, layers.TCP{SYN: true, Seq: seq[byClient]}, nil)
		packet(port, byServer, layers.TCP{SYN: true, ACK: true, Seq: seq[byServer], Ack: seq[byClient] + 1, Window: 1 << 15}, nil)
		seq[0]++
		seq[1]++
		for _, r := range records {
			half := len(r.data) / 2
			packet(port, r.from, layers.TCP{ACK: true, Seq: seq[r.from] + uint32(half), Ack: seq[1-r.from], Window: 1 << 15}, r.data[half:])
			packet(port, r.from, layers.TCP{ACK: true, Seq: seq[r.from], Ack: seq[1-r.from], Window: 1 << 15}, r.data[:half])
			seq[r.from] += uint32(len(r.data))
		}
	}
	if err := os.WriteFile(path, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

func writeKeyLog(t *testing.T, path string, randoms ...[]byte) {
	t.Helper()
	var log strings.Builder
	for _, random := range randoms {
		for label, secret := range map[string][]byte{
			"CLIENT_HANDSHAKE_TRAFFIC_SECRET": testSecrets.ClientHandshake,
			"SERVER_HANDSHAKE_TRAFFIC_SECRET": testSecrets.ServerHandshake,
			"SERVER_TRAFFIC_SECRET_0":         testSecrets.ServerTraffic,
		} {
			fmt.Fprintf(&log, "%s %x %x\n", label, random, secret)
		}
	}
	if err := os.WriteFile(path, []byte(log.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

// runChecked runs the command, checks its output against the schema and returns it.
func runChecked(t *testing.T, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := Run(context.Background(), args, nil, &stdout, &stderr); code != 0 {
		t.Fatalf("exit code %d: %s", code, &stderr)
	}
	if err := validate(filepath.Join(testenv.Root(t), "docs"), args, stdout.Bytes()); err != nil {
		t.Fatal(err)
	}
	return stdout.String()
}

// summaryOf names the messages, their flags and the verdicts of a line.
func summaryOf(t *testing.T, l line) []string {
	t.Helper()
	var list []string
	for who, flags := range map[string][]sentFlags{"server": l.ServerFlags, "client": l.ClientFlags} {
		for i, f := range flags {
			text := fmt.Sprintf("%s %d %s", who, i, f.Message)
			for _, flag := range f.Flags {
				text += fmt.Sprintf(" %d", flag.Value)
			}
			if f.Verdict != nil {
				text += " " + f.Verdict.Code
			}
			list = append(list, text)
		}
	}
	return list
}

func TestInspectKeyLog(t *testing.T) {
	random := func(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }
	dir := t.TempDir()
	file, keyLog := filepath.Join(dir, "a.pcap"), filepath.Join(dir, "keys")
	good := map[string][]extension.Flag{"CR": {80}, "NST": {8}}
	bad := map[string][]extension.Flag{"SH": {100}, "EE": {3, 4}, "CR": {80}, "CT": {80}, "client CT": {5}, "NST": {80}}
	writeConnections(t, file,
		connectionRecords(random(0xa1), []extension.Flag{80}, good),
		connectionRecords(random(0xa2), []extension.Flag{3}, bad),
		connectionRecords(random(0xa3), nil, map[string][]extension.Flag{"EE": {3}}),
		connectionRecords(random(0xa4), []extension.Flag{80}, good), // without secrets
	)
	writeKeyLog(t, keyLog, random(0xa1), random(0xa2), random(0xa3))
	out := runChecked(t, "inspect", "--format", "jsonl", "--keylog", keyLog, file)
	want := map[string][]string{
		hex.EncodeToString(random(0xa1)): {"client 0 ClientHello 80", "server 0 CertificateRequest 80", "server 1 NewSessionTicket 8"},
		hex.EncodeToString(random(0xa2)): {
			"client 0 ClientHello 3", "client 1 Certificate 5 flag_unsolicited",
			"server 0 ServerHello 100 flag_unsolicited", "server 1 EncryptedExtensions 3 4 flag_unsolicited",
			"server 2 CertificateRequest 80 flag_unsolicited", "server 3 Certificate 80 flag_unsolicited",
			"server 4 NewSessionTicket 80 flag_misplaced",
		},
		hex.EncodeToString(random(0xa3)): {"server 0 EncryptedExtensions 3 flags_unrequested"},
		hex.EncodeToString(random(0xa4)): nil,
	}
	acknowledged := map[string]*bool{
		hex.EncodeToString(random(0xa1)): new(true), hex.EncodeToString(random(0xa2)): new(false),
		hex.EncodeToString(random(0xa3)): new(false), hex.EncodeToString(random(0xa4)): nil,
	}
	got := make(map[string][]string)
	for text := range strings.Lines(out) {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatal(err)
		}
		id := *l.ClientHello.Random
		got[id] = summaryOf(t, l)
		if diff := cmp.Diff(acknowledged[id], l.Acknowledged); diff != "" {
			t.Errorf("%s: acknowledged (-want +got):\n%s", id, diff)
		}
		if (l.ServerFlags == nil) != (l.Acknowledged == nil) {
			t.Errorf("%s: server_flags is null: %t", id, l.ServerFlags == nil)
		}
	}
	sorted := cmp.Transformer("sort", func(list []string) map[string]bool {
		set := make(map[string]bool)
		for _, s := range list {
			set[s] = true
		}
		return set
	})
	if diff := cmp.Diff(want, got, sorted); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	log, err := os.Open(keyLog)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	var stdout, stderr bytes.Buffer
	if code := Run(t.Context(), []string{"inspect", "--format", "jsonl", "--keylog", "-", file}, log, &stdout, &stderr); code != 0 || stdout.String() != out {
		t.Errorf("with the key log on standard input: exit code %d, %s", code, &stderr)
	}

	text := runChecked(t, "inspect", "--color", "never", "--keylog", keyLog, file)
	for _, want := range []string{
		"; CertificateRequest has tls_flags(62) request_mtls(80); NewSessionTicket has tls_flags(62) resumption_across_names(8); request_mtls acknowledged\n",
		"; EncryptedExtensions has tls_flags(62) flag 3, flag 4 (flag_unsolicited; alert illegal_parameter); ",
		"no tls_flags; EncryptedExtensions has tls_flags(62) flag 3 (flags_unrequested; alert unsupported_extension)\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestInspectKeyLogFaults(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty")
	if err := os.WriteFile(empty, []byte("# nothing\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	keyLog := filepath.Join(dir, "keys")
	writeKeyLog(t, keyLog, make([]byte, 32))
	tests := []struct {
		name string
		args []string
		want Exit
		text string
	}{
		{"a key log that is not there", []string{"--keylog", filepath.Join(dir, "missing"), "x.pcap"}, ExitInput, "no such file or directory"},
		{"a key log without secrets", []string{"--keylog", empty, "x.pcap"}, ExitInput, "no secrets of TLS 1.3 in it"},
		{"standard input", []string{"--keylog", keyLog, "-"}, ExitUsage, "cannot be read twice"},
		{"standard input for both", []string{"--keylog", "-", "-"}, ExitUsage, "cannot be read twice"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			code := Run(context.Background(), append([]string{"inspect"}, tt.args...), nil, &stdout, &stderr)
			if Exit(code) != tt.want || !strings.Contains(stderr.String(), tt.text) {
				t.Errorf("exit code %d, %s", code, &stderr)
			}
		})
	}
}

// followIn follows the connections of a capture.
func followIn(t *testing.T, path string, log tls13.KeyLog, o capture.Options) (followed, losses) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	found, lost, err := follow(f, log, o)
	if err != nil {
		t.Fatal(err)
	}
	return found, lost
}

// TestFollowLosses checks which connections count as lost if there is no room for others.
func TestFollowLosses(t *testing.T) {
	random := bytes.Repeat([]byte{0xa1}, 32)
	log := tls13.KeyLog{[32]byte(random): testSecrets}
	records := connectionRecords(random, []extension.Flag{80}, map[string][]extension.Flag{"CR": {80}})
	// A hello that never becomes whole.
	part := []tlsRecord{{byClient, append([]byte{22, 3, 1, 0x3f, 0xf0, 1, 0, 0x3f, 0xec}, make([]byte, 12<<10)...)}}
	serverFlight := 5 // records up to the server's Finished
	tests := []struct {
		name        string
		connections [][]tlsRecord
		options     capture.Options
		known, lost bool // of the connection with secrets
		losses      string
	}{
		{"room for all", [][]tlsRecord{part, records}, capture.Options{}, true, false, ""},
		{"others before it", [][]tlsRecord{part, part, part, records}, capture.Options{MaxFlows: 2}, true, false, "2 connections not followed to the end"},
		{"others in the middle of it", [][]tlsRecord{records[:4], part, part}, capture.Options{MaxFlows: 2}, true, true, "1 connection not followed to the end"},
		{"others after the Finished of the server", [][]tlsRecord{records[:serverFlight], part, part}, capture.Options{MaxFlows: 2}, true, false, "1 connection not followed to the end"},
		{"bytes of others", [][]tlsRecord{part, part, part, records}, capture.Options{MaxMemory: 30 << 10}, true, false, "2 connections not followed to the end"},
		{"others after its end", [][]tlsRecord{records, part, part, part}, capture.Options{MaxFlows: 3}, true, false, "1 connection not followed to the end"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "a.pcap")
			writeConnections(t, file, tt.connections...)
			found, losses := followIn(t, file, log, tt.options)
			c := found[[32]byte(random)]
			if (c != nil) != tt.known || c != nil && c.lost != tt.lost || losses.String() != tt.losses {
				t.Errorf("%+v, losses %q", c, losses)
			}
		})
	}
}

// TestKeyLogOfCapture checks that the secrets may be in the capture itself.
func TestKeyLogOfCapture(t *testing.T) {
	dir := t.TempDir()
	file, keyLog := filepath.Join(dir, "a.pcap"), filepath.Join(dir, "keys")
	random := bytes.Repeat([]byte{0xa1}, 32)
	writeConnections(t, file, connectionRecords(random, []extension.Flag{80}, map[string][]extension.Flag{"CR": {80}}))
	writeKeyLog(t, keyLog, random)
	want := runChecked(t, "inspect", "-f", "jsonl", "--keylog", keyLog, file)
	secrets, err := os.ReadFile(keyLog)
	if err != nil {
		t.Fatal(err)
	}
	word := func(n int) []byte { return binary.LittleEndian.AppendUint32(nil, uint32(n)) }
	block := func(kind int, parts ...[]byte) []byte {
		body := bytes.Join(parts, nil)
		body = append(body, make([]byte, -len(body)&3)...)
		return bytes.Join([][]byte{word(kind), word(12 + len(body)), body, word(12 + len(body))}, nil)
	}
	pcapng := append(block(0x0a0d0d0a, word(0x1a2b3c4d), word(1), word(-1), word(-1)), block(10, word(0x544c534b), word(len(secrets)), secrets)...)
	if err := os.WriteFile(keyLog, pcapng, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := runChecked(t, "inspect", "-f", "jsonl", "--keylog", keyLog, file); got != want || !strings.Contains(got, "CertificateRequest") {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if err := os.WriteFile(keyLog, pcapng[:len(pcapng)-len(secrets)], 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	if code := Run(t.Context(), []string{"inspect", "--keylog", keyLog, file}, nil, &stdout, &stderr); Exit(code) != ExitInput || !strings.Contains(stderr.String(), "the capture is cut short") {
		t.Errorf("exit %d, %s", code, &stderr)
	}
}

// TestFollowKeepsFewMessages checks the limit on the messages with flags that are kept.
func TestFollowKeepsFewMessages(t *testing.T) {
	dir := t.TempDir()
	file, keyLog := filepath.Join(dir, "a.pcap"), filepath.Join(dir, "keys")
	random := bytes.Repeat([]byte{0xa1}, 32)
	records := connectionRecords(random, []extension.Flag{80}, map[string][]extension.Flag{"CR": {80}, "NST": {8}})
	keys, err := tls13.NewKeys(testSuite, testSecrets.ServerTraffic)
	if err != nil {
		t.Fatal(err)
	}
	ticket := build(4, make([]byte, 8), []byte{0, 0, 1, 7}, withLength(flagsOf(8)))
	const tickets = 100
	records[len(records)-1].data = keys.Seal(22, bytes.Repeat(ticket, tickets))
	writeConnections(t, file, records)
	writeKeyLog(t, keyLog, random)
	var stdout, stderr bytes.Buffer
	if code := Run(t.Context(), []string{"inspect", "-f", "jsonl", "--keylog", keyLog, file}, nil, &stdout, &stderr); code != 0 {
		t.Fatalf("exit %d, %s", code, &stderr)
	}
	var l line
	if err := json.Unmarshal(stdout.Bytes(), &l); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("%s: warning: --keylog: the flags of %d messages left out to save memory\n", file, tickets+1-maxSent)
	if len(l.ServerFlags) != maxSent || !strings.Contains(stderr.String(), want) {
		t.Errorf("%d messages, %s", len(l.ServerFlags), &stderr)
	}
}
