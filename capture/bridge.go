package capture

import "encoding/binary"

// pbb reads the tag of a provider backbone bridge (IEEE 802.1Q, Section 9.7): priorities, flags,
// I-SID, and the customer's frame. A frame with one of two bits set is discarded.
func (d *decoder) pbb(b []byte) verdict {
	if len(b) < 4 {
		return d.short()
	}
	if b[0]&0x03 != 0 {
		return isOther
	}
	d.path.add(layerPBB, binary.BigEndian.Uint32(b)&0xffffff)
	return d.etherType(etherBridging, b[4:])
}

// trill reads the header of RFC 6325, Section 3: version, flags, length of the options in
// 4-byte units, hop count, nicknames.
func (d *decoder) trill(b []byte) verdict {
	if len(b) < 6 {
		return d.short()
	}
	first := binary.BigEndian.Uint16(b)
	if first>>14 != 0 {
		return isOther
	}
	n := 6 + 4*int(first>>6&0x1f)
	if len(b) < n {
		return d.short()
	}
	d.path.add(layerTRILL, 0)
	return d.etherType(etherBridging, b[n:])
}

// fabricPath skips the tag of Cisco's FabricPath: forwarding tag and time to live.
func (d *decoder) fabricPath(b []byte) verdict {
	if len(b) < 2 {
		return d.short()
	}
	d.path.add(layerFabricPath, 0)
	return d.etherType(etherBridging, b[2:])
}

// hsr skips the tag of a ring (IEC 62439-3, Section 5.7): path and length, sequence number,
// EtherType. The first edition had the EtherType of PRP, whose other frames supervise. PRP
// itself has a trailer after the packet.
func (d *decoder) hsr(typ uint16, b []byte) verdict {
	const n = 4
	if len(b) < n+2 {
		return d.short()
	}
	if typ == etherPRP && !isEtherType(b[n:]) {
		d.unknown = typ
		return isUnknownEtherType
	}
	d.path.add(layerHSR, 0)
	return d.tag(b, n)
}

// macsec reads a tag whose flags say that the frame is only authenticated (IEEE 802.1AE,
// Section 9.3): flags, short length, packet number, channel.
func (d *decoder) macsec(b []byte) verdict {
	const version, channel, encrypted, changed = 0x80, 0x20, 0x08, 0x04
	n := 6
	if len(b) < n {
		return d.short()
	}
	switch {
	case b[0]&version != 0:
		return isOther
	case b[0]&(encrypted|changed) != 0:
		return isEncrypted
	case b[0]&channel != 0:
		n += 8
	}
	d.path.add(layerMACsec, 0)
	return d.tag(b, n)
}

// batman reads a frame of B.A.T.M.A.N. advanced (Linux, uapi/linux/batadv_packet.h): type,
// version, TTL, and what the type says.
func (d *decoder) batman(b []byte) verdict {
	if len(b) < 2 {
		return d.short()
	}
	n := 0
	switch [2]byte(b) {
	case [2]byte{0x40, 15}, [2]byte{3, 14}: // unicast
		n = 10
	case [2]byte{0x42, 15}, [2]byte{9, 14}: // with both addresses
		n = 18
	case [2]byte{1, 15}, [2]byte{4, 14}: // broadcast
		n = 14
	case [2]byte{0x41, 15}:
		return d.batmanFragment(b)
	case [2]byte{6, 14}: // fragments
		d.unknown = etherBatman
		return isUnknownEtherType
	default:
		return isOther
	}
	if len(b) < n {
		return d.short()
	}
	d.path.add(layerBatman, 0)
	return d.etherType(etherBridging, b[n:])
}

// batmanFragment reads a fragment of a frame of version 15: type, version, TTL, number and priority,
// destination, originator, sequence number, length of the frame. The end of the frame has number 0.
func (d *decoder) batmanFragment(b []byte) verdict {
	const header, numbers = 20, 1 << 4
	if d.deeper() {
		return isTooDeep
	}
	if len(b) < header {
		return d.short()
	}
	number := b[3] >> 4
	d.fragment = fragment{
		kind:    fragmentBatman,
		id:      uint32(binary.BigEndian.Uint16(b[16:])),
		number:  numbers - 1 - uint32(number),
		last:    number == 0,
		total:   int(binary.BigEndian.Uint16(b[18:])),
		payload: b[header:],
		cut:     d.cut,
		flawed:  d.seg.flawed,
	}
	copy(d.fragment.to[:], b[4:10])
	copy(d.fragment.from[:], b[10:16])
	return isFragment
}
