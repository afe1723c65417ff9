package fingerprint_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/corpus"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/fingerprint"
	"github.com/tlsflags/tlsflags/internal/oracle/clienthellotest"
	"github.com/tlsflags/tlsflags/internal/oracle/fingerprinttest"
)

// recorded returns a hello of the corpus.
func recorded(t testing.TB, file string) clienthello.ClientHello {
	t.Helper()
	e, ok := corpus.Lookup(file)
	if !ok {
		t.Fatal(file, " is gone from the corpus")
	}
	return parse(t, e.Data()[5:])
}

func parse(t testing.TB, msg []byte) clienthello.ClientHello {
	t.Helper()
	hello, _, err := clienthello.Parse(msg)
	if err != nil {
		t.Fatal(err)
	}
	return hello
}

// hello returns a hello with these suites and extensions.
func hello(t testing.TB, version uint16, suites []uint16, extensions ...extension.Extension) clienthello.ClientHello {
	t.Helper()
	h := clienthellotest.Hello{
		Version: version, Random: make([]byte, 32), CipherSuites: suites, CompressionMethods: []byte{0},
		HasExtensionBlock: len(extensions) > 0, Extensions: extensions,
	}
	msg, err := h.Append(nil, false)
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, msg)
}

func ext(typ extension.Type, data ...byte) extension.Extension {
	return extension.Extension{Type: typ, Data: data}
}

func alpn(names ...string) extension.Extension {
	var list []byte
	for _, name := range names {
		list = append(append(list, byte(len(name))), name...)
	}
	return ext(extension.ALPN, append([]byte{0, byte(len(list))}, list...)...)
}

// values returns an extension that is a list of values, with a length of two bytes.
func values(typ extension.Type, list ...uint16) extension.Extension {
	data := []byte{byte(2 * len(list) >> 8), byte(2 * len(list))}
	for _, v := range list {
		data = append(data, byte(v>>8), byte(v))
	}
	return ext(typ, data...)
}

// TestExample makes the hello of JA4.md, in which the values of GREASE are left out, and
// compares with the fingerprints there.
func TestExample(t *testing.T) {
	h := hello(t, 0x0303,
		[]uint16{0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x9c, 0x9d, 0x2f, 0x35},
		ext(0x1b), ext(0), ext(0x33), alpn("h2", "http/1.1"), ext(0x4469), ext(0x17), ext(0x2d),
		values(0x0d, 0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601),
		ext(0x05), ext(0x23), ext(0x12), ext(0x2b, 2, 3, 4), ext(0xff01), ext(0x0b), ext(0x0a), ext(0x15))
	const schemes = "_0403,0804,0401,0503,0805,0501,0806,0601"
	for form, c := range map[string]struct{ got, want string }{
		"JA4":    {fingerprint.SumJA4(h, fingerprint.TCP).String(), "t13d1516h2_8daaf6152771_e5627efa2ab1"},
		"JA4_o":  {fingerprint.SumJA4O(h, fingerprint.TCP).String(), "t13d1516h2_acb858a92679_18f69afefd3d"},
		"JA4_r":  {string(fingerprint.AppendJA4R(nil, h, fingerprint.TCP)), "t13d1516h2_002f,0035,009c,009d,1301,1302,1303,c013,c014,c02b,c02c,c02f,c030,cca8,cca9_0005,000a,000b,000d,0012,0015,0017,001b,0023,002b,002d,0033,4469,ff01" + schemes},
		"JA4_ro": {string(fingerprint.AppendJA4RO(nil, h, fingerprint.TCP)), "t13d1516h2_1301,1302,1303,c02b,c02f,c02c,c030,cca9,cca8,c013,c014,009c,009d,002f,0035_001b,0000,0033,0010,4469,0017,002d,000d,0005,0023,0012,002b,ff01,000b,000a,0015" + schemes},
	} {
		if c.got != c.want {
			t.Errorf("%s is\n%s, want\n%s", form, c.got, c.want)
		}
	}
}

// TestBrowsers compares with what databases of JA4 have for these browsers.
func TestBrowsers(t *testing.T) {
	for file, want := range map[string]string{
		"records/utls-chrome-102.bin":         "t13d1516h2_8daaf6152771_e5627efa2ab1",
		"records/utls-chrome-106-shuffle.bin": "t13d1516h2_8daaf6152771_e5627efa2ab1",
		"records/utls-chrome-131.bin":         "t13d1516h2_8daaf6152771_02713d6af862",
		"records/utls-firefox-120.bin":        "t13d1715h2_5b57614c22b0_5c2c66f702b0",
	} {
		if got := fingerprint.SumJA4(recorded(t, file), fingerprint.TCP).String(); got != want {
			t.Errorf("%s: %s, want %s", file, got, want)
		}
	}
}

// TestReference compares all forms with simple implementations, on the corpus and on hellos
// with long lists.
func TestReference(t *testing.T) {
	for e := range corpus.OfKind(corpus.Records) {
		if h, _, err := clienthello.Parse(e.Data()[5:]); err == nil {
			if err := fingerprinttest.Check(h); err != nil {
				t.Errorf("%s: %v", e.File, err)
			}
		}
	}
	for _, n := range []int{0, 1, 63, 64, 65, 98, 99, 100, 5000} {
		suites := []uint16{0x0a0a}
		var extensions []extension.Extension
		for i := range n {
			suites = append(suites, uint16(0xff00-7*i))
			extensions = append(extensions, ext(extension.Type(0xff00-3*i)))
		}
		if err := fingerprinttest.Check(hello(t, 0x0301, suites, extensions...)); err != nil {
			t.Errorf("%d suites and extensions: %v", n, err)
		}
	}
}

func TestProtocol(t *testing.T) {
	for name, want := range map[string]string{
		"h2": "h2", "http/1.1": "h1", "h": "hh", "\x0a\x0a": "0a", "h\xff": "6f", " a": "21",
		"0": "00", "9": "99", "A": "AA", "Z": "ZZ", "a": "aa", "z": "zz", "/": "2f", ":": "3a", "@": "40", "[": "5b", "`": "60", "{": "7b", "a ": "60",
	} {
		h := hello(t, 0x0303, []uint16{0x1301}, alpn(name, "other"))
		if got := fingerprint.SumJA4(h, fingerprint.QUIC).String(); got[:1] != "q" || got[8:10] != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
	}
}

func TestVersion(t *testing.T) {
	for legacy, want := range map[uint16]string{
		0x0002: "s2", 0x0300: "s3", 0x0301: "10", 0x0302: "11", 0x0303: "12", 0x0304: "13",
		0xfeff: "d1", 0xfefd: "d2", 0xfefc: "d3", 0x0305: "00", 0x7f1c: "00",
	} {
		if got := fingerprint.SumJA4(hello(t, legacy, []uint16{0x1301}), fingerprint.DTLS).String(); got[:1] != "d" || got[1:3] != want {
			t.Errorf("legacy_version %#x: %s, want %s", legacy, got, want)
		}
	}
	for _, c := range []struct {
		body []byte
		want string
	}{
		{[]byte{2, 3, 4}, "13"},
		{[]byte{6, 0x0a, 0x0a, 3, 2, 3, 1}, "11"},                     // GREASE does not count
		{[]byte{4, 0xfe, 0xfc, 0xfe, 0xfd}, "d2"},                     // the highest number
		{[]byte{2, 0x7f, 0x1c}, "00"},                                 // a draft
		{[]byte{2, 0x0a, 0x0a}, "00"}, {[]byte{1}, "12"}, {nil, "12"}, // malformed: legacy_version
	} {
		h := hello(t, 0x0303, []uint16{0x1301}, ext(extension.SupportedVersions, c.body...))
		if got := fingerprint.SumJA4(h, fingerprint.TCP).String()[1:3]; got != c.want {
			t.Errorf("supported_versions %x: %s, want %s", c.body, got, c.want)
		}
	}
}

func TestGREASE(t *testing.T) {
	plain := hello(t, 0x0303, []uint16{0x1301}, values(10, 29), values(13, 0x0804), ext(11, 2, 0, 12))
	greased := hello(t, 0x0303, []uint16{0x2a2a, 0x1301}, ext(0x3a3a), values(10, 0x4a4a, 29), values(13, 0x5a5a, 0x0804), ext(11, 2, 0, 12), ext(0x6a6a, 0))
	if a, b := fingerprint.SumJA4O(plain, fingerprint.TCP), fingerprint.SumJA4O(greased, fingerprint.TCP); a != b {
		t.Errorf("JA4_o is %v with GREASE, %v without", b, a)
	}
	if a, b := fingerprint.AppendJA3(nil, plain), fingerprint.AppendJA3(nil, greased); string(a) != "771,4865,10-13-11,29,0-12" || string(b) != string(a) {
		t.Errorf("JA3 is %s with GREASE, %s without", b, a)
	}
	if d := fingerprint.Diff(plain, greased); len(d) > 0 {
		t.Errorf("they differ: %v", d)
	}
}

func TestNoAllocs(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	h := recorded(t, "records/utls-chrome-133-ext62-80.bin")
	buffer := make([]byte, 0, 1024)
	for name, f := range map[string]func(){
		"SumJA4":          func() { fingerprint.SumJA4(h, fingerprint.TCP) },
		"SumJA4O":         func() { fingerprint.SumJA4O(h, fingerprint.TCP) },
		"AppendJA4R":      func() { fingerprint.AppendJA4R(buffer, h, fingerprint.TCP) },
		"AppendJA4RO":     func() { fingerprint.AppendJA4RO(buffer, h, fingerprint.TCP) },
		"SumJA3":          func() { fingerprint.SumJA3(h) },
		"SumJA3Sorted":    func() { fingerprint.SumJA3Sorted(h) },
		"AppendJA3":       func() { fingerprint.AppendJA3(buffer, h) },
		"AppendJA3Sorted": func() { fingerprint.AppendJA3Sorted(buffer, h) },
		"AppendSummary":   func() { fingerprint.AppendSummary(buffer, h, fingerprint.TCP) },
		"AppendText": func() {
			fingerprint.JA4{}.AppendText(buffer)
			fingerprint.JA3{}.AppendText(buffer)
		},
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}

func TestAppendText(t *testing.T) {
	h := recorded(t, "records/utls-chrome-131.bin")
	a, _ := fingerprint.SumJA4(h, fingerprint.TCP).AppendText([]byte("a "))
	b, _ := fingerprint.SumJA3(h).AppendText([]byte("b "))
	if string(a) != "a "+fingerprint.SumJA4(h, fingerprint.TCP).String() || string(b) != "b "+fingerprint.SumJA3(h).String() {
		t.Errorf("%s, %s", a, b)
	}
}

func TestSummary(t *testing.T) {
	name := func(s string) extension.Extension {
		return ext(extension.ServerName, append([]byte{0, byte(len(s) + 3), 0, 0, byte(len(s))}, s...)...)
	}
	for _, c := range []struct {
		extensions []extension.Extension
		want       string
	}{
		{nil, `version="TLS 1.2"`},
		{[]extension.Extension{name("a.example"), alpn("h2", "x,y"), ext(extension.TLSFlags, 1, 4, 0)}, `version="TLS 1.2" server_name=a.example alpn=h2,"x,y"`},
		{[]extension.Extension{name("a\n\"é b"), ext(extension.TLSFlags, 2, 0x04, 0x01)}, `version="TLS 1.2" server_name="a\n\"\u00e9 b" tls_flags=flag(2),resumption_across_names`},
		{[]extension.Extension{name("!"), alpn("\"", ",", "=", "\\", "~\x7f", "~", "+-<>[]")}, `version="TLS 1.2" server_name=! alpn="\"",",","=","\\","~\x7f",~,+-<>[]`},
		{[]extension.Extension{ext(extension.EncryptedClientHello, 1), ext(extension.SupportedVersions, 2, 0x03, 0x05)}, `version=0x0305 ech=inner`},
		{[]extension.Extension{ext(extension.EncryptedClientHello, 0, 0, 1, 0, 1, 9, 0, 1, 7, 0, 1, 8)}, `version="TLS 1.2" ech=outer`},
		{[]extension.Extension{ext(extension.EncryptedClientHello, 2)}, `version="TLS 1.2"`},
	} {
		h := hello(t, 0x0303, []uint16{0x1301}, c.extensions...)
		got := string(fingerprint.AppendSummary(nil, h, fingerprint.TCP))
		ja4, rest, _ := strings.Cut(got, " ")
		if rest != c.want || ja4 != "ja4="+fingerprint.SumJA4(h, fingerprint.TCP).String() {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

func TestDiff(t *testing.T) {
	suites := []uint16{0x1301, 0x1302}
	for _, c := range []struct {
		a, b []extension.Extension
		want []fingerprint.Difference
	}{
		{[]extension.Extension{ext(23), values(10, 29, 23)}, []extension.Extension{values(10, 23, 29), ext(23)}, []fingerprint.Difference{
			{Field: "extensions", A: []string{"extended_main_secret", "supported_groups"}, B: []string{"supported_groups", "extended_main_secret"}, Order: true},
			{Field: "supported_groups", A: []string{"x25519", "secp256r1"}, B: []string{"secp256r1", "x25519"}, Order: true},
		}},
		{[]extension.Extension{ext(0x3a3a, 1)}, []extension.Extension{ext(0x3a3a, 2)}, nil},
		{[]extension.Extension{alpn("h2"), ext(35, 1, 2)}, []extension.Extension{alpn("h2", "http/1.1"), ext(35, 3, 4)}, []fingerprint.Difference{
			{Field: "application_layer_protocol_negotiation", B: []string{"http/1.1"}},
		}},
		{[]extension.Extension{ext(62, 1, 4), ext(11, 1, 0)}, []extension.Extension{ext(62, 1, 0), ext(11, 2, 0, 1)}, []fingerprint.Difference{
			{Field: "tls_flags", A: []string{"flag(2)"}, B: []string{"malformed: 0100"}},
			{Field: "ec_point_formats", B: []string{"1"}},
		}},
		{[]extension.Extension{ext(51, 0, 5, 0, 29, 0, 1, 7), ext(0x1234, 1)}, []extension.Extension{ext(51, 0, 6, 0, 29, 0, 2, 7, 8), ext(0x1234, 2)}, []fingerprint.Difference{
			{Field: "key_share", A: []string{"x25519: 1 bytes"}, B: []string{"x25519: 2 bytes"}},
			{Field: "extension(4660)", A: []string{"01"}, B: []string{"02"}},
		}},
	} {
		got := fingerprint.Diff(hello(t, 0x0303, suites, c.a...), hello(t, 0x0303, suites, c.b...))
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("want (-), got (+):\n%s", d)
		}
	}
	// Of each extension both sides have another body.
	bodies := map[extension.Type]struct{ a, b, onlyA, onlyB string }{
		extension.ServerName:              {"\x00\x04\x00\x00\x01a", "\x00\x04\x00\x00\x01b", "[a]", "[b]"},
		extension.SupportedVersions:       {"\x02\x03\x04", "\x04\x03\x04\x03\x03", "[]", "[TLS 1.2]"},
		extension.SignatureAlgorithms:     {"\x00\x02\x08\x04", "\x00\x02\x04\x03", "[rsa_pss_rsae_sha256]", "[ecdsa_secp256r1_sha256]"},
		extension.SignatureAlgorithmsCert: {"\x00\x02\x08\x04", "\x00\x02\x04\x03", "[rsa_pss_rsae_sha256]", "[ecdsa_secp256r1_sha256]"},
		extension.CompressCertificate:     {"\x02\x00\x02", "\x02\x00\x01", "[brotli]", "[zlib]"},
		extension.PSKKeyExchangeModes:     {"\x01\x01", "\x02\x01\x00", "[]", "[0]"},
		extension.TLSFlagsExperimental:    {"\x01\x04", "\x01\x08", "[flag(2)]", "[flag(3)]"},
		extension.EncryptedClientHello:    {"\x00\x00\x01\x00\x01\x09\x00\x01\x07\x00\x01\x08", "\x00\x00\x01\x00\x02\x0a\x00\x00\x00\x01\x09", "[AEAD 1 enc: 1 bytes]", "[AEAD 2 enc: 0 bytes]"},
		extension.Cookie:                  {"\x00\x01a", "\x00\x02bc", "[3 bytes]", "[4 bytes]"},
		extension.SessionTicket:           {"a", "bc", "[1 bytes]", "[2 bytes]"},
		extension.QUICTransportParameters: {"a", "bc", "[1 bytes]", "[2 bytes]"},
		21:                                {"\x00", "\x00\x00", "[1 bytes]", "[2 bytes]"},
		extension.PreSharedKey: {
			"\x00\x07\x00\x01a\x00\x00\x00\x00\x00\x21\x20" + strings.Repeat("x", 32),
			"\x00\x07\x00\x01a\x00\x00\x00\x00\x00\x22\x21" + strings.Repeat("x", 33), "[44 bytes]", "[45 bytes]",
		},
	}
	for typ, c := range bodies {
		got := fingerprint.Diff(hello(t, 0x0303, suites, ext(typ, []byte(c.a)...)), hello(t, 0x0303, suites, ext(typ, []byte(c.b)...)))
		if len(got) != 1 || fmt.Sprint(got[0].A) != c.onlyA || fmt.Sprint(got[0].B) != c.onlyB || got[0].Field != typ.String() {
			t.Errorf("%v: %v, want %s and %s", typ, got, c.onlyA, c.onlyB)
		}
	}
	got := fingerprint.Diff(hello(t, 0x0303, suites), hello(t, 0x0301, []uint16{0x1302, 0x1301, 0x1301}))
	if want := "[{legacy_version [TLS 1.2] [TLS 1.0] false} {cipher_suites [] [TLS_AES_128_GCM_SHA256] false}]"; fmt.Sprint(got) != want {
		t.Errorf("got  %v\nwant %s", got, want)
	}
}
