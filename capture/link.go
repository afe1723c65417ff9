package capture

import "encoding/binary"

// LinkType says what a packet begins with. The numbers are those of pcap and pcapng
// files, which tcpdump.org lists as "link-layer header types".
type LinkType uint16

// The link types that are read. Packets of others are counted in [Stats].
const (
	LinkTypeNull                LinkType = 0 // BSD loopback, address family in the byte order of the host
	LinkTypeEthernet            LinkType = 1
	LinkTypeTokenRing           LinkType = 6
	LinkTypePPP                 LinkType = 9
	LinkTypeFDDI                LinkType = 10
	LinkTypeATMBSD              LinkType = 11 // ATM, as systems number it
	LinkTypeRawBSD              LinkType = 12 // IP, as some systems number it
	LinkTypeEncOpenBSD          LinkType = 13 // IPsec, as OpenBSD numbers it
	LinkTypeRawOpenBSD          LinkType = 14 // IP, as OpenBSD numbers it
	LinkTypePFLogOpenBSD        LinkType = 17 // log of pf, before OpenBSD 3.4
	LinkTypeATMClassicalIPLinux LinkType = 19 // as Linux numbers it
	LinkTypePPPHDLC             LinkType = 50 // PPP with HDLC framing
	LinkTypePPPEthernet         LinkType = 51 // PPPoE, from its session header on
	LinkTypeATM                 LinkType = 100
	LinkTypeRaw                 LinkType = 101 // IP of either version
	LinkTypeCiscoHDLC           LinkType = 104
	LinkTypeWiFi                LinkType = 105 // 802.11
	LinkTypeATMClassicalIP      LinkType = 106
	LinkTypeFrameRelay          LinkType = 107
	LinkTypeLoop                LinkType = 108 // OpenBSD loopback, address family in network byte order
	LinkTypeEnc                 LinkType = 109 // IPsec of OpenBSD, deciphered
	LinkTypeLinuxSLL            LinkType = 113 // Linux "cooked" capture
	LinkTypePFLog               LinkType = 117 // log of pf
	LinkTypePrism               LinkType = 119 // 802.11 with a header
	LinkTypeIPOverFC            LinkType = 122
	LinkTypeSunATM              LinkType = 123
	LinkTypeRadiotap            LinkType = 127 // 802.11 with a header
	LinkTypeTZSP                LinkType = 128
	LinkTypeJuniperMLPPP        LinkType = 130
	LinkTypeJuniperMLFR         LinkType = 131
	LinkTypeJuniperES           LinkType = 132
	LinkTypeJuniperGGSN         LinkType = 133
	LinkTypeJuniperMFR          LinkType = 134
	LinkTypeJuniperATM2         LinkType = 135
	LinkTypeJuniperServices     LinkType = 136
	LinkTypeJuniperATM1         LinkType = 137
	LinkTypeIEEE1394            LinkType = 138
	LinkTypeAVS                 LinkType = 163 // 802.11 with a header
	LinkTypeJuniperMonitor      LinkType = 164
	LinkTypePPPD                LinkType = 166 // PPP whose first byte is the direction
	LinkTypeJuniperPPPoE        LinkType = 167
	LinkTypeJuniperPPPoEATM     LinkType = 168
	LinkTypeERFEthernet         LinkType = 175
	LinkTypeERFPOS              LinkType = 176
	LinkTypeJuniperEthernet     LinkType = 178
	LinkTypeJuniperPPP          LinkType = 179
	LinkTypeJuniperFrameRelay   LinkType = 180
	LinkTypeJuniperCiscoHDLC    LinkType = 181
	LinkTypeJuniperVP           LinkType = 183
	LinkTypePPI                 LinkType = 192 // a header with another link type
	LinkTypeJuniperISM          LinkType = 194
	LinkTypeERF                 LinkType = 197
	LinkTypeJuniperST           LinkType = 200
	LinkTypePPPDirection        LinkType = 204
	LinkTypeCiscoHDLCDirection  LinkType = 205
	LinkTypeFrameRelayDirection LinkType = 206
	LinkTypeMPLS                LinkType = 219
	LinkTypeFC2                 LinkType = 224 // Fibre Channel
	LinkTypeFC2Delimiters       LinkType = 225 // the same between delimiters
	LinkTypeIPNET               LinkType = 226 // Solaris
	LinkTypeIPv4                LinkType = 228
	LinkTypeIPv6                LinkType = 229
	LinkTypeJuniperVS           LinkType = 232
	LinkTypeJuniperSRX          LinkType = 233
	LinkTypeJuniperATMCEMIC     LinkType = 238
	LinkTypeNFLOG               LinkType = 239 // log of Linux netfilter
	LinkTypeNetAnalyzer         LinkType = 240 // a header with Ethernet
	LinkTypeNetAnalyzerPreamble LinkType = 241 // the same with its preamble
	LinkTypeIPoIB               LinkType = 242 // IP over InfiniBand
	LinkTypeInfiniBand          LinkType = 247
	LinkTypeSCTP                LinkType = 248
	LinkTypeExportedPDU         LinkType = 252 // Wireshark: tags, and what a dissector was given
	LinkTypePKTAP               LinkType = 258 // a header of macOS with another link type
	LinkTypeEPON                LinkType = 259
	LinkTypeLinuxSLL2           LinkType = 276 // Linux "cooked" capture, version 2
	LinkTypeDSABroadcom         LinkType = 281 // Ethernet with the tag of a switch
	LinkTypeDSABroadcomPrepend  LinkType = 282
	LinkTypeDSA                 LinkType = 284
	LinkTypeDSAEtherType        LinkType = 285
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
		if len(b) < 16 {
			return d.short()
		}
		d.sender(b[1], b[6:])
		return d.cooked(binary.BigEndian.Uint16(b[14:]), b[16:])
	case LinkTypeLinuxSLL2:
		if len(b) < 20 {
			return d.short()
		}
		d.path.add(layerSLL2, 0)
		d.sender(b[10], b[12:])
		return d.cooked(binary.BigEndian.Uint16(b), b[20:])
	case LinkTypePPP, LinkTypePPPHDLC:
		return d.serial(b)
	case LinkTypePPPEthernet:
		return d.pppoe(b)
	case LinkTypeCiscoHDLC:
		return d.hdlc(b)
	case LinkTypeMPLS:
		return d.mpls(b)
	case LinkTypeTZSP:
		return d.tzsp(b)
	case LinkTypePPPD, LinkTypePPPDirection:
		d.path.add(layerPPP, 0)
		d.sender(0, b[:min(1, len(b))])
		return d.after(1, b, (*decoder).direction)
	case LinkTypeCiscoHDLCDirection:
		return d.after(1, b, (*decoder).hdlc)
	case LinkTypeFrameRelay:
		return d.frameRelay(b)
	case LinkTypeFrameRelayDirection:
		return d.after(1, b, (*decoder).frameRelay)
	case LinkTypeNFLOG:
		return d.nflog(b)
	case LinkTypePKTAP:
		return d.pktap(b)
	case LinkTypePFLog, LinkTypePFLogOpenBSD, LinkTypeEnc, LinkTypeEncOpenBSD:
		return d.openBSD(link, b)
	case LinkTypeSCTP:
		d.withoutIP()
		return d.sctp(b)
	case LinkTypeExportedPDU:
		return d.exportedPDU(b)
	case LinkTypeIPNET: // version, family, hook, length, interfaces, zones
		d.path.add(layerIPNET, 0)
		return d.after(24, b, (*decoder).ip)
	}
	return d.wireless(link, b)
}

// cooked reads a packet with the protocol of a cooked header: an EtherType, or a number of Linux.
func (d *decoder) cooked(protocol uint16, b []byte) verdict {
	const wanPPP = 7 // ETH_P_WAN_PPP in linux/if_ether.h
	if protocol == wanPPP {
		return d.serial(b)
	}
	return d.etherType(protocol, b)
}

// after skips n bytes before what next reads.
func (d *decoder) after(n int, b []byte, next func(*decoder, []byte) verdict) verdict {
	if len(b) < n {
		return d.short()
	}
	return next(d, b[n:])
}

// wireless reads the headers of 802.11.
func (d *decoder) wireless(link LinkType, b []byte) verdict {
	switch link {
	case LinkTypeWiFi:
		return d.wifi(b, 0)
	case LinkTypeRadiotap:
		return d.radiotap(b)
	case LinkTypePPI:
		return d.ppi(b)
	case LinkTypePrism:
		return d.prism(b)
	case LinkTypeAVS:
		return d.avs(b)
	}
	return d.wired(link, b)
}

// wired reads the headers of other networks, and of Ethernet as some devices write it.
func (d *decoder) wired(link LinkType, b []byte) verdict {
	switch link {
	case LinkTypeTokenRing:
		return d.tokenRing(b)
	case LinkTypeFDDI:
		return d.fddi(b)
	case LinkTypeATM, LinkTypeATMBSD, LinkTypeATMClassicalIP, LinkTypeATMClassicalIPLinux:
		return d.atm(b)
	case LinkTypeSunATM:
		return d.sunATM(b)
	case LinkTypeIPOverFC: // the network header of RFC 2625, Section 3.2
		d.path.add(layerFibreChannel, 0)
		return d.after(16, b, (*decoder).llc)
	case LinkTypeFC2:
		return d.fibreChannel(b)
	case LinkTypeFC2Delimiters:
		return d.after(4, b, (*decoder).fibreChannel)
	case LinkTypeIEEE1394: // two addresses of 8 bytes
		d.path.add(layerIEEE1394, 0)
		return d.tag(b, 16)
	case LinkTypeIPoIB:
		return d.ipoib(b)
	case LinkTypeInfiniBand:
		return d.infiniBand(b)
	case LinkTypeERF, LinkTypeERFEthernet, LinkTypeERFPOS:
		return d.erf(b)
	case LinkTypeNetAnalyzer:
		return d.after(4, b, (*decoder).ethernet)
	case LinkTypeEPON: // a preamble that names the link
		return d.after(8, b, (*decoder).ethernet)
	case LinkTypeNetAnalyzerPreamble:
		return d.after(4+8, b, (*decoder).ethernet)
	case LinkTypeDSABroadcom: // the tag is after the addresses
		d.path.add(layerEthernet, 0)
		d.path.add(layerDSA, 0)
		return d.tag(b, 12+4)
	case LinkTypeDSABroadcomPrepend:
		d.path.add(layerDSA, 0)
		return d.after(4, b, (*decoder).ethernet)
	case LinkTypeDSA:
		d.path.add(layerEthernet, 0)
		return d.dsa(b, 12)
	case LinkTypeDSAEtherType: // and an EtherType, and two reserved bytes
		d.path.add(layerEthernet, 0)
		return d.dsa(b, 12+4)
	}
	return d.juniper(link, b)
}

// inner reads a packet with a link type that a header named.
func (d *decoder) inner(link uint32, b []byte) verdict {
	if link > 0xffff {
		return isBroken
	}
	return d.link(LinkType(link), b)
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

// sender notes the address of the sender, the only one in cooked captures, and the type of the
// packet, which says whether the host took it.
func (d *decoder) sender(typ byte, address []byte) {
	d.ends = [12]byte{typ}
	copy(d.ends[6:], address)
	d.frame = d.ends[:]
}
