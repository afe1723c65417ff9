package capture

import (
	"fmt"
	"iter"
)

// Counts counts packets by a number, such as their link type. It has the 16 numbers that
// came first, in the order in which they came; packets with others are in none.
type Counts [16]Count

// Count is how many packets have a number.
type Count struct {
	Number  uint16
	Packets int
}

// Add adds packets with a number.
func (c *Counts) Add(number uint16, packets int) {
	for i := range c {
		if e := &c[i]; e.Packets == 0 || e.Number == number {
			e.Number, e.Packets = number, e.Packets+packets
			return
		}
	}
}

// All returns the numbers that came, and how many packets have each.
func (c Counts) All() iter.Seq2[uint16, int] {
	return func(yield func(uint16, int) bool) {
		for _, e := range c {
			if e.Packets == 0 || !yield(e.Number, e.Packets) {
				return
			}
		}
	}
}

// String returns the numbers and how many packets have each.
func (c Counts) String() string {
	b := []byte("[")
	for number, packets := range c.All() {
		if len(b) > 1 {
			b = append(b, ' ')
		}
		b = fmt.Appendf(b, "%d:%d", number, packets)
	}
	return string(append(b, ']'))
}

// EtherType says what a frame carries, as registered in IANA's "IEEE 802 Numbers".
type EtherType uint16

// Name returns the name of a common EtherType, such as "ARP", or "".
func (t EtherType) Name() string { return etherTypeNames[t] }

// String returns the number in hexadecimal, and a name if it is a common one.
func (t EtherType) String() string {
	if name := etherTypeNames[t]; name != "" {
		return fmt.Sprintf("0x%04x (%s)", uint16(t), name)
	}
	return fmt.Sprintf("0x%04x", uint16(t))
}

// etherTypeNames has common EtherTypes that bring no IP packets.
var etherTypeNames = map[EtherType]string{
	0x0806: "ARP", 0x0842: "Wake-on-LAN", 0x2000: "CDP", 0x22ea: "SRP", 0x22f0: "AVTP", 0x22f4: "IS-IS", 0x6002: "DEC MOP",
	0x6003: "DECnet", 0x8035: "RARP", 0x809b: "AppleTalk", 0x80f3: "AppleTalk ARP", 0x8137: "IPX", 0x8808: "Ethernet flow control",
	0x8809: "slow protocols", 0x8863: "PPPoE discovery", 0x886d: "Intel teaming", 0x8892: "PROFINET", 0x8899: "Realtek loop detection",
	0x888e: "EAPOL", 0x88a2: "ATA over Ethernet", 0x88a4: "EtherCAT", 0x88b8: "GOOSE", 0x88ba: "IEC 61850 sampled values",
	0x88c7: "802.11 pre-authentication", 0x88cc: "LLDP", 0x88d9: "LLTD", 0x88e1: "HomePlug AV", 0x88f5: "MVRP", 0x88f7: "PTP",
	0x8902: "CFM", 0x8906: "FCoE", 0x8914: "FCoE initialization", 0x8915: "RoCE", 0x893a: "IEEE 1905.1", 0x9000: "loopback",
}

// add adds the counts of another Scanner with packets of the same capture.
func (s *Stats) add(other Stats) {
	s.Packets += other.Packets
	s.Bytes += other.Bytes
	s.Flows += other.Flows
	s.Hellos += other.Hellos
	s.Refused += other.Refused
	s.Incomplete += other.Incomplete
	s.Evicted += other.Evicted
	s.Ambiguous += other.Ambiguous
	for i, n := range other.Doubts {
		s.Doubts[i] += n
	}
	s.Other += other.Other
	s.Encrypted += other.Encrypted
	s.UnknownLink += other.UnknownLink
	s.Broken += other.Broken
	s.Truncated += other.Truncated
	s.TooDeep += other.TooDeep
	s.Fragments += other.Fragments
	for number, n := range other.UnknownLinks.All() {
		s.UnknownLinks.Add(number, n)
	}
	for number, n := range other.UnknownEtherTypes.All() {
		s.UnknownEtherTypes.Add(number, n)
	}
}
