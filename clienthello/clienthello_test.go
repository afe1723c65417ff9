package clienthello_test

import (
	"bytes"
	"encoding/hex"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/corpus"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/oracle/clienthellotest"
)

// request_mtls alone, as extension_data.
var flag80 = []byte{11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}

// minimal returns the description of the smallest message, of a body of 41 bytes.
func minimal() clienthellotest.Hello {
	return clienthellotest.Hello{
		Version:            0x0303,
		Random:             bytes.Repeat([]byte{0x11}, 32),
		CipherSuites:       []uint16{0x1301},
		CompressionMethods: []byte{0},
	}
}

// with returns the smallest message with the given extensions.
func with(extensions ...extension.Extension) clienthellotest.Hello {
	h := minimal()
	h.HasExtensionBlock = true
	h.Extensions = extensions
	return h
}

func ext(t extension.Type, data ...byte) extension.Extension {
	return extension.Extension{Type: t, Data: data}
}

func encode(t testing.TB, h clienthellotest.Hello, dtls bool) []byte {
	t.Helper()
	msg, err := h.Append(nil, dtls)
	if err != nil {
		t.Fatal(err)
	}
	return msg
}

// recorded yields the names and handshake messages of the recorded clients.
func recorded(yield func(string, []byte) bool) {
	for e := range corpus.OfKind(corpus.Records) {
		data := e.Data()
		msg := data[5 : 5+int(data[3])<<8+int(data[4])] // each is one record
		if !yield(e.File, msg) {
			return
		}
	}
}

func TestAccepts(t *testing.T) {
	for name, h := range map[string]clienthellotest.Hello{
		"no extension block":          minimal(),
		"empty extension block":       with(),
		"session_id of 32 bytes":      {Version: 0x0303, Random: make([]byte, 32), SessionID: make([]byte, 32), CipherSuites: []uint16{1}, CompressionMethods: []byte{0}},
		"cookie of 255 bytes":         {Version: 0xfefd, Random: make([]byte, 32), Cookie: make([]byte, 255), CipherSuites: []uint16{1}, CompressionMethods: []byte{0}},
		"255 compression methods":     {Version: 0x0303, Random: make([]byte, 32), CipherSuites: []uint16{1}, CompressionMethods: make([]byte, 255)},
		"32767 cipher suites":         {Version: 0x0303, Random: make([]byte, 32), CipherSuites: make([]uint16, 32767), CompressionMethods: []byte{0}},
		"any version":                 {Version: 0xffff, Random: make([]byte, 32), CipherSuites: []uint16{1}, CompressionMethods: []byte{7}},
		"pre_shared_key last":         with(ext(0), ext(extension.PreSharedKey, 1, 2, 3)),
		"tls_flags":                   with(ext(extension.TLSFlags, flag80...)),
		"malformed tls_flags":         with(ext(extension.TLSFlags, 1, 0), ext(extension.TLSFlagsExperimental, flag80...)),
		"GREASE and unknown types":    with(ext(0x0a0a, 1, 2), ext(0xfafa), ext(0xffff, 3)),
		"types that share filter bit": with(manyTypes(60)...),
		"100 extensions":              with(manyTypes(100)...),
		"extension_data of 65531":     with(extension.Extension{Type: 21, Data: make([]byte, 65531)}),
	} {
		t.Run(name, func(t *testing.T) {
			dtls := h.Version == 0xfefd
			msg := encode(t, h, dtls)
			if err := clienthellotest.Check(msg, dtls); err != nil {
				t.Error(err)
			}
			parse := clienthello.Parse
			if dtls {
				parse = clienthello.ParseDTLS
			}
			got, n, err := parse(msg)
			if err != nil || n != len(msg) {
				t.Fatalf("got %d, %v; want %d, nil", n, err, len(msg))
			}
			if got.IsDTLS() != dtls {
				t.Errorf("IsDTLS is %t", got.IsDTLS())
			}
		})
	}
}

// manyTypes returns n empty extensions of types from 64 on.
func manyTypes(n int) []extension.Extension {
	var list []extension.Extension
	for i := range n {
		list = append(list, ext(extension.Type(64+i)))
	}
	return list
}

func TestLargestMessage(t *testing.T) {
	for _, dtls := range []bool{false, true} {
		h := minimal()
		h.SessionID = make([]byte, 32)
		h.Cookie = make([]byte, 255)
		h.CipherSuites = make([]uint16, 32767)
		h.CompressionMethods = make([]byte, 255)
		h.HasExtensionBlock = true
		h.Extensions = []extension.Extension{{Type: 21, Data: make([]byte, 65531)}}
		msg := encode(t, h, dtls)
		if err := clienthellotest.Check(msg, dtls); err != nil {
			t.Error(err)
		}
		want := 4 + clienthello.MaxBody
		if dtls {
			want = 12 + clienthello.MaxBodyDTLS
		}
		if len(msg) != want {
			t.Errorf("the largest message has %d bytes, MaxBody allows %d", len(msg), want)
		}
	}
}

func TestRefuses(t *testing.T) {
	const suites = 4 + 2 + 32 + 1 // offset of the length of cipher_suites in a minimal message
	valid := func(h clienthellotest.Hello) func(*testing.T) []byte {
		return func(t *testing.T) []byte { return encode(t, h, false) }
	}
	edit := func(h clienthellotest.Hello, f func([]byte) []byte) func(*testing.T) []byte {
		return func(t *testing.T) []byte {
			msg := f(encode(t, h, false))
			length := len(msg) - 4
			msg[1], msg[2], msg[3] = byte(length>>16), byte(length>>8), byte(length)
			return msg
		}
	}
	set := func(offset int, values ...byte) func([]byte) []byte {
		return func(msg []byte) []byte { copy(msg[offset:], values); return msg }
	}
	cut := func(n int) func([]byte) []byte { return func(msg []byte) []byte { return msg[:n] } }
	with2 := with(ext(0, 1, 2), ext(5, 3))
	const block = suites + 2 + 2 + 2 // offset of the length of extensions in a minimal message
	long := minimal()
	long.SessionID = make([]byte, 33)
	longest := minimal()
	longest.SessionID = make([]byte, 255)
	noSuites := minimal()
	noSuites.CipherSuites = nil
	noCompression := minimal()
	noCompression.CompressionMethods = nil

	for _, test := range []struct {
		name   string
		msg    func(*testing.T) []byte
		code   extension.Code
		offset int
		alert  extension.Alert
	}{
		{"a ServerHello", func(*testing.T) []byte { return []byte{2, 0, 0, 41} }, extension.ErrMessageType, 0, extension.AlertUnexpectedMessage},
		{"a wrong type before a length is there", func(*testing.T) []byte { return []byte{0} }, extension.ErrMessageType, 0, extension.AlertUnexpectedMessage},
		{"a body announced with 131397 bytes", func(*testing.T) []byte { return []byte{1, 2, 1, 0x45} }, extension.ErrMessageTooLarge, 1, extension.AlertDecodeError},
		{"a body announced with 2^24-1 bytes", func(*testing.T) []byte { return []byte{1, 255, 255, 255} }, extension.ErrMessageTooLarge, 1, extension.AlertDecodeError},
		{"nothing", func(*testing.T) []byte { return nil }, extension.ErrTruncated, 0, extension.AlertDecodeError},
		{"a header of 3 bytes", func(*testing.T) []byte { return []byte{1, 255, 255} }, extension.ErrTruncated, 3, extension.AlertDecodeError},
		{"a body of 131396 bytes that is not there", func(*testing.T) []byte { return []byte{1, 2, 1, 0x44, 3} }, extension.ErrTruncated, 5, extension.AlertDecodeError},
		{"an empty body", func(*testing.T) []byte { return []byte{1, 0, 0, 0} }, extension.ErrFieldOverrun, 4, extension.AlertDecodeError},
		{"a body that ends in legacy_version", edit(minimal(), cut(5)), extension.ErrFieldOverrun, 4, extension.AlertDecodeError},
		{"a body that ends after legacy_version", edit(minimal(), cut(6)), extension.ErrFieldOverrun, 6, extension.AlertDecodeError},
		{"a body that ends in random", edit(minimal(), cut(37)), extension.ErrFieldOverrun, 6, extension.AlertDecodeError},
		{"a body that ends before legacy_session_id", edit(minimal(), cut(38)), extension.ErrFieldOverrun, 38, extension.AlertDecodeError},
		{"a session_id of 33 bytes", valid(long), extension.ErrSessionIDTooLong, 38, extension.AlertDecodeError},
		{"a session_id of 255 bytes", valid(longest), extension.ErrSessionIDTooLong, 38, extension.AlertDecodeError},
		{"a session_id longer than the body", edit(minimal(), set(38, 7)), extension.ErrFieldOverrun, 38, extension.AlertDecodeError},
		{"a session_id longer than the body, of odd bytes", edit(minimal(), set(38, 7, 1)), extension.ErrFieldOverrun, 38, extension.AlertDecodeError},
		{"a body that ends before cipher_suites", edit(minimal(), cut(suites)), extension.ErrFieldOverrun, suites, extension.AlertDecodeError},
		{"a body that ends in the length of cipher_suites", edit(minimal(), cut(suites+1)), extension.ErrFieldOverrun, suites, extension.AlertDecodeError},
		{"empty cipher_suites that end the body", edit(noSuites, cut(suites+2)), extension.ErrCipherSuitesEmpty, suites, extension.AlertDecodeError},
		{"empty cipher_suites", valid(noSuites), extension.ErrCipherSuitesEmpty, suites, extension.AlertDecodeError},
		{"cipher_suites of 3 bytes", edit(minimal(), set(suites, 0, 3)), extension.ErrCipherSuitesOdd, suites, extension.AlertDecodeError},
		{"cipher_suites longer than the body", edit(minimal(), set(suites, 0, 6)), extension.ErrFieldOverrun, suites, extension.AlertDecodeError},
		{"cipher_suites of 65534 bytes", edit(minimal(), set(suites, 255, 254)), extension.ErrFieldOverrun, suites, extension.AlertDecodeError},
		{"a body that ends before compression_methods", edit(minimal(), cut(suites+4)), extension.ErrFieldOverrun, suites + 4, extension.AlertDecodeError},
		{"empty compression_methods", valid(noCompression), extension.ErrCompressionMethodsEmpty, suites + 4, extension.AlertDecodeError},
		{"compression_methods longer than the body", edit(minimal(), set(suites+4, 2)), extension.ErrFieldOverrun, suites + 4, extension.AlertDecodeError},
		{"one stray byte after compression_methods", edit(minimal(), func(msg []byte) []byte { return append(msg, 0) }), extension.ErrStrayBytes, block, extension.AlertDecodeError},
		{"one stray byte after the extensions", edit(with2, func(msg []byte) []byte { return append(msg, 0) }), extension.ErrStrayBytes, block + 2 + 11, extension.AlertDecodeError},
		{"an extension block longer than the body", edit(with2, set(block, 0, 12)), extension.ErrFieldOverrun, block, extension.AlertDecodeError},
		{"an extension block of 65535 bytes that are not there", edit(with2, set(block, 255, 255)), extension.ErrFieldOverrun, block, extension.AlertDecodeError},
		{"an extension block cut short by one", edit(with2, set(block, 0, 10)), extension.ErrExtensionOverrun, block + 2 + 6 + 2, extension.AlertDecodeError},
		{"three stray bytes in the block", edit(with2, set(block, 0, 9)), extension.ErrStrayBytes, block + 2 + 6, extension.AlertDecodeError},
		{"extension_data longer than the block", edit(with2, set(block+10, 0, 2)), extension.ErrExtensionOverrun, block + 10, extension.AlertDecodeError},
		{"extension_data of 65535 bytes that are not there", edit(with2, set(block+10, 255, 255)), extension.ErrExtensionOverrun, block + 10, extension.AlertDecodeError},
		{"a known extension twice", valid(with(ext(0, 9), ext(5), ext(0, 9))), extension.ErrDuplicateExtension, block + 2 + 9, extension.AlertIllegalParameter},
		{"an unknown extension twice", valid(with(ext(999), ext(5), ext(999))), extension.ErrDuplicateExtension, block + 2 + 8, extension.AlertIllegalParameter},
		{"a GREASE extension twice", valid(with(ext(0x0a0a), ext(0x0a0a, 1))), extension.ErrDuplicateExtension, block + 2 + 4, extension.AlertIllegalParameter},
		{"tls_flags twice", valid(with(ext(62, flag80...), ext(62, flag80...))), extension.ErrDuplicateExtension, block + 2 + 16, extension.AlertIllegalParameter},
		{"a duplicate after 100 extensions", valid(with(append(manyTypes(100), ext(64))...)), extension.ErrDuplicateExtension, block + 2 + 400, extension.AlertIllegalParameter},
		{"a duplicate of the last of 100 extensions", valid(with(append(manyTypes(100), ext(163))...)), extension.ErrDuplicateExtension, block + 2 + 400, extension.AlertIllegalParameter},
		{"a stray byte after 100 extensions", edit(with(append(manyTypes(100), ext(1, 2))...), set(block, 0x01, 0x91)), extension.ErrStrayBytes, block + 2 + 400, extension.AlertDecodeError},
		{"extension_data too long after 100 extensions", edit(with(append(manyTypes(100), ext(1, 2))...), set(block+2+402, 0, 2)), extension.ErrExtensionOverrun, block + 2 + 402, extension.AlertDecodeError},
		{"pre_shared_key before another", valid(with(ext(41, 1), ext(0))), extension.ErrPreSharedKeyNotLast, block + 2 + 5, extension.AlertIllegalParameter},
		{"pre_shared_key twice", valid(with(ext(41, 1), ext(41))), extension.ErrPreSharedKeyNotLast, block + 2 + 5, extension.AlertIllegalParameter},
		{"pre_shared_key not last of 100", valid(with(append(manyTypes(100), ext(41), ext(7))...)), extension.ErrPreSharedKeyNotLast, block + 2 + 404, extension.AlertIllegalParameter},
	} {
		t.Run(test.name, func(t *testing.T) {
			msg := test.msg(t)
			if err := clienthellotest.Check(msg, false); err != nil {
				t.Error(err)
			}
			_, offset, err := clienthello.Parse(msg)
			code, _ := err.(extension.Code)
			if code != test.code || offset != test.offset {
				t.Errorf("got %q at %d, want %q at %d", code.Name(), offset, test.code.Name(), test.offset)
			}
			if alert := code.Alert(); alert != test.alert {
				t.Errorf("got alert %v, want %v", alert, test.alert)
			}
		})
	}
}

func TestRefusesDTLS(t *testing.T) {
	valid := encode(t, minimal(), true)
	const cookie = 12 + 2 + 32 + 1 // offset of the length of legacy_cookie
	edit := func(n int, offset int, values ...byte) []byte {
		msg := bytes.Clone(valid[:n])
		copy(msg[offset:], values)
		length := byte(n - 12)
		msg[3] = length
		if offset != 6 && offset != 9 {
			msg[11] = length
		}
		return msg
	}
	for _, test := range []struct {
		name   string
		msg    []byte
		code   extension.Code
		offset int
	}{
		{"a header of 11 bytes", valid[:11], extension.ErrTruncated, 11},
		{"131653 bytes", []byte{1, 2, 2, 0x45}, extension.ErrMessageTooLarge, 1},
		{"a later fragment", edit(len(valid), 6, 0, 0, 1), extension.ErrFragment, 6},
		{"a fragment at offset 256", edit(len(valid), 6, 0, 1, 0), extension.ErrFragment, 6},
		{"a fragment at offset 65536", edit(len(valid), 6, 1, 0, 0), extension.ErrFragment, 6},
		{"a first fragment", edit(len(valid), 9, 0, 0, 9), extension.ErrFragment, 9},
		{"no cookie", edit(cookie, 0), extension.ErrFieldOverrun, cookie},
		{"a body that ends after the cookie", edit(cookie+1, 0), extension.ErrFieldOverrun, cookie + 1},
		{"a cookie longer than the body", edit(len(valid), cookie, 7), extension.ErrFieldOverrun, cookie},
		{"a cookie longer than the body, of odd bytes", edit(len(valid), cookie, 7, 1), extension.ErrFieldOverrun, cookie},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := clienthellotest.Check(test.msg, true); err != nil {
				t.Error(err)
			}
			_, offset, err := clienthello.ParseDTLS(test.msg)
			if code, _ := err.(extension.Code); code != test.code || offset != test.offset {
				t.Errorf("got %q at %d, want %q at %d", code.Name(), offset, test.code.Name(), test.offset)
			}
		})
	}
}

func TestHasFlag(t *testing.T) {
	const flags, experimental = extension.TLSFlags, extension.TLSFlagsExperimental
	flag8 := []byte{2, 0, 1}
	for _, test := range []struct {
		name string
		list []extension.Extension
		has  []extension.Flag
		from extension.Type
		err  error
	}{
		{"no extension", nil, nil, 0, nil},
		{"other extensions", []extension.Extension{ext(0), ext(63)}, nil, 0, nil},
		{"type 62", []extension.Extension{ext(0), ext(flags, flag80...)}, []extension.Flag{80}, flags, nil},
		{"type 0xfe01", []extension.Extension{ext(experimental, flag80...), ext(1)}, []extension.Flag{80}, experimental, nil},
		{"both: 62 decides, in front", []extension.Extension{ext(flags, flag8...), ext(experimental, flag80...)}, []extension.Flag{8}, flags, nil},
		{"both: 62 decides, last", []extension.Extension{ext(experimental, flag80...), ext(flags, flag8...)}, []extension.Flag{8}, flags, nil},
		{"both: 62 decides, malformed", []extension.Extension{ext(experimental, flag80...), ext(flags)}, nil, flags, extension.ErrFlagsEmptyData},
		{"in TLS 1.2 style", []extension.Extension{ext(flags, 2, 1, 1)}, []extension.Flag{0, 8}, flags, nil},
		{"after 100 extensions", append(manyTypes(100), ext(flags, flag80...)), []extension.Flag{80}, flags, nil},
		{"0xfe01 after 100 extensions", append(manyTypes(100), ext(experimental, flag80...)), []extension.Flag{80}, experimental, nil},
		{"both after 100 extensions", append(manyTypes(100), ext(flags, flag8...), ext(experimental, flag80...)), []extension.Flag{8}, flags, nil},
		{"62 in front, 0xfe01 after 100", append(append([]extension.Extension{ext(flags, flag8...)}, manyTypes(100)...), ext(experimental, flag80...)), []extension.Flag{8}, flags, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			msg := encode(t, with(test.list...), false)
			if err := clienthellotest.Check(msg, false); err != nil {
				t.Error(err)
			}
			hello, _, err := clienthello.Parse(msg)
			if err != nil {
				t.Fatal(err)
			}
			got, from, err := hello.Flags()
			if from != test.from || err != test.err {
				t.Errorf("Flags gives type %v and error %v, want %v and %v", from, err, test.from, test.err)
			}
			if diff := cmp.Diff(test.has, slices.Collect(got.All())); diff != "" {
				t.Error(diff)
			}
			for _, f := range []extension.Flag{0, 8, 80, 2039, 2040, 65535} {
				if has := hello.HasFlag(f); has != slices.Contains(test.has, f) {
					t.Errorf("HasFlag(%d) is %t", f, has)
				}
			}
		})
	}
}

func TestZeroValue(t *testing.T) {
	var h clienthello.ClientHello
	if diff := cmp.Diff(clienthellotest.Hello{}, clienthellotest.AsHello(h)); diff != "" {
		t.Error(diff)
	}
	if _, from, err := h.Flags(); h.HasFlag(0) || from != 0 || err != nil {
		t.Error("the zero value has flags")
	}
	if got := h.AppendTo([]byte{1}); len(got) != 1 {
		t.Errorf("the zero value appends %x", got[1:])
	}
}

// The recorded clients: each is read as the program that recorded it says.
func TestRecorded(t *testing.T) {
	for e := range corpus.OfKind(corpus.Records) {
		if len(e.Hellos) != 1 {
			t.Fatalf("%s: %d hellos", e.File, len(e.Hellos))
		}
		want := e.Hellos[0]
		hello, _, err := clienthello.Parse(e.Data()[5:])
		if err != nil {
			t.Errorf("%s: %v", e.File, err)
			continue
		}
		got := corpus.Hello{
			Transport:  want.Transport,
			BodyLength: len(hello.Raw()) - 4,
			Random:     hex.EncodeToString(hello.Random()),
			ALPN:       []string{},
			TLSFlags:   []corpus.Extension{},
		}
		name, err := hello.ServerName()
		got.ServerName = string(name)
		if err != nil {
			t.Errorf("%s: server_name: %v", e.File, err)
		}
		protocols, err := hello.ALPN()
		if err != nil {
			t.Errorf("%s: ALPN: %v", e.File, err)
		}
		for p := range protocols.All() {
			got.ALPN = append(got.ALPN, string(p))
		}
		for x := range hello.Extensions().All() {
			got.Extensions = append(got.Extensions, uint16(x.Type))
			if offset, err := hello.CheckExtension(x.Type); err != nil {
				t.Errorf("%s: %v: %v at %d", e.File, x.Type, err, offset)
			}
			if x.Type == extension.TLSFlags || x.Type == extension.TLSFlagsExperimental {
				got.TLSFlags = append(got.TLSFlags, corpus.Extension{Type: uint16(x.Type), Data: hex.EncodeToString(x.Data)})
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: recorded (-) and parsed (+) differ:\n%s", e.File, diff)
		}
	}
}
