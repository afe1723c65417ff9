package capture

import (
	"encoding/binary"
	"math/bits"
)

// sumState says what the checksum of a packet shows.
type sumState uint8

const (
	sumUnknown   sumState = iota // not all of the packet was captured, or it has none
	sumRight                     //
	sumOffloaded                 // it covers the pseudo-header alone, with or without its length: the network card does the rest
	sumWrong                     //
)

// proof says whether a checksum shows that bytes are those that were sent. The weakest comes
// last.
type proof uint8

const (
	proven     proof = iota
	unproven         // the network card computes it
	doubtful         // it is wrong, or the IP header has no length; so may be all of the flow
	improbable       // it is wrong, but the card computes those of other packets of the flow
)

// onesSum adds the ones' complement sum of b to sum, in 64 bits. An odd last byte counts as
// if a zero followed it. The bytes are added in little-endian order, which fold
// undoes: the sum does not depend on the order (RFC 1071, Section 2).
func onesSum(sum uint64, b []byte) uint64 {
	var carry uint64
	for len(b) >= 64 { //mutation:equivalent the loops below add them, too
		w := b[:64:64]
		sum, carry = bits.Add64(sum, word(w), 0) // a carry from loop to loop would be slower
		sum, carry = bits.Add64(sum, word(w[8:]), carry)
		sum, carry = bits.Add64(sum, word(w[16:]), carry)
		sum, carry = bits.Add64(sum, word(w[24:]), carry)
		sum, carry = bits.Add64(sum, word(w[32:]), carry)
		sum, carry = bits.Add64(sum, word(w[40:]), carry)
		sum, carry = bits.Add64(sum, word(w[48:]), carry)
		sum, carry = bits.Add64(sum, word(w[56:]), carry)
		sum, carry = sum+carry, 0 // no second carry: two numbers add up to 1<<65 - 2 at most
		b = b[64:]
	}
	for len(b) >= 8 { //mutation:equivalent the last eight are added below, too
		sum, carry = bits.Add64(sum, word(b), carry)
		b = b[8:]
	}
	last := uint64(0)
	if len(b) >= 4 { //mutation:equivalent the loop below adds them, too
		last = uint64(binary.LittleEndian.Uint32(b))
		b = b[4:]
	}
	for i, c := range b {
		last += uint64(c) << (i % 2 * 8)
	}
	sum, carry = bits.Add64(sum, last, carry)
	sum, carry = bits.Add64(sum, 0, carry)
	return sum + carry
}

// fold returns the sum in 16 bits, in the order of the network.
func fold(sum uint64) uint16 {
	for sum > 0xffff {
		sum = sum&0xffff + sum>>16
	}
	return bits.ReverseBytes16(uint16(sum))
}

// checksum compares the checksum of a TCP segment or UDP datagram with its bytes (RFC 9293,
// Section 3.1; RFC 768; RFC 8200, Section 8.1).
func (seg *segment) checksum() sumState {
	b, at, protocol := seg.whole, 16, uint64(protoTCP)
	if seg.udp {
		at, protocol = 6, protoUDP
	}
	if len(b) < at+2 || seg.udp && b[at] == 0 && b[at+1] == 0 {
		return sumUnknown
	}
	length := uint64(bits.ReverseBytes16(uint16(len(b)))) + uint64(bits.ReverseBytes16(uint16(len(b)>>16)))
	pseudo := seg.addAddresses(protocol<<8 + length)
	switch sum := binary.BigEndian.Uint16(b[at:]); {
	case fold(onesSum(pseudo, b)) == 0xffff:
		return sumRight
	case sum == fold(pseudo), sum == fold(seg.addAddresses(protocol<<8)): // without the length if the card cuts the segment, too
		return sumOffloaded
	}
	return sumWrong
}

// addAddresses adds the sum of the addresses to sum.
func (seg *segment) addAddresses(sum uint64) uint64 {
	if seg.ipv6 {
		return onesSum(onesSum(sum, seg.src.ip[:]), seg.dst.ip[:])
	}
	return sum + uint64(binary.LittleEndian.Uint32(seg.src.ip[:4])) + uint64(binary.LittleEndian.Uint32(seg.dst.ip[:4]))
}

// headerSum is checksum for the header of IPv4 (RFC 791, Section 3.1). IPv6 has none.
func headerSum(header []byte) sumState {
	switch {
	case len(header) == 0:
		return sumUnknown
	case fold(onesSum(0, header)) == 0xffff:
		return sumRight
	case header[10] == 0 && header[11] == 0:
		return sumOffloaded
	}
	return sumWrong
}

// evidence counts what the checksums of the packets of one direction that were read have
// shown, up to 255. One in 65,536 wrong ones looks right.
type evidence struct{ right, wrong uint8 }

// verified reports whether a wrong checksum shows that a packet was damaged.
func (e *evidence) verified() bool { return e.right > e.wrong }

// allWrong reports whether there were wrong ones alone.
func (e *evidence) allWrong() bool { return e.wrong > 0 && e.right == 0 }

// counts reports whether a checksum shows that the packet was dropped, and notes it as
// evidence for others.
func (e *evidence) counts(mode Checksums, sum sumState) bool {
	switch {
	case mode == ChecksumsIgnore:
		return false
	case sum == sumRight:
		e.right += min(1, 255-e.right)
	case sum == sumOffloaded:
		return mode == ChecksumsVerify
	case sum == sumWrong:
		if e.verified() || mode == ChecksumsVerify {
			return true
		}
		e.wrong += min(1, 255-e.wrong)
	}
	return false
}
