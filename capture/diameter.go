package capture

import (
	"encoding/binary"
	"strings"
)

const (
	diameterHeader = 20
	avpHeader      = 8 // without a vendor
)

// beginsDiameter reports whether b begins with a message of Diameter (RFC 6733, Sections 3 and 4.1)
// that has an AVP, as all have: version, length (3 bytes), flags, command (3 bytes), application,
// two identifiers; code, flags and length (3 bytes) of the AVP. 3GPP's commands begin with 0x80.
func beginsDiameter(b []byte) progress {
	const (
		first                        = "\x01\x00" // of a message of less than 64 KiB
		flagsAt, commandAt, reserved = 4, 5, 0x0f
		avpAt, avpReserved           = diameterHeader + 4, 0x1f
	)
	n := len(b)
	switch {
	case !strings.HasPrefix(first, string(b[:min(n, len(first))])),
		n >= 4 && diameterLen(b) < diameterHeader+avpHeader,
		n > flagsAt && b[flagsAt]&reserved != 0,
		n > commandAt && b[commandAt]&0x7f != 0:
		return noPrologue
	case n < diameterHeader+avpHeader:
		return inPrologue
	}
	avp := int(binary.BigEndian.Uint32(b[avpAt:]) & 0xffffff)
	return tlsFollowsIf(b[avpAt]&avpReserved == 0 && avp >= avpHeader && avp <= diameterLen(b)-diameterHeader)
}

// diameterLen returns the length of the message that b, which has 4 bytes or more, begins with, or
// 0 if there is none, or if it has 64 KiB or more.
func diameterLen(b []byte) int {
	if n := int(binary.BigEndian.Uint16(b[2:])); b[0] == 1 && b[1] == 0 && n%4 == 0 && n >= diameterHeader {
		return n
	}
	return 0
}

// diameterEAP returns the Response and the Session-Id of a message. A message without them, one
// with two EAP-Payloads, and one whose AVPs do not fit have none.
func diameterEAP(b []byte) (packet, session []byte) {
	const sessionID, eapPayload, vendor = 263, 462, 0x80
	if len(b) < diameterHeader || diameterLen(b) != len(b) {
		return nil, nil
	}
	for b = b[diameterHeader:]; len(b) > 0; {
		if len(b) < avpHeader {
			return nil, nil
		}
		code, n := binary.BigEndian.Uint32(b), int(binary.BigEndian.Uint32(b[4:])&0xffffff)
		if n < avpHeader || n > len(b) {
			return nil, nil
		}
		switch value := b[avpHeader:n]; {
		case b[4]&vendor != 0:
		case code == sessionID && session == nil:
			session = value
		case code == eapPayload && packet != nil:
			return nil, nil
		case code == eapPayload:
			packet = value
		}
		b = b[min((n+3)&^3, len(b)):]
	}
	if session == nil || len(packet) <= eapHeader || packet[0] != eapResponse {
		return nil, nil
	}
	return packet, session
}

// diameter takes a message. Its EAP-Payload is an EAP packet (RFC 4072, Section 4.1.1), and all
// messages of a conversation have the same Session-Id.
func (s *Scanner) diameter(key flowKey, b []byte) {
	if packet, session := diameterEAP(b); packet != nil {
		key.id = s.hash(session)
		s.carriedPiece(carrierDiameter, key, packet)
	}
}

// diameterOverSCTP takes a message that is a user message of SCTP (RFC 6733, Section 2.1).
func (s *Scanner) diameterOverSCTP(key flowKey, b []byte) {
	p := &s.decoder.path
	layers, carriers := p.n, p.carriers
	p.addCarrier(layerDiameter)
	s.diameter(key, b)
	p.n, p.carriers = layers, carriers
}
