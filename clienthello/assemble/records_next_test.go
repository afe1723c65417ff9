package assemble_test

import (
	"slices"
	"testing"

	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/extension"
)

func TestRecordsNext(t *testing.T) {
	first, second := handshake(20), handshake(30)
	ccs := record(20, 0x0303, []byte{1})
	for name, row := range map[string]struct {
		between []byte
		want    seen
	}{
		"second hello":                    {inRecords(second, 100), seen{Outcome: assemble.Complete, Message: string(second), Used: 39}},
		"in records of 7 bytes":           {inRecords(second, 7), seen{Outcome: assemble.Complete, Message: string(second), Used: 34 + 5*5}},
		"after change_cipher_spec":        {slices.Concat(ccs, inRecords(second, 100)), seen{Outcome: assemble.Complete, Message: string(second), Used: 45}},
		"after two":                       {slices.Concat(ccs, ccs, inRecords(second, 100)), seen{Outcome: assemble.Complete, Message: string(second), Used: 51}},
		"change_cipher_spec with value 2": {slices.Concat(record(20, 0x0303, []byte{2}), inRecords(second, 100)), seen{Outcome: assemble.Unrecognized, Used: 6}},
		"change_cipher_spec of 2 bytes":   {slices.Concat(record(20, 0x0303, []byte{1, 1}), inRecords(second, 100)), seen{Outcome: assemble.Unrecognized, Used: 5}},
		"change_cipher_spec inside":       {slices.Concat(record(22, 0x0303, second[:9]), ccs), seen{Outcome: assemble.Refused, Code: extension.ErrRecordInterleaved, Offset: 29 + 14, Used: 15}},
		"alert":                           {record(21, 0x0303, []byte{1, 0}), seen{Outcome: assemble.Unrecognized, Used: 1}},
		"application data":                {slices.Concat(ccs, record(23, 0x0303, second)), seen{Outcome: assemble.Unrecognized, Used: 7}},
		"another message":                 {record(22, 0x0303, []byte{16, 0, 0, 0}), seen{Outcome: assemble.Unrecognized, Used: 6}},
		"record version 2.0":              {record(22, 0x0200, second), seen{Outcome: assemble.Unrecognized, Used: 2}},
		"empty record":                    {record(22, 0x0303, nil), seen{Outcome: assemble.Unrecognized, Used: 5}},
		"in a record of 2^14 bytes":       {record(22, 0x0303, slices.Concat(second, make([]byte, 1<<14-34)))[:39], seen{Outcome: assemble.Complete, Message: string(second), Used: 39, Trailing: 1<<14 - 34}},
		"record overflow":                 {[]byte{22, 3, 3, 0x40, 0x01}, seen{Outcome: assemble.Unrecognized, Used: 5}},
		"too large":                       {record(22, 0x0303, []byte{1, 0xff, 0xff, 0xff}), seen{Outcome: assemble.Refused, Code: extension.ErrMessageTooLarge, Offset: 29 + 6, Used: 9}},
		"nothing":                         {nil, seen{}},
	} {
		t.Run(name, func(t *testing.T) {
			stream := append(inRecords(first, 100), row.between...)
			for i := range len(stream) + 1 {
				var r assemble.Records
				r.Reset(make([]byte, 64))
				pieces := [][]byte{stream[:i], stream[i:]}
				if i < 29 {
					pieces = [][]byte{stream[:i], stream[i:29], stream[29:]}
				} else if i > 29 {
					pieces = [][]byte{stream[:29], stream[29:i], stream[i:]}
				}
				used := feed(&r, pieces...).Used
				if used != 29 {
					t.Fatalf("cut at %d: first message used %d bytes", i, used)
				}
				r.Next()
				rest := pieces[1:]
				if i < 29 {
					rest = pieces[2:]
				}
				if got := feed(&r, rest...); got != row.want {
					t.Fatalf("cut at %d:\n got %+v\nwant %+v", i, got, row.want)
				}
			}
		})
	}

	t.Run("after early data", func(t *testing.T) {
		early := record(23, 0x0303, make([]byte, 100))
		for _, row := range []struct {
			between []byte
			limit   int
			want    seen
		}{
			{slices.Concat(ccs, early, early, inRecords(second, 10)), 200, seen{Outcome: assemble.Complete, Message: string(second), Used: 6 + 2*105 + 34 + 4*5}},
			{slices.Concat(early, early, inRecords(second, 10)), 199, seen{Outcome: assemble.Unrecognized, Used: 105 + 5}},
			{slices.Concat(record(23, 0x0303, []byte{0}), inRecords(second, 10)), 1, seen{Outcome: assemble.Complete, Message: string(second), Used: 6 + 34 + 4*5}},
			{slices.Concat(record(23, 0x0303, []byte{0}), record(23, 0x0303, []byte{0}), inRecords(second, 10)), 1, seen{Outcome: assemble.Unrecognized, Used: 6 + 1}},
			{slices.Concat(early, inRecords(second, 10)), 0, seen{Outcome: assemble.Unrecognized, Used: 1}},
			{slices.Concat(record(23, 0x0303, nil), inRecords(second, 10)), 200, seen{Outcome: assemble.Unrecognized, Used: 5}},
			{slices.Concat(record(22, 0x0303, second[:9]), early), 200, seen{Outcome: assemble.Refused, Code: extension.ErrRecordInterleaved, Offset: 29 + 14, Used: 15}},
		} {
			for _, size := range []int{1, 7, 1000} {
				var r assemble.Records
				r.Reset(make([]byte, 64))
				r.Feed(inRecords(first, 100))
				r.NextAfterEarlyData(row.limit)
				if got := feed(&r, slices.Collect(slices.Chunk(row.between, size))...); got != row.want {
					t.Errorf("limit %d, pieces of %d:\n got %+v\nwant %+v", row.limit, size, got, row.want)
				}
			}
		}
	})
	t.Run("in the same record", func(t *testing.T) {
		stream := record(22, 0x0301, slices.Concat(first, second))
		var r assemble.Records
		n := r.Feed(stream).Used
		r.Next()
		want := seen{Outcome: assemble.Complete, Message: string(second), Used: 34}
		if got := feed(&r, stream[n:]); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
	t.Run("without effect before the message is complete", func(t *testing.T) {
		var r assemble.Records
		stream := inRecords(first, 100)
		r.Reset(make([]byte, 64))
		r.Feed(stream[:20])
		r.Next()
		if got := r.Feed(stream[20:]); got.Outcome != assemble.Complete {
			t.Errorf("got %v", got.Outcome)
		}
	})
}

func TestRecordsCount(t *testing.T) {
	var r assemble.Records
	r.Reset(make([]byte, 64))
	stream := append(inRecords(handshake(20), 10), record(20, 0x0303, []byte{1})...)
	r.Feed(stream)
	if r.Info().Records != 3 || r.Info().Start != 0 {
		t.Errorf("first message: %d records from byte %d on, want 3 from 0", r.Info().Records, r.Info().Start)
	}
	r.Next()
	r.Feed(record(20, 0x0303, []byte{1}))
	r.Feed(inRecords(handshake(20), 20))
	if want := len(stream); r.Info().Records != 2 || r.Info().Start != want {
		t.Errorf("second message: %d records from byte %d on, want 2 from %d", r.Info().Records, r.Info().Start, want)
	}

	// One that begins in the record in which the first ends.
	first, second := handshake(20), handshake(30)
	r.Reset(make([]byte, 64))
	stream = slices.Concat(record(22, 0x0303, slices.Concat(first, second[:10])), record(22, 0x0303, second[10:]))
	used := r.Feed(stream).Used
	r.Next()
	if r.Feed(stream[used:]); r.Info().Records != 1 || r.Info().Start != used {
		t.Errorf("in the same record: %d records from byte %d on, want 1 from %d", r.Info().Records, r.Info().Start, used)
	}
}
