// Package assembletest has reference parsers and checks of streams of TLS records, and the inputs that cut messages into pieces.
package assembletest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/google/go-cmp/cmp"
	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/extension"
)

// ReferenceRecords is the obvious reader of RFC 9846, Section 5.1: it looks at the
// stream as a whole. Its verdicts are those of assemble.Records with memory for any
// message; Used counts from the beginning of the stream.
func ReferenceRecords(stream []byte) assemble.Result {
	refuse := func(code extension.Code, offset int) assemble.Result {
		return assemble.Result{Outcome: assemble.Refused, Code: code, Offset: offset}
	}
	var msg []byte
	lengthAt := 0
	for at, first := 0, true; ; first = false {
		header := stream[at:]
		if len(header) == 0 {
			return assemble.Result{}
		}
		if first && header[0] >= 0x80 {
			return referenceSSLv2(stream)
		}
		if header[0] != 22 {
			if first {
				return assemble.Result{Outcome: assemble.Unrecognized}
			}
			return refuse(extension.ErrRecordInterleaved, at)
		}
		if first && len(header) >= 2 && header[1] != 3 {
			return assemble.Result{Outcome: assemble.Unrecognized}
		}
		if len(header) < 5 {
			return assemble.Result{}
		}
		length := int(header[3])*256 + int(header[4])
		if length > 16384 {
			return refuse(extension.ErrRecordOverflow, at+3)
		}
		if length == 0 {
			return refuse(extension.ErrRecordEmpty, at+3)
		}
		at += 5
		for end := at + length; at < end; at++ {
			if at == len(stream) {
				return assemble.Result{}
			}
			msg = append(msg, stream[at])
			switch len(msg) {
			case 1:
				if msg[0] != 1 {
					return refuse(extension.ErrMessageType, at)
				}
			case 2:
				lengthAt = at
			}
			if len(msg) < 4 {
				continue
			}
			whole := 4 + int(msg[1])*65536 + int(msg[2])*256 + int(msg[3])
			if whole > assemble.MaxMessage {
				return refuse(extension.ErrMessageTooLarge, lengthAt)
			}
			if len(msg) == whole {
				return assemble.Result{Outcome: assemble.Complete, Message: msg, Used: at + 1}
			}
		}
	}
}

// referenceSSLv2 tells an SSLv2-compatible hello, RFC 5246, Appendix E.2, from
// anything else with the top bit set.
func referenceSSLv2(b []byte) assemble.Result {
	not := assemble.Result{Outcome: assemble.Unrecognized}
	if len(b) >= 3 && b[2] != 1 {
		return not
	}
	if len(b) >= 5 && b[3] != 3 && !bytes.Equal(b[3:5], []byte{0, 2}) {
		return not
	}
	if len(b) < 11 {
		return assemble.Result{}
	}
	number := func(i int) int { return int(b[i])*256 + int(b[i+1]) }
	specs, id, challenge := number(5), number(7), number(9)
	if number(0) != 0x8000+9+specs+id+challenge || specs == 0 || specs%3 != 0 || id > 32 || challenge < 16 || challenge > 32 {
		return not
	}
	return assemble.Result{Outcome: assemble.Refused, Code: extension.ErrSSLv2Hello}
}

// CheckRecords checks the contract of assemble.Records on one stream, cut into pieces
// of the given sizes over and over.
func CheckRecords(stream, cuts []byte) error {
	want := ReferenceRecords(stream)
	memory := make([]byte, assemble.MaxMessage)
	for name, pieces := range map[string]func(func([]byte) bool){
		"whole":       func(yield func([]byte) bool) { yield(stream) },
		"byte a time": Chop(stream, []byte{1}),
		"cut":         Chop(stream, cuts),
	} {
		var r assemble.Records
		r.Reset(memory)
		before := bytes.Clone(stream)
		var got assemble.Result
		used := 0
		for piece := range pieces {
			if got = r.Feed(piece); got.Outcome != assemble.NeedMore {
				used += got.Used
				break
			}
			if got.Used != len(piece) {
				return fmt.Errorf("%s: needs more, and left %d of %d bytes", name, len(piece)-got.Used, len(piece))
			}
			used += got.Used
		}
		if got.Outcome != want.Outcome || got.Code != want.Code || got.Offset != want.Offset || !bytes.Equal(got.Message, want.Message) {
			return fmt.Errorf("%s: got %v %q at %d with %d bytes, the reference has %v %q at %d with %d bytes", name,
				got.Outcome, got.Code.Name(), got.Offset, len(got.Message),
				want.Outcome, want.Code.Name(), want.Offset, len(want.Message))
		}
		if got.Outcome == assemble.Complete && used != want.Used {
			return fmt.Errorf("%s: used %d bytes, the message ends at %d", name, used, want.Used)
		}
		if !bytes.Equal(before, stream) {
			return fmt.Errorf("%s: the input was written to", name)
		}
		if got.Outcome != assemble.NeedMore {
			again := r.Feed([]byte{22, 3, 1, 0, 1, 1})
			if again.Outcome != got.Outcome || again.Code != got.Code || again.Offset != got.Offset || again.Used != 0 {
				return fmt.Errorf("%s: %v %q is not final", name, got.Outcome, got.Code.Name())
			}
		}
	}
	if err := checkRecordsNext(stream, cuts, memory); err != nil {
		return err
	}
	return checkRecordsLimit(stream, cuts, want)
}

// checkRecordsNext checks that what follows a complete message does not depend on how
// the stream was cut, either.
func checkRecordsNext(stream, cuts, memory []byte) error {
	read := func(pieces func(func([]byte) bool)) (results []assemble.Result) {
		var r assemble.Records
		r.Reset(memory)
		used := 0
		for piece := range pieces {
			for len(piece) > 0 {
				result := r.Feed(piece)
				used += result.Used
				piece = piece[result.Used:]
				if result.Outcome == assemble.NeedMore {
					continue
				}
				result.Message = bytes.Clone(result.Message)
				result.Used = used
				results = append(results, result)
				if result.Outcome != assemble.Complete {
					return results
				}
				r.Next()
			}
		}
		return results
	}
	whole := read(func(yield func([]byte) bool) { yield(stream) })
	for name, pieces := range map[string]func(func([]byte) bool){"byte a time": Chop(stream, []byte{1}), "cut": Chop(stream, cuts)} {
		if diff := cmp.Diff(whole, read(pieces)); diff != "" {
			return fmt.Errorf("messages one after the other, whole (-) and %s (+):\n%s", name, diff)
		}
	}
	if len(whole) == 0 || whole[0].Outcome != assemble.Complete || !endsRecord(stream, whole[0].Used) {
		return nil
	}
	rest := stream[whole[0].Used:]
	for bytes.HasPrefix(rest, []byte{20, 3}) && len(rest) >= 6 && bytes.Equal(rest[3:6], []byte{0, 1, 1}) {
		rest = rest[6:]
	}
	if want := ReferenceRecords(rest); want.Outcome == assemble.Complete &&
		(len(whole) < 2 || !bytes.Equal(whole[1].Message, want.Message)) {
		return errors.New("a second ClientHello follows, and is not found")
	}
	return nil
}

// endsRecord reports whether a record of stream ends at offset.
func endsRecord(stream []byte, offset int) bool {
	at := 0
	for at < offset && len(stream)-at >= 5 {
		at += 5 + int(stream[at+3])*256 + int(stream[at+4])
	}
	return at == offset
}

// checkRecordsLimit checks that memory too short for the message refuses it, and
// changes nothing else.
func checkRecordsLimit(stream, cuts []byte, want assemble.Result) error {
	const limit = 300
	guarded := bytes.Repeat([]byte{0xa5}, limit+64)
	var r assemble.Records
	r.Reset(guarded[:limit])
	var got assemble.Result
	for piece := range Chop(stream, cuts) {
		if got = r.Feed(piece); got.Outcome != assemble.NeedMore {
			break
		}
	}
	if !bytes.Equal(guarded[limit:], bytes.Repeat([]byte{0xa5}, 64)) {
		return errors.New("bytes after the memory were written to")
	}
	if got.Code == extension.ErrOverLimit && got.Outcome == assemble.Refused {
		if want.Outcome == assemble.Complete && len(want.Message) <= limit {
			return fmt.Errorf("a message of %d bytes does not fit %d", len(want.Message), limit)
		}
		return nil
	}
	if got.Outcome != want.Outcome || got.Code != want.Code || got.Offset != want.Offset || !bytes.Equal(got.Message, want.Message) {
		return fmt.Errorf("with memory for %d bytes: %v %q at %d, with more %v %q at %d", limit,
			got.Outcome, got.Code.Name(), got.Offset, want.Outcome, want.Code.Name(), want.Offset)
	}
	return nil
}

// InRecords puts msg into records with fragments of the given sizes, over and over.
func InRecords(msg, sizes []byte) []byte {
	var stream []byte
	for fragment := range Chop(msg, sizes) {
		for part := range slices.Chunk(fragment, 1<<14) {
			stream = append(stream, 22, 3, 1, byte(len(part)>>8), byte(len(part)))
			stream = append(stream, part...)
		}
	}
	return stream
}

// Chop yields b in pieces of the given sizes, over and over; 0 is an empty one.
func Chop(b, sizes []byte) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		progress := false
		for i := 0; len(b) > 0; i++ {
			n := len(b)
			if len(sizes) > 0 {
				n = min(n, int(sizes[i%len(sizes)]))
				if i%len(sizes) == len(sizes)-1 {
					if !progress && n == 0 {
						n = len(b)
					}
					progress = false
				}
			}
			progress = progress || n > 0
			if !yield(b[:n:n]) {
				return
			}
			b = b[n:]
		}
	}
}

// MessageBytes is a ClientHello of n bytes, as far as an assembler looks.
func MessageBytes(n int) []byte {
	msg := make([]byte, n)
	n -= 4
	copy(msg, []byte{1, byte(n >> 16), byte(n >> 8), byte(n)})
	return msg
}
