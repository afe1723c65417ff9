package assemble

import (
	"bytes"

	"github.com/tlsflags/tlsflags/extension"
)

const (
	// maxAhead is how many pieces of a stream are kept that come before their turn, and
	// maxAheadBytes how many bytes in them.
	maxAhead      = 64
	maxAheadBytes = 32 << 10
)

// ordered reads TLS records from a stream that packets carry in pieces. A piece may come
// more than once. If the pieces have numbers, they may come out of order too.
type ordered struct {
	final   Result // the answer to repeat, when it is not NeedMore
	records Records
	limit   int // of a message, if memory grows
	memory  []byte
	pieces  int    // that were of use for the message
	next    uint32 // number of the piece that continues the stream
	known   bool   // next is the number of the first piece that was read, or later
	rest    bool   // a piece has bytes after the message
	ahead   []aheadPiece
	bytes   int // in ahead
}

// aheadPiece is a piece that came before its turn.
type aheadPiece struct {
	number uint32
	data   []byte
}

// Reset starts over with memory for the message. Pieces that come out of order are then lost.
func (o *ordered) Reset(memory []byte) {
	*o = ordered{memory: memory}
	o.records.Reset(memory)
}

// ResetGrowing is Reset with memory that the assembler allocates, in proportion to what
// arrives, for messages of up to limit bytes.
func (o *ordered) ResetGrowing(limit int) { *o = ordered{limit: limit} }

// Held returns how many bytes the assembler has allocated since ResetGrowing.
func (o *ordered) Held() int {
	if o.limit == 0 {
		return 0
	}
	return len(o.memory) + o.bytes + len(o.ahead)*farCost
}

// Next prepares the assembler, which must have completed a message, for the ClientHello that
// follows a HelloRetryRequest. The outcome is Unrecognized if none follows.
func (o *ordered) Next() {
	if o.final.Outcome != Complete {
		return
	}
	o.final, o.pieces = Result{}, 0
	if o.records.Next(); o.rest {
		o.final = Result{Outcome: Unrecognized} // nothing tells what is in the rest
	}
}

// Progress counts the packets with bytes of the message.
func (o *ordered) Progress() Progress { return Progress{Pieces: o.pieces} }

// Records says what the message has travelled in, inside the packets.
func (o *ordered) Records() RecordsInfo { return o.records.Info() }

// Begun reports whether a record of TLS has begun. Pieces that come out of order may be of
// something else.
func (o *ordered) Begun() bool { return o.records.Info().Records > 0 }

// put takes the piece with a number. Numbers are compared as those of RFC 1982 are.
func (o *ordered) put(number uint32, b []byte) Result {
	if !o.known {
		o.known, o.next = true, number
	}
	switch ahead := int32(number - o.next); {
	case ahead < 0:
		return Result{}
	case ahead > 0:
		o.keep(number, b)
		return Result{}
	}
	o.pieces++
	result := o.add(b)
	o.next++
	for i := 0; result.Outcome == NeedMore && i < len(o.ahead); i++ {
		if piece := o.ahead[i]; piece.number == o.next {
			o.ahead = append(o.ahead[:i], o.ahead[i+1:]...)
			o.bytes -= len(piece.data)
			result = o.add(piece.data)
			o.next++
			i = -1
		}
	}
	return result
}

// keep keeps a piece until its turn comes.
func (o *ordered) keep(number uint32, b []byte) {
	if o.limit == 0 || len(o.ahead) == maxAhead || o.bytes+len(b) > maxAheadBytes || number-o.next > maxAhead {
		return
	}
	for _, piece := range o.ahead {
		if piece.number == number {
			return
		}
	}
	o.ahead = append(o.ahead, aheadPiece{number, bytes.Clone(b)})
	o.bytes += len(b)
	o.pieces++
}

// add takes the next bytes of the stream.
func (o *ordered) add(b []byte) Result {
	for at := 0; ; {
		result := o.records.Feed(b[at:])
		at += result.Used
		switch {
		case result.Code == extension.ErrOverLimit && o.grow(len(b)-at):
			continue
		case result.Outcome == Complete:
			o.rest = at < len(b)
		}
		return result
	}
}

// firstGrowth is the shortest memory that grows.
const firstGrowth = 1 << 10

// grow finds memory for n more bytes of a message. It reports whether there is any.
func (o *ordered) grow(n int) bool {
	length, old := o.records.MessageLen(), len(o.memory)
	if length > o.limit || old == length {
		return false
	}
	o.memory = make([]byte, min(length, max(2*(old+n), firstGrowth)))
	o.records.Grow(o.memory)
	return true
}

// answer notes the answer to a packet of n bytes.
func (o *ordered) answer(result Result, n int) Result {
	result.Used = 0
	o.final = result
	result.Used = n
	return result
}
