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

// checksum returns the field of the TCP or UDP checksum of an IP packet.
func checksum(p []byte) []byte {
	protocol := p[9]
	if p[0]>>4 == 6 {
		protocol = p[6]
	}
	payload, _ := transport(p)
	if protocol == 17 {
		return payload[6:8]
	}
	return payload[16:18]
}

// summed returns a packet with all checksums: of IPv4, and of TCP or UDP.
func summed(p []byte) []byte {
	if p = bytes.Clone(p); p[0]>>4 == 4 {
		p = headerSummed(p)
	}
	payload, pseudo := transport(p)
	clear(checksum(p))
	binary.BigEndian.PutUint16(checksum(p), internetSum(pseudo, payload))
	return p
}

// damaged is summed with a wrong checksum of TCP or UDP, and offloaded with that of the
// pseudo-header alone.
func damaged(p []byte) []byte {
	p = summed(p)
	checksum(p)[0] ^= 0x55
	return p
}

func offloaded(p []byte) []byte {
	p = summed(p)
	_, pseudo := transport(p)
	binary.BigEndian.PutUint16(checksum(p), ^internetSum(pseudo))
	return p
}

// toCut is offloaded as Windows has it in segments that the network card cuts: without the length.
func toCut(p []byte) []byte {
	p = summed(p)
	payload, pseudo := transport(p)
	binary.BigEndian.PutUint16(checksum(p), ^internetSum(pseudo, be16(^len(payload)&0xffff)))
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
