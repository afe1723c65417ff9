package cli

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/corpus"
)

// inspectOne returns the only row for an input.
func inspectOne(t *testing.T, input []byte, options ...string) line {
	t.Helper()
	out, _ := runInput(t, input, append([]string{"inspect", "-q", "-f", "jsonl", "-"}, options...)...)
	var l line
	if err := json.Unmarshal([]byte(out), &l); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	return l
}

// TestBodies checks what is shown of the bodies of extensions, and that a malformed one
// differs from none.
func TestBodies(t *testing.T) {
	ech := append([]byte{0, 0, 1, 0, 3, 7, 0, 2, 1, 2, 0, 3}, 4, 5, 6)
	for name, tt := range map[string]struct {
		extensions [][]byte
		want       string // client_hello, from supported_groups on
		text       string // at the end of the text
	}{
		"none": {nil, `"supported_groups":null,"key_share_groups":null,"signature_algorithms":null,"ech":null}`, "no tls_flags"},
		"all": {
			[][]byte{ext(10, 0, 4, 0, 29, 0x11, 0xec), ext(51, 0, 5, 0, 29, 0, 1, 9), ext(13, 0, 2, 8, 7), ext(0xfe0d, ech...)},
			`"supported_groups":[{"value":29,"name":"x25519"},{"value":4588,"name":"X25519MLKEM768"}],"key_share_groups":[{"value":29,"name":"x25519"}],` +
				`"signature_algorithms":[{"value":2055,"name":"ed25519"}],"ech":{"type":{"value":0,"name":"outer"},"kdf":{"value":1,"name":"HKDF-SHA256"},` +
				`"aead":{"value":3,"name":"ChaCha20Poly1305"},"config_id":7,"enc_length":2,"payload_length":3}}`,
			"no tls_flags",
		},
		"an empty key_share, an inner ECH": {
			[][]byte{ext(51, 0, 0), ext(0xfe0d, 1)},
			`"supported_groups":null,"key_share_groups":[],"signature_algorithms":null,"ech":{"type":{"value":1,"name":"inner"},"kdf":null,"aead":null,"config_id":null,"enc_length":null,"payload_length":null}}`,
			"no tls_flags",
		},
		"malformed": {
			[][]byte{ext(0, 0, 4, 0, 0, 2, 'a'), ext(51, 0), ext(0xfe0d, 9)},
			`"supported_groups":null,"key_share_groups":null,"signature_algorithms":null,"ech":null,"malformed_extensions":[` +
				`{"value":0,"name":"server_name","code":"field_overrun","offset":54},{"value":51,"name":"key_share","code":"field_overrun","offset":61},` +
				`{"value":65037,"name":"encrypted_client_hello","code":"illegal_value","offset":66}]}`,
			"no tls_flags; server_name malformed: field_overrun at byte 54; key_share malformed: field_overrun at byte 61; " +
				"encrypted_client_hello malformed: illegal_value at byte 66",
		},
	} {
		msg := helloOf(0x0303, []uint16{0x1301}, tt.extensions...)
		out, _ := runInput(t, msg, "inspect", "-q", "-f", "jsonl", "-")
		_, got, _ := strings.Cut(out, `"supported_versions":null,`)
		got, _, _ = strings.Cut(got, `,"tls_flags"`)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
		if out, _ := runInput(t, msg, "inspect", "-q", "-"); !strings.HasSuffix(out, "  "+tt.text+"\n") {
			t.Errorf("%s: %s", name, out)
		}
	}
}

// TestPartial checks what is shown of refused hellos.
func TestPartial(t *testing.T) {
	name, versions := ext(0, 0, 4, 0, 0, 1, 'a'), ext(43, 2, 3, 4)
	msg := helloOf(0x0303, []uint16{0x1301}, name, versions)
	whole := inspectOne(t, msg)
	twice := inspectOne(t, helloOf(0x0303, []uint16{0x1301}, name, versions, versions))
	stream := append([]byte{22, 3, 1, 0, 50}, msg[:50]...)
	stream = append(stream, 22, 3, 1, 0, 0)
	for _, tt := range []struct {
		what       string
		input      []byte
		serverName optional
		extensions int
		suites     bool
		ja4        bool
		text       string // name, version and verdict
	}{
		{"a repeated extension", helloOf(0x0303, []uint16{0x1301}, name, versions, versions), "a", 3, true, true, "a TLS 1.3 refused: duplicate_extension at byte 64: "},
		{"cut in the last extension", msg[:len(msg)-1], "a", 1, true, false, "a - refused: truncated at byte 63: "},
		{"cut in the first", msg[:len(msg)-10], "", 0, true, false, "- - refused: truncated at byte 54: "},
		{"cut after the random", msg[:38], "", 0, false, false, "- - refused: truncated at byte 38: "},
		{"in records", stream, "", 0, true, false, "- - refused: record_empty at byte 58: "},
	} {
		l := inspectOne(t, tt.input)
		if l.ClientHello != nil || l.Error == nil || l.JA4 != "" || l.TLSFlags != nil {
			t.Errorf("%s: %+v", tt.what, l)
		}
		p := l.Partial
		if p == nil || *p.Random != *whole.ClientHello.Random || p.ServerName != tt.serverName ||
			len(p.Extensions) != tt.extensions || p.CipherSuites != nil != tt.suites || p.JA4 != "" != tt.ja4 {
			t.Errorf("%s: partial is %+v", tt.what, p)
		}
		if out, _ := runInput(t, tt.input, "inspect", "-q", "-"); !strings.HasPrefix(nameOn(out), tt.text) {
			t.Errorf("%s: %q", tt.what, out)
		}
		if redacted := inspectOne(t, tt.input, "--redact").Partial; redacted.Random != nil || redacted.SessionID != nil || redacted.ServerName != "" {
			t.Errorf("%s: %+v with --redact", tt.what, redacted)
		}
	}
	if twice.Partial.JA4[:10] != "t13d010300" { // the repeated extension counts
		t.Errorf("JA4 of a hello with a repeated extension is %s", twice.Partial.JA4)
	}
	if l := inspectOne(t, msg[:37]); l.Partial != nil || l.Error == nil {
		t.Errorf("without a random: %+v", l.Partial)
	}
	datagram := append([]byte{22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 60, 1, 0, 0, 100, 0, 0, 0, 0, 0, 0, 0, 48, 0xfe, 0xfd}, bytes.Repeat([]byte{5}, 46)...)
	if p := inspectOne(t, datagram).Partial; p == nil || p.Length != 112 || p.LegacyVersion.Name != "DTLS 1.2" || !strings.HasPrefix(*p.Random, "0505") {
		t.Errorf("DTLS: %+v", p)
	}
}

// TestPrologue checks what is said of the bytes before TLS.
func TestPrologue(t *testing.T) {
	entry, _ := corpus.Lookup("captures/tcp-starttls-smtp-openssl.pcapng")
	l := inspectOne(t, entry.Data())
	if l.Prologue == nil || l.Prologue.Protocol != "smtp" || l.Prologue.Length < 10 {
		t.Errorf("%+v", l.Prologue)
	}
	if out, _ := runInput(t, entry.Data(), "inspect", "-q", "-"); !strings.HasSuffix(out, "no tls_flags; after smtp\n") {
		t.Error(out)
	}
	l.Prologue.Protocol = ""
	if got := carriedIn(&l); len(got) != 1 || !strings.HasPrefix(got[0], "after ") || !strings.HasSuffix(got[0], " bytes") {
		t.Errorf("an unknown protocol: %q", got)
	}
}

// TestNoFrames checks that a row without packets has no empty list of them.
func TestNoFrames(t *testing.T) {
	if l := new(lists).describe("", &capture.Hello{Frames: []int{}}); l.Frames != nil {
		t.Errorf("%v, want null", l.Frames)
	}
}

// nameOn returns the columns of the first row of text that matter: those from the server name on
// without frames, with a space between them.
func nameOn(out string) string {
	header, row, _ := strings.Cut(out, "\n")
	at := func(name string) int { return strings.Index(header, name) }
	if header == "" || len(row) <= at("TLS FLAGS") {
		return ""
	}
	return strings.Join(strings.Fields(row[at("SERVER NAME"):at("FRAMES")]+row[at("TLS FLAGS"):]), " ")
}
