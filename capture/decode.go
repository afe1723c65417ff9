package capture

import (
	"encoding/binary"
	"net/netip"
)

// maxLayers is how many headers are followed inside one packet. Real ones nest a
// tunnel in a tunnel with some tags, about a dozen headers; a packet that nests
// deeper was made to keep a decoder busy.
const maxLayers = 32

// endpoint is one end of a connection. An IPv4 address takes the first four bytes.
type endpoint struct {
	ip   [16]byte
	port uint16
}

// segment is what decode finds in a packet: a TCP segment or UDP datagram, with
// what is needed of the headers around it.
type segment struct {
	src, dst endpoint
	ipv6     bool
	udp      bool
	flags    uint8  // of TCP
	seq      uint32 // of TCP
	payload  []byte // shares memory with the packet
	cut      bool   // the capture lacks the end of the payload
}

const (
	tcpFIN = 1 << 0
	tcpSYN = 1 << 1
	tcpRST = 1 << 2
)

// addrPort returns one end of a segment in the form for callers.
func addrPort(e endpoint, ipv6 bool) netip.AddrPort {
	if ipv6 {
		return netip.AddrPortFrom(netip.AddrFrom16(e.ip), e.port)
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(e.ip[:4])), e.port)
}

// verdict says what decode made of a packet.
type verdict uint8

const (
	isSegment     verdict = iota // the decoder's seg holds a segment or datagram
	isOther                      // nothing that leads to TCP or UDP
	isFragment                   // a piece of an IP packet, whose other pieces are awaited
	isBroken                     // a header contradicts itself or the packet's length
	isCut                        // the capture ends inside a header
	isTooDeep                    // more than maxLayers headers
	isUnknownLink                // a link type that is not read
)

// EtherTypes, as registered in IANA's "IEEE 802 Numbers".
const (
	etherMaxLength = 1500 // up to here the field is a length (IEEE 802.3)

	etherIPv4          = 0x0800
	etherBridging      = 0x6558 // transparent Ethernet bridging, in GRE and GENEVE
	etherVLAN          = 0x8100
	etherIPv6          = 0x86dd
	etherPPP           = 0x880b
	etherMPLS          = 0x8847
	etherMPLSMulticast = 0x8848
	etherPPPoE         = 0x8864
	etherQinQ          = 0x88a8
	etherERSPAN        = 0x88be
	etherERSPAN3       = 0x22eb
	etherWCCP          = 0x883e
	etherCiscoMetadata = 0x8909
	etherVNTag         = 0x8926
	etherQinQ9100      = 0x9100
	etherQinQ9200      = 0x9200
)

// IP protocol numbers.
const (
	protoHopByHop    = 0
	protoIPv4        = 4
	protoTCP         = 6
	protoUDP         = 17
	protoIPv6        = 41
	protoRouting     = 43
	protoFragment    = 44
	protoGRE         = 47
	protoAH          = 51
	protoDestination = 60
	protoEtherIP     = 97
	protoMobility    = 135
	protoMPLS        = 137
	protoHIP         = 139
	protoShim6       = 140
)

// decoder walks the headers of packets. It is written here and not taken from
// gopacket's layers, because it has to survive any bytes, takes nested tunnels of
// every kind in any order, and stops at the few fields that matter.
type decoder struct {
	seg      segment
	fragment fragment
	cut      bool // the packet at hand was longer on the wire
	depth    int
}

// decode follows the headers of a packet down to TCP or UDP. wireLength is the
// length of the packet before the capture cut it.
func (d *decoder) decode(link LinkType, b []byte, wireLength int) verdict {
	d.seg = segment{}
	d.cut = wireLength > len(b)
	d.depth = 0
	return d.link(link, b)
}

// short is the verdict on a header that the packet has no room for.
func (d *decoder) short() verdict {
	if d.cut {
		return isCut
	}
	return isBroken
}

// deeper counts a header that may stand in itself.
func (d *decoder) deeper() bool {
	d.depth++
	return d.depth > maxLayers
}

func (d *decoder) ethernet(b []byte) verdict {
	if len(b) < 14 {
		return d.short()
	}
	return d.etherType(binary.BigEndian.Uint16(b[12:]), b[14:])
}

// etherType reads what follows an EtherType field.
func (d *decoder) etherType(typ uint16, b []byte) verdict {
	if d.deeper() {
		return isTooDeep
	}
	switch typ {
	case etherIPv4:
		return d.ipv4(b)
	case etherIPv6:
		return d.ipv6(b)
	case etherVLAN, etherQinQ, etherQinQ9100, etherQinQ9200:
		return d.tag(b, 2)
	case etherVNTag:
		return d.tag(b, 4)
	case etherCiscoMetadata:
		return d.ciscoMetadata(b)
	case etherMPLS, etherMPLSMulticast:
		return d.mpls(b)
	case etherPPPoE:
		return d.pppoe(b)
	case etherPPP:
		return d.ppp(b)
	case etherBridging:
		return d.ethernet(b)
	}
	if typ <= etherMaxLength {
		return d.llc(b)
	}
	return isOther
}

// tag skips a tag of n bytes, which another EtherType follows.
func (d *decoder) tag(b []byte, n int) verdict {
	if len(b) < n+2 {
		return d.short()
	}
	return d.etherType(binary.BigEndian.Uint16(b[n:]), b[n+2:])
}

// ciscoMetadata skips the header that carries a security group tag: version, length
// of the options in 4-byte units, options, EtherType.
func (d *decoder) ciscoMetadata(b []byte) verdict {
	if len(b) < 2 {
		return d.short()
	}
	return d.tag(b, 2+4*int(b[1]))
}

// llc reads the 802.2 header of a frame with a length field. Only SNAP with an
// EtherType, and IP's own service access point, lead on.
func (d *decoder) llc(b []byte) verdict {
	switch {
	case len(b) < 3:
		return d.short()
	case b[0] == 0xaa && b[1] == 0xaa && b[2] == 3:
		return d.tag(b, 6)
	case b[0] == 6 && b[1] == 6 && b[2] == 3:
		return d.ipv4(b[3:])
	}
	return isOther
}

// mpls skips the label stack (RFC 3032, Section 2.1). What follows has no type:
// the first four bits tell IP from the rest, which is taken for Ethernet, with or
// without a control word (RFC 4448, Section 4.6).
func (d *decoder) mpls(b []byte) verdict {
	for bottom := false; !bottom; b = b[4:] {
		if len(b) < 4 {
			return d.short()
		}
		bottom = b[2]&1 != 0
	}
	if len(b) == 0 {
		return d.short()
	}
	switch b[0] >> 4 {
	case 4:
		return d.ipv4(b)
	case 6:
		return d.ipv6(b)
	case 0: // a control word, or an address that begins with 0
		const control = 4
		if len(b) < control+14 {
			return d.short()
		}
		switch binary.BigEndian.Uint16(b[control+12:]) {
		case etherIPv4, etherIPv6, etherVLAN, etherQinQ, etherMPLS, etherPPPoE:
			return d.ethernet(b[control:])
		}
	}
	return d.ethernet(b)
}

// pppoe reads a session frame (RFC 2516, Section 4): version and type, code,
// session, length.
func (d *decoder) pppoe(b []byte) verdict {
	if len(b) < 6 {
		return d.short()
	}
	if b[0] != 0x11 || b[1] != 0 {
		return isOther
	}
	return d.ppp(b[6:])
}

// ppp reads a frame with or without address and control field, whose protocol field
// may be compressed to one byte (RFC 1661, Section 6.5).
func (d *decoder) ppp(b []byte) verdict {
	if d.deeper() {
		return isTooDeep
	}
	if len(b) >= 2 && (b[0] == 0xff || b[0] == 0x0f) && (b[1] == 3 || b[1] == 0) {
		b = b[2:]
	}
	if len(b) < 2 {
		return d.short()
	}
	protocol, n := binary.BigEndian.Uint16(b), 2
	if b[0]&1 != 0 {
		protocol, n = uint16(b[0]), 1
	}
	switch protocol {
	case 0x0021:
		return d.ipv4(b[n:])
	case 0x0057:
		return d.ipv6(b[n:])
	case 0x0281, 0x0283:
		return d.mpls(b[n:])
	}
	return isOther
}

// ip reads a packet of either version.
func (d *decoder) ip(b []byte) verdict {
	if len(b) == 0 {
		return d.short()
	}
	switch b[0] >> 4 {
	case 4:
		return d.ipv4(b)
	case 6:
		return d.ipv6(b)
	}
	return isBroken
}

// ipv4 reads a header as defined in RFC 791, Section 3.1.
func (d *decoder) ipv4(b []byte) verdict {
	if d.deeper() {
		return isTooDeep
	}
	if len(b) < 20 {
		return d.short()
	}
	header := int(b[0]&0x0f) * 4
	total := int(binary.BigEndian.Uint16(b[2:]))
	if total == 0 {
		total = len(b) // left to the network card by the sending host
	}
	if b[0]>>4 != 4 || header < 20 || total < header {
		return isBroken
	}
	if len(b) < header {
		return d.short()
	}
	cut := total > len(b)
	if !cut {
		b = b[:total] // Ethernet pads short frames
	}
	d.seg.ipv6 = false
	d.seg.src.ip, d.seg.dst.ip = [16]byte{}, [16]byte{}
	copy(d.seg.src.ip[:], b[12:16])
	copy(d.seg.dst.ip[:], b[16:20])
	if field := binary.BigEndian.Uint16(b[6:]); field&0x3fff != 0 { // more fragments, offset
		d.fragment = fragment{
			id:       uint32(binary.BigEndian.Uint16(b[4:])),
			protocol: b[9],
			offset:   int(field&0x1fff) * 8,
			last:     field&0x2000 == 0,
			payload:  b[header:],
			cut:      cut,
		}
		return isFragment
	}
	return d.protocol(b[9], b[header:], cut)
}

// ipv6 reads a header as defined in RFC 8200, Section 3, and its extension headers.
func (d *decoder) ipv6(b []byte) verdict {
	if d.deeper() {
		return isTooDeep
	}
	if len(b) < 40 {
		return d.short()
	}
	if b[0]>>4 != 6 {
		return isBroken
	}
	length, next := int(binary.BigEndian.Uint16(b[4:])), b[6]
	d.seg.ipv6 = true
	copy(d.seg.src.ip[:], b[8:24])
	copy(d.seg.dst.ip[:], b[24:40])
	b = b[40:]
	cut := length > len(b)
	if length > 0 && !cut {
		b = b[:length]
	}
	return d.extensions(next, b, cut)
}

// extensions reads the extension headers of IPv6 and what is behind them. next is the
// type of the first one.
func (d *decoder) extensions(next uint8, b []byte, cut bool) verdict {
	for {
		var n int
		switch next {
		case protoHopByHop, protoRouting, protoDestination, protoMobility, protoHIP, protoShim6:
			if len(b) < 8 {
				return d.short()
			}
			n = 8 + 8*int(b[1])
		case protoAH:
			if len(b) < 8 {
				return d.short()
			}
			n = 8 + 4*int(b[1])
		case protoFragment:
			if len(b) < 8 {
				return d.short()
			}
			if field := binary.BigEndian.Uint16(b[2:]); field&0xfff9 != 0 { // offset, more fragments
				d.fragment = fragment{
					id:       binary.BigEndian.Uint32(b[4:]),
					protocol: b[0],
					offset:   int(field & 0xfff8),
					last:     field&1 == 0,
					payload:  b[8:],
					cut:      cut,
				}
				return isFragment
			}
			n = 8
		default:
			return d.protocol(next, b, cut)
		}
		if len(b) < n {
			return d.short()
		}
		next, b = b[0], b[n:]
	}
}

// payload reads the payload of an IP packet that was joined from its fragments.
func (d *decoder) payload(protocol uint8, b []byte) verdict {
	d.cut = false
	if d.seg.ipv6 {
		return d.extensions(protocol, b, false)
	}
	return d.protocol(protocol, b, false)
}

// protocol reads the payload of an IP packet; cut says that the packet is longer
// than what there is of it.
func (d *decoder) protocol(protocol uint8, b []byte, cut bool) verdict {
	switch protocol {
	case protoTCP:
		return d.tcp(b, cut)
	case protoUDP:
		return d.udp(b, cut)
	case protoIPv4:
		return d.ipv4(b)
	case protoIPv6:
		return d.ipv6(b)
	case protoMPLS:
		return d.mpls(b)
	case protoGRE:
		return d.gre(b)
	case protoEtherIP:
		if len(b) < 2 {
			return d.short()
		}
		return d.etherType(etherBridging, b[2:])
	case protoAH: // in IPv4
		if len(b) < 8 || len(b) < 8+4*int(b[1]) {
			return d.short()
		}
		if d.deeper() {
			return isTooDeep
		}
		return d.protocol(b[0], b[8+4*int(b[1]):], cut)
	}
	return isOther
}

// tcp reads a header as defined in RFC 9293, Section 3.1.
func (d *decoder) tcp(b []byte, cut bool) verdict {
	if len(b) < 20 {
		return d.short()
	}
	header := int(b[12]>>4) * 4
	if header < 20 {
		return isBroken
	}
	if len(b) < header {
		return d.short()
	}
	d.seg.udp = false
	d.seg.src.port = binary.BigEndian.Uint16(b)
	d.seg.dst.port = binary.BigEndian.Uint16(b[2:])
	d.seg.seq = binary.BigEndian.Uint32(b[4:])
	d.seg.flags = b[13]
	d.seg.payload = b[header:]
	d.seg.cut = cut
	return isSegment
}

// udp reads a header as defined in RFC 768.
func (d *decoder) udp(b []byte, cut bool) verdict {
	if len(b) < 8 {
		return d.short()
	}
	length := int(binary.BigEndian.Uint16(b[4:]))
	if length == 0 {
		length = len(b) // a jumbogram (RFC 2675, Section 4), or left to the network card
	}
	if length < 8 {
		return isBroken
	}
	if length <= len(b) {
		b, cut = b[:length], false
	}
	d.seg.udp = true
	d.seg.src.port = binary.BigEndian.Uint16(b)
	d.seg.dst.port = binary.BigEndian.Uint16(b[2:])
	d.seg.payload = b[8:]
	d.seg.cut = cut
	if v, ok := d.tunnel(b[8:]); ok {
		return v
	}
	return isSegment
}
