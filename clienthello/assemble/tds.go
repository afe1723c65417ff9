package assemble

import "encoding/binary"

const (
	tdsHeaderLen = 8
	tdsPreLogin  = 0x12
)

// TDS reads a ClientHello from the packets of a client of TDS 7, in which the TLS handshake is
// inside of packets (MS-TDS, Sections 2.2.3.1 and 3.2.5.2):
//
//	Type = 0x12, Status, Length (2 bytes, with the header), SPID (2 bytes), PacketID, Window
//
// The PRELOGIN message comes before, in a packet of the same type: it is passed over. The
// outcome is [Unrecognized] for a packet of another type. Otherwise it is that of [Records],
// without its allowances; a refusal's Offset is in the stream of TLS records.
type TDS struct {
	ordered
	begun bool
}

var _ Assembler = (*TDS)(nil)

// Reset makes d as new, with memory for a message that arrives in pieces.
func (d *TDS) Reset(memory []byte) {
	*d = TDS{}
	d.ordered.Reset(memory)
}

// ResetGrowing is Reset with memory that d allocates, in proportion to what arrives, for
// messages of up to limit bytes.
func (d *TDS) ResetGrowing(limit int) {
	*d = TDS{}
	d.ordered.ResetGrowing(limit)
}

// Feed takes one packet.
func (d *TDS) Feed(packet []byte) Result {
	if d.final.Outcome != NeedMore {
		return d.final
	}
	return d.answer(d.read(packet), len(packet))
}

func (d *TDS) read(packet []byte) Result {
	if len(packet) <= tdsHeaderLen || packet[0] != tdsPreLogin || int(binary.BigEndian.Uint16(packet[2:])) != len(packet) {
		return Result{Outcome: Unrecognized}
	}
	data := packet[tdsHeaderLen:]
	if !d.begun && !beginsRecord(data) {
		return Result{}
	}
	d.begun = true
	d.pieces++
	return d.add(data)
}
