package capture

import "encoding/binary"

// nflog reads a message of Linux netfilter (linux/netfilter/nfnetlink_log.h): family, version,
// group, and attributes, whose lengths and types are in the byte order of the host. The packet
// is from IP on. The rule may have cut it, which the capture does not tell.
func (d *decoder) nflog(b []byte) verdict {
	const (
		bridge                         = 7 // family
		packetHeader, payload, maxType = 1, 9, 0x40
	)
	if len(b) < 4 {
		return d.short()
	}
	if b[1] != 0 {
		return isBroken
	}
	d.path.add(layerNFLOG, 0)
	family, protocol := b[0], uint16(0)
	for b = b[4:]; len(b) >= 4; {
		n, typ := int(binary.LittleEndian.Uint16(b)), binary.LittleEndian.Uint16(b[2:])
		if typ&0x7fff >= maxType {
			n, typ = int(binary.BigEndian.Uint16(b)), binary.BigEndian.Uint16(b[2:])
		}
		if n < 4 {
			return isBroken
		}
		if n > len(b) {
			return d.short()
		}
		switch value := b[4:n]; {
		case typ == packetHeader && len(value) >= 2:
			protocol = binary.BigEndian.Uint16(value)
		case typ == payload && family == bridge:
			return d.etherType(protocol, value)
		case typ == payload:
			d.cut = d.cut || isIP(value, true) && !isIP(value, false)
			return d.ip(value)
		}
		b = b[min((n+3)&^3, len(b)):]
	}
	return isOther
}

// pktap reads the header of macOS: its length, the kind of record, the link type, fields.
func (d *decoder) pktap(b []byte) verdict {
	const packet = 1
	if d.deeper() {
		return isTooDeep
	}
	if len(b) < 12 {
		return d.short()
	}
	n := binary.LittleEndian.Uint32(b)
	if n < 12 {
		return isBroken
	}
	if uint64(n) > uint64(len(b)) {
		return d.short()
	}
	if binary.LittleEndian.Uint32(b[4:]) != packet {
		return isOther
	}
	d.path.add(layerPKTAP, 0)
	return d.inner(binary.LittleEndian.Uint32(b[8:]), b[n:])
}

// openBSD reads the headers of pf's log and of IPsec, which come before IP. That of pf has its
// length, which a multiple of 4 follows.
func (d *decoder) openBSD(link LinkType, b []byte) verdict {
	kind, n := layerEnc, 12
	switch link {
	case LinkTypePFLogOpenBSD:
		kind, n = layerPFLog, 28
	case LinkTypePFLog:
		if len(b) == 0 {
			return d.short()
		}
		kind, n = layerPFLog, (int(b[0])+3)&^3
	}
	d.path.add(kind, 0)
	return d.after(n, b, (*decoder).ip)
}

// direction reads PPP after a byte that says its direction, and that may be in place of the
// address field.
func (d *decoder) direction(b []byte) verdict {
	if len(b) > 0 && b[0] == 3 {
		b = b[1:]
	}
	return d.ppp(b)
}
