package capture

import "encoding/binary"

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
	protoESP         = 50
	protoDestination = 60
	protoEtherIP     = 97
	protoL2TP        = 115
	protoSCTP        = 132
	protoMobility    = 135
	protoUDPLite     = 136
	protoMPLS        = 137
	protoHIP         = 139
	protoShim6       = 140
	protoEthernet    = 143
)

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
	d.outer()
	d.path.addIP(layerIPv4, &d.seg)
	if d.seg.noLength = total == 0; d.seg.noLength {
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
	} else if !d.cut {
		d.seg.flawed = true
	}
	d.partial = cut
	if header > 20 && badOptions(b[20:header]) {
		d.seg.flawed = true
	}
	d.seg.header = b[:header:header]
	d.seg.hops, d.seg.ecn = b[8], b[1]&3
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
			flawed:   d.seg.flawed || d.seg.noLength, // no card makes fragments
			sum:      headerSum(d.seg.header),
		}
		return isFragment
	}
	return d.protocol(b[9], b[header:])
}

// outer checks the checksum of the IPv4 header around another IP header. The one of the
// innermost header is checked when the packet is of use.
func (d *decoder) outer() {
	if d.seg.header != nil {
		d.seg.outer = max(d.seg.outer, headerSum(d.seg.header))
		d.seg.header = nil
	}
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
	d.outer()
	d.path.addIP(layerIPv6, &d.seg)
	d.seg.noLength = length == 0
	d.seg.ipv6, d.seg.hops, d.seg.ecn = true, b[7], b[1]>>4&3
	copy(d.seg.src.ip[:], b[8:24])
	copy(d.seg.dst.ip[:], b[24:40])
	b = b[40:]
	cut := length > len(b)
	if length > 0 && !cut {
		b = b[:length]
	} else if cut && !d.cut {
		d.seg.flawed = true
	}
	d.partial = cut
	return d.extensions(next, b, cut, true)
}

// extensions reads the extension headers of IPv6 and what follows them. next is the
// type of the first one. first says that it is next to the header.
func (d *decoder) extensions(next uint8, b []byte, cut, first bool) verdict {
	for ; ; first = false {
		var n int
		switch next {
		case protoHopByHop, protoRouting, protoDestination, protoMobility, protoHIP, protoShim6:
			if len(b) < 8 {
				return d.short()
			}
			n = 8 + 8*int(b[1])
			if isMobile(next, b) {
				d.depth++ // its way is another one
			}
		case protoAH:
			if len(b) < 8 {
				return d.short()
			}
			n = 8 + 4*int(b[1])
			d.depth++
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
					flawed:   d.seg.flawed || d.seg.noLength,
				}
				return isFragment
			}
			n = 8
		default:
			return d.protocol(next, b)
		}
		if len(b) < n {
			return d.short()
		}
		if badExtension(next, b[:n], d.seg.noLength) || next == protoHopByHop && !first {
			d.seg.flawed = true
		}
		next, b = b[0], b[n:]
	}
}

// payload reads the payload of a packet that was reassembled from its fragments.
func (d *decoder) payload(b []byte) verdict {
	d.cut, d.partial, d.joined = false, false, true
	d.seg.header, d.seg.noLength = nil, false
	switch fr := &d.fragment; {
	case fr.kind == fragmentCAPWAP:
		return d.capwapFrame(fr.protocol, b)
	case fr.kind == fragmentWiFi:
		return d.wifiBody(true, b)
	case fr.kind == fragmentPPP:
		return d.ppp(b)
	case fr.kind == fragmentBatman:
		return d.batman(b)
	case d.seg.ipv6:
		return d.extensions(fr.protocol, b, false, false)
	default:
		return d.protocol(fr.protocol, b)
	}
}

// protocol reads the payload of an IP packet.
func (d *decoder) protocol(protocol uint8, b []byte) verdict {
	switch protocol {
	case protoTCP:
		return d.tcp(b)
	case protoUDP:
		return d.udp(b)
	case protoUDPLite:
		return d.udpLite(b)
	case protoSCTP:
		return d.sctp(b)
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
		d.path.add(layerEtherIP, 0)
		return d.etherType(etherBridging, b[2:])
	case protoEthernet:
		return d.etherType(etherBridging, b)
	case protoAH: // in IPv4
		if len(b) < 8 || len(b) < 8+4*int(b[1]) {
			return d.short()
		}
		if d.deeper() {
			return isTooDeep
		}
		return d.protocol(b[0], b[8+4*int(b[1]):])
	case protoL2TP:
		return d.l2tpIP(b)
	case protoESP:
		return isEncrypted
	}
	return isOther
}

// tcp reads a header as defined in RFC 9293, Section 3.1.
func (d *decoder) tcp(b []byte) verdict {
	if len(b) < 20 { //mutation:equivalent header is compared with the length, too
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
	d.seg.ack = binary.BigEndian.Uint32(b[8:])
	d.seg.flags = b[13]
	d.seg.window = binary.BigEndian.Uint16(b[14:])
	d.seg.urgent = binary.BigEndian.Uint16(b[18:])
	d.seg.options = b[20:header]
	d.seg.payload = b[header:]
	d.seg.whole = b
	if d.partial {
		d.seg.whole = nil
	}
	return isSegment
}

// udp reads a header as defined in RFC 768.
func (d *decoder) udp(b []byte) verdict {
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
	if length > len(b) && !d.partial {
		d.seg.flawed = true
	}
	b = b[:min(length, len(b))]
	d.seg.whole = b
	if d.partial {
		d.seg.whole = nil
	}
	d.path.add(layerUDP, 0)
	d.seg.udp = true
	d.seg.src.port = binary.BigEndian.Uint16(b)
	d.seg.dst.port = binary.BigEndian.Uint16(b[2:])
	d.seg.payload = b[8:]
	return d.tunnel(b[8:])
}
