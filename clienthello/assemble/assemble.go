// Package assemble reassembles a ClientHello from TLS records, QUIC Initial packets or
// DTLS fragments, in a buffer of the caller's, and returns the whole handshake message
// for clienthello.Parse.
//
// Every assembler follows one contract:
//
//   - The caller feeds what arrived, in order of arrival, through Feed: bytes of
//     an ordered stream ([Records]) or one datagram a call ([QUIC], [DTLS]).
//   - Each call answers with one of four outcomes: [Complete], [NeedMore],
//     [Unrecognized], [Refused].
//   - An answer other than NeedMore is final: Feed repeats it until Reset, or until
//     Next after Complete. ([Records] also has Grow, for more memory.)
//   - The memory for a message that arrives in pieces is the slice that the caller
//     gave to Reset. Its length is the limit on the message; nothing grows, unless
//     [QUIC.ResetGrowing] or [DTLS.ResetGrowing] says so.
//     A longer message is refused with [extension.ErrOverLimit] as soon as
//     its length is known. For out-of-order transports one ninth of the buffer is an
//     arrival bitmap, so the limit is lower: see [BufferSize].
//   - What was fed is not retained, with one exception: a message that lies whole
//     in what was fed is returned in place, without a copy.
//   - No allocation, unless an assembler says otherwise.
package assemble

import (
	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
)

const (
	typeClientHello    = 1
	handshakeHeaderLen = 4
	maxRecord          = 1 << 14
)

// MaxMessage is the length of the longest ClientHello that can be valid, in
// bytes with its 4-byte header. Memory of this length never refuses for its limit
// what the standard allows.
const MaxMessage = handshakeHeaderLen + clienthello.MaxBody

// Outcome is the state of an assembler after a call of Feed.
type Outcome uint8

const (
	// NeedMore: all that was fed fits so far, the message is not whole yet.
	NeedMore Outcome = iota
	// Complete: the message is whole.
	Complete
	// Unrecognized: this is not the protocol that the assembler reads.
	Unrecognized
	// Refused: it is the protocol, but malformed, over a limit, or of a form that
	// is not carried further; the Code says which.
	Refused
)

// String returns the outcome in lower-case words.
func (o Outcome) String() string {
	switch o {
	case NeedMore:
		return "need more"
	case Complete:
		return "complete"
	case Unrecognized:
		return "unrecognized"
	case Refused:
		return "refused"
	}
	return "unknown outcome"
}

// Result is the outcome of one call of Feed.
type Result struct {
	Outcome Outcome

	// Code says why, if the outcome is Refused; 0 otherwise. Err has it as an error.
	Code extension.Code

	// Message is the whole handshake message with its header, if the outcome
	// is Complete. It shares memory with what was fed or with the slice given to
	// Reset, and is valid until either is written to.
	Message []byte

	// Offset is that of the refused field, in bytes from the first byte fed
	// since Reset for a stream, from the start of the datagram for datagrams, also
	// if these are encrypted. For a frame or a fragment that is cut short it is the start
	// of that, since nothing tells which of its fields is wrong.
	Offset int

	// Used is how many bytes of this call's input were read: all of them, unless
	// the outcome is Complete and bytes follow the message, which are left
	// untouched, or it is final for another reason.
	Used int
}

// Err returns Code as an error, or nil if the outcome is not Refused. A zero Code in a
// variable of type error would not be nil.
func (r Result) Err() error { return r.Code.Err() }

func refused(code extension.Code, offset int) Result {
	return Result{Outcome: Refused, Code: code, Offset: offset}
}

// Assembler is what all assemblers of this package have in common. A receiver needs no
// more of them: it makes one when the first bytes of a flow show which carrier it is,
// and holds it as an Assembler from then on. [Records.Info], [QUIC.Info] and [DTLS.Info]
// have what is special to each, for output.
//
// CONTRIBUTING.md says how to add a carrier.
type Assembler interface {
	// Feed takes the next piece: stream bytes, or one whole datagram.
	Feed(piece []byte) Result
	// Reset starts over with memory for the message, which may be nil: then only a
	// message that lies whole in one piece can be completed.
	Reset(memory []byte)
	// Next prepares the assembler for the ClientHello that follows the complete message on
	// the same connection, with the memory there is. It does nothing after other outcomes.
	Next()
	// Progress says how much of the message has come. Comparing what it returned before
	// and after a call of Feed tells whether the piece was of use.
	Progress() Progress
}

// Progress says how much of a message has come, in units of the carrier.
type Progress struct {
	// Attempt changes when an assembler starts over by itself: what was fed before is no
	// part of the message. Only [QUIC] does that.
	Attempt int
	// Pieces counts the records or packets with bytes of the message. It returns to 0 with
	// Reset, with Next, and when Attempt changes.
	Pieces int
}
