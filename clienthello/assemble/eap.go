package assemble

import (
	"encoding/binary"

	"github.com/tlsflags/tlsflags/extension"
)

// EAPMethod is the type of an EAP packet, as registered in IANA's "Extensible Authentication
// Protocol (EAP) Registry".
type EAPMethod uint8

// The methods that bring TLS.
const (
	EAPTLS  EAPMethod = 13 // RFC 5216 and RFC 9190
	EAPTTLS EAPMethod = 21 // RFC 5281
	PEAP    EAPMethod = 25 // MS-PEAP
	EAPFAST EAPMethod = 43 // RFC 4851
	TEAP    EAPMethod = 55 // RFC 7170
	// UnauthTLS stands for the vendor types of EAP-TLS without a client certificate
	// (WFA-UNAUTH-TLS, in Hotspot 2.0).
	UnauthTLS EAPMethod = 254
)

const (
	eapHeaderLen = 5 // with the type
	eapResponse  = 2
	eapLength    = 0x80 // flags of all these methods (RFC 5216, Section 3.1)
	eapMore      = 0x40
	eapOuterTLVs = 0x10 // of TEAP (RFC 7170, Section 4.1)
)

// EAP reads a ClientHello from the EAP packets of one peer, which are Responses of EAP-TLS,
// EAP-TTLS, PEAP, EAP-FAST or TEAP (RFC 3748, Section 4.1; RFC 5216, Section 3.2):
//
//	Code, Identifier, Length (2 bytes), Type, Flags, [TLS Message Length (4 bytes)], TLS Data
//
// The type may be expanded (RFC 3748, Section 5.7). A message may be in fragments. The server
// answers each, so they come in order; those with the same Identifier as the last one are
// retransmissions. A fragment that begins a ClientHello starts over, if the one before was
// never finished.
//
// The outcome is [Unrecognized] for another packet and for one that continues what
// was not fed. Otherwise it is that of [Records], without its allowances; a refusal's Offset
// is in the stream of TLS records.
type EAP struct {
	ordered
	method EAPMethod
	id     byte // Identifier of the last packet
	begun  bool
	more   bool // the message has further fragments
	lost   bool // a fragment was not fed
}

var _ Assembler = (*EAP)(nil)

// Reset makes e as new, with memory for a message that arrives in pieces.
func (e *EAP) Reset(memory []byte) {
	*e = EAP{}
	e.ordered.Reset(memory)
}

// ResetGrowing is Reset with memory that e allocates, in proportion to what arrives, for
// messages of up to limit bytes.
func (e *EAP) ResetGrowing(limit int) {
	*e = EAP{}
	e.ordered.ResetGrowing(limit)
}

// Method returns the method of the packets, or 0 if none was read.
func (e *EAP) Method() EAPMethod { return e.method }

// Feed takes one EAP packet.
func (e *EAP) Feed(packet []byte) Result {
	if e.final.Outcome != NeedMore {
		return e.final
	}
	return e.answer(e.read(packet), len(packet))
}

func (e *EAP) read(packet []byte) Result {
	f, ok := parseEAP(packet)
	switch {
	case !ok, e.begun && f.method != e.method, !e.begun && len(f.data) == 0:
		return Result{Outcome: Unrecognized}
	case e.begun && f.id == e.id:
		return Result{} // a retransmission
	case e.begun && (e.more || e.lost) && beginsHello(f.data):
		e.restart()
	case e.lost, len(f.data) == 0:
		e.id = f.id
		return Result{}
	}
	e.begun, e.method, e.id, e.more = true, f.method, f.id, f.more
	e.pieces++
	result := e.add(f.data)
	if result.Code == extension.ErrMessageType {
		return Result{Outcome: Unrecognized} // a later message of the handshake
	}
	// The last fragment ends what it is part of.
	e.lost = result.Outcome == NeedMore && !e.more && e.records.MessageLen() > 0
	return result
}

// restart forgets a message that was not finished.
func (e *EAP) restart() {
	memory, limit := e.memory, e.limit
	if e.Reset(memory); limit > 0 {
		e.ResetGrowing(limit)
	}
}

// eapFragment is what a packet has of TLS.
type eapFragment struct {
	method EAPMethod
	id     byte
	more   bool
	data   []byte
}

// parseEAP reads a Response of a method with TLS.
func parseEAP(b []byte) (f eapFragment, ok bool) {
	if len(b) <= eapHeaderLen || b[0] != eapResponse {
		return f, false
	}
	n := int(binary.BigEndian.Uint16(b[2:]))
	if n <= eapHeaderLen || n > len(b) {
		return f, false
	}
	f.method, f.id, b = EAPMethod(b[4]), b[1], b[eapHeaderLen:n]
	if f.method == UnauthTLS {
		if f.method, b, ok = expandedEAP(b); !ok {
			return f, false
		}
	}
	switch f.method {
	case EAPTLS, EAPTTLS, PEAP, EAPFAST, TEAP, UnauthTLS:
	default:
		return f, false
	}
	if len(b) == 0 {
		return f, false
	}
	flags, tail := b[0], 0
	f.more, b = flags&eapMore != 0, b[1:]
	if flags&eapLength != 0 {
		if len(b) < 4 {
			return f, false
		}
		b = b[4:]
	}
	if f.method == TEAP && flags&eapOuterTLVs != 0 {
		if len(b) < 4 {
			return f, false
		}
		tail, b = int(min(binary.BigEndian.Uint32(b), maxRecord)), b[4:]
		if tail > len(b) {
			return f, false
		}
	}
	f.data = b[:len(b)-tail]
	return f, true
}

// expandedEAP reads the rest of an expanded type: vendor (3 bytes), type (4 bytes).
func expandedEAP(b []byte) (method EAPMethod, rest []byte, ok bool) {
	const (
		wfa, wfaUnauthTLS       = 40808, 13 // Wi-Fi Alliance
		hostap, hostapUnauthTLS = 39068, 1  // what it was before
	)
	if len(b) < 7 {
		return 0, nil, false
	}
	vendor, typ := binary.BigEndian.Uint32(b)>>8, binary.BigEndian.Uint32(b[3:])
	switch {
	case vendor == 0 && typ < uint32(UnauthTLS):
		return EAPMethod(typ), b[7:], true
	case vendor == wfa && typ == wfaUnauthTLS, vendor == hostap && typ == hostapUnauthTLS:
		return UnauthTLS, b[7:], true
	}
	return 0, nil, false
}

// beginsHello reports whether b begins with a record that begins with a ClientHello.
func beginsHello(b []byte) bool {
	const typeAt = 5
	return len(b) > typeAt && b[0] == recordHandshake && b[1] == 3 && b[typeAt] == typeClientHello
}
