package capture

import "encoding/binary"

// vxlan reads the header of RFC 7348, Section 5: flags, of which one is always set, and VNI.
// The other bits are reserved, or used by group policies, and ignored.
func (d *decoder) vxlan(b []byte) verdict {
	if len(b) < 8 || b[0]&0x08 == 0 || isHandshake(b) {
		return isSegment
	}
	d.path.add(layerVXLAN, vni(b))
	return d.etherType(etherBridging, b[8:])
}

// vxlanGPE reads the header with a version and a protocol field (draft-ietf-nvo3-vxlan-gpe,
// Section 3).
func (d *decoder) vxlanGPE(b []byte) verdict {
	const version, instance, hasProtocol = 0x30, 0x08, 0x04
	if len(b) < 8 || b[0]&(version|instance) != instance || isHandshake(b) {
		return isSegment
	}
	d.path.add(layerVXLAN, vni(b))
	if b[0]&hasProtocol != 0 {
		return d.nextProtocol(b[3], b[8:])
	}
	return d.etherType(etherBridging, b[8:])
}

// nextProtocol reads what VXLAN-GPE, NSH and LISP-GPE number alike (RFC 8300, Section 9.1.4).
// Unknown numbers are taken for Ethernet.
func (d *decoder) nextProtocol(protocol uint8, b []byte) verdict {
	types := [...]uint16{1: etherIPv4, etherIPv6, etherBridging, etherNSH, etherMPLS}
	if int(protocol) < len(types) && types[protocol] != 0 {
		return d.etherType(types[protocol], b)
	}
	return d.etherType(etherBridging, b)
}

// geneve reads the header of RFC 8926, Section 3.4: version and length of the
// options in 4-byte units, flags, EtherType, VNI. Reserved bits are ignored.
func (d *decoder) geneve(b []byte) verdict {
	if len(b) < 8 || b[0]&0xc0 != 0 || isHandshake(b) {
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

// nsh reads a network service header (RFC 8300, Section 2.2): version, flags, length in 4-byte
// units, type of metadata, next protocol.
func (d *decoder) nsh(b []byte) verdict {
	if len(b) < 8 {
		return d.short()
	}
	n := 4 * int(b[1]&0x3f)
	if b[0]&0xc0 != 0 {
		return isOther
	}
	if n < 8 {
		return isBroken
	}
	if len(b) < n {
		return d.short()
	}
	d.path.add(layerNSH, 0)
	return d.nextProtocol(b[3], b[n:])
}

// lisp reads the header of RFC 9300, Section 5.1: flags, nonce, instance. One flag says that
// part of the nonce is the next protocol (RFC 9305, Section 3), two that the payload is
// encrypted (RFC 8061, Section 5). Without these, IP follows.
func (d *decoder) lisp(b []byte) verdict {
	const hasProtocol, encrypted = 0x04, 0x03
	const n = 8
	if len(b) < n || isHandshake(b) {
		return isSegment
	}
	switch {
	case b[0]&encrypted == 0 && b[0]&hasProtocol != 0 && (isIP(b[n:], d.partial) || isEthernet(b[n:], d.partial) || b[3] > 3):
		d.path.add(layerLISP, 0)
		return d.nextProtocol(b[3], b[n:])
	case !isIP(b[n:], d.partial):
		return isSegment
	}
	d.path.add(layerLISP, 0)
	return d.ip(b[n:])
}
