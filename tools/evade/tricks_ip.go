package main

import (
	"net/netip"
	"slices"
)

// An oddPacket is a way to send the decoy in IP packets that hosts drop, or that do not arrive.
type oddPacket struct {
	name, clause, about string

	only byte                         // IP version, 0 for both
	odd  func(p *packet, n, from int) // n is the length of the IP payload; what differs is after from, a multiple of 8
}

var oddHeaders = []oddPacket{
	{"bad IP checksum", "RFC 1122, Section 3.2.1.2", "the decoy's header has a wrong checksum", 4, func(p *packet, _, _ int) { p.badHeader = true }},
	{"IP length 0", "RFC 791, Section 3.1; RFC 8200, Section 3", "the decoy has no length", 0, func(p *packet, _, _ int) { p.noLength = true }},
	{"IP length too long", "RFC 791, Section 3.1; RFC 8200, Section 3", "the decoy is shorter than it says", 0, func(p *packet, _, _ int) { p.short = -8 }},
	{"IP length too short", "RFC 791, Section 3.1; RFC 8200, Section 3", "the decoy is longer than it says", 0, func(p *packet, _, _ int) { p.short = 8 }},
	{"another IP version", "RFC 791, Section 3.1; RFC 8200, Section 3", "the decoy has version 5", 0, func(p *packet, _, _ int) { p.version = 5 }},
	{"small hop limit", "RFC 791, Section 3.1; RFC 8200, Section 3", "the decoy's hop limit is 2, and it arrives", 0, func(p *packet, _, _ int) { p.ttl = 2 }},
	{"small hop limit, lost", "RFC 791, Section 3.1; RFC 8200, Section 3", "the decoy's hop limit is 2, and it ends on the way", 0, func(p *packet, _, _ int) { p.ttl, p.lost = 2, true }},
	{"source route", "RFC 7126, Section 4.3; RFC 5095, Section 3", "the decoy has a route that hosts refuse", 0, func(p *packet, _, _ int) { p.route = true }},
	{"option too long", "RFC 791, Section 3.1; RFC 8200, Section 4.2", "the decoy has an option that does not fit", 0, func(p *packet, _, _ int) { p.ipOptions = []byte{0x1e, 77, 0, 0} }},
	{"option to drop", "RFC 8200, Section 4.2", "the decoy has an unknown option that asks to drop the packet", 6, func(p *packet, _, _ int) { p.ipOptions = []byte{0x5e, 2, 0, 0} }},
	{"option to ignore", "RFC 791, Section 3.1; RFC 8200, Section 4.2", "the decoy has an unknown option that is ignored", 0, func(p *packet, _, _ int) { p.ipOptions = []byte{0x1e, 2, 0, 0} }},
	{"full record route", "RFC 791, Section 3.1", "the decoy has a record route without room", 4, func(p *packet, _, _ int) { p.ipOptions = []byte{7, 7, 5, 0, 0, 0, 0} }},
	{"bad record route", "RFC 791, Section 3.1", "the decoy has a record route whose pointer is wrong", 4, func(p *packet, _, _ int) { p.ipOptions = []byte{7, 7, 3, 0, 0, 0, 0} }},
}

// oddExtensions are extension headers of IPv6 that the decoy has.
var oddExtensions = []oddPacket{
	inHeaders("long padding", "RFC 4942, Section 2.1.9.5", "the decoy has an option that pads more than 7 bytes", header{protoOptions, slices.Concat([]byte{1, 12}, make([]byte, 12))}),
	inHeaders("much padding", "RFC 4942, Section 2.1.9.5", "the decoy has more than 7 bytes of padding", header{protoOptions, make([]byte, 14)}),
	inHeaders("padding with data", "RFC 4942, Section 2.1.9.5", "the decoy has padding that is not zero", header{protoOptions, []byte{1, 4, 1, 2, 3, 4}}),
	inHeaders("9 options", "RFC 8504, Section 5.3", "the decoy has 9 unknown options", header{protoOptions, slices.Concat(slices.Repeat([]byte{0x1e, 0}, 9), make([]byte, 4))}),
	inHeaders("8 options", "RFC 8504, Section 5.3", "the decoy has 8 unknown options", header{protoOptions, slices.Concat(slices.Repeat([]byte{0x1e, 0}, 8), make([]byte, 6))}),
	inHeaders("home address", "RFC 6275, Section 6.3", "the decoy has the option of a mobile node", header{protoOptions, slices.Concat([]byte{1, 2, 0, 0, 0xc9, 16}, client6.AsSlice())}),
	inHeaders("jumbo payload", "RFC 2675, Section 3", "the decoy says to be a jumbogram", header{0, []byte{0xc2, 4, 0, 1, 0, 0}}),
	inHeaders("hop-by-hop options late", "RFC 8200, Section 4.1", "the decoy has hop-by-hop options after other ones", header{protoOptions, []byte{1, 4, 0, 0, 0, 0}}, header{0, []byte{1, 4, 0, 0, 0, 0}}),
	inHeaders("routing header of type 0", "RFC 5095, Section 3", "the decoy has an old routing header without segments left", header{protoRouting, make([]byte, 6)}),
	inHeaders("routing header of type 2", "RFC 6275, Section 6.4", "the decoy has a routing header of a mobile node", header{protoRouting, slices.Concat([]byte{2, 0, 0, 0, 0, 0}, server6.AsSlice())}),
	inHeaders("segment routing header", "RFC 8754, Section 2", "the decoy has a segment routing header without segments left", header{protoRouting, slices.Concat([]byte{4, 0, 0, 0, 0, 0}, server6.AsSlice())}),
	inHeaders("mobility header", "RFC 6275, Section 6.1", "the decoy has a mobility header", header{135, make([]byte, 6)}),
	inHeaders("HIP header", "RFC 7401, Section 5.1", "the decoy has a header of HIP", header{139, make([]byte, 6)}),
	inHeaders("Shim6 header", "RFC 5533, Section 5.1", "the decoy has a header of Shim6", header{140, []byte{0x80, 0, 0, 0, 0, 0}}),
	inHeaders("authentication header", "RFC 4302, Section 2", "the decoy has an authentication header, though no key was agreed on", header{protoAH, slices.Concat([]byte{0, 0, 0, 0, 0, 1, 0, 0, 0, 1}, make([]byte, 12))}),
}

// inHeaders returns an odd packet that has extension headers of IPv6.
func inHeaders(name, clause, about string, h ...header) oddPacket {
	return oddPacket{name, clause, about, 6, func(p *packet, _, _ int) { p.headers = h }}
}

// fragments cuts a payload of some bytes at random, in multiples of 8.
func fragments(s *script, length int) []fragment {
	var list []fragment
	for from := 0; from < length; {
		to := min(length, from+8*(8+s.r.Intn(100)))
		list = append(list, fragment{from: from, to: to, last: to == length})
		from = to
	}
	return list
}

// segmentLength is that of the TCP segment of a packet.
func segmentLength(s *script, p *packet) int {
	n := 20 + len(p.data)
	if s.stamps {
		n += 12
	}
	return n
}

// flagAt returns where in the TCP segment of a packet the streams first differ, as a
// multiple of 8.
func flagAt(s *script, p *packet) int {
	from, _ := s.difference()
	at := segmentLength(s, p) - len(p.data) + max(0, from-max(p.off, 0))
	return max(64, min(at, segmentLength(s, p)-16)) &^ 7
}

var oddFragments = []oddPacket{
	{"fragments overlap", "RFC 5722, Section 4; RFC 8200, Section 4.5", "the decoy's fragments overlap", 0, func(p *packet, _, i int) {
		p.fragments = []fragment{{from: 0, to: i}, {from: i - 8, to: 1 << 16, last: true}}
	}},
	{"small first fragment", "RFC 1858, Section 3; RFC 7112, Section 5", "the decoy's first fragment does not have all of the TCP header", 0, func(p *packet, _, _ int) {
		p.fragments = []fragment{{from: 0, to: 8}, {from: 8, to: 1 << 16, last: true}}
	}},
	{"TCP header over again", "RFC 1858, Section 4; RFC 8200, Section 4.5", "a fragment overlaps the decoy's TCP header", 0, func(p *packet, _, _ int) {
		p.fragments = []fragment{{from: 0, to: 32}, {from: 8, to: 1 << 16, last: true}}
	}},
	{"a fragment is missing", "RFC 791, Section 3.2", "the decoy's last fragment never comes", 0, func(p *packet, _, i int) {
		p.fragments = []fragment{{from: 0, to: i}}
	}},
	{"two last fragments", "RFC 815, Section 3", "the decoy ends in two places", 0, func(p *packet, n, i int) {
		p.fragments = []fragment{{from: i, to: n, last: true}, {from: i, to: n - 8, last: true}, {from: 0, to: i}}
	}},
	{"data after the last fragment", "RFC 815, Section 3", "the decoy has a fragment after its end", 0, func(p *packet, n, i int) {
		p.fragments = []fragment{{from: i, to: n - 8, last: true}, {from: (n - 8) &^ 7, to: n}, {from: 0, to: i}}
	}},
	{"fragments with and without ECN", "RFC 3168, Section 5.3", "one of the decoy's fragments has CE, and the other has no ECN", 0, func(p *packet, _, i int) {
		p.fragments = []fragment{{from: 0, to: i}, {from: i, to: 1 << 16, last: true, ecn: 3}}
	}},
	{"fragments with ECN", "RFC 3168, Section 5.3", "one of the decoy's fragments has CE, and the other has ECT(0)", 0, func(p *packet, _, i int) {
		p.fragments = []fragment{{from: 0, to: i, ecn: 2}, {from: i, to: 1 << 16, last: true, ecn: 3}}
	}},
	{"another next header", "RFC 8200, Section 4.5", "the decoy's second fragment has another next header", 6, func(p *packet, _, i int) {
		p.fragments = []fragment{{from: 0, to: i}, {from: i, to: 1 << 16, last: true, next: protoUDP}}
	}},
}

// tcpMisleading returns a trick for each odd packet: a segment of the decoy in it comes first.
func tcpMisleading(k kind, list []oddPacket) (tricks []trick) {
	for _, o := range list {
		tricks = append(tricks, trick{name: o.name, clause: o.clause, about: o.about, kind: k, only: o.only, play: func(s *script) {
			s.mislead(func(p *packet) { o.odd(p, segmentLength(s, p), flagAt(s, p)) })
		}})
	}
	return tricks
}

var fragmentTricks = []trick{
	{name: "fragment cut to 8", clause: "RFC 791, Section 3.2; RFC 8200, Section 4.5", about: "a fragment whose length is no multiple of 8, and the bytes over again", kind: inFragments, play: func(s *script) {
		p := &s.packets[s.target()]
		i := flagAt(s, p)
		p.fragments = []fragment{{from: 0, to: i + 7}, {from: i, to: 1 << 16, last: true}}
	}},
	{name: "fragment twice, other bytes", clause: "RFC 791, Section 3.2; RFC 8200, Section 4.5", about: "a fragment of the decoy, then the same of the hello", kind: inFragments, play: func(s *script) {
		p := &s.packets[s.target()]
		i := flagAt(s, p)
		n := segmentLength(s, p)
		to := min(i+64, n&^7)
		if to <= i {
			return
		}
		other := make([]byte, to-i)
		for j := range other {
			at := max(p.off, 0) + i + j - (n - len(p.data))
			if at >= 0 && at < len(s.decoy) {
				other[j] = s.decoy[at]
			}
		}
		p.fragments = []fragment{{from: i, to: to, data: other}, {from: i, to: to}, {from: 0, to: i}, {from: to, to: 1 << 16, last: true}}
	}},
	{name: "small fragment inside another", clause: "RFC 791, Section 3.2; RFC 8200, Section 4.5", about: "a fragment with other bytes inside one that arrived", kind: inFragments, play: func(s *script) {
		p := &s.packets[s.target()]
		i := flagAt(s, p)
		p.fragments = []fragment{{from: 0, to: i + 8}, {from: i - 16, to: i, data: make([]byte, 16)}, {from: i + 8, to: 1 << 16, last: true}}
	}},
	{name: "fragment alone", clause: "RFC 6946, Section 4", about: "one fragment that is the whole packet", kind: inFragments, only: 6, play: func(s *script) {
		s.packets[s.target()].fragments = []fragment{{from: 0, to: 1 << 16, last: true}}
	}},
}

// vxlan puts an IP packet into VXLAN (RFC 7348, Section 5), which any program on the
// client's host may send.
func vxlan(s *script) func([]byte) []byte {
	e := s.tunnelEnds()
	return func(b []byte) []byte {
		etherType := []byte{0x08, 0}
		if b[0]>>4 == 6 {
			etherType = []byte{0x86, 0xdd}
		}
		frame := append([]byte{8, 0, 0, 0, 0, 0, 42, 0, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2}, etherType...)
		datagram := udp(e, append(frame, b...))
		return (&packet{}).ip(e, 77, protoUDP, datagram)[0]
	}
}

// tunnelEnds are those of the datagrams of a tunnel.
func (s *script) tunnelEnds() ends {
	client, server := netip.Addr(client4), netip.Addr(server4)
	if s.v6 {
		client, server = client6, server6
	}
	return ends{client, server, 40000, 4789}
}

// fromServer puts a segment of the server into a VXLAN packet of the client.
func fromServer(s *script, flags byte, data []byte) packet {
	return packet{do: func(c *client) {
		p := packet{noFlags: true, flags: flags, data: data}
		segment := p.tcp(c.ends.reversed(), c.irs+1, c.seen(), nil)
		inner := p.ip(c.ends.reversed(), 78, protoTCP, segment)[0]
		if err := c.tun.send(c, vxlan(s)(inner), false); err != nil {
			panic(err)
		}
	}}
}

var tunnelTricks = []trick{
	{name: "decoy in VXLAN", clause: "RFC 7348, Section 5", about: "a datagram to port 4789 that says to have a segment of the connection", kind: inTunnel, play: func(s *script) {
		s.mislead(func(p *packet) { p.wrap = vxlan(s) })
	}},
	{name: "SYN in VXLAN", clause: "RFC 7348, Section 5", about: "a SYN of another connection on the same ports, in a tunnel", kind: inTunnel, play: func(s *script) {
		s.insert(0, packet{off: 5000, noFlags: true, flags: syn, wrap: vxlan(s)})
	}},
	{name: "server's hello in VXLAN", clause: "RFC 7348, Section 5", about: "the decoy in a tunnel, sent by the server as it says", kind: inTunnel, play: func(s *script) {
		s.insert(0, fromServer(s, ack|psh, s.decoy))
	}},
	{name: "server's RST in VXLAN", clause: "RFC 7348, Section 5", about: "a RST of the server in a tunnel", kind: inTunnel, play: func(s *script) {
		s.insert(0, fromServer(s, rst|ack, nil))
	}},
}
