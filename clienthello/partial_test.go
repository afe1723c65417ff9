package clienthello_test

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/clienthello"
)

// partialOf parses what there is of a message.
func partialOf(msg []byte, dtls bool) clienthello.Partial {
	if dtls {
		return clienthello.ParsePartialDTLS(msg)
	}
	return clienthello.ParsePartial(msg)
}

// TestPartialPrefixes checks what is read of every prefix of a message: each field once it
// is whole, and nothing that the whole message has not.
func TestPartialPrefixes(t *testing.T) {
	for _, dtls := range []bool{false, true} {
		description := with(ext(0, []byte("\x00\x0c\x00\x00\x09a.example")...), ext(43, 2, 3, 4), ext(13, 0, 2, 4, 3))
		description.SessionID, description.Cookie = []byte{1, 2, 3}, []byte{4}
		description.CipherSuites = []uint16{0x1301, 0x1302}
		if !dtls {
			description.Cookie = nil
		}
		msg := encode(t, description, dtls)
		header, cookie := 4, 0
		if dtls {
			header, cookie = 12, 2
		}
		random := header + 2 + 32
		suites := random + 1 + 3 + cookie + 2
		block := suites + 4 + 1 + 1 + 2
		for n := range len(msg) + 1 {
			p := partialOf(msg[:n:n], dtls)
			at := func(end int) bool { return n >= end }
			name, err := p.Hello.ServerName()
			versions, _ := p.Hello.SupportedVersions()
			got := []bool{
				p.Length == len(msg), p.LegacyVersion == 0x0303, bytes.Equal(p.Random, description.Random), bytes.Equal(p.LegacySessionID, description.SessionID),
				p.CipherSuites.Len() > 0, p.CipherSuites.Len() == 2, p.LegacyCompressionMethods != nil,
				string(name) == "a.example", versions.Len() == 1, p.Hello.Extensions().Len() == 3, p.Whole,
			}
			end := block + 4 + 14
			want := []bool{
				at(header), at(header + 2), at(random), at(random + 4),
				at(suites + 2), at(suites + 4), at(suites + 6),
				at(end), at(end + 7), at(end + 15), n == len(msg),
			}
			if !slices.Equal(got, want) || err != nil {
				t.Fatalf("DTLS %t, %d of %d bytes: got %v, want %v; %v", dtls, n, len(msg), got, want, err)
			}
			var f clienthello.Fields
			if p.Hello.ReadFields(&f); string(f.ServerName) != string(name) || f.SupportedVersions.Len() != versions.Len() {
				t.Errorf("DTLS %t, %d bytes: ReadFields gives %q and %d versions", dtls, n, f.ServerName, f.SupportedVersions.Len())
			}
			if !dtls && p.LegacyCookie != nil || dtls && bytes.Equal(p.LegacyCookie, description.Cookie) != at(random+6) {
				t.Errorf("DTLS %t, %d bytes: cookie %v", dtls, n, p.LegacyCookie)
			}
			if (p.Random == nil) != !at(random) || (p.LegacySessionID == nil) != !at(random+4) {
				t.Errorf("DTLS %t, %d bytes: random %v, session id %v", dtls, n, p.Random, p.LegacySessionID)
			}
			if e, ok := p.Hello.Extensions().Lookup(43); ok && !bytes.Equal(msg[e.Offset:e.Offset+len(e.Data)], e.Data) {
				t.Errorf("DTLS %t: supported_versions at %d", dtls, e.Offset)
			}
		}
	}
}

// TestPartialFaults checks what is read of messages that break one rule each.
func TestPartialFaults(t *testing.T) {
	sni := ext(0, []byte("\x00\x0c\x00\x00\x09a.example")...)
	plain := encode(t, with(sni, ext(43, 2, 3, 4)), false)
	longID := with(sni)
	longID.SessionID = make([]byte, 32)
	const suitesAt = 4 + 2 + 32 + 1
	tests := []struct {
		name       string
		msg        []byte
		suites     int
		extensions int
		whole      bool
	}{
		{"nothing", plain, 1, 2, true},
		{"two server_names", encode(t, with(sni, ext(0), ext(43, 2, 3, 4)), false), 1, 3, true},
		{"pre_shared_key first", encode(t, with(sni, ext(41), ext(43)), false), 1, 3, true},
		{"a session id of 33", longSessionID(encode(t, longID, false), 1), 1, 1, true},
		{"no extension block", encode(t, minimal(), false), 1, 0, true},
		{"stray bytes after it", longer(plain, 3), 1, 2, true},
		{"one stray byte instead of it", longer(encode(t, minimal(), false), 1), 1, 0, false},
		{"no cipher suite", changed(plain, suitesAt, "\x00\x02\x13\x01", "\x00\x00"), 0, 2, true},
		{"half a cipher suite", changed(plain, suitesAt, "\x00\x02", "\x00\x03\x13"), 1, 2, true},
		{"cipher suites that overrun", changed(plain, suitesAt, "\x00\x02", "\xff\xfe"), 0, 0, false},
		{"no compression method", changed(plain, suitesAt+4, "\x01\x00", "\x00"), 1, 2, true},
		{"a block that overruns", changed(plain, suitesAt+6, "\x00\x19", "\x00\x1a"), 1, 2, false},
		{"an extension that overruns", changed(plain, suitesAt+8+18, "\x00\x2b\x00\x03", "\x00\x2b\x00\x04"), 1, 1, false},
		{"too long for any", changed(plain, 1, "\x00", "\xff"), 1, 2, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := clienthello.ParsePartial(test.msg)
			if len(p.Random) != 32 || p.CipherSuites.Len() != test.suites || p.Hello.Extensions().Len() != test.extensions || p.Whole != test.whole {
				t.Errorf("random of %d, %d suites, %d extensions, whole %t; want 32, %d, %d, %t",
					len(p.Random), p.CipherSuites.Len(), p.Hello.Extensions().Len(), p.Whole, test.suites, test.extensions, test.whole)
			}
			var f clienthello.Fields
			if p.Hello.ReadFields(&f); f.Has(0) != (test.extensions > 0) {
				t.Errorf("ReadFields: server_name %t", f.Has(0))
			}
			if name, err := p.Hello.ServerName(); test.extensions > 0 && (string(name) != "a.example" || err != nil) {
				t.Errorf("server_name %q, %v", name, err)
			}
			if p.Whole && (p.Hello.CipherSuites().Len() != test.suites || !bytes.Equal(p.Hello.Random(), p.Random)) {
				t.Error("the fields of Hello are others")
			}
		})
	}
	for _, msg := range []string{"", "\x01\x00\x00", "\x02" + string(plain[1:]), "\x16" + string(plain[1:])} {
		if p := clienthello.ParsePartial([]byte(msg)); p.Length != 0 || p.Random != nil {
			t.Errorf("%.4q: something was read", msg)
		}
	}
}

// TestPartialOfAll checks that of an accepted message all is read.
func TestPartialOfAll(t *testing.T) {
	for name, msg := range recorded {
		h, _, err := clienthello.Parse(msg)
		p := clienthello.ParsePartial(msg)
		if err != nil || !p.Whole || !reflect.DeepEqual(p.Hello, h) {
			t.Errorf("%s: Hello is not that of Parse", name)
		}
	}
}

// changed replaces bytes at an offset of a message, and corrects its length.
func changed(msg []byte, at int, from, to string) []byte {
	s := string(msg)
	if !strings.HasPrefix(s[at:], from) {
		panic("not there")
	}
	s = s[:at] + to + s[at+len(from):]
	return longer([]byte(s), 0)
}

// longer appends zero bytes to a message, and corrects its length.
func longer(msg []byte, n int) []byte {
	msg = append(bytes.Clone(msg), make([]byte, n)...)
	n = len(msg) - 4
	msg[2], msg[3] = byte(n>>8), byte(n)
	return msg
}
