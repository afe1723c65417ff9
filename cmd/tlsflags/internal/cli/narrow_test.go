package cli

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/codepoint"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/testenv"
)

// printed returns the text of rows, without the names of the columns.
func printed(t *testing.T, style textStyle, lines ...*line) string {
	t.Helper()
	var b strings.Builder
	p := newTextPrinter(&b, style)
	for _, l := range lines {
		if err := p.print(l); err != nil {
			t.Fatal(err)
		}
	}
	_, rows, _ := strings.Cut(fits(t, "text", b.String(), style.width), "\n")
	return rows
}

// TestNarrowNumbers checks that the number of a hello is whole, however long it is.
func TestNarrowNumbers(t *testing.T) {
	for number, want := range map[int]string{
		7:           "    7  10:00:00  192.168.100.100  a-name-longer-than-…  no tls_flags\n",
		99_999:      "99999  10:00:00  192.168.100.100  a-name-longer-than-…  no tls_flags\n",
		123_456_789: "123456789  10:00:00  192.168.100.100  a-name-longer-t…  no tls_flags\n",
	} {
		got := printed(t, textStyle{width: 80}, &line{
			Hello: number, Time: "2026-11-24T10:00:00Z", Src: "192.168.100.100:50000", SrcIP: "192.168.100.100",
			ClientHello: &helloInfo{ServerName: "a-name-longer-than-the-column.example"}, HelloIndex: 1,
		})
		if want = "2026-11-24\n" + want; got != want {
			t.Errorf("got\n%swant\n%s", got, want)
		}
	}
}

// TestDays checks that the day is above the first hello of it, and beside the name of an input.
func TestDays(t *testing.T) {
	row := func(source, time string) *line {
		return &line{Source: source, Time: optional(time), ClientHello: &helloInfo{}, HelloIndex: 1}
	}
	long := strings.Repeat("long/", 20)
	got := printed(t, textStyle{width: 80, sources: true},
		row("a", "2026-11-24T23:59:59Z"), row("a", ""), row("a", "2026-11-24T23:59:59Z"), row("a", "2026-11-25T00:00:00Z"),
		row("b", ""), row("b", "2026-11-25T00:00:01Z"), row(long, "2026-11-25T00:00:01Z"))
	var headings []string
	for l := range strings.Lines(got) {
		if !strings.HasPrefix(l, " ") {
			headings = append(headings, strings.TrimSuffix(l, "\n"))
		}
	}
	want := "a  2026-11-24|2026-11-25|b|2026-11-25|" + long[:67] + "…  2026-11-25"
	if strings.Join(headings, "|") != want {
		t.Errorf("got %q, want %s", headings, want)
	}
}

// TestReasonsFit checks that on a screen of 80 columns nobody has to guess why a hello is refused,
// in doubt or odd.
func TestReasonsFit(t *testing.T) {
	hello := &helloInfo{ServerName: "a.example"}
	flags := func(list ...codePoint) *flagsInfo { return &flagsInfo{Extension: codePoint{Value: 62}, Flags: list} }
	malformed := flags()
	malformed.Error = refuse(extension.ErrFlagsTrailingZero, 71)
	mtls, eight := codepoint.Of(uint32(80), "request_mtls"), codepoint.Of(uint32(8), "resumption_across_names")
	for name, tt := range map[string]struct {
		l    line
		only flagValue
		want string // the last cell and the line below
	}{
		"refused":                  {line{Error: refuse(extension.ErrDuplicateExtension, 300)}, flagValue{}, "refused\n       duplicate_extension at byte 300: an extension type occurs twice in one m…\n"},
		"malformed":                {line{ClientHello: hello, TLSFlags: malformed}, flagValue{}, "tls_flags malformed\n       trailing_zero at byte 71: the last flags octet is zero; alert illegal_pa…\n"},
		"in doubt":                 {line{ClientHello: hello, TLSFlags: flags(mtls), Ambiguous: []string{"overlap", "syn_data"}, Contradicts: []int{4}}, flagValue{}, "request_mtls(80)\n       ambiguous: overlap, syn_data; contradicts packets 4\n"},
		"a fault":                  {line{ClientHello: hello, Faults: []oddInfo{{"record_empty", 0}, {"overlap", 12345}}}, flagValue{}, "no tls_flags\n       record_empty at byte 0; overlap at byte 12345\n"},
		"many faults":              {line{ClientHello: hello, Faults: []oddInfo{{"record_change_cipher_spec_empty", 0}, {"record_version", 12345}, {"overlap", 12345}}}, flagValue{}, "no tls_flags\n       record_change_cipher_spec_empty at byte 0; record_version at byte 12345;\n       overlap at byte 12345\n"},
		"a short one":              {line{ClientHello: hello, TLSFlags: flags(), Faults: []oddInfo{{"syn", 4}}}, flagValue{}, "; syn at byte 4\n"},
		"changed":                  {line{ClientHello: hello, HelloIndex: 2, TLSFlagsChanged: new(true)}, flagValue{}, "no tls_flags; hello 2 o…\n       tls_flags changed after a HelloRetryRequest\n"},
		"request_mtls comes first": {line{ClientHello: hello, TLSFlags: flags(eight, mtls)}, flagValue{}, "request_mtls(80), resum…\n"},
		"the selected one does":    {line{ClientHello: hello, TLSFlags: flags(mtls, eight)}, flagValue{8, true}, "resumption_across_names…\n"},
	} {
		got := printed(t, textStyle{width: 80, only: tt.only}, &tt.l)
		const before = 7 + 10 + 17 + 22
		if got = got[min(before, len(got)):]; got != tt.want {
			t.Errorf("%s: got\n%q, want\n%q", name, got, tt.want)
		}
	}
}

// TestFieldsWhole checks that columns with values of a known length are whole where they fit, and
// that no row is too wide.
func TestFieldsWhole(t *testing.T) {
	t.Chdir(testenv.Root(t))
	demo := filepath.Join("corpus", "captures", "demo.pcapng")
	const ja4 = "t13d1517h2_8daaf6152771_c7b6e22ce5f9"
	for _, tt := range []struct{ width, fields, want string }{
		{"80", "hello,time,ja4", "10     2026-11-24T06:19:57.575188097Z  " + ja4},
		{"80", "time,client_hello.server_name,ja4", "2026-11-24T06:19:57.575188Z  bot.demo.exa…  " + ja4},
		{"80", "time,src_ip,client_hello.server_name,ja4", "2026-11-24T06:19:57Z  127.0.0.1        bo…  " + ja4},
		{"80", "hello,time,src_ip,ja4", "10     2026-11-24T06:19:57Z  127.0.0.1      " + ja4},
		{"120", "time,src_ip,client_hello.server_name,ja4", "2026-11-24T06:19:57.575188097Z  127.0.0.1        bot.demo.example          " + ja4},
		{"40", "time,ja4", "2026-11-24T06:19:5…  t13d1517h2_8daaf61…"},
		{"20", "time,ja4", "2026-11-…  t13d1517…"},
	} {
		out, code := runCLI(t, "inspect", "-q", "--width", tt.width, "--fields", tt.fields, "--sni", "bot.demo.example", demo)
		names, row, _ := strings.Cut(out, "\n")
		if code != 0 || row != tt.want+"\n" {
			t.Errorf("%s at %s: exit %d, got\n%q, want\n%q", tt.fields, tt.width, code, row, tt.want)
		}
		if strings.HasPrefix(tt.fields, "time,client_hello") && !strings.Contains(names, " server_name ") {
			t.Errorf("the names of the columns are %s", names)
		}
	}
}
