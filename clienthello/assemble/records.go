package assemble

import "github.com/tlsflags/tlsflags/extension"

const (
	recordChangeCipherSpec = 20
	recordAlert            = 21
	recordHandshake        = 22
	recordApplicationData  = 23
)

// Records reads a ClientHello from an ordered stream of TLS records, as defined in
// RFC 9846, Section 5.1:
//
//	struct {
//	    ContentType type;
//	    ProtocolVersion legacy_record_version;
//	    uint16 length;
//	    opaque fragment[TLSPlaintext.length];
//	} TLSPlaintext;
//
// The message may be spread over any number of records, and the stream over any
// number of calls of Feed: both may be cut anywhere, also inside a header. What
// comes out depends on the bytes alone and not on how they were cut, with one
// exception: a message longer than the memory is [Complete] if it lies in one
// record inside one fed piece, and refused otherwise. That refusal, ErrOverLimit, is
// not final if the caller can find more memory; see [Records.Grow].
//
// The outcome is [Unrecognized] if the stream does not begin as a TLS handshake
// record of major version 3, and [Refused] for
//
//   - ErrSSLv2Hello: the stream begins with an SSLv2-compatible hello (RFC 5246,
//     Appendix E.2);
//   - ErrRecordOverflow, ErrRecordEmpty: the offset is that of the record's length;
//   - ErrRecordInterleaved: of a record after the first, at its type;
//   - ErrMessageType: the first message is no ClientHello;
//   - ErrMessageTooLarge, ErrOverLimit: the offset is that of the message's length.
//
// Each is reported as soon as the byte that shows it is fed. RFC 9846,
// Section 5.1 wants the version of a record ignored: only the major version of the first
// one is looked at, to tell TLS from other protocols. That is a heuristic. Servers differ
// in what they read besides; see Tolerant.
//
// The zero Records is ready to use, for messages that lie in one piece. It may be
// copied between calls; the copies share the memory.
type Records struct {
	// Tolerant makes Feed go on where a server goes on: see Faults. It is set before the
	// first call of Feed. Reset and Next leave it as it is.
	Tolerant bool

	odd    recordFaults
	memory []byte
	final  Result // the answer to repeat, when it is not NeedMore

	pos     int  // offset in the stream of the next byte
	start   int  // offset of the first record of the message
	records int  // handshake records begun
	again   bool // this is what follows a complete message
	early   int  // bytes of application data that may come before the message

	// The first bytes of the stream are kept for as long as they may be an
	// SSLv2-compatible hello; of later record headers only the first five.
	header    [sslv2HeaderLen]byte
	headerLen int
	left      int // bytes of the current record still to come

	message   [handshakeHeaderLen]byte // header of the handshake message
	got       int                      // bytes of the message so far, with its header
	length    int                      // of the message with its header; 0 while unknown
	lengthPos int
}

var _ Assembler = (*Records)(nil)

// Reset makes r as new, with memory for a message that arrives in pieces.
func (r *Records) Reset(memory []byte) { *r = Records{Tolerant: r.Tolerant, memory: memory} }

// Next prepares r, which must have completed a message, for the ClientHello that
// follows a HelloRetryRequest on the same stream. The change_cipher_spec records
// that a client may send between the two (RFC 9846, Appendix E.4) are skipped. The
// outcome is Unrecognized if anything but a ClientHello follows, as it does in most
// handshakes. Offsets go on counting; the memory is used again. Feed goes on at the
// byte after those it used.
func (r *Records) Next() { r.NextAfterEarlyData(0) }

// NextAfterEarlyData is Next for a client that has offered early_data. It may send
// early data before it knows of the HelloRetryRequest, which the server skips (RFC 9846,
// Section 4.3.10): application_data records of up to limit bytes in all are skipped too.
func (r *Records) NextAfterEarlyData(limit int) {
	if r.final.Outcome != Complete {
		return
	}
	*r = Records{Tolerant: r.Tolerant, memory: r.memory, pos: r.pos, start: r.pos, left: r.left, header: r.header, again: true, early: limit}
}

// Grow goes on after a refusal with ErrOverLimit, with longer memory, at the byte
// after those that Feed used. Nothing is lost by the refusal: a caller that resets
// with no memory at all, and takes [Records.MessageLen] bytes when they turn out to be
// needed, needs none for a message that lies in one piece.
//
// The memory may still be shorter than the message. Feed then refuses again when it
// is full, so that a caller can let it grow with what really arrives instead of
// with what a peer announces.
func (r *Records) Grow(memory []byte) {
	if r.final.Code != extension.ErrOverLimit || len(memory) <= max(len(r.memory), handshakeHeaderLen-1) {
		return
	}
	if r.got == handshakeHeaderLen {
		copy(memory, r.message[:])
	} else {
		copy(memory, r.memory[:r.got])
	}
	r.memory = memory
	r.final = Result{}
}

// MessageLen returns the length of the message that is being read, with its header,
// or 0 as long as its header is not whole.
func (r *Records) MessageLen() int { return r.length }

// Prefix returns the beginning of the message that is being read, or was refused, as far as
// it has come, with its header. It is valid until the next call of another method. A
// message that is Complete is in Result.
func (r *Records) Prefix() []byte {
	if r.got > len(r.memory) || r.length == 0 {
		return r.message[:r.got:r.got]
	}
	return r.memory[:r.got:r.got]
}

// RecordsInfo says what a message has travelled in.
type RecordsInfo struct {
	// Start is the offset in the stream at which the first record of the message begins.
	// Until something of the message has been read, it is the offset at which that record
	// would begin.
	Start int
	// Records counts the handshake records begun since Reset or Next.
	Records int
	// Trailing is how many bytes the record that ended the complete message has after
	// it. RFC 9846, Section 5.1 wants a ClientHello to end with its record, and servers
	// answer anything else with unexpected_message.
	Trailing int
}

// Info describes the message that is being read or complete.
func (r *Records) Info() RecordsInfo {
	info := RecordsInfo{Start: r.start, Records: r.records}
	if r.final.Outcome == Complete {
		info.Trailing = r.left
	}
	return info
}

// Progress counts the records of Info.
func (r *Records) Progress() Progress { return Progress{Pieces: r.records} }

// Feed takes the next bytes of the stream.
func (r *Records) Feed(piece []byte) Result {
	if r.final.Outcome != NeedMore {
		return r.final
	}
	start := r.pos
	result, ok := r.readWhole(piece)
	if !ok {
		result = r.read(piece)
	}
	if result.Outcome > Complete && result.Code != extension.ErrOverLimit && r.odd.strict.Outcome != NeedMore {
		result = r.odd.strict
	}
	r.final = result
	result.Used = r.pos - start
	return result
}

// readWhole is read for a piece that begins with a record that has the whole message, between
// two messages: nearly all hellos come so. It reports whether this is one.
func (r *Records) readWhole(piece []byte) (result Result, ok bool) {
	const headers = recordHeaderLen + handshakeHeaderLen
	if len(piece) < headers || r.left > 0 || r.headerLen > 0 || r.got > 0 || r.records > 0 {
		return Result{}, false
	}
	h := piece[:headers:headers]
	if h[0] != recordHandshake || h[1] != 3 || h[5] != typeClientHello || h[6] != 0 {
		return Result{}, false
	}
	record := int(h[3])<<8 | int(h[4])
	message := handshakeHeaderLen + int(h[7])<<8 + int(h[8])
	if message > record || record > maxRecord || recordHeaderLen+message > len(piece) {
		return Result{}, false
	}
	r.start = r.pos
	r.records, r.odd.row = 1, 0
	r.lengthPos = r.pos + recordHeaderLen + 1
	r.got, r.length = handshakeHeaderLen, message
	r.left = record - message
	r.pos += recordHeaderLen + message
	copy(r.header[:], h[:recordHeaderLen])
	copy(r.message[:], h[recordHeaderLen:])
	return Result{Outcome: Complete, Message: piece[recordHeaderLen : recordHeaderLen+message : recordHeaderLen+message]}, true
}

func (r *Records) read(piece []byte) Result {
	for len(piece) > 0 {
		var result Result
		begin := r.pos
		switch {
		case r.got > 0 && r.got == r.length: //mutation:equivalent got is 4 at least; resumed at the end of an empty body
			result = r.readBody(nil)
		case r.left == 0:
			result = r.readHeader(piece[0])
		case r.header[0] != recordHandshake:
			result = r.skip(piece[:min(r.left, len(piece))])
		case r.length == 0:
			result = r.readMessageHeader(piece[:min(r.left, len(piece))])
		default:
			result = r.readBody(piece[:min(r.left, len(piece))])
		}
		if result.Outcome != NeedMore {
			return result
		}
		piece = piece[r.pos-begin:]
	}
	return Result{}
}

// readHeader takes a byte of a record header.
func (r *Records) readHeader(b byte) Result {
	i, at := r.headerLen, r.pos
	r.header[i] = b
	r.headerLen++
	r.pos++
	if r.records == 0 && !r.again && r.header[0]&0x80 != 0 && !r.odd.any() {
		return sslv2(r.header[:r.headerLen])
	}
	switch i {
	case 0: // ContentType type;
		return r.readType(b, at)
	case 1: // ProtocolVersion legacy_record_version;
		if b != 3 {
			return r.readMajor(b, at)
		}
	case 4: // uint16 length;
		return r.readLength(int(r.header[3])<<8|int(b), at-1)
	}
	return Result{}
}

// readType takes the type of a record.
func (r *Records) readType(b byte, at int) Result {
	switch {
	case b == recordHandshake:
		if r.records == 0 && r.got == 0 {
			r.start = at
		}
	case b == recordChangeCipherSpec && r.again && r.got == 0:
	case b == recordApplicationData && r.early > 0 && r.got == 0:
	case r.tolerates(b):
	case r.records == 0:
		return Result{Outcome: Unrecognized}
	default:
		return refused(extension.ErrRecordInterleaved, at)
	}
	return Result{}
}

// readLength takes the length of a record, which is at offset at, and with it the header
// is complete.
func (r *Records) readLength(length, at int) Result {
	switch {
	case r.tolerates(r.header[0]) && (r.header[0] != recordHandshake || length == 0):
		return r.readOddLength(length, at)
	case r.header[0] == recordChangeCipherSpec && length != 1:
		return Result{Outcome: Unrecognized}
	case r.header[0] == recordApplicationData:
		if r.early -= length; r.early < 0 || length == 0 {
			return Result{Outcome: Unrecognized}
		}
	case r.again && r.got == 0 && (length > maxRecord || length == 0):
		return Result{Outcome: Unrecognized}
	case length > maxRecord:
		return refused(extension.ErrRecordOverflow, at)
	case length == 0:
		return refused(extension.ErrRecordEmpty, at)
	}
	if r.header[0] == recordHandshake {
		r.records++
		r.odd.row = 0
	}
	r.headerLen = 0
	r.left = length
	return Result{}
}

// skip passes over bytes of a record between two messages.
func (r *Records) skip(part []byte) Result {
	if r.tolerates(r.header[0]) {
		return r.skipOdd(part)
	}
	if r.header[0] == recordChangeCipherSpec && part[0] != 1 {
		r.advance(1)
		return Result{Outcome: Unrecognized}
	}
	r.advance(len(part))
	return Result{}
}

// readMessageHeader takes bytes of a record up to the end of the message header, or
// of the message if it lies whole in part.
func (r *Records) readMessageHeader(part []byte) Result {
	whole := part
	if r.got > 0 {
		whole = nil
	}
	for _, b := range part[:min(len(part), handshakeHeaderLen-r.got)] {
		switch r.got {
		case 0: // HandshakeType msg_type;
			if b != typeClientHello {
				r.advance(1)
				if r.again {
					return Result{Outcome: Unrecognized}
				}
				return refused(extension.ErrMessageType, r.pos-1)
			}
		case 1: // uint24 length;
			r.lengthPos = r.pos
		}
		r.message[r.got] = b
		r.got++
		r.advance(1)
	}
	if r.got < handshakeHeaderLen {
		return Result{}
	}
	r.length = handshakeHeaderLen + (int(r.message[1])<<16 | int(r.message[2])<<8 | int(r.message[3]))
	switch {
	case r.length > MaxMessage:
		return refused(extension.ErrMessageTooLarge, r.lengthPos)
	case r.length <= len(whole):
		r.advance(r.length - handshakeHeaderLen)
		return Result{Outcome: Complete, Message: whole[:r.length:r.length]}
	case r.length > len(r.memory):
		return refused(extension.ErrOverLimit, r.lengthPos)
	}
	copy(r.memory, r.message[:])
	return r.readBody(nil) // the body may be empty
}

// readBody takes bytes of a record up to the end of the message.
func (r *Records) readBody(part []byte) Result {
	n := copy(r.memory[r.got:min(r.length, len(r.memory))], part)
	r.got += n
	r.advance(n)
	switch {
	case r.got == r.length:
		return Result{Outcome: Complete, Message: r.memory[:r.length:r.length]}
	case n < len(part): // the memory is full
		return refused(extension.ErrOverLimit, r.lengthPos)
	}
	return Result{}
}

// advance counts n bytes of the current record as read.
func (r *Records) advance(n int) {
	r.pos += n
	r.left -= n
}

const sslv2HeaderLen = 11

// sslv2 judges the first bytes of a stream that may be an SSLv2-compatible hello, as
// defined in RFC 5246, Appendix E.2, whose length has its top bit set:
//
//	uint8 V2CipherSpec[3];
//
//	struct {
//	    uint16 msg_length;
//	    uint8 msg_type;
//	    Version version;
//	    uint16 cipher_spec_length;
//	    uint16 session_id_length;
//	    uint16 challenge_length;
//	    V2CipherSpec cipher_specs[V2ClientHello.cipher_spec_length];
//	    opaque session_id[V2ClientHello.session_id_length];
//	    opaque challenge[V2ClientHello.challenge_length];
//	} V2ClientHello;
func sslv2(b []byte) Result {
	if len(b) >= 3 && b[2] != typeClientHello {
		return Result{Outcome: Unrecognized}
	}
	// SSL 2.0 itself is 0x0002 on the wire.
	if len(b) >= 5 && b[3] != 3 && (b[3] != 0 || b[4] != 2) {
		return Result{Outcome: Unrecognized}
	}
	if len(b) < sslv2HeaderLen {
		return Result{}
	}
	length := int(b[0]&0x7f)<<8 | int(b[1])
	specs := int(b[5])<<8 | int(b[6])
	sessionID := int(b[7])<<8 | int(b[8])  //mutation:equivalent from 128 on, it is too long
	challenge := int(b[9])<<8 | int(b[10]) //mutation:equivalent from 128 on, it is too long
	if specs == 0 || specs%3 != 0 || sessionID > 32 || challenge < 16 || challenge > 32 ||
		length != sslv2HeaderLen-2+specs+sessionID+challenge {
		return Result{Outcome: Unrecognized}
	}
	return refused(extension.ErrSSLv2Hello, 0)
}
