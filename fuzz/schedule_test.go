package fuzz

import (
	"bytes"
	"fmt"
	"iter"

	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/fuzzing"
	"github.com/tlsflags/tlsflags/internal/oracle/assembletest"
)

// scheduleSeeds cut recorded and generated messages into pieces.
func scheduleSeeds(header int, dtls bool) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		g := newGenerator(6)
		source := iter.Seq[[]byte](fuzzing.Messages)
		if dtls {
			source = generated(6, 40, true)
		}
		fuzzing.Each(source, func(msg []byte) []byte { return assembletest.EncodeSchedule(g.bytes(60), msg[header:]) })(yield)
	}
}

// checkSchedule feeds pieces of body to an assembler, and compares its answers with
// the obvious way to put them together: byte by byte, with a map. fixed bytes at the
// beginning are what the assembler knows without the pieces.
func checkSchedule(body []byte, pieces []assembletest.Piece, fixed []byte, feed func(assembletest.Piece) assemble.Result) error {
	have := make(map[int]byte)
	for i, p := range pieces {
		conflict := false
		for j, b := range p.Data {
			if old, ok := have[p.Offset+j]; ok && old != b {
				conflict = true
			}
			have[p.Offset+j] = b
		}
		got := feed(p)
		switch {
		case conflict:
			if got.Outcome != assemble.Refused || got.Code != extension.ErrOverlapChanged {
				return fmt.Errorf("piece %d differs from what came before: got %v %q", i, got.Outcome, got.Code.Name())
			}
			return nil
		case len(have) < len(body):
			if got.Outcome != assemble.NeedMore {
				return fmt.Errorf("piece %d: %d of %d bytes have come: got %v %q", i, len(have), len(body), got.Outcome, got.Code.Name())
			}
		default:
			want := bytes.Clone(fixed)
			for j := range body {
				want = append(want, have[j])
			}
			if got.Outcome != assemble.Complete || !bytes.Equal(got.Message, want) {
				return fmt.Errorf("piece %d completes the message: got %v %q, %d bytes for %d", i, got.Outcome, got.Code.Name(), len(got.Message), len(want))
			}
			return nil
		}
	}
	return nil
}

// checkDatagrams checks what all assemblers of datagrams promise: the input is not changed,
// a final answer is repeated, a datagram that comes twice changes nothing, old content of
// the buffer has no influence, and nothing after the buffer is written. It returns the last
// answer.
func checkDatagrams(datagrams [][]byte, a assemble.Assembler, limit int) (assemble.Result, error) {
	const guard = 64
	size := assemble.BufferSize(limit)
	run := func(fill byte, times int) (result assemble.Result, answers []assemble.Outcome, err error) {
		memory := bytes.Repeat([]byte{fill}, size+guard)
		a.Reset(memory[:size])
		for _, d := range datagrams {
			before := bytes.Clone(d)
			for range times {
				result = a.Feed(d)
				if result.Outcome != assemble.NeedMore {
					break
				}
				if result.Used != len(d) {
					return result, answers, fmt.Errorf("needs more, and used %d of %d bytes", result.Used, len(d))
				}
			}
			if !bytes.Equal(before, d) {
				return result, answers, fmt.Errorf("the datagram was written to")
			}
			answers = append(answers, result.Outcome)
			if result.Outcome != assemble.NeedMore {
				break
			}
		}
		if !bytes.Equal(memory[size:], bytes.Repeat([]byte{fill}, guard)) {
			return result, answers, fmt.Errorf("bytes after the buffer were written")
		}
		result.Message = bytes.Clone(result.Message)
		if result.Outcome != assemble.NeedMore && len(datagrams) > 0 {
			again := a.Feed(datagrams[0])
			if again.Used != 0 || !sameResult(again, result) {
				return result, answers, fmt.Errorf("%v %q is not final", result.Outcome, result.Code.Name())
			}
		}
		return result, answers, nil
	}
	first, answers, err := run(0, 1)
	if err != nil {
		return first, err
	}
	if name := first.Outcome.String(); name == "" || name == "unknown outcome" {
		return first, fmt.Errorf("outcome %d has no name", first.Outcome)
	}
	for _, variant := range []struct {
		what  string
		fill  byte
		times int
	}{{"other memory", 0xff, 1}, {"every datagram twice", 0x5a, 2}} {
		other, otherAnswers, err := run(variant.fill, variant.times)
		if err != nil {
			return first, err
		}
		if !sameResult(first, other) || len(answers) != len(otherAnswers) {
			return first, fmt.Errorf("%s: %v %q at %d instead of %v %q at %d", variant.what,
				other.Outcome, other.Code.Name(), other.Offset, first.Outcome, first.Code.Name(), first.Offset)
		}
	}
	return first, checkNext(datagrams, a, limit)
}

// checkNext reads one message after the other, and checks that old content of the buffer has
// no influence there either.
func checkNext(datagrams [][]byte, a assemble.Assembler, limit int) error {
	read := func(fill byte) (results []assemble.Result) {
		a.Reset(bytes.Repeat([]byte{fill}, assemble.BufferSize(limit)))
		for _, d := range datagrams {
			result := a.Feed(d)
			result.Message = bytes.Clone(result.Message)
			results = append(results, result)
			if result.Outcome == assemble.Complete {
				a.Next()
			} else if result.Outcome != assemble.NeedMore {
				break
			}
		}
		return results
	}
	first, second := read(0), read(0xff)
	if len(first) != len(second) {
		return fmt.Errorf("%d answers, and with other memory %d", len(first), len(second))
	}
	for i := range first {
		if !sameResult(first[i], second[i]) || first[i].Used != second[i].Used {
			return fmt.Errorf("answer %d: %v %q, and with other memory %v %q", i,
				first[i].Outcome, first[i].Code.Name(), second[i].Outcome, second[i].Code.Name())
		}
	}
	return nil
}

// sameResult compares all but Used.
func sameResult(a, b assemble.Result) bool {
	return a.Outcome == b.Outcome && a.Code == b.Code && a.Offset == b.Offset && bytes.Equal(a.Message, b.Message)
}
