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
	link     bool // there is no IP: the addresses are those of the link, or there are none
	udp      bool
	carrier  carrierKind // that the headers tell
	payload  []byte      // shares memory with the packet

	// Of TCP.
	flags      uint8
	seq, ack   uint32
	unnumbered bool // they are not known: the bytes follow those that came before
	window     uint16
	urgent     uint16 // urgent pointer
	options    []byte

	hops     uint8    // TTL or hop limit
	ecn      uint8    // of the IP header
	way      uint32   // how the packet came, if a hello is expected in its stream: see decoder.way
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
	isSegment          verdict = iota // the decoder's seg holds a segment or datagram
	isOther                           // nothing that leads to TCP or UDP
	isFragment                        // a piece of an IP packet
	isBroken                          // a header contradicts itself or the packet's length
	isCut                             // the end of a header was not captured
	isTooDeep                         // more than maxLayers headers
	isEncrypted                       // what leads to TCP or UDP is encrypted
	isUnknownLink                     // a link type that is not read: the decoder's unknown
	isUnknownEtherType                // likewise
)

// EtherTypes, as registered in IANA's "IEEE 802 Numbers".
const (
	etherMaxLength = 1500 // up to here the field is a length (IEEE 802.3)

	etherIPv4          = 0x0800
	etherTRILL         = 0x22f3
	etherERSPAN3       = 0x22eb
	etherBatman        = 0x4305
	etherEoIP          = 0x6400 // of MikroTik, in GRE; not registered
	etherBridging      = 0x6558 // transparent Ethernet bridging, in GRE and GENEVE
	etherVLAN          = 0x8100
	etherIPv6          = 0x86dd
	etherPPP           = 0x880b
	etherWCCP          = 0x883e
	etherMPLS          = 0x8847
	etherMPLSMulticast = 0x8848
	etherPPPoE         = 0x8864
	etherJumboLLC      = 0x8870
	etherQinQ          = 0x88a8
	etherERSPAN        = 0x88be
	etherMACsec        = 0x88e5
	etherPBB           = 0x88e7
	etherPRP           = 0x88fb
	etherFabricPath    = 0x8903
	etherCiscoMetadata = 0x8909
	etherVNTag         = 0x8926
	etherHSR           = 0x892f
	etherETag          = 0x893f
	etherNSH           = 0x894f
	etherQinQ9100      = 0x9100
	etherQinQ9200      = 0x9200
	etherDSA           = 0xdada // of Marvell's switches; not registered
	etherRTag          = 0xf1c1
)

// decoder walks the headers of packets. It does not use gopacket's layers, because it has
// to survive any bytes, follows tunnels of every kind in any order, and reads only the few
// fields that matter.
type decoder struct {
	seg      segment
	fragment fragment
	cut      bool // the packet was longer on the wire
	partial  bool // the IP packet at hand was not captured to its end
	joined   bool // the packet at hand came in fragments
	forked   bool // and they did not come in the same way
	more     bool // the frame has another packet, in rest
	depth    int
	unknown  uint16 // link type or EtherType
	session  uint32 // of a tunnel with PPP
	path     path

	rest   []byte   // of an aggregated 802.11 frame
	around around   // what was before rest
	frame  []byte   // begins with the innermost addresses of the link, destination first
	ends   [12]byte // frame, where they are not one after the other
}

// decode follows the headers of a packet down to TCP or UDP. wireLength is the
// length of the packet before the capture cut it.
func (d *decoder) decode(link LinkType, b []byte, wireLength int) verdict {
	d.cut, d.joined, d.forked, d.more = wireLength > len(b), false, false, false
	d.depth, d.session = 0, 0
	d.path.reset()
	d.seg.carrier, d.frame = noCarrier, nil
	d.seg.flawed, d.seg.noLength, d.seg.header = false, false, nil
	d.seg.link, d.seg.unnumbered = false, false
	d.seg.outer, d.seg.pieces, d.seg.proof = sumUnknown, sumUnknown, proven
	if link == LinkTypeEthernet {
		return d.ethernet(b)
	}
	return d.link(link, b)
}

// way returns a hash of how a packet came: its hop limit, the headers around it and its
// link-layer destination. Of packets that came in different ways, a host may get only some.
func (d *decoder) way() uint32 {
	h := uint32(d.seg.hops) | uint32(d.depth)<<8
	if d.forked {
		h |= 1 << 16
	}
	for _, l := range d.path.layers[:d.path.n] {
		h = h*16777619 ^ uint32(l.kind)
	}
	if len(d.frame) >= 6 {
		for _, b := range d.frame[:6] {
			h = h*16777619 ^ uint32(b)
		}
	}
	return h | 1<<31 // not 0
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
	case etherMPLS, etherMPLSMulticast:
		return d.mpls(b)
	case etherPPPoE:
		return d.pppoe(b)
	case etherPPP:
		return d.ppp(b)
	case etherBridging:
		return d.ethernet(b)
	case etherEAPOL, etherPreauth:
		return d.eapol(b)
	}
	if typ <= etherMaxLength {
		return d.llc(b)
	}
	return d.rareType(typ, b)
}

// rareType reads what follows an EtherType that few frames have.
func (d *decoder) rareType(typ uint16, b []byte) verdict {
	switch typ {
	case etherVNTag, etherRTag: // 802.1BR before it was a standard; IEEE 802.1CB, Section 7.8
		return d.tag(b, 4)
	case etherETag: // IEEE 802.1BR, Section 11.2
		return d.tag(b, 6)
	case etherCiscoMetadata:
		return d.ciscoMetadata(b)
	case etherJumboLLC: // draft-ietf-isis-ext-eth, Section 4
		return d.llc(b)
	case etherMACsec:
		return d.macsec(b)
	case etherPBB:
		return d.pbb(b)
	case etherTRILL:
		return d.trill(b)
	case etherFabricPath:
		return d.fabricPath(b)
	case etherHSR, etherPRP:
		return d.hsr(typ, b)
	case etherNSH:
		return d.nsh(b)
	case etherBatman:
		return d.batman(b)
	case etherDSA:
		return d.dsa(b, 2)
	}
	d.unknown = typ
	return isUnknownEtherType
}
