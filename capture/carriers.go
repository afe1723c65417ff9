package capture

import (
	"encoding/binary"

	"github.com/tlsflags/tlsflags/clienthello/assemble"
)

// carrierKind is what brings TLS or DTLS inside datagrams, or in pieces of a TCP stream.
type carrierKind uint8

const (
	noCarrier       carrierKind = iota
	carrierCAPWAP               // the following ones bring whole datagrams of DTLS
	carrierSTUN                 //
	carrierChannel              //
	carrierICETCP               //
	carrierOpenVPN              // the following ones have an assembler
	carrierEAPOL                //
	carrierPPPEAP               //
	carrierRADIUS               //
	carrierTDS                  //
	carrierRDPUDP               //
	carrierSCTP                 //
	carrierDiameter             //
	carrierEnd
)

// carrierInfo describes a carrier.
type carrierInfo struct {
	kind      layerKind
	transport Transport
	assembler func() growingAssembler // or nil
	source    string                  // as docs/capture.md has it
}

var carrierTable = [carrierEnd]carrierInfo{
	carrierCAPWAP:   {layerCAPWAPDTLS, DTLS, nil, "RFC 5415, Section 4.2"},
	carrierSTUN:     {layerTURN, DTLS, nil, "RFC 8656, Section 11"},
	carrierChannel:  {layerTURN, DTLS, nil, "RFC 8656, Section 12"},
	carrierICETCP:   {layerICETCP, DTLS, nil, "RFC 6544, Section 3; RFC 4571"},
	carrierOpenVPN:  {layerOpenVPN, Raw, func() growingAssembler { return new(assemble.OpenVPN) }, "OpenVPN wire protocol, Sections 2 and 3"},
	carrierEAPOL:    {layerEAPOL, Raw, newEAP, "IEEE 802.1X, Section 11; RFC 5216, Section 3"},
	carrierPPPEAP:   {layerPPPEAP, Raw, newEAP, "RFC 3748, Section 3.1"},
	carrierRADIUS:   {layerRADIUS, Raw, newEAP, "RFC 3579, Section 3.1"},
	carrierTDS:      {layerTDS, TCP, func() growingAssembler { return new(assemble.TDS) }, "MS-TDS, Section 2.2.3.1"},
	carrierRDPUDP:   {layerRDPUDP, Raw, func() growingAssembler { return new(assemble.RDPUDP) }, "MS-RDPEUDP, Section 2.2.2; MS-RDPEUDP2, Section 2.2.1"},
	carrierSCTP:     {layerSCTP, DTLS, func() growingAssembler { return new(assemble.SCTP) }, "RFC 6083, Section 3; RFC 6951; RFC 8260"},
	carrierDiameter: {layerDiameter, Raw, newEAP, "RFC 6733, Section 3; RFC 4072, Section 4.1.1"},
}

func newEAP() growingAssembler { return new(assemble.EAP) }

// Layers of carriers in Hello.Path.
const (
	layerTCP layerKind = firstCarrierLayer + iota
	layerCAPWAPDTLS
	layerTURN
	layerICETCP
	layerOpenVPN
	layerEAPOL
	layerPPPEAP
	layerRADIUS
	layerTDS
	layerRDPUDP
	layerSCTP
	layerDiameter
	layerEAPTLS
	layerEAPTTLS
	layerPEAP
	layerEAPFAST
	layerTEAP
	layerUnauthTLS
)

// firstCarrierLayer is after the numbers of layerNames.
const firstCarrierLayer layerKind = 1 << 7

var carrierNames = [...]string{
	layerTCP - firstCarrierLayer:        "tcp",
	layerCAPWAPDTLS - firstCarrierLayer: "capwap",
	layerTURN - firstCarrierLayer:       "turn",
	layerICETCP - firstCarrierLayer:     "ice-tcp",
	layerOpenVPN - firstCarrierLayer:    "openvpn",
	layerEAPOL - firstCarrierLayer:      "eapol",
	layerPPPEAP - firstCarrierLayer:     "eap",
	layerRADIUS - firstCarrierLayer:     "radius",
	layerTDS - firstCarrierLayer:        "tds",
	layerRDPUDP - firstCarrierLayer:     "rdpudp",
	layerSCTP - firstCarrierLayer:       "sctp",
	layerDiameter - firstCarrierLayer:   "diameter",
	layerEAPTLS - firstCarrierLayer:     "eap-tls",
	layerEAPTTLS - firstCarrierLayer:    "eap-ttls",
	layerPEAP - firstCarrierLayer:       "eap-peap",
	layerEAPFAST - firstCarrierLayer:    "eap-fast",
	layerTEAP - firstCarrierLayer:       "eap-teap",
	layerUnauthTLS - firstCarrierLayer:  "eap-unauth-tls",
}

// eapLayers are the layers of EAP methods.
var eapLayers = map[assemble.EAPMethod]layerKind{
	assemble.EAPTLS: layerEAPTLS, assemble.EAPTTLS: layerEAPTTLS, assemble.PEAP: layerPEAP,
	assemble.EAPFAST: layerEAPFAST, assemble.TEAP: layerTEAP, assemble.UnauthTLS: layerUnauthTLS,
}

// mayBeCarrier reports whether carrierOf may find something: for most datagrams it does not.
func mayBeCarrier(b []byte) bool {
	const channel = 0x40
	switch first := b[0]; {
	case first&0x80 != 0:
		return false
	case first&channel != 0:
		return beginsDTLSRecord(b[channelHeader:])
	}
	return b[0] <= 1 || b[0]&0xf8 == openVPNControl
}

// carrierOf tells carriers over UDP from all else by their first bytes, of which there are 13
// or more. What it takes for a carrier is looked at again.
func carrierOf(b []byte) carrierKind {
	const channel, anyChannel = 0x40, 0xc0
	switch {
	case b[0] == 0:
		if isDataIndication(b) {
			return carrierSTUN
		}
	case b[0] == 1:
		switch {
		case isCAPWAP(b):
			return carrierCAPWAP
		case isAccessRequest(b):
			return carrierRADIUS
		}
	case b[0]&0xf8 == openVPNControl:
		if assemble.IsOpenVPN(b) {
			return carrierOpenVPN
		}
	case b[0]&anyChannel == channel:
		return carrierChannel // see mayBeCarrier
	}
	return noCarrier
}

// isDTLSVersion is as in package assemble.
func isDTLSVersion(b []byte) bool { return b[0] == 0xfe || b[0] == 1 && b[1] == 0 }

// beginsDTLSRecord reports whether b, which has three bytes or more, may begin a record of DTLS.
func beginsDTLSRecord(b []byte) bool { return b[0] >= 20 && b[0] < 64 && isDTLSVersion(b[1:]) }

// capwapPreamble is the length of what comes before DTLS in CAPWAP (RFC 5415, Section 4.2): a
// version of 4 bits, which is 0, a type of 4 bits, which is 1, and 24 reserved bits.
const capwapPreamble = 4

func isCAPWAP(b []byte) bool { return b[0] == 1 && beginsDTLSRecord(b[capwapPreamble:]) }

// openVPNControl is the first byte of P_CONTROL_V1, without the key ID.
const openVPNControl = 4 << 3

// mayBeRDPUDP reports whether seg may be a datagram of RDP over UDP with data. Both versions are
// looked at by their flags, unless the port says it.
func mayBeRDPUDP(seg *segment) bool {
	const (
		port                 = 3389
		ackAndSource, noData = 0x0c, 0xe003 // of MS-RDPEUDP, Section 2.2.2.1
		data, prefix         = 0x04, 7 << 5 // of MS-RDPEUDP2, Sections 2.2.1.1 and 2.2.1.3
	)
	b := seg.payload
	flags := binary.BigEndian.Uint16(b[6:])
	return flags&(ackAndSource|noData) == ackAndSource || b[7] == prefix && b[1]&data != 0 || seg.dst.port == port
}

// carry takes a datagram, or a frame of a TCP stream, of a carrier.
func (s *Scanner) carry(c carrierKind, key flowKey, b []byte) {
	key.id = uint64(c)
	s.decoder.path.addCarrier(carrierTable[c].kind)
	switch c {
	case carrierCAPWAP:
		s.dtlsPiece(key, b[capwapPreamble:])
	case carrierICETCP:
		s.dtlsPiece(key, b)
	case carrierChannel:
		s.channelData(key, b)
	case carrierSTUN:
		s.dataIndication(key, b)
	case carrierRADIUS:
		s.radius(key, b)
	case carrierDiameter:
		s.diameter(key, b)
	case carrierSCTP:
		s.sctp(key, b)
	case carrierOpenVPN:
		key.id = s.hash(b[:openVPNIdentity])
		s.carriedPiece(c, key, b)
	case carrierEAPOL, carrierPPPEAP, carrierTDS:
		s.carriedPiece(c, key, b)
	}
}

// openVPNIdentity is how many bytes name a handshake of a client: opcode, key ID, session ID.
const openVPNIdentity = 9

// rdpUDP takes a datagram that may be of RDP over UDP. It reports whether it is.
func (s *Scanner) rdpUDP(seg *segment) bool {
	b, key := seg.payload, keyOf(seg, s.locate())
	key.id = uint64(carrierRDPUDP)
	data, _ := assemble.RDPUDPData(b)
	if f := s.flows.flows.get(key); len(data) == 0 && (f == nil || f.session == nil) {
		return false
	}
	s.decoder.path.addCarrier(layerRDPUDP)
	if len(data) > 1 && data[1] != 3 {
		key.id |= 1 << 32 // for a flow whose session is of DTLS
		s.dtlsPiece(key, data)
	} else {
		s.carriedPiece(carrierRDPUDP, key, b)
	}
	return true
}

// sctp takes the chunks of an SCTP packet (RFC 9260, Section 3.2). A verification tag names
// an association.
func (s *Scanner) sctp(key flowKey, b []byte) {
	const data, iData, whole, begins = 0, 64, 3, 2
	key.id = s.hash(b[sctpTagAt:sctpHeader][:4])
	for b = b[sctpHeader:]; len(b) > sctpDataHeader; {
		n := int(binary.BigEndian.Uint16(b[2:]))
		if n < 4 || n > len(b) {
			return
		}
		chunk, header := b[:n], sctpDataHeader
		if chunk[0] == iData {
			header += 4
		}
		switch {
		case chunk[0] != data && chunk[0] != iData, n < header+3:
		case chunk[1]&begins == 0 || beginsDTLSRecord(chunk[header:]):
			s.carriedPiece(carrierSCTP, key, chunk)
		case chunk[1]&whole == whole:
			s.diameterOverSCTP(key, chunk[header:])
		}
		b = b[min((n+3)&^3, len(b)):]
	}
}

const (
	sctpHeader     = 12 // ports, verification tag, checksum (RFC 9260, Section 3.1)
	sctpTagAt      = 4
	sctpDataHeader = 16 // of a DATA chunk, before the data
)

// sctp reads the common header. It is part of the payload.
func (d *decoder) sctp(b []byte) verdict {
	if len(b) < sctpHeader {
		return d.short()
	}
	seg := &d.seg
	seg.udp, seg.carrier, seg.whole = true, carrierSCTP, nil
	seg.src.port, seg.dst.port = binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
	seg.payload = b
	return isSegment
}

// udpLite reads the header of RFC 3828, Section 3.1, over which CAPWAP goes in IPv6 (RFC 5415,
// Section 3). The coverage of the checksum is in the place of UDP's length.
func (d *decoder) udpLite(b []byte) verdict {
	if len(b) < 8 {
		return d.short()
	}
	d.path.add(layerUDP, 0)
	d.seg.udp, d.seg.whole = true, nil
	d.seg.src.port, d.seg.dst.port = binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
	d.seg.payload = b[8:]
	return d.tunnel(b[8:])
}
