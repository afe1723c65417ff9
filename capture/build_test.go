package capture_test

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"time"

	"github.com/tlsflags/tlsflags/capture"
)

// The functions below put headers before a payload.

func join(parts ...[]byte) []byte { return slices.Concat(parts...) }

func be16(n int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(n)) }
func be32(n int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }

func ethernet(etherType int, payload []byte) []byte {
	return join(make([]byte, 12), be16(etherType), payload)
}

// tag is a header of n bytes and an EtherType.
func tag(n, etherType int, payload []byte) []byte {
	return join(make([]byte, n), be16(etherType), payload)
}

func ipv4(src, dst netip.Addr, protocol int, payload []byte) []byte {
	return ipv4Fragment(src, dst, protocol, 0, 0, false, payload)
}

func ipv4Fragment(src, dst netip.Addr, protocol, id, offset int, more bool, payload []byte) []byte {
	field := offset / 8
	if more {
		field |= 0x2000
	}
	return join([]byte{0x45, 0}, be16(20+len(payload)), be16(id), be16(field), []byte{64, byte(protocol), 0, 0},
		src.AsSlice(), dst.AsSlice(), payload)
}

func ipv6(src, dst netip.Addr, next int, payload []byte) []byte {
	return join([]byte{0x60, 0, 0, 0}, be16(len(payload)), []byte{byte(next), 64}, src.AsSlice(), dst.AsSlice(), payload)
}

func udp(src, dst int, payload []byte) []byte {
	return join(be16(src), be16(dst), be16(8+len(payload)), be16(0), payload)
}

const (
	fin = 1
	syn = 2
	rst = 4
	ack = 16
)

// tcp is a segment that acknowledges what a server with the initial sequence number -1 has
// not sent yet.
func tcp(src, dst, seq int, flags byte, payload []byte) []byte {
	return tcpAck(src, dst, seq, 0, flags, payload)
}

func tcpAck(src, dst, seq, ack int, flags byte, payload []byte) []byte {
	return join(be16(src), be16(dst), be32(seq), be32(ack), []byte{5 << 4, flags}, be16(65535), be32(0), payload)
}

var (
	client  = netip.MustParseAddr("192.0.2.1")
	server  = netip.MustParseAddr("198.51.100.1")
	client6 = netip.MustParseAddr("2001:db8::1")
	server6 = netip.MustParseAddr("2001:db8::2")
)

const (
	clientPort = 40000
	serverPort = 443
)

// up and down are IP packets with a segment from the client and from the server. The
// server acknowledges a SYN with the sequence number 0; its own should be that of -1.
func up(seq int, flags byte, payload []byte) []byte {
	return ipv4(client, server, 6, tcp(clientPort, serverPort, seq, flags, payload))
}

func down(seq int, flags byte, payload []byte) []byte {
	return downAck(seq, 1, flags, payload)
}

func downAck(seq, ack int, flags byte, payload []byte) []byte {
	return ipv4(server, client, 6, tcpAck(serverPort, clientPort, seq, ack, flags, payload))
}

func upAck(seq, ack int, flags byte, payload []byte) []byte {
	return ipv4(client, server, 6, tcpAck(clientPort, serverPort, seq, ack, flags, payload))
}

func raw(data []byte) capture.Packet {
	return capture.Packet{Data: data, Link: capture.LinkTypeRaw, Time: time.Unix(1, 0)}
}

// scan gives IP packets to a new Scanner.
func scan(o capture.Options, packets ...[]byte) ([]capture.Hello, capture.Stats) {
	s := capture.NewScanner(o)
	var hellos []capture.Hello
	keep := func(h *capture.Hello) bool {
		hellos = append(hellos, *h.Clone())
		return true
	}
	for _, p := range packets {
		s.Scan(raw(p), keep)
	}
	s.Flush(keep)
	if *several && s.Stats().Evicted == 0 {
		checkPackets(hellos, s.Stats(), o, packets)
	}
	return hellos, s.Stats()
}

// message is a small ClientHello with TLS flag 80.
func message() []byte { return messageWith(1) }

// messageWith is one whose random begins with n and whose flags do not differ.
func messageWith(n uint32) []byte {
	random := binary.BigEndian.AppendUint32(nil, n)
	body := join([]byte{3, 3}, random, make([]byte, 28), []byte{0, 0, 2, 0x13, 1, 1, 0, 0, 16, 0, 62, 0, 12, 11}, make([]byte, 10), []byte{1})
	return join([]byte{1, 0, 0, byte(len(body))}, body)
}

// records puts a message into TLS records of at most size bytes.
func records(msg []byte, size int) []byte {
	var stream []byte
	for part := range slices.Chunk(msg, size) {
		stream = join(stream, []byte{22, 3, 1}, be16(len(part)), part)
	}
	return stream
}

func hello() []byte { return records(message(), 1<<14) }

func ip4() []byte { return up(1, ack, hello()) }

func ip6() []byte { return ipv6(client6, server6, 6, tcp(clientPort, serverPort, 1, ack, hello())) }

func inUDP(dst int, payload []byte) []byte { return ipv4(client, server, 17, udp(50000, dst, payload)) }
