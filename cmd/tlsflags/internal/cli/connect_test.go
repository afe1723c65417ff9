package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/codepoint"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/golden"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/probe"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/testenv"
)

// startServe runs serve with the given arguments and returns its URL and its folder.
func startServe(t *testing.T, args ...string) (url, dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "demo")
	ctx, cancel := context.WithCancel(t.Context())
	out, stdout := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		args := append([]string{"serve", "--quiet", "--listen", "127.0.0.1:0", "--dir", dir}, args...)
		ended <- Run(ctx, args, strings.NewReader(""), stdout, io.Discard)
		stdout.Close()
	}()
	t.Cleanup(func() {
		cancel()
		if code := <-ended; code != 0 {
			t.Errorf("serve ended with %d", code)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	url, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "listening on ")
	if !ok {
		t.Fatalf("the first line is %q", line)
	}
	return url, dir
}

// TestServeTemporary checks that serve without --dir has a folder until it ends, and logs
// the files in it.
func TestServeTemporary(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	if os.TempDir() != temp {
		testenv.Skip(t, "temporary folders are not where TMPDIR says")
	}
	ctx, cancel := context.WithCancel(t.Context())
	var log bytes.Buffer
	var during []string
	out := writerFunc(func(b []byte) (int, error) { // the address, which comes when the files are there
		during, _ = filepath.Glob(filepath.Join(temp, "*", "*"))
		cancel()
		return len(b), nil
	})
	if code := Run(ctx, []string{"serve", "--listen", "127.0.0.1:0"}, strings.NewReader(""), out, &log); code != 0 {
		t.Errorf("exit %d, %s", code, &log)
	}
	if len(during) != 4 {
		t.Errorf("files: %q", during)
	}
	for _, file := range during {
		if !strings.HasSuffix(file, "ca.key") && !strings.Contains(log.String(), "="+file) {
			t.Errorf("no word of %s in %s", file, &log)
		}
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

// run runs a command and returns its output and exit code.
func run(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	code = Run(t.Context(), args, strings.NewReader(""), &out, &errs)
	return out.String(), errs.String(), code
}

// credentials are the options that name serve's files.
func credentials(dir string) []string {
	file := func(name string) string { return filepath.Join(dir, name) }
	return []string{"--ca", file("ca.pem"), "--cert", file("client.pem"), "--key", file("client.key")}
}

// The error for a server that is not trusted says what to do about it.
func TestUntrustedServer(t *testing.T) {
	url, dir := startServe(t)
	address := strings.TrimPrefix(url, "https://")
	identity := credentials(dir)[2:] // without --ca
	trusted := []string{"--server-name", "elsewhere.example", "--ca", filepath.Join(dir, "ca.pem")}
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"probe", address}, "give its authority with --ca, or --insecure not to verify the server\n"},
		{[]string{"get", url, "--flag", "none"}, "give its authority with --ca, or --insecure not to verify the server\n"},
		{append([]string{"probe", address}, identity...), "unknown authority; give its authority with --ca\n"},
		{append([]string{"get", url}, identity...), "unknown authority; give its authority with --ca\n"},
		{append([]string{"probe", address}, trusted...), "give the name to expect with --server-name\n"},
		{append([]string{"get", url, "--flag", "none"}, trusted...), "give the name to expect with --server-name\n"},
	} {
		if _, errs, code := run(t, tt.args...); code != int(ExitInput) || !strings.HasSuffix(errs, tt.want) {
			t.Errorf("%v: exit %d, %s", tt.args, code, errs)
		}
	}
}

func TestProbeCommand(t *testing.T) {
	url, dir := startServe(t)
	args := append([]string{"probe", strings.TrimPrefix(url, "https://")}, credentials(dir)...)

	t.Run("json", func(t *testing.T) {
		out, errs, code := run(t, append(args, "--format", "json")...)
		if code != 0 || errs != "" {
			t.Fatalf("exit %d, %s", code, errs)
		}
		var got struct {
			Schema, Verdict string
			Runs, Malformed []map[string]any
		}
		if err := json.Unmarshal([]byte(out), &got); err != nil {
			t.Fatal(err)
		}
		if got.Schema != "tlsflags.probe/1" || got.Verdict != "asks" {
			t.Errorf("schema %q, verdict %q", got.Schema, got.Verdict)
		}
		var offers []any
		for _, r := range got.Runs {
			offers = append(offers, r["offer"])
			if offered := r["offer"] != nil; r["certificate_requested"] != offered || r["certificate_given"] != offered || r["acknowledged"] != false {
				t.Errorf("run %v", r)
			}
		}
		if diff := cmp.Diff([]any{nil, 62.0, 65025.0}, offers); diff != "" {
			t.Errorf("offers (-want +got):\n%s", diff)
		}
		cases := make(map[string]bool)
		for _, c := range got.Malformed {
			cases[c["case"].(string)] = true
			if want := c["case"] != "duplicate_extension"; c["verdict"] == "ignores" != want || (c["alert"] == nil) != want {
				t.Errorf("case %v", c)
			}
		}
		want := []string{
			"all_zero", "all_zero_octets", "duplicate_extension", "empty_data", "empty_vector",
			"inner_too_long", "too_many_octets", "trailing_bytes", "trailing_zero",
		}
		if diff := cmp.Diff(want, slices.Sorted(maps.Keys(cases))); diff != "" {
			t.Errorf("cases (-want +got):\n%s", diff)
		}
	})
	t.Run("text", func(t *testing.T) {
		out, _, code := run(t, args...)
		for _, want := range []string{", flag request_mtls (80): asks", "type 0xfe01", "trailing_zero (62)", "tlsflags demo authority"} {
			if code != 0 || !strings.Contains(out, want) {
				t.Errorf("exit %d, %q is missing in\n%s", code, want, out)
			}
		}
	})
	t.Run("expect", func(t *testing.T) {
		if _, errs, code := run(t, append(args, "--expect", "asks")...); code != 0 {
			t.Errorf("exit %d, %s", code, errs)
		}
		if _, errs, code := run(t, append(args, "--expect", "acknowledges")...); code != 1 || !strings.HasSuffix(errs, `: expected verdict "acknowledges", got "asks"`+"\n") {
			t.Errorf("exit %d, %s; want 1", code, errs)
		}
	})
}

// probed is what probe may find.
func probed() probe.Result {
	point := func(value uint32, name string) *codePoint { return new(codepoint.Of(value, name)) }
	plain := probe.Handshake{Completed: true, TLSVersion: point(772, "TLS 1.3")}
	asked := plain
	asked.CertificateRequested, asked.CertificateGiven, asked.Acknowledged = true, true, true
	asked.Authorities = []string{"CN=b", "CN=a\u009b", "CN=b"}
	refused := probe.Handshake{CertificateRequested: true, Alert: point(42, "bad_certificate"), Error: new("remote error")}
	cut := probe.Handshake{Error: new("EOF\u009b")}
	return probe.Result{
		Target: "a:443\u009b", Flag: 80, Verdict: probe.Acknowledges,
		Runs: []probe.Run{
			{Handshake: plain},
			{Offer: new(extension.TLSFlags), Verdict: new(probe.Acknowledges), Handshake: asked},
			{Offer: new(extension.TLSFlagsExperimental), Verdict: new(probe.Asks), Handshake: refused},
		},
		Malformed: []probe.Case{
			{Case: "all_zero", Type: 62, Verdict: probe.Rejects, Handshake: cut},
			{Case: "empty_data", Type: 65025, Verdict: probe.Honours, Handshake: asked},
		},
	}
}

// TestPrintProbe compares the whole table.
func TestPrintProbe(t *testing.T) {
	r := probed()
	var b strings.Builder
	if err := printProbe(&b, r, 0); err != nil {
		t.Fatal(err)
	}
	golden.Compare(t, "probe.txt", b.String())
	for _, end := range []string{"acknowledges", "CN="} {
		full := writerFunc(func(b []byte) (int, error) {
			if strings.Contains(string(b), end) {
				return 0, io.ErrShortWrite
			}
			return len(b), nil
		})
		if err := printProbe(full, r, 0); err != io.ErrShortWrite {
			t.Errorf("an output that fails at %q: %v", end, err)
		}
	}
}

// A server that sends the flag to a client without it is not said to acknowledge it.
func TestPrintProbeUnsolicited(t *testing.T) {
	var b strings.Builder
	run := probe.Run{Handshake: probe.Handshake{Completed: true, CertificateRequested: true, RequestFlags: []extension.Flag{80}}}
	if err := printProbe(&b, probe.Result{Flag: 80, Runs: []probe.Run{run}}, 0); err != nil {
		t.Fatal(err)
	}
	if out := b.String(); !strings.Contains(out, "unsolicited") {
		t.Errorf("no word of it in\n%s", out)
	}
}

// TestAnotherNumber checks that serve, get and probe agree on other numbers of
// request_mtls, of which 0 is one.
func TestAnotherNumber(t *testing.T) {
	for _, number := range []string{"17", "0"} {
		t.Run(number, func(t *testing.T) {
			url, dir := startServe(t, "--flag", number)
			with := func(args ...string) []string { return append(append(args, "--flag", number), credentials(dir)...) }
			out, errs, code := run(t, with("get", url+"/json")...)
			for _, want := range []string{`"tls_flags":[` + number + `]`, `"certificate_requested":true`, `"certificate_given":true`} {
				if code != 0 || !strings.Contains(out, want) {
					t.Errorf("get: exit %d, %s%s lacks %s", code, errs, out, want)
				}
			}
			out, errs, code = run(t, append([]string{"get", url + "/json", "--flag", "80"}, credentials(dir)...)...)
			if want := `"certificate_requested":false`; code != 0 || !strings.Contains(out, want) {
				t.Errorf("get with flag 80: exit %d, %s%s lacks %s", code, errs, out, want)
			}
			if out, errs, code := run(t, with("probe", strings.TrimPrefix(url, "https://"), "--expect", "asks")...); code != 0 {
				t.Errorf("probe: exit %d, %s%s", code, errs, out)
			}
		})
	}
}

// TestServeType checks that serve ignores flags under another type than that of --type.
func TestServeType(t *testing.T) {
	url, dir := startServe(t, "--type", "65025")
	for number, want := range map[string]string{"62": `"certificate_requested":false`, "65025": `"certificate_requested":true`} {
		out, errs, code := run(t, append([]string{"get", url + "/json", "--type", number}, credentials(dir)...)...)
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("type %s: exit %d, %s%s lacks %s", number, code, errs, out, want)
		}
	}
}

// TestServeRequire checks that a client without a certificate is refused in mode require alone.
func TestServeRequire(t *testing.T) {
	for mode, alerts := range map[string]int{"verify": 0, "request": 0, "require": 2} {
		url, dir := startServe(t, "--mode", mode)
		out, errs, code := run(t, "probe", strings.TrimPrefix(url, "https://"), "--ca", filepath.Join(dir, "ca.pem"), "--format", "json")
		if got := strings.Count(out, `"name":"bad_certificate"`); code != 0 || got != alerts {
			t.Errorf("%s: exit %d, %d alerts, want %d\n%s%s", mode, code, got, alerts, errs, out)
		}
	}
}

// TestProbeDemanding checks that a server which demands certificates from everybody has a
// verdict, with a certificate, without one, and with one of another authority.
func TestProbeDemanding(t *testing.T) {
	url, dir := startServe(t, "--everybody", "--mode", "require")
	_, other := startServe(t)
	server := []string{"probe", strings.TrimPrefix(url, "https://"), "--expect", "asks everybody"}
	demands := "the server demands a certificate from everybody; give one with --cert and --key\n"
	for name, tt := range map[string]struct {
		args    []string
		demands bool
	}{
		"with a certificate":   {credentials(dir), false},
		"without":              {credentials(dir)[:2], true},
		"of another authority": {append(credentials(dir)[:2], credentials(other)[2:]...), false},
	} {
		out, errs, code := run(t, append(server, tt.args...)...)
		if code != 0 || strings.Contains(out, demands) != tt.demands || !strings.Contains(out, "empty_data (62)") {
			t.Errorf("%s: exit %d, %s%s", name, code, errs, out)
		}
		if n := strings.Count(out, "rejects"); n != 1 { // the duplicate extension
			t.Errorf("%s: %d cases are rejected:\n%s", name, n, out)
		}
	}
}

// TestOldNames checks that options are taken under their old names, with a notice.
func TestOldNames(t *testing.T) {
	url, dir := startServe(t)
	out, errs, code := run(t, append([]string{"get", url + "/json", "--flags", "8,17"}, credentials(dir)...)...)
	if code != 0 || !strings.Contains(out, `"tls_flags":[8,17]`) || errs != "tlsflags: --flags is now called --flag; use that name\n" {
		t.Errorf("exit %d, %s%s", code, out, errs)
	}
	_, errs, code = run(t, "serve", "--strict", "--max-connections", "0")
	if code != 2 || !strings.HasPrefix(errs, "tlsflags: --strict is now called --refuse-malformed; use that name\n") {
		t.Errorf("exit %d, %s", code, errs)
	}
}

func TestServeModes(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{nil, "asks"},
		{[]string{"--refuse-malformed"}, "asks"},
		{[]string{"--everybody"}, "asks everybody"},
		{[]string{"--flag", "17"}, "ignores"},
		{[]string{"--mode", "require"}, "asks"},
		{[]string{"--mode", "request", "--type", "65025"}, "asks"},
	} {
		url, dir := startServe(t, tt.args...)
		args := append([]string{"probe", strings.TrimPrefix(url, "https://"), "--expect", tt.want}, credentials(dir)...)
		if out, errs, code := run(t, args...); code != 0 {
			t.Errorf("%v: exit %d, %s%s", tt.args, code, errs, out)
		}
	}
}
