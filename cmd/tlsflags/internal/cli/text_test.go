package cli

import (
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/codepoint"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/golden"
	"github.com/tlsflags/tlsflags/extension"
)

// TestTextLines compares lines with every column, and with everything that they say of
// flags, in colour and without.
func TestTextLines(t *testing.T) {
	mtls, eight := codepoint.Of(uint32(80), "request_mtls"), codepoint.Of(uint32(8), "resumption_across_names")
	refusal := refuse(extension.ErrFlagsAllZero, 71)
	flags := func(list ...codePoint) flagsInfo { return flagsInfo{Extension: codePoint{Value: 62}, Flags: list} }
	hello := &helloInfo{ServerName: "a.example", SupportedVersions: []codePoint{codepoint.Of(uint32(772), "TLS 1.3")}}
	verdict := &rulesInfo{refuseInfo: *refuse(extension.ErrFlagUnsolicited, 9)}
	malformed := flags()
	malformed.Error = refusal
	lines := []*line{
		{Source: "a.pcap", Time: "2026-11-24T10:00:00.5Z", Transport: "tcp", Src: "[2001:db8::1]:50000", Dst: "127.0.0.1:443", ClientHello: hello, TLSFlags: new(flags(mtls, eight, codePoint{Value: 17})), HelloIndex: 1},
		{Source: "a longer name.pcap", Time: "2026-11-24T10:00:00Z", Transport: "dtls", Src: "1.2.3.4:5", Dst: "6.7.8.9:10", ClientHello: &helloInfo{LegacyVersion: codePoint{Value: 0x9999}}, HelloIndex: 1},
		{Source: "b", Transport: "raw", Src: "1.2.3.4:5", ClientHello: hello, TLSFlags: &malformed, HelloIndex: 2, TLSFlagsChanged: new(false)},
		{Source: "b", Transport: "raw", Error: refusal, HelloIndex: 3, TLSFlagsChanged: new(true)},
		{Source: "b", Transport: "tcp", ClientHello: hello, TLSFlags: new(flags(mtls)), Acknowledged: new(true), HelloIndex: 1,
			ServerFlags: []sentFlags{{"CertificateRequest", flags(mtls), nil}, {"EncryptedExtensions", flags(eight, codePoint{Value: 17}), verdict}},
			ClientFlags: []sentFlags{{"ClientHello", flags(mtls), nil}, {"ClientHello", flags(eight), verdict}, {"Certificate", flags(eight), nil}}},
		{Source: "b", Transport: "tcp", ClientHello: hello, Acknowledged: new(false), HelloIndex: 1},
	}
	var b strings.Builder
	for _, style := range []textStyle{{sources: true}, {painter: true}, {width: 100}, {width: 30}, {width: 160, painter: true}} {
		fmt.Fprintf(&b, "%+v\n", style)
		p := newTextPrinter(&b, style)
		for _, l := range lines {
			if err := p.print(l); err != nil {
				t.Fatal(err)
			}
		}
		p.close()
	}
	golden.Compare(t, "inspect.txt", b.String())
}

func TestPointName(t *testing.T) {
	for want, p := range map[string]*codePoint{"-": nil, "200": {Value: 200}, "decode_error": {Value: 50, Name: "decode_error"}} {
		if got := pointName(p); got != want {
			t.Errorf("%v: %s, want %s", p, got, want)
		}
	}
}

// TestEnumList checks an option that takes several words.
func TestEnumList(t *testing.T) {
	l := enumList[int]{enum: enumOf("kind", "", []choice[int]{{"one", 1}, {"two", 2}, {"65025", 3}})}
	for _, s := range []string{"two,ONE", "0xfe01"} {
		if err := l.Set(s); err != nil {
			t.Error(err)
		}
	}
	if err := l.Set("one,three"); err == nil || err.Error() != `unknown kind "three"; use one, two or 65025` {
		t.Errorf("got %v", err)
	}
	if want := []int{2, 1, 3, 1}; !slices.Equal(l.list, want) {
		t.Errorf("got %d, want %d", l.list, want)
	}
}

// TestParseFlag has the ends of the range, and numbers that no integer holds.
func TestParseFlag(t *testing.T) {
	for s, want := range map[string]extension.Flag{"0": 0, "2039": 2039, "0x50": 80, "request_mtls": 80} {
		if got, err := parseFlag(s); got != want || err != nil {
			t.Errorf("%s: %d, %v", s, got, err)
		}
	}
	for s, near := range map[string]string{
		"2040": "", "18446744073709551615": "", "18446744073709551616": "", "-1": "", "": "",
		"Request_mtl": " (did you mean request_mtls?)",
	} {
		want := fmt.Sprintf("unknown flag %q%s; use a number from 0 to 2039, or a name that tlsflags flags prints", s, near)
		if f, err := parseFlag(s); f != 0 || err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", s, err, want)
		}
	}
}

func TestFlagValue(t *testing.T) {
	for v, want := range map[flagValue]string{{}: "", {80, true}: "request_mtls", {17, true}: "17", {0, true}: "0"} {
		if got := v.String(); got != want {
			t.Errorf("%+v: %q, want %q", v, got, want)
		}
	}
}

func TestExtensionText(t *testing.T) {
	for value, want := range map[uint32]string{62: "tls_flags(62)", 255: "tls_flags(255)", 256: "tls_flags(0x0100)", 0xfe01: "tls_flags(0xfe01)"} {
		if got := extensionText(&flagsInfo{Extension: codePoint{Value: value}}); got != want {
			t.Errorf("%d: %s, want %s", value, got, want)
		}
	}
}

func TestVersionText(t *testing.T) {
	h := &helloInfo{LegacyVersion: codepoint.Of(uint32(0x303), "TLS 1.2")}
	if got := versionText(h); got != "TLS 1.2" {
		t.Errorf("without supported_versions: %s", got)
	}
	h.SupportedVersions = []codePoint{codepoint.Of(uint32(0x1a1a), "GREASE"), codepoint.Of(uint32(0x399), "")}
	if got := versionText(h); got != "0x0399" {
		t.Errorf("with GREASE and an unknown one: %s", got)
	}
}

// TestCSVNames has cells that a spreadsheet would take for formulas, and names with spaces.
func TestCSVNames(t *testing.T) {
	for _, tt := range []struct {
		names []string
		want  string
	}{
		{nil, ""}, {[]string{"a"}, "a"}, {[]string{"a b", "c"}, `a\x20b c`}, {[]string{"=1"}, `\x3d1`}, {[]string{"-", "+"}, `\x2d +`}, {[]string{"a="}, "a="},
	} {
		if got := csvNames(tt.names); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.names, got, tt.want)
		}
	}
	for _, tt := range []struct {
		list []codePoint
		want string
	}{{nil, ""}, {[]codePoint{{}}, "0"}, {[]codePoint{{Value: 1}, {Value: 22}, {Value: 3}}, "1 22 3"}} {
		if got := string(appendSpaced(nil, tt.list, appendValue)); got != tt.want {
			t.Errorf("%v: %q", tt.list, got)
		}
	}
}

func TestAppendString(t *testing.T) {
	for in, want := range map[string]string{
		"": `""`, " ~}": `" ~}"`, "\x1f\x7f": `"\u001f\u007f"`, `a"\b`: `"a\"\\b"`, "é\xffx": `"é\ufffdx"`,
	} {
		if got := string(appendString(nil, in)); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

// TestQuoteCell compares with encoding/csv.
func TestQuoteCell(t *testing.T) {
	for _, cell := range []string{"", "a", "a b", " a", "a,b", `a"b`, "a\nb", "a\rb", `"`, ",", " ", `,"`, "é", "!#"} {
		var want strings.Builder
		w := csv.NewWriter(&want)
		if err := w.Write([]string{"x", cell, "y"}); err != nil {
			t.Fatal(err)
		}
		w.Flush()
		got := append(quoteCell([]byte("x,"+cell), 2), ",y\n"...)
		if string(got) != want.String() {
			t.Errorf("%q: %q, want %q", cell, got, want.String())
		}
	}
}
