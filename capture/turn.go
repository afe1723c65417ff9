package capture

import "encoding/binary"

const (
	channelHeader = 4  // channel number, length (RFC 8656, Section 12.4)
	stunHeader    = 20 // type, length, magic cookie, transaction ID (RFC 8489, Section 5)
	stunCookie    = 0x2112a442
)

// isSTUN reports whether b, which has eight bytes or more, begins a STUN message.
func isSTUN(b []byte) bool {
	return b[0]&0xc0 == 0 && b[3]&3 == 0 && binary.BigEndian.Uint32(b[4:]) == stunCookie
}

// isDataIndication reports whether b begins a Send indication or a Data indication of TURN
// (RFC 8656, Section 17).
func isDataIndication(b []byte) bool {
	const send, data = 0x16, 0x17
	return b[0] == 0 && (b[1] == send || b[1] == data) && isSTUN(b)
}

// channelData takes a ChannelData message.
func (s *Scanner) channelData(key flowKey, b []byte) {
	n := int(binary.BigEndian.Uint16(b[2:]))
	if n > len(b)-channelHeader {
		return
	}
	key.id = uint64(carrierChannel)<<32 | uint64(binary.BigEndian.Uint16(b))
	s.dtlsPiece(key, b[channelHeader:channelHeader+n])
}

// dataIndication takes a Send indication or a Data indication. The peer's address tells one
// connection from another.
func (s *Scanner) dataIndication(key flowKey, b []byte) {
	const xorPeerAddress, dataAttribute = 0x0012, 0x0013
	var peer, data []byte
	n := stunHeader + int(binary.BigEndian.Uint16(b[2:]))
	if n > len(b) {
		return
	}
	for at := stunHeader; at+4 <= n; {
		typ, length := binary.BigEndian.Uint16(b[at:]), int(binary.BigEndian.Uint16(b[at+2:]))
		at += 4
		if length > n-at {
			return
		}
		switch value := b[at : at+length]; typ {
		case xorPeerAddress:
			peer = value
		case dataAttribute:
			data = value
		}
		at += (length + 3) &^ 3
	}
	var address [20]byte // reserved, family, port, address
	copy(address[:], peer)
	if len(peer) == len(address) { // of IPv6, which depends on the transaction ID
		for i := range address[8:] {
			address[8+i] ^= b[8+i]
		}
	}
	key.id = s.hash(address[:])
	s.dtlsPiece(key, data)
}

// dtlsPiece takes what may be a datagram of DTLS.
func (s *Scanner) dtlsPiece(key flowKey, b []byte) {
	if len(b) >= dtlsRecordHeader && beginsDTLSRecord(b) {
		s.dtlsDatagram(key, b)
	}
}
