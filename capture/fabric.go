package capture

import "encoding/binary"

// ipoib reads IP over InfiniBand (RFC 4391, Section 6) after a pseudo-header like a global
// routing header of 40 bytes.
func (d *decoder) ipoib(b []byte) verdict {
	const pseudo = 40
	if len(b) < pseudo+4 {
		return d.short()
	}
	d.path.add(layerIPoIB, 0)
	return d.etherType(binary.BigEndian.Uint16(b[pseudo:]), b[pseudo+4:])
}

// infiniBand reads the local routing header (InfiniBand Architecture 1.3, Section 7.7), the
// global one if there is one, the transport headers of a datagram or of a message in one packet,
// and IP over InfiniBand in these.
func (d *decoder) infiniBand(b []byte) verdict {
	const (
		raw, ipv6, local, global = 0, 1, 2, 3
		sendOnly                 = 0x04 // operation, the lower 5 bits of the opcode
		sendOnlyImmediate        = 0x05
		datagram                 = 0x60 // transport, the upper 3 bits
	)
	n := 8
	if len(b) < n {
		return d.short()
	}
	d.path.add(layerInfiniBand, 0)
	switch b[1] & 3 {
	case raw:
		return d.tag(b, n+2)
	case ipv6:
		return d.ipv6(b[n:])
	case global:
		n += 40
	}
	if len(b) < n+12 {
		return d.short()
	}
	opcode := b[n]
	n += 12
	if opcode&0xe0 == datagram {
		n += 8
	}
	switch opcode & 0x1f {
	case sendOnlyImmediate:
		n += 4
	case sendOnly:
	default:
		return isOther
	}
	if len(b) < n+4 {
		return d.short()
	}
	if binary.BigEndian.Uint16(b[n+2:]) != 0 { // reserved in IPoIB
		return isOther
	}
	d.path.add(layerIPoIB, 0)
	return d.etherType(binary.BigEndian.Uint16(b[n:]), b[n+4:])
}

// erf reads an Extensible Record Format record of Endace: time, type, flags, lengths, and
// extension headers of 8 bytes, each of which says if another one follows.
func (d *decoder) erf(b []byte) verdict {
	n := 16
	if len(b) < n {
		return d.short()
	}
	typ := b[8] & 0x7f
	for more := b[8]&0x80 != 0; more; n += 8 {
		if len(b) < n+8 {
			return d.short()
		}
		more = b[n]&0x80 != 0
	}
	d.path.add(layerERF, 0)
	b = b[n:]
	switch typ {
	case 2, 11, 16, 20: // Ethernet, after two bytes
		return d.after(2, b, (*decoder).ethernet)
	case 1, 10, 15, 19: // HDLC
		return d.erfHDLC(b)
	case 5, 17: // with a channel
		return d.after(4, b, (*decoder).erfHDLC)
	case 4: // AAL5, after the header of a cell
		return d.after(4, b, (*decoder).atm)
	case 9: // with a channel
		return d.after(8, b, (*decoder).atm)
	case 21:
		return d.infiniBand(b)
	case 22, 23:
		return d.ip(b)
	}
	return isOther
}

// erfHDLC reads PPP, Cisco's HDLC or Frame Relay, which the first byte tells from each other.
func (d *decoder) erfHDLC(b []byte) verdict {
	switch {
	case len(b) == 0:
		return d.short()
	case b[0] == 0x0f || b[0] == 0x8f:
		return d.hdlc(b)
	case b[0] == 0xff || b[0] == 0x21:
		d.path.add(layerPPP, 0)
		return d.ppp(b)
	}
	return d.frameRelay(b)
}
