package filter

import (
	"encoding/binary"
	"net"
	"slices"

	"golang.org/x/net/bpf"
)

// layout says where a link type has its network layer.
type layout struct {
	kind    typeField
	typ     uint32 // offset of the type
	network uint32 // offset of the network layer
	tags    bool   // the type may be a VLAN
}

type typeField uint8

const (
	etherTypes typeField = iota
	pppTypes
	versions // no type: the version of IP tells
)

// layouts has the link types, by their numbers in pcap files.
var layouts = map[uint16]layout{
	1:   {etherTypes, 12, 14, true}, // Ethernet
	240: {etherTypes, 16, 18, true}, // netANALYZER
	241: {etherTypes, 24, 26, true},
	113: {etherTypes, 14, 16, true}, // Linux cooked
	276: {etherTypes, 0, 20, true},
	138: {etherTypes, 16, 18, true}, // IEEE 1394
	104: {etherTypes, 2, 4, false},  // Cisco HDLC
	205: {etherTypes, 3, 5, false},
	9:   {pppTypes, 2, 4, false},
	50:  {pppTypes, 2, 4, false},
	166: {pppTypes, 2, 4, false},
	51:  {pppTypes, 6, 8, false}, // PPPoE
	0:   {versions, 0, 4, false}, // BSD loopback
	108: {versions, 0, 4, false},
	12:  {versions, 0, 0, false}, // IP
	14:  {versions, 0, 0, false},
	101: {versions, 0, 0, false},
	228: {versions, 0, 0, false},
	229: {versions, 0, 0, false},
	226: {versions, 0, 24, false}, // Solaris
}

// EtherTypes of IANA's "IEEE 802 Numbers".
const (
	etherIPv4 = 0x0800
	etherARP  = 0x0806
	etherRARP = 0x8035
	etherIPv6 = 0x86dd
)

// vlanTypes are the EtherTypes that vlan looks for.
var vlanTypes = []uint32{0x8100, 0x88a8, 0x9100}

// numbers are the IP protocols by their names.
var numbers = map[string]uint32{"icmp": 1, "tcp": 6, "udp": 17}

// code is a program that is built from its end: where a jump goes to is always known.
type code struct {
	layout   layout
	tagTaken bool // the kernel has taken the outermost tag out of the packet
	reversed []bpf.Instruction
}

// label is an instruction, counted from the end of the program.
type label int

func (c *code) add(i bpf.Instruction) label {
	c.reversed = append(c.reversed, i)
	return label(len(c.reversed) - 1)
}

// skip is how many instructions a jump that is added next skips on its way to l.
func (c *code) skip(l label) int { return len(c.reversed) - int(l) - 1 }

// near returns a label that a conditional jump reaches, which skips at most 255.
func (c *code) near(l label) label {
	const reach = 250 // some less, as near is called for both ways before the jump is added
	if c.skip(l) <= reach {
		return l
	}
	return c.add(bpf.Jump{Skip: uint32(c.skip(l))})
}

// test adds instructions that load register A, and a jump by its value.
func (c *code) test(cond bpf.JumpTest, v uint32, yes, no label, load ...bpf.Instruction) label {
	yes, no = c.near(yes), c.near(no)
	at := c.add(bpf.JumpIf{Cond: cond, Val: v, SkipTrue: uint8(c.skip(yes)), SkipFalse: uint8(c.skip(no))})
	for _, i := range slices.Backward(load) {
		at = c.add(i)
	}
	return at
}

// from returns the program that begins at a label.
func (c *code) from(entry label) []bpf.Instruction {
	if c.skip(entry) > 0 {
		c.add(bpf.Jump{Skip: uint32(c.skip(entry))})
	}
	slices.Reverse(c.reversed)
	return c.reversed
}

// compile adds an expression that goes on at yes or at no. It returns where that begins.
func (c *code) compile(n *node, yes, no label) label {
	switch n.op {
	case isAnd:
		return c.compile(n.x, c.compile(n.y, yes, no), no)
	case isOr:
		return c.compile(n.x, yes, c.compile(n.y, yes, no))
	case isNot:
		return c.compile(n.x, no, yes)
	}
	t := &n.test
	switch t.kind {
	case isHost:
		return c.host(t, yes, no)
	case isPort:
		return c.port(t, yes, no)
	case isNumber:
		return c.number(t, t.first, yes, no)
	case isVLAN:
		return c.vlan(t, yes, no)
	}
	switch t.proto {
	case "ip":
		return c.isType(t, etherIPv4, yes, no)
	case "ip6":
		return c.isType(t, etherIPv6, yes, no)
	case "arp":
		return c.isType(t, etherARP, yes, no)
	}
	return c.number(t, numbers[t.proto], yes, no)
}

// at returns the layout inside the tags around a test. ok is false if there is only a tag,
// which is not in the packet.
func (c *code) at(t *test) (l layout, ok bool) {
	l = c.layout
	tags := t.depth
	if c.tagTaken {
		tags--
	}
	if tags > 0 {
		l.network += 4 * uint32(tags) // uint16 tag; uint16 type;
		l.typ = l.network - 2
	}
	return l, tags >= 0 && (t.depth == 0 || l.tags)
}

// isType tests the EtherType, or what says the same.
func (c *code) isType(t *test, etherType uint32, yes, no label) label {
	l, ok := c.at(t)
	if !ok {
		return no
	}
	switch l.kind {
	case pppTypes: // RFC 1332, Section 2; RFC 5072, Section 3
		typ, ok := map[uint32]uint32{etherIPv4: 0x0021, etherIPv6: 0x0057}[etherType]
		if !ok {
			return no
		}
		return c.test(bpf.JumpEqual, typ, yes, no, half(l.typ))
	case versions:
		version, ok := map[uint32]uint32{etherIPv4: 0x40, etherIPv6: 0x60}[etherType]
		if !ok {
			return no
		}
		return c.test(bpf.JumpEqual, version, yes, no, octet(l.network), mask(0xf0))
	}
	return c.test(bpf.JumpEqual, etherType, yes, no, half(l.typ))
}

// network returns the offset of the network layer. It matters only where isType is true.
func (c *code) network(t *test) uint32 {
	l, _ := c.at(t)
	return l.network
}

func octet(offset uint32) bpf.Instruction { return bpf.LoadAbsolute{Off: offset, Size: 1} }
func half(offset uint32) bpf.Instruction  { return bpf.LoadAbsolute{Off: offset, Size: 2} }
func mask(v uint32) bpf.Instruction {
	return bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: v}
}

// vlan tests for a tag: 3 bits of priority, 1 bit, and 12 bits of its number (IEEE 802.1Q,
// Section 9.6).
func (c *code) vlan(t *test, yes, no label) label {
	const number = 0x0fff
	if c.tagTaken && t.depth == 0 {
		if t.vlan < 0 {
			return yes
		}
		return c.test(bpf.JumpEqual, uint32(t.vlan), yes, no, bpf.LoadExtension{Num: bpf.ExtVLANTag}, mask(number))
	}
	l, _ := c.at(t)
	if !l.tags {
		return no
	}
	if t.vlan >= 0 {
		yes = c.test(bpf.JumpEqual, uint32(t.vlan), yes, no, half(l.network), mask(number))
	}
	for _, typ := range vlanTypes {
		no = c.isType(t, typ, yes, no)
	}
	return no
}

// number tests the protocol of an IP packet. In IPv6 it may be after a fragment header.
func (c *code) number(t *test, protocol uint32, yes, no label) label {
	network := c.network(t)
	next := no
	if t.proto != "ip" && t.proto != "icmp" {
		const fragment = 44 // RFC 8200, Section 4.5
		next = c.test(bpf.JumpEqual, protocol, yes, no, octet(network+40))
		next = c.test(bpf.JumpEqual, fragment, next, no)
		next = c.test(bpf.JumpEqual, protocol, yes, next, octet(network+6))
		next = c.isType(t, etherIPv6, next, no)
	}
	if t.proto == "ip6" {
		return next
	}
	v4 := c.test(bpf.JumpEqual, protocol, yes, no, octet(network+9))
	return c.isType(t, etherIPv4, v4, next)
}

// ends tests what the two ends of a packet have, in the direction of the test.
func ends(d direction, yes, no label, test func(destination bool, yes, no label) label) label {
	switch d {
	case source:
		return test(false, yes, no)
	case destination:
		return test(true, yes, no)
	case both:
		return test(false, test(true, yes, no), no)
	}
	return test(false, yes, test(true, yes, no))
}

// host tests the addresses of a packet, in ARP those that it is about.
func (c *code) host(t *test, yes, no label) label {
	network := c.network(t)
	ofType := func(etherType, source, destination uint32, no label) label {
		addresses := ends(t.direction, yes, no, func(dst bool, yes, no label) label {
			if dst {
				return c.address(t, network+destination, yes, no)
			}
			return c.address(t, network+source, yes, no)
		})
		return c.isType(t, etherType, addresses, no)
	}
	switch {
	case t.prefix.Addr().Is6():
		return ofType(etherIPv6, 8, 24, no)
	case t.proto == "ip":
		return ofType(etherIPv4, 12, 16, no)
	case t.proto == "arp":
		return ofType(etherARP, 14, 24, no)
	}
	return ofType(etherIPv4, 12, 16, ofType(etherARP, 14, 24, ofType(etherRARP, 14, 24, no)))
}

// address tests the address at an offset.
func (c *code) address(t *test, offset uint32, yes, no label) label {
	address, bits := t.prefix.Addr().AsSlice(), t.prefix.Bits()
	m := net.CIDRMask(bits, len(address)*8)
	for i := (bits - 1) / 32 * 4; i >= 0 && bits > 0; i -= 4 {
		load := []bpf.Instruction{bpf.LoadAbsolute{Off: offset + uint32(i), Size: 4}}
		if m := binary.BigEndian.Uint32(m[i:]); m != 1<<32-1 {
			load = append(load, mask(m))
		}
		yes = c.test(bpf.JumpEqual, binary.BigEndian.Uint32(address[i:]), yes, no, load...)
	}
	return yes
}

// port tests the ports of TCP, UDP and SCTP.
func (c *code) port(t *test, yes, no label) label {
	network := c.network(t)
	protocols := []uint32{6, 17, 132}
	if t.proto != "" {
		protocols = []uint32{numbers[t.proto]}
	}
	ends(t.direction, yes, no, func(dst bool, yes, no label) label {
		return c.between(t, yes, no, bpf.LoadIndirect{Off: network + portOffset(dst), Size: 2})
	})
	v4 := c.add(bpf.LoadMemShift{Off: network})                   // X: length of the IP header, for what follows
	v4 = c.test(bpf.JumpBitsSet, 0x1fff, no, v4, half(network+6)) // fragment offset
	v4 = c.isType(t, etherIPv4, c.oneOf(protocols, network+9, v4, no), no)

	v6 := ends(t.direction, yes, no, func(dst bool, yes, no label) label {
		return c.between(t, yes, no, half(network+40+portOffset(dst)))
	})
	return c.isType(t, etherIPv6, c.oneOf(protocols, network+6, v6, no), v4)
}

func portOffset(destination bool) uint32 {
	if destination {
		return 2
	}
	return 0
}

// between tests whether a port is in the range of the test.
func (c *code) between(t *test, yes, no label, load bpf.Instruction) label {
	if t.first == t.last {
		return c.test(bpf.JumpEqual, t.first, yes, no, load)
	}
	yes = c.test(bpf.JumpGreaterThan, t.last, no, yes)
	return c.test(bpf.JumpGreaterOrEqual, t.first, yes, no, load)
}

// oneOf tests whether the octet at an offset is one of some values.
func (c *code) oneOf(values []uint32, offset uint32, yes, no label) label {
	for _, v := range slices.Backward(values[1:]) {
		no = c.test(bpf.JumpEqual, v, yes, no)
	}
	return c.test(bpf.JumpEqual, values[0], yes, no, octet(offset))
}
