package capture_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/quicseal"
)

// The tests in this file check each number that docs/capture.md names: what is at the
// limit is found, and what is a byte or a packet over it is not.

// helloOf is a ClientHello of n bytes with its header, n > 64, most of which is padding.
func helloOf(n int) []byte {
	const before = 4 + 2 + 32 + 1 + 2 + 2 + 2 + 2
	left := n - before
	extensions := be16(min(n-before, 0xffff)) // may lie: the carriers do not read them
	body := join([]byte{3, 3}, make([]byte, 32), []byte{0, 0, 2, 0x13, 1, 1, 0}, extensions, make([]byte, left))
	return join([]byte{1}, be32(n - 4)[1:], body)
}

func found1(hellos []capture.Hello, msg []byte) bool {
	return len(hellos) == 1 && hellos[0].Code == 0 && bytes.Equal(hellos[0].Message, msg)
}

func TestLimitOfPacket(t *testing.T) {
	const most = 256 << 10
	le := binary.LittleEndian
	// An IPv4 packet of n bytes, whose length is left to the network card.
	packet := func(n int) []byte {
		p := up(1, ack, hello())
		p = join(p, make([]byte, n-len(p)))
		p[2], p[3] = 0, 0
		return p
	}
	for n, cut := range map[int]int{most: 0, most + 1: 1} {
		for name, file := range map[string][]byte{
			"pcap":               pcap(le, false, packet(n)),
			"pcap, high snaplen": join(pcap(le, false)[:16], words(le, 1<<30, linkRaw), pcapPacket(le, n, n, packet(n))),
			"pcap, odd lengths":  join(pcap(le, false), pcapPacket(le, n, n-1, packet(n))),
			"pcapng":             join(section(le), iface(le, linkRaw, 0), packetBlock(le, packet(n))),
		} {
			hellos, stats, err := read(bytes.NewReader(file))
			if len(hellos) != 1-cut || stats.Truncated != cut || stats.Packets != 1 || err != nil {
				t.Errorf("%s, packet of %d bytes: %d hellos, %+v, %v", name, n, len(hellos), stats, err)
			}
		}
		file := join(section(le), iface(le, linkRaw, 0), block(le, 3, words(le, uint32(n)), packet(n)))
		hellos, stats, err := read(bytes.NewReader(file))
		if len(hellos) != 1-cut || stats.Truncated != cut || err != nil {
			t.Errorf("simple packet of %d bytes: %d hellos, %+v, %v", n, len(hellos), stats, err)
		}
	}
}

func TestLimitOfInterfaces(t *testing.T) {
	const most = 1 << 14
	le, packet := binary.LittleEndian, up(1, ack, hello())
	for n, damaged := range map[int]int{most: 0, most + 1: 2} {
		file := join(section(le), bytes.Repeat(iface(le, linkRaw, 0), n), enhanced(le, n-1, len(packet), len(packet), packet))
		hellos, stats, err := read(bytes.NewReader(file))
		if (err == nil) != (damaged == 0) || stats.Damaged != damaged || (damaged == 0) != (len(hellos) == 1) {
			t.Errorf("%d interfaces: %d hellos, %v", n, len(hellos), err)
		}
	}
}

func TestLimitOfHeaders(t *testing.T) {
	const most = 32
	for n, found := range map[int]int{most: 1, most + 1: 0} {
		p := up(1, ack, hello())
		for range n - 1 {
			p = ipv4(client, server, 4, p)
		}
		hellos, stats := scan(capture.Options{}, p)
		if len(hellos) != found || stats.TooDeep != 1-found {
			t.Errorf("%d IP headers: %d hellos, %+v", n, len(hellos), stats)
		}
	}
}

func TestLimitOfPrologue(t *testing.T) {
	const most = 4095
	for n, found := range map[int]int{most: 1, most + 1: 0} {
		httpConnect := "CONNECT x:443 HTTP/1.1\r\nCookie: "
		httpConnect += strings.Repeat("x", n-len(httpConnect)-4) + "\r\n\r\n"
		before := "\r\n\r\n\x00\r\nQUIT\n\x21\x11" + string(be16(n-16))
		for name, prologue := range map[string]string{
			"HTTP CONNECT": httpConnect,
			"PROXY v2":     before + strings.Repeat("x", n-16),
			"two":          proxy2 + httpConnect[:24] + httpConnect[24+len(proxy2):],
		} {
			hellos, _ := scan(capture.Options{}, up(0, syn, nil), up(1, ack, join([]byte(prologue), hello())))
			if len(hellos) != found || len(prologue) != n {
				t.Errorf("%s of %d bytes: %d hellos, want %d", name, len(prologue), len(hellos), found)
			}
		}
	}
}

// TestLimitOfLookBehind sends what follows the first kB of a hello before it.
func TestLimitOfLookBehind(t *testing.T) {
	const most, kB = 8, 1 << 10 // kB
	for n, found := range map[int]int{most: 1, most + 1: 0} {
		msg := helloOf((n+1)*kB - 5)
		stream := records(msg, 1<<14)
		packets := segments(5*kB, stream, kB)
		hellos, _ := scan(capture.Options{}, append(packets[1:], packets[0])...)
		if len(hellos) != found {
			t.Errorf("%d kB before the beginning: %d hellos, want %d", n, len(hellos), found)
		}
	}
}

// TestLimitOfWindow sends the longest ClientHello there can be from its end to its start,
// in records of a byte as far as there are enough bytes for that. The limit itself is
// checked by TestFollow.
func TestLimitOfWindow(t *testing.T) {
	const longest = 131_400
	msg := helloOf(longest)
	for name, stream := range map[string][]byte{
		"records of 16 kB": records(msg, 1<<14),
		"record headers":   join(records(msg[:longest-20_000], 1<<14), records(msg[longest-20_000:], 1)),
	} {
		hellos, stats := scan(capture.Options{}, append([][]byte{up(0, syn, nil)}, reversed(segments(1, stream, 1400))...)...)
		if !found1(hellos, msg) {
			t.Errorf("%s, %d bytes: %d hellos, %+v", name, len(stream), len(hellos), stats)
		}
	}
}

func TestLimitOfEarlyData(t *testing.T) {
	const most = 64 << 10
	first := join(messageWith(1), []byte{0, 42, 0, 0})
	first[3] += 4
	first[len(first)-4-17] += 4 // the extension block
	appData := func(n int) (stream []byte) {
		for part := range slices.Chunk(make([]byte, n), 1<<14) {
			stream = join(stream, []byte{23, 3, 3}, be16(len(part)), part)
		}
		return stream
	}
	for n, found := range map[int]int{most: 2, most + 1: 1} {
		stream := join(records(first, 1<<14), appData(n), records(messageWith(2), 1<<14))
		hellos, _ := scan(capture.Options{}, append([][]byte{up(0, syn, nil)}, segments(1, stream, 1400)...)...)
		if len(hellos) != found {
			t.Errorf("%d bytes of early data: %d hellos, want %d", n, len(hellos), found)
		}
	}
}

func TestLimitOfFlows(t *testing.T) {
	const most, part = 1 << 18, 16
	s := capture.NewScanner(capture.Options{})
	for n := range most + most/part + 1 {
		s.Scan(raw(ipv4(peer(n), server, 6, tcp(1, 443, 0, syn, nil))), func(*capture.Hello) bool { return true })
		switch want := (n - most + most/part) / (most / part) * (most / part); {
		case n+1 < most || n > most && n < most+most/part:
		case s.Stats().Evicted != want:
			t.Fatalf("%d connections: %+v, want %d evicted", n+1, s.Stats(), want)
		}
	}
}

func TestLimitOfMemory(t *testing.T) {
	const most, cost = 208 << 20, 448 + 128 + 672 // of the connection and of the segment at hand
	for held, lost := range map[int]bool{most - cost: false, most - cost + 1: true} {
		got, _ := follow(t, capture.Options{}, func() *transcript { return &transcript{held: held} }, up(1, ack, []byte("x")))
		if len(got) != 1 || got[0].Gone != lost {
			t.Errorf("%d bytes held: got %+v, want lost %t", held, got, lost)
		}
	}
}

func TestLimitOfTCPHello(t *testing.T) {
	const most = 131_400
	for n, code := range map[int]extension.Code{most: 0, most + 1: extension.ErrMessageTooLarge} {
		stream := records(helloOf(n), 1<<14)
		hellos, _ := scan(capture.Options{}, append([][]byte{up(0, syn, nil)}, segments(1, stream, 1400)...)...)
		if len(hellos) != 1 || hellos[0].Code != code {
			t.Errorf("hello of %d bytes: %d hellos, want code %v", n, len(hellos), code)
		}
	}
}

func TestLimitOfUDPHello(t *testing.T) {
	const most, mostDTLS, size = 131_400, 131_664, 1000
	for over, code := range map[int]extension.Code{0: 0, 1: extension.ErrMessageTooLarge} {
		var dtls, quic [][]byte
		body := mostDTLS - 12 + over
		for at := 0; at < body; at += size {
			dtls = append(dtls, ipv4(client, server, 17, udp(1, 443, dtlsFragment(body, at, min(size, body-at)))))
		}
		msg := helloOf(most + over)
		for at := 0; at < len(msg); at += size {
			quic = append(quic, ipv4(client, server, 17, udp(1, 443, sealed(1, uint64(at), msg[at:min(at+size, len(msg))]))))
		}
		for name, packets := range map[string][][]byte{"DTLS": dtls, "QUIC": quic, "DTLS, reversed": reversed(dtls)} {
			hellos, stats := scan(capture.Options{}, packets...)
			if len(hellos) != 1 || hellos[0].Code != code {
				t.Errorf("%s, %d bytes over: %d hellos, %+v, want code %v", name, over, len(hellos), stats, code)
			}
		}
	}
}

// TestIncompleteHellosOverUDP checks that hellos which began are counted, and second ones
// are not.
func TestIncompleteHellosOverUDP(t *testing.T) {
	datagram := func(b []byte) []byte { return ipv4(client, server, 17, udp(1, 443, b)) }
	hello := quicseal.Packet{
		Version: quicseal.V1, DCID: make([]byte, 8),
		Payload: append(quicseal.AppendCrypto(nil, 0, message()), make([]byte, 100)...),
	}.Seal()
	for name, row := range map[string]struct {
		packets            [][]byte
		hellos, incomplete int
	}{
		"DTLS":                 {[][]byte{datagram(dtlsFragment(300, 0, 100))}, 0, 1},
		"DTLS, whole":          {[][]byte{datagram(dtlsFragment(300, 0, 300))}, 1, 0},
		"DTLS, whole in parts": {[][]byte{datagram(dtlsFragment(300, 0, 100)), datagram(dtlsFragment(300, 100, 200))}, 1, 0},
		"QUIC":                 {[][]byte{datagram(sealed(1, 0, message()[:50]))}, 0, 1},
		"QUIC, whole":          {[][]byte{datagram(hello)}, 1, 0},
		"one of each":          {[][]byte{datagram(dtlsFragment(300, 0, 100)), datagram(sealed(1, 0, message()[:50])), up(1, ack, records(message(), 1<<14)[:20])}, 0, 3},
	} {
		_, stats := scan(capture.Options{}, row.packets...)
		if stats.Hellos != row.hellos || stats.Incomplete != row.incomplete || stats.Evicted != 0 {
			t.Errorf("%s: %+v, want %d hellos, %d incomplete", name, stats, row.hellos, row.incomplete)
		}
	}
}

// TestLateSYN checks that a SYN which is captured after data says where the stream begins.
func TestLateSYN(t *testing.T) {
	stream := hello()
	tooLarge := []byte{22, 3, 1, 0x40, 0, 1, 0xff, 0xff, 0xff} // announces 16 MB, and no version follows
	for name, row := range map[string]struct {
		packets [][]byte
		want    string
	}{
		"the beginning is there":             {[][]byte{up(41, ack, stream[40:]), up(21, ack, stream[20:40]), up(0, syn, nil), up(1, ack, stream[:20])}, "hello in [4 2 1]"},
		"the beginning comes in the SYN":     {[][]byte{up(21, ack, stream[20:]), up(0, syn, stream[:20])}, "hello in [2 1]"},
		"another beginning than it looked":   {[][]byte{up(1, ack, []byte("xx")), up(2, syn, nil), up(3, ack, stream)}, "hello in [3]"},
		"a refusal is certain, and reported": {[][]byte{up(4, ack, tooLarge[3:]), up(0, syn, nil), up(1, ack, tooLarge[:3])}, "message_too_large in [3 1]"},
		"without a SYN it is not":            {[][]byte{up(1, ack, tooLarge)}, ""},
	} {
		hellos, stats := scan(capture.Options{}, row.packets...)
		got := ""
		for _, h := range hellos {
			what := "hello"
			if h.Code != 0 {
				what = h.Code.Name()
			}
			got += fmt.Sprintf("%s in %v", what, h.Frames)
		}
		if got != row.want || stats.Flows != 1 {
			t.Errorf("%s: got %q, want %q; %+v", name, got, row.want, stats)
		}
	}
}

// TestRefusedHellosOverUDPAreReportedOnce checks that the further fragments of a refused
// hello are no further refusals, but that other hellos are.
func TestRefusedHellosOverUDPAreReportedOnce(t *testing.T) {
	fragment := func(length, offset, seq int) []byte {
		b := dtlsFragment(length, offset, 100)
		b[13+5] = byte(seq)
		return ipv4(client, server, 17, udp(1, 443, b))
	}
	whole := ipv4(client, server, 17, udp(1, 443, dtlsFragment(100, 0, 100)))
	const overrun, tooLarge = extension.ErrFragmentOverrun, extension.ErrMessageTooLarge
	for name, row := range map[string]struct {
		packets [][]byte
		want    []extension.Code
	}{
		"further fragments":        {[][]byte{fragment(200_000, 0, 0), fragment(200_000, 100, 0), fragment(200_000, 200, 0)}, []extension.Code{tooLarge}},
		"retransmitted":            {[][]byte{fragment(200_000, 0, 0), fragment(200_000, 0, 0)}, []extension.Code{tooLarge}},
		"of another length":        {[][]byte{fragment(300, 0, 0), fragment(400, 0, 0), fragment(300, 0, 0), fragment(400, 0, 0)}, nil},
		"for another reason":       {[][]byte{fragment(200_000, 0, 0), fragment(300, 250, 0)}, []extension.Code{tooLarge, overrun}},
		"the second hello as well": {[][]byte{fragment(200_000, 0, 0), fragment(200_000, 0, 1), fragment(200_000, 100, 1)}, []extension.Code{tooLarge, tooLarge}},
		"around a whole hello":     {[][]byte{fragment(200_000, 0, 0), whole, fragment(200_000, 0, 1)}, []extension.Code{tooLarge, 0, tooLarge}},
	} {
		hellos, stats := scan(capture.Options{}, row.packets...)
		var got []extension.Code
		for _, h := range hellos {
			got = append(got, h.Code)
		}
		if !slices.Equal(got, row.want) || stats.Refused+stats.Hellos != len(got) {
			t.Errorf("%s: got %v, want %v; %+v", name, got, row.want, stats)
		}
	}
}

// TestNoRoomForOne checks that a flow for which there is no room at all is counted.
func TestNoRoomForOne(t *testing.T) {
	rows, stats, err := readWith(t, halvesFile(1, true), capture.Options{MaxMemory: 600})
	if err != "<nil>" || len(rows) > 0 || stats.Evicted != 1 {
		t.Errorf("%d rows, %+v, %s", len(rows), stats, err)
	}
}
