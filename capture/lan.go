package capture

import "encoding/binary"

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

// llc reads the 802.2 header of a frame with a length field: SNAP with an EtherType or with
// a bridged frame (RFC 2684, Section 5.2), NLPIDs (Section 5.1), and IP's own service access point.
func (d *decoder) llc(b []byte) verdict {
	if len(b) < 3 {
		return d.short()
	}
	d.depth++ // its way is another one
	switch [3]byte(b) {
	case [3]byte{0xaa, 0xaa, 3}:
		return d.snap(b[3:], 2)
	case [3]byte{0xfe, 0xfe, 3}:
		return d.nlpid(b[3:])
	case [3]byte{6, 6, 3}:
		return d.ipv4(b[3:])
	}
	return isOther
}

// snap reads an OUI and a protocol. pad is the number of bytes before a bridged frame.
func (d *decoder) snap(b []byte, pad int) verdict {
	if len(b) < 5 {
		return d.short()
	}
	protocol := binary.BigEndian.Uint16(b[3:])
	if bridged := [3]byte(b) == [3]byte{0x00, 0x80, 0xc2}; bridged && (protocol == 1 || protocol == 7) {
		if len(b) < 5+pad {
			return d.short()
		}
		return d.etherType(etherBridging, b[5+pad:])
	}
	return d.etherType(protocol, b[5:])
}

// nlpid reads a network layer protocol identifier, after padding (RFC 2427, Section 3).
func (d *decoder) nlpid(b []byte) verdict {
	if len(b) > 0 && b[0] == 0 {
		b = b[1:]
	}
	if len(b) == 0 {
		return d.short()
	}
	switch b[0] {
	case 0x80:
		return d.snap(b[1:], 0)
	case 0x8e:
		return d.ipv6(b[1:])
	case 0xcc:
		return d.ipv4(b[1:])
	case 0xcf:
		return d.ppp(b[1:])
	}
	return isOther
}

// fddi reads a frame control and addresses (ISO 9314-2, Section 7.3).
func (d *decoder) fddi(b []byte) verdict {
	if len(b) < 13 {
		return d.short()
	}
	d.path.add(layerFDDI, 0)
	d.frame = b[1:]
	if b[0]&0x30 != 0x10 { // no LLC frame
		return isOther
	}
	return d.llc(b[13:])
}

// tokenRing reads access control, frame control, addresses, and the route that the first bit
// of the source address announces (IEEE 802.5, Section 3.2; IEEE 802.1D, Annex C).
func (d *decoder) tokenRing(b []byte) verdict {
	n := 14
	if len(b) < n {
		return d.short()
	}
	d.path.add(layerTokenRing, 0)
	d.frame = b[2:]
	if b[1]&0xc0 != 0x40 { // no LLC frame
		return isOther
	}
	if b[8]&0x80 != 0 {
		if len(b) == n {
			return d.short()
		}
		n += int(b[n] & 0x1f)
	}
	if len(b) < n {
		return d.short()
	}
	return d.llc(b[n:])
}

// fibreChannel reads a frame of FC-2 (FC-FS-3, Section 9) that brings IP (RFC 4338, Section 4).
// Only the first one of a sequence has LLC.
func (d *decoder) fibreChannel(b []byte) verdict {
	const (
		virtualFabric = 0x50
		typeIP        = 0x05
		header        = 24
	)
	d.path.add(layerFibreChannel, 0)
	if len(b) > 0 && b[0] == virtualFabric {
		b = b[min(8, len(b)):]
	}
	if len(b) < header {
		return d.short()
	}
	control := b[13] // DF_CTL, the optional headers
	if b[8] != typeIP || binary.BigEndian.Uint16(b[14:]) != 0 || control&0x20 == 0 {
		return isOther
	}
	n := header + 16
	if control&0x40 != 0 {
		n += 8
	}
	if control&0x10 != 0 {
		n += 32
	}
	if size := control & 3; size > 0 {
		n += 8 << size
	}
	if len(b) < n {
		return d.short()
	}
	return d.llc(b[n:])
}

// dsa skips the tag of a Marvell switch, which begins after skip bytes and takes the place of
// a VLAN tag (Linux, net/dsa/tag_dsa.c).
func (d *decoder) dsa(b []byte, skip int) verdict {
	const size, tagged = 4, 0x20
	if len(b) < skip+size {
		return d.short()
	}
	d.path.add(layerDSA, 0)
	if tag := b[skip:]; tag[0]&tagged != 0 {
		d.path.add(layerVLAN, uint32(binary.BigEndian.Uint16(tag[2:]))&0xfff)
	}
	return d.tag(b, skip+size)
}
