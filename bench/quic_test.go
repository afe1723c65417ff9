package bench

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/corpus"
)

// The tasks of quicTasks, in their order.
const (
	readInitials = iota
	openInitials
	readLaterInitial
	openLaterInitial
)

// quicTasks returns the tasks to read a hello that Chromium sent in QUIC Initials, and to
// read the last of these Initials alone, under known keys. There are two of each. This
// module parses all of the packets. The standard library alone derives the keys and opens
// the packets, and is given the offsets of everything in them.
func quicTasks(tb testing.TB) []task {
	tb.Helper()
	datagrams := chromiumInitials(tb)
	last := datagrams[len(datagrams)-1]
	memory := make([]byte, assemble.BufferSize(16<<10))
	hello := assemble.QUIC{Scratch: make([]byte, 2048)}
	later := assemble.QUIC{Scratch: make([]byte, 2048)}
	later.Reset(memory)

	var packets []sealedInitial
	for _, datagram := range datagrams {
		packets = append(packets, locate(datagram))
	}
	known := deriveKeys(packets[0].dcid)
	buffer := make([]byte, 2048)
	return []task{
		{"tlsflags, a hello in QUIC", func() {
			hello.Reset(memory)
			var result assemble.Result
			for _, datagram := range datagrams {
				result = hello.Feed(datagram)
			}
			if result.Outcome != assemble.Complete {
				panic(result.Outcome)
			}
		}},
		{"crypto/hkdf, aes, cipher", func() {
			keys := deriveKeys(packets[0].dcid)
			for _, packet := range packets {
				keys.open(packet, buffer)
			}
		}},
		{"tlsflags, one Initial more", func() { later.Feed(last) }},
		{"crypto/aes, cipher", func() { known.open(packets[len(packets)-1], buffer) }},
	}
}

// TestQUICTasks: both ways open the same packets.
func TestQUICTasks(t *testing.T) {
	for _, task := range quicTasks(t) {
		task.run()
	}
}

func BenchmarkQUIC(b *testing.B) {
	for _, task := range quicTasks(b) {
		b.Run(task.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				task.run()
			}
		})
	}
}

// chromiumInitials returns the datagrams of a recorded capture up to the end of the
// first hello.
func chromiumInitials(tb testing.TB) [][]byte {
	tb.Helper()
	entry, ok := corpus.Lookup("captures/quic-v1-chromium-156.pcapng")
	if !ok {
		tb.Fatal("the corpus lacks the capture to measure with")
	}
	source, err := pcapgo.NewNgReader(bytes.NewReader(entry.Data()), pcapgo.DefaultNgReaderOptions)
	if err != nil {
		tb.Fatal(err)
	}
	var q assemble.QUIC
	q.Reset(make([]byte, assemble.BufferSize(16<<10)))
	var datagrams [][]byte
	for {
		data, _, err := source.ReadPacketData()
		if errors.Is(err, io.EOF) {
			tb.Fatal("the capture has no hello")
		}
		if err != nil {
			tb.Fatal(err)
		}
		udp, ok := gopacket.NewPacket(data, source.LinkType(), gopacket.Default).TransportLayer().(*layers.UDP)
		if !ok {
			continue
		}
		before := q.Info().Packets
		result := q.Feed(udp.Payload)
		if q.Info().Packets > before {
			datagrams = append(datagrams, udp.Payload)
		}
		if result.Outcome == assemble.Complete {
			return datagrams
		}
	}
}

// sealedInitial is an Initial packet of QUIC v1 without a token.
type sealedInitial struct {
	packet, dcid []byte
	numberAt     int // where the packet number begins
}

func locate(datagram []byte) sealedInitial {
	const dcidAt = 6
	i := dcidAt + int(datagram[dcidAt-1])
	dcid := datagram[dcidAt:i]
	i += 1 + int(datagram[i]) // source connection ID
	i++                       // token length
	length := int(binary.BigEndian.Uint16(datagram[i:]) & 0x3fff)
	i += 2
	return sealedInitial{datagram[:i+length], dcid, i}
}

// stdKeys open Initial packets with the standard library alone. They share no code with
// the tests and tools of the module: what is measured beside it is to be nobody's but Go's.
type stdKeys struct {
	aead        cipher.AEAD
	hp          cipher.Block
	iv          []byte
	mask, nonce [16]byte
}

func deriveKeys(dcid []byte) *stdKeys {
	const salt = "\x38\x76\x2c\xf7\xf5\x59\x34\xb3\x4d\x17\x9a\xe6\xa4\xc8\x0c\xad\xcc\xbb\x7f\x0a"
	initial := must(hkdf.Extract(sha256.New, dcid, []byte(salt)))
	client := must(hkdf.Expand(sha256.New, initial, "\x00\x20\x0ftls13 client in\x00", 32))
	return &stdKeys{
		aead: must(cipher.NewGCM(must(aes.NewCipher(must(hkdf.Expand(sha256.New, client, "\x00\x10\x0etls13 quic key\x00", 16)))))),
		hp:   must(aes.NewCipher(must(hkdf.Expand(sha256.New, client, "\x00\x10\x0dtls13 quic hp\x00", 16)))),
		iv:   must(hkdf.Expand(sha256.New, client, "\x00\x0c\x0dtls13 quic iv\x00", 12)),
	}
}

func (k *stdKeys) open(p sealedInitial, buffer []byte) {
	k.hp.Encrypt(k.mask[:], p.packet[p.numberAt+4:])
	header := append(buffer[:0], p.packet[:p.numberAt+4]...)
	header[0] ^= k.mask[0] & 0x0f
	n := int(header[0]&3) + 1
	nonce := append(k.nonce[:0], k.iv...)
	for i := range n {
		header[p.numberAt+i] ^= k.mask[1+i]
		nonce[len(nonce)-n+i] ^= header[p.numberAt+i]
	}
	header = header[:p.numberAt+n]
	must(k.aead.Open(slices.Grow(header, len(p.packet))[len(header):len(header)], nonce, p.packet[len(header):], header))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
