package capture

import (
	"encoding/binary"

	"github.com/tlsflags/tlsflags/clienthello/assemble"
)

// UDP ports of tunnels. Since other protocols may use them too, the headers are checked.
const (
	portL2TP        = 1701
	portGTPU        = 2152
	portGTP         = 3386
	portTeredo      = 3544
	portLISP        = 4341
	portGRE         = 4754
	portVXLAN       = 4789
	portVXLANGPE    = 4790
	portAYIYA       = 5072
	portCAPWAP      = 5247
	portGENEVE      = 6081
	portMPLS        = 6635
	portSCTP        = 9899  // RFC 6951, Section 5.1
	portVXLANBefore = 8472  // the default of Linux, from before the registration
	portTZSP        = 37008 // not registered
)

// tunnel looks for a packet inside the UDP datagram in seg. If there is none, seg stays as it
// is.
func (d *decoder) tunnel(b []byte) verdict {
	switch d.seg.dst.port {
	case portVXLAN, portVXLANBefore:
		return d.vxlan(b)
	case portVXLANGPE:
		return d.vxlanGPE(b)
	case portGENEVE:
		return d.geneve(b)
	case portGTPU:
		return d.gtpU(b)
	case portMPLS:
		if isMPLS(b) {
			return d.mpls(b)
		}
	case portLISP:
		return d.lisp(b)
	case portGRE:
		return d.greInUDP(b)
	case portTZSP:
		if isTZSP(b) {
			return d.tzsp(b)
		}
	}
	// The other end may have any port.
	if v, ok := d.twoWay(d.seg.dst.port, b); ok {
		return v
	}
	v, _ := d.twoWay(d.seg.src.port, b)
	return v
}

// twoWay reads the tunnels of which one end may have any port.
func (d *decoder) twoWay(port uint16, b []byte) (v verdict, ok bool) {
	switch port {
	case portL2TP:
		return d.l2tp(b), true
	case portGTP:
		return d.gtp(b), true
	case portTeredo:
		return d.teredo(b), true
	case portAYIYA:
		return d.ayiya(b), true
	case portCAPWAP:
		return d.capwap(b), true
	case portSCTP:
		if !isHandshake(b) {
			return d.sctp(b), true
		}
	}
	return isSegment, false
}

// isHandshake reports whether a datagram begins a handshake of QUIC or DTLS, which may use the
// port of a tunnel.
func isHandshake(b []byte) bool {
	if len(b) < 3 {
		return false
	}
	const handshake = 22
	if version := binary.BigEndian.Uint16(b[1:]); b[0] == handshake && (version>>8 == 0xfe || version == 0x0100) {
		return true
	}
	_, ok := assemble.ParseQUICInitial(b)
	return ok
}

// isIP reports whether b looks like an IP packet, by its version and lengths. If cut, the end
// of it may be missing.
func isIP(b []byte, cut bool) bool {
	const ipv4Len, ipv6Len = 20, 40
	switch {
	case len(b) >= ipv4Len && b[0]>>4 == 4:
		header, total := 4*int(b[0]&0xf), int(binary.BigEndian.Uint16(b[2:]))
		return header >= ipv4Len && (total == 0 || total >= header && (total <= len(b) || cut))
	case len(b) >= ipv6Len && b[0]>>4 == 6:
		return cut || ipv6Len+int(binary.BigEndian.Uint16(b[4:])) <= len(b)
	}
	return false
}

// isEthernet reports whether b looks like an Ethernet frame with IP in it, or with tags.
func isEthernet(b []byte, cut bool) bool {
	if len(b) < 14 {
		return false
	}
	switch binary.BigEndian.Uint16(b[12:]) {
	case etherIPv4:
		return len(b) > 14 && b[14]>>4 == 4 && isIP(b[14:], cut)
	case etherIPv6:
		return len(b) > 14 && b[14]>>4 == 6 && isIP(b[14:], cut)
	case etherVLAN, etherQinQ:
		return len(b) >= 18 && isEtherType(b[16:])
	}
	return isEtherType(b[12:])
}

// teredo reads the IPv6 packet in a Teredo datagram, after an authentication and an
// origin indication if there are any (RFC 4380, Section 5.1.1).
func (d *decoder) teredo(b []byte) verdict {
	if len(b) >= 4 && b[0] == 0 && b[1] == 1 { //mutation:equivalent 4 or 5 bytes are too few for IPv6
		n := 4 + int(b[2]) + int(b[3]) + 9
		b = b[min(n, len(b)):]
	}
	if len(b) >= 8 && b[0] == 0 && b[1] == 0 { //mutation:equivalent 8 or 9 bytes are too few for IPv6
		b = b[8:]
	}
	if len(b) < 40 || b[0]>>4 != 6 {
		return isSegment
	}
	d.path.add(layerTeredo, 0)
	return d.ipv6(b)
}

// ayiya reads the header of draft-massar-v6ops-ayiya-02, Section 3: lengths of the identity
// and, in 4-byte units, of the signature, methods, operation, next header, time.
func (d *decoder) ayiya(b []byte) verdict {
	const forward = 1
	if len(b) < 8 || b[2]&0xf != forward || b[3] != protoIPv4 && b[3] != protoIPv6 {
		return isSegment
	}
	n := 8 + 1<<(b[0]>>4) + 4*int(b[1]>>4)
	if len(b) <= n || !isIP(b[n:], d.partial) {
		return isSegment
	}
	d.path.add(layerAYIYA, 0)
	return d.protocol(b[3], b[n:])
}

// isTZSP reports whether b begins with the header of a packet in the TaZmen Sniffer Protocol.
func isTZSP(b []byte) bool {
	const version, received, sent = 1, 0, 1
	return len(b) >= 4 && b[0] == version && (b[1] == received || b[1] == sent)
}

// tzsp reads the header of the TaZmen Sniffer Protocol: version, type, what it carries, and
// tags up to the one that ends them.
func (d *decoder) tzsp(b []byte) verdict {
	const padding, end = 0, 1 // tags
	if !isTZSP(b) {
		return d.shortOr(len(b) < 4)
	}
	if d.deeper() {
		return isTooDeep
	}
	protocol := binary.BigEndian.Uint16(b[2:])
	for b = b[4:]; ; {
		switch {
		case len(b) > 0 && b[0] == padding:
			b = b[1:]
			continue
		case len(b) > 0 && b[0] == end:
			d.path.add(layerTZSP, 0)
			return d.sniffed(protocol, b[1:])
		case len(b) < 2 || len(b) < 2+int(b[1]):
			return d.short()
		}
		b = b[2+int(b[1]):]
	}
}

// sniffed reads what TZSP carries.
func (d *decoder) sniffed(protocol uint16, b []byte) verdict {
	switch protocol {
	case 1:
		return d.ethernet(b)
	case 2:
		return d.tokenRing(b)
	case 4:
		return d.ppp(b)
	case 5:
		return d.fddi(b)
	case 7:
		return d.ip(b)
	case 18:
		return d.wifi(b, 0)
	case 119:
		return d.prism(b)
	case 127:
		return d.avs(b)
	}
	return isOther
}
