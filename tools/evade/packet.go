package main

import (
	"encoding/binary"
	"net/netip"
	"slices"
)

// The flags of a TCP header (RFC 9293, Section 3.1).
const (
	fin = 1 << iota
	syn
	rst
	psh
	ack
	urg
)

// Protocol numbers.
const (
	protoTCP      = 6
	protoUDP      = 17
	protoRouting  = 43
	protoFragment = 44
	protoAH       = 51
	protoOptions  = 60
)

// A packet is one TCP segment that a client sends, with what is odd about it. The zero
// value of every field but off and data means that nothing is.
type packet struct {
	off  int    // of the first byte in the stream
	data []byte // the payload

	flags    byte // added to ACK and PSH
	noFlags  bool // no flags but those of flags
	ackMore  uint32
	seqLess  uint32
	urgent   uint16
	badSum   bool
	old      bool // a timestamp from long ago
	future   bool // a timestamp far ahead
	echo     uint32
	noTime   bool // no timestamp, though the connection has them
	options  []byte
	headLen  byte // the data offset in 32-bit words, if it is wrong
	reserved byte // bits of the data offset's byte

	badHeader bool                // IPv4: a wrong checksum of the header
	noLength  bool                // IPv4: total length 0; IPv6: payload length 0
	short     int                 // IP length less than it should be
	version   byte                // another IP version
	ttl       byte                // 64 if 0
	route     bool                // IPv4: loose source route; IPv6: routing header
	ipOptions []byte              // IPv4: options; IPv6: destination options
	headers   []header            // IPv6: other headers, in this order
	fragments []fragment          // sent as these, in this order
	wrap      func([]byte) []byte // the packet is put into a tunnel
	lost      bool                // captured, but it never arrives
	do        func(*client)       // instead of a packet
}

// A fragment is a part of the IP payload. With data it has other bytes than the packet.
type fragment struct {
	from, to int // to may end anywhere
	data     []byte
	last     bool // no more fragments follow
	ecn      byte
	next     byte // IPv6: the next header, if it is wrong
}

// A header is an extension header of IPv6, with what is after its length.
type header struct {
	kind byte
	body []byte
}

// ends are the addresses and ports of a connection.
type ends struct {
	client, server         netip.Addr
	clientPort, serverPort uint16
}

func (e ends) reversed() ends { return ends{e.server, e.client, e.serverPort, e.clientPort} }

// sum returns the Internet checksum (RFC 1071).
func sum(parts ...[]byte) uint16 {
	b := slices.Concat(parts...)
	if len(b)%2 == 1 {
		b = append(b, 0)
	}
	var n uint32
	for i := 0; i < len(b); i += 2 {
		n += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for n>>16 != 0 {
		n = n&0xffff + n>>16
	}
	return ^uint16(n)
}

// pseudoHeader is what TCP and UDP checksums cover of the IP header.
func pseudoHeader(e ends, proto byte, length int) []byte {
	b := slices.Concat(e.client.AsSlice(), e.server.AsSlice())
	b = binary.BigEndian.AppendUint32(b, uint32(length))
	return append(b, 0, 0, 0, proto)
}

// tcp returns the TCP segment of p.
func (p *packet) tcp(e ends, seq, ackNumber uint32, options []byte) []byte {
	options = slices.Concat(options, p.options)
	for len(options)%4 != 0 {
		options = append(options, 1)
	}
	flags := p.flags | ack | psh
	if p.noFlags {
		flags = p.flags
	}
	if flags&ack == 0 {
		ackNumber = 0
	}
	b := binary.BigEndian.AppendUint16(nil, e.clientPort)
	b = binary.BigEndian.AppendUint16(b, e.serverPort)
	b = binary.BigEndian.AppendUint32(b, seq-p.seqLess)
	b = binary.BigEndian.AppendUint32(b, ackNumber+p.ackMore)
	words := byte(5 + len(options)/4)
	if p.headLen != 0 {
		words = p.headLen
	}
	b = append(b, words<<4|p.reserved, flags, 0xff, 0xff, 0, 0)
	b = binary.BigEndian.AppendUint16(b, p.urgent)
	b = slices.Concat(b, options, p.data)
	c := sum(pseudoHeader(e, protoTCP, len(b)), b)
	if p.badSum {
		c ^= 0x5555
	}
	binary.BigEndian.PutUint16(b[16:], c)
	return b
}

// udp returns a UDP datagram.
func udp(e ends, data []byte) []byte {
	b := binary.BigEndian.AppendUint16(nil, e.clientPort)
	b = binary.BigEndian.AppendUint16(b, e.serverPort)
	b = binary.BigEndian.AppendUint16(b, uint16(8+len(data)))
	b = append(append(b, 0, 0), data...)
	c := sum(pseudoHeader(e, protoUDP, len(b)), b)
	if c == 0 {
		c = 0xffff // RFC 768
	}
	binary.BigEndian.PutUint16(b[6:], c)
	return b
}

// ip returns the IP packets, one or fragments, that carry payload.
func (p *packet) ip(e ends, id uint32, proto byte, payload []byte) [][]byte {
	if p.fragments == nil {
		return [][]byte{p.ipPacket(e, id, proto, payload, nil)}
	}
	var packets [][]byte
	for _, f := range p.fragments {
		from := min(f.from, len(payload))
		part := payload[from:max(from, min(f.to, len(payload)))]
		if f.data != nil {
			part = f.data
		}
		packets = append(packets, p.ipPacket(e, id, proto, part, &f))
	}
	return packets
}

func (p *packet) ipPacket(e ends, id uint32, proto byte, payload []byte, f *fragment) []byte {
	ttl := p.ttl
	if ttl == 0 {
		ttl = 64
	}
	var b []byte
	if e.client.Is4() {
		b = p.ipv4(e, uint16(id), proto, ttl, payload, f)
	} else {
		b = p.ipv6(e, id, proto, ttl, payload, f)
	}
	if p.wrap != nil {
		b = p.wrap(b)
	}
	return b
}

// ipv4 returns a packet as in RFC 791, Section 3.1.
func (p *packet) ipv4(e ends, id uint16, proto, ttl byte, payload []byte, f *fragment) []byte {
	options := slices.Clone(p.ipOptions)
	if p.route {
		options = append(options, 131, 7, 4, 192, 0, 2, 77) // loose source route
	}
	for len(options)%4 != 0 {
		options = append(options, 0)
	}
	version := byte(4)
	if p.version != 0 {
		version = p.version
	}
	ecn := byte(0)
	if f != nil {
		ecn = f.ecn
	}
	b := []byte{version<<4 | byte(5+len(options)/4), ecn}
	length := 20 + len(options) + len(payload) - p.short
	if p.noLength {
		length = 0
	}
	b = binary.BigEndian.AppendUint16(b, uint16(length))
	b = binary.BigEndian.AppendUint16(b, id)
	offset := uint16(0)
	if f != nil {
		offset = uint16(f.from / 8)
		if !f.last {
			offset |= 0x2000
		}
	}
	b = binary.BigEndian.AppendUint16(b, offset)
	b = append(b, ttl, proto, 0, 0)
	b = slices.Concat(b, e.client.AsSlice(), e.server.AsSlice(), options)
	c := sum(b)
	if p.badHeader {
		c ^= 0x5555
	}
	binary.BigEndian.PutUint16(b[10:], c)
	return append(b, payload...)
}

// ipv6 returns a packet as in RFC 8200, Section 3, with the extension headers asked for.
func (p *packet) ipv6(e ends, id uint32, proto, ttl byte, payload []byte, f *fragment) []byte {
	next := proto
	var headers []byte
	ecn := byte(0)
	if f != nil {
		if ecn = f.ecn; f.next != 0 {
			next = f.next
		}
		offset := uint16(f.from) &^ 7
		if !f.last {
			offset |= 1
		}
		h := binary.BigEndian.AppendUint16([]byte{next, 0}, offset)
		headers, next = slices.Concat(binary.BigEndian.AppendUint32(h, id), headers), protoFragment
	}
	if p.route {
		// Segments left is 1 (RFC 8200, Section 4.4).
		h := append([]byte{next, 2, 0, 1, 0, 0, 0, 0}, e.server.AsSlice()...)
		headers, next = slices.Concat(h, headers), protoRouting
	}
	if p.ipOptions != nil {
		h := append([]byte{next, 0}, p.ipOptions...)
		for len(h)%8 != 0 {
			h = append(h, 0)
		}
		h[1] = byte(len(h)/8 - 1)
		headers, next = slices.Concat(h, headers), protoOptions
	}
	for _, extra := range slices.Backward(p.headers) {
		h := append([]byte{next, 0}, extra.body...)
		if h[1] = byte(len(h)/8 - 1); extra.kind == protoAH {
			h[1] = byte(len(h)/4 - 2)
		}
		headers, next = slices.Concat(h, headers), extra.kind
	}
	version := byte(6)
	if p.version != 0 {
		version = p.version
	}
	length := len(headers) + len(payload) - p.short
	if p.noLength {
		length = 0
	}
	b := binary.BigEndian.AppendUint16([]byte{version << 4, ecn << 4, 0, 0}, uint16(length))
	b = append(b, next, ttl)
	return slices.Concat(b, e.client.AsSlice(), e.server.AsSlice(), headers, payload)
}

// A reply is what a client reads of a packet that the kernel sent.
type reply struct {
	port     uint16 // of the client
	seq, ack uint32
	flags    byte
	data     []byte
	datagram bool
}

// readReply reads a packet of the kernel. ok is false if it is neither TCP nor UDP.
func readReply(b []byte) (r reply, ok bool) {
	var segment []byte
	switch {
	case len(b) >= 40 && b[0]>>4 == 4 && b[9] == protoTCP:
		segment = b[int(b[0]&15)*4:]
	case len(b) >= 60 && b[0]>>4 == 6 && b[6] == protoTCP:
		segment = b[40:]
	case len(b) >= 28 && b[0]>>4 == 4 && b[9] == protoUDP:
		return reply{port: base(binary.BigEndian.Uint16(b[22:])), data: b[28:], datagram: true}, true
	case len(b) >= 48 && b[0]>>4 == 6 && b[6] == protoUDP:
		return reply{port: base(binary.BigEndian.Uint16(b[42:])), data: b[48:], datagram: true}, true
	default:
		return reply{}, false
	}
	return reply{
		port:  binary.BigEndian.Uint16(segment[2:]),
		seq:   binary.BigEndian.Uint32(segment[4:]),
		ack:   binary.BigEndian.Uint32(segment[8:]),
		flags: segment[13],
		data:  segment[int(segment[12]>>4)*4:],
	}, true
}
