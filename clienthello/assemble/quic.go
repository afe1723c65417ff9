package assemble

import (
	"bytes"
	"encoding/binary"

	"github.com/tlsflags/tlsflags/extension"
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
// any size; what comes out does not depend on it.
//
// The keys follow from the destination connection ID of the first packet that opens
// with its own. They change when a later packet opens with its own and not with
// them: after a Retry, after Version Negotiation, and when the client tries anew. Then
// everything starts over, but a message with the same length and random as the one
// completed before is taken for a repetition and not given out again. They also
// change, without starting over, when the client takes up the version that the server
// has chosen (RFC 9369, Section 4.1).
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
//     CRYPTO data behind offset 2^62-1 (ErrCryptoOffset),
//     or differs from CRYPTO data that came before (ErrOverlapChanged),
//     and for a message of another type (ErrMessageType), that cannot be valid
//     (ErrMessageTooLarge) or is too long for the memory (ErrOverLimit): at the
//     length, where it begins in the CRYPTO data that shows it, else at that data.
//
// CRYPTO data beyond the end of the memory is dropped, and what follows the message is
// not looked at unless it comes before the message is complete. A message in one CRYPTO frame is [Complete] in place, which is in
// Scratch. One byte in nine of the memory holds the
// marks of what has arrived, see [BufferSize].
//
// A packet that brings new keys costs three allocations (five on s390x), at most two
// packets of a datagram do, and Scratch may have to be allocated. Nothing else
// allocates.
//
// The zero QUIC is ready to use, for messages that lie in one CRYPTO frame.
type QUIC struct {
	// Scratch is where packets are opened. Its length bounds nothing: Feed replaces
	// it with a new slice of 2,048 or 65,535 bytes where it is too short. Assemblers
	// that take turns may share one, if Messages are used up in between. Reset leaves
	// it as it is.
	Scratch []byte

	final Result // the answer to repeat, when it is not NeedMore

	keys     initialKeys  // which have opened a packet
	trial    initialKeys  // which were derived last, and may open nothing
	previous connectionID // which the keys before belonged to

	pieces pieces
	base   uint64 // offset of the message in the CRYPTO stream
	length int    // of the complete message
	first  head   // of the first message since the keys changed
	repeat head   // of the same message under the keys before

	scid        connectionID
	tokenLength int
	retry       bool
	attempt     int
	packets     int
}

// head is the beginning of a ClientHello, up to the end of its random. Two messages
// with the same are the same.
type head [handshakeHeaderLen + 2 + 32]byte

var _ Assembler = (*QUIC)(nil)

// Reset makes q as new, with memory for a message that arrives in pieces.
func (q *QUIC) Reset(memory []byte) {
	*q = QUIC{Scratch: q.Scratch, pieces: newPieces(memory)}
}

// Next prepares q, which must have completed a message, for the ClientHello that
// follows a HelloRetryRequest on the same connection, and for other attempts to
// connect. The outcome is Unrecognized where the handshake goes on without: when a
// message of another type or a Handshake packet comes. The memory is used again.
func (q *QUIC) Next() {
	if q.final.Outcome == Complete {
		q.advance()
	}
}

// advance goes on behind the complete message.
func (q *QUIC) advance() {
	q.base += uint64(q.length)
	q.final = Result{}
	q.length = 0
	q.packets = 0
	q.pieces.reset()
}

// QUICInfo says what a message has travelled in. The slices share memory with the
// QUIC, and hold until its next call.
type QUICInfo struct {
	Version     uint32
	DCID        []byte // destination connection ID that the keys follow from
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
}

// Info describes the connection. It is zero as long as no packet has been opened.
func (q *QUIC) Info() QUICInfo {
	if q.keys.aead == nil {
		return QUICInfo{}
	}
	info := QUICInfo{
		Version:     q.keys.version,
		DCID:        q.keys.dcid.bytes(),
		SCID:        q.scid.bytes(),
		TokenLength: q.tokenLength,
		Retry:       q.retry,
		Hello:       1,
		Attempt:     q.attempt,
		Packets:     q.packets,
	}
	if q.base > 0 {
		info.Hello = 2
	}
	return info
}

// Progress counts the attempts and packets of Info.
func (q *QUIC) Progress() Progress { return Progress{Attempt: q.attempt, Pieces: q.packets} }

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

// FeedFrames takes the payload of an Initial packet without its protection: for
// those who open packets themselves, and to test what is inside without keys.
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
	for i := 0; i < len(datagram); {
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
		case p.kind == packetHandshake && q.base > 0 && p.version == q.keys.version:
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
	if q.keys.aead == nil {
		return Result{Outcome: Unrecognized}, len(datagram)
	}
	return Result{}, len(datagram)
}

// open removes the protection of an Initial, with the keys that fit. schedules is how
// many key schedules it may spend.
func (q *QUIC) open(packet []byte, p *longPacket, schedules *int) (payload []byte, at int, ok bool) {
	if len(q.Scratch) < len(packet) {
		q.Scratch = make([]byte, scratchSize(len(packet)))
	}
	dcid := newConnectionID(p.dcid)
	if q.keys.aead != nil && q.keys.version == p.version {
		if payload, at, ok = q.keys.open(packet, p.numberAt, q.Scratch); ok {
			return payload, at, true
		}
	}
	if q.keys.aead != nil && q.keys.version != p.version && q.keys.dcid != dcid {
		if payload, at, ok = q.try(packet, p, q.keys.dcid, schedules); ok {
			next := q.keys.next
			q.keys = q.trial
			q.keys.next = max(q.keys.next, next)
			return payload, at, true
		}
	}
	if q.keys.belongTo(p.version, dcid) || q.previous.len > 0 && q.previous == dcid || !p.mayBeFirst() {
		return nil, 0, false
	}
	if payload, at, ok = q.try(packet, p, dcid, schedules); ok {
		q.restart(p)
	}
	return payload, at, ok
}

// try opens a packet with other keys, and derives them where trial has others.
func (q *QUIC) try(packet []byte, p *longPacket, dcid connectionID, schedules *int) (payload []byte, at int, ok bool) {
	if !q.trial.belongTo(p.version, dcid) {
		if *schedules == 0 {
			return nil, 0, false
		}
		*schedules--
		q.trial.derive(p.version, dcid)
	}
	return q.trial.open(packet, p.numberAt, q.Scratch)
}

// restart begins anew with the keys that have just opened p.
func (q *QUIC) restart(p *longPacket) {
	scid := newConnectionID(p.scid)
	q.retry = q.keys.aead != nil && len(p.token) > 0 && scid == q.scid
	q.previous = q.keys.dcid
	q.keys = q.trial
	q.scid = scid
	q.tokenLength = len(p.token)
	q.repeat, q.first = q.first, head{}
	q.base = 0
	q.attempt++
	q.packets = 0
	q.pieces.reset()
}

func scratchSize(packet int) int {
	if packet <= scratchSmall {
		return scratchSmall
	}
	return max(packet, scratchLarge)
}

// Types of the frames that an Initial packet may hold (RFC 9000, Section 17.2.2).
const (
	framePadding         = 0x00
	framePing            = 0x01
	frameACK             = 0x02
	frameACKECN          = 0x03
	frameCrypto          = 0x06
	frameConnectionClose = 0x1c

	// Google's T050 and T051 have another numbering, in one byte.
	frameGooglePing   = 0x07
	frameGoogleCrypto = 0x08
)

// readFrames walks through the frames of a payload that begins at offset at of the
// datagram.
func (q *QUIC) readFrames(payload []byte, at int) Result {
	google := isGoogle(q.keys.version)
	counted := false
	for i := 0; i < len(payload); {
		if payload[i] == framePadding {
			i = skipPadding(payload, i)
			continue
		}
		start := at + i
		typ, next, ok := readFrameType(payload, i, google)
		if !ok {
			return refused(extension.ErrFieldOverrun, start)
		}
		i = next
		switch typ {
		case framePadding, framePing:
		case frameACK, frameACKECN:
			i, ok = skipACK(payload, i, typ == frameACKECN)
		case frameConnectionClose:
			i, ok = skipConnectionClose(payload, i)
		case frameCrypto:
			offset, from, to, code := readCryptoFrame(payload, i)
			if code != 0 {
				return refused(code, start)
			}
			if !counted && to > from && offset+uint64(to-from) > q.base {
				counted = true
				q.packets++
			}
			if result := q.readCrypto(offset, payload[from:to], at+from); result.Outcome != NeedMore {
				return result
			}
			i = to
		case frameGoogleOther:
			return Result{} // how long it is is not known
		default:
			return refused(extension.ErrFrameType, start)
		}
		if !ok {
			return refused(extension.ErrFieldOverrun, start)
		}
	}
	return Result{}
}

// frameGoogleOther stands for the frames of T050 and T051 that are not read.
const frameGoogleOther = maxVarint + 1 // no varint can be that

// readFrameType returns the type of the frame at i, as QUIC numbers it. Of the frames
// of T050 and T051 only PADDING, PING and CRYPTO are known; their content is as in QUIC.
func readFrameType(b []byte, i int, google bool) (typ uint64, next int, ok bool) {
	switch {
	case !google:
		return readVarint(b, i)
	case b[i] == frameGooglePing:
		return framePing, i + 1, true
	case b[i] == frameGoogleCrypto:
		return frameCrypto, i + 1, true
	}
	return frameGoogleOther, i, true
}

// readCryptoFrame reads a CRYPTO frame (RFC 9000, Section 19.6) of which the type has
// been read: b[from:to] belongs at offset of the CRYPTO stream.
func readCryptoFrame(b []byte, i int) (offset uint64, from, to int, code extension.Code) {
	// Offset (i), Length (i), Crypto Data (..),
	offset, i, ok := readVarint(b, i)
	if !ok {
		return 0, i, i, extension.ErrFieldOverrun
	}
	length, i, ok := readVarint(b, i)
	switch {
	case !ok:
		return 0, i, i, extension.ErrFieldOverrun
	case length > maxVarint-offset:
		return 0, i, i, extension.ErrCryptoOffset
	case length > uint64(len(b)-i):
		return 0, i, i, extension.ErrFieldOverrun
	}
	return offset, i, i + int(length), 0
}

// skipPadding returns the end of the PADDING frames, one byte each, that begin at i.
func skipPadding(b []byte, i int) int {
	for len(b)-i >= 8 && binary.NativeEndian.Uint64(b[i:]) == 0 {
		i += 8
	}
	for i < len(b) && b[i] == framePadding {
		i++
	}
	return i
}

// skipACK returns the end of an ACK frame (RFC 9000, Section 19.3) of which the type
// has been read.
func skipACK(b []byte, i int, ecn bool) (next int, ok bool) {
	// Largest Acknowledged (i), ACK Delay (i), ACK Range Count (i),
	var ranges uint64
	for range 3 {
		if ranges, i, ok = readVarint(b, i); !ok {
			return i, false
		}
	}
	// First ACK Range (i), ACK Range (..) ..., [ECN Counts (..)],
	if ranges > uint64(len(b)) {
		return i, false
	}
	fields := 1 + 2*int(ranges)
	if ecn {
		fields += 3
	}
	for range fields {
		if _, i, ok = readVarint(b, i); !ok {
			return i, false
		}
	}
	return i, true
}

// skipConnectionClose returns the end of a CONNECTION_CLOSE frame (RFC 9000, Section
// 19.19) of which the type has been read.
func skipConnectionClose(b []byte, i int) (next int, ok bool) {
	// Error Code (i), Frame Type (i), Reason Phrase Length (i), Reason Phrase (..),
	var length uint64
	for range 3 {
		if length, i, ok = readVarint(b, i); !ok {
			return i, false
		}
	}
	if length > uint64(len(b)-i) {
		return i, false
	}
	return i + int(length), true
}

// readCrypto takes data at an offset of the CRYPTO stream; at is where it lies in the
// datagram.
func (q *QUIC) readCrypto(offset uint64, data []byte, at int) Result {
	if offset < q.base {
		n := min(q.base-offset, uint64(len(data)))
		data = data[n:]
		at += int(n)
		offset += n
	}
	if len(data) == 0 || offset-q.base >= MaxMessage {
		return Result{}
	}
	i := int(offset - q.base)
	lengthAt := at
	if i <= 1 && i+len(data) > 1 {
		lengthAt += 1 - i
	}
	if i == 0 {
		length, result := q.readHeader(data, at, lengthAt)
		if result.Outcome != NeedMore {
			return result
		}
		if length > 0 && length <= len(data) && q.pieces.end == 0 {
			return q.complete(data[:length:length])
		}
	}
	if i < handshakeHeaderLen && len(q.pieces.data) < handshakeHeaderLen {
		return refused(extension.ErrOverLimit, at)
	}
	if !q.pieces.put(i, data) {
		return refused(extension.ErrOverlapChanged, at)
	}
	length, result := q.readHeader(q.pieces.data[:q.pieces.prefix], at, lengthAt)
	switch {
	case result.Outcome != NeedMore:
		return result
	case length > len(q.pieces.data):
		return refused(extension.ErrOverLimit, lengthAt)
	case length > 0 && length <= q.pieces.prefix:
		return q.complete(q.pieces.data[:length:length])
	}
	return Result{}
}

// readHeader judges a message by its first bytes. It returns the length of the
// message with its header, or 0 while that is not known. at is where the data lies that
// the judgement is made on, lengthAt where the length begins if it does so in that data,
// else at.
func (q *QUIC) readHeader(msg []byte, at, lengthAt int) (length int, result Result) {
	switch {
	case len(msg) == 0:
		return 0, Result{}
	case msg[0] != typeClientHello && q.base > 0:
		return 0, Result{Outcome: Unrecognized}
	case msg[0] != typeClientHello:
		return 0, refused(extension.ErrMessageType, at)
	case len(msg) < handshakeHeaderLen:
		return 0, Result{}
	}
	length = handshakeHeaderLen + (int(msg[1])<<16 | int(msg[2])<<8 | int(msg[3]))
	if length > MaxMessage {
		return 0, refused(extension.ErrMessageTooLarge, lengthAt)
	}
	return length, Result{}
}

// complete gives out a message, unless it repeats the one under the keys before.
func (q *QUIC) complete(msg []byte) Result {
	q.length = len(msg)
	if q.base == 0 && len(msg) >= len(q.first) {
		q.first = head(msg)
		if q.first == q.repeat {
			q.advance()
			return Result{}
		}
	}
	return Result{Outcome: Complete, Message: msg}
}
