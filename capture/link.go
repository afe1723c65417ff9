package capture

import "encoding/binary"

// LinkType says what a packet begins with. The numbers are those of pcap and pcapng
// files, which tcpdump.org lists as "link-layer header types".
type LinkType uint16

// The link types that are read. Packets of others are counted in [Stats].
const (
	LinkTypeNull        LinkType = 0 // BSD loopback, address family in the byte order of the host
	LinkTypeEthernet    LinkType = 1
	LinkTypePPP         LinkType = 9   //
	LinkTypeRawBSD      LinkType = 12  // IP, as some systems number it
	LinkTypeRawOpenBSD  LinkType = 14  // IP, as OpenBSD numbers it
	LinkTypePPPHDLC     LinkType = 50  // PPP with HDLC framing
	LinkTypePPPEthernet LinkType = 51  // PPPoE, from its session header on
	LinkTypeRaw         LinkType = 101 // IP of either version
	LinkTypeCiscoHDLC   LinkType = 104 // Cisco HDLC
	LinkTypeLoop        LinkType = 108 // OpenBSD loopback, address family in network byte order
	LinkTypeLinuxSLL    LinkType = 113 // Linux "cooked" capture
	LinkTypeIPv4        LinkType = 228
	LinkTypeIPv6        LinkType = 229
	LinkTypeLinuxSLL2   LinkType = 276 // Linux "cooked" capture, version 2
)

// link reads the header of the link layer.
func (d *decoder) link(link LinkType, b []byte) verdict {
	switch link {
	case LinkTypeEthernet:
		return d.ethernet(b)
	case LinkTypeNull, LinkTypeLoop:
		return d.null(b)
	case LinkTypeRaw, LinkTypeRawBSD, LinkTypeRawOpenBSD, LinkTypeIPv4, LinkTypeIPv6:
		return d.ip(b)
	case LinkTypeLinuxSLL:
		d.path.add(layerSLL, 0)
		return d.tag(b, 14)
	case LinkTypeLinuxSLL2:
		if len(b) < 20 {
			return d.short()
		}
		d.path.add(layerSLL2, 0)
		return d.etherType(binary.BigEndian.Uint16(b), b[20:])
	case LinkTypePPP, LinkTypePPPHDLC:
		d.path.add(layerPPP, 0)
		return d.ppp(b)
	case LinkTypePPPEthernet:
		return d.pppoe(b)
	case LinkTypeCiscoHDLC:
		d.path.add(layerHDLC, 0)
		return d.tag(b, 2)
	}
	d.unknown = uint16(link)
	return isUnknownLink
}

// null reads the header of BSD loopback captures: an address family in the byte order
// of the host that made the capture, or in the network's. IPv4 is 2 everywhere, IPv6
// has a number of its own in every system; the version in the packet tells as well.
func (d *decoder) null(b []byte) verdict {
	if len(b) < 4 {
		return d.short()
	}
	d.path.add(layerNull, 0)
	family := binary.LittleEndian.Uint32(b)
	if family > 0xffff { //mutation:equivalent the numbers beside it are no family in either order
		family = binary.BigEndian.Uint32(b)
	}
	switch family {
	case 2, 10, 23, 24, 28, 30:
		return d.ip(b[4:])
	}
	return isOther
}
