package clienthello_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/oracle/clienthellotest"
)

// show returns what the accessor for type t gives, as text.
func show(h clienthello.ClientHello, t extension.Type) (string, error) {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	var err error
	switch t {
	case extension.ServerName:
		var v []byte
		v, err = h.ServerName()
		add("%q", v)
	case extension.ALPN:
		v, e := h.ALPN()
		err = e
		add("%d", v.Len())
		for p := range v.All() {
			add("%q", p)
		}
	case extension.SupportedVersions:
		v, e := h.SupportedVersions()
		err = e
		for x := range v.All() {
			add("%v", x)
		}
		add("1.3 %t", h.OffersTLS13())
	case extension.SupportedGroups:
		v, e := h.SupportedGroups()
		err = e
		for x := range v.All() {
			add("%v", x)
		}
	case extension.SignatureAlgorithms, extension.SignatureAlgorithmsCert:
		v, e := h.SignatureAlgorithms()
		if t == extension.SignatureAlgorithmsCert {
			v, e = h.SignatureAlgorithmsCert()
		}
		err = e
		for x := range v.All() {
			add("%v", x)
		}
	case extension.CompressCertificate:
		v, e := h.CompressCertificate()
		err = e
		for x := range v.All() {
			add("%v", x)
		}
	case extension.KeyShare:
		v, e := h.KeyShares()
		err = e
		add("%d", v.Len())
		for x := range v.All() {
			add("%v %x", x.Group, x.KeyExchange)
		}
	case extension.PreSharedKey:
		v, e := h.PreSharedKey()
		err = e
		add("%d", v.Len())
		for x := range v.Identities() {
			add("%x %d", x.Identity, x.ObfuscatedTicketAge)
		}
		for x := range v.Binders() {
			add("%d bytes", len(x))
		}
	case extension.PSKKeyExchangeModes, extension.ECPointFormats, extension.Cookie, extension.RenegotiationInfo:
		v, e := map[extension.Type]func() ([]byte, error){
			extension.PSKKeyExchangeModes: h.PSKKeyExchangeModes,
			extension.ECPointFormats:      h.ECPointFormats,
			extension.Cookie:              h.Cookie,
			extension.RenegotiationInfo:   h.RenegotiationInfo,
		}[t]()
		err = e
		add("%x %t", v, v == nil)
	case extension.EarlyData:
		v, e := h.EarlyData()
		err = e
		add("%t", v)
	case extension.ExtendedMasterSecret:
		v, e := h.ExtendedMasterSecret()
		err = e
		add("%t", v)
	case extension.EncryptedClientHello:
		v, ok, e := h.EncryptedClientHello()
		err = e
		add("%t %d %d %d %d %x %x", ok, v.Type, v.KDF, v.AEAD, v.ConfigID, v.Enc, v.Payload)
	case extension.QUICTransportParameters:
		v, ok := h.QUICTransportParameters()
		add("%x %t", v, ok)
	case extension.SessionTicket:
		v, ok := h.SessionTicket()
		add("%x %t", v, ok)
	case extension.RecordSizeLimit:
		v, ok, e := h.RecordSizeLimit()
		err = e
		add("%t %d", ok, v)
	case extension.TLSFlags, extension.TLSFlagsExperimental:
		v, found, e := h.Flags()
		err = e
		add("%v in %d", v, found)
	case extension.StatusRequest:
		v, ok, e := h.StatusRequest()
		err = e
		add("%t %d %x %x", ok, v.Type, v.ResponderIDs, v.RequestExtensions)
	}
	return strings.Join(parts, ", "), err
}

func TestExtensionBodies(t *testing.T) {
	const (
		overrun = extension.ErrFieldOverrun
		stray   = extension.ErrStrayBytes
		empty   = extension.ErrVectorEmpty
		size    = extension.ErrVectorSize
		illegal = extension.ErrIllegalValue
	)
	binder := strings.Repeat("\xbb", 32)
	long := strings.Repeat("i", 300)
	twoPSKs := "\x01\x39\x01\x2c" + long + "\x01\x02\x03\x04" + "\x00\x01j\x00\x00\x00\x05" + "\x00\x42\x20" + binder + "\x20" + binder
	psk := "\x00\x07\x00\x01i\x00\x00\x01\x02" + "\x00\x21\x20" + binder
	tests := []struct {
		t    extension.Type
		body string
		want string
		code extension.Code
		at   int // in the body
	}{
		{extension.ServerName, "\x00\x06\x00\x00\x03abc", `"abc"`, 0, 0},
		{extension.ServerName, "\x00\x08\x01\x00\x01x\x00\x00\x01a", `"a"`, 0, 0},
		{extension.ServerName, "", `""`, overrun, 0},
		{extension.ServerName, "\x00\x00", `""`, empty, 0},
		{extension.ServerName, "\x00\x01\x00", `""`, overrun, 3},
		{extension.ServerName, "\x00\x03\x00\x00\x00", `""`, empty, 3},
		{extension.ServerName, "\x00\x04\x00\x00\x02a", `""`, overrun, 3},
		{extension.ServerName, "\x00\x05\x00\x00\x01a", `""`, overrun, 0},
		{extension.ServerName, "\x00\x04\x00\x00\x01ab", `""`, stray, 6},
		{extension.ServerName, "\x00\x08\x00\x00\x01a\x00\x00\x01b", `""`, illegal, 6},
		{extension.ServerName, "\x00\x0c\x00\x00\x01a\x01\x00\x01x\x41\x00\x01y", `"a"`, 0, 0},
		{extension.ServerName, "\x00\x0c\x00\x00\x01a\x01\x00\x01x\x00\x00\x01b", `""`, illegal, 10},
		{extension.ServerName, "\x00\x08\x41\x00\x01x\x41\x00\x01y", `""`, illegal, 6},
		{extension.ALPN, "\x00\x0c\x02h2\x08http/1.1", `2, "h2", "http/1.1"`, 0, 0},
		{extension.ALPN, "\x00\x00", `0`, empty, 0},
		{extension.ALPN, "\x00\x01\x00", `0`, size, 0},
		{extension.ALPN, "\x00\x02\x00\x00", `0`, empty, 2},
		{extension.ALPN, "\x00\x02\x02a", `0`, overrun, 2},
		{extension.ALPN, "\x00\x02\x01ab", `0`, stray, 4},
		{extension.ALPN, "\x00\x03\x01a\x00", `0`, empty, 4},
		{extension.SupportedVersions, "\x06\x2a\x2a\x03\x04\x7f\x1c", "GREASE(0x2a2a), TLS 1.3, TLS 1.3 draft 28, 1.3 true", 0, 0},
		{extension.SupportedVersions, "\x02\xfe\xfc", "DTLS 1.3, 1.3 true", 0, 0},
		{extension.SupportedVersions, "\x02\x03\x03", "TLS 1.2, 1.3 false", 0, 0},
		{extension.SupportedVersions, "", "1.3 false", overrun, 0},
		{extension.SupportedVersions, "\x00", "1.3 false", empty, 0},
		{extension.SupportedVersions, "\x01\x03", "1.3 false", size, 0},
		{extension.SupportedVersions, "\x03\x03\x04\x03", "1.3 false", size, 0},
		{extension.SupportedVersions, "\x04\x03\x04", "1.3 false", overrun, 0},
		{extension.SupportedVersions, "\x02\x03\x04\x03", "1.3 false", stray, 3},
		{extension.SupportedGroups, "\x00\x04\x00\x1d\x11\xec", "x25519, X25519MLKEM768", 0, 0},
		{extension.SupportedGroups, "\x00\x00", "", empty, 0},
		{extension.SignatureAlgorithms, "\x00\x02\x08\x07", "ed25519", 0, 0},
		{extension.SignatureAlgorithms, "\x00\x03\x08\x07\x08", "", size, 0},
		{extension.SignatureAlgorithmsCert, "\x00\x02\x00\x00", "0x0000", 0, 0},
		{extension.SignatureAlgorithmsCert, "\x00\x02\x08", "", overrun, 0},
		{extension.CompressCertificate, "\x0a\x00\x01\x00\x02\x00\x03\x00\x04\xaa\xaa", "zlib, brotli, zstd, 0x0004, 0xaaaa", 0, 0},
		{extension.CompressCertificate, "\x00", "", empty, 0},
		{extension.KeyShare, "\x00\x00", "0", 0, 0},
		{extension.KeyShare, "\x00\x0a\x0a\x0a\x00\x01\x00\x00\x1d\x00\x01\xff", "2, GREASE(0x0a0a) 00, x25519 ff", 0, 0},
		{extension.KeyShare, "\x00\x04\x00\x1d\x00\x00", "0", empty, 4},
		{extension.KeyShare, "\x00\x01\x00", "0", overrun, 2},
		{extension.PreSharedKey, psk, "1, 69 258, 32 bytes", 0, 0},
		{extension.PreSharedKey, twoPSKs, fmt.Sprintf("2, %x 16909060, 6a 5, 32 bytes, 32 bytes", long), 0, 0},
		{extension.PreSharedKey, "\x00\x06\x00\x01i\x00\x00\x00", "0", size, 0},
		{extension.PreSharedKey, "\x00\x07\x00\x00i\x00\x00\x01\x02", "0", empty, 2},
		{extension.PreSharedKey, "\x00\x07\x00\x02i\x00\x00\x01\x02", "0", overrun, 6},
		{extension.PreSharedKey, "\x00\x07\x00\x01i\x00\x00\x01\x02", "0", overrun, 9},
		{extension.PreSharedKey, psk[:9] + "\x00\x20" + strings.Repeat("\x1f", 32), "0", size, 9},
		{extension.PreSharedKey, psk[:9] + "\x00\x21\x1f" + strings.Repeat("x", 32), "0", size, 11},
		{extension.PreSharedKey, psk[:9] + "\x00\x42\x20" + binder + "\x20" + binder, "0", illegal, 9},
		{extension.PreSharedKey, psk + "\x00", "0", stray, len(psk)},
		{extension.PreSharedKey, "\x00\x08" + psk[2:9] + "\x00" + psk[9:], "0", overrun, 9},
		{extension.PreSharedKey, psk[:9] + "\x00\x22\x20" + binder + "\x00", "0", empty, 44},
		{extension.PreSharedKey, psk[:9] + "\x00\x22\x21" + binder + "x", "1, 69 258, 33 bytes", 0, 0},
		{extension.PSKKeyExchangeModes, "\x02\x01\x00", "0100 false", 0, 0},
		{extension.PSKKeyExchangeModes, "\x00", " true", empty, 0},
		{extension.ECPointFormats, "\x01\x00", "00 false", 0, 0},
		{extension.ECPointFormats, "\x00", " true", empty, 0},
		{extension.Cookie, "\x00\x01c", "63 false", 0, 0},
		{extension.Cookie, "\x00\x00", " true", empty, 0},
		{extension.RenegotiationInfo, "\x00", " false", 0, 0},
		{extension.RenegotiationInfo, "", " true", overrun, 0},
		{extension.EarlyData, "", "true", 0, 0},
		{extension.EarlyData, "\x00", "false", stray, 0},
		{extension.ExtendedMasterSecret, "", "true", 0, 0},
		{extension.ExtendedMasterSecret, "\x00", "false", stray, 0},
		{extension.EncryptedClientHello, "\x00\x00\x01\x00\x02\x09\x00\x01e\x00\x02pp", "true 0 1 2 9 65 7070", 0, 0},
		{extension.EncryptedClientHello, "\x00\x00\x01\x00\x02\x09\x00\x00\x00\x01p", "true 0 1 2 9  70", 0, 0},
		{extension.EncryptedClientHello, "\x01", "true 1 0 0 0  ", 0, 0},
		{extension.EncryptedClientHello, "\x02", "true 0 0 0 0  ", illegal, 0},
		{extension.EncryptedClientHello, "\x01\x01", "true 0 0 0 0  ", stray, 1},
		{extension.EncryptedClientHello, "\x00\x00\x01\x00\x02\x09\x00\x00\x00\x00", "true 0 0 0 0  ", empty, 8},
		{extension.QUICTransportParameters, "qq", "7171 true", 0, 0},
		{extension.SessionTicket, "", " true", 0, 0},
		{extension.RecordSizeLimit, "\x40\x01", "true 16385", 0, 0},
		{extension.RecordSizeLimit, "\x00\x40", "true 64", 0, 0},
		{extension.RecordSizeLimit, "\x00\x3f", "true 0", illegal, 0},
		{extension.RecordSizeLimit, "\x40", "true 0", overrun, 0},
		{extension.StatusRequest, "\x01\x00\x03\x00\x01r\x00\x01x", "true 1 000172 78", 0, 0},
		{extension.StatusRequest, "\x02\x05", "true 2  ", 0, 0},
		{extension.StatusRequest, "\x01\x00\x02\x00\x00\x00\x00", "true 0  ", empty, 3},
		{extension.StatusRequest, "\x01\x00\x00\x00", "true 0  ", overrun, 3},
		{extension.StatusRequest, "\x01\x00\x01\x00\x00", "true 0  ", overrun, 3},
		{extension.TLSFlags, "\x01\x05", "flag(0), flag(2) in 62", 0, 0},
		{extension.TLSFlags, "\x02\x05\x00", "none in 62", extension.ErrFlagsTrailingZero, 2},
		{extension.TLSFlagsExperimental, "\x01\x05", "flag(0), flag(2) in 65025", 0, 0},
		{extension.TLSFlagsExperimental, "\x01\x05\x05", "none in 65025", extension.ErrFlagsTrailingBytes, 2},
		{64000, "whatever", "", 0, 0},
	}
	seen := make(map[extension.Type][2]bool) // accepted, refused
	for _, test := range tests {
		s := seen[test.t]
		s[min(test.code, 1)] = true
		seen[test.t] = s
		t.Run(fmt.Sprintf("%v/%x", test.t, test.body), func(t *testing.T) {
			x := extension.Extension{Type: test.t, Data: []byte(test.body)}
			hello, _, err := clienthello.Parse(encode(t, with(x), false))
			if err != nil {
				t.Fatal(err)
			}
			got, err := show(hello, test.t)
			if code, _ := err.(extension.Code); code != test.code {
				t.Errorf("got %v, want %v", err, test.code)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			found, _ := hello.Extensions().Lookup(test.t)
			want := 0
			if test.code != 0 {
				want = found.Offset + test.at
			}
			if offset, checked := hello.CheckExtension(test.t); offset != want || checked != err {
				t.Errorf("CheckExtension gives %v at %d, want %v at %d", checked, offset, err, want)
			}
		})
	}
	for typ := range clienthello.BodyTypes() {
		opaque := typ == extension.SessionTicket || typ == extension.QUICTransportParameters
		if s := seen[typ]; !s[0] || s[1] == opaque {
			t.Errorf("%v: there is a row with an accepted body: %t, with a refused one: %t", typ, s[0], s[1])
		}
	}
}

// Each of the 256 name types may have one name.
func TestServerNameTypes(t *testing.T) {
	check := func(list []byte, want error) {
		t.Helper()
		body := append([]byte{byte(len(list) >> 8), byte(len(list))}, list...)
		hello, _, err := clienthello.Parse(encode(t, with(ext(extension.ServerName, body...)), false))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := hello.ServerName(); err != want {
			t.Errorf("% x: %v, want %v", list, err, want)
		}
	}
	var all []byte
	for i := range 256 {
		name := []byte{byte(i), 0, 1, 'x'}
		all = append(all, name...)
		check(append(name, name...), extension.ErrIllegalValue)
	}
	check(all, nil)
	for i := range 256 {
		check(append(slices.Clip(all), byte(i), 0, 1, 'x'), extension.ErrIllegalValue)
	}
}

// Without an extension its accessor gives the zero value and no error.
func TestExtensionAbsent(t *testing.T) {
	hello, _, err := clienthello.Parse(encode(t, minimal(), false))
	if err != nil {
		t.Fatal(err)
	}
	for typ := range extension.Type(1 << 8) {
		if _, err := show(hello, typ); err != nil {
			t.Errorf("%v: %v", typ, err)
		}
		if offset, err := hello.CheckExtension(typ); offset != 0 || err != nil {
			t.Errorf("%v: CheckExtension gives %v at %d", typ, err, offset)
		}
	}
	_, ticket := hello.SessionTicket()
	_, parameters := hello.QUICTransportParameters()
	_, ech, _ := hello.EncryptedClientHello()
	_, status, _ := hello.StatusRequest()
	_, limit, _ := hello.RecordSizeLimit()
	if ticket || parameters || ech || status || limit {
		t.Errorf("present: %t, %t, %t, %t, %t; want none", ticket, parameters, ech, status, limit)
	}
}

func TestIterationStops(t *testing.T) {
	psk := "\x00\x0e\x00\x01i\x00\x00\x01\x02\x00\x01i\x00\x00\x01\x02" + "\x00\x42\x20" + strings.Repeat("b", 32) + "\x20" + strings.Repeat("b", 32)
	hello, _, err := clienthello.Parse(encode(t, with(
		extension.Extension{Type: extension.ALPN, Data: []byte("\x00\x04\x01a\x01b")},
		extension.Extension{Type: extension.KeyShare, Data: []byte("\x00\x0a\x00\x01\x00\x01x\x00\x02\x00\x01x")},
		extension.Extension{Type: extension.SupportedVersions, Data: []byte("\x04\x03\x04\x03\x03")},
		extension.Extension{Type: extension.TLSFlags, Data: []byte("\x01\x03")},
		extension.Extension{Type: extension.PreSharedKey, Data: []byte(psk)},
	), false))
	if err != nil {
		t.Fatal(err)
	}
	protocols, _ := hello.ALPN()
	shares, _ := hello.KeyShares()
	versions, _ := hello.SupportedVersions()
	flags, _, _ := hello.Flags()
	psks, _ := hello.PreSharedKey()
	n := 0
	for range hello.Extensions().All() {
		n++
		break
	}
	for range protocols.All() {
		n++
		break
	}
	for range shares.All() {
		n++
		break
	}
	for range versions.All() {
		n++
		break
	}
	for range flags.All() {
		n++
		break
	}
	for range psks.Identities() {
		n++
		break
	}
	for range psks.Binders() {
		n++
		break
	}
	if n != 7 {
		t.Errorf("%d of 7 loops ran once", n)
	}
	if versions.Contains(clienthello.VersionTLS10) {
		t.Error("TLS 1.0 is not in the list")
	}
}

// TestBodiesCut checks bodies that end early, go on too long, or have one byte that is
// larger or smaller by one, against the reference parser.
func TestBodiesCut(t *testing.T) {
	psk := append([]byte{0, 7, 0, 1, 'a', 0, 0, 0, 0, 0, 33, 32}, make([]byte, 32)...)
	for typ, bodies := range map[extension.Type][][]byte{
		extension.ServerName:           {{0, 4, 0, 0, 1, 'a'}, {0, 9, 1, 0, 2, 'a', 'b', 0, 0, 1, 'c'}},
		extension.StatusRequest:        {{1, 0, 0, 0, 0}, {1, 0, 7, 0, 1, 9, 0, 2, 8, 7, 0, 2, 1, 2}, {2, 3}},
		extension.ALPN:                 {{0, 3, 2, 'h', '2'}, {0, 5, 1, 'a', 2, 'b', 'c'}},
		extension.KeyShare:             {{0, 0}, {0, 5, 0, 29, 0, 1, 9}, {0, 11, 0, 29, 0, 1, 9, 0, 23, 0, 2, 8, 7}},
		extension.EncryptedClientHello: {{1}, {0, 0, 1, 0, 2, 9, 0, 0, 0, 1, 7}, {0, 0, 1, 0, 2, 9, 0, 2, 5, 6, 0, 1, 7}},
		extension.PreSharedKey:         {psk},
		extension.RecordSizeLimit:      {{0, 64}, {1, 0}},
		extension.SupportedVersions:    {{2, 3, 4}, {4, 3, 4, 3, 3}},
		extension.SupportedGroups:      {{0, 2, 0, 29}, {0, 4, 0, 29, 0, 23}},
		extension.ECPointFormats:       {{1, 0}, {2, 0, 1}},
		extension.Cookie:               {{0, 1, 9}, {0, 2, 9, 8}},
		extension.RenegotiationInfo:    {{0}, {1, 9}},
		extension.EarlyData:            {{}},
	} {
		for _, body := range bodies {
			all := [][]byte{body, append(bytes.Clone(body), 0), append(bytes.Clone(body), 0, 0)}
			for i := range body {
				all = append(all, body[:i])
				for _, d := range []byte{1, 255} {
					changed := bytes.Clone(body)
					changed[i] += d
					all = append(all, changed)
				}
			}
			for _, b := range all {
				if err := clienthellotest.CheckBody(typ, b); err != nil {
					t.Errorf("%v, % x: %v", typ, b, err)
				}
			}
		}
	}
}
