package assemble_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/extension"
)

// handshake returns a handshake message of type 1 with a body of n bytes, none of
// which looks like a record header.
func handshake(n int) []byte {
	msg := []byte{1, byte(n >> 16), byte(n >> 8), byte(n)}
	for i := range n {
		msg = append(msg, byte(0x30+i%64))
	}
	return msg
}

func record(typ byte, version uint16, fragment []byte) []byte {
	b := binary.BigEndian.AppendUint16([]byte{typ}, version)
	b = binary.BigEndian.AppendUint16(b, uint16(len(fragment)))
	return append(b, fragment...)
}

// inRecords returns msg in handshake records of at most size bytes.
func inRecords(msg []byte, size int) []byte {
	var stream []byte
	for part := range slices.Chunk(msg, size) {
		stream = append(stream, record(22, 0x0301, part)...)
	}
	return stream
}

// seen is what an assembler made of a stream.
type seen struct {
	Outcome  assemble.Outcome
	Message  string
	Code     extension.Code
	Offset   int
	Used     int // over all calls
	Trailing int
}

// feed gives pieces to r until it decides.
func feed(r *assemble.Records, pieces ...[]byte) seen {
	var s seen
	for _, piece := range pieces {
		result := r.Feed(bytes.Clone(piece))
		s.Used += result.Used
		s.Outcome, s.Code, s.Offset, s.Message = result.Outcome, result.Code, result.Offset, string(result.Message)
		if result.Outcome != assemble.NeedMore {
			break
		}
	}
	s.Trailing = r.Info().Trailing
	return s
}

// streams are the rows of the tests below: what comes out of a stream, however it
// is cut.
func streams() map[string]struct {
	stream []byte
	want   seen
} {
	type row = struct {
		stream []byte
		want   seen
	}
	msg := handshake(50)
	whole := seen{Outcome: assemble.Complete, Message: string(msg)}
	complete := func(used, trailing int) seen {
		s := whole
		s.Used, s.Trailing = used, trailing
		return s
	}
	refused := func(code extension.Code, offset, used int) seen {
		return seen{Outcome: assemble.Refused, Code: code, Offset: offset, Used: used}
	}
	needMore := func(used int) seen { return seen{Used: used} }
	notTLS := func(used int) seen { return seen{Outcome: assemble.Unrecognized, Used: used} }
	join := func(parts ...[]byte) []byte { return slices.Concat(parts...) }
	sslv2Sized := func(specs, sessionID, challenge int) []byte {
		n := 9 + specs + sessionID + challenge
		b := []byte{0x80 | byte(n>>8), byte(n), 1, 3, 1, byte(specs >> 8), byte(specs), 0, byte(sessionID), 0, byte(challenge)}
		return append(b, make([]byte, specs+sessionID+challenge)...)
	}
	sslv2 := func(change func(b []byte)) []byte {
		b := sslv2Sized(6, 0, 16)
		change(b)
		return b
	}

	return map[string]row{
		"one record":                   {inRecords(msg, 1000), complete(59, 0)},
		"two records":                  {inRecords(msg, 27), complete(64, 0)},
		"records of one byte":          {inRecords(msg, 1), complete(6*54, 0)},
		"message header over records":  {join(record(22, 0x0301, msg[:3]), record(22, 0x0303, msg[3:])), complete(64, 0)},
		"every record version of TLS":  {join(record(22, 0x0300, msg[:3]), record(22, 0x0304, msg[3:9]), record(22, 0x03ff, msg[9:])), complete(69, 0)},
		"body of no bytes":             {inRecords(handshake(0), 9), seen{Outcome: assemble.Complete, Message: "\x01\x00\x00\x00", Used: 9}},
		"body of no bytes, split":      {inRecords(handshake(0), 3), seen{Outcome: assemble.Complete, Message: "\x01\x00\x00\x00", Used: 14}},
		"bytes after it, next record":  {join(inRecords(msg, 100), record(23, 0x0303, msg)), complete(59, 0)},
		"bytes after it, same record":  {record(22, 0x0301, join(msg, msg)), complete(59, 54)},
		"bytes after it, last of two":  {join(record(22, 0x0301, msg[:20]), record(22, 0x0301, join(msg[20:], msg[:7]))), complete(64, 7)},
		"record of 2^14 bytes":         {join(record(22, 0x0301, join(msg, make([]byte, 1<<14-54)))), complete(59, 1<<14-54)},
		"nothing":                      {nil, needMore(0)},
		"half a record header":         {[]byte{22, 3, 1}, needMore(3)},
		"half a message header":        {record(22, 0x0301, msg[:2]), needMore(7)},
		"half a message":               {inRecords(msg, 100)[:40], needMore(40)},
		"half a message, whole record": {record(22, 0x0301, msg[:20]), needMore(25)},

		"HTTP":                         {[]byte("GET / HTTP/1.1\r\n"), notTLS(1)},
		"alert record first":           {record(21, 0x0301, []byte{1, 0}), notTLS(1)},
		"change_cipher_spec first":     {record(20, 0x0303, []byte{1}), notTLS(1)},
		"application data first":       {record(23, 0x0303, msg), notTLS(1)},
		"version 2.0 in first record":  {record(22, 0x0200, msg), notTLS(2)},
		"version 4.0 in first record":  {record(22, 0x0400, msg), notTLS(2)},
		"DTLS record":                  {record(22, 0xfefd, msg), notTLS(2)},
		"top bit set, no hello":        {[]byte{0x80, 31, 2}, notTLS(3)},
		"top bit set, no version":      {sslv2(func(b []byte) { b[3] = 4 }), notTLS(5)},
		"top bit set, SSL version 0.3": {sslv2(func(b []byte) { b[3], b[4] = 0, 3 }), notTLS(5)},
		"SSLv2, no cipher spec":        {sslv2Sized(0, 0, 16), notTLS(11)},
		"SSLv2, odd cipher specs":      {sslv2Sized(7, 0, 16), notTLS(11)},
		"SSLv2, long session_id":       {sslv2Sized(6, 33, 16), notTLS(11)},
		"SSLv2, short challenge":       {sslv2Sized(6, 0, 15), notTLS(11)},
		"SSLv2, long challenge":        {sslv2Sized(6, 0, 33), notTLS(11)},
		"SSLv2, session_id of 256":     {sslv2(func(b []byte) { b[7] = 1 }), notTLS(11)},
		"SSLv2, challenge of 272":      {sslv2(func(b []byte) { b[9] = 1 }), notTLS(11)},
		"SSLv2 hello with 100 ciphers": {sslv2Sized(300, 0, 16), refused(extension.ErrSSLv2Hello, 0, 11)},
		"SSLv2, length mismatch":       {sslv2(func(b []byte) { b[1]-- }), notTLS(11)},
		"SSLv2, half":                  {sslv2(func(b []byte) {})[:10], needMore(10)},
		"SSLv2-compatible hello":       {sslv2(func(b []byte) {}), refused(extension.ErrSSLv2Hello, 0, 11)},
		"SSLv2 hello of SSL 2.0":       {sslv2(func(b []byte) { b[3], b[4] = 0, 2 }), refused(extension.ErrSSLv2Hello, 0, 11)},
		"SSLv2 hello with 3 ciphers":   {sslv2Sized(9, 0, 16), refused(extension.ErrSSLv2Hello, 0, 11)},
		"SSLv2, 10 bytes of ciphers":   {sslv2Sized(10, 0, 16), notTLS(11)},
		"SSLv2 hello with session_id":  {sslv2Sized(6, 32, 32), refused(extension.ErrSSLv2Hello, 0, 11)},
		"SSLv2 hello in second record": {join(record(22, 0x0301, msg[:9]), sslv2(func(b []byte) {})), refused(extension.ErrRecordInterleaved, 14, 15)},

		"record of 2^14+1 bytes":              {[]byte{22, 3, 1, 0x40, 0x01, 1}, refused(extension.ErrRecordOverflow, 3, 5)},
		"second record of 2^14+1 bytes":       {join(record(22, 0x0301, msg[:9]), []byte{22, 3, 3, 0x40, 0x01, 1}), refused(extension.ErrRecordOverflow, 17, 19)},
		"empty record first":                  {join(record(22, 0x0301, nil), inRecords(msg, 100)), refused(extension.ErrRecordEmpty, 3, 5)},
		"empty record in between":             {join(record(22, 0x0301, msg[:9]), record(22, 0x0301, nil)), refused(extension.ErrRecordEmpty, 17, 19)},
		"alert in between":                    {join(record(22, 0x0301, msg[:9]), record(21, 0x0301, []byte{1, 0})), refused(extension.ErrRecordInterleaved, 14, 15)},
		"change_cipher_spec in between":       {join(record(22, 0x0301, msg[:9]), record(20, 0x0301, []byte{1})), refused(extension.ErrRecordInterleaved, 14, 15)},
		"application data in between":         {join(record(22, 0x0301, msg[:2]), record(23, 0x0301, msg)), refused(extension.ErrRecordInterleaved, 7, 8)},
		"version 2.0 in second record":        {join(record(22, 0x0301, msg[:9]), record(22, 0x0200, msg[9:])), complete(64, 0)},
		"version 255.255 in second record":    {join(record(22, 0x0301, msg[:9]), record(22, 0xffff, msg[9:])), complete(64, 0)},
		"ServerHello":                         {record(22, 0x0303, join([]byte{2}, msg[1:])), refused(extension.ErrMessageType, 5, 6)},
		"HelloRequest":                        {record(22, 0x0301, []byte{0, 0, 0, 0}), refused(extension.ErrMessageType, 5, 6)},
		"body of 131,397 bytes":               {record(22, 0x0301, []byte{1, 0x02, 0x01, 0x45, 3, 3}), refused(extension.ErrMessageTooLarge, 6, 9)},
		"body of 2^24-1 bytes":                {record(22, 0x0301, []byte{1, 0xff, 0xff, 0xff, 3, 3}), refused(extension.ErrMessageTooLarge, 6, 9)},
		"body of 2^24-1 bytes, header split":  {join(record(22, 0x0301, []byte{1, 0xff}), record(22, 0x0301, []byte{0xff, 0xff})), refused(extension.ErrMessageTooLarge, 6, 14)},
		"body of 131,396 bytes, half":         {record(22, 0x0301, []byte{1, 0x02, 0x01, 0x44, 3, 3}), needMore(11)},
		"length split after the message type": {join(record(22, 0x0301, []byte{1}), record(22, 0x0301, []byte{0xff, 0xff, 0xff})), refused(extension.ErrMessageTooLarge, 11, 14)},
	}
}

func TestRecords(t *testing.T) {
	for name, row := range streams() {
		t.Run(name, func(t *testing.T) {
			var r assemble.Records
			r.Reset(make([]byte, assemble.MaxMessage))
			if got := feed(&r, row.stream); got != row.want {
				t.Errorf("in one piece:\n got %+v\nwant %+v", got, row.want)
			}
			r.Reset(make([]byte, assemble.MaxMessage))
			if got := feed(&r, slices.Collect(slices.Chunk(row.stream, 1))...); got != row.want {
				t.Errorf("in pieces of one byte:\n got %+v\nwant %+v", got, row.want)
			}
		})
	}
}

func TestRecordsCutAnywhere(t *testing.T) {
	memory := make([]byte, assemble.MaxMessage)
	var r assemble.Records
	for name, row := range streams() {
		n := min(len(row.stream), row.want.Used+20)
		for i := range n + 1 {
			for j := i; j <= n; j++ {
				r.Reset(memory)
				if got := feed(&r, row.stream[:i], row.stream[i:j], row.stream[j:]); got != row.want {
					t.Fatalf("%s, cut at %d and %d:\n got %+v\nwant %+v", name, i, j, got, row.want)
				}
			}
		}
	}
}

func TestRecordsOfRandomBytes(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	memory := make([]byte, 64)
	var r assemble.Records
	rows := slices.Collect(func(yield func([]byte) bool) {
		for _, row := range streams() {
			if !yield(row.stream[:min(len(row.stream), 200)]) {
				return
			}
		}
	})
	for range 20000 {
		stream := bytes.Clone(rows[random.IntN(len(rows))])
		for range random.IntN(4) {
			if len(stream) > 0 {
				stream[random.IntN(len(stream))] ^= 1 << random.IntN(8)
			}
		}
		// The memory is too small for some messages, so never in one piece.
		r.Reset(memory)
		want := feed(&r, slices.Collect(slices.Chunk(stream, 1))...)
		var pieces [][]byte
		for rest := stream; len(rest) > 0; {
			n := 1 + random.IntN(min(len(rest), 54))
			pieces = append(pieces, rest[:n])
			rest = rest[n:]
		}
		r.Reset(memory)
		if got := feed(&r, pieces...); got != want {
			t.Fatalf("stream %x in pieces %x:\n got %+v\nwant %+v", stream, pieces, got, want)
		}
	}
}

func TestRecordsRepeatsItsAnswer(t *testing.T) {
	for name, row := range streams() {
		if row.want.Outcome == assemble.NeedMore {
			continue
		}
		var r assemble.Records
		r.Reset(make([]byte, assemble.MaxMessage))
		first := r.Feed(row.stream)
		again := r.Feed([]byte("more"))
		if first.Used = 0; again.Outcome != first.Outcome || again.Code != first.Code || again.Offset != first.Offset ||
			again.Used != 0 || !bytes.Equal(again.Message, first.Message) {
			t.Errorf("%s: got %+v, then %+v", name, first, again)
		}
		r.Reset(make([]byte, assemble.MaxMessage))
		if got := feed(&r, row.stream); got != row.want {
			t.Errorf("%s, after Reset: got %+v, want %+v", name, got, row.want)
		}
	}
}

func TestRecordsMemory(t *testing.T) {
	msg := handshake(96)
	for name, row := range map[string]struct {
		memory int
		pieces [][]byte
		want   seen
	}{
		"in place":                   {0, [][]byte{inRecords(msg, 100)}, seen{Outcome: assemble.Complete, Message: string(msg), Used: 105}},
		"in place, header before it": {0, [][]byte{{22, 3}, inRecords(msg, 100)[2:]}, seen{Outcome: assemble.Complete, Message: string(msg), Used: 105}},
		"two pieces that fit":        {100, [][]byte{inRecords(msg, 100)[:50], inRecords(msg, 100)[50:]}, seen{Outcome: assemble.Complete, Message: string(msg), Used: 105}},
		"two pieces, no memory":      {0, [][]byte{inRecords(msg, 100)[:50]}, seen{Outcome: assemble.Refused, Code: extension.ErrOverLimit, Offset: 6, Used: 9}},
		"one byte too long":          {99, [][]byte{inRecords(msg, 100)[:9], inRecords(msg, 100)[9:]}, seen{Outcome: assemble.Refused, Code: extension.ErrOverLimit, Offset: 6, Used: 9}},
		"one byte too long, records": {99, [][]byte{inRecords(msg, 99)}, seen{Outcome: assemble.Refused, Code: extension.ErrOverLimit, Offset: 6, Used: 9}},
		"length cut, no memory":      {0, [][]byte{inRecords(msg, 100)[:8], inRecords(msg, 100)[8:]}, seen{Outcome: assemble.Refused, Code: extension.ErrOverLimit, Offset: 6, Used: 9}},
	} {
		t.Run(name, func(t *testing.T) {
			var r assemble.Records
			r.Reset(make([]byte, row.memory))
			if got := feed(&r, row.pieces...); got != row.want {
				t.Errorf("got %+v, want %+v", got, row.want)
			}
		})
	}
}

func TestRecordsGrow(t *testing.T) {
	for _, n := range []int{0, 1, 20, 50} {
		msg := handshake(n)
		for _, size := range []int{1, 3, 9, 100} {
			stream := append(inRecords(msg, size), 23, 3, 3)
			whole := len(stream) - 3
			for _, step := range []int{1, 4, 7, 60} {
				for cut := range whole {
					var r assemble.Records
					var memory []byte
					var s seen
					for _, piece := range [][]byte{stream[:cut], stream[cut:]} {
						for len(piece) > 0 && s.Outcome != assemble.Complete {
							result := r.Feed(piece)
							piece = piece[result.Used:]
							s.Used += result.Used
							s.Outcome, s.Code, s.Message = result.Outcome, result.Code, string(result.Message)
							if result.Code == extension.ErrOverLimit {
								if len(memory) == len(msg) {
									t.Fatalf("refused with memory for all %d bytes", len(msg))
								}
								if r.MessageLen() != len(msg) {
									t.Fatalf("MessageLen is %d, want %d", r.MessageLen(), len(msg))
								}
								memory = make([]byte, min(len(memory)+step, len(msg)))
								r.Grow(memory)
							}
						}
					}
					want := seen{Outcome: assemble.Complete, Message: string(msg), Used: whole}
					if s != want {
						t.Fatalf("body of %d bytes in records of %d, cut at %d, memory in steps of %d:\n got %+v\nwant %+v",
							n, size, cut, step, s, want)
					}
				}
			}
		}
	}

	t.Run("with no longer memory", func(t *testing.T) {
		var r assemble.Records
		r.Reset(make([]byte, 10))
		first := r.Feed(inRecords(handshake(20), 5))
		r.Grow(make([]byte, 10))
		if again := r.Feed([]byte{1}); first.Code != extension.ErrOverLimit || again.Code != first.Code || again.Used != 0 {
			t.Errorf("got %+v, then %+v", first, again)
		}
	})
	t.Run("after another refusal", func(t *testing.T) {
		var r assemble.Records
		r.Feed(record(22, 0x0301, nil))
		r.Grow(make([]byte, 100))
		if got := r.Feed(inRecords(handshake(1), 100)); got.Code != extension.ErrRecordEmpty {
			t.Errorf("got %+v", got)
		}
	})
}

func TestRecordsReturnsInPlace(t *testing.T) {
	stream := append(inRecords(handshake(50), 100), 23, 3, 3)
	var r assemble.Records
	got := r.Feed(stream).Message
	if &got[0] != &stream[5] || cap(got) != len(got) {
		t.Errorf("message of %d bytes, capacity %d, is not the 54 bytes that were fed", len(got), cap(got))
	}
}

// The longest message is what package clienthello parses.
func TestLargestIsThatOfTheParser(t *testing.T) {
	if assemble.MaxMessage != 4+clienthello.MaxBody {
		t.Errorf("MaxMessage is %d, want %d", assemble.MaxMessage, 4+clienthello.MaxBody)
	}
	if assemble.MaxMessageDTLS != 12+clienthello.MaxBodyDTLS {
		t.Errorf("MaxMessageDTLS is %d, want %d", assemble.MaxMessageDTLS, 12+clienthello.MaxBodyDTLS)
	}
}

func TestRecordsLargest(t *testing.T) {
	msg := handshake(assemble.MaxMessage - 4)
	var r assemble.Records
	for _, size := range []int{1, 100, 1 << 14} {
		stream := inRecords(msg, size)
		for _, piece := range []int{1, 1400, len(stream)} {
			r.Reset(make([]byte, assemble.MaxMessage))
			want := seen{Outcome: assemble.Complete, Message: string(msg), Used: len(stream)}
			if got := feed(&r, slices.Collect(slices.Chunk(stream, piece))...); got != want {
				t.Errorf("records of %d bytes in pieces of %d: outcome %v, code %v, %d bytes", size, piece, got.Outcome, got.Code, len(got.Message))
			}
		}
	}
}

func TestRecordsNoAllocs(t *testing.T) {
	memory := make([]byte, assemble.MaxMessage)
	var r assemble.Records
	for name, row := range streams() {
		if n := testing.AllocsPerRun(5, func() {
			r.Reset(memory)
			r.Feed(row.stream)
			r.Reset(memory)
			for piece := range slices.Chunk(row.stream, 7) {
				r.Feed(piece)
			}
			r.Next()
			r.Feed(row.stream)
		}); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkRecords(b *testing.B) {
	msg := handshake(1800)
	memory := make([]byte, assemble.MaxMessage)
	for _, c := range []struct{ record, piece int }{{1 << 14, 1 << 16}, {1 << 14, 1400}, {100, 1400}, {1, 1}} {
		stream := inRecords(msg, c.record)
		pieces := slices.Collect(slices.Chunk(stream, c.piece))
		b.Run(fmt.Sprintf("record=%d/piece=%d", c.record, c.piece), func(b *testing.B) {
			b.SetBytes(int64(len(stream)))
			b.ReportAllocs()
			var r assemble.Records
			for b.Loop() {
				r.Reset(memory)
				for _, piece := range pieces {
					r.Feed(piece)
				}
			}
		})
	}
}
