package bench

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"
)

var document = flag.String("document", "", "also run tshark and gopacket, and write the tables to this `file`")

// fields are eight that both inspect and tshark show.
var fields = []struct{ ours, tshark string }{
	{"time", "frame.time_epoch"},
	{"src_ip", "ip.src"},
	{"src_port", "tcp.srcport"},
	{"dst_ip", "ip.dst"},
	{"dst_port", "tcp.dstport"},
	{"client_hello.server_name", "tls.handshake.extensions_server_name"},
	{"client_hello.alpn", "tls.handshake.extensions_alpn_str"},
	{"client_hello.cipher_suites", "tls.handshake.ciphersuite"},
}

// others returns what inspect is compared with in the document.
func others(inspect string) []run {
	ours := make([]string, len(fields))
	shark := run{name: "tshark, the same 8 fields", program: "tshark", once: true,
		args: []string{"-n", "-Y", "tls.handshake.type==1", "-T", "fields", "-E", "separator=,", "-E", "quote=d"}}
	for i, f := range fields {
		ours[i] = f.ours
		shark.args = append(shark.args, "-e", f.tshark)
	}
	shark.args = append(shark.args, "-r")
	list := []run{
		{name: "inspect -f csv, 8 fields", program: inspect, args: []string{"inspect", "--quiet", "-f", "csv", "--fields", strings.Join(ours, ",")}},
		loop("gopacket"),
	}
	if _, err := exec.LookPath("tshark"); err == nil {
		list = append(list, shark)
	}
	return list
}

// names are how the document names programs, if not as code.
var names = map[string]string{
	"bare loop":     "gopacket's DecodingLayerParser, nothing else",
	"open loop":     "the decoding loop, and opening the Initials with the standard library",
	"gopacket loop": "gopacket's NewPacket and its layer of TLS, without reassembly",

	"inspect -f csv, 8 fields":  "`inspect -f csv` with 8 fields",
	"tshark, the same 8 fields": "tshark with the same 8 fields",
}

// table returns a table in Markdown.
func (s shape) table(size int64, runs []run, used []usage) string {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s: %s\n\n", s.name, s.about(size))
	fmt.Fprint(&b, "| program | CPU, ms | relative to the decoding loop | resident, MB |\n| --- | --- | --- | --- |\n")
	for i, r := range runs {
		name := names[r.name]
		if name == "" {
			name = "`" + r.name + "`"
		}
		fmt.Fprintf(&b, "| %s | %d | %.1f | %d |\n", name, used[i].cpu.Milliseconds(), used[i].over(used[1]), used[i].memory>>20)
	}
	return b.String()
}

func (s shape) about(size int64) string {
	switch s.name {
	case "one":
		return "one packet, which is what a start costs"
	case "quic":
		return fmt.Sprintf("%d QUIC connections, %d MB", s.flows, size>>20)
	}
	return fmt.Sprintf("%d TCP connections, %d MB", s.flows, size>>20)
}

const head = `# Speed

How much does ` + "`tlsflags inspect`" + ` cost, and what do other programs cost on the same capture? ` + "`make bench-table`" + `
writes this page; ` + "`make bench`" + ` checks the promises without the other programs.

CPU is user and system time, the lowest of five runs that take turns (tshark: one run), with output to /dev/null. The
captures are written by [bench/shapes](../bench/shapes/main.go): their hellos are the recorded ones of the corpus, in turn.

`

const elsewhere = `
## Programs that are not run here

Measured once, in November 2026. The CPU time is relative to that of ` + "`inspect --stats`" + ` at commit 577b794 in the same
run. The captures had 20,000 (bulk), 300,000 (short) and 75,000 (QUIC) connections.

| program | bulk | short | QUIC |
| --- | --- | --- | --- |
| cisco/mercury, --reassembly, JSON | 0.7 | 1.4 | 3.9 |
| cisco/mercury, --reassembly --metadata, JSON | 0.9 | 2.1 | 4.3 |
| nDPI 4.2, ndpiReader | 3.9 | 11.7 | 5.0 |
`

func writeDocument(t *testing.T, tables []string) {
	t.Helper()
	text := head + fmt.Sprintf("Measured in %s with %s, %s/%s, %d cores.\n\n", time.Now().Format("January 2006"), runtime.Version(),
		runtime.GOOS, runtime.GOARCH, runtime.NumCPU()) + strings.Join(tables, "\n") + elsewhere
	if err := os.WriteFile(*document, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
