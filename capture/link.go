package capture

import (
	"encoding/binary"

	"github.com/gopacket/gopacket/layers"
)

// Raw IP has other numbers on some systems; pcapgo names only the one for files.
const (
	linkRawBSD     = layers.LinkType(12)
	linkRawOpenBSD = layers.LinkType(14)
)

// link reads the header of the link layer.
func (d *decoder) link(link layers.LinkType, b []byte) verdict {
	switch link {
	case layers.LinkTypeEthernet:
		return d.ethernet(b)
	case layers.LinkTypeNull, layers.LinkTypeLoop:
		return d.null(b)
	case layers.LinkTypeRaw, linkRawBSD, linkRawOpenBSD, layers.LinkTypeIPv4, layers.LinkTypeIPv6:
		return d.ip(b)
	case layers.LinkTypeLinuxSLL:
		return d.tag(b, 14)
	case layers.LinkTypeLinuxSLL2:
		if len(b) < 20 {
			return d.short()
		}
		return d.etherType(binary.BigEndian.Uint16(b), b[20:])
	case layers.LinkTypePPP, layers.LinkTypePPP_HDLC:
		return d.ppp(b)
	case layers.LinkTypePPPEthernet:
		return d.pppoe(b)
	case layers.LinkTypeC_HDLC:
		return d.tag(b, 2)
	}
	return isUnknownLink
}

// null reads the header of BSD loopback captures: an address family in the byte order
// of the host that made the capture, or in the network's. IPv4 is 2 everywhere, IPv6
// has a number of its own in every system; the version in the packet tells as well.
func (d *decoder) null(b []byte) verdict {
	if len(b) < 4 {
		return d.short()
	}
	family := binary.LittleEndian.Uint32(b)
	if family > 0xffff {
		family = binary.BigEndian.Uint32(b)
	}
	switch family {
	case 2, 10, 23, 24, 28, 30:
		return d.ip(b[4:])
	}
	return isOther
}
