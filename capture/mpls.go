package capture

import (
	"encoding/binary"

	"github.com/tlsflags/tlsflags/clienthello/assemble"
)

// mpls skips the label stack (RFC 3032, Section 2.1). What follows has no type:
// the first four bits tell IP from everything else, which is read as Ethernet, with or
// without a control word (RFC 4448, Section 4.6).
func (d *decoder) mpls(b []byte) verdict {
	d.path.add(layerMPLS, 0)
	for bottom := false; !bottom; b = b[4:] {
		if len(b) < 4 {
			return d.short()
		}
		bottom = b[2]&1 != 0
	}
	if len(b) == 0 {
		return d.short()
	}
	switch b[0] >> 4 {
	case 4, 6:
		return d.ip(b)
	case 0: // a control word, or an address that begins with 0
		const control = 4
		if len(b) < control+14 {
			return d.short()
		}
		switch binary.BigEndian.Uint16(b[control+12:]) {
		case etherIPv4, etherIPv6, etherVLAN, etherQinQ, etherMPLS, etherPPPoE:
			return d.ethernet(b[control:])
		}
	}
	return d.ethernet(b)
}

// isMPLS reports whether a datagram to the port of MPLS is a label stack with a packet
// (RFC 7510, Section 3), and not one of another protocol on that port. A label has a time
// to live, where QUIC v1 and DTLS have a 0.
func isMPLS(b []byte) bool {
	if _, ok := assemble.ParseQUICInitial(b); ok {
		return false
	}
	for bottom := false; !bottom; b = b[4:] {
		if len(b) < 4 || b[3] == 0 {
			return false
		}
		bottom = b[2]&1 != 0
	}
	const ipv4Len, ipv6Len, ethernetLen, control = 20, 40, 14, 4
	switch {
	case len(b) >= ipv4Len && b[0]>>4 == 4:
		length := binary.BigEndian.Uint16(b[2:])
		return b[0]&0xf >= 5 && (length >= ipv4Len || length == 0) // 0 if the network card cuts it
	case len(b) < ethernetLen:
		return false
	case b[0]>>4 == 6:
		return len(b) >= ipv6Len
	}
	return isEtherType(b[ethernetLen-2:]) || b[0]>>4 == 0 && len(b) >= control+ethernetLen && isEtherType(b[control+ethernetLen-2:])
}

// isEtherType reports whether b begins with an EtherType after which IP may come.
func isEtherType(b []byte) bool {
	switch binary.BigEndian.Uint16(b) {
	case etherIPv4, etherIPv6, etherVLAN, etherQinQ, etherMPLS, etherPPPoE:
		return true
	}
	return false
}
