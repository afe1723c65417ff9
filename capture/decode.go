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

// segment is a TCP segment or UDP datagram that decode finds in a packet, with the fields
// that are needed of the headers around it.
type segment struct {
	src, dst endpoint
	ipv6     bool
	udp      bool
	carrier  carrierKind // that the headers tell
	payload  []byte      // shares memory with the packet

	// Of TCP.
	flags    uint8
	seq, ack uint32
	window   uint16
	urgent   uint16 // urgent pointer
	options  []byte

	hops     uint8    // TTL or hop limit
	outer    sumState // the worst of the IPv4 headers around the innermost one
	header   []byte   // of IPv4, for its checksum; nil for a packet that came in fragments
	whole    []byte   // the segment with its header, for its checksum; nil if it was cut
	flawed   bool     // a host drops the packet because of its IP header
	noLength bool     // the length in the IP header is 0
	pieces   sumState // header, of a packet that came in fragments
	proof    proof
}

const (
	tcpFIN = 1 << 0
	tcpSYN = 1 << 1
	tcpRST = 1 << 2
	tcpACK = 1 << 4
	tcpURG = 1 << 5
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
	isFragment                   // a piece of an IP packet
	isBroken                     // a header contradicts itself or the packet's length
	isCut                        // the end of a header was not captured
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

// decoder walks the headers of packets. It does not use gopacket's layers, because it has
// to survive any bytes, follows tunnels of every kind in any order, and reads only the few
// fields that matter.
type decoder struct {
	seg      segment
	fragment fragment
	cut      bool // the packet was longer on the wire
	partial  bool // the IP packet at hand was not captured to its end
	depth    int
	path     path
	frame    []byte // the innermost one with addresses of the link, destination first
}

// decode follows the headers of a packet down to TCP or UDP. wireLength is the
// length of the packet before the capture cut it.
func (d *decoder) decode(link LinkType, b []byte, wireLength int) verdict {
	d.cut = wireLength > len(b)
	d.depth = 0
	d.path.reset()
	d.seg.carrier, d.frame = noCarrier, nil
	d.seg.flawed, d.seg.noLength, d.seg.header = false, false, nil
	d.seg.outer, d.seg.pieces, d.seg.proof = sumUnknown, sumUnknown, proven
	return d.link(link, b)
}

// short is the verdict on a header that is longer than the rest of the packet.
func (d *decoder) short() verdict {
	if d.cut {
		return isCut
	}
	return isBroken
}

// deeper counts a header that may contain itself.
func (d *decoder) deeper() bool {
	d.depth++
	return d.depth > maxLayers
}

func (d *decoder) ethernet(b []byte) verdict {
	if len(b) < 14 {
		return d.short()
	}
	d.path.add(layerEthernet, 0)
	d.frame = b
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
		return d.vlan(b)
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
	case etherEAPOL:
		return d.eapol(b)
	}
	if typ <= etherMaxLength {
		return d.llc(b)
	}
	return isOther
}

// vlan reads a tag: priority and VLAN (IEEE 802.1Q).
func (d *decoder) vlan(b []byte) verdict {
	if len(b) < 2 {
		return d.short()
	}
	d.path.add(layerVLAN, uint32(binary.BigEndian.Uint16(b))&0xfff)
	return d.tag(b, 2)
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

// llc reads the 802.2 header of a frame with a length field. Only SNAP with an EtherType
// and IP's own service access point are followed.
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
// the first four bits tell IP from everything else, which is read as Ethernet, with or
// without a control word (RFC 4448, Section 4.6).
func (d *decoder) mpls(b []byte) verdict {
	d.path.add(layerMPLS, 0)
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
	case 4, 6:
		return d.ip(b)
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
	d.path.add(layerPPPoE, 0)
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
	case pppEAP:
		return d.eap(carrierPPPEAP, b[n:])
	}
	return isOther
}
