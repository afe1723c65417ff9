package fuzz

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket/layers"
	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/handshake"
	"github.com/tlsflags/tlsflags/internal/annotate"
	"github.com/tlsflags/tlsflags/internal/cli"
	"github.com/tlsflags/tlsflags/internal/quicseal"
	"github.com/tlsflags/tlsflags/rules"
	"github.com/tlsflags/tlsflags/vectors"
)

// The targets themselves do not hold that work is linear in the input. Nothing in the
// parsers counts steps, and a count would cost every user; time is not the same twice,
// so that a fuzzer that goes by it fails for no reason; and what a fuzzer comes up with
// is too short for work that is quadratic to be told from work that is not. So the shapes
// that cost most are made here, for everything that a target reads with.

// A shape is a form of input in n parts, such as extensions, segments or bytes.
type shape struct {
	n int // of the large input
	// prepare returns what reads an input of n parts.
	prepare func(n int) func()
}

// An input eight times as long takes eight times as long, and sixty-four times where the
// work is quadratic. The shortest of several times is compared, as other processes make
// some longer, and none shorter.
func TestWorkIsLinear(t *testing.T) {
	const (
		factor   = 8
		limit    = 4 * factor
		patience = 10 * time.Second
	)
	for name, s := range shapes() {
		t.Run(name, func(t *testing.T) {
			small, large := s.prepare(s.n/factor), s.prepare(s.n)
			short, long := time.Hour, time.Hour
			for start := time.Now(); time.Since(start) < patience; {
				short, long = min(short, shortest(9, small)), min(long, shortest(3, large))
				if long < limit*short {
					t.Logf("%v, and %.1f times as long", short, float64(long)/float64(short))
					return
				}
			}
			t.Errorf("%d parts take %v, and %d take %v", s.n/factor, short, s.n, long)
		})
	}
}

func shortest(times int, work func()) time.Duration {
	best := time.Hour
	for range times {
		start := time.Now()
		work()
		best = min(best, time.Since(start))
	}
	return best
}

func shapes() map[string]shape {
	const mostExtensions = 16376
	all := map[string]shape{
		"ExtensionList, many extensions": {mostExtensions, func(n int) func() {
			b := block(manyExtensions(n))
			return func() {
				list := listOf(extension.EncryptedExtensions, b)
				for range list.All() {
				}
				list.Lookup(0xffff)
				list.HasFlag(1)
			}
		}},
		"ExtensionList, a type twice at the end": {mostExtensions, func(n int) func() {
			list := manyExtensions(n - 1)
			b := block(append(list, list[0]))
			return func() {
				if _, _, err := extension.ParseList(extension.EncryptedExtensions, b, 0); err != extension.ErrDuplicateExtension {
					panic(err)
				}
			}
		}},
		"Flags, many": {255, func(n int) func() {
			data := append([]byte{byte(n)}, bytes.Repeat([]byte{0xff}, n)...)
			return repeat(50, func() {
				flags := accepted(extension.ParseFlags(data))
				for f := range flags.All() {
					flags.Has(f)
				}
				flags.Set()
			})
		}},
		"RoundTrip, many flags": {2040, func(n int) func() {
			return repeat(20, func() {
				var set extension.FlagSet
				for f := range extension.Flag(n) {
					set.Add(f) // in range
				}
				set.AppendTo(nil) // not empty
				for f := range extension.Flag(n) {
					set.Remove(f)
				}
			})
		}},
		"ClientHelloMessage, many extensions": {mostExtensions, func(n int) func() {
			return readHello(Hello{Extensions: manyExtensions(n)})
		}},
		"ClientHelloBody, many cipher suites": {32760, func(n int) func() {
			return readHello(Hello{CipherSuites: make([]uint16, n)})
		}},
		"Message, many extensions": {mostExtensions, func(n int) func() {
			return readMessage(messageOf(4, block(manyExtensions(n))))
		}},
		"Message, many certificates": {40_000, func(n int) func() {
			return readMessage(messageOf(11, make([][]byte, n)...))
		}},
		"Message, many certificates with flags": {40_000, func(n int) func() {
			return readMessage(messageOf(11, slices.Repeat([][]byte{flagged()}, n)...))
		}},
		"Rules, many certificates that answer many extensions": {mostExtensions, func(n int) func() {
			hello := append(manyExtensions(n-1), extension.Extension{Type: extension.TLSFlags, Data: []byte{1, 2}})
			x := rules.Handshake{Hello: listOf(extension.ClientHello, block(hello))}
			m := accepted(handshake.Parse(messageOf(11, slices.Repeat([][]byte{flagged()}, n)...)))
			return func() {
				if v := x.CheckMessage(handshake.FromServer, m); !v.OK() {
					panic(v.Code)
				}
			}
		}},
		"Rules, many extensions": {mostExtensions, func(n int) func() {
			hello := listOf(extension.ClientHello, block(append(manyExtensions(n-1), extension.Extension{Type: extension.TLSFlags, Data: []byte{1, 2}})))
			x := rules.Handshake{Hello: hello}
			return func() {
				x.Check(extension.EncryptedExtensions, handshake.FromServer, hello)
				x.Agreed(extension.EncryptedExtensions, handshake.FromServer, hello)
				x.CheckSecondHello(hello)
			}
		}},
		"Vectors, many": {800, func(n int) func() {
			file, err := vectors.Load(vectors.TLSFlags)
			if err != nil {
				panic(err)
			}
			group := file.Groups[0]
			group.Tests = slices.Repeat(group.Tests[:1], n)
			file.Groups = []vectors.Group{group}
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
	for _, more := range []map[string]shape{bodyShapes(), recordShapes(), datagramShapes(), tcpShapes(), commandShapes()} {
		for name, s := range more {
			all[name] = s
		}
	}
	return all
}

// bodyShapes are extensions with many elements.
func bodyShapes() map[string]shape {
	body := func(t extension.Type, n int, data func(n int) []byte) shape {
		return shape{n, func(n int) func() {
			hello := accepted(clienthello.Parse(encodeHello(Hello{Extensions: []extension.Extension{{Type: t, Data: data(n)}}})))
			return repeat(4, func() {
				_, err := hello.CheckExtension(t)
				if err = errors.Join(err, checkBodies(hello)); err != nil {
					panic(err)
				}
			})
		}}
	}
	// vector puts n times the element behind a length of the given size.
	vector := func(lengthSize int, element string) func(n int) []byte {
		return func(n int) []byte { return prefixed(lengthSize, strings.Repeat(element, n)) }
	}
	return map[string]shape{
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
			return prefixed(2, string(data))
		}),
	}
}

// recordShapes are streams of TLS records.
func recordShapes() map[string]shape {
	const most = 20_000
	feed := func(stream, sizes []byte, memory []byte) func() {
		return func() {
			var r assemble.Records
			r.Reset(memory)
			for piece := range chop(stream, sizes) {
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
	return map[string]shape{
		"Records, of a byte": {most, func(n int) func() {
			return feed(InRecords(messageBytes(n), []byte{1}), nil, memory)
		}},
		"Records, of a byte, a byte a time": {most, func(n int) func() {
			return feed(InRecords(messageBytes(n), []byte{1}), []byte{1}, memory)
		}},
		"Records, one, a byte a time": {most, func(n int) func() {
			return feed(InRecords(messageBytes(n), nil), []byte{1}, memory)
		}},
		"Records, with memory that grows by a byte": {2_000, func(n int) func() {
			stream := InRecords(messageBytes(n), []byte{1})
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
		"Records, many change_cipher_spec behind a message": {most, func(n int) func() {
			ccs := bytes.Repeat([]byte{20, 3, 3, 0, 1, 1}, n)
			return feed(slices.Concat(InRecords(messageBytes(100), nil), ccs), nil, memory)
		}},
		"Records, early data of a byte behind a message": {most, func(n int) func() {
			early := bytes.Repeat([]byte{23, 3, 3, 0, 1, 7}, n)
			return feed(slices.Concat(InRecords(messageBytes(100), nil), early), nil, memory)
		}},
		"Records, many messages": {most / 10, func(n int) func() {
			return feed(bytes.Repeat(InRecords(messageBytes(50), nil), n), nil, memory)
		}},
	}
}

// datagramShapes are messages in parts of a byte, for QUIC and DTLS.
func datagramShapes() map[string]shape {
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
		msg := messageBytes(n)
		var payloads [][]byte
		for _, i := range order(n) {
			payloads = append(payloads, CryptoFrame(Piece{i, msg[i : i+1]}))
		}
		return payloads
	}
	fragments := func(n int, order func(int) []int) [][]byte {
		var datagrams [][]byte
		for _, i := range order(n) {
			datagrams = append(datagrams, DTLSRecord(n, 0, Piece{i, []byte{7}}))
		}
		return datagrams
	}
	together := func(parts [][]byte) [][]byte { return [][]byte{bytes.Join(parts, nil)} }

	const most = 16_000
	all := make(map[string]shape)
	for name, order := range orders {
		all["QUICFrames, of a byte, "+name] = shape{most, func(n int) func() {
			return read(new(framesOnly), frames(n, order), assemble.Complete)
		}}
		all["QUICSchedule, in one packet, "+name] = shape{most, func(n int) func() {
			return read(new(framesOnly), together(frames(n, order)), assemble.Complete)
		}}
		all["DTLSSchedule, of a byte, "+name] = shape{most, func(n int) func() {
			return read(new(assemble.DTLS), fragments(n, order), assemble.Complete)
		}}
		all["DTLSDatagrams, in one datagram, "+name] = shape{most, func(n int) func() {
			return read(new(assemble.DTLS), together(fragments(n, order)), assemble.Complete)
		}}
	}
	all["QUICFrames, all but one, over and over"] = shape{most, func(n int) func() {
		missing := frames(1000, backwards)[:999]
		var payloads [][]byte
		for range n / 1000 {
			payloads = append(payloads, missing...)
		}
		return read(new(framesOnly), payloads, assemble.NeedMore)
	}}
	all["QUICFrames, ACK with many ranges"] = shape{most, func(n int) func() {
		ack := slices.Concat([]byte{2, 0, 0}, quicseal.AppendVarint(nil, uint64(n)), make([]byte, 1+2*n))
		return read(new(framesOnly), [][]byte{ack}, assemble.NeedMore)
	}}
	all["QUICFrames, padding"] = shape{8 * most, func(n int) func() {
		return read(new(framesOnly), [][]byte{make([]byte, n)}, assemble.NeedMore)
	}}
	all["QUICSealed, a byte a packet, backwards"] = shape{1_600, func(n int) func() {
		return read(new(assemble.QUIC), sealQUIC(frames(n, backwards)), assemble.Complete)
	}}
	all["QUICDatagrams, new keys each time"] = shape{400, func(n int) func() {
		var packets [][]byte
		for i := range n {
			p := quicseal.Packet{Version: quicseal.V1, DCID: binary.BigEndian.AppendUint64(nil, uint64(i))}
			p.Payload = append(CryptoFrame(Piece{0, []byte{1}}), make([]byte, 16)...)
			packets = append(packets, p.Seal())
		}
		return read(new(assemble.QUIC), packets, assemble.NeedMore)
	}}
	all["DTLSDatagrams, fragments of other messages"] = shape{most, func(n int) func() {
		datagrams := [][]byte{DTLSRecord(2, 0, Piece{0, []byte{7}})}
		for i := range n {
			datagrams = append(datagrams, DTLSRecord(n, uint16(1+i), Piece{i, []byte{7}}))
		}
		return read(new(assemble.DTLS), datagrams, assemble.NeedMore)
	}}
	return all
}

// tcpShapes are packets for a Scanner.
func tcpShapes() map[string]shape {
	scan := func(packets [][]byte, want int) func() {
		return func() {
			s := capture.NewScanner(capture.Options{})
			for _, p := range packets {
				s.Scan(capture.Packet{Data: p, Link: layers.LinkTypeRaw}, func(*capture.Hello) bool { return true })
			}
			if got := s.Stats().Hellos; got != want {
				panic(got)
			}
		}
	}
	const syn, ack = 0x02, 0x10
	segments := func(stream []byte, order []int) [][]byte {
		packets := [][]byte{tcpPacket(0, syn, nil)}
		for _, i := range order {
			packets = append(packets, tcpPacket(1+uint32(i), ack, stream[i:i+1]))
		}
		return packets
	}
	const most = 16_000
	all := make(map[string]shape)
	for name, order := range orders {
		all["TCP, segments of a byte, "+name] = shape{most, func(n int) func() {
			stream := InRecords(messageBytes(n-5), nil)
			return scan(segments(stream, order(n)), 1)
		}}
	}
	for name, row := range map[string]struct {
		n       int
		packets func(n int) [][]byte
		hellos  int
	}{
		"every second byte, and then all": {most, func(n int) [][]byte {
			stream := InRecords(messageBytes(n-5), nil)
			return append(segments(stream, interleaved(n)[:n/2]), tcpPacket(1, ack, stream))
		}, 1},
		"all but the first byte, over and over": {most, func(n int) [][]byte {
			packets := segments(InRecords(messageBytes(995), nil), backwards(1000)[:999])
			return slices.Repeat(packets, n/1000)
		}, 0},
		"records of a byte": {most, func(n int) [][]byte {
			stream := InRecords(messageBytes(n), []byte{1})
			packets := [][]byte{tcpPacket(0, syn, nil)}
			seq := uint32(1)
			for part := range slices.Chunk(stream, 100) {
				packets = append(packets, tcpPacket(seq, ack, part))
				seq += uint32(len(part))
			}
			return packets
		}, 1},
		"a prologue a byte a time, connection after connection": {8, func(n int) (packets [][]byte) {
			prologue := []byte("EHLO a\r\n" + strings.Repeat("NOOP\r\n", 12))
			for i := range n {
				packets = append(packets, tcpPacket(uint32(i)<<20, syn, nil))
				for j := range prologue {
					packets = append(packets, tcpPacket(uint32(i)<<20+1+uint32(j), ack, prologue[j:j+1]))
				}
			}
			return packets
		}, 0},
		"connections that never end": {most, func(n int) (packets [][]byte) {
			hello := InRecords(messageBytes(100), nil)
			for i := range n {
				p := tcpPacket(0, syn, hello[:50])
				binary.BigEndian.PutUint32(p[12:], uint32(i)) // source address
				packets = append(packets, p)
			}
			return packets
		}, 0},
		"fragments of eight bytes, backwards": {most, func(n int) (packets [][]byte) {
			whole := tcpPacket(0, syn, InRecords(messageBytes(n-45), nil))[20:]
			for i := (len(whole) - 1) / 8 * 8; i >= 0; i -= 8 {
				p := append(tcpPacket(0, syn, nil)[:20], whole[i:min(i+8, len(whole))]...)
				field := uint16(i / 8)
				if i+8 < len(whole) {
					field |= 0x2000 // more fragments
				}
				binary.BigEndian.PutUint16(p[6:], field)
				binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
				packets = append(packets, p)
			}
			return packets
		}, 1},
	} {
		all["TCP, "+name] = shape{row.n, func(n int) func() { return scan(row.packets(n), row.hellos) }}
	}
	all["Capture, many hellos"] = shape{2_000, func(n int) func() {
		var packets [][]byte
		for i := range n {
			packets = append(packets, tcpPacket(uint32(i)<<20, syn, InRecords(encodeHello(Hello{}), nil)))
		}
		file := pcapFile(layers.LinkTypeRaw, packets...)
		return func() {
			if hellos, _, err := readCapture(bytes.NewReader(file), capture.Options{}); err != nil || len(hellos) != n {
				panic(err)
			}
		}
	}}
	return all
}

// commandShapes are inputs for the commands, and for what is behind explain.
func commandShapes() map[string]shape {
	run := func(input []byte, args ...string) func() {
		return func() {
			var complaints bytes.Buffer
			if exit := cli.Run(context.Background(), append(args, "-"), bytes.NewReader(input), io.Discard, &complaints); exit != 0 {
				panic(complaints.String())
			}
		}
	}
	explain := func(kind annotate.Kind, input []byte) func() {
		return func() {
			if table := annotate.Explain(kind, input); table.Refused != nil {
				panic(table.Refused.Code)
			}
		}
	}
	const most = 8_000
	long := func(n int) []byte { return encodeHello(Hello{Extensions: manyExtensions(n)}) }
	all := map[string]shape{
		"Explain, many extensions": {most, func(n int) func() { return explain(annotate.ClientHello, long(n)) }},
		"Explain, many extensions of which the last is malformed": {most, func(n int) func() {
			list := manyExtensions(n)
			list[n-1].Data = []byte{1}
			list[n-1].Type = extension.TLSFlags
			return explain(annotate.ClientHello, encodeHello(Hello{Extensions: list}))
		}},
		"Explain, many cipher suites": {most, func(n int) func() {
			return explain(annotate.ClientHello, encodeHello(Hello{CipherSuites: make([]uint16, n)}))
		}},
		"Explain, many protocol names": {most, func(n int) func() {
			return explain(annotate.ClientHello, encodeHello(Hello{Extensions: []extension.Extension{
				{Type: extension.ALPN, Data: prefixed(2, strings.Repeat("\x01h", n))},
			}}))
		}},
		"Explain, many certificates with flags": {most / 2, func(n int) func() {
			return explain(annotate.Certificate, messageOf(11, slices.Repeat([][]byte{flagged()}, n)...))
		}},
		"Explain, a long name": {8 * 7000, func(n int) func() {
			name := prefixed(2, "\x00"+string(prefixed(2, strings.Repeat("n", n))))
			return explain(annotate.ClientHello, encodeHello(Hello{Extensions: []extension.Extension{{Type: extension.ServerName, Data: name}}}))
		}},
	}
	for _, format := range []string{"text", "json"} {
		all["Explain, as "+format] = shape{most / 2, func(n int) func() { return run(long(n), "explain", "--format", format) }}
	}
	for _, format := range []string{"text", "jsonl", "json", "csv"} {
		all["Inspect, many extensions, as "+format] = shape{most, func(n int) func() {
			return run(long(n), "inspect", "--format", format)
		}}
		all["Inspect, many hellos in hexadecimal, as "+format] = shape{800, func(n int) func() {
			line := hex.EncodeToString(encodeHello(Hello{Extensions: manyExtensions(10)})) + "\n"
			return run([]byte(strings.Repeat(line, n)), "inspect", "--format", format)
		}}
	}
	return all
}

// orders are sequences in which n parts arrive.
var orders = map[string]func(n int) []int{"forwards": forwards, "backwards": backwards, "interleaved": interleaved}

func forwards(n int) (order []int) {
	for i := range n {
		order = append(order, i)
	}
	return order
}

func backwards(n int) []int {
	order := forwards(n)
	slices.Reverse(order)
	return order
}

// interleaved has the odd parts first.
func interleaved(n int) (order []int) {
	for i := 1; i < n; i += 2 {
		order = append(order, i)
	}
	for i := 0; i < n; i += 2 {
		order = append(order, i)
	}
	return order
}

// manyExtensions returns n empty extensions, all of them different and of no known type
// but for a few.
func manyExtensions(n int) (list []extension.Extension) {
	for t := extension.Type(0xffff); len(list) < n; t-- {
		if !t.IsGREASE() && t != extension.TLSFlagsExperimental && t != extension.EncryptedClientHello && t != extension.RenegotiationInfo {
			list = append(list, extension.Extension{Type: t})
		}
	}
	return list
}

// flagged is an extension block with one flag.
func flagged() []byte { return []byte{0, byte(extension.TLSFlags), 0, 2, 1, 2} }

// encodeHello fills in what h lacks.
func encodeHello(h Hello) []byte {
	h.Version, h.Random, h.CompressionMethods, h.HasExtensionBlock = 0x0303, make([]byte, 32), []byte{0}, true
	if h.CipherSuites == nil {
		h.CipherSuites = []uint16{0x1301}
	}
	msg, err := h.Append(nil, false)
	if err != nil {
		panic(err)
	}
	return msg
}

// messageBytes is a ClientHello of n bytes, as far as an assembler looks.
func messageBytes(n int) []byte {
	msg := make([]byte, n)
	n -= 4
	copy(msg, []byte{1, byte(n >> 16), byte(n >> 8), byte(n)})
	return msg
}

// prefixed puts the length of s before it.
func prefixed(lengthSize int, s string) []byte {
	length := binary.BigEndian.AppendUint32(nil, uint32(len(s)))
	return append(length[4-lengthSize:], s...)
}

func readHello(h Hello) func() {
	msg := encodeHello(h)
	return func() {
		hello := accepted(clienthello.Parse(msg))
		for range hello.Extensions().All() {
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

// repeat makes short work long enough to be measured.
func repeat(n int, work func()) func() {
	return func() {
		for range n {
			work()
		}
	}
}
