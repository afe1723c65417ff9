package capture_test

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/capture"
)

func le16(n int) []byte    { return binary.LittleEndian.AppendUint16(nil, uint16(n)) }
func le32(n int) []byte    { return binary.LittleEndian.AppendUint32(nil, uint32(n)) }
func zeros(n int) []byte   { return make([]byte, n) }
func snap(b []byte) []byte { return join([]byte{0xaa, 0xaa, 3, 0, 0, 0}, be16(0x0800), b) }

// wifi is an 802.11 frame with a frame control, and between the addresses and LLC what it
// asks for.
func wifi(control, flags byte, rest []byte, llc []byte) []byte {
	return join([]byte{control, flags}, zeros(22), rest, llc)
}

// attribute is one of netlink.
func attribute(typ int, value []byte) []byte {
	return join(le16(4+len(value)), le16(typ), value, zeros(-len(value)&3))
}

// placed is a packet with a hello, and the path to it.
type placed struct {
	path   string
	packet capture.Packet
}

// onLinks are packets of each link type that has something before IP.
func onLinks() map[string]placed {
	packet := func(path string, l capture.LinkType, parts ...[]byte) placed {
		return placed{path, capture.Packet{Link: l, Data: join(parts...)}}
	}
	frame := ethernet(0x0800, ip4())
	data := wifi(0x08, 1, nil, snap(ip4()))
	mgc := func(flags byte) []byte { return []byte{'M', 'G', 'C', flags} }
	grh := zeros(40)
	erf := func(typ byte, rest []byte) []byte {
		return join(zeros(8), []byte{typ, 4}, be16(16+len(rest)), zeros(2), be16(len(rest)), rest)
	}
	pktap := join(le32(108), le32(1), le32(12), zeros(96))
	fc := join([]byte{4}, zeros(7), []byte{5}, zeros(4), []byte{0x20}, zeros(10))
	return map[string]placed{
		"802.11":                     packet("wlan ipv4 tcp", 105, data),
		"802.11, QoS":                packet("wlan ipv4 tcp", 105, wifi(0x88, 2, zeros(2), snap(ip4()))),
		"802.11, QoS and HT":         packet("wlan ipv4 tcp", 105, wifi(0x88, 0x82, zeros(6), snap(ip4()))),
		"802.11, four addresses":     packet("wlan ipv4 tcp", 105, wifi(0x08, 3, zeros(6), snap(ip4()))),
		"802.11, all of it":          packet("wlan ipv4 tcp", 105, wifi(0x88, 0x83, zeros(12), snap(ip4()))),
		"802.11, mesh":               packet("wlan ipv4 tcp", 105, wifi(0x88, 3, join(zeros(6), []byte{0, 1}, []byte{1, 9, 0, 0, 0, 0}, zeros(6)), snap(ip4()))),
		"802.11, FCS":                packet("wlan ipv4 tcp", 105, data, []byte{1, 2, 3, 4}),
		"802.11, deciphered":         packet("wlan ipv4 tcp", 105, wifi(0x08, 0x41, nil, snap(ip4()))),
		"A-MSDU":                     packet("wlan ipv4 tcp", 105, wifi(0x88, 1, []byte{0x80, 0}, join(zeros(12), be16(8+len(ip4())), snap(ip4())))),
		"radiotap":                   packet("radiotap wlan ipv4 tcp", 127, []byte{0, 0, 8, 0}, zeros(4), data),
		"radiotap, padded":           packet("radiotap wlan ipv4 tcp", 127, []byte{0, 0, 17, 0, 3, 0, 0, 0}, zeros(8), []byte{0x20}, wifi(0x88, 1, zeros(4), snap(ip4()))),
		"radiotap, not padded":       packet("radiotap wlan ipv4 tcp", 127, []byte{0, 0, 13, 0, 2, 0, 0, 0x80}, zeros(4), []byte{0x10}, wifi(0x88, 1, zeros(2), snap(ip4()))),
		"PPI":                        packet("ppi wlan ipv4 tcp", 192, []byte{0, 0, 12, 0}, le32(105), zeros(4), data),
		"PPI, Ethernet":              packet("ppi eth ipv4 tcp", 192, []byte{0, 0, 8, 0}, le32(1), frame),
		"Prism":                      packet("prism wlan ipv4 tcp", 119, le32(0x44), le32(144), zeros(136), data),
		"Prism, big-endian":          packet("prism wlan ipv4 tcp", 119, be32(0x44), be32(144), zeros(136), data),
		"Prism, no length":           packet("prism wlan ipv4 tcp", 119, le32(0x44), le32(0), zeros(136), data),
		"Prism, AVS":                 packet("avs wlan ipv4 tcp", 119, []byte{0x80, 0x21, 0x10, 0x01}, be32(64), zeros(56), data),
		"AVS":                        packet("avs wlan ipv4 tcp", 163, []byte{0x80, 0x21, 0x10, 0x02}, be32(64), zeros(56), data),
		"NFLOG":                      packet("nflog ipv4 tcp", 239, []byte{2, 0, 0, 1}, attribute(1, []byte{8, 0, 1, 0}), attribute(10, zeros(5)), attribute(9, ip4())),
		"NFLOG, big-endian":          packet("nflog ipv6 tcp", 239, []byte{10, 0, 0, 1}, be16(8), be16(1), zeros(4), be16(4+len(ip6())), be16(9), ip6()),
		"NFLOG, bridge":              packet("nflog ipv6 tcp", 239, []byte{7, 0, 0, 1}, attribute(1, []byte{0x86, 0xdd, 1, 0}), attribute(9, ip6())),
		"exported PDU, Ethernet":     packet("exported_pdu eth ipv4 tcp", 252, pduOf("eth_withoutfcs", tlv(30, be32(7)), frame)),
		"exported PDU, IP":           packet("exported_pdu ipv6 tcp", 252, pduOf("ip\x00\x00", pduEnds(2, client, server), ip6())),
		"exported PDU, TCP":          packet("exported_pdu ipv4 tcp", 252, pduOf("tcp\x00", pduEnds(2, client, server), ip4()[20:])),
		"exported PDU, segment":      packet("exported_pdu ipv4 tcp", 252, pduSegment(client, server, 1, ack, hello())),
		"exported PDU, over IPv6":    packet("exported_pdu ipv6 tcp", 252, pduSegment(client6, server6, 1, ack, hello())),
		"PKTAP":                      packet("pktap ipv4 tcp", 258, pktap, ip4()),
		"PFLOG":                      packet("pflog ipv4 tcp", 117, []byte{61, 2}, zeros(62), ip4()),
		"PFLOG, newer":               packet("pflog ipv6 tcp", 117, []byte{100, 24}, zeros(98), ip6()),
		"PFLOG, older":               packet("pflog ipv4 tcp", 17, be32(2), zeros(24), ip4()),
		"ENC":                        packet("enc ipv4 tcp", 109, le32(2), zeros(8), ip4()),
		"ENC, older":                 packet("enc ipv6 tcp", 13, zeros(12), ip6()),
		"ipnet":                      packet("ipnet ipv4 tcp", 226, []byte{2, 2}, zeros(22), ip4()),
		"IPoIB":                      packet("ipoib ipv4 tcp", 242, grh, be16(0x0800), zeros(2), ip4()),
		"InfiniBand":                 packet("infiniband ipoib ipv4 tcp", 247, []byte{0, 2}, zeros(6), []byte{0x64}, zeros(11), zeros(8), be16(0x0800), zeros(2), ip4(), zeros(6)),
		"InfiniBand, global":         packet("infiniband ipoib ipv6 tcp", 247, []byte{0, 3}, zeros(6), grh, []byte{0x65}, zeros(11), zeros(12), be16(0x86dd), zeros(2), ip6()),
		"InfiniBand, connected":      packet("infiniband ipoib ipv4 tcp", 247, []byte{0, 2}, zeros(6), []byte{0x04}, zeros(11), be16(0x0800), zeros(2), ip4()),
		"InfiniBand, raw":            packet("infiniband ipv4 tcp", 247, []byte{0, 0}, zeros(6), zeros(2), be16(0x0800), ip4()),
		"InfiniBand, IPv6":           packet("infiniband ipv6 tcp", 247, []byte{0, 1}, zeros(6), ip6()),
		"ERF, Ethernet":              packet("erf eth ipv4 tcp", 197, erf(2, join(zeros(2), frame))),
		"ERF, extension headers":     packet("erf eth ipv4 tcp", 197, zeros(8), []byte{0x80 | 2, 4}, zeros(6), []byte{0x80}, zeros(7), zeros(8), zeros(2), frame),
		"ERF, PPP":                   packet("erf ppp ipv4 tcp", 197, erf(1, join([]byte{0xff, 3, 0, 0x21}, ip4()))),
		"ERF, Cisco HDLC":            packet("erf hdlc ipv4 tcp", 176, erf(10, join([]byte{0x0f, 0}, be16(0x0800), ip4()))),
		"ERF, Frame Relay":           packet("erf frelay ipv4 tcp", 197, erf(5, join(zeros(4), []byte{0x18, 0x41, 3, 0xcc}, ip4()))),
		"ERF, AAL5":                  packet("erf atm ipv4 tcp", 197, erf(4, join(zeros(4), snap(ip4())))),
		"ERF, AAL5, channel":         packet("erf atm ipv4 tcp", 197, erf(9, join(zeros(8), snap(ip4())))),
		"ERF, IP":                    packet("erf ipv6 tcp", 197, erf(23, ip6())),
		"ERF, InfiniBand":            packet("erf infiniband ipv6 tcp", 197, erf(21, join([]byte{0, 1}, zeros(6), ip6()))),
		"ERF, coloured Ethernet":     packet("erf eth ipv4 tcp", 175, erf(11, join(zeros(2), frame))),
		"Frame Relay":                packet("frelay ipv4 tcp", 107, []byte{0x18, 0x41, 3, 0xcc}, ip4()),
		"Frame Relay, 3 bytes":       packet("frelay ipv4 tcp", 107, []byte{0x18, 0x40, 0x01, 3, 0xcc}, ip4()),
		"Frame Relay, 4 bytes":       packet("frelay ipv6 tcp", 107, []byte{0x18, 0x40, 0x00, 0x01, 3, 0x8e}, ip6()),
		"Frame Relay, padding":       packet("frelay ipv4 tcp", 107, []byte{0x18, 0x41, 3, 0, 0xcc}, ip4()),
		"Frame Relay, SNAP":          packet("frelay ipv4 tcp", 107, []byte{0x18, 0x41, 3, 0, 0x80, 0, 0, 0}, be16(0x0800), ip4()),
		"Frame Relay, bridged":       packet("frelay eth ipv4 tcp", 107, []byte{0x18, 0x41, 3, 0, 0x80, 0, 0x80, 0xc2, 0, 7}, frame),
		"Frame Relay, PPP":           packet("frelay ipv4 tcp", 107, []byte{0x18, 0x41, 3, 0xcf, 0, 0x21}, ip4()),
		"Frame Relay, Cisco":         packet("frelay ipv4 tcp", 107, []byte{0x18, 0x41}, be16(0x0800), ip4()),
		"Frame Relay with direction": packet("frelay ipv4 tcp", 206, []byte{1, 0x18, 0x41, 3, 0xcc}, ip4()),
		"PPP with direction":         packet("ppp ipv4 tcp", 204, []byte{1, 0xff, 3, 0, 0x21}, ip4()),
		"PPP with direction, short":  packet("ppp ipv4 tcp", 204, []byte{0, 0, 0x21}, ip4()),
		"PPP of pppd":                packet("ppp ipv4 tcp", 166, []byte{1, 3, 0, 0x21}, ip4()),
		"Cisco HDLC with direction":  packet("hdlc ipv4 tcp", 205, []byte{1, 0x0f, 0}, be16(0x0800), ip4()),
		"ATM":                        packet("atm ipv4 tcp", 100, snap(ip4())),
		"ATM, bridged":               packet("atm eth ipv4 tcp", 11, []byte{0xaa, 0xaa, 3, 0, 0x80, 0xc2, 0, 7, 0, 0}, frame),
		"ATM, NLPID":                 packet("atm ipv4 tcp", 100, []byte{0xfe, 0xfe, 3, 0xcc}, ip4()),
		"ATM, PPP":                   packet("atm ipv4 tcp", 100, []byte{0xfe, 0xfe, 3, 0xcf, 0, 0x21}, ip4()),
		"classical IP":               packet("atm ipv4 tcp", 106, ip4()),
		"classical IP, SNAP":         packet("atm ipv4 tcp", 19, snap(ip4())),
		"SunATM":                     packet("atm ipv4 tcp", 123, []byte{0x82, 0, 0, 5}, snap(ip4())),
		"SunATM, LAN emulation":      packet("atm eth ipv4 tcp", 123, []byte{0x81, 0, 0, 5, 0, 1}, frame),
		"FDDI":                       packet("fddi ipv4 tcp", 10, []byte{0x57}, zeros(12), snap(ip4())),
		"Token Ring":                 packet("tr ipv4 tcp", 6, []byte{0x10, 0x40}, zeros(12), snap(ip4())),
		"Token Ring, routed":         packet("tr ipv4 tcp", 6, []byte{0x10, 0x40}, zeros(6), []byte{0x80}, zeros(5), []byte{6, 0x30, 0, 1, 0, 2}, snap(ip4())),
		"IP over Fibre Channel":      packet("fc ipv4 tcp", 122, zeros(16), snap(ip4())),
		"Fibre Channel":              packet("fc ipv4 tcp", 224, fc, zeros(16), snap(ip4())),
		"Fibre Channel, fabric":      packet("fc ipv4 tcp", 224, []byte{0x50}, zeros(7), fc, zeros(16), snap(ip4())),
		"Fibre Channel, all headers": packet("fc ipv4 tcp", 224, fc[:13], []byte{0x71}, fc[14:], zeros(16+8+32+16), snap(ip4())),
		"Fibre Channel, delimiters":  packet("fc ipv4 tcp", 225, zeros(4), fc, zeros(16), snap(ip4()), zeros(4)),
		"IEEE 1394":                  packet("ieee1394 ipv4 tcp", 138, zeros(16), be16(0x0800), ip4()),
		"DSA, Broadcom":              packet("eth dsa ipv4 tcp", 281, zeros(16), be16(0x0800), ip4()),
		"DSA, Broadcom, prepended":   packet("dsa eth ipv4 tcp", 282, zeros(4), frame),
		"DSA":                        packet("eth dsa ipv4 tcp", 284, zeros(12), []byte{0xc0, 0, 0, 1}, be16(0x0800), ip4()),
		"DSA, tagged":                packet("eth dsa vlan:291 ipv4 tcp", 284, zeros(12), []byte{0xe0, 0, 0x11, 0x23}, be16(0x0800), ip4()),
		"DSA with EtherType":         packet("eth dsa ipv4 tcp", 285, zeros(12), be16(0xdada), zeros(2), []byte{0xc0, 0, 0, 1}, be16(0x0800), ip4()),
		"MPLS":                       packet("mpls ipv4 tcp", 219, []byte{0, 1, 1, 64}, ip4()),
		"netANALYZER":                packet("eth ipv4 tcp", 240, zeros(4), frame, zeros(4)),
		"netANALYZER, preamble":      packet("eth ipv4 tcp", 241, zeros(4), zeros(8), frame, zeros(4)),
		"EPON":                       packet("eth ipv4 tcp", 259, []byte{0x55, 0x55, 0xd5, 0x55, 0x55, 0, 1, 0x99}, frame),
		"PPP, Cisco HDLC":            packet("hdlc ipv4 tcp", 9, []byte{0x0f, 0, 8, 0}, ip4()),
		"PPP, Cisco HDLC, multicast": packet("hdlc ipv6 tcp", 50, []byte{0x8f, 0, 0x86, 0xdd}, ip6()),
		"PPP, bridged":               packet("ppp eth ipv4 tcp", 9, []byte{0xff, 3, 0, 0x31, 0, 1}, frame),
		"PPP, bridged LAN":           packet("ppp eth ipv4 tcp", 9, []byte{0, 0x31, 0x40, 1, 0, 0, 0, 5}, frame),
		"cooked, PPP":                packet("sll ppp ipv4 tcp", 113, zeros(14), []byte{0, 7, 0xff, 3, 0, 0x21}, ip4()),
		"cooked v2, Cisco HDLC":      packet("sll2 hdlc ipv4 tcp", 276, []byte{0, 7}, zeros(18), []byte{0x0f, 0, 8, 0}, ip4()),
		"TZSP":                       packet("tzsp eth ipv4 tcp", 128, []byte{1, 0, 0, 1, 1}, frame),
		"Juniper Ethernet":           packet("juniper eth ipv4 tcp", 178, mgc(1), frame),
		"Juniper, extensions":        packet("juniper eth ipv4 tcp", 178, mgc(0x81), be16(4), zeros(4), frame),
		"Juniper, no link layer":     packet("juniper ipv4 tcp", 178, mgc(3), zeros(4), ip4()),
		"Juniper PPPoE":              packet("juniper eth pppoe ipv4 tcp", 167, mgc(1), ethernet(0x8864, join([]byte{0x11, 0, 0, 1}, be16(2+len(ip4())), []byte{0, 0x21}, ip4()))),
		"Juniper PPPoE over ATM":     packet("juniper pppoe ipv4 tcp", 168, mgc(1), be16(0x8864), []byte{0x11, 0, 0, 1}, be16(2+len(ip4())), []byte{0, 0x21}, ip4()),
		"Juniper PPP":                packet("juniper ipv4 tcp", 179, mgc(1), []byte{0xff, 3, 0, 0x21}, ip4()),
		"Juniper Cisco HDLC":         packet("juniper hdlc ipv4 tcp", 181, mgc(1), []byte{0x0f, 0}, be16(0x0800), ip4()),
		"Juniper Frame Relay":        packet("juniper frelay ipv4 tcp", 180, mgc(1), []byte{0x18, 0x41, 3, 0xcc}, ip4()),
		"Juniper MLPPP":              packet("juniper ipv4 tcp", 130, mgc(1), []byte{0, 9, 0, 0x21}, ip4()),
		"Juniper MLPPP, services":    packet("juniper ipv6 tcp", 130, mgc(1), []byte{0x47, 0, 0, 0, 0, 0x10, 0, 0}, ip6()),
		"Juniper MLPPP, IPv4":        packet("juniper ipv4 tcp", 130, mgc(0), []byte{0x47, 0, 0, 0, 0, 0, 0, 0}, ip4()),
		"Juniper MLPPP, MPLS":        packet("juniper mpls ipv4 tcp", 130, mgc(1), []byte{0x47, 0, 0, 0, 0, 0x20, 0, 0}, []byte{0, 1, 1, 64}, ip4()),
		"Juniper MLPPP, link":        packet("juniper ipv4 tcp", 130, mgc(1), []byte{0xff, 3, 0, 0x21}, ip4()),
		"Juniper MLPPP, LS":          packet("juniper ipv4 tcp", 130, mgc(1), []byte{0x54, 1, 2, 3, 0, 0x21}, ip4()),
		"Juniper MLFR":               packet("juniper ipv4 tcp", 131, mgc(1), []byte{0, 9, 3, 0xcc}, ip4()),
		"Juniper MLFR, LS":           packet("juniper ipv6 tcp", 131, mgc(1), []byte{0x54, 1, 2, 3, 3, 0x8e}, ip6()),
		"Juniper MLPPP, IPv6":        packet("juniper ipv6 tcp", 130, mgc(1), []byte{0, 9, 0, 0x57}, ip6()),
		"Juniper MLPPP, multicast":   packet("juniper mpls ipv4 tcp", 130, mgc(1), []byte{0, 9, 0x02, 0x83}, []byte{0, 1, 1, 64}, ip4()),
		"Juniper MLFR, padded":       packet("juniper ipv4 tcp", 131, mgc(1), []byte{0, 9, 0, 3, 0xcc}, ip4()),
		"Juniper MFR":                packet("juniper ipv4 tcp", 134, mgc(1), []byte{0, 0, 0, 9, 3, 0xcc}, ip4()),
		"Juniper ATM1":               packet("juniper atm ipv4 tcp", 137, mgc(1), zeros(4), snap(ip4())),
		"Juniper ATM1, NLPID":        packet("juniper ipv4 tcp", 137, mgc(1), zeros(4), []byte{3, 0xcc}, ip4()),
		"Juniper ATM2":               packet("juniper atm ipv4 tcp", 135, mgc(1), zeros(8), snap(ip4())),
		"Juniper ATM2, PPP":          packet("juniper ipv4 tcp", 135, mgc(1), zeros(8), []byte{0, 0x21}, ip4()),
		"Juniper ATM2, VC":           packet("juniper atm ipv4 tcp", 135, mgc(1), zeros(8), ip4()),
		"Juniper GGSN":               packet("juniper ipv4 tcp", 133, mgc(1), []byte{0, 0, 2, 0, 0, 0, 0, 0}, ip4()),
		"Juniper ES":                 packet("juniper ipv4 tcp", 132, mgc(1), []byte{0, 1, 64, 3}, zeros(12), ip4()),
		"Juniper Monitor":            packet("juniper ipv4 tcp", 164, mgc(1), zeros(8), ip4()),
		"Juniper Services":           packet("juniper ipv4 tcp", 136, mgc(1), zeros(16), ip4()),
		"Juniper VP":                 packet("juniper ipv4 tcp", 183, mgc(1), zeros(18), ip4()),
		"Juniper ISM":                packet("juniper ipv4 tcp", 194, mgc(1), zeros(4), ip4()),
		"Juniper ST":                 packet("juniper ipv6 tcp", 200, mgc(1), ip6()),
		"Juniper VS":                 packet("juniper ipv4 tcp", 232, mgc(1), zeros(8), ip4()),
		"Juniper SRX":                packet("juniper ipv4 tcp", 233, mgc(1), zeros(12), ip4()),
		"Juniper ATM CEMIC":          packet("juniper ipv4 tcp", 238, mgc(1), zeros(8), ip4()),
	}
}

// inTunnels are packets in each tunnel.
func inTunnels() map[string]placed {
	eth := func(path string, etherType int, parts ...[]byte) placed {
		return placed{"eth " + path, capture.Packet{Link: capture.LinkTypeEthernet, Data: ethernet(etherType, join(parts...))}}
	}
	outer := "ipv4:192.0.2.1>198.51.100.1 "
	ip := func(path string, protocol int, parts ...[]byte) placed {
		return placed{outer + path, raw(ipv4(client, server, protocol, join(parts...)))}
	}
	datagram := func(path string, port int, parts ...[]byte) placed {
		return placed{outer + "udp " + path, raw(inUDP(port, join(parts...)))}
	}
	frame := ethernet(0x0800, ip4())
	label := []byte{0, 1, 1, 64}
	return map[string]placed{
		"NSH":                     eth("nsh ipv4 tcp", 0x894f, []byte{0x0f, 0xc6, 1, 1}, zeros(4+16), ip4()),
		"NSH, Ethernet":           eth("nsh eth ipv4 tcp", 0x894f, []byte{0x0f, 0xc2, 2, 3}, zeros(4), frame),
		"NSH, NSH, MPLS":          eth("nsh nsh mpls ipv4 tcp", 0x894f, []byte{0x0f, 0xc2, 2, 4}, zeros(4), []byte{0x0f, 0xc2, 2, 5}, zeros(4), label, ip4()),
		"PBB":                     eth("pbb:66051 eth ipv4 tcp", 0x88e7, []byte{0xf8, 1, 2, 3}, frame),
		"PBB, B-TAG":              eth("vlan:7 pbb:1 eth ipv4 tcp", 0x88a8, be16(7), be16(0x88e7), []byte{0, 0, 0, 1}, frame),
		"TRILL":                   eth("trill eth ipv4 tcp", 0x22f3, []byte{0, 0x0a, 0, 1, 0, 2}, frame),
		"TRILL, options":          eth("trill eth ipv4 tcp", 0x22f3, []byte{0x08, 0x8a, 0, 1, 0, 2}, zeros(8), frame),
		"FabricPath":              eth("fabricpath eth ipv4 tcp", 0x8903, []byte{0, 0x60}, frame),
		"HSR":                     eth("hsr ipv4 tcp", 0x892f, zeros(4), be16(0x0800), ip4()),
		"HSR, first edition":      eth("hsr ipv4 tcp", 0x88fb, zeros(4), be16(0x0800), ip4()),
		"PRP trailer":             eth("ipv4 tcp", 0x0800, ip4(), []byte{0, 9, 0xa0, 52, 0x88, 0xfb}),
		"MACsec":                  eth("macsec ipv4 tcp", 0x88e5, []byte{0, 0, 0, 0, 0, 1}, be16(0x0800), ip4(), zeros(16)),
		"MACsec, channel":         eth("macsec ipv4 tcp", 0x88e5, []byte{0x20, 0, 0, 0, 0, 1}, zeros(8), be16(0x0800), ip4(), zeros(16)),
		"jumbo LLC":               eth("ipv4 tcp", 0x8870, snap(ip4())),
		"E-Tag":                   eth("ipv4 tcp", 0x893f, zeros(6), be16(0x0800), ip4()),
		"R-Tag":                   eth("ipv4 tcp", 0xf1c1, zeros(4), be16(0x0800), ip4()),
		"DSA EtherType":           eth("dsa ipv4 tcp", 0xdada, zeros(2), []byte{0xc0, 0, 0, 1}, be16(0x0800), ip4()),
		"batman-adv":              eth("batadv eth ipv4 tcp", 0x4305, []byte{0x40, 15}, zeros(8), frame),
		"batman-adv, 4 addresses": eth("batadv eth ipv4 tcp", 0x4305, []byte{0x42, 15}, zeros(16), frame),
		"batman-adv, broadcast":   eth("batadv eth ipv4 tcp", 0x4305, []byte{0x01, 15}, zeros(12), frame),
		"batman-adv 14":           eth("batadv eth ipv4 tcp", 0x4305, []byte{3, 14}, zeros(8), frame),
		"batman-adv 14, 4":        eth("batadv eth ipv4 tcp", 0x4305, []byte{9, 14}, zeros(16), frame),
		"batman-adv 14, all":      eth("batadv eth ipv4 tcp", 0x4305, []byte{4, 14}, zeros(12), frame),

		"Ethernet":           ip("eth ipv4 tcp", 143, frame),
		"GRE, routes":        ip("gre ipv4 tcp", 47, be16(0x4000), be16(0x0800), zeros(4), []byte{8, 0, 0, 4, 1, 2, 3, 4}, zeros(4), ip4()),
		"GRE, no routes":     ip("gre ipv4 tcp", 47, be16(0x7000), be16(0x0800), zeros(12), zeros(4), ip4()),
		"ERSPAN, version 2":  ip("gre erspan eth ipv4 tcp", 47, be16(0x1000), be16(0x88be), zeros(4), []byte{0x20}, zeros(11), frame),
		"EoIP":               ip("gre eoip eth ipv4 tcp", 47, []byte{0x20, 1, 0x64, 0}, be16(len(frame)), []byte{7, 0}, frame),
		"L2TPv3":             ip("l2tp eth ipv4 tcp", 115, be32(7), frame),
		"L2TPv3, cookie":     ip("l2tp eth ipv4 tcp", 115, be32(7), be32(0x01020304), frame),
		"L2TPv3, all":        ip("l2tp eth ipv4 tcp", 115, be32(7), be32(0x01020304), be32(5), be32(0x40000000), frame),
		"L2TPv3, PPP":        ip("l2tp ipv4 tcp", 115, be32(7), []byte{0xff, 3, 0, 0x21}, ip4()),
		"L2TPv3, no address": ip("l2tp ipv4 tcp", 115, be32(7), []byte{0, 0x21}, ip4()),
		"L2TPv3, HDLC":       ip("l2tp hdlc ipv4 tcp", 115, be32(7), []byte{0x0f, 0}, be16(0x0800), ip4()),
		"L2TPv3, FR":         ip("l2tp frelay ipv4 tcp", 115, be32(7), []byte{0x18, 0x41, 3, 0xcc}, ip4()),
		"L2TPv3, IP":         ip("l2tp ipv6 tcp", 115, be32(7), ip6()),
		"L2TPv3, VLAN":       ip("l2tp eth vlan:5 ipv4 tcp", 115, be32(7), zeros(8), ethernet(0x8100, tag(0, 5, join(be16(0x0800), ip4())))),

		"L2TPv3 in UDP":        datagram("l2tp eth ipv4 tcp", 1701, []byte{0, 3, 0, 0}, be32(7), frame),
		"L2TPv3 in UDP, 4":     datagram("l2tp eth ipv4 tcp", 1701, []byte{0, 3, 0, 0}, be32(7), be32(99), frame),
		"L2TPv3 in UDP, 8":     datagram("l2tp eth ipv4 tcp", 1701, []byte{0, 3, 0, 0}, be32(7), be32(99), be32(98), frame),
		"L2TP":                 datagram("l2tp ipv4 tcp", 1701, []byte{0, 2, 0, 7, 0, 9, 0xff, 3, 0, 0x21}, ip4()),
		"L2TP, no address":     datagram("l2tp ipv4 tcp", 1701, []byte{0, 2, 0, 7, 0, 9, 0, 0x21}, ip4()),
		"L2TP, all fields":     datagram("l2tp ipv6 tcp", 1701, []byte{0x4b, 2}, be16(22+len(ip6())), []byte{0, 7, 0, 9, 0, 1, 0, 0, 0, 4}, zeros(4), []byte{0xff, 3, 0, 0x57}, ip6()),
		"L2TP, to the client":  {outer + "udp l2tp ipv4 tcp", raw(ipv4(client, server, 17, udp(1701, 50000, join([]byte{0, 2, 0, 7, 0, 9, 0, 0x21}, ip4()))))},
		"GTP version 0":        datagram("gtp ipv4 tcp", 3386, []byte{0x1e, 255}, be16(len(ip4())), zeros(16), ip4()),
		"GTP version 0, PPP":   datagram("gtp ipv4 tcp", 3386, []byte{0x1f, 255}, be16(len(ip4())), zeros(16), []byte{0xff, 3, 0, 0x21}, ip4()),
		"GTP-U, Ethernet":      datagram("gtpu eth ipv4 tcp", 2152, []byte{0x30, 255}, be16(len(frame)), zeros(4), frame),
		"GTP-U, no extension":  datagram("gtpu ipv4 tcp", 2152, []byte{0x32, 255}, be16(4+len(ip4())), zeros(4), []byte{0, 1, 0, 0x85}, ip4()),
		"GTP-U, PPP":           datagram("gtpu ipv4 tcp", 2152, []byte{0x30, 255}, be16(4+len(ip4())), zeros(4), []byte{0xff, 3, 0, 0x21}, ip4()),
		"LISP":                 datagram("lisp ipv4 tcp", 4341, []byte{0x80, 1, 2, 3}, zeros(4), ip4()),
		"LISP, all flags":      datagram("lisp ipv6 tcp", 4341, []byte{0xf8, 1, 2, 3}, zeros(4), ip6()),
		"LISP-GPE":             datagram("lisp eth ipv4 tcp", 4341, []byte{0x0c, 0, 0, 3}, zeros(4), frame),
		"LISP-GPE, NSH":        datagram("lisp nsh ipv4 tcp", 4341, []byte{0x0c, 0, 0, 4}, zeros(4), []byte{0x0f, 0xc2, 2, 1}, zeros(4), ip4()),
		"VXLAN-GPE, NSH":       datagram("vxlan:1 nsh ipv4 tcp", 4790, []byte{0x0c, 0, 0, 4, 0, 0, 1, 0}, []byte{0x0f, 0xc2, 2, 1}, zeros(4), ip4()),
		"VXLAN, reserved bits": datagram("vxlan:66051 eth ipv4 tcp", 4789, []byte{0xff, 9, 9, 9, 1, 2, 3, 9}, frame),
		"GENEVE, reserved":     datagram("geneve:66051 ipv4 tcp", 6081, []byte{0, 0xff, 8, 0, 1, 2, 3, 9}, ip4()),
		"GRE in UDP":           datagram("gre ipv4 tcp", 4754, be16(0x0000), be16(0x0800), ip4()),
		"GRE in UDP, fields":   datagram("gre eth ipv4 tcp", 4754, be16(0xb000), be16(0x6558), zeros(12), frame),
		"AYIYA":                datagram("ayiya ipv6 tcp", 5072, []byte{0x44, 0x52, 0x11, 41}, zeros(4+16+20), ip6()),
		"AYIYA, no signature":  datagram("ayiya ipv4 tcp", 5072, []byte{0x01, 0x00, 0x01, 4}, zeros(4+1), ip4()),
		"TZSP in UDP":          datagram("tzsp eth ipv4 tcp", 37008, []byte{1, 0, 0, 1, 0, 10, 1, 5, 1}, frame),
		"TZSP, 802.11":         datagram("tzsp wlan ipv4 tcp", 37008, []byte{1, 1, 0, 18, 1}, wifi(0x08, 1, nil, snap(ip4()))),
		"TZSP, Prism":          datagram("tzsp prism wlan ipv4 tcp", 37008, []byte{1, 0, 0, 119, 1}, le32(0x44), le32(24), zeros(16), wifi(0x08, 1, nil, snap(ip4()))),
		"TZSP, AVS":            datagram("tzsp avs wlan ipv4 tcp", 37008, []byte{1, 0, 0, 127, 1}, []byte{0x80, 0x21, 0x10, 0x01}, be32(64), zeros(56), wifi(0x08, 1, nil, snap(ip4()))),
		"TZSP, Token Ring":     datagram("tzsp tr ipv4 tcp", 37008, []byte{1, 0, 0, 2, 1, 0x10, 0x40}, zeros(12), snap(ip4())),
		"TZSP, PPP":            datagram("tzsp ipv4 tcp", 37008, []byte{1, 0, 0, 4, 1, 0, 0x21}, ip4()),
		"TZSP, FDDI":           datagram("tzsp fddi ipv4 tcp", 37008, []byte{1, 0, 0, 5, 1, 0x57}, zeros(12), snap(ip4())),
		"TZSP, IP":             datagram("tzsp ipv4 tcp", 37008, []byte{1, 0, 0, 7, 1}, ip4()),
		"CAPWAP":               datagram("capwap eth ipv4 tcp", 5247, []byte{0, 0x10, 2, 0}, zeros(4), frame),
		"CAPWAP, 802.11":       datagram("capwap wlan ipv4 tcp", 5247, []byte{0, 0x10, 3, 0}, zeros(4), wifi(0x88, 1, zeros(2), snap(ip4()))),
		"CAPWAP, swapped":      datagram("capwap wlan ipv4 tcp", 5247, []byte{0, 0x10, 3, 0}, zeros(4), wifi(1, 0x88, zeros(2), snap(ip4()))),
		"CAPWAP, longer":       datagram("capwap wlan ipv4 tcp", 5247, []byte{0, 0x20, 3, 0x30}, zeros(4), zeros(8), wifi(0x08, 1, nil, snap(ip4()))),
	}
}

// guessed reports whether a packet is one that is taken for something else if its end is
// missing, since no field tells what it is.
func guessed(name string) bool {
	for _, guess := range []string{"802.11, deciphered", "802.11, mesh", "EoIP", "GTP-U, Ethernet", "Juniper MLPPP, IPv4", "L2TPv3", "NFLOG"} {
		if strings.HasPrefix(name, "more: "+guess) {
			return true
		}
	}
	return false
}

// TestPlaced checks that each hello is found, and the path to it.
func TestPlaced(t *testing.T) {
	for _, group := range []map[string]placed{onLinks(), inTunnels()} {
		for name, row := range group {
			var s capture.Scanner
			found := 0
			s.Scan(row.packet, func(h *capture.Hello) bool {
				found++
				if path := strings.Join(h.Path, " "); path != row.path || !bytes.Equal(h.Message, message()) || h.Ambiguous != 0 {
					t.Errorf("%s: path %s, want %s; %v", name, path, row.path, h.Ambiguous)
				}
				return true
			})
			if found != 1 {
				t.Errorf("%s: %d hellos, %+v", name, found, s.Stats())
			}
		}
	}
}
