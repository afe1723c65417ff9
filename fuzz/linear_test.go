package fuzz

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/handshake"
	"github.com/tlsflags/tlsflags/internal/ech"
	"github.com/tlsflags/tlsflags/internal/linear"
	"github.com/tlsflags/tlsflags/internal/oracle/assembletest"
	"github.com/tlsflags/tlsflags/internal/oracle/clienthellotest"
	"github.com/tlsflags/tlsflags/internal/oracle/extensiontest"
	"github.com/tlsflags/tlsflags/internal/oracle/handshaketest"
	"github.com/tlsflags/tlsflags/internal/quicseal"
	"github.com/tlsflags/tlsflags/rules"
	"github.com/tlsflags/tlsflags/vectors"
)

// TestWorkIsLinear checks that the work for the inputs that cost most grows linearly with
// their length. The inputs of a fuzzer are too short to show quadratic work.
func TestWorkIsLinear(t *testing.T) {
	const module = "github.com/tlsflags/tlsflags/"
	linear.Check(t, []string{module + "extension", module + "handshake", module + "rules", module + "clienthello/...", module + "vectors", module + "reqmtls", module + "internal/ech"}, shapes())
}

func shapes() map[string]linear.Shape {
	const mostExtensions = 16376
	all := map[string]linear.Shape{
		"ExtensionList, many extensions": {N: mostExtensions, Prepare: func(n int) func() {
			b := extensiontest.Block(extensiontest.Many(n))
			return func() {
				list := listOf(extension.EncryptedExtensions, b)
				for range list.All() {
				}
				list.Lookup(0xffff)
				list.HasFlag(1)
			}
		}},
		"ExtensionList, a type twice at the end": {N: mostExtensions, Prepare: func(n int) func() {
			list := extensiontest.Many(n - 1)
			b := extensiontest.Block(append(list, list[0]))
			return func() {
				if _, _, err := extension.ParseList(extension.EncryptedExtensions, b, 0); err != extension.ErrDuplicateExtension {
					panic(err)
				}
			}
		}},
		"Flags, many": {N: 255, Prepare: func(n int) func() {
			data := append([]byte{byte(n)}, bytes.Repeat([]byte{0xff}, n)...)
			return func() {
				flags := accepted(extension.ParseFlags(data))
				for f := range flags.All() {
					flags.Has(f)
				}
				flags.Set()
			}
		}},
		"RoundTrip, many flags": {N: 2040, Prepare: func(n int) func() {
			return func() {
				var set extension.FlagSet
				for f := range extension.Flag(n) {
					set.Add(f) // in range
				}
				set.AppendTo(nil) // not empty
				for f := range extension.Flag(n) {
					set.Remove(f)
				}
			}
		}},
		"ClientHelloMessage, many extensions": {N: mostExtensions, Prepare: func(n int) func() {
			return readHello(clienthellotest.Hello{Extensions: extensiontest.Many(n)})
		}},
		"ClientHelloBody, many cipher suites": {N: 32760, Prepare: func(n int) func() {
			return readHello(clienthellotest.Hello{CipherSuites: make([]uint16, n)})
		}},
		"Message, many extensions": {N: mostExtensions, Prepare: func(n int) func() {
			return readMessage(handshaketest.Message(4, extensiontest.Block(extensiontest.Many(n))))
		}},
		"Message, many certificates": {N: 40_000, Prepare: func(n int) func() {
			return readMessage(handshaketest.Message(11, make([][]byte, n)...))
		}},
		"Message, many certificates with flags": {N: 40_000, Prepare: func(n int) func() {
			return readMessage(handshaketest.Message(11, slices.Repeat([][]byte{flagged()}, n)...))
		}},
		"Rules, many certificates that answer many extensions": {N: mostExtensions, Prepare: func(n int) func() {
			hello := append(extensiontest.Many(n-1), extension.Extension{Type: extension.TLSFlags, Data: []byte{1, 2}})
			x := rules.Handshake{Hello: listOf(extension.ClientHello, extensiontest.Block(hello))}
			m := accepted(handshake.Parse(handshaketest.Message(11, slices.Repeat([][]byte{flagged()}, n)...)))
			return func() {
				if v := x.CheckMessage(handshake.FromServer, m); !v.OK() {
					panic(v.Code)
				}
			}
		}},
		"Rules, many extensions": {N: mostExtensions, Prepare: func(n int) func() {
			hello := listOf(extension.ClientHello, extensiontest.Block(append(extensiontest.Many(n-1), extension.Extension{Type: extension.TLSFlags, Data: []byte{1, 2}})))
			x := rules.Handshake{Hello: hello}
			return func() {
				x.Check(extension.EncryptedExtensions, handshake.FromServer, hello)
				x.Agreed(extension.EncryptedExtensions, handshake.FromServer, hello)
				x.CheckSecondHello(hello)
			}
		}},
		"Vectors, many": {N: 800, Prepare: func(n int) func() {
			file, err := vectors.Load(vectors.TLSFlags)
			if err != nil {
				panic(err)
			}
			group := file.Groups[0]
			group.Tests = slices.Repeat(group.Tests[:1], n)
			file.Groups = []vectors.Group[*vectors.FlagsTest]{group}
			data, err := json.Marshal(file)
			if err != nil {
				panic(err)
			}
			return func() {
				if _, err := vectors.Decode(data); err != nil {
					panic(err)
				}
			}
		}},
	}
	for _, more := range []map[string]linear.Shape{bodyShapes(), recordShapes(), datagramShapes(), serverShapes()} {
		maps.Copy(all, more)
	}
	return all
}

// bodyShapes are extensions with many elements.
func bodyShapes() map[string]linear.Shape {
	body := func(t extension.Type, n int, data func(n int) []byte) linear.Shape {
		return linear.Shape{N: n, Prepare: func(n int) func() {
			hello := accepted(clienthello.Parse(clienthellotest.Hello{Extensions: []extension.Extension{{Type: t, Data: data(n)}}}.Message()))
			return func() {
				_, err := hello.CheckExtension(t)
				if err = errors.Join(err, clienthellotest.CheckBodies(hello)); err != nil {
					panic(err)
				}
			}
		}}
	}
	// vector is a length of the given size and n times the element.
	vector := func(lengthSize int, element string) func(n int) []byte {
		return func(n int) []byte { return extensiontest.Prefixed(lengthSize, strings.Repeat(element, n)) }
	}
	return map[string]linear.Shape{
		"ExtensionBody, protocol names of a byte": body(extension.ALPN, 32_000, vector(2, "\x01h")),
		"ExtensionBody, supported groups":         body(extension.SupportedGroups, 32_000, vector(2, "\x00\x1d")),
		"ExtensionBody, signature algorithms":     body(extension.SignatureAlgorithms, 32_000, vector(2, "\x08\x04")),
		"ExtensionBody, key shares of a byte":     body(extension.KeyShare, 13_000, vector(2, "\x00\x1d\x00\x01k")),
		"ExtensionBody, compressed certificates":  body(extension.CompressCertificate, 120, vector(1, "\x00\x02")),
		"ExtensionBody, cookie":                   body(extension.Cookie, 65_000, vector(2, "c")),
		"ExtensionBody, responders": body(extension.StatusRequest, 21_000, func(n int) []byte {
			return slices.Concat([]byte{1}, vector(2, "\x00\x01r")(n), []byte{0, 0})
		}),
		"ExtensionBody, pre-shared keys": body(extension.PreSharedKey, 1_600, func(n int) []byte {
			return slices.Concat(vector(2, "\x00\x01i\x00\x00\x00\x00")(n), vector(2, "\x20"+strings.Repeat("b", 32))(n))
		}),
		"ExtensionBody, names of all types": body(extension.ServerName, 256, func(n int) (data []byte) {
			for i := range n {
				data = append(data, byte(i), 0, 1, 'n')
			}
			return extensiontest.Prefixed(2, string(data))
		}),
	}
}

// recordShapes are streams of TLS records.
func recordShapes() map[string]linear.Shape {
	const most = 20_000
	feed := func(stream, sizes []byte, memory []byte) func() {
		return func() {
			var r assemble.Records
			r.Reset(memory)
			for piece := range assembletest.Chop(stream, sizes) {
				for len(piece) > 0 {
					result := r.Feed(piece)
					piece = piece[result.Used:]
					if result.Outcome == assemble.Complete {
						r.NextAfterEarlyData(1 << 20)
					} else if result.Outcome != assemble.NeedMore {
						return
					}
				}
			}
		}
	}
	memory := make([]byte, assemble.MaxMessage)
	return map[string]linear.Shape{
		"Records, of a byte": {N: most, Prepare: func(n int) func() {
			return feed(assembletest.InRecords(assembletest.MessageBytes(n), []byte{1}), nil, memory)
		}},
		"Records, of a byte, a byte a time": {N: most, Prepare: func(n int) func() {
			return feed(assembletest.InRecords(assembletest.MessageBytes(n), []byte{1}), []byte{1}, memory)
		}},
		"Records, one, a byte a time": {N: most, Prepare: func(n int) func() {
			return feed(assembletest.InRecords(assembletest.MessageBytes(n), nil), []byte{1}, memory)
		}},
		"Records, with memory that grows by a byte": {N: 2_000, Prepare: func(n int) func() {
			stream := assembletest.InRecords(assembletest.MessageBytes(n), []byte{1})
			return func() {
				var r assemble.Records
				size := 0
				for rest := stream; ; {
					result := r.Feed(rest)
					rest = rest[result.Used:]
					if result.Code != extension.ErrOverLimit {
						return
					}
					size = min(max(2*size, 64), n)
					r.Grow(memory[:size:size])
				}
			}
		}},
		"Records, many change_cipher_spec after a message": {N: most, Prepare: func(n int) func() {
			ccs := bytes.Repeat([]byte{20, 3, 3, 0, 1, 1}, n)
			return feed(slices.Concat(assembletest.InRecords(assembletest.MessageBytes(100), nil), ccs), nil, memory)
		}},
		"Records, early data of a byte after a message": {N: most, Prepare: func(n int) func() {
			early := bytes.Repeat([]byte{23, 3, 3, 0, 1, 7}, n)
			return feed(slices.Concat(assembletest.InRecords(assembletest.MessageBytes(100), nil), early), nil, memory)
		}},
		"Records, many messages": {N: most / 10, Prepare: func(n int) func() {
			return feed(bytes.Repeat(assembletest.InRecords(assembletest.MessageBytes(50), nil), n), nil, memory)
		}},
	}
}

// datagramShapes are messages in parts of a byte, for QUIC and DTLS.
func datagramShapes() map[string]linear.Shape {
	memory := make([]byte, assemble.BufferSize(assemble.MaxMessageDTLS))
	read := func(a assemble.Assembler, datagrams [][]byte, want assemble.Outcome) func() {
		return func() {
			a.Reset(memory)
			var result assemble.Result
			for _, d := range datagrams {
				result = a.Feed(d)
			}
			if result.Outcome != want {
				panic(result.Outcome.String() + " " + result.Code.Name())
			}
		}
	}
	frames := func(n int, order func(int) []int) [][]byte {
		msg := assembletest.MessageBytes(n)
		var payloads [][]byte
		for _, i := range order(n) {
			payloads = append(payloads, cryptoFrame(assembletest.Piece{Offset: i, Data: msg[i : i+1]}))
		}
		return payloads
	}
	fragments := func(n int, order func(int) []int) [][]byte {
		var datagrams [][]byte
		for _, i := range order(n) {
			datagrams = append(datagrams, dtlsRecord(n, 0, assembletest.Piece{Offset: i, Data: []byte{7}}))
		}
		return datagrams
	}
	together := func(parts [][]byte) [][]byte { return [][]byte{bytes.Join(parts, nil)} }

	const most = 16_000
	all := make(map[string]linear.Shape)
	for name, order := range linear.Orders {
		all["QUICFrames, of a byte, "+name] = linear.Shape{N: most, Prepare: func(n int) func() {
			return read(new(framesOnly), frames(n, order), assemble.Complete)
		}}
		all["QUICSchedule, in one packet, "+name] = linear.Shape{N: most, Prepare: func(n int) func() {
			return read(new(framesOnly), together(frames(n, order)), assemble.Complete)
		}}
		all["DTLSSchedule, of a byte, "+name] = linear.Shape{N: most, Prepare: func(n int) func() {
			return read(new(assemble.DTLS), fragments(n, order), assemble.Complete)
		}}
		all["DTLSDatagrams, in one datagram, "+name] = linear.Shape{N: most, Prepare: func(n int) func() {
			return read(new(assemble.DTLS), together(fragments(n, order)), assemble.Complete)
		}}
	}
	all["QUICFrames, all but one, over and over"] = linear.Shape{N: most, Prepare: func(n int) func() {
		missing := frames(1000, linear.Backwards)[:999]
		var payloads [][]byte
		for range n / 1000 {
			payloads = append(payloads, missing...)
		}
		return read(new(framesOnly), payloads, assemble.NeedMore)
	}}
	all["QUICFrames, ACK with many ranges"] = linear.Shape{N: most, Prepare: func(n int) func() {
		ack := slices.Concat([]byte{2, 0, 0}, quicseal.AppendVarint(nil, uint64(n)), make([]byte, 1+2*n))
		return read(new(framesOnly), [][]byte{ack}, assemble.NeedMore)
	}}
	all["QUICFrames, padding"] = linear.Shape{N: 8 * most, Prepare: func(n int) func() {
		return read(new(framesOnly), [][]byte{make([]byte, n)}, assemble.NeedMore)
	}}
	all["QUICSealed, a byte a packet, linear.Backwards"] = linear.Shape{N: 1_600, Prepare: func(n int) func() {
		return read(new(assemble.QUIC), assembletest.SealQUIC(frames(n, linear.Backwards)), assemble.Complete)
	}}
	all["QUICDatagrams, new keys each time"] = linear.Shape{N: 400, Prepare: func(n int) func() {
		var packets [][]byte
		for i := range n {
			p := quicseal.Packet{Version: quicseal.V1, DCID: binary.BigEndian.AppendUint64(nil, uint64(i))}
			p.Payload = append(cryptoFrame(assembletest.Piece{Offset: 0, Data: []byte{1}}), make([]byte, 16)...)
			packets = append(packets, p.Seal())
		}
		return read(new(assemble.QUIC), packets, assemble.NeedMore)
	}}
	all["DTLSDatagrams, fragments of other messages"] = linear.Shape{N: most, Prepare: func(n int) func() {
		datagrams := [][]byte{dtlsRecord(2, 0, assembletest.Piece{Offset: 0, Data: []byte{7}})}
		for i := range n {
			datagrams = append(datagrams, dtlsRecord(n, uint16(1+i), assembletest.Piece{Offset: i, Data: []byte{7}}))
		}
		return read(new(assemble.DTLS), datagrams, assemble.NeedMore)
	}}
	return all
}

// flagged is an extension block with one flag.
func flagged() []byte { return []byte{0, byte(extension.TLSFlags), 0, 2, 1, 2} }

func readHello(h clienthellotest.Hello) func() {
	msg := h.Message()
	return func() {
		hello := accepted(clienthello.Parse(msg))
		for e := range hello.Extensions().All() {
			if _, err := hello.CheckExtension(e.Type); err != nil {
				panic(err)
			}
		}
		for range hello.CipherSuites().All() {
		}
		hello.HasFlag(1)
	}
}

func readMessage(msg []byte) func() {
	return func() {
		m := accepted(handshake.Parse(msg))
		for block := range m.Blocks() {
			for range block.All() {
			}
		}
		for range m.Entries() {
		}
		m.HasFlag(2)
	}
}

func listOf(m extension.MessageKind, b []byte) extension.List {
	return accepted(extension.ParseList(m, b, 0))
}

func accepted[T any](v T, _ int, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// serverShapes are for what a server reads beside its handshake.
func serverShapes() map[string]linear.Shape {
	const most = 8_000
	read := func(stream, sizes []byte) func() {
		return func() {
			if err := checkServerConn(stream, sizes); err != nil {
				panic(err)
			}
		}
	}
	hello := func(n int) []byte { return clienthellotest.Hello{Extensions: extensiontest.Many(n)}.Message() }
	return map[string]linear.Shape{
		"ServerConn, a byte a time":     {N: most, Prepare: func(n int) func() { return read(assembletest.InRecords(hello(n/4), nil), []byte{1}) }},
		"ServerConn, records of a byte": {N: most, Prepare: func(n int) func() { return read(assembletest.InRecords(hello(n/4), []byte{1}), nil) }},
		"ServerConn, early data": {N: 4 * most, Prepare: func(n int) func() {
			return read(slices.Concat(assembletest.InRecords(hello(1), nil), bytes.Repeat([]byte{23, 3, 3, 0, 1, 7}, n)), nil)
		}},
		"ECH, many outer extensions, and many taken over": {N: most, Prepare: func(n int) func() {
			const taken = 127 // the most
			list := extensiontest.Many(n)
			outer := listOf(extension.ClientHello, extensiontest.Block(list))
			var types []byte
			for _, e := range list[n-taken:] {
				types = append(types, byte(e.Type>>8), byte(e.Type))
			}
			return readInner(outer, extension.Extension{Type: extension.ECHOuterExtensions, Data: extensiontest.Prefixed(1, string(types))})
		}},
		"ECH, many extensions": {N: most, Prepare: func(n int) func() { return readInner(extension.List{}, extensiontest.Many(n)...) }},
	}
}

// readInner reads an inner ClientHello with the given extensions.
func readInner(outer extension.List, list ...extension.Extension) func() {
	block := extensiontest.Prefixed(2, string(extensiontest.Block(list)))
	encoded := slices.Concat(make([]byte, 2+32), []byte{0, 0, 2, 0x13, 1, 1, 0}, block)
	return func() {
		if _, ok := ech.InnerExtensions(encoded, outer); !ok {
			panic("refused")
		}
	}
}
