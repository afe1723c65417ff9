package capture

import "encoding/binary"

// UDP ports of tunnels. Since other protocols may use them too, the headers are checked.
const (
	portGTPU        = 2152
	portTeredo      = 3544
	portVXLAN       = 4789
	portVXLANGPE    = 4790
	portGENEVE      = 6081
	portMPLS        = 6635
	portSCTP        = 9899 // RFC 6951, Section 5.1
	portVXLANBefore = 8472 // the default of Linux, from before the registration
)

// tunnel looks for a packet inside the UDP datagram in seg. If there is none, seg stays as it
// is.
func (d *decoder) tunnel(b []byte) verdict {
	switch d.seg.dst.port {
	case portVXLAN, portVXLANBefore:
		return d.vxlan(b)
	case portVXLANGPE:
		return d.vxlanGPE(b)
	case portGENEVE:
		return d.geneve(b)
	case portGTPU:
		return d.gtpU(b)
	case portMPLS:
		if isMPLS(b) {
			return d.mpls(b)
		}
	case portTeredo:
		return d.teredo(b)
	case portSCTP:
		return d.sctp(b)
	}
	if d.seg.src.port == portTeredo {
		return d.teredo(b)
	}
	return isSegment
}

// vxlan reads the header of RFC 7348, Section 5: flags, of which one is always set,
// 24 reserved bits, which group policies use, VNI, 8 reserved bits.
func (d *decoder) vxlan(b []byte) verdict {
	if len(b) < 8 || b[0]&0x7f != 0x08 || b[7] != 0 {
		return isSegment
	}
	d.path.add(layerVXLAN, vni(b))
	return d.etherType(etherBridging, b[8:])
}

// vxlanGPE reads the header with a protocol field (draft-ietf-nvo3-vxlan-gpe,
// Section 3).
func (d *decoder) vxlanGPE(b []byte) verdict {
	if len(b) < 8 || b[0]&0xf8 != 0x08 || b[7] != 0 {
		return isSegment
	}
	d.path.add(layerVXLAN, vni(b))
	types := [...]uint16{0, etherIPv4, etherIPv6, etherBridging, 0, etherMPLS}
	if p := int(b[3]); b[0]&0x04 != 0 && p < len(types) && types[p] != 0 {
		return d.etherType(types[p], b[8:])
	}
	return d.etherType(etherBridging, b[8:])
}

// geneve reads the header of RFC 8926, Section 3.4: version and length of the
// options in 4-byte units, flags, EtherType, VNI, 8 reserved bits.
func (d *decoder) geneve(b []byte) verdict {
	if len(b) < 8 || b[0]&0xc0 != 0 || b[1]&0x3f != 0 || b[7] != 0 {
		return isSegment
	}
	n := 8 + 4*int(b[0]&0x3f)
	if len(b) < n {
		return d.short()
	}
	d.path.add(layerGENEVE, vni(b))
	return d.etherType(binary.BigEndian.Uint16(b[2:]), b[n:])
}

// vni returns the virtual network identifier, which VXLAN and GENEVE have in the same place.
func vni(b []byte) uint32 { return binary.BigEndian.Uint32(b[4:]) >> 8 }

// gtpU reads the header of a G-PDU (3GPP TS 29.281, Section 5): version and flags,
// type, length, tunnel; if a flag is set, sequence number, N-PDU number and type of the
// first extension header. The payload is an IP packet.
func (d *decoder) gtpU(b []byte) verdict {
	const gPDU = 255
	if len(b) < 8 || b[0]&0xf0 != 0x30 || b[1] != gPDU {
		return isSegment
	}
	n := 8
	if b[0]&0x07 != 0 {
		if n = 12; len(b) < n {
			return d.short()
		}
		for next := b[11]; next != 0; next = b[n-1] {
			if len(b) <= n || b[n] == 0 || len(b) < n+4*int(b[n]) {
				return d.short()
			}
			n += 4 * int(b[n])
		}
	}
	d.path.add(layerGTPU, 0)
	return d.ip(b[n:])
}

// teredo reads the IPv6 packet in a Teredo datagram, after an authentication and an
// origin indication if there are any (RFC 4380, Section 5.1.1).
func (d *decoder) teredo(b []byte) verdict {
	if len(b) >= 4 && b[0] == 0 && b[1] == 1 { //mutation:equivalent 4 or 5 bytes are too few for IPv6
		n := 4 + int(b[2]) + int(b[3]) + 9
		b = b[min(n, len(b)):]
	}
	if len(b) >= 8 && b[0] == 0 && b[1] == 0 { //mutation:equivalent 8 or 9 bytes are too few for IPv6
		b = b[8:]
	}
	if len(b) < 40 || b[0]>>4 != 6 {
		return isSegment
	}
	d.path.add(layerTeredo, 0)
	return d.ipv6(b)
}

// gre reads the header of RFC 2784, Section 2.1 and RFC 2890, and PPTP's variant of it
// (RFC 2637, Section 4.1).
func (d *decoder) gre(b []byte) verdict {
	const (
		checksum    = 0x8000
		routing     = 0x4000
		key         = 0x2000
		sequence    = 0x1000
		acknowledge = 0x0080
		version     = 0x0007
	)
	if len(b) < 4 {
		return d.short()
	}
	flags, protocol := binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
	pptp := flags&version == 1
	if flags&version > 1 || flags&routing != 0 {
		return isOther
	}
	n := 4
	if flags&checksum != 0 {
		n += 4
	}
	if flags&key != 0 {
		n += 4
	}
	if flags&sequence != 0 {
		n += 4
	}
	if pptp && flags&acknowledge != 0 {
		n += 4
	}
	if len(b) < n {
		return d.short()
	}
	b = b[n:]
	d.path.add(layerGRE, 0)
	switch protocol {
	case etherERSPAN:
		// Type I has no header and no sequence number, type II has both.
		if flags&sequence == 0 {
			d.path.add(layerERSPAN, 0)
			return d.etherType(etherBridging, b)
		}
		return d.erspan(b, 8)
	case etherERSPAN3:
		return d.erspan(b, 12)
	case etherWCCP:
		// The second version has a 4-byte header, which cannot begin as IPv4 does.
		if len(b) >= 4 && b[0]>>4 != 4 {
			b = b[4:]
		}
		return d.ipv4(b)
	}
	return d.etherType(protocol, b)
}

// erspan skips the header of a mirrored Ethernet frame: n bytes, and 8 more if a flag of
// type III says so.
func (d *decoder) erspan(b []byte, n int) verdict {
	d.path.add(layerERSPAN, 0)
	if len(b) < n {
		return d.short()
	}
	if n == 12 && b[11]&1 != 0 {
		n += 8
	}
	if len(b) < n { //mutation:equivalent at n the Ethernet header is too short
		return d.short()
	}
	return d.etherType(etherBridging, b[n:])
}
