package main

import (
	"bytes"
	"crypto/ecdh"
	"crypto/mlkem"
	"crypto/sha256"
	"fmt"
	"slices"

	"golang.org/x/crypto/cryptobyte"

	"github.com/tlsflags/tlsflags/vectors"
)

// Extension types, as registered with IANA; tls_flags has a second, experimental one.
const (
	extServerName      = 0
	extStatusRequest   = 5
	extGroups          = 10
	extPointFormats    = 11
	extSignatures      = 13
	extALPN            = 16
	extSCT             = 18
	extPadding         = 21
	extEncryptThenMAC  = 22
	extMainSecret      = 23
	extCompressCert    = 27
	extRecordSizeLimit = 28
	extDelegated       = 34
	extSessionTicket   = 35
	extPreSharedKey    = 41
	extEarlyData       = 42
	extVersions        = 43
	extCookie          = 44
	extPSKModes        = 45
	extPostHandshake   = 49
	extKeyShare        = 51
	extQUICParameters  = 57
	extFlags           = 62
	extSettings        = 17613
	extECHOuter        = 0xfd00
	extFlagsExperiment = 0xfe01
	extECH             = 0xfe0d
	extRenegotiation   = 0xff01
)

// An ext is one extension, with the values that vectors.Hello needs.
type ext struct {
	typ  uint16
	data []byte

	serverName *string
	protocols  []string
	versions   []uint16
}

// A hello has the fields of a ClientHello.
type hello struct {
	dtls        bool // with a cookie, and the longer header
	version     uint16
	random      []byte
	sessionID   []byte
	cookie      []byte
	suites      []uint16
	compression []byte
	noBlock     bool // neither extensions nor their length
	extensions  []ext
}

// A layout has the offsets of the fields of a message.
type layout struct {
	sessionID   int // the offset of its length, as for the other vectors
	suites      int
	compression int
	block       int
	extensions  []int // their types
	end         int
}

// build makes the message, with its header.
func (h hello) build() ([]byte, layout) {
	var at layout
	b := cryptobyte.NewBuilder(nil)
	b.AddUint8(1)
	header := 4
	if h.dtls {
		header = 12
	}
	body := func(b *cryptobyte.Builder) {
		b.AddUint16(h.version)
		b.AddBytes(h.random)
		at.sessionID = header + 2 + len(h.random)
		b.AddUint8LengthPrefixed(bytesOf(h.sessionID))
		at.suites = at.sessionID + 1 + len(h.sessionID)
		if h.dtls {
			b.AddUint8LengthPrefixed(bytesOf(h.cookie))
			at.suites += 1 + len(h.cookie)
		}
		b.AddUint16LengthPrefixed(uint16s(h.suites...))
		at.compression = at.suites + 2 + 2*len(h.suites)
		b.AddUint8LengthPrefixed(bytesOf(h.compression))
		at.block = at.compression + 1 + len(h.compression)
		at.end = at.block
		if h.noBlock {
			return
		}
		at.end += 2
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
			for _, e := range h.extensions {
				at.extensions = append(at.extensions, at.end)
				b.AddUint16(e.typ)
				b.AddUint16LengthPrefixed(bytesOf(e.data))
				at.end += 4 + len(e.data)
			}
		})
	}
	if h.dtls {
		inner := cryptobyte.NewBuilder(nil)
		body(inner)
		b.AddUint24(uint32(len(inner.BytesOrPanic())))
		b.AddUint16(0) // message_seq
		b.AddUint24(0) // fragment_offset
		b.AddUint24LengthPrefixed(bytesOf(inner.BytesOrPanic()))
	} else {
		b.AddUint24LengthPrefixed(body)
	}
	return b.BytesOrPanic(), at
}

// bytes is build without the layout.
func (h hello) bytes() []byte {
	msg, _ := h.build()
	return msg
}

// parsed is the content of the message, with flags in an extension of the given type.
func (h hello) parsed(typ uint16, flags ...uint16) vectors.Parsed {
	p := setsFlags(flags...)
	if len(flags) > 0 {
		p.FlagsExtension = typ
	}
	p.ClientHello = &vectors.Hello{
		LegacyVersion:      h.version,
		SessionID:          nonNil(h.sessionID),
		CipherSuites:       vectors.CipherSuites{Count: len(h.suites), First: h.suites[0], Last: h.suites[len(h.suites)-1]},
		CompressionMethods: h.compression,
		Extensions:         []uint16{},
		ALPN:               []string{},
		SupportedVersions:  []uint16{},
	}
	for _, e := range h.extensions {
		c := p.ClientHello
		c.Extensions = append(c.Extensions, e.typ)
		if e.serverName != nil {
			c.ServerName = e.serverName
		}
		c.ALPN = append(c.ALPN, e.protocols...)
		c.SupportedVersions = append(c.SupportedVersions, e.versions...)
	}
	return p
}

// noFlags is the content of a message without tls_flags.
func (h hello) noFlags() vectors.Parsed { return h.parsed(0) }

// setsRequestMTLS is a test of a hello that sets flag 80 in type 62.
func (h hello) setsRequestMTLS(id, comment string, notes ...string) row {
	return accept(id, h.bytes(), h.parsed(extFlags, 80), comment, notes...)
}

// setsNothing is a test of a hello without tls_flags.
func (h hello) setsNothing(id, comment string, notes ...string) row {
	return accept(id, h.bytes(), h.noFlags(), comment, notes...)
}

// isRefused is a test of a hello with a fault at an offset in an extension.
func (h hello) isRefused(id, code string, extension, offset int, comment string, notes ...string) row {
	msg, at := h.build()
	return refuse(id, msg, code, at.extensions[extension]+offset, comment, notes...)
}

// only returns the hello with other extensions.
func (h hello) only(extensions ...ext) hello {
	h.noBlock, h.extensions = false, extensions
	return h
}

// with returns the hello with more extensions at the end.
func (h hello) with(more ...ext) hello {
	h.extensions = slices.Concat(h.extensions, more)
	return h
}

// before returns the hello with more extensions at index i.
func (h hello) before(i int, more ...ext) hello {
	h.extensions = slices.Insert(slices.Clone(h.extensions), i, more...)
	return h
}

// base is an ordinary ClientHello, which servers of TLS 1.3 and of TLS 1.2 accept.
func base() hello {
	return hello{
		version:     0x0303,
		random:      filler("random", 32),
		suites:      []uint16{0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030},
		compression: []byte{0},
		extensions: []ext{
			serverName("example.com"),
			groups(x25519, secp256r1),
			signatures(0x0403, 0x0804, 0x0401, 0x0805, 0x0806),
			versions(0x0304, 0x0303),
			keyShare(share(x25519)),
		},
	}
}

// base12 is the same for TLS 1.2 only.
func base12() hello {
	h := base()
	h.sessionID = filler("session", 32)
	h.suites = []uint16{0xc02b, 0xc02f, 0xc02c, 0xc030, 0x009c}
	h.extensions = []ext{
		serverName("example.com"),
		groups(x25519, secp256r1),
		pointFormats(),
		signatures(0x0403, 0x0804, 0x0401),
		empty(extMainSecret),
		renegotiation(),
	}
	return h
}

// minimal is the shortest ClientHello of TLS 1.2: 41 bytes of body.
func minimal() hello {
	return hello{
		version: 0x0303, random: filler("random", 32), suites: []uint16{0xc02f}, compression: []byte{0}, noBlock: true,
	}
}

// filler is n bytes that look random and are always the same.
func filler(label string, n int) []byte {
	var out []byte
	for i := 0; len(out) < n; i++ {
		sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", label, i))
		out = append(out, sum[:]...)
	}
	return out[:n:n]
}

func bytesOf(data []byte) cryptobyte.BuilderContinuation {
	return func(b *cryptobyte.Builder) { b.AddBytes(data) }
}

func uint16s(values ...uint16) cryptobyte.BuilderContinuation {
	return func(b *cryptobyte.Builder) {
		for _, v := range values {
			b.AddUint16(v)
		}
	}
}

// made returns the bytes that f writes.
func made(f cryptobyte.BuilderContinuation) []byte {
	b := cryptobyte.NewBuilder(nil)
	f(b)
	return b.BytesOrPanic()
}

func opaque8(data []byte) []byte {
	return made(func(b *cryptobyte.Builder) { b.AddUint8LengthPrefixed(bytesOf(data)) })
}

func opaque16(data []byte) []byte {
	return made(func(b *cryptobyte.Builder) { b.AddUint16LengthPrefixed(bytesOf(data)) })
}

func opaque24(data []byte) []byte {
	return made(func(b *cryptobyte.Builder) { b.AddUint24LengthPrefixed(bytesOf(data)) })
}

// handshake is a message of the given type.
func handshake(msgType uint8, body []byte) []byte {
	return concat([]byte{msgType}, opaque24(body))
}

func raw(typ uint16, data ...byte) ext { return ext{typ: typ, data: data} }

func empty(typ uint16) ext { return ext{typ: typ} }

// flagsExt is tls_flags with the shortest encoding of the flags.
func flagsExt(flags ...uint16) ext { return raw(extFlags, encoded(flags...)...) }

// flagsExperiment is the same under the experimental type.
func flagsExperiment(flags ...uint16) ext { return raw(extFlagsExperiment, encoded(flags...)...) }

func serverName(name string) ext {
	// struct { NameType name_type; HostName host_name<1..2^16-1>; } ServerName;
	list := concat([]byte{0}, opaque16([]byte(name)))
	return ext{typ: extServerName, data: opaque16(list), serverName: &name}
}

func alpn(protocols ...string) ext {
	var list []byte
	for _, p := range protocols {
		list = append(list, opaque8([]byte(p))...)
	}
	return ext{typ: extALPN, data: opaque16(list), protocols: protocols}
}

func versions(v ...uint16) ext {
	return ext{typ: extVersions, data: opaque8(made(uint16s(v...))), versions: v}
}

func groups(v ...uint16) ext { return raw(extGroups, opaque16(made(uint16s(v...)))...) }

func signatures(v ...uint16) ext { return raw(extSignatures, opaque16(made(uint16s(v...)))...) }

// share is a KeyShareEntry with a valid key, which is always the same.
func share(group uint16) []byte {
	return concat(made(uint16s(group)), opaque16(publicKey(group)))
}

func publicKey(group uint16) []byte {
	switch one := append(zeros(31), 1); group {
	case x25519:
		return append([]byte{9}, zeros(31)...) // the base point
	case secp256r1:
		key, err := ecdh.P256().NewPrivateKey(one)
		if err != nil {
			panic(err)
		}
		return key.PublicKey().Bytes()
	case x25519MLKEM768:
		key, err := mlkem.NewDecapsulationKey768(filler("seed", mlkem.SeedSize))
		if err != nil {
			panic(err)
		}
		return concat(key.EncapsulationKey().Bytes(), publicKey(x25519))
	}
	return []byte{0} // GREASE
}

func keyShare(shares ...[]byte) ext { return raw(extKeyShare, opaque16(concat(shares...))...) }

func pskModes() ext { return raw(extPSKModes, 1, 1) }

func pointFormats() ext { return raw(extPointFormats, 1, 0) }

func renegotiation() ext { return raw(extRenegotiation, 0) }

// statusRequest asks for an OCSP response.
func statusRequest() ext { return raw(extStatusRequest, 1, 0, 0, 0, 0) }

// preSharedKey offers one ticket that no server knows.
func preSharedKey() ext {
	identity := concat(opaque16(filler("ticket", 32)), []byte{0, 0, 0, 1})
	return raw(extPreSharedKey, concat(opaque16(identity), opaque16(opaque8(filler("binder", 32))))...)
}

// padding is n zero bytes.
func padding(n int) ext { return raw(extPadding, zeros(n)...) }

// echOuter is an encrypted_client_hello of an outer ClientHello, or GREASE that looks
// like one.
func echOuter(payload int) ext {
	return raw(extECH, concat([]byte{0}, made(uint16s(1, 1)), []byte{0x2a},
		opaque16(filler("enc", 32)), opaque16(filler("payload", payload)))...)
}

// grease is the i-th of the sixteen values 0x0a0a, 0x1a1a ... 0xfafa.
func grease(i int) uint16 { return 0x0a0a + uint16(i)*0x1010 }

// patch returns a copy of msg with b at offset i.
func patch(msg []byte, i int, b ...byte) []byte {
	out := bytes.Clone(msg)
	copy(out[i:], b)
	return out
}

// patch16 puts a 16-bit number at offset i.
func patch16(msg []byte, i int, v int) []byte { return patch(msg, i, byte(v>>8), byte(v)) }

// cut returns the first n bytes of a message, with its length field corrected.
func cut(msg []byte, n int) []byte { return handshake(msg[0], msg[4:n]) }

// insert puts bytes at offset i of a message, and corrects the length of the message but
// no other length.
func insert(msg []byte, i int, b ...byte) []byte {
	return handshake(msg[0], slices.Insert(bytes.Clone(msg[4:]), i-4, b...))
}
