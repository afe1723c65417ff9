package capture

import (
	"bytes"
	"encoding/binary"
)

// The tags of an exported PDU that are read (Wireshark, wsutil/exported_pdu_tlvs.h).
const (
	pduEnd            = 0
	pduDissector      = 12
	pduIPv4Source     = 20
	pduIPv6Source     = 22
	pduIPv6Receiver   = 23
	pduPortType       = 24
	pduSourcePort     = 25
	pduReceiverPort   = 26
	pduTCPInformation = 34
)

// pdu is what tags say, besides addresses.
type pdu struct {
	dissector        []byte
	port             byte // the type of the ports
	source, receiver uint16
	tcp              []byte
}

// exportedPDU reads what Wireshark exports: tags, each of which has a type, a length and a value,
// and after the one with type 0 what a dissector was given.
func (d *decoder) exportedPDU(b []byte) verdict {
	seg := &d.seg
	d.withoutIP()
	var p pdu
	for tag := -1; tag != pduEnd; {
		if len(b) < 4 {
			return d.short()
		}
		n := int(binary.BigEndian.Uint16(b[2:]))
		if tag = int(binary.BigEndian.Uint16(b)); n > len(b)-4 {
			return d.short()
		}
		value := b[4 : 4+n]
		b = b[4+n:]
		switch {
		case tag == pduDissector:
			p.dissector = bytes.TrimRight(value, "\x00")
		case tag >= pduIPv4Source && tag <= pduIPv6Receiver:
			d.pduAddress(tag, value)
		case tag == pduTCPInformation && n == 19 && binary.BigEndian.Uint16(value) == 1: // its version
			p.tcp = value
		case n != 4:
		case tag == pduPortType:
			p.port = value[3]
		case tag == pduSourcePort:
			p.source = binary.BigEndian.Uint16(value[2:])
		case tag == pduReceiverPort:
			p.receiver = binary.BigEndian.Uint16(value[2:])
		}
	}
	d.path.add(layerPDU, 0)
	switch string(p.dissector) { // names that are registered in epan/dissectors
	case "eth", "eth_maybefcs", "eth_withfcs", "eth_withoutfcs":
		seg.link = false
		return d.ethernet(b)
	case "ip", "ipv6":
		seg.link = false
		return d.ip(b)
	}
	if !seg.link {
		kind := layerIPv4
		if seg.ipv6 {
			kind = layerIPv6
		}
		d.path.addIP(kind, seg)
	}
	seg.src.port, seg.dst.port = p.source, p.receiver
	d.partial = d.cut || seg.link // then the checksum is of unknown addresses
	return d.exported(&p, b)
}

// pduAddress takes the address of a sender or a receiver.
func (d *decoder) pduAddress(tag int, value []byte) {
	length, ipv6 := 4, tag >= pduIPv6Source
	if ipv6 {
		length = 16
	}
	if len(value) != length {
		return
	}
	end := &d.seg.src
	if tag&1 != 0 {
		end = &d.seg.dst
	}
	end.ip = [16]byte{}
	copy(end.ip[:], value)
	d.seg.ipv6, d.seg.link = ipv6, false
}

// exported reads what is above IP. The tap "OSI layer 3" exports packets of TCP or UDP that were
// in ESP, and messages of SCTP; "OSI layer 4" exports datagrams, and segments or what was
// reassembled of them, with a tag for the fields of TCP. Without it, TLS is read in the order of
// the packets.
func (d *decoder) exported(p *pdu, b []byte) verdict {
	const unknown, sctp, tcp, udp = 0, 1, 2, 3 // types of ports
	seg := &d.seg
	switch string(p.dissector) {
	case "tcp":
		return d.tcp(b)
	case "udp":
		return d.udp(b)
	case "sctp":
		return d.sctp(b)
	}
	seg.whole, seg.payload, seg.udp = nil, b, true
	tls := string(p.dissector) == "tls" || string(p.dissector) == "ssl"
	switch {
	case p.tcp != nil:
		seg.udp, seg.window, seg.options = false, 0, nil
		seg.seq, seg.ack = binary.BigEndian.Uint32(p.tcp[2:]), binary.BigEndian.Uint32(p.tcp[10:])
		seg.flags, seg.urgent = tcpACK|p.tcp[16]&(tcpFIN|tcpURG), binary.BigEndian.Uint16(p.tcp[17:])
	case tls && (p.port == tcp || p.port == unknown):
		seg.udp, seg.window, seg.options = false, 0, nil
		seg.flags, seg.unnumbered = tcpACK, true
	case p.port == sctp && string(p.dissector) == "dtls":
		d.path.addCarrier(layerSCTP)
	case p.port == udp, p.port == unknown && (string(p.dissector) == "dtls" || string(p.dissector) == "quic"):
		d.path.add(layerUDP, 0)
	default:
		return isOther
	}
	return isSegment
}

// withoutIP notes that the packet has no IP header.
func (d *decoder) withoutIP() {
	seg := &d.seg
	seg.src, seg.dst = endpoint{}, endpoint{}
	seg.ipv6, seg.link, seg.hops, seg.ecn = false, true, 0, 0
}
