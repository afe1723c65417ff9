package assemble

import "encoding/binary"

// RDPUDP reads a ClientHello from the datagrams of a client of RDP over UDP (MS-RDPEUDP,
// Section 2.2.2, or MS-RDPEUDP2, Section 2.2.1) that carry TLS. See [RDPUDPData] for what they
// consist of. The first one must begin with a record of TLS.
//
// The outcome is [Unrecognized] for another datagram, as long as none of these was read.
// Otherwise it is that of [Records], without its allowances; a refusal's Offset is in the
// stream of TLS records.
type RDPUDP struct {
	ordered
	version int // 1 or 2; 0 if not known
}

var _ Assembler = (*RDPUDP)(nil)

// Reset makes r as new, with memory for a message that arrives in pieces.
func (r *RDPUDP) Reset(memory []byte) {
	*r = RDPUDP{}
	r.ordered.Reset(memory)
}

// ResetGrowing is Reset with memory that r allocates, in proportion to what arrives, for
// messages of up to limit bytes.
func (r *RDPUDP) ResetGrowing(limit int) {
	*r = RDPUDP{}
	r.ordered.ResetGrowing(limit)
}

// Feed takes one datagram.
func (r *RDPUDP) Feed(datagram []byte) Result {
	if r.final.Outcome != NeedMore {
		return r.final
	}
	return r.answer(r.read(datagram), len(datagram))
}

func (r *RDPUDP) read(datagram []byte) Result {
	if r.version == 0 {
		data, version := RDPUDPData(datagram)
		if !beginsRecord(data) {
			return Result{Outcome: Unrecognized}
		}
		r.version = version
	}
	if r.version == 1 {
		if number, data, ok := parseRDPUDP(datagram); ok {
			return r.put(number, data)
		}
		return Result{}
	}
	number, data, ok := parseRDPUDP2(datagram, false)
	switch {
	case !ok:
		return Result{}
	case r.known:
		return r.put(r.next+uint32(int32(int16(number-uint16(r.next)))), data)
	}
	return r.put(uint32(number), data)
}

// RDPUDPData returns what a datagram of RDP over UDP carries, if it begins with a handshake
// record of TLS or DTLS, and else nil. version is 1 for MS-RDPEUDP and 2 for MS-RDPEUDP2.
func RDPUDPData(b []byte) (data []byte, version int) {
	if _, data, ok := parseRDPUDP(b); ok && beginsAnyRecord(data) {
		return data, 1
	}
	if _, data, ok := parseRDPUDP2(b, true); ok && beginsAnyRecord(data) {
		return data, 2
	}
	return nil, 0
}

func beginsAnyRecord(b []byte) bool {
	return beginsRecord(b) || len(b) > dtlsRecordHeaderLen && b[0] == recordHandshake && isDTLS(b[1:])
}

// parseRDPUDP reads a datagram of MS-RDPEUDP, Section 2.2.2:
//
//	snSourceAck (4 bytes), uReceiveWindowSize (2 bytes), uFlags (2 bytes)
//	[uAckVectorSize (2 bytes), that many bytes, padding to a multiple of 4 bytes]
//	[snResetSeqNum (4 bytes)]
//	snCoded (4 bytes), snSourceStart (4 bytes), data
func parseRDPUDP(b []byte) (number uint32, data []byte, ok bool) {
	const (
		syn, fin, ack, source, fec = 0x0001, 0x0002, 0x0004, 0x0008, 0x0010
		ackOfAcks                  = 0x0100
		unknown                    = 0xe000
		flagsAt, vectorAt          = 6, 8
	)
	if len(b) < 8+2+8 {
		return 0, nil, false
	}
	flags := binary.BigEndian.Uint16(b[flagsAt:])
	if flags&(syn|fin|ack|source|fec|unknown) != ack|source {
		return 0, nil, false
	}
	at := vectorAt + (2+int(binary.BigEndian.Uint16(b[vectorAt:]))+3)&^3
	if flags&ackOfAcks != 0 {
		at += 4
	}
	if len(b) <= at+8 {
		return 0, nil, false
	}
	return binary.BigEndian.Uint32(b[at+4:]), b[at+8:], true
}

// parseRDPUDP2 reads a datagram of MS-RDPEUDP2, Section 2.2.1. Its first and its eighth byte
// are swapped (Section 3.1.1.1.5.2). Then come, with the least significant byte first:
//
//	PacketPrefixByte
//	Flags (12 bits), LogWindowSize (4 bits)
//	[SeqNum (2 bytes), receivedTS (3), sendAckTimeGap (1), number of delayed ACKs (4 bits), ..., these]
//	[OverheadSize (1 byte)] [DelayAckInfo (3 bytes)] [AckOfAcks (2 bytes)]
//	DataSeqNum (2 bytes)
//	[BaseSeqNum (2 bytes), codedAckVecSize (7 bits), TimeStampPresent, [TimeStamp (4 bytes)], vector]
//	ChannelSeqNum (2 bytes), data
//
// It allocates only if the data begin with the swapped byte. If these are to begin a handshake
// record, others are not read.
func parseRDPUDP2(b []byte, record bool) (number uint16, data []byte, ok bool) {
	const (
		ack, dataFlag, vector, ackOfAcks, overhead, delay = 0x001, 0x004, 0x008, 0x010, 0x040, 0x100

		known    = ack | dataFlag | vector | ackOfAcks | overhead | delay
		prefixAt = 7
		long     = 7 << 5 // the packet has 7 bytes or more; some write 0
	)
	if len(b) <= prefixAt || b[prefixAt] != long && b[prefixAt] != 0 {
		return 0, nil, false
	}
	octet := func(i int) int { // after the swap
		switch {
		case i == prefixAt:
			i = 0
		case i >= len(b):
			return 0
		}
		return int(b[i])
	}
	flags := octet(1) | octet(2)<<8&0xf00
	if flags&dataFlag == 0 || flags&^known != 0 || flags&(ack|vector) == ack|vector {
		return 0, nil, false
	}
	at := 3
	if flags&ack != 0 {
		at += 7 + octet(at+6)&0xf
	}
	if flags&overhead != 0 {
		at++
	}
	if flags&delay != 0 {
		at += 3
	}
	if flags&ackOfAcks != 0 {
		at += 2
	}
	at += 2
	if flags&vector != 0 {
		size := octet(at + 2)
		if at += 3 + size&0x7f; size&0x80 != 0 {
			at += 4
		}
	}
	number = uint16(octet(at) | octet(at+1)<<8)
	switch at += 2; {
	case len(b) <= at:
		return 0, nil, false
	case at > prefixAt:
		return number, b[at:], true
	case record && b[0] != recordHandshake:
		return 0, nil, false
	}
	return number, append([]byte{b[0]}, b[prefixAt+1:]...), true
}
