package cli

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/corpus"
)

// hostile is what a client may call the server or a protocol.
const hostile = "=a\x1b[2J\n\x07\x00\x7f\u009b\u202e\u2028,\"'\\\r\t\xff\xfe\u00e9"

// message returns a ClientHello with the given name and protocol.
func message(name, protocol string) []byte {
	vector := func(length int, parts ...[]byte) []byte {
		body := bytes.Join(parts, nil)
		var b []byte
		for i := length - 1; i >= 0; i-- {
			b = append(b, byte(len(body)>>(8*i)))
		}
		return append(b, body...)
	}
	serverName := vector(2, vector(2, []byte{0}, vector(2, []byte(name))))
	alpn := vector(2, vector(2, vector(1, []byte(protocol))))
	extensions := vector(2, []byte{0, 0}, serverName, []byte{0, 16}, alpn)
	body := bytes.Join([][]byte{{3, 3}, make([]byte, 32), {0}, {0, 2, 0x13, 1}, {1, 0}, extensions}, nil)
	return append([]byte{1}, vector(3, body)...)
}

func TestHostileNames(t *testing.T) {
	file := filepath.Join(t.TempDir(), "hello")
	if err := os.WriteFile(file, message(hostile, hostile), 0o600); err != nil {
		t.Fatal(err)
	}
	const valid = "=a\x1b[2J\n\x07\x00\x7f\u009b\u202e\u2028,\"'\\\r\t\ufffd\ufffd\u00e9"
	const escaped = `\x1b[2J\n\a\x00\x7f\u009b\u202e\u2028,"'\\\r\t\xff\xfeé`

	for _, format := range outputFormats {
		out, code := runCLI(t, "inspect", "--quiet", "--format", format, file)
		if code != 0 {
			t.Fatalf("%s: exit code %d", format, code)
		}
		if i := strings.IndexFunc(out, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 {
			t.Errorf("%s: %q at byte %d of the output", format, out[i], i)
		}
		switch format {
		case "text":
			if !strings.Contains(out, "=a"+escaped) || strings.Count(out, "\n") != 2 {
				t.Errorf("text: not one line with %s: %s", escaped, out)
			}
		case "jsonl":
			var l line
			if err := json.Unmarshal([]byte(out), &l); err != nil {
				t.Fatal(err)
			}
			if got := string(l.ClientHello.ServerName); got != valid {
				t.Errorf("server_name is %q", got)
			}
			if got := l.ClientHello.ALPN[0]; got != valid {
				t.Errorf("alpn is %q", got)
			}
		case "csv":
			rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
			if err != nil || len(rows) != 2 {
				t.Fatalf("csv: %d rows, %v", len(rows), err)
			}
			for i, column := range csvColumns {
				if column.name == "server_name" && rows[1][i] != `\x3da`+escaped {
					t.Errorf("csv: server_name is %s", rows[1][i])
				}
			}
		}
	}
}

// TestDamagedCaptures checks that what comes before a fault is shown, that the fault is
// told, and that it is no failure.
func TestDamagedCaptures(t *testing.T) {
	entry, _ := corpus.Lookup("captures/demo.pcapng")
	demo := entry.Data()
	entry, _ = corpus.Lookup("captures/tcp-openssl-fe01-80.pcap")
	pcap := entry.Data()
	linkType := bytes.Clone(pcap)
	linkType[20] = 147 // reserved for private use

	tests := map[string]struct {
		capture []byte
		hellos  int
		code    int
		stderr  string
	}{
		"pcapng cut in a block":   {demo[:len(demo)-5], 12, 0, "; what came before it is shown\n"},
		"pcapng cut in the first": {demo[:20], 0, 3, ""},
		"pcap cut in a packet":    {pcap[:len(pcap)-5], 1, 0, "; what came before it is shown\n"},
		"pcap without packets":    {pcap[:24], 0, 0, "1 input, 0 packets"},
		"pcap cut in its header":  {pcap[:10], 0, 3, "tlsflags: capture: "},
		"an unknown link type":    {linkType, 0, 0, "warning: 9 packets of an unknown link type (147)\n"},
		"gzip without an end":     {[]byte{0x1f, 0x8b, 8, 0}, 0, 3, "tlsflags: capture: "},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			if err := os.WriteFile("capture", test.capture, 0o600); err != nil {
				t.Fatal(err)
			}
			var stdout, stderr bytes.Buffer
			code := Run(t.Context(), []string{"inspect", "-f", "jsonl", "capture"}, nil, &stdout, &stderr)
			if hellos := strings.Count(stdout.String(), "\n"); hellos != test.hellos {
				t.Errorf("%d hellos, want %d", hellos, test.hellos)
			}
			if code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			if !strings.Contains(stderr.String(), test.stderr) {
				t.Errorf("standard error is %q, want %q in it", stderr.String(), test.stderr)
			}
		})
	}
}

// TestDatagrams takes datagrams out of captures and inspects them as they are.
func TestDatagrams(t *testing.T) {
	for file, want := range map[string]string{
		"captures/quic-v1-one-initial-quic-go.pcapng": "quic-go.demo.example ",
		"captures/dtls12-openssl-ext62-80.pcapng":     "openssl.demo.example ",
		// The first of two: the hello is longer.
		"captures/quic-v1-chromium-156.pcapng": "- - refused: truncated at byte LENGTH: ",
	} {
		t.Run(file, func(t *testing.T) {
			entry, _ := corpus.Lookup(file)
			var stdout, stderr bytes.Buffer
			datagram := firstDatagram(t, entry.Data())
			code := Run(t.Context(), []string{"inspect", "-"}, bytes.NewReader(datagram), &stdout, &stderr)
			want := strings.ReplaceAll(want, "LENGTH", strconv.Itoa(len(datagram)))
			if code != 0 || !strings.HasPrefix(nameOn(stdout.String()), want) {
				t.Errorf("exit code %d, %q, %q", code, stdout.String(), stderr.String())
			}
		})
	}
}

// TestUnreadable checks that an input that cannot be read is a failure, with its reason.
func TestUnreadable(t *testing.T) {
	for name, begin := range map[string]string{"at once": "", "later": "0100"} {
		failed := false
		in := io.MultiReader(strings.NewReader(begin), readerFunc(func([]byte) (int, error) {
			if failed && begin == "" {
				return 0, io.EOF
			}
			failed = true
			return 0, errors.New("no such luck")
		}))
		var stdout, stderr bytes.Buffer
		code := Run(t.Context(), []string{"inspect", "-q", "-"}, in, &stdout, &stderr)
		if Exit(code) != ExitInput || stderr.String() != "tlsflags: -: no such luck\n" || stdout.Len() > 0 {
			t.Errorf("%s: exit %d, %q, %q", name, code, stdout.String(), stderr.String())
		}
	}
}

// TestMemoryLimit checks that inspect sets a limit, unless there is one, and takes it away.
func TestMemoryLimit(t *testing.T) {
	for limit, want := range map[int64]int64{math.MaxInt64: capture.DefaultMaxMemory + 16<<20, 1 << 30: 1 << 30} {
		before := debug.SetMemoryLimit(limit)
		var during int64
		in := readerFunc(func([]byte) (int, error) {
			during = debug.SetMemoryLimit(-1)
			return 0, io.EOF
		})
		Run(t.Context(), []string{"inspect", "-"}, in, io.Discard, io.Discard)
		if after := debug.SetMemoryLimit(before); during != want || after != limit {
			t.Errorf("limit %d: %d while inspect runs, want %d, and %d after it", limit, during, want, after)
		}
	}
}

// TestProgress checks that the bar appears after a second, and goes before other output.
func TestProgress(t *testing.T) {
	var b bytes.Buffer
	p := &progress{w: &b}
	p.begin("an input", 100)
	p.start = p.start.Add(time.Hour) // not a second ago
	p.add(10)
	if b.Len() > 0 || p.drawn {
		t.Errorf("at once: %q", b.String())
	}
	p.begin("a\u009b name", 100)
	p.start = time.Time{} // long ago
	p.add(40)
	if !strings.Contains(b.String(), `a\u009b name  40%`) {
		t.Errorf("after a second: %q", b.String())
	}
	b.Reset()
	w := &outputWriter{io.Discard, p}
	for range 2 {
		w.Write(nil)
	}
	if strings.Count(b.String(), "\r") != 2 || p.drawn {
		t.Errorf("before output: %q", b.String())
	}
	p.finish()
	if p.add(1); p.drawn {
		t.Error("it is drawn after the end of the input")
	}
	none := newProgress(&b, true)
	none.begin("an input", 100)
	none.add(10)
	if none.bar != nil {
		t.Error("there is a bar without a terminal")
	}
}

func firstDatagram(t *testing.T, pcapng []byte) []byte {
	t.Helper()
	r, err := pcapgo.NewNgReader(bytes.NewReader(pcapng), pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	for {
		data, _, err := r.ReadPacketData()
		if err != nil {
			t.Fatal(err)
		}
		packet := gopacket.NewPacket(data, r.LinkType(), gopacket.Default)
		if udp, ok := packet.Layer(layers.LayerTypeUDP).(*layers.UDP); ok {
			return udp.Payload
		}
	}
}

// TestBrokenPipe checks that a closed output is no failure, and that nothing is printed about it.
func TestBrokenPipe(t *testing.T) {
	entry, _ := corpus.Lookup("captures/demo.pcapng")
	for _, args := range [][]string{
		{"inspect", "-"}, {"inspect", "--stats", "-"}, {"inspect", "--format", "json", "-", "missing"},
	} {
		var stderr bytes.Buffer
		code := Run(t.Context(), args, bytes.NewReader(entry.Data()), brokenPipe{}, &stderr)
		if code != 0 || stderr.Len() > 0 {
			t.Errorf("%q: exit code %d, standard error %q", args, code, stderr.String())
		}
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) {
	return 0, &os.PathError{Op: "write", Path: "/dev/stdout", Err: syscall.EPIPE}
}

// TestInterrupt checks that an interrupted run prints what it found, and its summary.
func TestInterrupt(t *testing.T) {
	entry, _ := corpus.Lookup("captures/demo.pcapng")
	ctx, interrupt := context.WithCancel(t.Context())
	var stdout, stderr bytes.Buffer
	in := io.MultiReader(bytes.NewReader(entry.Data()), readerFunc(func([]byte) (int, error) {
		interrupt()
		return 0, errors.New("interrupted")
	}))
	code := Run(ctx, []string{"inspect", "-"}, in, &stdout, &stderr)
	if hellos := strings.Count(stdout.String(), " tcp "); code != 0 || hellos != 12 {
		t.Errorf("exit code %d, %d hellos", code, hellos)
	}
	if lines := strings.Count(stderr.String(), "\n"); lines != 1 || !strings.HasPrefix(stderr.String(), "1 input, 169 packets") {
		t.Errorf("standard error is %q", stderr.String())
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }
