package assemble

import "encoding/binary"

const (
	openVPNControl    = 4 // P_CONTROL_V1
	openVPNSessionLen = 8
	openVPNMaxAcks    = 8
)

// openVPNAuth are the lengths of what --tls-auth puts after the session ID: nothing, or an
// HMAC with MD5, SHA-1, SHA-224, SHA-256, SHA-384 or SHA-512, and a packet number and time of
// 4 bytes each.
var openVPNAuth = [...]int{0, 16 + 8, 20 + 8, 28 + 8, 32 + 8, 48 + 8, 64 + 8}

// OpenVPN reads a ClientHello from the control channel of OpenVPN, in the packets of one end
// (draft of the OpenVPN wire protocol, Sections 2 and 3):
//
//	opcode (5 bits), key ID (3 bits)
//	session ID (8 bytes)
//	[HMAC, packet number (4 bytes), time (4 bytes)]
//	number of acknowledgements, [these (4 bytes each), session ID of the other end]
//	message packet number (4 bytes)
//	TLS records
//
// Over TCP, each packet comes after a length of 2 bytes, which is not fed. Nothing says whether
// there is an HMAC and how long it is: the first length with which the packet makes sense
// counts. Packets with --tls-crypt are encrypted.
//
// The message packet number of the first TLS records is 1. The outcome is [Unrecognized] for
// another packet, as long as none of the control channel was read. Otherwise it is that of
// [Records], without its allowances; a refusal's Offset is in the stream of TLS records.
type OpenVPN struct {
	ordered
	auth int // index in openVPNAuth, if known
}

var _ Assembler = (*OpenVPN)(nil)

// Reset makes o as new, with memory for a message that arrives in pieces.
func (o *OpenVPN) Reset(memory []byte) {
	*o = OpenVPN{}
	o.ordered.Reset(memory)
}

// ResetGrowing is Reset with memory that o allocates, in proportion to what arrives, for
// messages of up to limit bytes.
func (o *OpenVPN) ResetGrowing(limit int) {
	*o = OpenVPN{}
	o.ordered.ResetGrowing(limit)
}

// Feed takes one packet.
func (o *OpenVPN) Feed(packet []byte) Result {
	if o.final.Outcome != NeedMore {
		return o.final
	}
	return o.answer(o.read(packet), len(packet))
}

func (o *OpenVPN) read(packet []byte) Result {
	if !o.known {
		auth, ok := openVPNAuthOf(packet)
		if !ok {
			return Result{Outcome: Unrecognized}
		}
		o.auth, o.known, o.next = auth, true, openVPNFirst
	}
	if number, data, ok := parseOpenVPN(packet, openVPNAuth[o.auth]); ok {
		return o.put(number, data)
	}
	return Result{}
}

// IsOpenVPN reports whether b is a packet of the control channel with TLS that a new [OpenVPN]
// reads: its message packet number is low.
func IsOpenVPN(b []byte) bool {
	_, ok := openVPNAuthOf(b)
	return ok
}

// openVPNFirst is the message packet number of the first TLS records. A reset has 0.
const openVPNFirst = 1

// openVPNAuthOf returns the first index in openVPNAuth with which a packet makes sense.
func openVPNAuthOf(b []byte) (auth int, ok bool) {
	for i, n := range openVPNAuth {
		number, data, ok := parseOpenVPN(b, n)
		if ok && number >= openVPNFirst && number <= maxAhead && (number > openVPNFirst || beginsRecord(data)) {
			return i, true
		}
	}
	return 0, false
}

// parseOpenVPN reads a packet of the control channel with n bytes after the session ID.
func parseOpenVPN(b []byte, n int) (number uint32, data []byte, ok bool) {
	at := 1 + openVPNSessionLen + n
	if len(b) < at+1+4 || b[0]>>3 != openVPNControl || b[at] > openVPNMaxAcks {
		return 0, nil, false
	}
	if acks := int(b[at]); acks > 0 {
		at += 4*acks + openVPNSessionLen
	}
	if at++; len(b) <= at+4 {
		return 0, nil, false
	}
	return binary.BigEndian.Uint32(b[at:]), b[at+4:], true
}

// beginsRecord reports whether b begins with a handshake record.
func beginsRecord(b []byte) bool { return len(b) > 1 && b[0] == recordHandshake && b[1] == 3 }
