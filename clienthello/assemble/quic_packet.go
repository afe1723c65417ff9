package assemble

import "crypto/aes"

const (
	maxConnectionID = 20
	// A client chooses at least 8 bytes at random for the first destination
	// connection ID (RFC 9000, Section 7.2). Servers choose as they like.
	minFirstConnectionID = 8
)

// connectionID is a comparable copy of a connection ID.
type connectionID struct {
	id  [maxConnectionID]byte
	len uint8
}

func newConnectionID(b []byte) (c connectionID) {
	c.len = uint8(copy(c.id[:], b))
	return c
}

func (c *connectionID) bytes() []byte { return c.id[:c.len:c.len] }

const (
	fixedBit     = 0x40
	reservedBits = 0x0c // under header protection
)

// packetKind is the type of a long header packet, as QUIC v1 numbers them.
type packetKind uint8

const (
	packetInitial packetKind = iota
	packet0RTT
	packetHandshake
	packetRetry
)

// longPacket is a packet with a long header and a length, as in RFC 9000, Sections
// 17.2.2 to 17.2.4.
type longPacket struct {
	version    uint32
	kind       packetKind
	dcid, scid []byte
	token      []byte // of an Initial
	numberAt   int    // where the packet number begins
	size       int    // of the packet
}

// parseLongPacket reads the header of the packet at the start of b:
//
//	Initial Packet {
//	  Header Form (1) = 1,
//	  Fixed Bit (1) = 1,
//	  Long Packet Type (2) = 0,
//	  Reserved Bits (2),
//	  Packet Number Length (2),
//	  Version (32),
//	  Destination Connection ID Length (8),
//	  Destination Connection ID (0..160),
//	  Source Connection ID Length (8),
//	  Source Connection ID (0..160),
//	  Token Length (i),
//	  Token (..),
//	  Length (i),
//	  Packet Number (8..32),
//	  Packet Payload (8..),
//	}
//
// It reports false for any other packet than an Initial, 0-RTT or Handshake packet
// of a version in lookupVersion, since the end of others is not known. The
// fixed bit is not looked at, since RFC 9287 lets clients clear it.
func parseLongPacket(b []byte) (p longPacket, ok bool) {
	if len(b) < 5 || b[0]&0x80 == 0 {
		return longPacket{}, false
	}
	p.version = uint32(b[1])<<24 | uint32(b[2])<<16 | uint32(b[3])<<8 | uint32(b[4])
	v, ok := lookupVersion(p.version)
	if !ok {
		return longPacket{}, false
	}
	p.kind = packetKind((b[0]>>4 - v.initial) & 3)
	if p.kind == packetRetry {
		return longPacket{}, false
	}
	i := 5
	if p.dcid, i, ok = readConnectionID(b, i); !ok {
		return longPacket{}, false
	}
	if p.scid, i, ok = readConnectionID(b, i); !ok {
		return longPacket{}, false
	}
	var n uint64
	if p.kind == packetInitial {
		//mutation:equivalent a token that ends the packet leaves no length
		if n, i, ok = readVarint(b, i); !ok || n > uint64(len(b)-i) {
			return longPacket{}, false
		}
		p.token = b[i : i+int(n) : i+int(n)]
		i += int(n)
	}
	if n, i, ok = readVarint(b, i); !ok || n > uint64(len(b)-i) {
		return longPacket{}, false
	}
	p.numberAt = i
	p.size = i + int(n)
	return p, true
}

// protected reports whether p is long enough for a packet number, a sample of the
// payload and a tag: anything shorter is discarded (RFC 9001, Section 5.4.2).
func (p *longPacket) protected() bool { return p.size-p.numberAt >= 4+aes.BlockSize }

func readConnectionID(b []byte, i int) (id []byte, next int, ok bool) {
	if i >= len(b) {
		return
	}
	n := int(b[i])
	i++
	if n > maxConnectionID || n > len(b)-i { //mutation:equivalent an ID that ends the packet leaves no length
		return
	}
	return b[i : i+n : i+n], i + n, true
}

// readVarint reads a variable-length integer (RFC 9000, Section 16).
func readVarint(b []byte, i int) (v uint64, next int, ok bool) {
	if i >= len(b) {
		return
	}
	n := 1 << (b[i] >> 6)
	if n > len(b)-i {
		return
	}
	v = uint64(b[i] & 0x3f)
	for _, c := range b[i+1 : i+n] {
		v = v<<8 | uint64(c)
	}
	return v, i + n, true
}

// QUICInitial is what the header of an Initial packet says without being decrypted.
// The slices share memory with the datagram.
type QUICInitial struct {
	Version    uint32
	DCID, SCID []byte // destination and source connection ID, at most 20 bytes each
	Token      []byte
}

// ParseQUICInitial finds the first Initial packet of a datagram. It is meant for a
// flow table to ask before it sets an assembler aside: it decrypts and allocates
// nothing, and reports false if [QUIC] would find no ClientHello in the datagram.
//
// A client keeps its source connection ID as long as the handshake goes on, so it
// names the connection together with addresses and ports; the destination
// connection ID changes. An Initial without a token whose destination connection ID
// is shorter than 8 bytes was sent by a server and gives false, too; longer ones do
// not tell the two apart.
func ParseQUICInitial(datagram []byte) (initial QUICInitial, ok bool) {
	p, _, ok := firstInitial(datagram)
	return QUICInitial{p.version, p.dcid, p.scid, p.token}, ok
}

// firstInitial returns the first Initial of a datagram that a client may begin a connection
// with, and its offset.
func firstInitial(datagram []byte) (p longPacket, at int, ok bool) {
	for {
		p, ok = parseLongPacket(datagram[at:])
		if !ok {
			return longPacket{}, 0, false
		}
		if p.kind == packetInitial && p.protected() && p.mayBeFirst() {
			return p, at, true
		}
		at += p.size
	}
}

// mayBeFirst reports whether a client's keys can follow from the destination
// connection ID of p. After a Retry the server has chosen it, and there is a token.
func (p *longPacket) mayBeFirst() bool {
	return len(p.dcid) >= minFirstConnectionID || len(p.token) > 0
}
