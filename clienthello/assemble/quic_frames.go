package assemble

import (
	"encoding/binary"
	"hash/maphash"

	"github.com/tlsflags/tlsflags/extension"
)

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
			if largest, _, has := readVarint(payload, i); has && q.base == 0 {
				q.acked = max(q.acked, largest+1)
			}
			i, ok = skipACK(payload, i, typ == frameACKECN)
		case frameConnectionClose:
			if i, ok = skipConnectionClose(payload, i); ok {
				q.faults |= QUICClose //mutation:equivalent QUICOpened is set, too
				if q.server && !q.lenient {
					return Result{}
				}
			}
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

// frameGoogleOther is the type of the frames of T050 and T051 that are not read.
const frameGoogleOther = maxVarint + 1 // no varint can be that

// readFrameType returns the type of the frame at i, as QUIC numbers it. Of the frames
// of T050 and T051 only PADDING, PING and CRYPTO are known; their content is as in QUIC.
func readFrameType(b []byte, i int, google bool) (typ uint64, next int, ok bool) {
	switch {
	case !google:
		return readVarint(b, i)
	case b[i] == frameGooglePing:
		return framePing, i + 1, true //mutation:equivalent PADDING is passed over, too
	case b[i] == frameGoogleCrypto:
		return frameCrypto, i + 1, true
	}
	return frameGoogleOther, 0, true
}

// readCryptoFrame reads a CRYPTO frame (RFC 9000, Section 19.6), whose type ends at index i
// of b. Its data b[from:to] belongs at offset of the CRYPTO stream. If code is not 0, the
// other results mean nothing.
func readCryptoFrame(b []byte, i int) (offset uint64, from, to int, code extension.Code) {
	// Offset (i), Length (i), Crypto Data (..),
	offset, i, ok := readVarint(b, i)
	var length uint64
	if ok {
		length, i, ok = readVarint(b, i)
	}
	switch {
	case !ok:
		code = extension.ErrFieldOverrun
	case length > maxVarint-offset:
		code = extension.ErrCryptoOffset
	case length > uint64(len(b)-i):
		code = extension.ErrFieldOverrun
	}
	return offset, i, i + int(length), code
}

// skipPadding returns the end of the PADDING frames, one byte each, that begin at i.
func skipPadding(b []byte, i int) int {
	//mutation:equivalent the last bytes are passed one by one
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
			return
		}
	}
	// First ACK Range (i), ACK Range (..) ..., [ECN Counts (..)],
	if ranges > uint64(len(b)) { //mutation:equivalent so many do not fit either
		return 0, false
	}
	fields := 1 + 2*int(ranges)
	if ecn {
		fields += 3
	}
	for range fields {
		if _, i, ok = readVarint(b, i); !ok {
			return
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
			return
		}
	}
	return i + int(length), length <= uint64(len(b)-i)
}

// readCrypto takes data at an offset of the CRYPTO stream; at is its offset in the
// datagram.
func (q *QUIC) readCrypto(offset uint64, data []byte, at int) Result {
	before := min(max(q.base, offset)-offset, uint64(len(data))) // data of earlier messages
	data = data[before:]
	at += int(before)
	offset += before
	if len(data) == 0 || offset-q.base >= MaxMessage { //mutation:equivalent no message has a byte at MaxMessage
		return Result{}
	}
	i := int(offset - q.base)
	lengthAt := at
	if i == 0 {
		if len(data) > 1 {
			lengthAt++
		}
		length, result := q.readHeader(data, at, lengthAt)
		if result.Outcome != NeedMore {
			return result
		}
		if alone := q.pieces.empty(); length != 0 && length <= len(data) && (alone || q.server) {
			if !alone && !q.pieces.place(0, data[:length], last) { //mutation:equivalent data is returned, whichever wins
				q.differ()
			}
			return q.complete(data[:length:length])
		}
	}
	if i < handshakeHeaderLen && q.pieces.limit() < handshakeHeaderLen {
		return refused(extension.ErrOverLimit, at)
	}
	switch {
	case q.server:
		wins := first
		if q.lenient {
			wins = last
		}
		if !q.pieces.place(i, data, wins) {
			q.differ()
		}
	case !q.pieces.place(i, data, neither): //mutation:equivalent a difference ends all
		return refused(extension.ErrOverlapChanged, at)
	}
	length, result := q.readHeader(q.pieces.data[:q.pieces.prefix], at, lengthAt)
	switch {
	case result.Outcome != NeedMore:
		return result
	case length > q.pieces.limit():
		return refused(extension.ErrOverLimit, lengthAt)
	case length != 0 && length <= q.pieces.prefix:
		return q.complete(q.pieces.data[:length:length])
	}
	return Result{}
}

// readHeader checks the first bytes of a message. It returns the length of the
// message with its header, or 0 while that is not known. at is the offset of the data that
// decides, lengthAt that of the length if it begins in that data, else at.
func (q *QUIC) readHeader(msg []byte, at, lengthAt int) (length int, result Result) {
	switch {
	case len(msg) == 0:
	case msg[0] != typeClientHello && q.base != 0:
		result.Outcome = Unrecognized
	case msg[0] != typeClientHello:
		result = refused(extension.ErrMessageType, at)
	case len(msg) >= handshakeHeaderLen:
		length = handshakeHeaderLen + (int(msg[1])<<16 | int(msg[2])<<8 | int(msg[3]))
		if length > MaxMessage {
			result = refused(extension.ErrMessageTooLarge, lengthAt)
		}
	}
	return length, result
}

// differ notes that data differs from what came before in the same place.
func (q *QUIC) differ() {
	q.differed = true
	q.faults |= QUICOverlap //mutation:equivalent QUICOpened is set, too
}

// complete returns a message, unless it repeats the one under the keys before and no data
// of another one came.
func (q *QUIC) complete(msg []byte) Result {
	q.length = int32(len(msg))
	if q.base == 0 {
		q.first = q.hash(msg)
		if q.first == q.repeat && !q.differed {
			q.advance()
			return Result{}
		}
	}
	return Result{Outcome: Complete, Message: msg}
}

// hash returns a hash of a message, which is not 0.
func (q *QUIC) hash(msg []byte) uint64 {
	switch {
	case q.seed != (maphash.Seed{}):
	case q.cache != nil:
		q.seed = q.cache.seed
	default:
		q.seed = maphash.MakeSeed()
	}
	return max(maphash.Bytes(q.seed, msg), 1)
}

// Hash returns a hash of the message that q has completed, which is msg, until q is to read the
// next one. QUICs with the same [QUICKeys] have the same hash for the same message.
func (q *QUIC) Hash(msg []byte) uint64 {
	if q.base == 0 && q.final.Outcome == Complete {
		return q.first
	}
	return q.hash(msg)
}
