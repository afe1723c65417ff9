package cli

import (
	"bytes"
	"io"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/paths"
	"github.com/tlsflags/tlsflags/corpus"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/testenv"
)

// rows calls f for the rows of all captures of the corpus.
func rows(t *testing.T, f func(*inspection, *row)) {
	t.Helper()
	in := &inspection{parts: allParts}
	n := 0
	for entry := range corpus.OfKind(corpus.Captures) {
		c, err := capture.Open(bytes.NewReader(entry.Data()), capture.Options{})
		if err != nil {
			continue // an entry that is refused
		}
		for h := range c.Hellos() {
			r := row{source: "x", hello: h}
			if h.Found() {
				var err error
				r.msg, r.offset, err = h.Parse()
				r.code, _ = err.(extension.Code)
			}
			n++
			f(in, &r)
		}
	}
	if n < 40 {
		t.Errorf("%d rows are too few", n)
	}
}

// TestQuickValues compares the values that need no line with those of the line.
func TestQuickValues(t *testing.T) {
	rows(t, func(in *inspection, r *row) {
		for name, quick := range quickValues {
			p, err := lineType().Find(name)
			if err != nil {
				t.Fatal(err)
			}
			got := quick(in, r)
			switch v := got.(type) {
			case time.Time:
				got = string(new(texts).time(v))
			case []string:
				list := make([]any, len(v))
				for i := range v {
					list[i] = v[i]
				}
				got = list
			}
			want := paths.Plain(p.In(reflect.ValueOf(in.line(r)).Elem()), p.Type())
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-line +quick):\n%s", name, diff)
			}
		}
	})
}

// TestPartsOfFormats checks that text and csv are the same if all of a hello is computed.
func TestPartsOfFormats(t *testing.T) {
	for _, format := range outputFormats {
		var all, some bytes.Buffer
		rows(t, func(in *inspection, r *row) {
			for out, p := range map[*bytes.Buffer]parts{&all: allParts, &some: partsOf(format, nil)} {
				in.parts, r.l = p, nil
				printer := newPrinter(format, out, textStyle{}, nil)
				if err := printer.print(in.line(r)); err != nil {
					t.Fatal(err)
				}
				printer.close()
			}
		})
		if diff := cmp.Diff(all.String(), some.String()); diff != "" {
			t.Errorf("%s (-all +some):\n%s", format, diff)
		}
	}
}

// TestMalformedInText has a malformed extension that text does not show but for its fault.
func TestMalformedInText(t *testing.T) {
	msg := helloOf(0x0303, []uint16{0x1301}, ext(13, 0, 3, 4, 3, 4))
	if _, _, err := clienthello.Parse(msg); err != nil {
		t.Fatal(err)
	}
	out, _ := runInput(t, msg, "inspect", "-q", "-")
	if !strings.Contains(out, "signature_algorithms malformed: ") {
		t.Error(out)
	}
}

// TestConditionOptions counts the rows of a capture that options choose.
func TestConditionOptions(t *testing.T) {
	demo := filepath.Join(testenv.Root(t), "corpus", "captures", "demo.pcapng")
	for _, tt := range []struct {
		args string
		want int
	}{
		{"", 12},
		{"--sni BOT.demo.example", 1},
		{"--sni *.demo.example", 12},
		{"--sni *.emo.example", 0},
		{"--ja4 t13d*", 12},
		{"--ja4 t13d", 0},
		{"--since 2000-01-01", 12},
		{"--until 2000-01-01T00:00:00+01:00", 0},
		{"--where request_mtls --where dst_port==443", 3},
		{"--where request_mtls --redact --sni bot.demo.example", 1},
		{"--where pieces.segments>1 --where src_ip=='127.0.0.1'", 7},
		{"--where len(client_hello.supported_groups)>0", 12},
		{"--where any(client_hello.key_share_groups,.value==4588) --flag request_mtls", 3},
		{"--where error!=nil", 0},
	} {
		out, code := runCLI(t, append(append([]string{"inspect", "-q", "-f", "jsonl"}, strings.Fields(tt.args)...), demo)...)
		if got := strings.Count(out, "\n"); code != 0 || got != tt.want {
			t.Errorf("%s: exit %d, %d rows, want %d", tt.args, code, got, tt.want)
		}
	}
	for args, want := range map[string]string{
		"--where ja5==1":    `--where: column 1: unknown name "ja5" (did you mean ja4?)`,
		"--since yesterday": `--since: unknown time "yesterday"; use RFC 3339, such as 2026-11-24T10:00:00Z`,
		"--where=":          `column 1: the condition ends here; write one`,
	} {
		out, code := runCLI(t, append(append([]string{"inspect"}, strings.Fields(args)...), demo)...)
		if Exit(code) != ExitUsage || !strings.Contains(out, want) {
			t.Errorf("%s: exit %d, %s", args, code, out)
		}
	}
}

// TestStatsOfChosenRows checks that --stats counts what a condition chooses.
func TestStatsOfChosenRows(t *testing.T) {
	var out bytes.Buffer
	demo := filepath.Join(testenv.Root(t), "corpus", "captures", "demo.pcapng")
	Run(t.Context(), []string{"inspect", "-q", "--stats", "--where", "request_mtls", demo}, nil, &out, io.Discard)
	if !strings.Contains(out.String(), "3 hellos: ") {
		t.Error(&out)
	}
}
