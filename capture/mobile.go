package capture

// gtpU reads the header of a G-PDU (3GPP TS 29.281, Section 5): version and flags,
// type, length, tunnel; if a flag is set, sequence number, N-PDU number and type of the
// first extension header. The payload is an IP packet, or in a session of that kind Ethernet or
// PPP.
func (d *decoder) gtpU(b []byte) verdict {
	if len(b) < 8 || b[0]&0xf0 != 0x30 || b[1] != gPDU {
		return isSegment
	}
	n := 8
	if b[0]&0x07 != 0 {
		if n = 12; len(b) < n {
			return d.short()
		}
		next := b[11]
		if b[0]&0x04 == 0 { // the field has no meaning (3GPP TS 29.281, Section 5.1)
			next = 0
		}
		for ; next != 0; next = b[n-1] {
			if len(b) <= n || b[n] == 0 || len(b) < n+4*int(b[n]) {
				return d.short()
			}
			n += 4 * int(b[n])
		}
	}
	d.path.add(layerGTPU, 0)
	switch b = b[n:]; {
	case len(b) > 0 && b[0] == 0xff:
		return d.ppp(b)
	case !isIP(b, d.partial) && isEthernet(b, d.partial):
		return d.etherType(etherBridging, b)
	}
	return d.ip(b)
}

// gPDU is the type of messages that carry packets.
const gPDU = 255

// gtp reads the header of version 0 (3GPP TS 09.60, Section 6): version and flags, type, length,
// sequence number, flow label, N-PDU number, tunnel.
func (d *decoder) gtp(b []byte) verdict {
	const n = 20
	if len(b) < n || b[0]&0xf0 != 0x10 || b[1] != gPDU {
		return isSegment
	}
	d.path.add(layerGTP, 0)
	if b = b[n:]; len(b) > 0 && b[0] == 0xff {
		return d.ppp(b)
	}
	return d.ip(b)
}
