package capture

import "encoding/binary"

const (
	etherEAPOL   = 0x888e
	etherPreauth = 0x88c7 // the same for another access point (IEEE 802.11-2020, Section 12.6.10)
	pppEAP       = 0xc227

	eapResponse  = 2
	eapHeader    = 5 // with the type
	radiusHeader = 20
)

// eapol reads the header of IEEE 802.1X, Section 11.3: version, type, length. An EAP packet of
// the peer is then in seg. There is no IP, so the addresses are those of the link.
func (d *decoder) eapol(b []byte) verdict {
	const header, eapPacket = 4, 0
	if len(b) < header {
		return d.short()
	}
	if n := int(binary.BigEndian.Uint16(b[2:])); b[1] == eapPacket && n <= len(b)-header {
		return d.eap(carrierEAPOL, b[header:header+n])
	}
	return isOther
}

// eap reads a Response (RFC 3748, Section 4.1).
func (d *decoder) eap(c carrierKind, b []byte) verdict {
	if len(b) < eapHeader || b[0] != eapResponse {
		return isOther
	}
	seg := &d.seg
	seg.udp, seg.ipv6, seg.link, seg.carrier, seg.whole, seg.header = true, false, true, c, nil, nil
	seg.src, seg.dst = endpoint{}, endpoint{}
	if len(d.frame) >= 12 {
		copy(seg.dst.ip[:], d.frame[:6])
		copy(seg.src.ip[:], d.frame[6:12])
	}
	seg.payload = b
	return isSegment
}

// isAccessRequest reports whether b begins an Access-Request of RADIUS, whose attributes are in
// order (RFC 2865, Sections 3 and 5).
func isAccessRequest(b []byte) bool {
	const accessRequest, most = 1, 4096
	n := int(binary.BigEndian.Uint16(b[2:]))
	if b[0] != accessRequest || n > len(b) || n > most || n < radiusHeader {
		return false
	}
	for at := radiusHeader; at < n; at += int(b[at+1]) {
		if at+2 > n || b[at+1] < 2 || at+int(b[at+1]) > n {
			return false
		}
	}
	return true
}

// radius takes an Access-Request. Its EAP-Message attributes are one EAP packet (RFC 3579,
// Section 3.1). Attributes that are the same in all requests tell one peer from another.
func (s *Scanner) radius(key flowKey, b []byte) {
	const userName, nasPort, callingStation, nasIdentifier, nasPortID, eapMessage = 1, 5, 31, 32, 87, 79
	packet := s.eap[:0]
	n := int(binary.BigEndian.Uint16(b[2:]))
	for at := radiusHeader; at < n; at += int(b[at+1]) {
		switch value := b[at+2 : at+int(b[at+1])]; b[at] {
		case userName, nasPort, callingStation, nasIdentifier, nasPortID:
			key.id = key.id<<1 ^ s.hash(value)
		case eapMessage:
			packet = append(packet, value...)
		}
	}
	if s.eap = packet; len(packet) > eapHeader && packet[0] == eapResponse {
		s.carriedPiece(carrierRADIUS, key, packet)
	}
}
