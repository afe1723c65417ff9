package fuzz

import (
	"slices"

	"github.com/tlsflags/tlsflags/internal/fuzzing"
	"github.com/tlsflags/tlsflags/internal/oracle/assembletest"
)

func recordsSeeds(yield func([]byte) bool) {
	g := newGenerator(3)
	fuzzing.Chain(
		fuzzing.Each(fuzzing.Messages, func(msg []byte) []byte { return assembletest.WithCuts(g.cuts(), assembletest.InRecords(msg, nil)) }),
		fuzzing.Each(generated(3, 16, false), func(msg []byte) []byte {
			return assembletest.WithCuts([]byte{1, 7}, assembletest.InRecords(msg, g.cuts()))
		}),
		fuzzing.Each(generated(3, 8, false), func(msg []byte) []byte {
			twice := slices.Concat(assembletest.InRecords(msg, g.cuts()), []byte{20, 3, 3, 0, 1, 1}, assembletest.InRecords(msg, g.cuts()))
			return assembletest.WithCuts(g.cuts(), twice)
		}),
		slices.Values([][]byte{
			assembletest.WithCuts(nil, startOfRecord(1<<14)),
			assembletest.WithCuts(nil, startOfRecord(1<<14+1)),
		}),
	)(yield)
}

// startOfRecord returns the header of a record of n bytes; 2^14 is the most that may be.
func startOfRecord(n int) []byte {
	return []byte{22, 3, 1, byte(n >> 8), byte(n), 1, 0, 0x40, 0, 3, 3}
}

func checkRecordsInput(data []byte) error {
	cuts, stream, ok := assembletest.SplitCuts(data)
	if !ok {
		return nil
	}
	return assembletest.CheckRecords(stream, cuts)
}
