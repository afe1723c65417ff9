package capture

import "encoding/binary"

// gre reads the header of RFC 2784, Section 2.1 and RFC 2890, and PPTP's variant of it
// (RFC 2637, Section 4.1); and routes, which RFC 1701 has.
func (d *decoder) gre(b []byte) verdict {
	const (
		checksum    = 0x8000
		routing     = 0x4000
		key         = 0x2000
		sequence    = 0x1000
		acknowledge = 0x0080
		version     = 0x0007
	)
	if len(b) < 4 {
		return d.short()
	}
	flags, protocol := binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
	pptp := flags&version == 1
	if flags&version > 1 || pptp && flags&routing != 0 {
		return isOther
	}
	n := 4
	if flags&(checksum|routing) != 0 {
		n += 4
	}
	if flags&key != 0 {
		n += 4
	}
	if flags&sequence != 0 {
		n += 4
	}
	if pptp && flags&acknowledge != 0 {
		n += 4
	}
	if flags&routing != 0 {
		n = afterRoutes(b, n)
	}
	if len(b) < n {
		return d.short()
	}
	if pptp && flags&key != 0 {
		d.session = uint32(binary.BigEndian.Uint16(b[6:])) // the call
	}
	b = b[n:]
	d.path.add(layerGRE, 0)
	return d.inGRE(protocol, b, flags&sequence != 0)
}

// inGRE reads what GRE carries.
func (d *decoder) inGRE(protocol uint16, b []byte, numbered bool) verdict {
	switch protocol {
	case etherERSPAN:
		// Type I has no header and no sequence number, type II has both.
		if !numbered {
			d.path.add(layerERSPAN, 0)
			return d.etherType(etherBridging, b)
		}
		return d.erspan(b, 8)
	case etherERSPAN3:
		return d.erspan(b, 12)
	case etherEoIP: // RouterOS puts the length and the tunnel into the key
		d.path.add(layerEoIP, 0)
		if len(b) == 0 { // keeps the tunnel up
			return isOther
		}
		return d.etherType(etherBridging, b)
	case etherWCCP:
		// The second version has a 4-byte header, which cannot begin as IPv4 does.
		if len(b) >= 4 && b[0]>>4 != 4 {
			b = b[4:]
		}
		return d.ipv4(b)
	}
	return d.etherType(protocol, b)
}

// afterRoutes returns where the routes of RFC 1701 end that begin at n, or more than the length of
// b: address family, offset, length. The last one is empty.
func afterRoutes(b []byte, n int) int {
	for more := true; more && n < len(b); {
		n += 4
		more = n <= len(b) && b[n-1] != 0
		if more {
			n += int(b[n-1])
		}
	}
	return n
}

// erspan skips the header of a mirrored Ethernet frame: n bytes, or 12 if it says that it is of type
// III, and 8 more if a flag of that says so.
func (d *decoder) erspan(b []byte, n int) verdict {
	d.path.add(layerERSPAN, 0)
	if len(b) > 0 && b[0]>>4 == 2 {
		n = 12
	}
	if len(b) < n {
		return d.short()
	}
	if n == 12 && b[11]&1 != 0 {
		n += 8
	}
	if len(b) < n { //mutation:equivalent at n the Ethernet header is too short
		return d.short()
	}
	return d.etherType(etherBridging, b[n:])
}

// greInUDP reads GRE in a datagram (RFC 8086, Section 3), if the flags that it may not have are 0.
func (d *decoder) greInUDP(b []byte) verdict {
	const others = 0x4c07 // RFC 2784, Section 2.3
	if len(b) < 4 || binary.BigEndian.Uint16(b)&others != 0 {
		return isSegment
	}
	return d.gre(b)
}
