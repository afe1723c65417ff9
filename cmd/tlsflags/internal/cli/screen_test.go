package cli

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/golden"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/screen"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/vectorrun"
	"github.com/tlsflags/tlsflags/corpus"
	"github.com/tlsflags/tlsflags/internal/testenv"
)

// screens are commands whose text is compared at 80 and at 160 columns, and without a limit. They
// run in the root of the repository.
var screens = map[string][]string{
	"inspect":         {"inspect", "corpus/captures/demo.pcapng"},
	"inspect-several": {"inspect", "corpus/captures/tcp-hrr-openssl.pcapng", "corpus/captures/tcp-ipv6-curl.pcapng", "corpus/captures/quic-v1-chromium-156.pcapng", "corpus/captures/tcp-starttls-smtp-openssl.pcapng", "corpus/records/curl-7.88.1.bin"},
	"inspect-bytes":   {"inspect", "--bytes", "--flag", "80", "corpus/records/utls-chrome-133-fe01-80.bin"},
	"fields":          {"inspect", "--fields", "time,src_ip,client_hello.server_name,ja4,client_hello.alpn", "corpus/captures/demo.pcapng"},
	"by":              {"inspect", "--by", "ja4,sni", "corpus/captures/demo.pcapng"},
	"stats":           {"inspect", "--stats", "corpus/captures/demo.pcapng"},
	"explain":         {"explain", "corpus/records/utls-chrome-133-ext62-80.bin"},
	"explain-clauses": {"explain", "--clauses", "003e000c0b0000000000000000000001"},
	"errors":          {"inspect", "corpus/captures/demo.pcapng", "LICENSE", "nosuch-capture-with-a-name-that-is-long.pcap"},
	"explain-refused": {"explain", "0d000009000006003e00020100"},
	"flags":           {"flags"},
	"diff":            {"diff", "corpus/records/utls-chrome-133-ext62-80.bin", "corpus/records/curl-7.88.1.bin"},
}

// TestScreens compares the text of commands with testdata/screens, and checks that nothing is
// wider than the screen.
func TestScreens(t *testing.T) {
	outputs := make(map[string]string)
	root := testenv.Root(t)
	t.Run("run", func(t *testing.T) {
		t.Chdir(root)
		for name, args := range screens {
			for _, width := range []int{0, 80, 160} {
				out, _ := runCLI(t, append([]string{"--width", fmt.Sprint(width)}, args...)...)
				outputs[fmt.Sprintf("%s-%d.txt", name, width)] = fits(t, name, out, width)
			}
		}
		for _, width := range []int{80, 160} {
			var b bytes.Buffer
			if err := printProbe(&b, probed(), width); err != nil {
				t.Fatal(err)
			}
			outputs[fmt.Sprintf("probe-%d.txt", width)] = fits(t, "probe", b.String(), width)
			b.Reset()
			if err := answered(t).WriteText(&b, false, width); err != nil {
				t.Fatal(err)
			}
			outputs[fmt.Sprintf("vectors-%d.txt", width)] = fits(t, "vectors", b.String(), width)
		}
	})
	for name, out := range outputs {
		golden.Compare(t, filepath.Join("screens", name), out)
	}
}

// answered is a report with all groups of the vectors, and some differences.
func answered(t *testing.T) vectorrun.Report {
	t.Helper()
	suite, err := vectorrun.Select(nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := vectorrun.Report{Version: suite.Version, Stale: []string{"flags/*"}, Unknown: []string{"note"}}
	for i, g := range suite.Groups {
		report := vectorrun.GroupReport{Kind: g.Kind, Name: g.Name, Source: g.Source}
		for j := range g.Tests {
			o := vectorrun.Outcome{ID: g.Tests[j].ID, Status: vectorrun.Pass}
			if i%9 == 0 && j == 1 {
				o = vectorrun.Outcome{ID: o.ID, Status: vectorrun.Fail, Got: "illegal_parameter at 12", Want: "decode_error at 12", Clause: g.Source, Unchecked: []string{"offset"}}
			}
			report.Outcomes = append(report.Outcomes, o)
		}
		r.Groups = append(r.Groups, report)
	}
	return r
}

// fits checks that no line of the text is wider than the screen, and returns it.
func fits(t *testing.T, name, text string, width int) string {
	t.Helper()
	for line := range strings.Lines(text) {
		if n := screen.Width(strings.TrimSuffix(line, "\n")); width > 0 && n > width {
			t.Errorf("%s: a line takes %d columns of %d: %s", name, n, width, line)
		}
	}
	return text
}

// TestFits checks that inspect and explain fit the screen whatever they show.
func TestFits(t *testing.T) {
	t.Chdir(testenv.Root(t))
	var files []string
	for entry := range corpus.All() {
		if kind := entry.Kind; kind == corpus.Captures || kind == corpus.Records {
			files = append(files, filepath.Join("corpus", entry.File))
		}
	}
	if len(files) < 50 {
		t.Errorf("%d files are too few", len(files))
	}
	for _, width := range []int{20, 40, 80, 81, 120} {
		option := fmt.Sprint("--width=", width)
		all := append([]string{"inspect", option, "--bytes", "--color=always"}, files...)
		out, _ := runCLI(t, all...)
		fits(t, "inspect", onlyResults(out), width)
		for _, file := range files {
			out, _ := runCLI(t, "explain", option, "--clauses", file)
			fits(t, "explain "+file, onlyResults(out), width)
		}
	}
}

// onlyResults leaves out messages, which are sentences.
func onlyResults(out string) string {
	var b strings.Builder
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, "tlsflags: ") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// TestHelpFits checks that the help of every command takes 80 columns at most, and no more than
// a narrow screen has where that can be done.
func TestHelpFits(t *testing.T) {
	var visit func(c *cobra.Command)
	visit = func(c *cobra.Command) {
		args := append(strings.Fields(c.CommandPath())[1:], "--help")
		out, _ := runCLI(t, args...)
		fits(t, c.CommandPath(), out, helpWidth)
		for _, sub := range c.Commands() {
			visit(sub)
		}
	}
	root := newRoot()
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	visit(root)
}

// TestWidthOf checks what decides how wide text is.
func TestWidthOf(t *testing.T) {
	for _, test := range []struct {
		option, columns string
		want            int
	}{
		{"", "", 0}, {"", "100", 100}, {"", "x", 0}, {"", "-5", 0}, {"90", "100", 90}, {"0", "100", 0},
		{"", "5", 20}, {"20", "", 20},
	} {
		t.Setenv("COLUMNS", test.columns)
		cmd := new(cobra.Command)
		cmd.Flags().Var(new(widthValue), widthOption, "")
		if test.option != "" {
			if err := cmd.Flags().Set(widthOption, test.option); err != nil {
				t.Fatal(err)
			}
		}
		if got := widthOf(cmd, new(bytes.Buffer)); got != test.want {
			t.Errorf("%+v: %d", test, got)
		}
	}
}

// TestWidthRefused checks that a width into which no text fits is not taken silently.
func TestWidthRefused(t *testing.T) {
	for _, width := range []string{"5", "19", "-1", "x", ""} {
		out, code := runCLI(t, "flags", "--width="+width)
		want := fmt.Sprintf("--width: unknown width %q; use a number of columns from 20 on, or 0 for no limit", width)
		if Exit(code) != ExitUsage || !strings.Contains(out, want) {
			t.Errorf("%q: exit %d, %s", width, code, out)
		}
	}
}
