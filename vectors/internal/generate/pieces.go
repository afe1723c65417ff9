package main

import "github.com/tlsflags/tlsflags/vectors"

// longest is the length of the longest ClientHello, with its header.
const longest = 4 + 131396

// joins is a test of pieces that make up a hello with flags in an extension of type typ.
func joins(id string, pieces [][]byte, h hello, typ uint16, flags []uint16, comment string, notes ...string) vectors.Test {
	t := of(id, pieces, vectors.Complete, comment, notes...)
	t.Result = vectors.Valid
	t.Joined = h.bytes()
	parsed := h.parsed(typ, flags...)
	t.Parsed = &parsed
	return t
}

// waits is a test of pieces that are correct but incomplete.
func waits(id string, pieces [][]byte, comment string, notes ...string) vectors.Test {
	return of(id, pieces, vectors.NeedMore, comment, notes...)
}

// foreign is a test of pieces of another protocol.
func foreign(id string, pieces [][]byte, comment string, notes ...string) vectors.Test {
	return of(id, pieces, vectors.NotThisProtocol, comment, notes...)
}

// refusesPieces is a test of pieces with a fault in the last one. The offset is that in
// the stream, or in the last datagram.
func refusesPieces(id string, pieces [][]byte, code string, offset int, comment string, notes ...string) vectors.Test {
	t := refuse(id, nil, code, offset, comment, notes...)
	p := of(id, pieces, vectors.Refused, comment, notes...)
	t.Input, t.Pieces, t.Memory, t.Outcome = nil, p.Pieces, p.Memory, p.Outcome
	return t
}

// orComplete is the answer of a reader that has a whole message.
func orComplete(clause, who string) vectors.Alternative {
	return vectors.Alternative{Result: vectors.Valid, Outcome: vectors.Complete, Clause: clause, Who: who}
}

// orWaits is the answer of a reader that waits, or drops what it got and waits.
func orWaits(clause, who string) vectors.Alternative {
	return vectors.Alternative{Result: vectors.Invalid, Outcome: vectors.NeedMore, Clause: clause, Who: who}
}

func of(id string, pieces [][]byte, outcome vectors.Outcome, comment string, notes ...string) vectors.Test {
	t := vectors.Test{
		ID: id, Comment: comment, Flags: append([]string{}, notes...), Memory: longest, Outcome: outcome, Result: vectors.Invalid,
	}
	for _, p := range pieces {
		t.Pieces = append(t.Pieces, nonNil(p))
	}
	return t
}

// limited is the test for a reader that accepts messages of up to memory bytes.
func limited(t vectors.Test, memory int) vectors.Test {
	t.Memory = memory
	return t
}

// pieces cuts b at the given offsets.
func pieces(b []byte, cuts ...int) [][]byte {
	var out [][]byte
	start := 0
	for _, end := range append(cuts, len(b)) {
		out = append(out, b[start:end])
		start = end
	}
	return out
}

// every cuts b into pieces of n bytes.
func every(b []byte, n int) [][]byte {
	var cuts []int
	for i := n; i < len(b); i += n {
		cuts = append(cuts, i)
	}
	return pieces(b, cuts...)
}
