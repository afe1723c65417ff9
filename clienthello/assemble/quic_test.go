package assemble_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/quicseal"
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

// TestQUICPackets has what may surround the Initials that matter.
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
	ack2 := []byte{2, 9, 0, 2, 0, 1, 1, 1, 1}
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
		{"a packet number 128 above the next, of which the lowest byte is sent", [][]byte{packet(255, part1),
			quicseal.Packet{Version: quicseal.V1, DCID: dcid, Number: 256 + 128, NumberLen: 1, Payload: slices.Concat(part2, part3)}.Seal()}},
		{"a packet number 127 below the next, of which the lowest byte is sent", [][]byte{packet(255, part1),
			quicseal.Packet{Version: quicseal.V1, DCID: dcid, Number: 256 - 127, NumberLen: 1, Payload: slices.Concat(part2, part3)}.Seal()}},
		{"the largest packet number comes first", [][]byte{packet(70000, part1), packet(0, part2, part3)}},
		{"PADDING, PING and ACK between", [][]byte{packet(0, make([]byte, 7), part3, ping, part2), packet(1, ack, ping, ackECN, part1, make([]byte, 3))}},
		{"PADDING of 8, 16 and 9 bytes", [][]byte{packet(0, make([]byte, 8), part1, make([]byte, 16), part2), packet(1, make([]byte, 9), part3)}},
		{"ACK before CRYPTO", [][]byte{packet(0, ack, part1, ack2, part2), packet(1, ackECN, part3)}},
		{"CONNECTION_CLOSE between", [][]byte{packet(0, part1, closing), packet(1, part2, part3)}},
		{"frame type in two bytes", [][]byte{packet(0, slices.Concat([]byte{0x40}, part1), part2, part3)}},
		{"PADDING and PING in two bytes", [][]byte{packet(0, []byte{0x40, 0}, part1, []byte{0x40, 1}, part2, part3)}},
		{"0-RTT before", [][]byte{slices.Concat(zeroRTT, packet(0, part1, part2, part3))}},
		{"0-RTT and a short header after it", [][]byte{slices.Concat(packet(0, part1), zeroRTT, []byte{0x41, 1, 2}), packet(1, part2, part3)}},
		{"a Handshake packet between", [][]byte{packet(0, part1), handshakePacket, packet(1, part2, part3)}},
		{"a packet that does not open before", [][]byte{slices.Concat(broken, packet(0, part1, part2, part3))}},
		{"a datagram that does not open between", [][]byte{packet(0, part1), broken, packet(1, part2, part3)}},
		{"an Initial with another connection ID after it", [][]byte{slices.Concat(packet(0, part1), other), packet(1, part2, part3)}},
		{"no fixed bit", [][]byte{greased, packet(1, part2, part3)}},
		{"an unknown version between", [][]byte{packet(0, part1), unknownVersion, packet(1, part2, part3)}},
		{"a connection ID of 21 bytes between", [][]byte{packet(0, part1), longID, packet(1, part2, part3)}},
		{"other datagrams between", [][]byte{packet(0, part1), {}, {0x40}, {0xc0}, {0xc0, 0, 0, 0, 1}, packet(0)[:20], packet(1, part2, part3)}},
		{"stray bytes after the message", [][]byte{packet(0, part2, part3, crypto(304, []byte("more"))), packet(1, part1)}},
		{"data before and after what has come", [][]byte{packet(0, part2), packet(1, crypto(0, msg))}},
		{"empty CRYPTO frames", [][]byte{packet(0, crypto(1<<61, nil), crypto(0, nil), part1), packet(1, part2, part3)}},
		{"data far after the message", [][]byte{packet(0, crypto(1<<62-10, []byte("far"))), packet(1, crypto(assemble.MaxMessage-1, []byte("far"))), packet(2, part1, part2, part3)}},
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

// A packet number and a sample take 20 bytes, a byte less is no packet.
func TestQUICShortestPacket(t *testing.T) {
	p := quicseal.Packet{Version: quicseal.V1, DCID: fromHex(t, sampleDCID), NumberLen: 1, Payload: []byte{1, 1, 1}}
	packet := p.Seal()
	if _, ok := assemble.ParseQUICInitial(packet); !ok {
		t.Error("20 bytes after the length are no Initial")
	}
	var q assemble.QUIC
	if result := q.Feed(packet); result.Outcome != assemble.NeedMore {
		t.Errorf("20 bytes after the length: %v", result.Outcome)
	}
	short := slices.Clone(packet[:len(packet)-1])
	short[p.PayloadAt()-2] = 19
	if _, ok := assemble.ParseQUICInitial(short); ok {
		t.Error("19 bytes after the length are an Initial")
	}
	q = assemble.QUIC{}
	if result := q.Feed(short); result.Outcome != assemble.Unrecognized {
		t.Errorf("19 bytes after the length: %v", result.Outcome)
	}
}

// Feed uses a datagram up to the packet that decides.
func TestQUICUsed(t *testing.T) {
	p := quicseal.Packet{Version: quicseal.V1, DCID: fromHex(t, sampleDCID)}
	for want, frames := range map[assemble.Outcome][]byte{assemble.Complete: crypto(0, handshake(300)), assemble.Refused: {0x1d}} {
		p.Payload = padded(20, frames)
		packet := p.Seal()
		var q assemble.QUIC
		if result := q.Feed(slices.Concat(packet, packet)); result.Outcome != want || result.Used != len(packet) {
			t.Errorf("%v, %d bytes used; want %v, %d", result.Outcome, result.Used, want, len(packet))
		}
	}
}

// A final answer of FeedFrames is repeated, as that of Feed is.
func TestQUICFeedFramesRepeats(t *testing.T) {
	msg := handshake(300)
	var q assemble.QUIC
	if result := q.FeedFrames(crypto(0, msg)); result.Outcome != assemble.Complete || result.Used == 0 {
		t.Errorf("%v, %d bytes used", result.Outcome, result.Used)
	}
	if result := q.FeedFrames([]byte{1}); result.Outcome != assemble.Complete || !bytes.Equal(result.Message, msg) || result.Used != 0 {
		t.Errorf("then %v, %d bytes used", result.Outcome, result.Used)
	}
}

// A short header, in which the form bit is not set.
func TestQUICShortHeader(t *testing.T) {
	packet := quicseal.Packet{Version: quicseal.V1, DCID: fromHex(t, sampleDCID), Payload: crypto(0, handshake(300))}.Seal()
	for low := range byte(16) {
		packet[0] = packet[0]&0x70 | low
		if _, ok := assemble.ParseQUICInitial(packet); ok {
			t.Errorf("a packet that begins with %#x is an Initial", packet[0])
		}
	}
}

// A token of any length shows that a server has chosen the connection ID.
func TestQUICShortToken(t *testing.T) {
	msg := handshake(300)
	for _, token := range []string{"", "t"} {
		packet := quicseal.Packet{Version: quicseal.V1, DCID: []byte("seven.."), Token: []byte(token), Payload: crypto(0, msg)}.Seal()
		want := token != ""
		if _, ok := assemble.ParseQUICInitial(packet); ok != want {
			t.Errorf("token %q: an Initial of a client: %t, want %t", token, ok, want)
		}
		var q assemble.QUIC
		if result := q.Feed(packet); (result.Outcome == assemble.Complete) != want {
			t.Errorf("token %q: %v", token, result.Outcome)
		}
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
		{"131,397 bytes announced in pieces", [][]byte{crypto(2, tooLarge[2:]), crypto(0, tooLarge[:2])}, extension.ErrMessageTooLarge, 4},
		{"2^24-1 bytes announced", [][]byte{crypto(0, []byte{1, 0xff, 0xff, 0xff})}, extension.ErrMessageTooLarge, 4},
		{"longer than the memory", [][]byte{crypto(0, []byte{1, 0, 2, 0})}, extension.ErrOverLimit, 4},
		{"longer than the memory, after the type", [][]byte{crypto(0, []byte{1}), crypto(1, []byte{0, 2, 0})}, extension.ErrOverLimit, 3},
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
