package annotate_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/annotate"
	"github.com/tlsflags/tlsflags/corpus"
	"github.com/tlsflags/tlsflags/extension"
)

// messages are one message of each kind, and two extensions.
func messages() map[annotate.Kind][]byte {
	hex := func(parts ...string) []byte {
		var b []byte
		if _, err := fmt.Sscanf(strings.ReplaceAll(strings.Join(parts, ""), " ", ""), "%x", &b); err != nil {
			panic(err)
		}
		return b
	}
	random := strings.Repeat("aa", 32)
	return map[annotate.Kind][]byte{
		annotate.ClientHello: hex("01 000058 0303", random, "02 0102 0004 1301 0a0a 01 00 002a",
			"0000 0008 0006 00 0003 612e62 002b 0003 02 0304 0033 0007 0005 001d 0001 09 003e 0003 02 0101 0a0a 0001 ff"),
		annotate.DTLSClientHello: hex("01 000034 0000 000000 000034 fefd", random, "00 01 77 0002 1301 01 00 0006 003e 0002 01 01"),
		annotate.ServerHello: hex("02 00003a 0303", random, "00 1301 00 0010",
			"002b 0002 0304 003e 0002 01 01 1234 0000"),
		annotate.EncryptedExtensions: hex("08 000011 000f 0010 0005 0003 02 6832 003e 0002 01 80"),
		annotate.CertificateRequest:  hex("0d 000018 01 77 0014 000d 0004 0002 0804 003e 0008 07 000000000000 01"),
		annotate.Certificate:         hex("0b 000017 00 000013 000002 3031 0006 003e 0002 01 04 000001 30 0000"),
		annotate.NewSessionTicket:    hex("04 00001b 00001c20 01020304 01 00 0003 616263 000b 002a 0000 003e 0003 02 0001"),
		annotate.Extension:           hex("003e 000c 0b 00000000000000000000 01"),
		annotate.Flags:               hex("02 0101"),
	}
}

// fix sets the length of the handshake header to what follows it.
func fix(kind annotate.Kind, msg []byte) []byte {
	msg = bytes.Clone(msg)
	if kind >= annotate.Extension {
		return msg
	}
	n := len(msg) - 4
	if kind == annotate.DTLSClientHello {
		n -= 8
		copy(msg[9:], []byte{byte(n >> 16), byte(n >> 8), byte(n)})
	}
	copy(msg[1:], []byte{byte(n >> 16), byte(n >> 8), byte(n)})
	return msg
}

func TestExplainAccepts(t *testing.T) {
	for kind, msg := range messages() {
		msg = fix(kind, msg)
		table := annotate.Explain(kind, msg)
		if table.Refused != nil || len(table.Bodies) > 0 {
			t.Errorf("%v: refused %+v, bodies %+v", kind, table.Refused, table.Bodies)
		}
		if err := annotate.CheckExplain(kind, msg); err != nil {
			t.Errorf("%v: %v", kind, err)
		}
		if err := annotate.CheckExplain(kind, append(bytes.Clone(msg), 1, 2, 3)); kind != annotate.Flags && err != nil {
			t.Errorf("%v, followed by three bytes: %v", kind, err)
		}
	}
}

func TestExplainEveryPrefix(t *testing.T) {
	for kind, msg := range messages() {
		msg = fix(kind, msg)
		for n := range msg {
			if err := annotate.CheckExplain(kind, msg[:n]); err != nil {
				t.Errorf("%v, the first %d bytes: %v", kind, n, err)
			}
			if err := annotate.CheckExplain(kind, fix(kind, append(bytes.Clone(msg[:n]), make([]byte, max(12-n, 0))...))); err != nil {
				t.Errorf("%v, the first %d bytes with the length mended: %v", kind, n, err)
			}
		}
	}
}

func TestExplainEveryByte(t *testing.T) {
	for kind, msg := range messages() {
		msg = fix(kind, msg)
		for i := range msg {
			was := msg[i]
			for v := range 256 {
				msg[i] = byte(v)
				if err := annotate.CheckExplain(kind, msg); err != nil {
					t.Fatalf("%v with byte %d set to %#x: %v", kind, i, v, err)
				}
			}
			msg[i] = was
		}
	}
}

func TestExplainCorpus(t *testing.T) {
	for e := range corpus.OfKind(corpus.Records) {
		var records assemble.Records
		records.Reset(make([]byte, assemble.MaxMessage))
		msg := bytes.Clone(records.Feed(e.Data()).Message)
		if err := annotate.CheckExplain(annotate.ClientHello, msg); err != nil {
			t.Errorf("%s: %v", e.File, err)
		}
		for n := 0; n < len(msg); n += 7 {
			if err := annotate.CheckExplain(annotate.ClientHello, msg[:n]); err != nil {
				t.Errorf("%s, the first %d bytes: %v", e.File, n, err)
			}
		}
	}
}

// certificateOf returns a Certificate of n entries with extensions.
func certificateOf(n int, extensions []byte) []byte {
	entry := append([]byte{0, 0, 1, 0x30, byte(len(extensions) >> 8), byte(len(extensions))}, extensions...)
	list := bytes.Repeat(entry, n)
	msg := append([]byte{11, 0, 0, 0, 0, byte(len(list) >> 16), byte(len(list) >> 8), byte(len(list))}, list...)
	return fix(annotate.Certificate, msg)
}

// TestExplainFolds checks that the table of a message with very many fields is small, and
// has all of its bytes and faults.
func TestExplainFolds(t *testing.T) {
	const limit = 100_000
	malformed := []byte{0, 62, 0, 1, 0}
	long := certificateOf(1<<17, malformed)
	tests := []struct {
		name   string
		msg    []byte
		fields int
		faults int
		refuse bool
	}{
		{"entries without extensions", certificateOf(1<<18, nil), limit + 1, 0, false},
		{"malformed extensions", long, limit + 1, 1 << 17, false},
		{"a fault at the end", append(certificateOf(1<<17, nil), 0)[:6*(1<<17)+6], limit + 10, 0, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := annotate.CheckExplain(annotate.Certificate, tt.msg); err != nil {
				t.Error(err)
			}
			table := annotate.Explain(annotate.Certificate, tt.msg)
			if len(table.Fields) > tt.fields || len(table.Bodies)+table.More != tt.faults || len(table.Bodies) > 10_000 {
				t.Errorf("%d fields, %d and %d faults", len(table.Fields), len(table.Bodies), table.More)
			}
			if f := table.Fields[limit]; f.Path != "..." || (f.Fault != nil) != (tt.faults > 0) {
				t.Errorf("the field that stands for others is %s", row(annotate.Field{Offset: f.Offset, Path: f.Path, Meaning: f.Meaning, Fault: f.Fault}))
			}
			if (table.Refused != nil) != tt.refuse || tt.refuse && table.Fields[len(table.Fields)-1].Fault == nil {
				t.Errorf("refused: %+v", table.Refused)
			}
		})
	}
}

func row(f annotate.Field) string {
	mark := ""
	if f.Fault != nil {
		mark = " <- " + f.Fault.Code.Name()
	}
	return fmt.Sprintf("%d|%x|%s|%s%s", f.Offset, f.Bytes, f.Path, f.Meaning, mark)
}

func TestExplainRows(t *testing.T) {
	tests := []struct {
		name string
		kind annotate.Kind
		data []byte
		want []string
	}{
		{"names the flags of each octet", annotate.Extension, []byte{0, 62, 0, 12, 11, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1}, []string{
			"0|003e|extension_type|tls_flags",
			"2|000c|extension_data.length|12 bytes",
			"4|0b|extension_data.flags.length|11 bytes",
			"5|00|extension_data.flags[0]|no flag of 0 to 7",
			"6|01|extension_data.flags[1]|flag 8 resumption_across_names",
			"7|00|extension_data.flags[2]|no flag of 16 to 23",
			"8|00|extension_data.flags[3]|no flag of 24 to 31",
			"9|00|extension_data.flags[4]|no flag of 32 to 39",
			"10|00|extension_data.flags[5]|no flag of 40 to 47",
			"11|00|extension_data.flags[6]|no flag of 48 to 55",
			"12|00|extension_data.flags[7]|no flag of 56 to 63",
			"13|00|extension_data.flags[8]|no flag of 64 to 71",
			"14|00|extension_data.flags[9]|no flag of 72 to 79",
			"15|01|extension_data.flags[10]|flag 80 request_mtls",
		}},
		{"marks a trailing zero octet", annotate.Flags, []byte{2, 0x22, 0}, []string{
			"0|02|flags.length|2 bytes", "1|22|flags[0]|flag 1, flag 5", "2|00|flags[1]|no flag of 8 to 15 <- trailing_zero",
		}},
		{"marks bytes after the vector", annotate.Flags, []byte{1, 1, 0xff, 0xee}, []string{
			"0|01|flags.length|1 byte", "1|01|flags[0]|flag 0", "2|ffee||left over <- trailing_bytes",
		}},
		{"marks a vector that is too long", annotate.Flags, []byte{9, 1}, []string{
			"0|09|flags.length|9 bytes <- inner_too_long", "1|01|flags[0]|flag 0",
		}},
		{"marks that nothing is there", annotate.Extension, []byte{0, 62, 0, 0}, []string{
			"0|003e|extension_type|tls_flags", "2|0000|extension_data.length|0 bytes", "4||extension_data| <- empty_data",
		}},
		{"goes on after a malformed tls_flags of a message", annotate.EncryptedExtensions, fix(annotate.EncryptedExtensions, []byte{8, 0, 0, 0, 0, 11, 0, 62, 0, 2, 1, 0, 0x12, 0x34, 0, 1, 9}), []string{
			"0|08|msg_type|EncryptedExtensions", "1|00000d|length|13 bytes", "4|000b|extensions.length|11 bytes",
			"6|003e|extensions[0].extension_type|tls_flags", "8|0002|extensions[0].extension_data.length|2 bytes",
			"10|01|extensions[0].extension_data.flags.length|1 byte", "11|00|extensions[0].extension_data.flags[0]|no flag of 0 to 7 <- all_zero",
			"12|1234|extensions[1].extension_type|extension(4660)", "14|0001|extensions[1].extension_data.length|1 byte", "16|09|extensions[1].extension_data|",
		}},
		{"marks what is too short for an extension", annotate.EncryptedExtensions, fix(annotate.EncryptedExtensions, []byte{8, 0, 0, 0, 0, 7, 0, 62, 0, 0, 1, 2, 3}), []string{
			"0|08|msg_type|EncryptedExtensions", "1|000009|length|9 bytes", "4|0007|extensions.length|7 bytes",
			"6|003e|extensions[0].extension_type|tls_flags", "8|0000|extensions[0].extension_data.length|0 bytes",
			"10||extensions[0].extension_data| <- empty_data",
			"10|010203|extensions[1].extension_type|left over <- stray_bytes",
		}},
		{"stops at a fault of the message", annotate.EncryptedExtensions, fix(annotate.EncryptedExtensions, []byte{8, 0, 0, 0, 0, 10, 0, 62, 0, 2, 1, 1, 0, 62, 9, 9}), []string{
			"0|08|msg_type|EncryptedExtensions", "1|00000c|length|12 bytes", "4|000a|extensions.length|10 bytes",
			"6|003e|extensions[0].extension_type|tls_flags", "8|0002|extensions[0].extension_data.length|2 bytes",
			"10|01|extensions[0].extension_data.flags.length|1 byte", "11|01|extensions[0].extension_data.flags[0]|flag 0",
			"12|003e|extensions[1].extension_type|tls_flags",
			"14|0909|extensions[1].extension_data.length|2313 bytes <- extension_overrun",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, f := range annotate.Explain(tt.kind, tt.data).Fields {
				got = append(got, row(f))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRefusedMessage checks that a refused message has its kind.
func TestRefusedMessage(t *testing.T) {
	for kind, want := range map[annotate.Kind]extension.MessageKind{
		annotate.ClientHello: extension.ClientHello, annotate.DTLSClientHello: extension.ClientHello,
		annotate.ServerHello: extension.ServerHello, annotate.EncryptedExtensions: extension.EncryptedExtensions,
		annotate.CertificateRequest: extension.CertificateRequest, annotate.Certificate: extension.Certificate,
		annotate.NewSessionTicket: extension.NewSessionTicket, annotate.Extension: 0,
	} {
		table := annotate.Explain(kind, messages()[kind][:3])
		if table.Refused == nil || table.Message != want {
			t.Errorf("%v: refused %v, message %v, want %v", kind, table.Refused, table.Message, want)
		}
	}
}

func TestDetect(t *testing.T) {
	for kind, msg := range messages() {
		msg = fix(kind, msg)
		if got, err := annotate.Detect(msg); err != nil || got != kind {
			t.Errorf("Detect = %v, %v; want %v", got, err, kind)
		}
	}
	tests := []struct {
		name string
		data []byte
		want annotate.Kind
	}{
		{"a cut message", []byte{8, 0, 0, 9, 0}, annotate.EncryptedExtensions},
		{"flags that begin like a Certificate", append([]byte{11}, append(make([]byte, 10), 1)...), annotate.Flags},
		{"a Certificate that may be flags, too", append([]byte{11, 0, 0, 8}, make([]byte, 8)...), annotate.Certificate},
		{"the first 14 bytes of a ClientHello of DTLS", []byte("\x01\x00\x00\x34\x00\x00\x00\x00\x00\x00\x00\x34\xfe\xfd"), annotate.DTLSClientHello},
		{"the first 13 bytes of a ClientHello of DTLS", []byte("\x01\x00\x00\x34\x00\x00\x00\x00\x00\x00\x00\x34\xfe"), annotate.ClientHello},
		{"flags that begin like a ServerHello", []byte{2, 0, 1}, annotate.Flags},
		{"the experimental extension", []byte{0xfe, 0x01, 0, 2, 1, 1}, annotate.Extension},
		{"anything else", []byte{0x99, 0x98}, 0},
		{"nothing", nil, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := annotate.Detect(tt.data); got != tt.want || (err != nil) != (tt.want == 0) {
				t.Errorf("%v, %v; want %v", got, err, tt.want)
			}
		})
	}
}

func TestKinds(t *testing.T) {
	var names []string
	for k := range annotate.Kinds() {
		names = append(names, k.String())
	}
	want := "clienthello dtls-clienthello serverhello encryptedextensions certificaterequest certificate newsessionticket extension flags"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if annotate.Kind(0).String() != "unknown" || annotate.Kind(10).String() != "unknown" {
		t.Error("a number that is no kind has a name")
	}
}
