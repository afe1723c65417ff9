package assemble_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/hex"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/quicseal"
)

func fromHex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sampleDCID and sampleCrypto are those of RFC 9001, Appendix A, and RFC 9369,
// Appendix A: the CRYPTO frame of the client's first Initial.
const (
	sampleDCID   = "8394c8f03e515708"
	sampleCrypto = `060040f1010000ed0303ebf8fa56f129 39b9584a3896472ec40bb863cfd3e868
		04fe3a47f06a2b69484c000004130113 02010000c000000010000e00000b6578
		616d706c652e636f6dff01000100000a 00080006001d00170018001000070005
		04616c706e0005000501000000000033 00260024001d00209370b2c9caa47fba
		baf4559fedba753de171fa71f50f1ce1 5d43e994ec74d748002b000302030400
		0d0010000e0403050306030203080408 050806002d00020101001c0002400100
		3900320408ffffffffffffffff050480 00ffff07048000ffff08011001048000
		75300901100f088394c8f03e51570806 048000ffff`
)

// TestQUICSamples opens the client's Initial of both appendices. The tag at the end
// of a packet depends on all of it, so the first and the last bytes say that the
// packet is the one in the standard.
func TestQUICSamples(t *testing.T) {
	tests := []struct {
		name        string
		version     uint32
		first, last string
	}{
		{
			"RFC 9001, Appendix A.2", quicseal.V1,
			"c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11d242b123dc9b",
			"e221af44860018ab0856972e194cd934",
		},
		{
			"RFC 9369, Appendix A.2", quicseal.V2,
			"d76b3343cf088394c8f03e5157080000449ea0c95e82ffe67b6abcdb4298b485dd04de806071",
			"a18b2faa745b6fe189cf772a9f84cbfc",
		},
	}
	frame := fromHex(t, sampleCrypto)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			packet := quicseal.Packet{
				Version: tt.version, DCID: fromHex(t, sampleDCID), Number: 2, Payload: padded(1162, frame),
			}.Seal()
			if !bytes.HasPrefix(packet, fromHex(t, tt.first)) || !bytes.HasSuffix(packet, fromHex(t, tt.last)) || len(packet) != 1200 {
				t.Fatalf("the test seals another packet than the standard: %x", packet)
			}
			var q assemble.QUIC
			result := q.Feed(packet)
			if result.Outcome != assemble.Complete || !bytes.Equal(result.Message, frame[4:]) {
				t.Fatalf("got %v %v, %x", result.Outcome, result.Code, result.Message)
			}
			hello, _, err := clienthello.Parse(result.Message)
			if err != nil {
				t.Fatal(err)
			}
			if name, err := hello.ServerName(); string(name) != "example.com" {
				t.Errorf("server name %q, %v", name, err)
			}
		})
	}
}

// TestQUICServerSample: the server's Initial of RFC 9001, Appendix A.3 and the Retry of
// A.4 are not taken for packets of a client, alone or in between.
func TestQUICServerSample(t *testing.T) {
	server := quicseal.Packet{
		Version: quicseal.V1, KeyDCID: fromHex(t, sampleDCID), SCID: fromHex(t, "f067a5502a4262b5"), Number: 1, NumberLen: 2, Server: true,
		Payload: fromHex(t, `02000000000600405a020000560303ee fce7f7b37ba1d1632e96677825ddf739
			88cfc79825df566dc5430b9a045a1200 130100002e00330024001d00209d3c94
			0d89690b84d08a60993c144eca684d10 81287c834d5311bcf32bb9da1a002b00
			020304`),
	}.Seal()
	if !bytes.HasPrefix(server, fromHex(t, "cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a")) {
		t.Fatalf("the test seals another packet than the standard: %x", server)
	}
	retry := fromHex(t, "ff000000010008f067a5502a4262b5746f6b656e04a265ba2eff4d829058fb3f0f2496ba")
	negotiation := fromHex(t, "800000000008f067a5502a4262b5088394c8f03e515708000000016b3343cf")

	msg := handshake(100)
	client := quicseal.Packet{Version: quicseal.V1, DCID: fromHex(t, sampleDCID)}
	client.Payload = padded(1000, crypto(50, msg[50:]))
	second := client.Seal()
	client.Payload, client.Number = padded(1000, crypto(0, msg[:50])), 1
	first := client.Seal()

	for name, datagram := range map[string][]byte{"Initial": server, "Retry": retry, "Version Negotiation": negotiation} {
		t.Run(name, func(t *testing.T) {
			var q assemble.QUIC
			if result := q.Feed(datagram); result.Outcome != assemble.Unrecognized {
				t.Errorf("alone: %v", result.Outcome)
			}
			checkQUIC(t, msg, second, datagram, first)
		})
	}
}

// checkQUIC feeds datagrams, the last of which has to complete msg.
func checkQUIC(t *testing.T, msg []byte, datagrams ...[]byte) *assemble.QUIC {
	t.Helper()
	var q assemble.QUIC
	q.Reset(make([]byte, assemble.BufferSize(len(msg))))
	feedQUIC(t, &q, msg, datagrams...)
	return &q
}

func feedQUIC(t *testing.T, q *assemble.QUIC, msg []byte, datagrams ...[]byte) {
	t.Helper()
	for i, datagram := range datagrams {
		before := slices.Clone(datagram)
		result := q.Feed(datagram)
		if !bytes.Equal(before, datagram) {
			t.Fatalf("datagram %d was written to", i)
		}
		want := assemble.NeedMore
		if i == len(datagrams)-1 {
			want = assemble.Complete
		}
		if result.Outcome != want {
			t.Fatalf("datagram %d of %d: %v, code %v at %d; want %v", i+1, len(datagrams), result.Outcome, result.Code, result.Offset, want)
		}
		if want == assemble.Complete && !bytes.Equal(result.Message, msg) {
			t.Fatalf("message %x, want %x", result.Message, msg)
		}
	}
}

// TestQUICBytewise has a frame for every byte, in 20 packets, backwards.
func TestQUICBytewise(t *testing.T) {
	msg := handshake(1800)
	keys := quicseal.NewKeys(quicseal.V1, fromHex(t, sampleDCID), false)
	var datagrams [][]byte
	for number := range 20 {
		var payload []byte
		for i := number; i < len(msg); i += 20 {
			payload = append(crypto(uint64(i), msg[i:i+1]), payload...)
		}
		p := quicseal.Packet{Version: quicseal.V1, DCID: fromHex(t, sampleDCID), Number: uint64(number), NumberLen: 1, Payload: payload}
		datagrams = append(datagrams, p.SealWith(keys))
	}
	slices.Reverse(datagrams)
	q := checkQUIC(t, msg, datagrams...)
	if info := q.Info(); info.Packets != 20 || info.Hello != 1 {
		t.Errorf("info %+v", info)
	}
}

// TestQUICVersions has a hello in two Initials, backwards, in every version.
func TestQUICVersions(t *testing.T) {
	msg := handshake(2000)
	for version := range quicseal.Versions() {
		// T050 and T051 number their frames otherwise.
		frames := crypto
		if version>>8 == 0x543035 {
			frames = func(offset uint64, data []byte) []byte {
				b := crypto(offset, data)
				b[0] = 8
				return slices.Concat([]byte{7}, b, []byte{0, 0x45, 1, 2, 3}) // PING, and an ACK
			}
		}
		for _, dcidLen := range []int{0, 8, 20} {
			p := quicseal.Packet{Version: version, DCID: bytes.Repeat([]byte{0xd1}, dcidLen), SCID: []byte{1, 2, 3}, Token: []byte("token")}
			p.Payload = frames(0, msg[:1000])
			first := p.Seal()
			p.Payload, p.Number = frames(1000, msg[1000:]), 1
			q := checkQUIC(t, msg, p.Seal(), first)
			want := assemble.QUICInfo{Version: version, DCID: p.DCID, SCID: p.SCID, TokenLength: 5, Hello: 1, Attempt: 1, Packets: 2}
			if diff := cmp.Diff(want, q.Info()); diff != "" {
				t.Errorf("version %#x: %s", version, diff)
			}
		}
	}
}

// TestQUICPackets has what may stand around the Initials that matter.
func TestQUICPackets(t *testing.T) {
	msg := handshake(300)
	dcid := fromHex(t, sampleDCID)
	packet := func(number uint64, frames ...[]byte) []byte {
		return quicseal.Packet{Version: quicseal.V1, DCID: dcid, Number: number, Payload: slices.Concat(frames...)}.Seal()
	}
	part1 := crypto(0, msg[:100])
	part2 := crypto(100, msg[100:200])
	part3 := crypto(200, msg[200:])
	ack := []byte{2, 3, 0, 1, 0, 1, 1}
	ackECN := []byte{3, 3, 0, 0, 0, 1, 2, 3}
	ping := []byte{1}
	closing := append([]byte{0x1c, 10, 6, 5}, "hello"...)

	zeroRTT := quicseal.Packet{Version: quicseal.V1, DCID: dcid, Type: quicseal.ZeroRTT, Payload: make([]byte, 40)}.Seal()
	handshakePacket := quicseal.Packet{Version: quicseal.V1, DCID: dcid, Type: quicseal.Handshake, Payload: make([]byte, 40)}.Seal()
	other := quicseal.Packet{Version: quicseal.V1, DCID: []byte("another one"), Payload: crypto(0, msg)}.Seal()
	broken := packet(9, part1)
	broken[len(broken)-1] ^= 1
	greased := quicseal.Packet{Version: quicseal.V1, DCID: dcid, Greased: true, Payload: part1}.Seal()
	unknownVersion := slices.Clone(broken)
	unknownVersion[1] = 0x1a
	longID := slices.Clone(broken)
	longID[5] = 21

	tests := []struct {
		name      string
		datagrams [][]byte
	}{
		{"in one packet", [][]byte{packet(0, part1, part2, part3)}},
		{"in one packet in any order", [][]byte{packet(0, part3, part1, part2)}},
		{"in coalesced packets", [][]byte{slices.Concat(packet(0, part1), packet(1, part2), packet(2, part3))}},
		{"packet numbers from 2^31 on", [][]byte{packet(1<<31, part1), packet(1<<31+1, part2, part3)}},
		{"a packet number of which the lowest byte is sent", [][]byte{packet(200, part1),
			quicseal.Packet{Version: quicseal.V1, DCID: dcid, Number: 300, NumberLen: 1, Payload: slices.Concat(part2, part3)}.Seal()}},
		{"the largest packet number comes first", [][]byte{packet(70000, part1), packet(0, part2, part3)}},
		{"PADDING, PING and ACK between", [][]byte{packet(0, make([]byte, 7), part3, ping, part2), packet(1, ack, ping, ackECN, part1, make([]byte, 3))}},
		{"CONNECTION_CLOSE between", [][]byte{packet(0, part1, closing), packet(1, part2, part3)}},
		{"frame type in two bytes", [][]byte{packet(0, slices.Concat([]byte{0x40}, part1), part2, part3)}},
		{"0-RTT before", [][]byte{slices.Concat(zeroRTT, packet(0, part1, part2, part3))}},
		{"0-RTT behind and a short header", [][]byte{slices.Concat(packet(0, part1), zeroRTT, []byte{0x41, 1, 2}), packet(1, part2, part3)}},
		{"a Handshake packet between", [][]byte{packet(0, part1), handshakePacket, packet(1, part2, part3)}},
		{"a packet that does not open before", [][]byte{slices.Concat(broken, packet(0, part1, part2, part3))}},
		{"a datagram that does not open between", [][]byte{packet(0, part1), broken, packet(1, part2, part3)}},
		{"an Initial with another connection ID behind", [][]byte{slices.Concat(packet(0, part1), other), packet(1, part2, part3)}},
		{"no fixed bit", [][]byte{greased, packet(1, part2, part3)}},
		{"an unknown version between", [][]byte{packet(0, part1), unknownVersion, packet(1, part2, part3)}},
		{"a connection ID of 21 bytes between", [][]byte{packet(0, part1), longID, packet(1, part2, part3)}},
		{"other datagrams between", [][]byte{packet(0, part1), {}, {0x40}, {0xc0}, {0xc0, 0, 0, 0, 1}, packet(0)[:20], packet(1, part2, part3)}},
		{"stray bytes behind the message", [][]byte{packet(0, part2, part3, crypto(304, []byte("more"))), packet(1, part1)}},
		{"data before and behind what has come", [][]byte{packet(0, part2), packet(1, crypto(0, msg))}},
		{"empty CRYPTO frames", [][]byte{packet(0, crypto(1<<61, nil), crypto(0, nil), part1), packet(1, part2, part3)}},
		{"data far behind", [][]byte{packet(0, crypto(1<<62-10, []byte("far"))), packet(1, crypto(assemble.MaxMessage-1, []byte("far"))), packet(2, part1, part2, part3)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			q := checkQUIC(t, msg, tt.datagrams...)
			last := tt.datagrams[len(tt.datagrams)-1]
			if again := q.Feed(last); again.Outcome != assemble.Complete || again.Used != 0 {
				t.Errorf("fed again: %+v", again)
			}
		})
	}
}

func TestQUICCountsPacketsWithCryptoData(t *testing.T) {
	msg := handshake(100)
	p := quicseal.Packet{Version: quicseal.V1, DCID: fromHex(t, sampleDCID)}
	var datagrams [][]byte
	for i, frames := range [][]byte{crypto(10, nil), {1}, crypto(0, msg[:50]), slices.Concat(crypto(50, msg[50:60]), crypto(60, msg[60:]))} {
		p.Number, p.Payload = uint64(i), padded(20, frames)
		datagrams = append(datagrams, p.Seal())
	}
	if info := checkQUIC(t, msg, datagrams...).Info(); info.Packets != 2 {
		t.Errorf("%d packets, want 2", info.Packets)
	}
}

func TestQUICNotProtocol(t *testing.T) {
	packet := quicseal.Packet{Version: quicseal.V1, DCID: fromHex(t, sampleDCID), Payload: crypto(0, handshake(200))}
	sealed := packet.Seal()
	change := func(i int, b byte) []byte {
		c := slices.Clone(sealed)
		c[i] = b
		return c
	}
	short := packet
	short.DCID = []byte("seven..")
	tests := map[string][]byte{
		"nothing":                               {},
		"zeros":                                 make([]byte, 1200),
		"DNS":                                   []byte("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03com\x00\x00\x01\x00\x01"),
		"a short header":                        change(0, 0x40),
		"0-RTT":                                 change(0, 0xd0),
		"Handshake":                             change(0, 0xe0),
		"Retry":                                 change(0, 0xf0),
		"a version to be negotiated":            change(1, 0x1a),
		"another version":                       change(4, 0x02),
		"cut off":                               sealed[:len(sealed)-1],
		"changed":                               change(100, 0),
		"forged":                                slices.Concat(sealed[:18], make([]byte, len(sealed)-18)),
		"a DCID shorter than 8 bytes, no token": short.Seal(),
	}
	for name, datagram := range tests {
		t.Run(name, func(t *testing.T) {
			var q assemble.QUIC
			result := q.Feed(datagram)
			if result.Outcome != assemble.Unrecognized || result.Used != len(datagram) {
				t.Errorf("%+v", result)
			}
			if info := q.Info(); !cmp.Equal(info, assemble.QUICInfo{}) {
				t.Errorf("info %+v", info)
			}
			if again := q.Feed(sealed); again.Outcome != assemble.Unrecognized {
				t.Errorf("then: %v", again.Outcome)
			}
		})
	}
}

func TestQUICRefuses(t *testing.T) {
	msg := handshake(300)
	tooLarge := []byte{1, 2, 1, 0x45} // 131,397 bytes
	tests := []struct {
		name     string
		payloads [][]byte
		code     extension.Code
		offset   int // in the last payload
	}{
		{"another message", [][]byte{crypto(0, []byte{2})}, extension.ErrMessageType, 3},
		{"another message, found late", [][]byte{crypto(1, msg[1:]), crypto(0, []byte{11})}, extension.ErrMessageType, 3},
		{"131,397 bytes announced", [][]byte{crypto(0, tooLarge)}, extension.ErrMessageTooLarge, 4},
		{"131,397 bytes announced in pieces", [][]byte{crypto(3, tooLarge[3:]), crypto(0, tooLarge[:3])}, extension.ErrMessageTooLarge, 4},
		{"2^24-1 bytes announced", [][]byte{crypto(0, []byte{1, 0xff, 0xff, 0xff})}, extension.ErrMessageTooLarge, 4},
		{"longer than the memory", [][]byte{crypto(0, []byte{1, 0, 2, 0})}, extension.ErrOverLimit, 4},
		{"longer than the memory, found late", [][]byte{crypto(1, []byte{0, 2, 0}), crypto(0, []byte{1})}, extension.ErrOverLimit, 3},
		{"beyond 2^62-1", [][]byte{append([]byte{1}, crypto(1<<62-1, []byte{0})...)}, extension.ErrCryptoOffset, 1},
		{"changed", [][]byte{crypto(10, msg[10:20]), crypto(19, []byte{0})}, extension.ErrOverlapChanged, 3},
		{"changed in what is in order", [][]byte{crypto(0, msg[:20]), crypto(5, []byte{0})}, extension.ErrOverlapChanged, 3},
		{"frame of 1-RTT", [][]byte{{0, 1, 8, 0, 0}}, extension.ErrFrameType, 2},
		{"frame of type 2^62-1", [][]byte{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}, extension.ErrFrameType, 0},
		{"frame of type 2^62-2", [][]byte{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe}}, extension.ErrFrameType, 0},
		{"CONNECTION_CLOSE of the application", [][]byte{{0x1d, 0, 0}}, extension.ErrFrameType, 0},
		{"type cut off", [][]byte{{0x40}}, extension.ErrFieldOverrun, 0},
		{"CRYPTO cut off in the offset", [][]byte{{1, 6, 0x40}}, extension.ErrFieldOverrun, 1},
		{"CRYPTO cut off in the length", [][]byte{{6, 0, 0x40}}, extension.ErrFieldOverrun, 0},
		{"CRYPTO without data", [][]byte{{6, 0}}, extension.ErrFieldOverrun, 0},
		{"CRYPTO longer than the packet", [][]byte{{6, 0, 2, 1}}, extension.ErrFieldOverrun, 0},
		{"CRYPTO of 2^62-1 bytes", [][]byte{{6, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}}, extension.ErrFieldOverrun, 0},
		{"ACK cut off", [][]byte{{2, 0, 0}}, extension.ErrFieldOverrun, 0},
		{"ACK of 2^62-1 ranges", [][]byte{{2, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0}}, extension.ErrFieldOverrun, 0},
		{"ACK with too few ranges", [][]byte{{2, 0, 0, 2, 0, 0, 0, 0}}, extension.ErrFieldOverrun, 0},
		{"ACK without its ECN counts", [][]byte{{3, 0, 0, 0, 0, 0, 0}}, extension.ErrFieldOverrun, 0},
		{"CONNECTION_CLOSE cut off", [][]byte{{0x1c, 0, 0, 9}}, extension.ErrFieldOverrun, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var plain, sealed assemble.QUIC
			plain.Reset(make([]byte, assemble.BufferSize(len(msg))))
			sealed.Reset(make([]byte, assemble.BufferSize(len(msg))))
			p := quicseal.Packet{Version: quicseal.V1, DCID: fromHex(t, sampleDCID)}
			for i, payload := range tt.payloads {
				p.Payload, p.Number = padded(20, payload), uint64(i)
				if cut := len(p.Payload) > len(payload); cut && tt.code == extension.ErrFieldOverrun {
					// What is cut off has to end the payload.
					p.Payload = append(bytes.Repeat([]byte{1}, 20), payload...)
				}
				before := 22 + len(p.Payload) - len(padded(20, payload))
				if tt.code == extension.ErrFieldOverrun {
					before = 22 + len(p.Payload) - len(payload)
				}
				results := map[string]assemble.Result{"plain": plain.FeedFrames(payload), "sealed": sealed.Feed(p.Seal())}
				for name, result := range results {
					want := assemble.Result{Used: result.Used}
					if i == len(tt.payloads)-1 {
						want.Outcome, want.Code, want.Offset = assemble.Refused, tt.code, tt.offset
						if name == "sealed" {
							want.Offset += before
						}
					}
					if diff := cmp.Diff(want, result); diff != "" {
						t.Errorf("%s, payload %d: %s", name, i, diff)
					}
				}
			}
		})
	}
}

func TestQUICMemory(t *testing.T) {
	msg := handshake(40)
	for n := range assemble.BufferSize(len(msg)) + 20 {
		for _, cut := range []int{1, 4, 30} {
			var q assemble.QUIC
			q.Reset(make([]byte, n))
			q.FeedFrames(crypto(0, msg[:cut]))
			got := q.FeedFrames(crypto(uint64(cut), msg[cut:]))
			want := assemble.Refused
			if n >= assemble.BufferSize(len(msg)) {
				want = assemble.Complete
			}
			if got.Outcome != want || want == assemble.Refused && got.Code != extension.ErrOverLimit {
				t.Errorf("%d bytes of memory, %d first: %v %v", n, cut, got.Outcome, got.Code)
			}
		}
		var q assemble.QUIC
		q.Reset(make([]byte, n))
		if got := q.FeedFrames(crypto(0, msg)); got.Outcome != assemble.Complete {
			t.Errorf("%d bytes of memory, in one frame: %v", n, got.Outcome)
		}
	}
}

func TestQUICWithoutMemory(t *testing.T) {
	msg := handshake(40)
	var q assemble.QUIC
	for name, payload := range map[string][]byte{"an empty frame": crypto(0, nil), "what does not show the length": crypto(4, msg[4:])} {
		if got := q.FeedFrames(payload); got.Outcome != assemble.NeedMore {
			t.Errorf("%s: %v %v", name, got.Outcome, got.Code)
		}
	}
	if got := q.FeedFrames(crypto(0, msg)); got.Outcome != assemble.Complete {
		t.Errorf("in one frame: %v %v", got.Outcome, got.Code)
	}
}

// A message without a body has no byte but its header.
func TestQUICEmptyMessage(t *testing.T) {
	msg := handshake(0)
	var q assemble.QUIC
	q.Reset(make([]byte, assemble.BufferSize(len(msg))))
	q.FeedFrames(crypto(0, msg[:1]))
	if got := q.FeedFrames(crypto(1, msg[1:])); got.Outcome != assemble.Complete || !bytes.Equal(got.Message, msg) {
		t.Errorf("%v %v", got.Outcome, got.Code)
	}
}

// TestQUICLargest has the longest message that is valid, in frames of 1,000 bytes.
func TestBufferSize(t *testing.T) {
	for limit, want := range map[int]int{-5: 0, 0: 0, 1: 9, 64: 72, 65: 81} {
		if got := assemble.BufferSize(limit); got != want {
			t.Errorf("BufferSize(%d) = %d, want %d", limit, got, want)
		}
	}
}

func TestQUICLargest(t *testing.T) {
	msg := handshake(assemble.MaxMessage - 4)
	var q assemble.QUIC
	q.Reset(make([]byte, assemble.BufferSize(assemble.MaxMessage)))
	var result assemble.Result
	for i := len(msg) / 1000; i >= 0; i-- {
		result = q.FeedFrames(crypto(uint64(1000*i), msg[1000*i:min(len(msg), 1000*i+1000)]))
	}
	if result.Outcome != assemble.Complete || !bytes.Equal(result.Message, msg) {
		t.Errorf("%v %v", result.Outcome, result.Code)
	}
}

// TestQUICAnyOrder cuts messages into frames that overlap and come in any order, any
// number of times. With one frame missing the message is never complete, with it always.
func TestQUICAnyOrder(t *testing.T) {
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 9001))
		msg := handshake(r.IntN(400))
		frames := anyPieces(r, len(msg))
		var q assemble.QUIC
		q.Reset(usedMemory(assemble.BufferSize(len(msg)) + r.IntN(30)))
		covered := make([]bool, len(msg))
		for _, f := range frames {
			for i := f[0]; i < f[1]; i++ {
				covered[i] = true
			}
			result := q.FeedFrames(crypto(uint64(f[0]), msg[f[0]:f[1]]))
			want := assemble.NeedMore
			if !slices.Contains(covered, false) {
				want = assemble.Complete
			}
			if result.Outcome != want || want == assemble.Complete && !bytes.Equal(result.Message, msg) {
				t.Fatalf("seed %d: %v %v, want %v; frames %v", seed, result.Outcome, result.Code, want, frames)
			}
		}
	}
}

// usedMemory returns memory that is not zero: nothing may depend on what was in it.
func usedMemory(n int) []byte { return bytes.Repeat([]byte{0xff}, n) }

// anyPieces returns pieces {from, to} of n bytes in any order that cover all of them,
// most of them more than once.
func anyPieces(r *rand.Rand, n int) [][2]int {
	var pieces [][2]int
	size := 1 + r.IntN(1+n/(1+r.IntN(20)))
	for i := 0; i < n; {
		end := min(n, i+1+r.IntN(size))
		pieces = append(pieces, [2]int{i, end})
		i = end
	}
	for range r.IntN(2 * len(pieces)) {
		from := r.IntN(n)
		pieces = append(pieces, [2]int{from, from + 1 + r.IntN(min(size, n-from))})
	}
	if r.IntN(4) > 0 {
		r.Shuffle(len(pieces), func(i, j int) { pieces[i], pieces[j] = pieces[j], pieces[i] })
	} else {
		slices.Reverse(pieces)
	}
	return pieces
}

// TestQUICChanged changes one byte that comes twice: it is found in any order.
func TestQUICChanged(t *testing.T) {
	for seed := range uint64(1000) {
		r := rand.New(rand.NewPCG(seed, 9002))
		msg := handshake(1 + r.IntN(400))
		pieces := anyPieces(r, len(msg))
		at := 4 + r.IntN(len(msg)-4)
		pieces = slices.DeleteFunc(pieces, func(p [2]int) bool { return p[0] == 0 })
		pieces = append(pieces, [2]int{at, at + 1})
		changed := r.IntN(len(pieces))
		for !(pieces[changed][0] <= at && at < pieces[changed][1]) {
			changed = (changed + 1) % len(pieces)
		}
		others := 0
		for i, p := range pieces {
			if i != changed && p[0] <= at && at < p[1] {
				others++
			}
		}
		var q assemble.QUIC
		q.Reset(make([]byte, assemble.BufferSize(len(msg))))
		var result assemble.Result
		for i, p := range pieces {
			data := slices.Clone(msg[p[0]:p[1]])
			if i == changed {
				data[at-p[0]] ^= 0x80
			}
			result = q.FeedFrames(crypto(uint64(p[0]), data))
		}
		want := assemble.NeedMore // the first piece never comes
		if others > 0 {
			want = assemble.Refused
		}
		if result.Outcome != want {
			t.Fatalf("seed %d: %v %v, want %v", seed, result.Outcome, result.Code, want)
		}
	}
}

// attempt seals the two Initials of a client that sends msg from an offset of the
// CRYPTO stream on.
func attempt(p quicseal.Packet, offset int, msg []byte) [][]byte {
	var datagrams [][]byte
	for i, part := range [][]byte{msg[:len(msg)/2], msg[len(msg)/2:]} {
		p.Payload = crypto(uint64(offset), part)
		datagrams = append(datagrams, p.Seal())
		offset += len(part)
		p.Number += uint64(i + 1)
	}
	return datagrams
}

// differentHandshake returns a message like handshake(n) with another last byte of the
// random.
func differentHandshake(n int) []byte {
	msg := handshake(n)
	msg[4+2+31] ^= 0xff
	return msg
}

// TestQUICConnection follows connections through what changes their keys.
func TestQUICConnection(t *testing.T) {
	msg := handshake(500)
	second := handshake(600)
	dcid, scid := []byte("first dcid"), []byte("client")
	p := quicseal.Packet{Version: quicseal.V1, DCID: dcid, SCID: scid}
	retried := p
	retried.DCID, retried.Token = []byte("srv"), []byte("retry token")
	answered := p
	answered.DCID, answered.KeyDCID, answered.Number = []byte("server's id"), dcid, 7

	info := assemble.QUICInfo{Version: quicseal.V1, DCID: dcid, SCID: scid, Hello: 1, Attempt: 1, Packets: 2}
	retryInfo := info
	retryInfo.DCID, retryInfo.TokenLength, retryInfo.Retry = retried.DCID, len(retried.Token), true
	retryInfo.Attempt = 2

	start := func(t *testing.T) *assemble.QUIC {
		var q assemble.QUIC
		q.Reset(make([]byte, assemble.BufferSize(1000)))
		return &q
	}
	check := func(t *testing.T, q *assemble.QUIC, want assemble.QUICInfo) {
		t.Helper()
		if diff := cmp.Diff(want, q.Info()); diff != "" {
			t.Errorf("info: %s", diff)
		}
	}
	still := func(t *testing.T, q *assemble.QUIC, datagrams ...[]byte) {
		t.Helper()
		for i, d := range datagrams {
			if result := q.Feed(d); result.Outcome != assemble.NeedMore {
				t.Fatalf("datagram %d: %v %v", i, result.Outcome, result.Code)
			}
		}
	}
	hello2 := func(i assemble.QUICInfo) assemble.QUICInfo {
		i.Hello = 2
		return i
	}

	t.Run("a second hello after HelloRetryRequest", func(t *testing.T) {
		q := start(t)
		feedQUIC(t, q, msg, attempt(p, 0, msg)...)
		check(t, q, info)
		q.Next()
		still(t, q, attempt(p, 0, msg)...) // retransmitted
		again := attempt(answered, len(msg), second)
		slices.Reverse(again)
		q.Next() // does nothing without a complete message
		feedQUIC(t, q, second, again...)
		check(t, q, hello2(info))
	})
	t.Run("a second hello that begins in a frame with the end of the first", func(t *testing.T) {
		q := start(t)
		feedQUIC(t, q, msg, attempt(p, 0, msg)...)
		q.Next()
		a := answered
		a.Payload = crypto(uint64(len(msg)-20), slices.Concat(msg[len(msg)-20:], second))
		feedQUIC(t, q, second, a.Seal())
	})
	t.Run("a third hello behind the second", func(t *testing.T) {
		q := start(t)
		feedQUIC(t, q, msg, attempt(p, 0, msg)...)
		q.Next()
		feedQUIC(t, q, second, attempt(answered, len(msg), second)...)
		q.Next()
		third := handshake(700)
		feedQUIC(t, q, third, attempt(answered, len(msg)+len(second), third)...)
	})
	t.Run("a second hello behind a long one", func(t *testing.T) {
		q := start(t)
		long := handshake(70_000)
		if result := q.FeedFrames(crypto(0, long)); result.Outcome != assemble.Complete {
			t.Fatalf("%v %v", result.Outcome, result.Code)
		}
		q.Next()
		q.FeedFrames(crypto(uint64(len(long)+300), second[300:]))
		if result := q.FeedFrames(crypto(uint64(len(long)), second[:300])); result.Outcome != assemble.Complete {
			t.Errorf("%v %v", result.Outcome, result.Code)
		}
	})
	t.Run("a second hello that changes behind the end of the first", func(t *testing.T) {
		q := start(t)
		feedQUIC(t, q, msg, attempt(p, 0, msg)...)
		q.Next()
		data := slices.Concat(msg[len(msg)-5:], second[:20])
		frame := crypto(uint64(len(msg)-5), data)
		if result := q.FeedFrames(frame); result.Outcome != assemble.NeedMore {
			t.Fatalf("%v %v", result.Outcome, result.Code)
		}
		frame[len(frame)-1] ^= 1
		result := q.FeedFrames(frame)
		if want := len(frame) - 20; result.Code != extension.ErrOverlapChanged || result.Offset != want {
			t.Errorf("%v at %d, want it at %d, where the second hello begins", result.Code, result.Offset, want)
		}
	})
	t.Run("no second hello, but a Handshake packet", func(t *testing.T) {
		q := start(t)
		feedQUIC(t, q, msg, attempt(p, 0, msg)...)
		q.Next()
		a := answered
		a.Payload = []byte{2, 0, 0, 0, 0}
		handshakePacket := a
		handshakePacket.Type = quicseal.Handshake
		result := q.Feed(slices.Concat(a.Seal(), handshakePacket.Seal()))
		if result.Outcome != assemble.Unrecognized {
			t.Errorf("%v %v", result.Outcome, result.Code)
		}
	})
	t.Run("no second hello, but another message", func(t *testing.T) {
		q := start(t)
		feedQUIC(t, q, msg, attempt(p, 0, msg)...)
		q.Next()
		if result := q.FeedFrames(crypto(uint64(len(msg)), []byte{11})); result.Outcome != assemble.Unrecognized {
			t.Errorf("%v %v", result.Outcome, result.Code)
		}
	})
	t.Run("Retry before the hello is whole", func(t *testing.T) {
		q := start(t)
		still(t, q, attempt(p, 0, msg)[0])
		feedQUIC(t, q, msg, attempt(retried, 0, msg)...)
		check(t, q, retryInfo)
	})
	t.Run("Retry, and the repeated hello, which ends with its random, is not given out again", func(t *testing.T) {
		q := start(t)
		short := handshake(2 + 32)
		feedQUIC(t, q, short, attempt(p, 0, short)...)
		q.Next()
		still(t, q, attempt(retried, 0, short)...)
	})
	t.Run("Retry, and the repeated hello is not given out again", func(t *testing.T) {
		q := start(t)
		feedQUIC(t, q, msg, attempt(p, 0, msg)...)
		q.Next()
		still(t, q, attempt(retried, 0, msg)...)
		still(t, q, attempt(p, 0, msg)...) // late, under the keys before
		still(t, q, attempt(retried, 0, msg)...)
		a := retried
		a.DCID, a.KeyDCID = []byte("server's id"), retried.DCID
		feedQUIC(t, q, second, attempt(a, len(msg), second)...)
		check(t, q, hello2(retryInfo))
	})
	t.Run("a token from an earlier connection is no Retry", func(t *testing.T) {
		q := start(t)
		feedQUIC(t, q, msg, attempt(retried, 0, msg)...)
		want := retryInfo
		want.Retry, want.Attempt = false, 1
		check(t, q, want)
	})
	t.Run("another attempt in another version", func(t *testing.T) {
		for _, dcid := range [][]byte{dcid, []byte("second dcid")} {
			q := start(t)
			other := differentHandshake(500)
			feedQUIC(t, q, msg, attempt(p, 0, msg)...)
			q.Next()
			a := p
			a.Version, a.DCID = quicseal.V2, dcid
			feedQUIC(t, q, other, attempt(a, 0, other)...)
			want := info
			want.Version, want.DCID, want.Attempt = quicseal.V2, dcid, 2
			check(t, q, want)
		}
	})
	t.Run("the version that the server has chosen", func(t *testing.T) {
		q := start(t)
		feedQUIC(t, q, msg, attempt(p, 0, msg)...)
		q.Next()
		a := answered
		a.Version = quicseal.V2
		feedQUIC(t, q, second, attempt(a, len(msg), second)...)
		want := hello2(info)
		want.Version = quicseal.V2
		check(t, q, want)
	})
	t.Run("another connection from the same port", func(t *testing.T) {
		q := start(t)
		feedQUIC(t, q, msg, attempt(p, 0, msg)...)
		q.Next()
		other := differentHandshake(500)
		a := p
		a.DCID = []byte("another one")
		feedQUIC(t, q, other, attempt(a, 0, other)...)
		want := info
		want.DCID, want.Attempt = a.DCID, 2
		check(t, q, want)
		q.Next()
		third := handshake(520)
		a.DCID = []byte("yet another")
		feedQUIC(t, q, third, attempt(a, 0, third)...)
		want.DCID, want.Attempt = a.DCID, 3
		check(t, q, want)
	})
	t.Run("new keys make it forget what came in pieces", func(t *testing.T) {
		q := start(t)
		still(t, q, attempt(p, 0, msg)[0])
		other := differentHandshake(500)
		a := p
		a.DCID = []byte("another one")
		still(t, q, attempt(a, 0, other)[1])
		feedQUIC(t, q, other, attempt(a, 0, other)[0])
	})
}

// scheduleAllocs is how often two AES keys and a GCM allocate: three times on most
// platforms, more where one of them has no code for the AES instructions of the machine.
func scheduleAllocs() float64 {
	var mask cipher.Block
	var aead cipher.AEAD
	key := make([]byte, 16)
	n := testing.AllocsPerRun(100, func() {
		mask = must(aes.NewCipher(key))
		aead = must(cipher.NewGCM(must(aes.NewCipher(key))))
	})
	runtime.KeepAlive(mask)
	runtime.KeepAlive(aead)
	return n
}

// TestQUICKeySchedules: a datagram of many packets that do not open costs at most two key
// schedules, and none where its keys have just been tried.
func TestQUICKeySchedules(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	p := quicseal.Packet{Version: quicseal.V1, DCID: []byte("client dcid"), Payload: crypto(0, handshake(100)[:50])}
	client := p.Seal()
	p.DCID, p.KeyDCID, p.Payload = []byte("another dcid"), []byte("not the dcid"), make([]byte, 10)
	one := p.Seal()
	p.Version = quicseal.V2
	many := bytes.Repeat(slices.Concat(one, p.Seal()), 100)
	q := assemble.QUIC{Scratch: make([]byte, 1500)}
	q.Reset(make([]byte, 1000))
	q.Feed(client)
	if n, want := testing.AllocsPerRun(10, func() { q.Feed(many) }), 2*scheduleAllocs(); n != want {
		t.Errorf("%v allocations for many packets, want %v", n, want)
	}
	if n := testing.AllocsPerRun(10, func() { q.Feed(one) }); n != 0 {
		t.Errorf("%v allocations for keys that have just failed", n)
	}
}

func TestQUICNoAllocs(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	msg := handshake(1800)
	dcid := fromHex(t, sampleDCID)
	var datagrams [][]byte
	for i, part := range slices.Collect(slices.Chunk(msg, 300)) {
		datagrams = append(datagrams, quicseal.Packet{
			Version: quicseal.V1, DCID: dcid, Number: uint64(i), Payload: padded(1100, crypto(uint64(300*i), part)),
		}.Seal())
	}
	memory := make([]byte, assemble.BufferSize(len(msg)))
	q := assemble.QUIC{Scratch: make([]byte, 1500)}
	keys := scheduleAllocs()
	if n := testing.AllocsPerRun(100, func() {
		q.Reset(memory)
		for _, d := range datagrams {
			q.Feed(d)
		}
	}); n != keys {
		t.Errorf("%v allocations for a hello in %d Initials, want %v", n, len(datagrams), keys)
	}
	q.Reset(memory)
	q.Feed(datagrams[3])
	if n := testing.AllocsPerRun(100, func() {
		q.Feed(datagrams[5])
		q.Feed(datagrams[1])
		q.Feed(datagrams[1][:100])
		q.Info()
		assemble.ParseQUICInitial(datagrams[0])
	}); n != 0 {
		t.Errorf("%v allocations for later datagrams", n)
	}
	frames := crypto(5, msg[5:])
	refused := crypto(0, []byte{2})
	if n := testing.AllocsPerRun(100, func() {
		q.Reset(memory)
		q.FeedFrames(frames)
		q.FeedFrames(refused)
		q.Reset(memory)
		q.Feed(frames)
	}); n != 0 {
		t.Errorf("%v allocations for frames and for what is not QUIC", n)
	}
	q = assemble.QUIC{}
	q.Reset(memory)
	for _, d := range datagrams {
		q.Feed(d)
	}
	if len(q.Scratch) != 2048 {
		t.Errorf("Scratch has %d bytes", len(q.Scratch))
	}
	sized := func(n int) []byte {
		p := quicseal.Packet{Version: quicseal.V1, DCID: dcid, Payload: padded(1900, crypto(0, msg))}
		p.Payload = padded(1900+n-len(p.Seal()), p.Payload)
		return p.Seal()
	}
	for packet, want := range map[int]int{2047: 2048, 2048: 2048, 2049: 65535} {
		q = assemble.QUIC{}
		q.Reset(memory)
		if q.Feed(sized(packet)); len(q.Scratch) != want {
			t.Errorf("Scratch has %d bytes for a packet of %d, want %d", len(q.Scratch), packet, want)
		}
	}
	large := quicseal.Packet{Version: quicseal.V1, DCID: dcid, Payload: padded(5000, crypto(0, msg))}.Seal()
	scratch := make([]byte, len(large))
	q.Scratch = scratch
	q.Reset(memory)
	if q.Feed(large); &q.Scratch[0] != &scratch[0] {
		t.Error("Scratch as long as the packet is replaced")
	}
	q.Scratch = nil
	q.Reset(memory)
	if result := q.Feed(large); result.Outcome != assemble.Complete || len(q.Scratch) != 65535 {
		t.Errorf("%v, Scratch has %d bytes", result.Outcome, len(q.Scratch))
	}
}

func TestParseQUICInitial(t *testing.T) {
	p := quicseal.Packet{Version: quicseal.V2, DCID: []byte("destination"), SCID: []byte("src"), Token: []byte("token"), Payload: make([]byte, 20)}
	want := assemble.QUICInitial{Version: quicseal.V2, DCID: p.DCID, SCID: p.SCID, Token: p.Token}
	sealed := p.Seal()
	early := p
	early.Type = quicseal.ZeroRTT
	for name, datagram := range map[string][]byte{
		"alone":               sealed,
		"behind 0-RTT":        slices.Concat(early.Seal(), sealed),
		"before what follows": slices.Concat(sealed, []byte("trash")),
	} {
		got, ok := assemble.ParseQUICInitial(datagram)
		if diff := cmp.Diff(want, got); diff != "" || !ok {
			t.Errorf("%s: %v %s", name, ok, diff)
		}
	}
	for n := range sealed {
		if _, ok := assemble.ParseQUICInitial(sealed[:n:n]); ok {
			t.Errorf("taken with %d of %d bytes", n, len(sealed))
		}
	}
	short := slices.Clone(sealed)
	short[0] &= 0x7f
	if _, ok := assemble.ParseQUICInitial(short); ok {
		t.Error("a short header is taken for that of an Initial")
	}
	shortest := p
	shortest.NumberLen, shortest.Payload = 1, []byte{1, 1, 1} // 20 bytes with the tag
	if _, ok := assemble.ParseQUICInitial(shortest.Seal()); !ok {
		t.Error("the shortest Initial is not taken")
	}
	longID := p
	longID.DCID = make([]byte, 21)
	if _, ok := assemble.ParseQUICInitial(longID.Seal()); ok {
		t.Error("taken with a connection ID of 21 bytes")
	}
	p.DCID, p.Token = []byte("client"), nil
	if _, ok := assemble.ParseQUICInitial(p.Seal()); ok {
		t.Error("an Initial of a server is taken for one of a client")
	}
}

// TestQUICRandomBytes: whatever is fed, nothing panics, and what is plain stays plain.
func TestQUICRandomBytes(t *testing.T) {
	p := quicseal.Packet{Version: quicseal.V1, DCID: fromHex(t, sampleDCID), SCID: []byte("x"), Token: []byte("t"), Payload: crypto(0, handshake(50))}
	sealed := p.Seal()
	for seed := range uint64(20000) {
		r := rand.New(rand.NewPCG(seed, 9000))
		datagram := slices.Clone(sealed)
		for range r.IntN(4) {
			datagram[r.IntN(30)] = byte(r.Uint32())
		}
		datagram = datagram[:r.IntN(len(datagram)+1)]
		var q assemble.QUIC
		if result := q.Feed(datagram); result.Outcome == assemble.Complete && !bytes.Equal(datagram, sealed) {
			t.Fatalf("seed %d: complete", seed)
		}
		var frames assemble.QUIC
		frames.Reset(make([]byte, 100))
		payload := make([]byte, r.IntN(60))
		for i := range payload {
			payload[i] = []byte{0, 1, 2, 3, 6, 6, 6, 0x1c, 0x40, 0xff, byte(r.Uint32())}[r.IntN(11)]
		}
		for range 3 {
			frames.FeedFrames(payload)
		}
	}
}

// BenchmarkQUIC reads a hello of 1,800 bytes in two Initials; the case "later" measures
// one more Initial under keys that are known.
func BenchmarkQUIC(b *testing.B) {
	msg := handshake(1800)
	p := quicseal.Packet{Version: quicseal.V1, DCID: fromHex(b, sampleDCID)}
	p.Payload = padded(1160, crypto(0, msg[:1100]))
	first := p.Seal()
	p.Number, p.Payload = 1, padded(1160, crypto(1100, msg[1100:]))
	second := p.Seal()
	memory := make([]byte, assemble.BufferSize(len(msg)))
	q := assemble.QUIC{Scratch: make([]byte, 2048)}
	b.Run("hello", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			q.Reset(memory)
			q.Feed(first)
			q.Feed(second)
		}
	})
	b.Run("later", func(b *testing.B) {
		b.ReportAllocs()
		q.Reset(memory)
		for b.Loop() {
			q.Feed(second)
		}
	})
}
