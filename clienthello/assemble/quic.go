package assemble

import (
	"bytes"
	"hash/maphash"
)

const (
	maxVarint = 1<<62 - 1

	// schedulesPerDatagram bounds the key schedules that one datagram can cost:
	// one for a new version and one for a new connection ID.
	schedulesPerDatagram = 2

	scratchSmall = 2048  // longer than the packets that cross the Internet
	scratchLarge = 65535 // longer than what UDP can carry
)

// QUIC reads a ClientHello from the UDP datagrams that a client sends: it opens the
// Initial packets, whose keys everybody can derive (RFC 9001, Section 5.2), and joins
// their CRYPTO frames (RFC 9000, Section 19.6). It knows QUIC v1 and v2, the drafts
// 22 to 34, and the variants mvfst (0xfaceb001, -02, -0e) and Google's T050 and T051.
//
// Feed one QUIC the datagrams with the same addresses, ports and source connection
// ID, see [ParseQUICInitial], each whole and from the start of the UDP payload. Those
// of the server do no harm: they do not open with a client's keys. CRYPTO frames may
// come in any order, any number of times, in any number of packets and datagrams of
// any size; what comes out does not depend on it. A server discards some of these
// packets, and datagrams under 1,200 bytes: see [QUIC.FeedServer].
//
// Keys are derived from the destination connection ID of the first packet that they
// decrypt. A later packet may decrypt only under keys from its own connection ID: after
// a Retry, after Version Negotiation, or when the client tries again. These keys then
// replace the earlier ones, and everything starts over. A message that is the same as
// the one completed before is a repetition, and is not returned again.
// The keys also change when the client takes up the version that the server has chosen
// (RFC 9369, Section 4.1); then nothing starts over.
//
// The outcome is
//
//   - [Unrecognized] as long as no packet has been opened and this datagram has none
//     that can be: what is not QUIC, unknown versions, Version Negotiation, Retry and
//     other packets of servers, 0-RTT alone, and Initials with forged keys. Nothing is
//     kept, so an assembler is held only by clients that encrypt;
//   - [NeedMore] for such a datagram later on;
//   - [Refused] for an Initial that opens and holds
//     a frame that ends early (ErrFieldOverrun, at the frame),
//     a frame that an Initial may not hold (ErrFrameType; in T050 and T051 the rest
//     of the packet is skipped),
//     CRYPTO data after offset 2^62-1 (ErrCryptoOffset),
//     CRYPTO data that differs from what came before (ErrOverlapChanged),
//     and for a message of another type (ErrMessageType), that cannot be valid
//     (ErrMessageTooLarge) or is too long for the memory (ErrOverLimit): at the
//     length, if it begins in the CRYPTO data that shows it, else at that data.
//
// CRYPTO data beyond the end of the memory is discarded. What follows the message is
// read only if it comes before the message is complete. A message in one CRYPTO frame is
// [Complete] in place, which is in Scratch. One ninth of the memory is an arrival
// bitmap, see [BufferSize].
//
// A packet that brings new keys costs three allocations (five on s390x), for at most two packets
// of a datagram. The first one also allocates what keys are derived with, and Scratch may have to
// be allocated. Nothing else allocates. Keys in a shared [QUICKeys] that others have displaced are
// derived again.
//
// The zero QUIC is ready to use, for messages that lie in one CRYPTO frame.
type QUIC struct {
	// Scratch is the buffer in which packets are decrypted. Its length bounds nothing: Feed replaces
	// it with a new slice of 2,048 or 65,535 bytes if it is too short. Assemblers
	// that take turns may share one, if Messages are used up in between. Reset leaves
	// it as it is.
	Scratch []byte

	final Result // the answer to repeat, when it is not NeedMore
	cache *QUICKeys

	pieces pieces
	base   uint64 // offset of the message in the CRYPTO stream
	seed   maphash.Seed
	first  uint64 // hash of the first message since the keys changed, or 0
	repeat uint64 // of the same message under the keys before

	// The fields that follow are in an order that leaves no gaps: there may be many of a QUIC.
	numbers     packetNumbers
	acked       uint64
	length      int32 // of the complete message
	tokenLength int32
	attempt     int32
	packets     int32
	keys        keyName      // of those which have opened a packet
	previous    connectionID // which the keys before belonged to
	scid        connectionID
	retry       bool
	server      bool       // FeedServer is reading
	lenient     bool       // FeedServer reads packets with faults, too
	faults      QUICFaults // of the datagram, for FeedServer
	follow      bool       // another attempt came before
	differed    bool       // data of the message differs from other data in the same place
}

var _ Assembler = (*QUIC)(nil)

// ShareKeys makes q use keys, which may be those of other QUICs that take turns with it. If
// it is not called, q has its own; with many QUICs, that is much memory. It must be called
// before q reads anything.
func (q *QUIC) ShareKeys(keys *QUICKeys) { q.cache, q.pieces.spare = keys, &keys.spare }

// Reset makes q as new, with memory for a message that arrives in pieces.
func (q *QUIC) Reset(memory []byte) { q.renew(newPieces(memory)) }

// ResetGrowing is Reset with memory that q allocates, in proportion to what arrives, for
// messages of up to limit bytes.
func (q *QUIC) ResetGrowing(limit int) {
	own := q.pieces
	own.grows(limit)
	q.renew(own)
}

func (q *QUIC) renew(p pieces) {
	if q.cache != nil && !q.cache.shared {
		clear(q.cache.pairs)
	}
	*q = QUIC{Scratch: q.Scratch, cache: q.cache, pieces: p}
}

// Held returns how many bytes q has allocated since ResetGrowing, without Scratch and keys.
func (q *QUIC) Held() int { return q.pieces.held() }

// Next prepares q, which must have completed a message, for the ClientHello that
// follows a HelloRetryRequest on the same connection, and for other attempts to
// connect. The outcome is Unrecognized if no ClientHello follows: when a
// message of another type or a Handshake packet comes. The memory is used again.
func (q *QUIC) Next() {
	if q.final.Outcome == Complete {
		q.advance()
	}
}

// advance continues after the complete message.
func (q *QUIC) advance() {
	q.base += uint64(q.length)
	q.final = Result{}
	q.packets, q.differed = 0, false
	q.pieces.reset()
}

// Prefix returns the beginning of the message that is being read, or was refused, up to the
// first byte that has not come, with its header. It is valid until the next call of another
// method. A message that is Complete is in Result.
func (q *QUIC) Prefix() []byte { return q.pieces.prefixBytes() }

// QUICInfo says what a message has travelled in. The slices share memory with the
// QUIC, and hold until its next call.
type QUICInfo struct {
	Version     uint32
	DCID        []byte // destination connection ID that the keys are derived from
	SCID        []byte // source connection ID of the client
	TokenLength int    // of the first Initial under these keys, in bytes
	// Retry says that there is a token, and the client had tried before with the
	// same source connection ID and other keys.
	Retry bool
	// Hello is 1 for the first ClientHello of an attempt to connect and 2 for the
	// one after a HelloRetryRequest.
	Hello int
	// Attempt counts how often everything has started over; it is 1 at first.
	Attempt int
	// Packets counts the Initials with CRYPTO data of the message, repeated or not.
	Packets int
	// Acked is one more than the highest number of a packet of the server that the client
	// has acknowledged before the first ClientHello was complete, or 0.
	Acked uint64
}

// Info describes the connection. It is zero as long as no packet has been opened.
func (q *QUIC) Info() QUICInfo {
	if q.keys.version == 0 {
		return QUICInfo{}
	}
	info := QUICInfo{
		Version:     q.keys.version,
		DCID:        q.keys.dcid.bytes(),
		SCID:        q.scid.bytes(),
		TokenLength: int(q.tokenLength),
		Retry:       q.retry,
		Hello:       1,
		Attempt:     int(q.attempt),
		Packets:     int(q.packets),
		Acked:       q.acked,
	}
	if q.base != 0 {
		info.Hello = 2
	}
	return info
}

// Progress counts the attempts and packets of Info.
func (q *QUIC) Progress() Progress { return Progress{Attempt: int(q.attempt), Pieces: int(q.packets)} }

// Feed takes one datagram.
func (q *QUIC) Feed(datagram []byte) Result {
	if q.final.Outcome != NeedMore {
		return q.final
	}
	result, used := q.read(datagram)
	q.final = result
	result.Used = used
	return result
}

// FeedFrames takes the payload of an Initial packet whose protection has been removed: for
// callers that open packets themselves, and for tests without keys.
func (q *QUIC) FeedFrames(payload []byte) Result {
	if q.final.Outcome != NeedMore {
		return q.final
	}
	result := q.readFrames(payload, 0)
	q.final = result
	result.Used = len(payload)
	return result
}

// read walks through the packets of a datagram (RFC 9000, Section 12.2).
func (q *QUIC) read(datagram []byte) (result Result, used int) {
	schedules := schedulesPerDatagram
	var dcid []byte
	for i := 0; ; {
		p, ok := parseLongPacket(datagram[i:])
		if !ok {
			break
		}
		if i == 0 {
			dcid = p.dcid
		}
		end := i + p.size
		switch {
		case !bytes.Equal(p.dcid, dcid):
			// To be ignored: a datagram belongs to one connection.
		case p.kind == packetHandshake && q.base != 0 && p.version == q.keys.version:
			return Result{Outcome: Unrecognized}, end
		case p.kind == packetInitial && p.protected():
			payload, at, ok := q.open(datagram[i:end], &p, &schedules)
			if !ok {
				break
			}
			if result := q.readFrames(payload, i+at); result.Outcome != NeedMore {
				return result, end
			}
		}
		i = end
	}
	if q.keys.version == 0 {
		return Result{Outcome: Unrecognized}, len(datagram)
	}
	return Result{}, len(datagram)
}

// open removes the protection of an Initial, with the keys that fit. It may derive as many
// keys as schedules says.
func (q *QUIC) open(packet []byte, p *longPacket, schedules *int) (payload []byte, at int, ok bool) {
	if payload, at, ok = q.openKnown(packet, p, schedules); ok {
		return payload, at, true
	}
	own := keyName{p.version, newConnectionID(p.dcid)}
	if q.keys == own || q.previous.len > 0 && q.previous == own.dcid || !p.mayBeFirst() {
		return
	}
	if payload, at, ok = q.try(packet, p, own, 0, schedules); ok {
		q.restart(p, own)
		q.numbers.note(q.cache.number)
	}
	return payload, at, ok
}

// openKnown is open with the keys that have opened a packet, or with those of the same
// connection in the version of the packet (RFC 9369, Section 4.1).
func (q *QUIC) openKnown(packet []byte, p *longPacket, schedules *int) (payload []byte, at int, ok bool) {
	switch {
	case q.keys.version == p.version:
		schedules = nil
	case q.keys.version == 0 || string(q.keys.dcid.bytes()) == string(p.dcid):
		return
	}
	keys := keyName{p.version, q.keys.dcid}
	if payload, at, ok = q.try(packet, p, keys, q.numbers.next, schedules); ok {
		q.keys = keys
		q.numbers.note(q.cache.number)
	}
	return payload, at, ok
}

// try opens a packet with the keys of name; schedules is as in find.
func (q *QUIC) try(packet []byte, p *longPacket, name keyName, next uint64, schedules *int) (payload []byte, at int, ok bool) {
	q.fitScratch(len(packet))
	if q.cache == nil {
		q.cache = newQUICKeys(1)
	}
	keys := q.cache.find(name, q.keys, schedules)
	if keys == nil {
		return
	}
	return q.cache.open(keys, packet, p.numberAt, next, q.Scratch)
}

// restart begins anew with the keys that have just opened p.
func (q *QUIC) restart(p *longPacket, keys keyName) {
	scid := newConnectionID(p.scid)
	q.retry = (q.keys.version != 0 || q.follow) && len(p.token) > 0 && scid == q.scid
	if q.keys.version != 0 {
		q.previous = q.keys.dcid
	}
	q.keys = keys
	q.numbers = packetNumbers{}
	q.scid = scid
	q.tokenLength = int32(len(p.token))
	q.repeat, q.first = q.first, 0
	q.base = 0
	q.attempt++
	q.packets, q.acked = 0, 0
	q.pieces.reset()
}

// fitScratch makes Scratch long enough for a packet.
func (q *QUIC) fitScratch(packet int) {
	if len(q.Scratch) < packet {
		q.Scratch = make([]byte, scratchSize(packet))
	}
}

func scratchSize(packet int) int {
	if packet <= scratchSmall {
		return scratchSmall
	}
	return max(packet, scratchLarge)
}
