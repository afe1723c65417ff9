package capture

import "encoding/binary"

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
	length := int(binary.BigEndian.Uint16(b[4:]))
	b = b[6:]
	if _, protocol := pppProtocol(b); protocol == pppMultilink && length < len(b) {
		b = b[:length] // Ethernet pads short frames, but the payload of others has a length of its own
	}
	return d.ppp(b)
}

// Protocols of PPP, as registered in IANA's "Point-to-Point (PPP) Protocol Field Assignments".
const (
	pppIPv4          = 0x0021
	pppBridged       = 0x0031
	pppMultilink     = 0x003d
	pppIPv6          = 0x0057
	pppMPLS          = 0x0281
	pppMPLSMulticast = 0x0283
)

// pppProtocol returns the protocol of a frame with or without address and control field, which
// may be compressed to one byte (RFC 1661, Section 6.5), and what follows it. It is 0 if the frame is
// too short.
func pppProtocol(b []byte) (rest []byte, protocol uint16) {
	if len(b) >= 2 && (b[0] == 0xff || b[0] == 0x0f) && (b[1] == 3 || b[1] == 0) {
		b = b[2:]
	}
	switch {
	case len(b) < 2:
		return nil, 0
	case b[0]&1 != 0:
		return b[1:], uint16(b[0])
	}
	return b[2:], binary.BigEndian.Uint16(b)
}

// ppp reads a frame.
func (d *decoder) ppp(b []byte) verdict {
	if d.deeper() {
		return isTooDeep
	}
	rest, protocol := pppProtocol(b)
	if rest == nil {
		return d.short()
	}
	switch protocol {
	case pppIPv4:
		return d.ipv4(rest)
	case pppIPv6:
		return d.ipv6(rest)
	case pppMPLS, pppMPLSMulticast:
		return d.mpls(rest)
	case pppBridged:
		return d.bridged(rest)
	case pppEAP:
		return d.eap(carrierPPPEAP, rest)
	case pppMultilink:
		return d.multilinkPart(rest)
	}
	return isOther
}

// bridged reads a frame of the Bridging Control Protocol (RFC 3518, Section 4.1): flags, type of the
// frame, and the number of a LAN if a flag says so.
func (d *decoder) bridged(b []byte) verdict {
	const lan, ieee8023 = 0x40, 1
	n := 2
	if len(b) < n {
		return d.short()
	}
	if b[0]&lan != 0 {
		n += 4
	}
	if b[1] != ieee8023 {
		return isOther
	}
	if len(b) < n {
		return d.short()
	}
	return d.etherType(etherBridging, b[n:])
}

// serial reads what captures of serial lines have: PPP, or the framing of Cisco, which has an
// EtherType.
func (d *decoder) serial(b []byte) verdict {
	cisco := len(b) >= 2 && (b[0] == 0x0f || b[0] == 0x8f) && b[1] == 0
	if cisco && (len(b) < 4 || b[2] >= 0x08) {
		return d.hdlc(b)
	}
	d.path.add(layerPPP, 0)
	return d.ppp(b)
}

// frameRelay reads the address of Q.922, of which the last byte has its first bit set, and
// what RFC 2427, Section 3 or Cisco put after it: a control field with an NLPID, or an
// EtherType.
func (d *decoder) frameRelay(b []byte) verdict {
	d.path.add(layerFrameRelay, 0)
	n := 1 // of the address
	for n < 4 && n < len(b) && b[n-1]&1 == 0 {
		n++
	}
	if len(b) <= n {
		return d.short()
	}
	if n == 1 || b[n-1]&1 == 0 {
		return isOther
	}
	const unnumbered = 3
	if b[n] == unnumbered {
		return d.nlpid(b[n+1:])
	}
	return d.tag(b, n)
}

// hdlc reads Cisco's framing: address, control, EtherType.
func (d *decoder) hdlc(b []byte) verdict {
	d.path.add(layerHDLC, 0)
	return d.tag(b, 2)
}

// atm reads a frame of AAL5: LLC, or IP in a connection of its own (RFC 2684, Sections 5 and 6).
func (d *decoder) atm(b []byte) verdict {
	d.path.add(layerATM, 0)
	if len(b) > 0 && (b[0]>>4 == 4 || b[0]>>4 == 6) {
		return d.ip(b)
	}
	return d.llc(b)
}

// sunATM reads the header of SunATM: direction and traffic type, VPI, VCI. LAN emulation has
// a 2-byte identifier before its Ethernet frame.
func (d *decoder) sunATM(b []byte) verdict {
	const lane, llc = 1, 2
	if len(b) < 6 {
		return d.short()
	}
	switch b[0] & 0x0f {
	case llc:
		return d.atm(b[4:])
	case lane:
		d.path.add(layerATM, 0)
		if b[4] == 0xff { // control
			return isOther
		}
		return d.ethernet(b[6:])
	}
	return isOther
}
