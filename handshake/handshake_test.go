package handshake_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/crypto/cryptobyte"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/handshake"
	"github.com/tlsflags/tlsflags/internal/oracle/handshaketest"
)

// message builds a handshake message from its type and body.
func message(msgType byte, body func(*cryptobyte.Builder)) []byte {
	var b cryptobyte.Builder
	b.AddUint8(msgType)
	b.AddUint24LengthPrefixed(body)
	return b.BytesOrPanic()
}

// addBlock adds an extension block with its length; exts are whole extensions.
func addBlock(b *cryptobyte.Builder, exts ...[]byte) {
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(bytes.Join(exts, nil)) })
}

// ext returns a whole extension.
func ext(t extension.Type, data ...byte) []byte {
	var b cryptobyte.Builder
	b.AddUint16(uint16(t))
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(data) })
	return b.BytesOrPanic()
}

// flagsExt returns a whole tls_flags extension with the given flags.
func flagsExt(flags ...extension.Flag) []byte {
	set, err := extension.NewFlagSet(flags...)
	if err != nil {
		panic(err)
	}
	b, err := set.AppendExtension(nil, extension.TLSFlags)
	if err != nil {
		panic(err)
	}
	return b
}

func serverHello(random []byte, tail func(*cryptobyte.Builder)) []byte {
	return message(2, func(b *cryptobyte.Builder) {
		b.AddUint16(0x0303)
		b.AddBytes(random)
		b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(bytes.Repeat([]byte{0x5e}, 32)) })
		b.AddUint16(0x1301)
		b.AddUint8(0)
		tail(b)
	})
}

type testEntry struct {
	cert []byte
	exts [][]byte
}

func certificate(entries ...testEntry) []byte {
	return message(11, func(b *cryptobyte.Builder) {
		b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte{0xc0, 0xc1}) })
		b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) {
			for _, e := range entries {
				b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(e.cert) })
				addBlock(b, e.exts...)
			}
		})
	})
}

func encryptedExtensions(exts ...[]byte) []byte {
	return message(8, func(b *cryptobyte.Builder) { addBlock(b, exts...) })
}

func certificateRequest(context []byte, exts ...[]byte) []byte {
	return message(13, func(b *cryptobyte.Builder) {
		b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(context) })
		addBlock(b, exts...)
	})
}

func newSessionTicket(nonce, ticket []byte, exts ...[]byte) []byte {
	return message(4, func(b *cryptobyte.Builder) {
		b.AddUint32(7200)
		b.AddUint32(0xdeadbeef)
		b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(nonce) })
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(ticket) })
		addBlock(b, exts...)
	})
}

func helloRetryRandom() []byte {
	sum := sha256.Sum256([]byte("HelloRetryRequest"))
	return sum[:]
}

// compareWithReference compares the outcome of Parse with that of the reference parser.
func compareWithReference(msg []byte) error {
	m, n, err := handshake.Parse(msg)
	want, wantN, code := handshaketest.Reference(msg)
	if n != wantN || err != code.Err() {
		return fmt.Errorf("got %v at %d, the reference parser has %v at %d", err, n, code, wantN)
	}
	i := 0
	for block := range m.Blocks() {
		same := func(a, b extension.Extension) bool {
			return a.Type == b.Type && a.Offset == b.Offset && bytes.Equal(a.Data, b.Data)
		}
		if i == len(want) || !slices.EqualFunc(slices.Collect(block.All()), want[i], same) {
			return fmt.Errorf("block %d differs from the reference parser's", i)
		}
		i++
	}
	if i != len(want) {
		return fmt.Errorf("%d blocks, the reference parser has %d", i, len(want))
	}
	return nil
}

type sample struct {
	name   string
	msg    []byte
	kind   extension.MessageKind
	blocks [][]extension.Type // the types of every block
}

func samples() []sample {
	random := bytes.Repeat([]byte{0xaa}, 32)
	versions := ext(extension.SupportedVersions, 3, 4)
	share := ext(extension.KeyShare, 0, 0x1d, 0, 1, 9)
	algorithms := ext(extension.SignatureAlgorithms, 0, 2, 8, 4)
	many := make([][]byte, 70) // more than the filter of ParseList holds
	manyTypes := make([]extension.Type, len(many))
	for i := range many {
		manyTypes[i] = extension.Type(0x1000 + 3*i)
		many[i] = ext(manyTypes[i], byte(i))
	}
	types := func(t ...extension.Type) [][]extension.Type { return [][]extension.Type{t} }
	return []sample{
		{"ServerHello", serverHello(random, func(b *cryptobyte.Builder) { addBlock(b, share, versions) }),
			extension.ServerHello, types(extension.KeyShare, extension.SupportedVersions)},
		{"ServerHello with flags", serverHello(random, func(b *cryptobyte.Builder) { addBlock(b, flagsExt(3), versions) }),
			extension.ServerHello, types(extension.TLSFlags, extension.SupportedVersions)},
		{"ServerHello of TLS 1.2 without an extension block", serverHello(random, func(*cryptobyte.Builder) {}),
			extension.ServerHello, types()},
		{"ServerHello of TLS 1.2 with an empty extension block", serverHello(random, func(b *cryptobyte.Builder) { addBlock(b) }),
			extension.ServerHello, types()},
		{"ServerHello with supported_versions of three bytes", serverHello(random, func(b *cryptobyte.Builder) { addBlock(b, ext(extension.SupportedVersions, 3, 4, 0)) }),
			extension.ServerHello, types(extension.SupportedVersions)},
		{"HelloRetryRequest", serverHello(helloRetryRandom(), func(b *cryptobyte.Builder) {
			addBlock(b, versions, ext(extension.KeyShare, 0, 0x1d), ext(extension.Cookie, 0, 1, 7), flagsExt(9))
		}), extension.HelloRetryRequest, types(extension.SupportedVersions, extension.KeyShare, extension.Cookie, extension.TLSFlags)},
		{"EncryptedExtensions without extensions", encryptedExtensions(), extension.EncryptedExtensions, types()},
		{"EncryptedExtensions", encryptedExtensions(ext(extension.ALPN, 0, 3, 2, 'h', '2'), flagsExt(0, 2039)),
			extension.EncryptedExtensions, types(extension.ALPN, extension.TLSFlags)},
		{"EncryptedExtensions with 70 extensions", encryptedExtensions(many...), extension.EncryptedExtensions, types(manyTypes...)},
		{"CertificateRequest", certificateRequest(nil, algorithms, flagsExt(80)),
			extension.CertificateRequest, types(extension.SignatureAlgorithms, extension.TLSFlags)},
		{"CertificateRequest with a context", certificateRequest([]byte("context"), algorithms),
			extension.CertificateRequest, types(extension.SignatureAlgorithms)},
		{"CertificateRequest without extensions", certificateRequest(nil), extension.CertificateRequest, types()},
		{"Certificate without an entry", certificate(), extension.Certificate, nil},
		{"Certificate", certificate(
			testEntry{[]byte("leaf"), [][]byte{ext(extension.StatusRequest, 1), flagsExt(5)}},
			testEntry{[]byte("intermediate"), nil},
			testEntry{[]byte{0}, [][]byte{ext(extension.StatusRequest)}},
		), extension.Certificate, [][]extension.Type{{extension.StatusRequest, extension.TLSFlags}, {}, {extension.StatusRequest}}},
		{"NewSessionTicket", newSessionTicket([]byte{0}, []byte("ticket"), ext(extension.EarlyData, 0, 0, 0, 9), flagsExt(8)),
			extension.NewSessionTicket, types(extension.EarlyData, extension.TLSFlags)},
		{"NewSessionTicket without nonce and extensions", newSessionTicket(nil, []byte{1}), extension.NewSessionTicket, types()},
	}
}

func TestParse(t *testing.T) {
	for _, s := range samples() {
		t.Run(s.name, func(t *testing.T) {
			m, n, err := handshake.Parse(s.msg)
			if err != nil || n != len(s.msg) || m.Kind() != s.kind {
				t.Fatalf("Parse = %v, %d, %v; want %v, %d, nil", m.Kind(), n, err, s.kind, len(s.msg))
			}
			var got [][]extension.Type
			for block := range m.Blocks() {
				var types []extension.Type
				for e := range block.All() {
					types = append(types, e.Type)
				}
				got = append(got, types)
			}
			if diff := cmp.Diff(s.blocks, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("extensions (-want +got):\n%s", diff)
			}
			var first []extension.Type
			for e := range m.Extensions().All() {
				first = append(first, e.Type)
			}
			if len(s.blocks) > 0 && !slices.Equal(first, s.blocks[0]) || len(s.blocks) == 0 && first != nil {
				t.Errorf("Extensions has %v, the blocks are %v", first, s.blocks)
			}
			if err := handshaketest.Check(s.msg); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestParseByType(t *testing.T) {
	parsers := map[byte]func([]byte) (handshake.Message, int, error){
		2: handshake.ParseServerHello, 4: handshake.ParseNewSessionTicket, 8: handshake.ParseEncryptedExtensions,
		11: handshake.ParseCertificate, 13: handshake.ParseCertificateRequest,
	}
	for _, s := range samples() {
		for msgType, parse := range parsers {
			m, n, err := parse(s.msg)
			if msgType == s.msg[0] {
				if err != nil || n != len(s.msg) || m.Kind() != s.kind {
					t.Errorf("%s: %v, %d, %v from the parser of its own type", s.name, m.Kind(), n, err)
				}
			} else if err != extension.ErrMessageType || n != 0 {
				t.Errorf("%s: %d, %v from the parser of type %d", s.name, n, err, msgType)
			}
		}
	}
	for msgType := range 256 {
		if parse := parsers[byte(msgType)]; parse != nil {
			if _, n, err := parse(nil); err != extension.ErrTruncated || n != 0 {
				t.Errorf("type %d: %d, %v from its parser for no bytes, want truncated", msgType, n, err)
			}
			if _, n, err := parse([]byte{1}); err != extension.ErrMessageType || n != 0 {
				t.Errorf("type %d: %d, %v from its parser for a type alone, want it refused for its type", msgType, n, err)
			}
			continue
		}
		if _, n, err := handshake.Parse([]byte{byte(msgType), 0, 0, 0}); err != extension.ErrMessageType || n != 0 {
			t.Errorf("type %d: %d, %v, want it refused for its type", msgType, n, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	random := make([]byte, 32)
	hello := serverHello(random, func(b *cryptobyte.Builder) { addBlock(b, flagsExt(1)) })
	sessionID := 4 + 2 + 32
	tooLong := slices.Clone(hello)
	tooLong[sessionID] = 33
	tests := []struct {
		name string
		msg  []byte
		n    int
		want extension.Code
	}{
		{"rejects no bytes", nil, 0, extension.ErrTruncated},
		{"rejects a ClientHello", []byte{1, 0, 0, 0}, 0, extension.ErrMessageType},
		{"rejects a type before its length is there", []byte{1}, 0, extension.ErrMessageType},
		{"rejects a cut header", []byte{8, 0, 0}, 3, extension.ErrTruncated},
		{"rejects a ServerHello of 65,608 bytes", []byte{2, 1, 0, 0x48}, 1, extension.ErrMessageTooLarge},
		{"waits for a ServerHello of 65,607 bytes", []byte{2, 1, 0, 0x47}, 4, extension.ErrTruncated},
		{"rejects an EncryptedExtensions of 65,538 bytes", []byte{8, 1, 0, 2}, 1, extension.ErrMessageTooLarge},
		{"waits for an EncryptedExtensions of 65,537 bytes", []byte{8, 1, 0, 1}, 4, extension.ErrTruncated},
		{"rejects a CertificateRequest of 65,794 bytes", []byte{13, 1, 1, 2}, 1, extension.ErrMessageTooLarge},
		{"waits for a CertificateRequest of 65,793 bytes", []byte{13, 1, 1, 1}, 4, extension.ErrTruncated},
		{"rejects a NewSessionTicket of 131,339 bytes", []byte{4, 2, 1, 0x0b}, 1, extension.ErrMessageTooLarge},
		{"waits for a NewSessionTicket of 131,338 bytes", []byte{4, 2, 1, 0x0a}, 4, extension.ErrTruncated},
		{"waits for a Certificate of 2^24-1 bytes", []byte{11, 0xff, 0xff, 0xff}, 4, extension.ErrTruncated},
		{"rejects legacy_session_id_echo of 33 bytes", tooLong, sessionID, extension.ErrSessionIDTooLong},
		{"rejects legacy_session_id_echo of 33 bytes that are not there", append([]byte{2, 0, 0, 35}, tooLong[4:sessionID+1]...), sessionID, extension.ErrSessionIDTooLong},
		{"rejects a ServerHello without random", []byte{2, 0, 0, 2, 3, 3}, 6, extension.ErrFieldOverrun},
		{"rejects a ServerHello of one byte", []byte{2, 0, 0, 1, 3}, 4, extension.ErrFieldOverrun},
		{"rejects half an extension block length", serverHello(random, func(b *cryptobyte.Builder) { b.AddUint8(0) }), 74, extension.ErrStrayBytes},
		{"rejects an extension block beyond the message", serverHello(random, func(b *cryptobyte.Builder) { b.AddUint16(1) }), 74, extension.ErrFieldOverrun},
		{"rejects bytes after the extension block", serverHello(random, func(b *cryptobyte.Builder) { addBlock(b); b.AddUint8(0) }), 76, extension.ErrStrayBytes},
		{"rejects an empty EncryptedExtensions", []byte{8, 0, 0, 0}, 4, extension.ErrFieldOverrun},
		{"rejects half an EncryptedExtensions length", []byte{8, 0, 0, 1, 0}, 4, extension.ErrFieldOverrun},
		{"rejects two tls_flags extensions", encryptedExtensions(flagsExt(1), flagsExt(1)), 12, extension.ErrDuplicateExtension},
		{"rejects an extension beyond its block", encryptedExtensions([]byte{0, 62, 0, 9, 1, 1}), 8, extension.ErrExtensionOverrun},
		{"rejects stray bytes in a block", encryptedExtensions(flagsExt(1), []byte{0, 0, 0}), 12, extension.ErrStrayBytes},
		{"rejects a context beyond the message", []byte{13, 0, 0, 3, 5, 0, 0}, 4, extension.ErrFieldOverrun},
		{"rejects a CertificateRequest without a block", []byte{13, 0, 0, 1, 0}, 5, extension.ErrFieldOverrun},
		{"rejects certificate_list beyond the message", []byte{11, 0, 0, 4, 0, 0, 0, 1}, 5, extension.ErrFieldOverrun},
		{"rejects bytes after certificate_list", []byte{11, 0, 0, 5, 0, 0, 0, 0, 0}, 8, extension.ErrStrayBytes},
		{"rejects empty cert_data", certificate(testEntry{}), 10, extension.ErrVectorEmpty},
		{"rejects a duplicate in the second entry", certificate(testEntry{[]byte{1}, nil}, testEntry{[]byte{2}, [][]byte{flagsExt(1), flagsExt(2)}}),
			10 + 6 + 6 + 6, extension.ErrDuplicateExtension},
		{"rejects an entry without extensions length", []byte{11, 0, 0, 8, 0, 0, 0, 4, 0, 0, 1, 0xff}, 12, extension.ErrFieldOverrun},
		{"rejects an empty ticket", newSessionTicket(nil, nil), 13, extension.ErrVectorEmpty},
		{"rejects a nonce beyond the message", []byte{4, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 12, extension.ErrFieldOverrun},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, n, err := handshake.Parse(tt.msg)
			if n != tt.n || err != tt.want {
				t.Errorf("Parse = %d, %v; want %d, %v", n, err, tt.n, tt.want)
			}
			if m.Kind() != 0 || m.Raw() != nil {
				t.Error("a refused message gives a view that is not zero")
			}
			if err := handshaketest.Check(tt.msg); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestParsePrefixes(t *testing.T) {
	for _, s := range samples() {
		for i := range s.msg {
			if _, n, err := handshake.Parse(s.msg[:i]); err != extension.ErrTruncated || n != i {
				t.Errorf("%s: the prefix of %d bytes gives %v at %d, want truncated", s.name, i, err, n)
			}
		}
	}
}

// Every length and every other byte of every sample, set to every value.
func TestParseEveryByte(t *testing.T) {
	for _, s := range samples() {
		msg := slices.Clone(s.msg)
		for i := range msg {
			step := 1
			if i > 120 { // far into the long samples a few values do
				step = 41
			}
			for v := 0; v < 256; v += step {
				msg[i] = byte(v)
				if err := compareWithReference(msg); err != nil {
					t.Fatalf("%s with byte %d set to %#x: %v", s.name, i, v, err)
				}
			}
			msg[i] = s.msg[i]
		}
	}
}

// Every sample cut short at every length, with the handshake length mended: the fault is
// then an inner one, and never an accepted message unless the reference says so.
func TestParseInnerTruncation(t *testing.T) {
	for _, s := range samples() {
		for n := 4; n < len(s.msg); n++ {
			msg := slices.Clone(s.msg[:n])
			body := n - 4
			msg[1], msg[2], msg[3] = byte(body>>16), byte(body>>8), byte(body)
			if err := compareWithReference(msg); err != nil {
				t.Fatalf("%s cut to %d bytes: %v", s.name, n, err)
			}
		}
	}
}

// A block of 16,383 empty extensions in every entry is the worst there is.
func TestParseLargest(t *testing.T) {
	exts := make([][]byte, 16383)
	for i := range exts {
		exts[i] = ext(extension.Type(i))
	}
	msg := certificate(testEntry{[]byte{1}, exts}, testEntry{[]byte{2}, exts}, testEntry{[]byte{3}, exts})
	if err := handshaketest.Check(msg); err != nil {
		t.Fatal(err)
	}
	exts[16382] = ext(16381)
	msg = certificate(testEntry{[]byte{1}, exts})
	if _, n, err := handshake.Parse(msg); n != len(msg)-4 || err != extension.ErrDuplicateExtension {
		t.Errorf("%d, %v; want the last extension refused as a duplicate", n, err)
	}
}
