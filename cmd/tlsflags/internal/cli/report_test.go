package cli

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/internal/testenv"
)

// TestReport checks that the page counts what the captures have, and that nothing else is
// written.
func TestReport(t *testing.T) {
	dir := t.TempDir()
	page := filepath.Join(dir, "out.html")
	if err := os.WriteFile(page, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	captures := filepath.Join(testenv.Root(t), "corpus", "captures")
	out, errs, code := run(t, "inspect", "--report", page, captures)
	if code != 0 || out != "" || !strings.Contains(errs, "74 hellos") {
		t.Errorf("exit %d, %q, %s", code, out, errs)
	}
	text := readPage(t, page)
	for _, want := range []string{
		"<dt>hellos<dd>74<", "<dt>with request_mtls<dd>15 <small>20.3%<", "<li>46 inputs<li>781 packets, 62 flows",
		"<tr><td>tls_flags changed after a HelloRetryRequest<td>1<td>", "<tr><th>X25519MLKEM768, with a key share<td>",
		"<tr><th>outer, real or GREASE<td>", "<tr><th>DTLS 1.3<td>", "127.0.0.1:443", "demo.pcapng\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	onlyPage(t, dir)
}

func readPage(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func onlyPage(t *testing.T, dir string) {
	t.Helper()
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("files: %v, %v", entries, err)
	}
}

// TestReportOddities checks what counts as a doubt or an oddity, of hellos in raw files.
func TestReportOddities(t *testing.T) {
	record := readPage(t, filepath.Join(testenv.Root(t), "corpus", "records", "utls-chrome-133-ext62-80.bin"))
	message := record[5:]
	change := func(old, changed string) string {
		if strings.Count(message, old) != 1 {
			t.Fatalf("%q is there %d times", old, strings.Count(message, old))
		}
		return strings.Replace(message, old, changed, 1)
	}
	dir := t.TempDir()
	args := []string{"inspect", "-q", "--report", filepath.Join(dir, "out.html")}
	for name, data := range map[string]string{
		"refused":   message[:38] + "\x21" + message[39:],
		"flag":      change("\x00\x3e\x00\x0c\x0b\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01", "\x00\x3e\x00\x0c\x0b\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02"),
		"malformed": change("\x00\x3e\x00\x0c\x0b\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01", "\x00\x3e\x00\x0c\x0b\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"),
		"unnamed":   change("\x00\x17\x00\x00", "\x77\x77\x00\x00"),
	} {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, file)
	}
	if _, errs, code := run(t, args...); code != 0 {
		t.Fatalf("exit %d, %s", code, errs)
	}
	text := readPage(t, filepath.Join(dir, "out.html"))
	for _, odd := range []string{"refused: session_id_too_long", "a TLS flag without a name: 81", "malformed extension: tls_flags", "an extension without a name: 30583"} {
		if !strings.Contains(text, "<tr><td>"+odd+"<td>1<td><a href=\"#row-") {
			t.Errorf("the page does not count %q", odd)
		}
	}
}

// TestReportRedacted checks that --redact leaves nothing out of which one could tell who
// talked to whom.
func TestReportRedacted(t *testing.T) {
	page := filepath.Join(t.TempDir(), "out.html")
	demo := filepath.Join(testenv.Root(t), "corpus", "captures", "demo.pcapng")
	if _, errs, code := run(t, "inspect", "-q", "--redact", "--report", page, demo); code != 0 {
		t.Fatalf("exit %d, %s", code, errs)
	}
	text := readPage(t, page)
	for _, secret := range []string{"demo.example", "127.0.0.1", "::1", filepath.Dir(demo), "<code>"} {
		if strings.Contains(text, secret) {
			t.Errorf("the page has %q", secret)
		}
	}
	if !strings.Contains(text, "<dt>with request_mtls<dd>3 ") || !strings.Contains(text, "12 of the listed rows have no bytes") {
		t.Error("the page does not count")
	}
}

// TestReportSelected checks that the page has the hellos that a condition selects, and keeps
// its exit codes.
func TestReportSelected(t *testing.T) {
	page := filepath.Join(t.TempDir(), "out.html")
	demo := filepath.Join(testenv.Root(t), "corpus", "captures", "demo.pcapng")
	_, errs, code := run(t, "inspect", "-q", "--flag", "request_mtls", "--expect", "17", "--report", page, demo)
	text := readPage(t, page)
	if code != int(ExitUnmet) || !strings.Contains(text, "<dt>hellos<dd>3<") {
		t.Errorf("exit %d, %s", code, errs)
	}
	for _, number := range []string{"10", "11", "12"} { // as explain --hello counts
		if !strings.Contains(text, "<summary>hello "+number+", ") {
			t.Errorf("no hello %s", number)
		}
	}
}

// TestReportFaults checks that a run which fails leaves what was there.
func TestReportFaults(t *testing.T) {
	dir := t.TempDir()
	page := filepath.Join(dir, "out.html")
	if err := os.WriteFile(page, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	demo := filepath.Join(testenv.Root(t), "corpus", "captures", "demo.pcapng")
	for _, tt := range []struct {
		args []string
		code Exit
		want string
	}{
		{[]string{"--report", page, filepath.Join(dir, "missing")}, ExitInput, "no such file"},
		{[]string{"--report", page, "-f", "jsonl", demo}, ExitUsage, "--report writes a page instead of rows"},
		{[]string{"--report", page, "--stats", demo}, ExitUsage, "--report writes a page instead of rows"},
		{[]string{"--report", page, "--by", "ja4", demo}, ExitUsage, "--report writes a page instead of rows"},
		{[]string{"--report", page, "--bytes", demo}, ExitUsage, "--report writes a page instead of rows"},
		{[]string{"--report", page, "--fields", "time", demo}, ExitUsage, "--report writes a page instead of rows"},
		{[]string{"--report", "-", demo}, ExitUsage, "--report needs the name of a file"},
		{[]string{"--report", page, "-o", page, demo}, ExitUsage, "--report writes a page instead of rows"},
		{[]string{"--report", demo, demo}, ExitUsage, "--report would replace the input"},
		{[]string{"--report", dir, demo}, ExitInput, "is a directory"},
		{[]string{"--report", filepath.Join(dir, "missing", "out.html"), demo}, ExitInput, "no such file"},
	} {
		_, errs, code := run(t, slices.Concat([]string{"inspect"}, tt.args)...)
		if code != int(tt.code) || !strings.Contains(errs, tt.want) {
			t.Errorf("%q: exit %d, %s; want %s", tt.args, code, errs, tt.want)
		}
		if readPage(t, page) != "old" {
			t.Errorf("%q: the page was written", tt.args)
		}
		onlyPage(t, dir)
	}
}
