package capture_test

import (
	"bytes"
	"encoding/binary"
)

// internetSum is the checksum of RFC 1071, computed two bytes a time.
func internetSum(parts ...[]byte) uint16 {
	b := join(parts...)
	if len(b)%2 != 0 {
		b = append(b, 0)
	}
	sum := 0
	for i := 0; i < len(b); i += 2 {
		sum += int(binary.BigEndian.Uint16(b[i:]))
	}
	for sum > 0xffff {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}

// headerSummed returns an IPv4 packet with the checksum of its header.
func headerSummed(p []byte) []byte {
	p = bytes.Clone(p)
	header := p[:int(p[0]&15)*4]
	header[10], header[11] = 0, 0
	binary.BigEndian.PutUint16(header[10:], internetSum(header))
	return p
}

func headerDamaged(p []byte) []byte {
	p = headerSummed(p)
	p[10] ^= 0x55
	return p
}

// transport splits an IP packet without extension headers, and returns the pseudo-header
// for the payload.
func transport(p []byte) (payload, pseudo []byte) {
	if p[0]>>4 == 6 {
		payload = p[40:]
		return payload, join(p[8:40], be32(len(payload)), be32(int(p[6])))
	}
	payload = p[int(p[0]&15)*4:]
	return payload, join(p[12:20], be16(int(p[9])), be16(len(payload)))
}

// summed returns a packet with all checksums: of IPv4, and of TCP.
func summed(p []byte) []byte {
	if p = bytes.Clone(p); p[0]>>4 == 4 {
		p = headerSummed(p)
	}
	segment, pseudo := transport(p)
	segment[16], segment[17] = 0, 0
	binary.BigEndian.PutUint16(segment[16:], internetSum(pseudo, segment))
	return p
}

// damaged is summed with a wrong checksum of TCP, and offloaded with that of the
// pseudo-header alone.
func damaged(p []byte) []byte {
	p = summed(p)
	segment, _ := transport(p)
	segment[16] ^= 0x55
	return p
}

func offloaded(p []byte) []byte {
	p = summed(p)
	segment, pseudo := transport(p)
	binary.BigEndian.PutUint16(segment[16:], ^internetSum(pseudo))
	return p
}

// summedUDP returns an IP packet with the checksum of its UDP datagram.
func summedUDP(p []byte) []byte {
	p = headerSummed(p)
	datagram, pseudo := transport(p)
	datagram[6], datagram[7] = 0, 0
	binary.BigEndian.PutUint16(datagram[6:], internetSum(pseudo, datagram))
	return p
}

func damagedUDP(p []byte) []byte {
	p = summedUDP(p)
	datagram, _ := transport(p)
	datagram[6] ^= 0x55
	return p
}

// lengthless is a packet without a length in its IP header, of which the network card is to
// compute the sum.
func lengthless(p []byte) []byte {
	p = offloaded(p)
	if p[0]>>4 == 6 {
		p[4], p[5] = 0, 0
		return p
	}
	p[2], p[3] = 0, 0
	return headerSummed(p)
}
