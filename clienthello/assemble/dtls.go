package assemble

import (
	"encoding/binary"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
)

const (
	dtlsRecordHeaderLen   = 13
	dtlsFragmentHeaderLen = 12

	// MaxMessageDTLS is the length of the longest ClientHello of DTLS that can be
	// valid, in bytes with its 12-byte header: there is a cookie besides.
	MaxMessageDTLS = dtlsFragmentHeaderLen + clienthello.MaxBodyDTLS
)

// DTLS reads a ClientHello from the UDP datagrams that a client sends, in DTLS 1.0,
// 1.2 or 1.3, or in the version 0x0100 that OpenSSL had before it (DTLS1_BAD_VER, which Cisco
// AnyConnect uses), if it is not encrypted (RFC 9147, Sections 4 and 5.2):
//
//	struct {
//	    ContentType type;
//	    ProtocolVersion legacy_record_version;
//	    uint16 epoch = 0;
//	    uint48 sequence_number;
//	    uint16 length;
//	    opaque fragment[DTLSPlaintext.length];
//	} DTLSPlaintext;
//
//	struct {
//	    HandshakeType msg_type;
//	    uint24 length;
//	    uint16 message_seq;
//	    uint24 fragment_offset;
//	    uint24 fragment_length;
//	    opaque body[fragment_length];
//	} DTLSHandshake;
//
// A datagram may hold several records and a record several fragments. The fragments
// of a message may come in any order, overlap, and come again; what comes out does
// not depend on it. The message that comes out has the header of one that was never
// in fragments, which is what clienthello.ParseDTLS takes.
//
// The first fragment decides which message_seq it is about; fragments of other
// messages are skipped. That is 0 at the start of a handshake, and [DTLS.Next] goes on
// to what follows.
//
// Records of other types, of a later epoch, encrypted, cut off, or with another
// version than DTLS has are ignored, as RFC 9147, Section 4.5.2 asks; after a record
// with a bad length the rest of the datagram is ignored. The outcome is
//
//   - [Unrecognized] as long as no fragment has been read and this datagram has none.
//     Nothing is kept, so an assembler is held only by handshakes;
//   - [Refused] if a fragment does not fit into its record (ErrFieldOverrun, at the
//     fragment) or reaches beyond its message (ErrFragmentOverrun). Also if it has
//     another type or length than the fragments before it (ErrFragmentMismatch), or
//     other content (ErrOverlapChanged). Also if the first message is no ClientHello
//     (ErrMessageType), is too long for any ClientHello (ErrMessageTooLarge), or is too
//     long for the memory (ErrOverLimit).
//
// A message in one fragment is [Complete] in place. One ninth of the memory is an
// arrival bitmap, see [BufferSize].
//
// The zero DTLS is ready to use, for messages that lie in one fragment. It allocates
// nothing.
type DTLS struct {
	// Tolerant makes Feed read fragments as OpenSSL does: those of another message than
	// the first one or the awaited one are skipped, also if only type or length differ; of
	// bytes that come twice the last ones count; and a message in one fragment is
	// complete, whatever came before. Reset leaves it as it is.
	Tolerant bool

	final Result // the answer to repeat, when it is not NeedMore

	pieces  pieces
	started bool // seq is known
	again   bool // this is what follows a complete message
	seq     int  // message_seq
	length  int  // of the body, once pieces.end is above 0
	version uint16
	records int
	awaited bool // seq and length are those of Await
	overlap bool // bytes came twice and differ
}

var _ Assembler = (*DTLS)(nil)

// Reset makes d as new, with memory for a message that arrives in pieces.
func (d *DTLS) Reset(memory []byte) {
	*d = DTLS{Tolerant: d.Tolerant, pieces: newPieces(memory)}
}

// ResetGrowing is Reset with memory that d allocates, in proportion to what arrives, for
// messages of up to limit bytes.
func (d *DTLS) ResetGrowing(limit int) {
	own := d.pieces
	own.grows(limit)
	*d = DTLS{Tolerant: d.Tolerant, pieces: own}
}

// Held returns how many bytes d has allocated since ResetGrowing.
func (d *DTLS) Held() int { return d.pieces.held() }

// Await makes d, of which no fragment has been read since Reset or Next, wait for the
// message with the given message_seq and length of the body, whatever comes before it.
func (d *DTLS) Await(seq, length int) {
	d.started, d.awaited, d.again, d.seq, d.length = true, true, false, seq, length
}

// Overlap reports whether a Tolerant d has read bytes that differ from those which came
// before in the same place.
func (d *DTLS) Overlap() bool { return d.overlap }

// Next prepares d, which must have completed a message, for the ClientHello that
// follows a HelloVerifyRequest or a HelloRetryRequest, with the next message_seq. The
// outcome is Unrecognized if no ClientHello follows: when another message,
// change_cipher_spec or an encrypted record comes. The memory is used again.
func (d *DTLS) Next() {
	if d.final.Outcome != Complete {
		return
	}
	d.pieces.reset()
	*d = DTLS{Tolerant: d.Tolerant, pieces: d.pieces, started: true, again: true, seq: d.seq + 1, version: d.version}
}

// Prefix returns the beginning of the message that is being read, or was refused, up to the
// first byte that has not come, with its header. It is valid until the next call of another
// method. A message that is Complete is in Result.
func (d *DTLS) Prefix() []byte { return d.pieces.prefixBytes() }

// DTLSInfo says what a message has travelled in.
type DTLSInfo struct {
	Version    uint16 // of the record with the latest fragment, such as 0xfefd
	MessageSeq int
	Records    int // that held a fragment of the message
}

// Info describes the message that is being read or complete. It is zero as long as no
// fragment has been read.
func (d *DTLS) Info() DTLSInfo { return DTLSInfo{d.version, d.seq, d.records} }

// Progress counts the records of Info.
func (d *DTLS) Progress() Progress { return Progress{Pieces: d.records} }

// Feed takes one datagram.
func (d *DTLS) Feed(datagram []byte) Result {
	if d.final.Outcome != NeedMore {
		return d.final
	}
	result, used := d.read(datagram)
	d.final = result
	result.Used = used
	return result
}

const (
	dtlsVersionAt = 1
	dtlsEpochAt   = 3
	dtlsLengthAt  = 11
)

// isDTLS reports whether b, which has two bytes or more, begins with a version of DTLS. The
// first byte is 0xfe in all versions but 0x0100, which is what OpenSSL calls DTLS1_BAD_VER.
func isDTLS(b []byte) bool { return b[0] == 0xfe || b[0] == 1 && b[1] == 0 }

// read walks through the records of a datagram.
func (d *DTLS) read(datagram []byte) (result Result, used int) {
	for i := 0; len(datagram)-i >= dtlsRecordHeaderLen; {
		header := datagram[i:]
		if !isDTLS(header[dtlsVersionAt:]) {
			if d.again && encryptedRecord(header[0]) {
				return Result{Outcome: Unrecognized}, len(datagram)
			}
			break
		}
		i += dtlsRecordHeaderLen
		length := int(header[dtlsLengthAt])<<8 | int(header[dtlsLengthAt+1])
		if length > len(datagram)-i {
			break
		}
		end := i + length
		encrypted := header[dtlsEpochAt]|header[dtlsEpochAt+1] != 0
		switch {
		case header[0] == recordHandshake && !encrypted && length <= maxRecord:
			version := binary.BigEndian.Uint16(header[1:])
			if result := d.readRecord(datagram[:end], i, version); result.Outcome != NeedMore {
				return result, end
			}
		case d.again && (encrypted || header[0] == recordChangeCipherSpec):
			return Result{Outcome: Unrecognized}, end
		}
		i = end
	}
	if !d.started {
		return Result{Outcome: Unrecognized}, len(datagram)
	}
	return Result{}, len(datagram)
}

// encryptedRecord reports whether b begins a DTLSCiphertext, the unified header of
// RFC 9147, Section 4, of an epoch in which no ClientHello can follow. In
// epoch 1 it is early data, before which a HelloRetryRequest may yet come.
func encryptedRecord(b byte) bool { return b&0xe0 == 0x20 && b&3 != 1 }

// readRecord walks through the fragments from offset i to the end of b.
func (d *DTLS) readRecord(b []byte, i int, version uint16) Result {
	counted := false
	for i < len(b) {
		if len(b)-i < dtlsFragmentHeaderLen {
			return refused(extension.ErrFieldOverrun, i)
		}
		length := int(b[i+9])<<16 | int(b[i+10])<<8 | int(b[i+11]) //mutation:equivalent from 2^16 on, it is longer than a record
		if length > len(b)-i-dtlsFragmentHeaderLen {
			return refused(extension.ErrFieldOverrun, i)
		}
		end := i + dtlsFragmentHeaderLen + length
		seq := int(b[i+4])<<8 | int(b[i+5])
		if !d.started {
			d.started = true
			d.seq = seq
		}
		if seq == d.seq && !d.skips(b[i:]) {
			if !counted {
				counted = true
				d.records++
				d.version = version
			}
			if result := d.readFragment(b[i:end:end], i); result.Outcome != NeedMore {
				return result
			}
		}
		i = end
	}
	return Result{}
}

// skips reports whether a fragment is of another message than the one that is awaited.
func (d *DTLS) skips(b []byte) bool {
	if !d.Tolerant || !d.awaited && d.pieces.end == 0 {
		return false
	}
	return b[0] != typeClientHello || int(b[1])<<16|int(b[2])<<8|int(b[3]) != d.length
}

// readFragment takes a fragment of the message. The fragment begins at offset at of the
// datagram.
func (d *DTLS) readFragment(b []byte, at int) Result {
	if b[0] != typeClientHello {
		switch {
		case d.pieces.end != 0:
			return refused(extension.ErrFragmentMismatch, at)
		case d.again:
			return Result{Outcome: Unrecognized}
		}
		return refused(extension.ErrMessageType, at)
	}
	length := int(b[1])<<16 | int(b[2])<<8 | int(b[3])
	offset := int(b[6])<<16 | int(b[7])<<8 | int(b[8])
	body := b[dtlsFragmentHeaderLen:]
	total := dtlsFragmentHeaderLen + length
	if d.pieces.end == 0 {
		switch {
		case total > MaxMessageDTLS:
			return refused(extension.ErrMessageTooLarge, at+1)
		case offset == 0 && len(body) == length:
			return Result{Outcome: Complete, Message: b}
		case offset+len(body) > length:
			return refused(extension.ErrFragmentOverrun, at+6)
		case total > d.pieces.limit():
			return refused(extension.ErrOverLimit, at+1)
		}
		d.start(b)
	}
	switch {
	case length != d.length:
		return refused(extension.ErrFragmentMismatch, at+1)
	case offset+len(body) > length:
		return refused(extension.ErrFragmentOverrun, at+6)
	case !d.put(dtlsFragmentHeaderLen+offset, body):
		return refused(extension.ErrOverlapChanged, at+dtlsFragmentHeaderLen)
	case d.pieces.prefix == total:
		return Result{Outcome: Complete, Message: d.pieces.data[:total:total]}
	}
	return Result{}
}

// put takes bytes of the message. It reports false if that ends all.
func (d *DTLS) put(offset int, b []byte) bool {
	if !d.Tolerant {
		return d.pieces.place(offset, b, neither) //mutation:equivalent a difference ends all
	}
	if !d.pieces.place(offset, b, last) {
		d.overlap = true
	}
	return true
}

// start writes the header of the whole message from that of a fragment.
func (d *DTLS) start(fragment []byte) {
	var header [dtlsFragmentHeaderLen]byte
	copy(header[:6], fragment)         // msg_type, length, message_seq
	copy(header[9:12], fragment[1:])   // fragment_length
	d.pieces.got += int32(len(header)) //mutation:equivalent only the growth of memory differs
	d.pieces.grow(len(fragment))
	d.pieces.put(0, header[:])
	d.length = int(header[1])<<16 | int(header[2])<<8 | int(header[3])
}
