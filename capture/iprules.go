package capture

import "bytes"

// badOptions reports whether a host drops an IPv4 packet because of its options: an option
// that does not fit (RFC 791, Section 3.1; RFC 2113, Section 2.1), or a source route or a
// label of CIPSO, which hosts refuse by default.
func badOptions(b []byte) bool {
	const (
		end         = 0
		nop         = 1
		recordRoute = 7
		timestamp   = 68
		loose       = 131
		cipso       = 134
		strict      = 137
		routerAlert = 148
	)
	seen := [2]bool{} // record route, timestamp
	for len(b) > 0 && b[0] != end {
		if b[0] == nop {
			b = b[1:]
			continue
		}
		if len(b) < 2 || b[1] < 2 || int(b[1]) > len(b) {
			return true
		}
		switch b[0] {
		case loose, strict, cipso:
			return true
		case routerAlert:
			if b[1] < 4 {
				return true
			}
		case recordRoute:
			if b[1] < 3 || b[2] < 4 || noRoom(b, 4) || seen[0] {
				return true
			}
			seen[0] = true
		case timestamp:
			if b[1] < 4 || b[2] < 5 || seen[1] {
				return true
			}
			const prespecified = 3
			size, kind := 4, b[3]&0xf
			if kind == 1 || kind == prespecified {
				size = 8 // with the address
			}
			if uncounted := b[2] > b[1] && b[3]>>4 == 15 && kind != prespecified; uncounted || noRoom(b, size) {
				return true
			}
			seen[1] = true
		}
		b = b[b[1]:]
	}
	return false
}

// noRoom reports whether an option that is not full has no room for another entry of size
// bytes at its pointer, which counts from 1.
func noRoom(option []byte, size int) bool {
	return option[2] <= option[1] && int(option[2])+size-1 > int(option[1])
}

// lacksHeader reports whether the first fragment of an IPv6 packet has not all headers of it,
// up to that of TCP or UDP. Hosts drop it (RFC 8200, Section 4.5; RFC 7112, Section 5).
func lacksHeader(next uint8, b []byte) bool {
	for {
		switch next {
		case protoTCP:
			return len(b) < 20
		case protoHopByHop, protoRouting, protoDestination:
			if len(b) < 8 || len(b) < 8+8*int(b[1]) {
				return true
			}
			next, b = b[0], b[8+8*int(b[1]):]
		default:
			return len(b) < 8
		}
	}
}

// badExtension reports whether a host drops an IPv6 packet because of an extension header: its
// options, or a routing header with segments left or of a type that must be allowed (RFC 8200,
// Section 4.4; RFC 5095; Linux). Segments that are left do not matter around another packet
// (RFC 8986, Section 4). noLength says that the length in the IP header is 0.
func badExtension(kind uint8, b []byte, noLength bool) bool {
	switch kind {
	case protoRouting:
		const rpl, segment = 3, 4
		inner := b[0] == protoIPv4 || b[0] == protoIPv6 || b[0] == protoEthernet
		return !inner && (b[3] != 0 || b[2] == rpl || b[2] == segment)
	case protoHopByHop, protoDestination:
		return badOptionsIPv6(b[2:], noLength && kind == protoHopByHop, kind == protoDestination)
	}
	return false
}

// badOptionsIPv6 reports whether a host drops a packet because of its options: one that does not
// fit, an unknown one whose type says so (RFC 8200, Section 4.2), or a Jumbo Payload option in a
// packet that is not a jumbogram (RFC 2675, Section 3). Linux also drops padding that is not zero
// or has more than 7 bytes, and more than 8 options.
func badOptionsIPv6(b []byte, jumbogram, destination bool) bool {
	const (
		pad1       = 0
		padN       = 1
		jumbo      = 0xc2
		maxPadding = 7
		maxOptions = 8
	)
	padding, options := 0, 0
	for len(b) > 0 {
		n := 1
		if b[0] != pad1 {
			if len(b) < 2 || 2+int(b[1]) > len(b) {
				return true
			}
			n = 2 + int(b[1])
		}
		known := b[0] == jumbo && jumbogram && n == 6 && b[2]|b[3] != 0 || b[0] == homeAddress && destination
		switch {
		case b[0] <= padN:
			if padding += n; padding > maxPadding || len(bytes.Trim(b[min(2, n):n], "\x00")) > 0 {
				return true
			}
		case b[0]&0xc0 != 0 && !known, options == maxOptions:
			return true
		default:
			padding, options = 0, options+1
		}
		b = b[n:]
	}
	return false
}

// homeAddress is the option of a mobile node (RFC 6275, Section 6.3).
const homeAddress = 0xc9

// isMobile reports whether an extension header of IPv6 is one that only hosts with an extension
// take, such as Mobile IP: others drop the packet.
func isMobile(kind uint8, b []byte) bool {
	const mobileRoute = 2
	switch kind {
	case protoMobility, protoHIP, protoShim6:
		return true
	case protoRouting:
		return b[2] == mobileRoute
	case protoDestination: // the option is at 8n + 6 (RFC 6275, Section 6.3)
		return b[6] == homeAddress || b[2] == homeAddress
	}
	return false
}
