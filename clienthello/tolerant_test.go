package clienthello_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/oracle/clienthellotest"
)

// oddHellos says what servers do: go is crypto/tls 1.26, openssl 3.0 (node does the same),
// gnutls 3.7; ok is an answer with a ServerHello, a50 the alert 50, and so on.
var oddHellos = []struct {
	name, servers string
	sessionID     int
	extensions    []extension.Type
	pass          clienthello.Servers // 0: refused
	faults        string
}{
	{"plain", "go ok, openssl ok, gnutls ok", 32, nil, clienthello.AllServers, ""},
	{"session id of 33", "go ok, openssl a50, gnutls a50", 33, nil, clienthello.CryptoTLS, "session_id_too_long 38"},
	{"session id of 255", "go ok, openssl a50, gnutls a50", 255, nil, clienthello.CryptoTLS, "session_id_too_long 38"},
	{"unknown twice", "go a50, openssl ok, gnutls ok", 0, []extension.Type{0x1234, 62, 0x1234, 0x1234}, clienthello.OpenSSL | clienthello.GnuTLS, "duplicate_extension 55"},
	{"GREASE twice", "go a50, openssl ok, gnutls ok", 0, []extension.Type{0x0a0a, 0x0a0a}, clienthello.OpenSSL | clienthello.GnuTLS, "duplicate_extension 51"},
	{"tls_flags twice", "go a50, openssl ok, gnutls ok", 0, []extension.Type{62, 62}, clienthello.OpenSSL | clienthello.GnuTLS, "duplicate_extension 51"},
	{"SCTs twice", "go a50, openssl a47, gnutls ok", 0, []extension.Type{18, 18}, clienthello.GnuTLS, "duplicate_extension 51"},
	{"compress_certificate twice", "go a50, openssl ok, gnutls a110", 0, []extension.Type{27, 27}, clienthello.OpenSSL, "duplicate_extension 51"},
	{"both twice", "go a50, openssl a47, gnutls a110", 0, []extension.Type{18, 18, 27, 27}, 0, "duplicate_extension 51"},
	{"extended_master_secret twice", "go a50, openssl a47, gnutls a110", 0, []extension.Type{23, 23}, 0, "duplicate_extension 51"},
	{"session id of 33, unknown twice", "go a50, openssl a50, gnutls a50", 33, []extension.Type{0x1234, 0x1234}, 0, "session_id_too_long 38"},
	{"unknown twice, pre_shared_key not last", "go a50, openssl a47, gnutls a47", 0, []extension.Type{0x1234, 0x1234, 41, 62}, 0, "duplicate_extension 51"},
}

func TestParseTolerant(t *testing.T) {
	for _, test := range oddHellos {
		t.Run(test.name, func(t *testing.T) {
			h := minimal()
			h.SessionID = bytes.Repeat([]byte{5}, min(test.sessionID, 32))
			h.HasExtensionBlock = true
			for _, typ := range test.extensions {
				h.Extensions = append(h.Extensions, ext(typ))
			}
			msg := encode(t, h, false)
			if more := test.sessionID - 32; more > 0 {
				msg = longSessionID(msg, more)
			}
			got, faults, n, err := clienthello.ParseTolerant(msg, clienthello.AllServers)
			_, strictAt, strictErr := clienthello.Parse(msg)
			if test.pass == 0 {
				if err != strictErr || n != strictAt || fmt.Sprint(err.(extension.Code).Name(), " ", n) != test.faults {
					t.Fatalf("got %v at %d, want %s", err, n, test.faults)
				}
				return
			}
			if err != nil || n != len(msg) || !bytes.Equal(got.AppendTo(nil), msg) {
				t.Fatalf("got %v at %d", err, n)
			}
			pass, text := clienthello.AllServers, ""
			for _, f := range faults {
				pass &= f.Servers
				text += fmt.Sprint(f.Code, " ", f.Offset)
			}
			if text != test.faults || pass != test.pass {
				t.Errorf("faults %q passed by %b, want %q by %b", text, pass, test.faults, test.pass)
			}
			if len(got.LegacySessionID()) != test.sessionID || got.Extensions().Len() != len(test.extensions) {
				t.Errorf("session id of %d bytes, %d extensions", len(got.LegacySessionID()), got.Extensions().Len())
			}
			if _, _, n, err := clienthello.ParseTolerant(msg, clienthello.AllServers&^test.pass); test.faults != "" && (err != strictErr || n != strictAt) {
				t.Errorf("other servers: got %v at %d", err, n)
			}
		})
	}
}

// Which servers read a hello in which an extension is repeated depends on its type.
func TestRepeatedTypes(t *testing.T) {
	both := []extension.Type{0, 1, 5, 10, 11, 12, 13, 14, 16, 22, 23, 35, 42, 43, 44, 45, 49, 51, 0xff01}
	openSSL := append([]extension.Type{18, 21, 47, 50, 13172}, both...)
	gnuTLS := append([]extension.Type{15, 19, 20, 27, 28}, both...)
	for typ := range extension.Type(0xffff) {
		if typ == extension.PreSharedKey {
			continue // two are refused, for the first is not the last extension
		}
		var want clienthello.Servers
		if !slices.Contains(openSSL, typ) {
			want |= clienthello.OpenSSL
		}
		if !slices.Contains(gnuTLS, typ) {
			want |= clienthello.GnuTLS
		}
		_, faults, _, err := clienthello.ParseTolerant(encode(t, with(ext(typ), ext(typ)), false), clienthello.AllServers)
		if want == 0 && err == nil || want != 0 && (err != nil || faults[0].Servers != want) {
			t.Errorf("type %d: %v, %v, want %b", typ, faults, err, want)
		}
	}
}

func TestRepeatedInALargeBlock(t *testing.T) {
	msg := encode(t, with(ext(0x1234), ext(21, make([]byte, 300)...), ext(0x1234)), false)
	if got, _, n, err := clienthello.ParseTolerant(msg, clienthello.AllServers); err != nil || n != len(msg) || got.Extensions().Len() != 3 {
		t.Error(got.Extensions().Len(), n, err)
	}
}

// longSessionID makes the session id of 32 bytes longer.
func longSessionID(msg []byte, more int) []byte {
	const at = 4 + 2 + 32
	long := append([]byte(nil), msg[:at+1]...)
	long[at] += byte(more)
	long = append(append(long, make([]byte, more)...), msg[at+1:]...)
	n := len(long) - 4
	long[1], long[2], long[3] = byte(n>>16), byte(n>>8), byte(n)
	return long
}

func TestTheFirstFlagsCount(t *testing.T) {
	other := []byte{2, 0, 1}
	for _, test := range []struct {
		name       string
		extensions []extension.Extension
		want       bool
	}{
		{"flag 80 first", []extension.Extension{ext(62, flag80...), ext(62, other...)}, true},
		{"flag 80 second", []extension.Extension{ext(62, other...), ext(62, flag80...)}, false},
		{"62 after 0xfe01", []extension.Extension{ext(0xfe01, flag80...), ext(0xfe01, flag80...), ext(62, other...)}, false},
	} {
		got, _, _, err := clienthello.ParseTolerant(encode(t, with(test.extensions...), false), clienthello.AllServers)
		if err != nil || got.HasFlag(extension.RequestMTLS) != test.want {
			t.Errorf("%s: %v, %v", test.name, got.HasFlag(extension.RequestMTLS), err)
		}
	}
}

func TestParseTolerantDTLS(t *testing.T) {
	msg := encode(t, with(ext(0x1234), ext(0x1234)), true)
	got, faults, _, err := clienthello.ParseTolerantDTLS(msg, clienthello.OpenSSL)
	if err != nil || !got.IsDTLS() || len(faults) != 1 {
		t.Error(faults, err)
	}
	h := clienthellotest.Hello(with(ext(0x1234), ext(0x1234)))
	stray := append(encode(t, h, true), 0)
	stray[3]++
	stray[11]++
	if _, _, _, err := clienthello.ParseTolerantDTLS(stray, clienthello.OpenSSL); err != extension.ErrDuplicateExtension {
		t.Error(err)
	}
}

// TestReadFieldsTakesTheFirst reads a hello with an extension twice, which some servers
// accept.
func TestReadFieldsTakesTheFirst(t *testing.T) {
	msg := encode(t, with(
		ext(extension.QUICTransportParameters, 1), ext(extension.QUICTransportParameters, 2),
		ext(extension.TLSFlagsExperimental, 1, 4), ext(extension.TLSFlags, 1, 2),
	), false)
	hello, faults, _, err := clienthello.ParseTolerant(msg, clienthello.AllServers)
	if err != nil || len(faults) != 1 {
		t.Fatal(faults, err)
	}
	var f clienthello.Fields
	hello.ReadFields(&f)
	if !bytes.Equal(f.QUICTransportParameters, []byte{1}) || !f.Flags.Has(1) || f.Flags.Has(2) {
		t.Errorf("%+v", f)
	}
}
